use std::io;
use std::os::unix::net::{self, SocketAddr};
use std::path::Path;

use super::UnixStream;
use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A Unix domain socket that listens for connections.
///
/// A *readable* event tells that there are connections to accept. Several may
/// be behind one event: accept until that fails with
/// [`WouldBlock`](io::ErrorKind::WouldBlock).
///
/// Dropping the listener closes it, and leaves its file where it is.
///
/// # Examples
///
/// ```
/// use mio::net::{UnixListener, UnixStream};
/// use mio::{Events, Interest, Poll, Token};
///
/// # fn main() -> std::io::Result<()> {
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("socket");
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut listener = UnixListener::bind(&path)?;
/// poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
///
/// let _client = UnixStream::connect(&path)?;
///
/// poll.poll(&mut events, None)?;
/// let (_stream, peer) = listener.accept()?;
/// assert!(peer.is_unnamed());
/// # Ok(())
/// # }
/// ```
pub struct UnixListener {
    inner: IoSource<net::UnixListener>,
}

impl UnixListener {
    /// Makes a listener bound to a path, where a file for it appears.
    ///
    /// The socket is non-blocking, not inherited by child processes, and has the
    /// longest queue of pending connections that the system grants.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux and Android the empty path stands for an abstract name that the
    /// system makes up.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long
    /// (107 bytes are the most on Linux) or contains NUL;
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the file exists, also if no
    /// listener is behind it any more; others of the operating system. Nothing
    /// is left open then.
    #[inline]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&SocketAddr::from_pathname(path)?)
    }

    /// As [`bind`](UnixListener::bind), for any kind of address.
    ///
    /// # Platform-specific behavior
    ///
    /// Linux and Android have abstract names, which need no file and vanish with
    /// the listener. They may have any bytes, also NUL, also none.
    ///
    /// # Errors
    ///
    /// Those of the operating system. Nothing is left open then.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(target_os = "linux"))] fn main() {}
    /// # #[cfg(target_os = "linux")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::UnixListener;
    /// use std::os::linux::net::SocketAddrExt;
    /// use std::os::unix::net::SocketAddr;
    ///
    /// let name = format!("example-{}", std::process::id());
    /// let addr = SocketAddr::from_abstract_name(&name)?;
    /// let listener = UnixListener::bind_addr(&addr)?;
    /// let bound = listener.local_addr()?;
    /// assert_eq!(bound.as_abstract_name(), Some(name.as_bytes()));
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn bind_addr(addr: &SocketAddr) -> io::Result<UnixListener> {
        sys::unix_bind(addr).map(UnixListener::from_std)
    }

    /// Takes over a listener of the standard library, as it is.
    ///
    /// The listener must be in non-blocking mode. `UnixListener::try_from` does
    /// the same and sets that mode.
    #[inline]
    pub fn from_std(listener: net::UnixListener) -> UnixListener {
        let inner = IoSource::new(listener);
        UnixListener { inner }
    }

    /// Accepts a connection that is waiting, and tells the address of its peer,
    /// which is most often unnamed.
    ///
    /// The new stream is in non-blocking mode, not inherited by child processes,
    /// and not registered.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`] if no connection is waiting; try again after the next
    /// readable event. Other errors, such as a process that has no descriptor
    /// left, do not harm the listener. Unlike `WouldBlock` they do not mean that
    /// the queue is empty: if connections still wait, no new event will tell so.
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (stream, peer) = self.inner.do_io(sys::unix_accept)?;
        Ok((UnixStream::from_std(stream), peer))
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
    /// use mio::net::UnixListener;
    /// use std::io::ErrorKind;
    /// use std::os::fd::AsFd;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// # let dir = tempfile::tempdir()?;
    /// # let path = dir.path().join("socket");
    /// let listener = UnixListener::bind(&path)?;
    /// // A listener of std for the same socket, to have its way of accepting.
    /// let fd = listener.as_fd().try_clone_to_owned()?;
    /// let std = std::os::unix::net::UnixListener::from(fd);
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

impl_handle!(UnixListener, net::UnixListener);
impl_std_conversions!(UnixListener, net::UnixListener);
