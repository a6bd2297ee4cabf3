//! TCP, UDP and Unix domain sockets that never block.
//!
//! The types bear the names of their siblings in [`std::net`] and
//! `std::os::unix::net` and work alike, with two differences: where theirs
//! would wait, an operation of these fails with [`WouldBlock`], and they can be
//! registered with a [`Poll`], which tells when it is worth trying again.
//!
//! | | connection-oriented | datagrams |
//! |---|---|---|
//! | internet | [`TcpListener`], [`TcpStream`] | [`UdpSocket`] |
//! | one machine (Unix only) | `UnixListener`, `UnixStream` | `UnixDatagram` |
//!
//! # From and to the standard library
//!
//! Options that are missing here can be set on a socket of std (or of another
//! crate) before it becomes one of these. There are two ways:
//!
//! * `try_from` sets the socket to non-blocking mode. It is the one to use.
//! * `from_std`, and the conversions from descriptors, take the socket as it is.
//!   If it is still in blocking mode, the first operation that should have said
//!   [`WouldBlock`] stops the whole event loop instead.
//!
//! All types convert into those of std, and stay in non-blocking mode.
//!
//! ```
//! use mio::net::TcpListener;
//!
//! # fn main() -> std::io::Result<()> {
//! let blocking = std::net::TcpListener::bind("127.0.0.1:0")?;
//! let listener = TcpListener::try_from(blocking)?;
//! let error = listener.accept().unwrap_err();
//! assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock);
//! # Ok(())
//! # }
//! ```
//!
//! # Platform-specific behavior
//!
//! A datagram that is longer than the buffer given for it is cut without notice
//! on Unix; on Windows that is an error.
//!
//! On Unix a write to a connection that the peer has closed fails with
//! [`BrokenPipe`], and never raises the signal `SIGPIPE`.
//!
//! [`BrokenPipe`]: std::io::ErrorKind::BrokenPipe
//! [`Poll`]: crate::Poll
//! [`WouldBlock`]: std::io::ErrorKind::WouldBlock

// A system without a queue has no sockets here either.
#[cfg(any(unix, windows, target_os = "hermit", target_os = "wasi"))]
mod tcp;
#[cfg(any(unix, windows, target_os = "hermit", target_os = "wasi"))]
mod udp;
#[cfg(unix)]
mod uds;

#[cfg(any(unix, windows, target_os = "hermit", target_os = "wasi"))]
pub use tcp::{TcpListener, TcpStream};
#[cfg(any(unix, windows, target_os = "hermit", target_os = "wasi"))]
pub use udp::UdpSocket;
#[cfg(unix)]
pub use uds::{UnixDatagram, UnixListener, UnixStream};
