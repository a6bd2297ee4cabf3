//! `try_io` hands through what the operation says, and the error of a listener is taken once.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::io::{Error, ErrorKind, Result};

use mio::net::{UdpSocket, UnixDatagram, UnixListener, UnixStream};
use support::{assert_kind, assert_would_block, localhost, temp_path};

/// A value, a `WouldBlock` and another error, through `try_io`.
fn passes_through(try_io: impl Fn(&dyn Fn() -> Result<u8>) -> Result<u8>) {
    assert_eq!(try_io(&|| Ok(7)).unwrap(), 7);
    assert_would_block(try_io(&|| Err(ErrorKind::WouldBlock.into())));
    assert_kind(
        try_io(&|| Err(Error::from(ErrorKind::Other))),
        ErrorKind::Other,
    );
}

#[test]
fn every_socket_passes_results_through() {
    let udp = UdpSocket::bind(localhost()).unwrap();
    passes_through(|operation| udp.try_io(operation));
    let (stream, _peer) = UnixStream::pair().unwrap();
    passes_through(|operation| stream.try_io(operation));
    let (datagram, _peer) = UnixDatagram::pair().unwrap();
    passes_through(|operation| datagram.try_io(operation));
}

#[test]
fn a_listener_has_no_error_of_its_own() {
    let (_directory, path) = temp_path("socket");
    let listener = UnixListener::bind(path).unwrap();
    assert!(listener.take_error().unwrap().is_none());
}
