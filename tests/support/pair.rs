//! Every kind of byte stream behind one trait, so that a test is written once.

use std::io::{Read, Write};
use std::os::fd::{AsFd, AsRawFd};

use mio::event::Source;

/// Two connected ends of a byte stream; what is written to the writer arrives at the reader.
pub(crate) trait Pair {
    type Writer: Write + Source + AsFd + AsRawFd + Send + 'static;
    type Reader: Read + Source + AsFd + AsRawFd + Send + 'static;

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
    (
        mio::net::TcpStream::from_std(client),
        mio::net::TcpStream::from_std(server),
    )
}

/// A socket pair of Unix streams.
#[cfg(feature = "net")]
pub(crate) enum UnixPair {}

#[cfg(feature = "net")]
impl Pair for UnixPair {
    type Writer = mio::net::UnixStream;
    type Reader = mio::net::UnixStream;

    fn connected() -> (Self::Writer, Self::Reader) {
        mio::net::UnixStream::pair().expect("a socket pair")
    }
}

/// An anonymous pipe.
#[cfg(feature = "os-ext")]
pub(crate) enum Pipe {}

#[cfg(feature = "os-ext")]
impl Pair for Pipe {
    type Writer = mio::unix::pipe::Sender;
    type Reader = mio::unix::pipe::Receiver;

    fn connected() -> (Self::Writer, Self::Reader) {
        mio::unix::pipe::new().expect("a pipe")
    }
}
