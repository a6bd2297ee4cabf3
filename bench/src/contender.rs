//! Who competes, behind one interface, so that every case is one piece of user
//! code that is compiled once for each of them.
//!
//! All methods are thin, and compiled into the cases, as the user's code of a
//! program would call the library itself: what they do beyond one call, and that
//! they return once more, would be held against it.

mod mio_like;
#[cfg(unix)]
mod unix;

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

pub(crate) use mio_like::{Mio, Ours};
#[cfg(unix)]
pub(crate) use unix::*;

/// A library, or the kernel itself.
pub(crate) trait Contender: Sized + 'static {
    const NAME: &'static str;

    type Poll: Send + 'static;
    type Events: Send + 'static;
    type Waker: Send + Sync + 'static;
    type Tcp: Stream<Self, Std = std::net::TcpStream> + 'static;
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
    fn change(&mut self, poll: &C::Poll, token: usize) -> io::Result<()>;
    fn remove(&mut self, poll: &C::Poll) -> io::Result<()>;
}

/// A connection.
pub(crate) trait Stream<C: Contender>: Source<C> + Read + Write + Sized {
    /// The socket of std.
    type Std;

    /// Takes a connected socket that is in non-blocking mode.
    fn adopt(socket: Self::Std) -> Self;
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
