//! The verbs of TCP and UDP sockets, by std as far as it goes: it blocks nowhere but
//! in `connect`, which is in `socket`.

use std::io::{self, IoSlice, Write};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

pub(crate) use super::socket::{only_v6, tcp_connect};

pub(crate) fn tcp_bind(addr: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(addr)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

pub(crate) fn tcp_accept(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    stream.set_nonblocking(true)?;
    Ok((stream, peer))
}

pub(crate) fn udp_bind(addr: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(addr)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}

pub(crate) fn send_vectored(mut stream: &TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    stream.write_vectored(bufs)
}
