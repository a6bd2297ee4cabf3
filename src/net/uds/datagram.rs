use std::io;
use std::net::Shutdown;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A Unix domain socket for datagrams.
///
/// It sends to any address by [`send_to`]; once it is [`connect`]ed, it sends to
/// one peer by [`send`]. To be sent to, it must be bound. On most systems,
/// Linux among them ([`unix(7)`]), datagrams between Unix domain sockets are
/// neither lost nor reordered. A *readable* event tells
/// that datagrams have come, a *writable* event that there is room to send.
///
/// # Examples
///
/// ```
/// use mio::net::UnixDatagram;
/// use mio::{Events, Interest, Poll, Token};
///
/// # fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("socket");
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut socket = UnixDatagram::bind(&path)?;
/// poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
///
/// UnixDatagram::unbound()?.send_to(b"ping", &path)?;
///
/// poll.poll(&mut events, None)?;
/// let mut buf = [0; 64];
/// let (length, from) = socket.recv_from(&mut buf)?;
/// assert_eq!(&buf[..length], b"ping");
/// assert!(from.is_unnamed());
/// # Ok(())
/// # }
/// ```
///
/// [`connect`]: UnixDatagram::connect
/// [`send_to`]: UnixDatagram::send_to
/// [`send`]: UnixDatagram::send
/// [`unix(7)`]: https://man7.org/linux/man-pages/man7/unix.7.html
pub struct UnixDatagram {
    inner: IoSource<net::UnixDatagram>,
}

