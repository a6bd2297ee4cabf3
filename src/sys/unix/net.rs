//! The verbs of TCP, UDP and Unix domain sockets, as few system calls each as the kernel allows.
//!
//! They speak std's socket types, since everything that std does well is left to std. Every socket
//! made here is non-blocking and is not inherited by child processes; one whose set-up fails is
//! closed on the way out.

use std::io::{self, IoSlice, IoSliceMut};
use std::net::{self, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::net::{self as unix, SocketAddr as UnixAddr};

use super::sockaddr::{self, SockAddr};
use super::syscall::{self, fd_of, Receive};

/// Makes a socket of the address' family.
#[inline]
fn inet_socket(addr: SocketAddr, kind: libc::c_int) -> io::Result<OwnedFd> {
    let domain = match addr {
        SocketAddr::V4(_) => libc::AF_INET,
        SocketAddr::V6(_) => libc::AF_INET6,
    };
    syscall::socket(domain, kind)
}

#[inline]
pub(crate) fn tcp_bind(addr: SocketAddr) -> io::Result<net::TcpListener> {
    let socket = inet_socket(addr, libc::SOCK_STREAM)?;
    // Without this a server that restarts cannot bind its port until the old connections have
    // left TIME_WAIT.
    syscall::setsockopt(socket.as_fd(), libc::SOL_SOCKET, libc::SO_REUSEADDR, 1)?;
    syscall::bind(socket.as_fd(), &SockAddr::from_inet(addr))?;
    syscall::listen(socket.as_fd())?;
    Ok(socket.into())
}

#[inline]
pub(crate) fn tcp_connect(addr: SocketAddr) -> io::Result<net::TcpStream> {
    let socket = inet_socket(addr, libc::SOCK_STREAM)?;
    match syscall::connect(socket.as_fd(), &SockAddr::from_inet(addr)) {
        // A connect(2) that a signal interrupts goes on, as one that is in progress does: calling
        // it again would be an error (EALREADY), and so would giving up.
        Err(error) if error.raw_os_error() == Some(libc::EINTR) => {}
        result => unless_in_progress(result)?,
    }
    Ok(socket.into())
}

/// A connection that takes time is no error for a non-blocking socket.
#[inline]
fn unless_in_progress(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.raw_os_error() == Some(libc::EINPROGRESS) => Ok(()),
        result => result,
    }
}

#[inline]
pub(crate) fn tcp_accept(listener: &net::TcpListener) -> io::Result<(net::TcpStream, SocketAddr)> {
    let (socket, peer) = syscall::accept(fd_of(listener))?;
    Ok((socket.into(), peer.to_inet()?))
}

#[inline]
pub(crate) fn udp_bind(addr: SocketAddr) -> io::Result<net::UdpSocket> {
    let socket = inet_socket(addr, libc::SOCK_DGRAM)?;
    syscall::bind(socket.as_fd(), &SockAddr::from_inet(addr))?;
    Ok(socket.into())
}

#[inline]
pub(crate) fn udp_connect(socket: &net::UdpSocket, addr: SocketAddr) -> io::Result<()> {
    socket.connect(addr)
}

/// Std has no way to ask this.
#[inline]
pub(crate) fn only_v6(socket: &net::UdpSocket) -> io::Result<bool> {
    syscall::getsockopt(socket.as_fd(), libc::IPPROTO_IPV6, libc::IPV6_V6ONLY).map(|on| on != 0)
}

#[inline]
pub(crate) fn unix_bind(addr: &UnixAddr) -> io::Result<unix::UnixListener> {
    let socket = syscall::socket(libc::AF_UNIX, libc::SOCK_STREAM)?;
    syscall::bind(socket.as_fd(), &SockAddr::from_unix(addr))?;
    syscall::listen(socket.as_fd())?;
    Ok(socket.into())
}

/// Unlike TCP, a full queue of the listener is EAGAIN, and such a connect does not go on: the
/// caller gets the error and no socket.
#[inline]
pub(crate) fn unix_connect(addr: &UnixAddr) -> io::Result<unix::UnixStream> {
    let socket = syscall::socket(libc::AF_UNIX, libc::SOCK_STREAM)?;
    let result = syscall::connect(socket.as_fd(), &SockAddr::from_unix(addr));
    unless_in_progress(result)?;
    Ok(socket.into())
}

#[inline]
pub(crate) fn unix_accept(
    listener: &unix::UnixListener,
) -> io::Result<(unix::UnixStream, UnixAddr)> {
    let (socket, peer) = syscall::accept(fd_of(listener))?;
    peer.check_unix()?;
    let stream = unix::UnixStream::from(socket);
    // Std cannot make every address that it can hold. A connection is never lost for its name.
    let peer = peer
        .to_unix()
        .or_else(|_| stream.peer_addr())
        .or_else(|_| sockaddr::unnamed())?;
    Ok((stream, peer))
}

