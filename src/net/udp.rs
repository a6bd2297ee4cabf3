//! UDP.

use std::io;
use std::net::{self, Ipv4Addr, Ipv6Addr, SocketAddr};

use crate::io_source::IoSource;
use crate::sys::net as sys;

/// A UDP socket.
///
/// It sends to, and receives from, any address by [`send_to`] and [`recv_from`];
/// once it is [`connect`]ed, it speaks with one peer by [`send`] and [`recv`]. A
/// *readable* event tells that datagrams have come, a *writable* event that
/// there is room to send.
///
/// # Examples
///
/// ```
/// use mio::net::UdpSocket;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::ErrorKind;
///
/// # fn main() -> std::io::Result<()> {
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
/// poll.registry().register(&mut socket, Token(0), Interest::READABLE)?;
///
/// let peer = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
/// peer.send_to(b"ping", socket.local_addr()?)?;
///
/// poll.poll(&mut events, None)?;
/// let mut buf = [0; 1500];
/// let (length, from) = socket.recv_from(&mut buf)?;
/// assert_eq!(&buf[..length], b"ping");
/// assert_eq!(from, peer.local_addr()?);
///
/// // There is no second one.
/// let error = socket.recv_from(&mut buf).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::WouldBlock);
/// # Ok(())
/// # }
/// ```
///
/// [`connect`]: UdpSocket::connect
/// [`recv_from`]: UdpSocket::recv_from
/// [`recv`]: UdpSocket::recv
/// [`send_to`]: UdpSocket::send_to
/// [`send`]: UdpSocket::send
pub struct UdpSocket {
    inner: IoSource<net::UdpSocket>,
}

impl UdpSocket {
    /// Makes a socket bound to an address.
    ///
    /// The socket is non-blocking and not inherited by child processes; no
    /// option is set. Port 0 asks the system to choose a port; [`local_addr`]
    /// tells which.
    ///
    /// # Platform-specific behavior
    ///
    /// On Windows, too, no receive fails because an earlier datagram met a closed port
    /// (`SIO_UDP_CONNRESET` is turned off), unless the socket is connected.
    ///
    /// # Errors
    ///
    /// Those of the operating system, such as
    /// [`AddrInUse`](io::ErrorKind::AddrInUse). Nothing is left open then.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let socket = mio::net::UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// assert_ne!(socket.local_addr()?.port(), 0);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`local_addr`]: UdpSocket::local_addr
    #[inline]
    pub fn bind(addr: SocketAddr) -> io::Result<UdpSocket> {
        sys::udp_bind(addr).map(UdpSocket::from_std)
    }

    /// Takes over a socket of the standard library, as it is.
    ///
    /// The socket must be in non-blocking mode. `UdpSocket::try_from` does the
    /// same and sets that mode.
    #[inline]
    pub fn from_std(socket: net::UdpSocket) -> UdpSocket {
        let inner = IoSource::new(socket);
        UdpSocket { inner }
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.inner.local_addr()
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if it is not connected,
    /// and others of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// let peer = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// assert!(socket.peer_addr().is_err());
    /// socket.connect(peer.local_addr()?)?;
    /// assert_eq!(socket.peer_addr()?, peer.local_addr()?);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.inner.peer_addr()
    }

