//! The floor: epoll and eventfd by libc, without a library, and with the
//! sockets of std.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use super::super::{Contender, Source, Stream};
use super::{std_sockets, OnUnix};

const READ: u32 = (libc::EPOLLIN | libc::EPOLLRDHUP | libc::EPOLLET) as u32;

#[derive(Debug)]
pub(crate) struct Raw;

/// The kernel's own structs, of which the first `len` are events.
pub(crate) struct RawEvents {
    buffer: Vec<libc::epoll_event>,
    len: usize,
}

#[inline]
fn check(ret: libc::c_int) -> io::Result<libc::c_int> {
    if ret < 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(ret)
}

#[inline]
fn control(epoll: RawFd, operation: libc::c_int, fd: RawFd, token: usize) -> io::Result<()> {
    let mut event = libc::epoll_event {
        events: READ,
        u64: token as u64,
    };
    // SAFETY: `event` lives through the call.
    check(unsafe { libc::epoll_ctl(epoll, operation, fd, &mut event) }).map(drop)
}

/// Waits as exactly as the kernel can.
fn wait_precise(epoll: RawFd, events: &mut RawEvents, timeout: Duration) -> io::Result<usize> {
    let timespec = libc::timespec {
        tv_sec: timeout.as_secs() as libc::time_t,
        tv_nsec: libc::c_long::from(timeout.subsec_nanos()),
    };
    let (start, room) = (events.buffer.as_mut_ptr(), events.buffer.len());
    let timespec: *const libc::timespec = &timespec;
    let no_mask: *const libc::sigset_t = std::ptr::null();
    // SAFETY: the buffer has room for `room` events, `timespec` lives through
    // the call.
    let ret = unsafe {
        libc::syscall(
            libc::SYS_epoll_pwait2,
            epoll,
            start,
            room,
            timespec,
            no_mask,
            8,
        )
    };
    check(ret as libc::c_int).map(|len| len as usize)
}

impl Contender for Raw {
    const NAME: &'static str = "raw";

    type Poll = OwnedFd;
    type Events = RawEvents;
    type Waker = OwnedFd;
    type Tcp = TcpStream;
    type Listener = TcpListener;
    type Udp = UdpSocket;

    fn poll() -> io::Result<OwnedFd> {
        // SAFETY: the call takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel just made it, for us alone.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn events(capacity: usize) -> RawEvents {
        RawEvents {
            buffer: vec![libc::epoll_event { events: 0, u64: 0 }; capacity],
            len: 0,
        }
    }

    #[inline(always)]
    fn wait(
        poll: &mut OwnedFd,
        events: &mut RawEvents,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let epoll = poll.as_raw_fd();
        let millis = match timeout {
            None => -1,
            Some(timeout) if timeout.subsec_nanos() % 1_000_000 != 0 => {
                events.len = wait_precise(epoll, events, timeout)?;
                return Ok(());
            }
            Some(timeout) => timeout.as_millis() as libc::c_int,
        };
        let (start, room) = (events.buffer.as_mut_ptr(), events.buffer.len());
        // SAFETY: the buffer has room for `room` events.
        let len = check(unsafe { libc::epoll_wait(epoll, start, room as libc::c_int, millis) })?;
        events.len = len as usize;
        Ok(())
    }

    #[inline(always)]
    fn each(events: &RawEvents, mut handle: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        for event in &events.buffer[..events.len] {
            handle(event.u64 as usize)?;
        }
        Ok(())
    }

    fn waker(poll: &OwnedFd, token: usize) -> io::Result<OwnedFd> {
        // SAFETY: the call takes no pointers.
        let fd = check(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel just made it, for us alone.
        let eventfd = unsafe { OwnedFd::from_raw_fd(fd) };
        control(poll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, token)?;
        Ok(eventfd)
    }

    #[inline(always)]
    fn wake(waker: &OwnedFd) -> io::Result<()> {
        let one = 1u64.to_ne_bytes();
        // SAFETY: the kernel reads eight bytes, which `one` has.
        let ret = unsafe { libc::write(waker.as_raw_fd(), one.as_ptr().cast(), 8) };
        check(ret as libc::c_int).map(drop)
    }

    fn listen() -> io::Result<(TcpListener, SocketAddr)> {
        let (listener, addr) = std_sockets::listen()?;
        // Once more, for the longest queue that the system grants.
        rustix::net::listen(&listener, -1)?;
        Ok((listener, addr))
    }

    #[inline(always)]
    fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        std_sockets::accept(listener)
    }

    fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
        std_sockets::connect(addr)
    }

    fn bind_udp() -> io::Result<(UdpSocket, SocketAddr)> {
        std_sockets::bind_udp()
    }
}

impl OnUnix for Raw {
    type Unix = UnixStream;

    #[inline(always)]
    fn add_fd(poll: &OwnedFd, fd: RawFd, token: usize) -> io::Result<()> {
        control(poll.as_raw_fd(), libc::EPOLL_CTL_ADD, fd, token)
    }

    #[inline(always)]
    fn change_fd(poll: &OwnedFd, fd: RawFd, token: usize) -> io::Result<()> {
        control(poll.as_raw_fd(), libc::EPOLL_CTL_MOD, fd, token)
    }

    #[inline(always)]
    fn remove_fd(poll: &OwnedFd, fd: RawFd) -> io::Result<()> {
        control(poll.as_raw_fd(), libc::EPOLL_CTL_DEL, fd, 0)
    }
}

impl<S: AsRawFd> Source<Raw> for S {
    #[inline(always)]
    fn add(&mut self, poll: &OwnedFd, token: usize) -> io::Result<()> {
        Raw::add_fd(poll, self.as_raw_fd(), token)
    }

    #[inline(always)]
    fn change(&mut self, poll: &OwnedFd, token: usize) -> io::Result<()> {
        Raw::change_fd(poll, self.as_raw_fd(), token)
    }

    #[inline(always)]
    fn remove(&mut self, poll: &OwnedFd) -> io::Result<()> {
        Raw::remove_fd(poll, self.as_raw_fd())
    }
}

impl Stream<Raw> for TcpStream {
    type Std = TcpStream;

    fn adopt(socket: TcpStream) -> TcpStream {
        socket
    }
}

impl Stream<Raw> for UnixStream {
    type Std = UnixStream;

    fn adopt(socket: UnixStream) -> UnixStream {
        socket
    }
}
