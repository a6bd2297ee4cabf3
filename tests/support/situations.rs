//! The kernel's own word on readiness, and situations that std cannot set up.
#![allow(unsafe_code)]

use std::ffi::CString;
use std::io::Error;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// An epoll instance of the test's own, beside the one under test.
pub(crate) struct RawEpoll(OwnedFd);

impl RawEpoll {
    pub(crate) fn new() -> RawEpoll {
        // SAFETY: takes no pointers.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        RawEpoll(owned(fd))
    }

    pub(crate) fn add(&self, fd: &impl AsFd, mask: u32) {
        let mut event = libc::epoll_event {
            events: mask,
            u64: 0,
        };
        let (queue, fd) = (self.0.as_raw_fd(), fd.as_fd().as_raw_fd());
        // SAFETY: both descriptors are open and `event` is read during the call only.
        let rc = unsafe { libc::epoll_ctl(queue, libc::EPOLL_CTL_ADD, fd, &mut event) };
        assert_eq!(rc, 0, "{}", Error::last_os_error());
    }

    /// The mask of the next event of the one source, if there is one now.
    pub(crate) fn next_mask(&self) -> Option<u32> {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: there is room for the one event asked for.
        let count = unsafe { libc::epoll_wait(self.0.as_raw_fd(), &mut event, 1, 0) };
        (count == 1).then_some(event.events)
    }
}