    /// Sends one datagram to an address, and tells how many bytes went out.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room to send;
    /// others of the operating system, such as for a datagram that is too long.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// let peer = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// assert_eq!(socket.send_to(b"ping", peer.local_addr()?)?, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.inner.do_io(|io| sys::udp_send_to(io, buf, target))
    }

    /// Receives one datagram, and tells its length and where it came from.
    ///
    /// # Platform-specific behavior
    ///
    /// A datagram that is longer than the buffer is cut without notice on Unix;
    /// on Windows that is an error.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no datagram is there, and
    /// others of the operating system.
    #[inline]
    pub fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.do_io(|io| sys::udp_recv_from(io, buf))
    }

    /// As [`recv_from`](UdpSocket::recv_from), but leaves the datagram to be
    /// received again.
    ///
    /// # Errors
    ///
    /// Those of `recv_from`.
    #[inline]
    pub fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.inner.do_io(|io| io.peek_from(buf))
    }

    /// Sends one datagram to the address that the socket is connected to, and
    /// tells how many bytes went out.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if there is no room to send;
    /// others of the operating system, also those that an earlier datagram met.
    #[inline]
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.inner.do_io(|io| sys::udp_send(io, buf))
    }

    /// Receives one datagram from the address that the socket is connected to,
    /// and tells its length.
    ///
    /// # Platform-specific behavior
    ///
    /// A datagram that is longer than the buffer is cut without notice on Unix;
    /// on Windows that is an error.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no datagram is there;
    /// others of the operating system, also those that an earlier datagram met.
    #[inline]
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.do_io(|io| sys::udp_recv(io, buf))
    }

    /// As [`recv`](UdpSocket::recv), but leaves the datagram to be received
    /// again.
    ///
    /// # Errors
    ///
    /// Those of `recv`.
    #[inline]
    pub fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.inner.do_io(|io| io.peek(buf))
    }

    /// Connects the socket: it sends to this address, and receives from no
    /// other.
    ///
    /// Nothing goes over the network, and so this is done at once. It may be
    /// called again with another address.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::net::UdpSocket;
    ///
    /// # fn main() -> std::io::Result<()> {
    /// let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// let peer = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// socket.connect(peer.local_addr()?)?;
    /// assert_eq!(socket.send(b"ping")?, 4);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        sys::udp_connect(&self.inner, addr)
    }

    /// Sets whether the socket may send to a broadcast address
    /// (`SO_BROADCAST`).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let socket = mio::net::UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// assert!(!socket.broadcast()?);
    /// socket.set_broadcast(true)?;
    /// assert!(socket.broadcast()?);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn set_broadcast(&self, on: bool) -> io::Result<()> {
        self.inner.set_broadcast(on)
    }

    /// Whether the socket may send to a broadcast address: see
    /// [`set_broadcast`](UdpSocket::set_broadcast).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn broadcast(&self) -> io::Result<bool> {
        self.inner.broadcast()
    }

    /// Sets whether multicast packets come back to this machine
    /// (`IP_MULTICAST_LOOP`). IPv4 only.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_multicast_loop_v4(&self, on: bool) -> io::Result<()> {
        self.inner.set_multicast_loop_v4(on)
    }

    /// Whether multicast packets come back to this machine: see
    /// [`set_multicast_loop_v4`](UdpSocket::set_multicast_loop_v4).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn multicast_loop_v4(&self) -> io::Result<bool> {
        self.inner.multicast_loop_v4()
    }

    /// Sets how many hops a multicast packet may take (`IP_MULTICAST_TTL`);
    /// with 1, the system's own choice, it stays in the local network. IPv4 only.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_multicast_ttl_v4(&self, ttl: u32) -> io::Result<()> {
        self.inner.set_multicast_ttl_v4(ttl)
    }

    /// How many hops a multicast packet may take: see
    /// [`set_multicast_ttl_v4`](UdpSocket::set_multicast_ttl_v4).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn multicast_ttl_v4(&self) -> io::Result<u32> {
        self.inner.multicast_ttl_v4()
    }

    /// Sets whether multicast packets come back to this machine
    /// (`IPV6_MULTICAST_LOOP`). IPv6 only.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_multicast_loop_v6(&self, on: bool) -> io::Result<()> {
        self.inner.set_multicast_loop_v6(on)
    }

    /// Whether multicast packets come back to this machine: see
    /// [`set_multicast_loop_v6`](UdpSocket::set_multicast_loop_v6).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn multicast_loop_v6(&self) -> io::Result<bool> {
        self.inner.multicast_loop_v6()
    }

    /// Sets how many hops a packet may take (`IP_TTL`).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// let socket = mio::net::UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// socket.set_ttl(16)?;
    /// assert_eq!(socket.ttl()?, 16);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.inner.set_ttl(ttl)
    }

    /// How many hops a packet may take: see [`set_ttl`](UdpSocket::set_ttl).
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn ttl(&self) -> io::Result<u32> {
        self.inner.ttl()
    }

    /// Joins a multicast group (`IP_ADD_MEMBERSHIP`).
    ///
    /// `interface` is the local address of the network to join in;
    /// [`Ipv4Addr::UNSPECIFIED`] leaves the choice to the system.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn join_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.inner.join_multicast_v4(multiaddr, interface)
    }

    /// Joins a multicast group (`IPV6_ADD_MEMBERSHIP`).
    ///
    /// `interface` is the index of the network interface to join with; 0 leaves
    /// the choice to the system.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.inner.join_multicast_v6(multiaddr, interface)
    }

    /// Leaves a multicast group (`IP_DROP_MEMBERSHIP`) that was joined by
    /// [`join_multicast_v4`](UdpSocket::join_multicast_v4) with the same
    /// arguments.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn leave_multicast_v4(&self, multiaddr: &Ipv4Addr, interface: &Ipv4Addr) -> io::Result<()> {
        self.inner.leave_multicast_v4(multiaddr, interface)
    }

    /// Leaves a multicast group (`IPV6_DROP_MEMBERSHIP`) that was joined by
    /// [`join_multicast_v6`](UdpSocket::join_multicast_v6) with the same
    /// arguments.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.inner.leave_multicast_v6(multiaddr, interface)
    }

    /// Whether an IPv6 socket speaks IPv6 alone (`IPV6_V6ONLY`), and not IPv4
    /// by mapped addresses too.
    ///
    /// To set it, use a socket made by other means and `UdpSocket::try_from`: it
    /// must be set before the socket is bound.
    ///
    /// # Errors
    ///
    /// Those of the operating system, also for a socket that is not IPv6.
    #[inline]
    pub fn only_v6(&self) -> io::Result<bool> {
        sys::only_v6(&self.inner)
    }

    /// Takes the pending error off the socket (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// Those of the operating system; the pending error is the value.
    #[inline]
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.inner.take_error()
    }

    /// Runs an operation on this socket that the crate does not have.
    ///
    /// If the operation fails with [`WouldBlock`], the next readiness is
    /// reported by an event, as it is for the methods of this type. Where the
    /// kernel needs no help with that, this only runs the operation.
    ///
    /// The operation must be one on this very socket, and should be one that
    /// really reached the kernel.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(unix))] fn main() {}
    /// # #[cfg(unix)]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::net::UdpSocket;
    /// use std::io::{self, ErrorKind};
    /// use std::os::fd::AsRawFd;
    ///
    /// let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// let mut buf = [0u8; 1500];
    /// let result = socket.try_io(|| {
    ///     let (fd, start) = (socket.as_raw_fd(), buf.as_mut_ptr().cast());
    ///     // SAFETY: the buffer is valid for writes of its length.
    ///     let n = unsafe { libc::recv(fd, start, buf.len(), 0) };
    ///     usize::try_from(n).map_err(|_| io::Error::last_os_error())
    /// });
    /// assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn try_io<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| f())
    }
}

impl_handle!(UdpSocket, net::UdpSocket);
impl_std_conversions!(UdpSocket, net::UdpSocket);
