//! The kinds of sources, and how each is made together with its peer.

#[cfg(target_os = "linux")]
use std::fs::File;
use std::io;
use std::net::TcpListener;
#[cfg(unix)]
use std::os::fd::OwnedFd;

use mio::net::{TcpStream, UdpSocket};
#[cfg(unix)]
use mio::{
    net::{UnixDatagram, UnixStream},
    unix::pipe,
};

#[cfg(target_os = "linux")]
use super::situations::eventfd;

#[derive(Debug)]
pub(crate) enum Handle {
    Tcp(TcpStream),
    Udp(UdpSocket),
    #[cfg(unix)]
    Unix(UnixStream),
    #[cfg(unix)]
    Datagram(UnixDatagram),
    #[cfg(unix)]
    Receiver(pipe::Receiver),
    #[cfg(unix)]
    Sender(pipe::Sender),
    /// A raw descriptor: a counter, which is its own peer.
    #[cfg(target_os = "linux")]
    Counter(File),
}

#[derive(Debug)]
pub(crate) enum Peer {
    Tcp(std::net::TcpStream),
    Udp(std::net::UdpSocket),
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixStream),
    #[cfg(unix)]
    Datagram(std::os::unix::net::UnixDatagram),
    #[cfg(unix)]
    Sender(pipe::Sender),
    #[cfg(unix)]
    Receiver(pipe::Receiver),
    #[cfg(target_os = "linux")]
    Own,
    Gone,
}

#[cfg(unix)]
pub(crate) type Duplicate = Option<OwnedFd>;
#[cfg(not(unix))]
pub(crate) type Duplicate = Option<std::convert::Infallible>;

pub(crate) type Maker = fn(&TcpListener) -> io::Result<(Handle, Peer)>;

/// Local kinds first: shrinking leads to them.
pub(crate) const MAKERS: &[Maker] = &[
    #[cfg(unix)]
    |_| {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        Ok((Handle::Unix(UnixStream::from_std(ours)), Peer::Unix(theirs)))
    },
    #[cfg(unix)]
    |_| {
        let (sender, receiver) = pipe::new()?;
        Ok((Handle::Receiver(receiver), Peer::Sender(sender)))
    },
    #[cfg(unix)]
    |_| {
        let (sender, receiver) = pipe::new()?;
        Ok((Handle::Sender(sender), Peer::Receiver(receiver)))
    },
    #[cfg(unix)]
    |_| {
        let (ours, theirs) = std::os::unix::net::UnixDatagram::pair()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        let ours = UnixDatagram::from_std(ours);
        Ok((Handle::Datagram(ours), Peer::Datagram(theirs)))
    },
    #[cfg(target_os = "linux")]
    |_| Ok((Handle::Counter(eventfd().into()), Peer::Own)),
    |_| {
        let any = "127.0.0.1:0";
        let (ours, theirs) = (
            std::net::UdpSocket::bind(any)?,
            std::net::UdpSocket::bind(any)?,
        );
        ours.connect(theirs.local_addr()?)?;
        theirs.connect(ours.local_addr()?)?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        Ok((Handle::Udp(UdpSocket::from_std(ours)), Peer::Udp(theirs)))
    },
    |listener| {
        let theirs = std::net::TcpStream::connect(listener.local_addr()?)?;
        let (ours, _) = listener.accept()?;
        ours.set_nonblocking(true)?;
        theirs.set_nonblocking(true)?;
        theirs.set_nodelay(true)?;
        Ok((Handle::Tcp(TcpStream::from_std(ours)), Peer::Tcp(theirs)))
    },
];