impl AsFd for RawEpoll {
    fn as_fd(&self) -> std::os::fd::BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl From<RawEpoll> for OwnedFd {
    fn from(epoll: RawEpoll) -> OwnedFd {
        epoll.0
    }
}

/// Sends one byte of urgent data.
pub(crate) fn send_urgent(socket: &impl AsFd) {
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the buffer is one byte long and outlives the call.
    let sent = unsafe { libc::send(fd, b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1, "{}", Error::last_os_error());
}

/// A TCP socket that is neither connected nor listening.
pub(crate) fn tcp_socket() -> OwnedFd {
    let kind = libc::SOCK_STREAM | libc::SOCK_CLOEXEC | libc::SOCK_NONBLOCK;
    // SAFETY: takes no pointers.
    owned(unsafe { libc::socket(libc::AF_INET, kind, 0) })
}

/// A port that answers connects with a refusal, and that nobody else can get meanwhile.
pub(crate) fn deaf_port() -> (OwnedFd, SocketAddr) {
    let socket = tcp_socket();
    let address = libc::sockaddr_in {
        sin_family: libc::AF_INET as libc::sa_family_t,
        sin_port: 0,
        sin_addr: libc::in_addr {
            s_addr: u32::from_ne_bytes([127, 0, 0, 1]),
        },
        sin_zero: [0; 8],
    };
    let length = std::mem::size_of_val(&address) as libc::socklen_t;
    let address_ptr: *const libc::sockaddr_in = &address;
    // SAFETY: the address has the length that is given with it.
    let rc = unsafe { libc::bind(socket.as_raw_fd(), address_ptr.cast(), length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
    // std asks the name of any socket; the type does not matter to it.
    let named = std::net::TcpListener::from(socket);
    let address = named.local_addr().expect("a bound socket has a name");
    (named.into(), address)
}

/// Shuts the read side of a socket whose std type does not offer it.
pub(crate) fn shutdown_read(socket: &impl AsFd) {
    // SAFETY: takes no pointers.
    let rc = unsafe { libc::shutdown(socket.as_fd().as_raw_fd(), libc::SHUT_RD) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
}

/// Sets the length of the queue of connections that nobody has accepted yet.
pub(crate) fn set_backlog(listener: &impl AsFd, backlog: i32) {
    // SAFETY: takes no pointers.
    let rc = unsafe { libc::listen(listener.as_fd().as_raw_fd(), backlog) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
}

/// Whether the socket refuses IPv4 that is mapped into IPv6.
pub(crate) fn only_v6(socket: &impl AsFd) -> bool {
    let fd = socket.as_fd().as_raw_fd();
    let mut value: libc::c_int = 0;
    let mut length = std::mem::size_of_val(&value) as libc::socklen_t;
    let value_ptr: *mut libc::c_int = &mut value;
    let (level, name) = (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY);
    // SAFETY: the kernel writes at most `length` bytes, which is the size of `value`.
    let rc = unsafe { libc::getsockopt(fd, level, name, value_ptr.cast(), &mut length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
    value != 0
}

/// A stream that has a name of its own before it connects, which std does not offer.
/// Addresses are the kernel's bytes: a path, or a NUL and then an abstract name.
pub(crate) fn unix_stream_bound_and_connected(own: &[u8], to: &[u8]) -> OwnedFd {
    // SAFETY: takes no pointers.
    let fd = unsafe { libc::socket(libc::AF_UNIX, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0) };
    let socket = owned(fd);
    let (own, own_length) = unix_address(own);
    let (to, to_length) = unix_address(to);
    let (own_ptr, to_ptr): (*const libc::sockaddr_un, *const libc::sockaddr_un) = (&own, &to);
    // SAFETY: the address has at least the length that is given with it.
    let rc = unsafe { libc::bind(fd, own_ptr.cast(), own_length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
    // SAFETY: as above.
    let rc = unsafe { libc::connect(fd, to_ptr.cast(), to_length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
    socket
}

fn unix_address(bytes: &[u8]) -> (libc::sockaddr_un, libc::socklen_t) {
    let mut address = libc::sockaddr_un {
        sun_family: libc::AF_UNIX as libc::sa_family_t,
        sun_path: [0; 108],
    };
    for (to, from) in address.sun_path.iter_mut().zip(bytes) {
        *to = *from as libc::c_char;
    }
    let length = std::mem::size_of::<libc::sa_family_t>() + bytes.len();
    (address, length as libc::socklen_t)
}

/// Undoes what Rust's start-up did: a write to a broken pipe kills the process again.
pub(crate) fn die_of_broken_pipes() {
    // SAFETY: the default disposition runs no code of ours.
    let old = unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    assert_ne!(old, libc::SIG_ERR, "{}", Error::last_os_error());
}

/// From now on this thread's `number` answers `code` and does nothing. Only for `in_child`.
///
/// The crate that makes the filters knows no other architectures.
#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
pub(crate) fn fail_syscall(number: libc::c_long, code: i32) {
    use seccompiler::{apply_filter, BpfProgram, SeccompAction, SeccompFilter};
    let filter = SeccompFilter::new(
        [(number, vec![])].into(),
        SeccompAction::Allow,
        SeccompAction::Errno(code as u32),
        std::env::consts::ARCH
            .try_into()
            .expect("an architecture with seccomp"),
    );
    let program: BpfProgram = filter.and_then(TryInto::try_into).expect("a filter");
    apply_filter(&program).expect("the kernel takes filters");
}

/// A counter that is readable from its first write on.
pub(crate) fn eventfd() -> OwnedFd {
    // SAFETY: takes no pointers.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })
}

/// Makes a named pipe in the file system.
pub(crate) fn make_fifo(path: &Path) {
    let path = CString::new(path.as_os_str().as_bytes()).expect("no NUL in a path of ours");
    // SAFETY: the string is terminated and outlives the call.
    let rc = unsafe { libc::mkfifo(path.as_ptr(), 0o600) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
}

/// Lets the kernel answer with a reset when the socket is closed.
pub(crate) fn reset_on_close(socket: &impl AsFd) {
    let linger = libc::linger {
        l_onoff: 1,
        l_linger: 0,
    };
    set_option(socket, libc::SO_LINGER, &linger);
}

/// Lets the kernel say when it has sent a segment: in a queue of errors, that nobody reads.
#[cfg(mio_unsupported_force_poll_poll)]
pub(crate) fn tell_what_was_sent(socket: &impl AsFd) {
    let flags = libc::SOF_TIMESTAMPING_TX_SOFTWARE | libc::SOF_TIMESTAMPING_SOFTWARE;
    set_option(socket, libc::SO_TIMESTAMPING, &flags);
}

fn set_option<T>(socket: &impl AsFd, option: libc::c_int, value: &T) {
    let length = std::mem::size_of::<T>() as libc::socklen_t;
    let value: *const T = value;
    let fd = socket.as_fd().as_raw_fd();
    // SAFETY: the option has the length that is given with it.
    let rc = unsafe { libc::setsockopt(fd, libc::SOL_SOCKET, option, value.cast(), length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
}

fn owned(fd: i32) -> OwnedFd {
    assert!(fd >= 0, "{}", Error::last_os_error());
    // SAFETY: a call has just returned this descriptor to us alone.
    unsafe { OwnedFd::from_raw_fd(fd) }
}
