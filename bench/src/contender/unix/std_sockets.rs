//! What those who bring no sockets of their own use: std's.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub(super) fn listen() -> io::Result<(TcpListener, SocketAddr)> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

/// By `accept4`, as std does not: it would cost a second call to make the
/// connection non-blocking.
pub(super) fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let (socket, _) = rustix::net::acceptfrom_with(listener, flags)?;
    Ok(socket.into())
}

pub(super) fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let family = AddressFamily::INET;
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = rustix::net::socket_with(family, SocketType::STREAM, flags, None)?;
    match rustix::net::connect(&socket, &addr) {
        Ok(()) | Err(Errno::INPROGRESS) => Ok(socket.into()),
        Err(errno) => Err(errno.into()),
    }
}

pub(super) fn bind_udp() -> io::Result<(UdpSocket, SocketAddr)> {
    let socket = UdpSocket::bind("127.0.0.1:0")?;
    socket.set_nonblocking(true)?;
    let addr = socket.local_addr()?;
    if !addr.is_ipv4() {
        return Err(ErrorKind::AddrNotAvailable.into());
    }
    Ok((socket, addr))
}
