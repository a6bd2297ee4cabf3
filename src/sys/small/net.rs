//! The verbs of TCP and UDP sockets, by std as far as it goes: it blocks nowhere but
//! in `connect`, which is in `socket`.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
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

pub(crate) fn udp_connect(socket: &UdpSocket, addr: SocketAddr) -> io::Result<()> {
    socket.connect(addr)
}

pub(crate) fn send(mut stream: &TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}

pub(crate) fn send_vectored(mut stream: &TcpStream, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    stream.write_vectored(bufs)
}

pub(crate) fn recv(mut stream: &TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    stream.read(buf)
}

pub(crate) fn recv_vectored(
    mut stream: &TcpStream,
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    stream.read_vectored(bufs)
}

pub(crate) fn udp_send_to(socket: &UdpSocket, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
    socket.send_to(bytes, to)
}

pub(crate) fn udp_recv_from(socket: &UdpSocket, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    socket.recv_from(buf)
}

pub(crate) fn udp_send(socket: &UdpSocket, bytes: &[u8]) -> io::Result<usize> {
    socket.send(bytes)
}

pub(crate) fn udp_recv(socket: &UdpSocket, buf: &mut [u8]) -> io::Result<usize> {
    socket.recv(buf)
}
