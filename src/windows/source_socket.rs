use std::io;
use std::os::windows::io::{AsRawSocket, BorrowedSocket, RawSocket};

use crate::event;
use crate::sys::Backend;
use crate::{Interest, Registry, Token};

/// Registers a socket that belongs to somebody else.
///
/// It only stands for the socket while it is registered, changed or
/// deregistered: it keeps no state, can be made anew each time, and closes
/// nothing when it is dropped.
///
/// The caller sees to three things:
///
/// * The socket is in non-blocking mode; this does not set it.
/// * It is deregistered before it is closed.
/// * Its edges are asked for.
///
/// # Edges
///
/// Windows reports that a socket is ready once, and must then be asked to look
/// again. The types of this crate do so when an operation says `WouldBlock`; of a
/// raw socket's operations they do not know. So either
///
/// * call [`rearm`](SourceSocket::rearm) whenever an operation on the socket
///   said `WouldBlock`: the next readiness, also one that came in the meantime,
///   is then reported; or
/// * register with [`Interest::level`], and be told by every poll; or
/// * register with [`Interest::oneshot`], and reregister for each report.
///
/// # Examples
///
/// ```
/// use mio::windows::SourceSocket;
/// use mio::{Events, Interest, Poll, Token};
/// use std::net::{TcpListener, TcpStream};
/// use std::os::windows::io::AsRawSocket;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// listener.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let socket = listener.as_raw_socket();
/// let interest = Interest::READABLE.level();
/// poll.registry().register(&mut SourceSocket(&socket), Token(0), interest)?;
///
/// let _client = TcpStream::connect(listener.local_addr()?)?;
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0)));
/// listener.accept()?;
///
/// poll.registry().deregister(&mut SourceSocket(&socket))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceSocket<'a>(
    /// The socket.
    pub &'a RawSocket,
);

impl SourceSocket<'_> {
    /// Asks for the next readiness of the socket, or one that it has by now, as
    /// the operations of this crate's own sockets do when they would block.
    ///
    /// For a registration that is level-triggered or one-shot it does nothing.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if the socket is not registered with
    /// this registry.
    pub fn rearm(&self, registry: &Registry) -> io::Result<()> {
        registry.queue().selector().rearm_raw(*self.0)
    }
}

impl event::Source for SourceSocket<'_> {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let selector = registry.queue().selector();
        selector.register_raw(*self.0, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let selector = registry.queue().selector();
        selector.reregister_raw(*self.0, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.queue().selector().deregister_raw(*self.0)
    }
}

/// Registers a socket that is borrowed from its owner.
///
/// As [`SourceSocket`], but the socket cannot have been closed: its owner is
/// borrowed for as long as this exists. The borrow ends before the registration
/// does; deregistering before closing is still the caller's duty.
///
/// # Examples
///
/// ```
/// use mio::windows::SourceBorrowedSocket;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
/// use std::net::UdpSocket;
/// use std::os::windows::io::AsSocket;
///
/// # fn main() -> std::io::Result<()> {
/// let socket = UdpSocket::bind("127.0.0.1:0")?;
/// socket.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut source = SourceBorrowedSocket(socket.as_socket());
/// poll.registry().register(&mut source, Token(3), Interest::READABLE)?;
///
/// for _ in 0..2 {
///     socket.send_to(b"hi", socket.local_addr()?)?;
///     poll.poll(&mut events, None)?;
///     assert!(events.iter().any(|event| event.token() == Token(3)));
///     let mut buf = [0; 16];
///     while socket.recv(&mut buf).map_err(|error| error.kind()) != Err(ErrorKind::WouldBlock) {}
///     source.rearm(poll.registry())?;
/// }
///
/// poll.registry().deregister(&mut source)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceBorrowedSocket<'socket>(
    /// The socket.
    pub BorrowedSocket<'socket>,
);

impl SourceBorrowedSocket<'_> {
    /// Asks for the next readiness of the socket: see [`SourceSocket::rearm`].
    ///
    /// # Errors
    ///
    /// Those of `SourceSocket::rearm`.
    pub fn rearm(&self, registry: &Registry) -> io::Result<()> {
        SourceSocket(&self.0.as_raw_socket()).rearm(registry)
    }
}

impl<'socket> From<BorrowedSocket<'socket>> for SourceBorrowedSocket<'socket> {
    fn from(socket: BorrowedSocket<'socket>) -> SourceBorrowedSocket<'socket> {
        SourceBorrowedSocket(socket)
    }
}

impl_source!(SourceBorrowedSocket<'_>, |source| SourceSocket(
    &source.0.as_raw_socket()
));