impl UnixDatagram {
    /// Makes a socket bound to a path, where a file for it appears.
    ///
    /// The socket is non-blocking and not inherited by child processes. The file
    /// stays when the socket is closed.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long
    /// (107 bytes are the most on Linux) or contains NUL;
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the file exists; others of the
    /// operating system. Nothing is left open then.
    #[inline]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        UnixDatagram::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`bind`](UnixDatagram::bind), for any kind of address.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux and Android have abstract names, which need no file and vanish with
    /// the socket. They may have any bytes, also NUL, also none.
    ///
    /// # Errors
    ///
    /// Those of the operating system. Nothing is left open then.
    #[inline]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixDatagram> {
        sys::datagram_bind(addr).map(UnixDatagram::from_std)
    }

    /// Takes over a socket of the standard library, as it is.
    ///
    /// The socket must be in non-blocking mode. `UnixDatagram::try_from` does
    /// the same and sets that mode.
    #[inline]
    pub fn from_std(socket: net::UnixDatagram) -> UnixDatagram {
        let inner = IoSource::new(socket);
        UnixDatagram { inner }
    }

    /// Makes a socket without an address.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn unbound() -> io::Result<UnixDatagram> {
        sys::datagram_unbound().map(UnixDatagram::from_std)
    }

    /// Makes two sockets without addresses that are connected to each other.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (first, second) = UnixDatagram::pair()?;
    /// first.send(b"one")?;
    /// first.send(b"two")?;
    /// let mut buf = [0; 8];
    /// assert_eq!(second.recv(&mut buf)?, 3);
    /// assert_eq!(&buf[..3], b"one");
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (first, second) = sys::datagram_pair()?;
        let from_std = UnixDatagram::from_std;
        Ok((from_std(first), from_std(second)))
    }

    /// Connects the socket to the one at a path: it sends there.
    ///
    /// It may be called again with another path.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long or
    /// contains NUL, and others of the operating system.
    #[inline]
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.connect_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`connect`](UnixDatagram::connect), for any kind of address.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux and Android have abstract names.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("socket");
    /// let server = UnixDatagram::bind(&path)?;
    /// let client = UnixDatagram::unbound()?;
    /// client.connect_addr(&server.local_addr()?)?;
    /// client.send(b"ping")?;
    /// assert_eq!(server.recv(&mut [0; 8])?, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn connect_addr(&self, addr: &SocketAddr) -> io::Result<()> {
        sys::datagram_connect(&self.inner, addr)
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not connected,
    /// and others of the operating system.
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// Receives one datagram, and tells its length and where it came from.
    ///
    /// A datagram that is longer than the buffer is cut without notice.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no datagram is there, and
    /// others of the operating system.
    #[inline]
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.do_io(|io| io.recv_from(buf))
    }

    /// Receives one datagram, and tells its length.
    ///
    /// A datagram that is longer than the buffer is cut without notice.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no datagram is there, and
    /// others of the operating system.
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.do_io(|io| sys::recv(io, buf))
    }

    /// As [`recv_from`](UnixDatagram::recv_from), but leaves the datagram to be
    /// received again.
    ///
    /// # Platform-specific behavior
    ///
    /// A path that only fits into an address without the NUL at its end (on
    /// Linux one of 108 bytes, which only a program that asks the system
    /// directly can bind) is reported as an unnamed address here.
    ///
    /// # Errors
    ///
    /// Those of `recv_from`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let (ours, theirs) = UnixDatagram::pair()?;
    /// theirs.send(b"ping")?;
    /// let mut buf = [0; 64];
    /// assert_eq!(ours.peek_from(&mut buf)?.0, 4);
    /// assert_eq!(ours.recv_from(&mut buf)?.0, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.do_io(|io| sys::datagram_peek_from(io, buf))
    }

    /// As [`recv`](UnixDatagram::recv), but leaves the datagram to be received
    /// again.
    ///
    /// # Errors
    ///
    /// Those of `recv`.
    #[inline]
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.do_io(|io| sys::datagram_peek(io, buf))
    }

    /// Sends one datagram to the socket at a path, and tells how many bytes went
    /// out.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, here or at
    /// the receiver; [`InvalidInput`](io::ErrorKind::InvalidInput) if the path
    /// is too long or contains NUL; others of the operating system.
    #[inline]
    pub fn send_to<P: AsRef<Path>>(&self, buf: &[u8], path: P) -> io::Result<usize> {
        self.send_to_addr(buf, &SocketAddr::from_pathname(path)?)
    }

    /// As [`send_to`](UnixDatagram::send_to), for any kind of address: that of
    /// the sender of a datagram, to answer it.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux and Android have abstract names.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, here or at
    /// the receiver; others of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UnixDatagram;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let dir = tempfile::tempdir()?;
    /// # let [here, there] = ["here", "there"].map(|name| dir.path().join(name));
    /// let client = UnixDatagram::bind(&here)?;
    /// let server = UnixDatagram::bind(&there)?;
    /// client.send_to(b"ping", &there)?;
    ///
    /// let mut buf = [0; 64];
    /// let (_, sender) = server.recv_from(&mut buf)?;
    /// server.send_to_addr(b"pong", &sender)?;
    /// assert_eq!(client.recv(&mut buf)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn send_to_addr(&self, buf: &[u8], addr: &SocketAddr) -> io::Result<usize> {
        self.inner.do_io(|io| sys::datagram_send_to(io, buf, addr))
    }

    /// Sends one datagram to the address that the socket is connected to, and
    /// tells how many bytes went out.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room, here or at
    /// the receiver; others of the operating system.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.do_io(|io| sys::send(io, buf))
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

    /// Ends receiving, sending, or both.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the socket is not
    /// connected, and others of the operating system.
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
    /// use mio::net::UnixDatagram;
    /// use std::io::{self, ErrorKind};
    /// use std::os::fd::AsRawFd;
    ///
    /// # fn main() -> io::Result<()> {
    /// let (socket, _peer) = UnixDatagram::pair()?;
    /// let mut buf = [0u8; 64];
    /// let result = socket.try_io(|| {
    ///     let (fd, start) = (socket.as_raw_fd(), buf.as_mut_ptr().cast());
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

impl_handle!(UnixDatagram, net::UnixDatagram);
impl_std_conversions!(UnixDatagram, net::UnixDatagram);