#[inline]
pub(crate) fn unix_pair() -> io::Result<(unix::UnixStream, unix::UnixStream)> {
    let (first, second) = syscall::socketpair(libc::AF_UNIX, libc::SOCK_STREAM)?;
    Ok((first.into(), second.into()))
}

#[inline]
pub(crate) fn datagram_bind(addr: &UnixAddr) -> io::Result<unix::UnixDatagram> {
    let socket = syscall::socket(libc::AF_UNIX, libc::SOCK_DGRAM)?;
    syscall::bind(socket.as_fd(), &SockAddr::from_unix(addr))?;
    Ok(socket.into())
}

#[inline]
pub(crate) fn datagram_unbound() -> io::Result<unix::UnixDatagram> {
    syscall::socket(libc::AF_UNIX, libc::SOCK_DGRAM).map(Into::into)
}

#[inline]
pub(crate) fn datagram_pair() -> io::Result<(unix::UnixDatagram, unix::UnixDatagram)> {
    let (first, second) = syscall::socketpair(libc::AF_UNIX, libc::SOCK_DGRAM)?;
    Ok((first.into(), second.into()))
}

#[inline]
pub(crate) fn datagram_connect(socket: &unix::UnixDatagram, addr: &UnixAddr) -> io::Result<()> {
    syscall::connect(socket.as_fd(), &SockAddr::from_unix(addr))
}

#[inline]
pub(crate) fn datagram_send_to(
    socket: &unix::UnixDatagram,
    bytes: &[u8],
    addr: &UnixAddr,
) -> io::Result<usize> {
    syscall::sendto(fd_of(socket), bytes, &SockAddr::from_unix(addr))
}

#[inline]
pub(crate) fn datagram_peek(socket: &unix::UnixDatagram, buf: &mut [u8]) -> io::Result<usize> {
    syscall::recv(fd_of(socket), buf, Receive::Peek)
}

/// A sender whose address std cannot hold is reported as unnamed: see `SockAddr::to_unix`.
#[inline]
pub(crate) fn datagram_peek_from(
    socket: &unix::UnixDatagram,
    buf: &mut [u8],
) -> io::Result<(usize, UnixAddr)> {
    let (count, sender) = syscall::recvfrom(fd_of(socket), buf, Receive::Peek)?;
    sender.check_unix()?;
    let sender = sender.to_unix().or_else(|_| sockaddr::unnamed())?;
    Ok((count, sender))
}

#[inline]
pub(crate) fn udp_send_to(
    socket: &net::UdpSocket,
    bytes: &[u8],
    addr: SocketAddr,
) -> io::Result<usize> {
    syscall::sendto(fd_of(socket), bytes, &SockAddr::from_inet(addr))
}

#[inline]
pub(crate) fn udp_recv_from(
    socket: &net::UdpSocket,
    buf: &mut [u8],
) -> io::Result<(usize, SocketAddr)> {
    let (count, sender) = syscall::recvfrom(fd_of(socket), buf, Receive::Take)?;
    Ok((count, sender.to_inet()?))
}

#[inline]
pub(crate) fn udp_send(socket: &net::UdpSocket, bytes: &[u8]) -> io::Result<usize> {
    syscall::send(fd_of(socket), bytes)
}

#[inline]
pub(crate) fn udp_recv(socket: &net::UdpSocket, buf: &mut [u8]) -> io::Result<usize> {
    syscall::recv(fd_of(socket), buf, Receive::Take)
}

/// Receives on a connected socket.
#[inline]
pub(crate) fn recv(socket: &(impl AsFd + AsRawFd), buf: &mut [u8]) -> io::Result<usize> {
    syscall::recv(fd_of(socket), buf, Receive::Take)
}

/// Receives into several buffers on a connected socket.
#[inline]
pub(crate) fn recv_vectored(
    socket: &(impl AsFd + AsRawFd),
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    syscall::readv(fd_of(socket), bufs)
}

/// Writes to a stream. Std's own write to a Unix stream raises SIGPIPE in its older versions.
#[inline]
pub(crate) fn send(stream: &(impl AsFd + AsRawFd), bytes: &[u8]) -> io::Result<usize> {
    syscall::send(fd_of(stream), bytes)
}

/// Writes several buffers to a stream. Std's own way, writev(2), raises SIGPIPE.
#[inline]
pub(crate) fn send_vectored(
    stream: &(impl AsFd + AsRawFd),
    bufs: &[IoSlice<'_>],
) -> io::Result<usize> {
    syscall::sendmsg(fd_of(stream), bufs)
}

#[cfg(all(test, not(loom), any(target_os = "linux", target_os = "android")))]
mod tests;
