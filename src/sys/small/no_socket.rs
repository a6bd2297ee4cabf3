//! The first WASI makes no sockets: it gets them from its host, or accepts them.
//! Std says so.

use std::io;
use std::net::{SocketAddr, TcpStream, UdpSocket};

pub(crate) fn tcp_connect(addr: SocketAddr) -> io::Result<TcpStream> {
    TcpStream::connect(addr)
}

pub(crate) fn only_v6(_: &UdpSocket) -> io::Result<bool> {
    Err(io::ErrorKind::Unsupported.into())
}
