//! What stands for `ready.rs` on Windows: sockets that send datagrams to themselves.

#![allow(dead_code, unreachable_pub)] // Each program uses its part.

use std::io::ErrorKind;

use mio::net::UdpSocket;

pub type Ready = UdpSocket;

/// One that is readable.
pub fn ready() -> Ready {
    let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into()).unwrap();
    socket.connect(socket.local_addr().unwrap()).unwrap();
    signal(&socket);
    socket
}

/// Makes it readable anew.
pub fn signal(source: &Ready) {
    source.send(b"x").unwrap();
}

/// Drains it, as every backend may demand, and makes it readable anew.
pub fn renew(source: &mut Ready) {
    source.recv(&mut [0; 8]).unwrap();
    let empty = source.recv(&mut [0; 8]).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    signal(source);
}
