use std::io;
use std::net::{self, SocketAddr};

use super::TcpStream;
use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A TCP socket that listens for connections.
///
/// A *readable* event tells that there are connections to accept. Several may
/// be behind one event: accept until that fails with [`WouldBlock`].
///
/// Dropping the listener closes it.
///
/// # Examples
///
/// ```
/// use mio::net::TcpListener;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
///
/// # fn main() -> std::io::Result<()> {
/// const SERVER: Token = Token(0);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(128);
/// let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
/// poll.registry().register(&mut listener, SERVER, Interest::READABLE)?;
///
/// let client = std::net::TcpStream::connect(listener.local_addr()?)?;
///
/// poll.poll(&mut events, None)?;
/// let mut accepted = Vec::new();
/// for event in &events {
///     assert_eq!(event.token(), SERVER);
///     loop {
///         match listener.accept() {
///             Ok(connection) => accepted.push(connection),
///             Err(error) if error.kind() == ErrorKind::WouldBlock => break,
///             Err(error) => return Err(error),
///         }
///     }
/// }
/// assert_eq!(accepted[0].1, client.local_addr()?);
/// # Ok(())
/// # }
/// ```
///
/// [`WouldBlock`]: io::ErrorKind::WouldBlock
pub struct TcpListener {
    inner: IoSource<net::TcpListener>,
}

impl TcpListener {
    /// Makes a listener bound to an address.
    ///
    /// Port 0 asks the system to choose a port; [`local_addr`] tells which.
    ///
    /// The call does four things:
    ///
    /// 1. makes a TCP socket that is non-blocking and not inherited by child
    ///    processes,
    /// 2. sets its option `SO_REUSEADDR`, but not on Windows, where it would let
    ///    another program take the port over,
    /// 3. binds it to the address,
    /// 4. listens, with the longest queue of pending connections that the
    ///    system grants.
    ///
    /// To set other options, do so on a socket made by other means and use
    /// `TcpListener::try_from`.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux, FreeBSD, OpenBSD and Apple's systems the length of the queue is
    /// what the administrator allows (on Linux `net.core.somaxconn`), elsewhere
    /// the constant `SOMAXCONN`.
    ///
    /// # Errors
    ///
    /// Those of the operating system, such as [`AddrInUse`] or
    /// [`PermissionDenied`]. Nothing is left open then.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    /// assert_ne!(listener.local_addr()?.port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`AddrInUse`]: io::ErrorKind::AddrInUse
    /// [`PermissionDenied`]: io::ErrorKind::PermissionDenied
    /// [`local_addr`]: TcpListener::local_addr
    #[inline]
    pub fn bind(addr: SocketAddr) -> io::Result<TcpListener> {
        sys::tcp_bind(addr).map(TcpListener::from_std)
    }

    /// Takes over a listener of the standard library, as it is.
    ///
    /// The listener must be in non-blocking mode. `TcpListener::try_from` does
    /// the same and sets that mode.
    #[inline]
    pub fn from_std(listener: net::TcpListener) -> TcpListener {
        let inner = IoSource::new(listener);
        TcpListener { inner }
    }

    /// Accepts a connection that is waiting, and tells the address of its peer.
    ///
    /// The new stream is in non-blocking mode, not inherited by child processes,
    /// and not registered.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if no connection is waiting; try again after the next
    /// readable event. Other errors, such as a connection that its peer gave up
    /// already or a process that has no descriptor left, do not harm the
    /// listener. Unlike `WouldBlock` they do not mean that the queue is empty:
    /// if connections still wait, no new event will tell so.
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn accept(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, peer) = self.inner.do_io(sys::tcp_accept)?;
        Ok((TcpStream::from_std(stream), peer))
    }

    /// The address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Sets how many hops a packet may take (`IP_TTL`). Connections accepted
    /// afterwards may inherit it.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.inner.set_ttl(ttl)
    }

    /// How many hops a packet may take: see [`set_ttl`](TcpListener::set_ttl).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn ttl(&self) -> io::Result<u32> {
        self.inner.ttl()
    }

    /// Takes the pending error off the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// Those of the operating system; the pending error is the value.
    #[inline]
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }

    /// Runs an operation on this socket that the crate does not have.
    ///
    /// If the operation fails with [`WouldBlock`], the next readiness is
    /// reported by an event, as it is for the methods of this type. Where the
    /// kernel needs no help with that, this only runs the operation.
    ///
    /// The operation must be one on this very socket, and should be one that
    /// really reached the kernel.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::ErrorKind;
    /// use std::os::fd::AsFd;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let listener = mio::net::TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    /// // A listener of std for the same socket, to have its way of accepting.
    /// let std: std::net::TcpListener = listener.as_fd().try_clone_to_owned()?.into();
    /// let error = listener.try_io(|| std.accept()).unwrap_err();
    /// assert_eq!(error.kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn try_io<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| f())
    }
}

impl_handle!(TcpListener, net::TcpListener);
impl_std_conversions!(TcpListener, net::TcpListener);
