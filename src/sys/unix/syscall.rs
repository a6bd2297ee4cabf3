//! The libc calls that sockets and pipes need, each wrapped once.
//!
//! Descriptors come in as [`BorrowedFd`] and go out as [`OwnedFd`], so that no caller can use a
//! closed one or forget to close one: a descriptor is owned before the next call that may fail.
//! A function that stands for one call bears the name of that call.
//!
//! What differs from system to system has two bodies here and one table that picks between them;
//! no caller asks which system it runs on.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::net::SocketAddr as UnixAddr;

use libc::{c_int, c_void, socklen_t, ssize_t};

use super::sockaddr::SockAddr;

/// What a call answers: libc with -1 and `errno` if it fails.
pub(crate) trait Answer {
    fn answer(self) -> io::Result<isize>;
}

impl Answer for c_int {
    #[inline]
    fn answer(self) -> io::Result<isize> {
        if self == -1 {
            Err(io::Error::last_os_error())
        } else {
            Ok(self as isize)
        }
    }
}

impl Answer for ssize_t {
    #[inline]
    fn answer(self) -> io::Result<isize> {
        if self == -1 {
            Err(io::Error::last_os_error())
        } else {
            Ok(self)
        }
    }
}

/// The result of a call that answers a small number, or nothing.
#[inline]
pub(crate) fn check(ret: impl Answer) -> io::Result<c_int> {
    ret.answer().map(|ret| ret as c_int)
}

/// The result of a call that answers a count of bytes.
#[inline]
pub(crate) fn check_len(ret: impl Answer) -> io::Result<usize> {
    ret.answer().map(|ret| ret as usize)
}

/// Lends the descriptor of one of std's types. Their own `as_fd` is a call into std, their `as_raw_fd`
/// is compiled into its callers.
#[inline]
pub(crate) fn fd_of(io: &(impl AsFd + AsRawFd)) -> BorrowedFd<'_> {
    // SAFETY: std's types own the descriptor that they name, and `io` is borrowed for as long.
    unsafe { BorrowedFd::borrow_raw(io.as_raw_fd()) }
}

