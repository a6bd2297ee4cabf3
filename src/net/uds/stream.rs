use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A connection between two Unix domain sockets.
///
/// It reads and writes through [`Read`](io::Read) and [`Write`](io::Write),
/// which a reference to it has too. A *readable* event tells that there are
/// bytes to read or that the peer will send no more; a *writable* event tells
/// that there is room to write.
///
/// Dropping the stream closes the connection.
///
/// # Examples
///
/// ```
/// use mio::net::UnixStream;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::{Read, Write};
///
/// # fn main() -> std::io::Result<()> {
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let (mut ours, mut theirs) = UnixStream::pair()?;
/// poll.registry().register(&mut ours, Token(0), Interest::READABLE)?;
///
/// theirs.write_all(b"hello")?;
///
/// poll.poll(&mut events, None)?;
/// let mut buf = [0; 8];
/// let length = ours.read(&mut buf)?;
/// assert_eq!(&buf[..length], b"hello");
/// # Ok(())
/// # }
/// ```
pub struct UnixStream {
    inner: IoSource<net::UnixStream>,
}

impl UnixStream {
    /// Connects to the listener at a path.
    ///
    /// The socket is non-blocking and not inherited by child processes. On most
    /// systems, Linux among them, the connection is there when this returns. To
    /// be safe on all, wait for a first writable event and then look at
    /// [`take_error`](UnixStream::take_error).
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long
    /// (107 bytes are the most on Linux) or contains NUL;
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the listener's queue is
    /// full, in which case no event tells when to try again; others of the
    /// operating system. Nothing is left open then.
    #[inline]
    pub fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`connect`](UnixStream::connect), for any kind of address.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux and Android have abstract names.
    ///
    /// # Errors
    ///
    /// Those of `connect`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::{UnixListener, UnixStream};
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// let stream = UnixStream::connect_addr(&listener.local_addr()?)?;
    /// assert_eq!(stream.peer_addr()?.as_pathname(), Some(&*path));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn connect_addr(addr: &SocketAddr) -> io::Result<UnixStream> {
        sys::unix_connect(addr).map(UnixStream::from_std)
    }

    /// Takes over a stream of the standard library, as it is.
    ///
    /// The stream must be in non-blocking mode. `UnixStream::try_from` does the
    /// same and sets that mode.
    #[inline]
    pub fn from_std(stream: net::UnixStream) -> UnixStream {
        let inner = IoSource::new(stream);
        UnixStream { inner }
    }

    /// Makes two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (first, second) = sys::unix_pair()?;
        Ok((UnixStream::from_std(first), UnixStream::from_std(second)))
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

    /// The address of the peer.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
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

    /// Ends reading, writing, or both.
    ///
    /// The peer of a stream whose writing has ended reads what was written, and
    /// then the end of the stream.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.inner.shutdown(how)
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
    /// use mio::net::UnixStream;
    /// use std::io::{self, ErrorKind};
    /// use std::os::fd::AsRawFd;
    ///
    /// # fn main() -> io::Result<()> {
    /// let (stream, _peer) = UnixStream::pair()?;
    /// let mut buf = [0u8; 64];
    /// let result = stream.try_io(|| {
    ///     let (fd, start) = (stream.as_raw_fd(), buf.as_mut_ptr().cast());
    ///     // SAFETY: the buffer is valid for writes of its length.
    ///     let n = unsafe { libc::recv(fd, start, buf.len(), libc::MSG_PEEK) };
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

impl_handle!(UnixStream, net::UnixStream);
impl_std_conversions!(UnixStream, net::UnixStream);
impl_read!(UnixStream, sys::recv, sys::recv_vectored);
impl_write!(UnixStream, sys::send, sys::send_vectored);
