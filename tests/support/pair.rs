//! Every kind of byte stream behind one trait, so that a test is written once.

use std::io::{Read, Write};
#[cfg(unix)]
use std::os::fd::AsRawFd;
#[cfg(windows)]
use std::os::windows::io::AsRawSocket;

use mio::event::Source;

/// Registers a stream that stays the caller's own.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) use mio::unix::SourceFd as RawSource;
#[cfg(all(windows, feature = "os-ext"))]
pub(crate) use mio::windows::SourceSocket as RawSource;

/// The pair that takes the least of the system.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) type Local = Pipe;
#[cfg(all(windows, feature = "os-ext"))]
pub(crate) type Local = Tcp;

/// What names a source to the system.
#[cfg(unix)]
pub(crate) fn raw(source: &impl AsRawFd) -> std::os::fd::RawFd {
    source.as_raw_fd()
}

/// What names a source to the system.
#[cfg(windows)]
pub(crate) fn raw(source: &impl AsRawSocket) -> std::os::windows::io::RawSocket {
    source.as_raw_socket()
}

/// Two connected ends of a byte stream; what is written to the writer arrives at the reader.
pub(crate) trait Pair {
    type Writer: Write + Source + Send + 'static;
    type Reader: Read + Source + Send + 'static;

    /// Connected and non-blocking, registered nowhere.
    fn connected() -> (Self::Writer, Self::Reader);
}

/// TCP over the IPv4 loopback.
#[cfg(feature = "net")]
pub(crate) enum Tcp {}

#[cfg(feature = "net")]
impl Pair for Tcp {
    type Writer = mio::net::TcpStream;
    type Reader = mio::net::TcpStream;

    fn connected() -> (Self::Writer, Self::Reader) {
        tcp_pair()
    }
}

/// A connected pair of TCP streams, client first.
#[cfg(feature = "net")]
pub(crate) fn tcp_pair() -> (mio::net::TcpStream, mio::net::TcpStream) {
    let listener = std::net::TcpListener::bind(super::localhost()).expect("a listener");
    let address = listener.local_addr().expect("its address");
    let client = std::net::TcpStream::connect(address).expect("a connection");
    let (server, _) = listener.accept().expect("its other end");
    client.set_nonblocking(true).expect("non-blocking client");
    server.set_nonblocking(true).expect("non-blocking server");
    // Small writes shall arrive when they are written, not when the last one was acknowledged.
    client.set_nodelay(true).expect("no delay of the client");
    server.set_nodelay(true).expect("no delay of the server");
    (
        mio::net::TcpStream::from_std(client),
        mio::net::TcpStream::from_std(server),
    )
}

/// The stream socket that makes the shortest way between two ends.
#[cfg(all(unix, feature = "net"))]
pub(crate) type Stream = mio::net::UnixStream;
#[cfg(all(windows, feature = "net"))]
pub(crate) type Stream = mio::net::TcpStream;

/// A connected pair of them.
#[cfg(feature = "net")]
pub(crate) fn stream_pair() -> (Stream, Stream) {
    #[cfg(unix)]
    return Stream::pair().expect("a socket pair");
    #[cfg(windows)]
    return tcp_pair();
}

/// A socket pair of Unix streams.
#[cfg(all(unix, feature = "net"))]
pub(crate) enum UnixPair {}

#[cfg(all(unix, feature = "net"))]
impl Pair for UnixPair {
    type Writer = mio::net::UnixStream;
    type Reader = mio::net::UnixStream;

    fn connected() -> (Self::Writer, Self::Reader) {
        mio::net::UnixStream::pair().expect("a socket pair")
    }
}

/// An anonymous pipe.
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) enum Pipe {}

#[cfg(all(unix, feature = "os-ext"))]
impl Pair for Pipe {
    type Writer = mio::unix::pipe::Sender;
    type Reader = mio::unix::pipe::Receiver;

    fn connected() -> (Self::Writer, Self::Reader) {
        mio::unix::pipe::new().expect("a pipe")
    }
}