/// Gives a call's new descriptor its owner.
///
/// # Safety
///
/// `ret` is what a call returned that makes a descriptor for its caller alone.
#[inline]
unsafe fn owned(ret: impl Answer) -> io::Result<OwnedFd> {
    let fd = check(ret)?;
    // SAFETY: the caller promises that this descriptor is new and belongs to nobody else.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// As [`owned`], for a call that fills in two descriptors and has succeeded.
///
/// # Safety
///
/// Both descriptors are new and belong to the caller alone.
#[inline]
unsafe fn owned_pair([first, second]: [c_int; 2]) -> io::Result<(OwnedFd, OwnedFd)> {
    // SAFETY: the caller promises that it is new.
    let first = unsafe { owned(first) };
    // SAFETY: the caller promises that it is new.
    let second = unsafe { owned(second) };
    Ok((first?, second?))
}

#[inline]
pub(super) fn bind(fd: BorrowedFd<'_>, addr: &SockAddr) -> io::Result<()> {
    // SAFETY: `addr` vouches for the pointer and the length, and the kernel only reads them.
    check(unsafe { libc::bind(fd.as_raw_fd(), addr.as_ptr(), addr.len()) }).map(drop)
}

/// Listens with the longest queue of pending connections that the system grants.
///
/// A queue that is full drops connections, and a dropped TCP connection is tried again only a
/// second later: a burst would then take seconds where a long queue takes milliseconds.
#[inline]
pub(super) fn listen(fd: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: listen(2) touches no memory of ours.
    check(unsafe { libc::listen(fd.as_raw_fd(), BACKLOG) }).map(drop)
}

#[inline]
pub(super) fn connect(fd: BorrowedFd<'_>, addr: &SockAddr) -> io::Result<()> {
    // SAFETY: `addr` vouches for the pointer and the length, and the kernel only reads them.
    check(unsafe { libc::connect(fd.as_raw_fd(), addr.as_ptr(), addr.len()) }).map(drop)
}

#[inline]
pub(super) fn setsockopt(
    fd: BorrowedFd<'_>,
    level: c_int,
    name: c_int,
    value: c_int,
) -> io::Result<()> {
    let value: *const c_int = &value;
    let len = mem::size_of::<c_int>() as socklen_t;
    // SAFETY: `value` points to a c_int that outlives the call, and `len` is its size.
    check(unsafe { libc::setsockopt(fd.as_raw_fd(), level, name, value.cast(), len) }).map(drop)
}

#[inline]
pub(super) fn getsockopt(fd: BorrowedFd<'_>, level: c_int, name: c_int) -> io::Result<c_int> {
    let mut value: c_int = 0;
    let mut len = mem::size_of::<c_int>() as socklen_t;
    let start: *mut c_int = &mut value;
    // SAFETY: the kernel writes at most `len` bytes, which is the size of `value`.
    check(unsafe { libc::getsockopt(fd.as_raw_fd(), level, name, start.cast(), &mut len) })?;
    Ok(value)
}

/// Reads from what is no socket.
#[inline]
pub(crate) fn read(fd: BorrowedFd<'_>, buf: &mut [u8]) -> io::Result<usize> {
    let start = buf.as_mut_ptr().cast::<c_void>();
    // SAFETY: the kernel writes at most `buf.len()` bytes into the slice.
    check_len(unsafe { hot::read(fd.as_raw_fd(), start, buf.len()) })
}

/// Writes to what is no socket.
#[inline]
pub(crate) fn write(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let start = bytes.as_ptr().cast::<c_void>();
    // SAFETY: the kernel only reads the bytes of the slice.
    check_len(unsafe { hot::write(fd.as_raw_fd(), start, bytes.len()) })
}

/// Sends on a connected socket, and never raises SIGPIPE.
#[inline]
pub(super) fn send(fd: BorrowedFd<'_>, bytes: &[u8]) -> io::Result<usize> {
    let start = bytes.as_ptr().cast::<c_void>();
    // SAFETY: the kernel only reads the bytes of the slice.
    check_len(unsafe { hot::send(fd.as_raw_fd(), start, bytes.len(), NO_SIGPIPE) })
}

#[inline]
pub(super) fn sendto(fd: BorrowedFd<'_>, bytes: &[u8], to: &SockAddr) -> io::Result<usize> {
    let (fd, start) = (fd.as_raw_fd(), bytes.as_ptr().cast::<c_void>());
    let (addr, addr_len) = (to.as_ptr(), to.len());
    // SAFETY: the kernel only reads the bytes of the slice, and those that `to` vouches for.
    check_len(unsafe { hot::sendto(fd, start, bytes.len(), NO_SIGPIPE, addr, addr_len) })
}

/// Sends several buffers on a connected socket, and never raises SIGPIPE: that is why this is
/// sendmsg(2) and not writev(2), which takes no flags.
#[inline]
pub(super) fn sendmsg(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    // The one other difference between the two calls: writev(2) of nothing never reaches the
    // socket, where it could fail, or be sent as an empty message.
    if bufs.iter().all(|buf| buf.is_empty()) {
        return Ok(0);
    }
    // More buffers than the kernel takes are no error: the caller sees a short write.
    let bufs = &bufs[..bufs.len().min(IOV_MAX)];
    // SAFETY: a msghdr is plain data whose zeroes mean "no address, no buffers, no control data".
    let mut message: libc::msghdr = unsafe { mem::zeroed() };
    // An IoSlice has the layout of an iovec by std's promise. The pointer is mutable only by the
    // shape of the struct: sendmsg(2) does not write through it.
    message.msg_iov = bufs.as_ptr().cast_mut().cast();
    message.msg_iovlen = bufs.len() as _;
    // SAFETY: `message` names `bufs` alone, which outlive the call.
    check_len(unsafe { hot::sendmsg(fd.as_raw_fd(), &message, NO_SIGPIPE) })
}

/// Receives on a connected socket.
#[inline]
pub(super) fn recv(fd: BorrowedFd<'_>, buf: &mut [u8], flags: Receive) -> io::Result<usize> {
    let start = buf.as_mut_ptr().cast::<c_void>();
    // SAFETY: the kernel writes at most `buf.len()` bytes into the slice.
    check_len(unsafe { hot::recv(fd.as_raw_fd(), start, buf.len(), flags as c_int) })
}

/// Receives, with the address of the sender.
#[inline]
pub(super) fn recvfrom(
    fd: BorrowedFd<'_>,
    buf: &mut [u8],
    flags: Receive,
) -> io::Result<(usize, SockAddr)> {
    let (start, len, flags) = (buf.as_mut_ptr().cast::<c_void>(), buf.len(), flags as c_int);
    let mut sender = SockAddr::room();
    let (addr, addr_len) = sender.as_mut_ptrs();
    // SAFETY: the kernel writes at most `buf.len()` bytes into the slice, and at most as many
    // bytes of address as `sender` says in `addr_len`.
    let ret = unsafe { hot::recvfrom(fd.as_raw_fd(), start, len, flags, addr, addr_len) };
    Ok((check_len(ret)?, sender))
}

/// Whether what is received leaves the socket's queue.
#[derive(Debug, Clone, Copy)]
#[repr(i32)]
pub(super) enum Receive {
    Take = 0,
    Peek = libc::MSG_PEEK,
}

/// Switches non-blocking mode in one call, where fcntl(2) would need two.
#[inline]
pub(crate) fn set_nonblocking(fd: BorrowedFd<'_>, nonblocking: bool) -> io::Result<()> {
    let mut on = c_int::from(nonblocking);
    // SAFETY: FIONBIO reads one c_int, which outlives the call.
    check(unsafe { libc::ioctl(fd.as_raw_fd(), libc::FIONBIO as _, &mut on) }).map(drop)
}

// Who makes the hot calls, those of every event: libc, or we ourselves?
cfg_if! {
    if #[cfg(all(
        feature = "inline-syscalls",
        target_os = "linux",
        target_pointer_width = "64",
        any(target_arch = "aarch64", target_arch = "x86_64"),
        not(miri),
    ))] {
        pub(crate) mod inline;
        pub(crate) use inline as hot;
    } else {
        pub(crate) use libc as hot;
    }
}

