use std::io;
use std::net::{self, Shutdown, SocketAddr};

use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A TCP connection.
///
/// It reads and writes through [`Read`] and [`Write`], which a reference to it
/// has too. A *readable* event tells that there are bytes to read or that the
/// peer will send no more; a *writable* event tells that there is room to write,
/// and first of all that connecting is over: see [`connect`].
///
/// Dropping the stream closes the connection.
///
/// # Examples
///
/// ```
/// use mio::net::{TcpListener, TcpStream};
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::{ErrorKind, Read, Write};
///
/// # fn main() -> std::io::Result<()> {
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
/// let mut stream = TcpStream::connect(listener.local_addr()?)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(128);
/// let interests = Interest::READABLE | Interest::WRITABLE;
/// poll.registry().register(&mut stream, Token(0), interests)?;
///
/// let (mut peer, _) = listener.accept()?;
/// peer.write_all(b"hello")?;
///
/// let mut received = Vec::new();
/// while received != b"hello" {
///     poll.poll(&mut events, None)?;
///     for event in events.iter().filter(|event| event.is_readable()) {
///         assert_eq!(event.token(), Token(0));
///         // Read until there is nothing more: only then comes the next event.
///         let mut buf = [0; 512];
///         loop {
///             match stream.read(&mut buf) {
///                 Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
///                 Ok(n) => received.extend_from_slice(&buf[..n]),
///                 Err(error) if error.kind() == ErrorKind::WouldBlock => break,
///                 Err(error) if error.kind() == ErrorKind::Interrupted => {}
///                 Err(error) => return Err(error),
///             }
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Read`]: io::Read
/// [`Write`]: io::Write
/// [`connect`]: TcpStream::connect
pub struct TcpStream {
    inner: IoSource<net::TcpStream>,
}

impl TcpStream {
    /// Begins to connect to an address.
    ///
    /// This makes a socket that is non-blocking and not inherited by child
    /// processes, and starts the connection. It does not wait for the
    /// connection, which takes a while and may fail. How it went is found out
    /// thus:
    ///
    /// 1. Call `connect`.
    /// 2. Register the stream with at least [`Interest::WRITABLE`].
    /// 3. Wait for a *writable* event of it.
    /// 4. Call [`take_error`]. If it gives an error, or itself fails, the
    ///    connection failed.
    /// 5. Call [`peer_addr`]. If it gives an address, the stream is connected.
    ///    If it fails with [`NotConnected`] (or with the raw error
    ///    `EINPROGRESS`), the event was a spurious one: go back to step 3. With
    ///    any other error the connection failed.
    ///
    /// To set options first, or to bind the socket to a local address, start the
    /// connection by other means and use `TcpStream::try_from`.
    ///
    /// # Platform-specific behavior
    ///
    /// Where a signal can interrupt the call on Unix the connection goes on all
    /// the same, and so that is no error.
    ///
    /// # Errors
    ///
    /// Those of the operating system that it knows at once, such as a network
    /// that cannot be reached. Nothing is left open then.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::TcpStream;
    /// use mio::{Events, Interest, Poll, Token};
    /// use std::io::{self, ErrorKind};
    ///
    /// fn connected(stream: &TcpStream) -> io::Result<bool> {
    ///     if let Some(error) = stream.take_error()? {
    ///         return Err(error);
    ///     }
    ///     match stream.peer_addr() {
    ///         Ok(_) => Ok(true),
    ///         Err(error) if error.kind() == ErrorKind::NotConnected => Ok(false),
    ///         Err(error) => Err(error),
    ///     }
    /// }
    ///
    /// # fn main() -> io::Result<()> {
    /// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let mut stream = TcpStream::connect(listener.local_addr()?)?;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// poll.registry().register(&mut stream, Token(0), Interest::WRITABLE)?;
    /// while !connected(&stream)? {
    ///     poll.poll(&mut events, None)?;
    /// }
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Interest::WRITABLE`]: crate::Interest::WRITABLE
    /// [`NotConnected`]: io::ErrorKind::NotConnected
    /// [`peer_addr`]: TcpStream::peer_addr
    /// [`take_error`]: TcpStream::take_error
    #[inline]
    pub fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
        sys::tcp_connect(addr).map(TcpStream::from_std)
    }

    /// Takes over a stream of the standard library, as it is.
    ///
    /// The stream must be in non-blocking mode. `TcpStream::try_from` does the
    /// same and sets that mode.
    #[inline]
    pub fn from_std(stream: net::TcpStream) -> TcpStream {
        let inner = IoSource::new(stream);
        TcpStream { inner }
    }

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) while the stream is not
    /// connected, and others of the operating system.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// Ends reading, writing, or both.
    ///
    /// The peer of a stream whose writing has ended reads what was written, and
    /// then the end of the stream.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) while the stream is not
    /// connected, and others of the operating system.
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
    }

    /// Sets whether small writes are sent at once (`TCP_NODELAY`), instead of
    /// being gathered into larger packets.
    ///
    /// # Platform-specific behavior
    ///
    /// On Windows the stream should be connected first: wait for its first
    /// writable event.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.inner.set_nodelay(nodelay)
    }

    /// Whether small writes are sent at once: see
    /// [`set_nodelay`](TcpStream::set_nodelay).
    ///
    /// # Platform-specific behavior
    ///
    /// On Windows the stream should be connected first: wait for its first
    /// writable event.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn nodelay(&self) -> io::Result<bool> {
        self.inner.nodelay()
    }

    /// Sets how many hops a packet may take (`IP_TTL`).
    ///
    /// # Platform-specific behavior
    ///
    /// On Windows the stream should be connected first: wait for its first
    /// writable event.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.inner.set_ttl(ttl)
    }

    /// How many hops a packet may take: see [`set_ttl`](TcpStream::set_ttl).
    ///
    /// # Platform-specific behavior
    ///
    /// On Windows the stream should be connected first: wait for its first
    /// writable event.
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
    /// This is how a connection that could not be made tells why: see
    /// [`connect`](TcpStream::connect).
    ///
    /// # Errors
    ///
    /// Those of the operating system; the pending error is the value.
    #[inline]
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }

    /// Reads, and leaves what was read to be read again.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is nothing to read
    /// yet, and others of the operating system.
    #[inline]
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.do_io(|io| io.peek(buf))
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
    /// # #[cfg(not(unix))] fn main() {}
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::TcpStream;
    /// use std::io::{self, ErrorKind};
    /// use std::os::fd::AsRawFd;
    ///
    /// # let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
    /// let stream = TcpStream::connect(listener.local_addr()?)?;
    /// # let _peer = listener.accept()?;
    /// let mut byte = [0u8; 1];
    /// let result = stream.try_io(|| {
    ///     let (fd, buf) = (stream.as_raw_fd(), byte.as_mut_ptr().cast());
    ///     // SAFETY: the buffer is valid for writes of one byte.
    ///     let n = unsafe { libc::recv(fd, buf, 1, libc::MSG_PEEK) };
    ///     usize::try_from(n).map_err(|_| io::Error::last_os_error())
    /// });
    /// assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
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

impl_handle!(TcpStream, net::TcpStream);
impl_std_conversions!(TcpStream, net::TcpStream);
impl_read!(TcpStream, sys::recv, sys::recv_vectored);
impl_write!(TcpStream, sys::send, sys::send_vectored);
