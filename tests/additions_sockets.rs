//! What TCP and UDP sockets offer beyond mio 1.2.5, on every system.
#![cfg(all(
    any(target_os = "linux", windows),
    feature = "os-poll",
    feature = "net"
))]

mod support;

use std::io::{self, Error, Read};

use mio::net::{TcpListener, TcpStream, UdpSocket};
use support::{assert_nonblocking, assert_works_in_a_queue, assert_would_block, localhost, raw};

/// Converts a socket; asserts that the same came out, no longer blocking.
macro_rules! convert {
    ($theirs:expr => $ours:ty) => {{
        let theirs = $theirs.unwrap();
        let name = raw(&theirs);
        // Else the conversion would have nothing to do.
        assert_nonblocking(&theirs, false);
        let converted: io::Result<$ours> = <$ours>::try_from(theirs);
        let ours = converted.unwrap();
        assert_eq!(raw(&ours), name);
        assert_nonblocking(&ours, true);
        ours
    }};
}

#[test]
fn conversion_from_std_makes_tcp_and_udp_non_blocking() {
    let listener = convert!(std::net::TcpListener::bind(localhost()) => TcpListener);
    assert_would_block(listener.accept());
    let address = listener.local_addr().unwrap();
    let mut stream = convert!(std::net::TcpStream::connect(address) => TcpStream);
    assert_would_block(stream.read(&mut [0]));
    let socket = convert!(std::net::UdpSocket::bind(localhost()) => UdpSocket);
    assert_would_block(socket.recv(&mut [0]));
}

#[test]
fn a_converted_stream_works_in_a_queue() {
    let listener = std::net::TcpListener::bind(localhost()).unwrap();
    let mut other = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let mut stream = TcpStream::try_from(listener.accept().unwrap().0).unwrap();
    assert_works_in_a_queue(&mut stream, &mut other);
}

#[test]
fn a_listener_tries_io() {
    let listener = TcpListener::bind(localhost()).unwrap();
    assert_eq!(listener.try_io(|| Ok(7)).unwrap(), 7);
    assert_would_block(listener.try_io(|| listener.accept()));
    let failure = || Err::<(), _>(Error::from_raw_os_error(5));
    let told = listener.try_io(failure).unwrap_err();
    assert_eq!(told.raw_os_error(), Some(5));
}
