//! Who competes, behind one interface, so that every case is one piece of user
//! code that is compiled once for each of them.
//!
//! All methods are thin, and compiled into the cases, as the user's code of a
//! program would call the library itself: what they do beyond one call, and that
//! they return once more, would be held against it.

mod mio_like;
#[allow(unsafe_code)]
mod polling;
#[allow(unsafe_code)]
mod raw;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::os::fd::{OwnedFd, RawFd};
use std::time::Duration;

pub(crate) use mio_like::{Mio, Ours};
pub(crate) use polling::Polling;
pub(crate) use raw::Raw;

/// A library, or the kernel itself.
pub(crate) trait Contender: Sized + 'static {
    const NAME: &'static str;

    type Poll: Send + 'static;
    type Events: Send + 'static;
    type Waker: Send + Sync + 'static;
    type Tcp: Stream<Self> + 'static;
    type Unix: Stream<Self> + 'static;
    type Listener: Source<Self> + 'static;
    type Udp: Source<Self> + Datagrams + 'static;

    fn poll() -> io::Result<Self::Poll>;
    fn events(capacity: usize) -> Self::Events;

    /// Waits once; `events` then holds what that wait found.
    fn wait(
        poll: &mut Self::Poll,
        events: &mut Self::Events,
        timeout: Option<Duration>,
    ) -> io::Result<()>;

    /// Calls `handle` with the token of each event.
    fn each(events: &Self::Events, handle: impl FnMut(usize) -> io::Result<()>) -> io::Result<()>;

    /// Makes the one waker of a queue.
    fn waker(poll: &Self::Poll, token: usize) -> io::Result<Self::Waker>;
    fn wake(waker: &Self::Waker) -> io::Result<()>;

    // Sources that are bare descriptors.
    fn add_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()>;
    fn change_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()>;
    fn remove_fd(poll: &Self::Poll, fd: RawFd) -> io::Result<()>;

    /// Listens on a free port of the loopback, as the library does it unasked.
    fn listen() -> io::Result<(Self::Listener, SocketAddr)>;
    fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp>;
    /// Starts to connect, without waiting for it.
    fn connect(addr: SocketAddr) -> io::Result<Self::Tcp>;
    fn bind_udp() -> io::Result<(Self::Udp, SocketAddr)>;
}

/// What can be registered, for reading.
pub(crate) trait Source<C: Contender> {
    fn add(&mut self, poll: &C::Poll, token: usize) -> io::Result<()>;
    fn remove(&mut self, poll: &C::Poll) -> io::Result<()>;
}

/// A connection.
pub(crate) trait Stream<C: Contender>: Source<C> + Read + Write + Sized {
    /// Takes a connected socket that is in non-blocking mode.
    fn adopt(fd: OwnedFd) -> Self;
}

/// A UDP socket.
pub(crate) trait Datagrams {
    fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize>;
    fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)>;
}

impl Datagrams for std::net::UdpSocket {
    fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
        std::net::UdpSocket::send_to(self, bytes, to)
    }

    fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        std::net::UdpSocket::recv_from(self, buf)
    }
}

/// What those who bring no sockets of their own use: std's.
mod std_sockets {
    use std::io::{self, ErrorKind};
    use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

    use rustix::io::Errno;
    use rustix::net::{AddressFamily, SocketFlags, SocketType};

    pub(super) fn listen() -> io::Result<(TcpListener, SocketAddr)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        listener.set_nonblocking(true)?;
        let addr = listener.local_addr()?;
        Ok((listener, addr))
    }

    /// By `accept4`, as std does not: it would cost a second call to make the
    /// connection non-blocking.
    pub(super) fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, _) = rustix::net::acceptfrom_with(listener, flags)?;
        Ok(socket.into())
    }

    pub(super) fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
        let family = AddressFamily::INET;
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
        match rustix::net::connect(&socket, &addr) {
            Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
            Err(errno) => Err(errno.into()),
        }
    }

    pub(super) fn bind_udp() -> io::Result<(UdpSocket, SocketAddr)> {
        let socket = UdpSocket::bind("127.0.0.1:0")?;
        socket.set_nonblocking(true)?;
        let addr = socket.local_addr()?;
        if !addr.is_ipv4() {
            return Err(ErrorKind::AddrNotAvailable.into());
        }
        Ok((socket, addr))
    }
}