// THE TABLE. Can the kernel make a descriptor that is non-blocking and close-on-exec from its first
// moment? Where it cannot, the flags are set afterwards, and a fork(2) of another thread in between
// leaks the descriptor into the child.
cfg_if! {
    if #[cfg(all(target_os = "android", target_arch = "x86"))] {
        // The seccomp filter of apps on 32-bit x86 kills a process that calls accept4(2).
        mod accept;
        mod atomic;
        pub(super) use accept::accept;
        pub(crate) use atomic::{pipe, socket, socketpair};
    } else if #[cfg(any(
        target_os = "android",
        target_os = "cygwin",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "fuchsia",
        target_os = "hurd",
        target_os = "illumos",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
        target_os = "solaris",
    ))] {
        mod accept4;
        mod atomic;
        pub(super) use accept4::accept;
        pub(crate) use atomic::{pipe, socket, socketpair};

        // The other bodies are plain POSIX: the tests run them here too.
        #[cfg(all(test, not(loom)))]
        mod accept;
        #[cfg(all(test, not(loom)))]
        mod stepwise;
    } else {
        mod accept;
        mod stepwise;
        pub(super) use accept::accept;
        pub(crate) use stepwise::{pipe, socket, socketpair};
    }
}

// Does a negative backlog mean the kernel's own maximum (net.core.somaxconn, kern.ipc.somaxconn),
// which an administrator may have raised over the constant that this crate was compiled with?
cfg_if! {
    if #[cfg(any(
        target_os = "android",
        target_os = "freebsd",
        target_os = "linux",
        target_os = "openbsd",
        target_vendor = "apple",
    ))] {
        const BACKLOG: c_int = -1;
    } else {
        const BACKLOG: c_int = libc::SOMAXCONN;
    }
}

// Is there a call for several buffers? Where not, only the first that is not empty is used: a
// caller must expect such short results anyway.
cfg_if! {
    if #[cfg(target_os = "espidf")] {
        #[inline]
        pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            let first = bufs.iter_mut().find(|buf| !buf.is_empty());
            read(fd, first.map_or(&mut [], |buf| &mut **buf))
        }

        #[inline]
        pub(crate) fn writev(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            let first = bufs.iter().find(|buf| !buf.is_empty());
            write(fd, first.map_or(&[], |buf| &**buf))
        }
    } else {
        /// Reads into several buffers.
        #[inline]
        pub(crate) fn readv(fd: BorrowedFd<'_>, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
            let count = bufs.len().min(IOV_MAX) as c_int;
            // An IoSliceMut has the layout of an iovec by std's promise.
            let start = bufs.as_mut_ptr().cast::<libc::iovec>();
            // SAFETY: the kernel writes into the first `count` buffers, as far as they go.
            check_len(unsafe { hot::readv(fd.as_raw_fd(), start, count) })
        }

        /// Writes several buffers to what is no socket.
        #[inline]
        pub(crate) fn writev(fd: BorrowedFd<'_>, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
            let count = bufs.len().min(IOV_MAX) as c_int;
            // An IoSlice has the layout of an iovec by std's promise.
            let start = bufs.as_ptr().cast::<libc::iovec>();
            // SAFETY: the kernel only reads the first `count` buffers.
            check_len(unsafe { hot::writev(fd.as_raw_fd(), start, count) })
        }
    }
}

// Which call refuses SIGPIPE? Apple's sockets have an option for it, set when they are made
// (`accept::refuse_sigpipe`); the other systems have a flag for each call.
cfg_if! {
    if #[cfg(any(target_vendor = "apple", target_os = "redox", target_os = "vita"))] {
        const NO_SIGPIPE: c_int = 0;
    } else {
        const NO_SIGPIPE: c_int = libc::MSG_NOSIGNAL;
    }
}

// Are there Unix addresses that are names and no paths?
cfg_if! {
    if #[cfg(any(target_os = "android", target_os = "linux"))] {
        #[cfg(target_os = "android")]
        use std::os::android::net::SocketAddrExt;
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;

        #[inline]
        pub(crate) fn abstract_name(addr: &UnixAddr) -> Option<&[u8]> {
            addr.as_abstract_name()
        }

        #[inline]
        pub(crate) fn abstract_addr(name: &[u8]) -> io::Result<UnixAddr> {
            UnixAddr::from_abstract_name(name)
        }
    } else {
        #[inline]
        pub(crate) fn abstract_name(_addr: &UnixAddr) -> Option<&[u8]> {
            None
        }

        /// Such a kernel fills the bytes of an unnamed address with zeros.
        #[inline]
        pub(crate) fn abstract_addr(_name: &[u8]) -> io::Result<UnixAddr> {
            UnixAddr::from_pathname("")
        }
    }
}

/// How many buffers one call takes on every system that this crate knows.
const IOV_MAX: usize = if cfg!(any(target_os = "illumos", target_os = "solaris")) {
    16
} else {
    1024
};

#[cfg(all(test, not(loom)))]
mod tests;
