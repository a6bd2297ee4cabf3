//! The verbs of TCP and UDP sockets. What std does as we want it is left to std.
//!
//! Every socket made here is non-blocking and is not inherited by child
//! processes; one whose set-up fails is closed on the way out.

use super::RawSource;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::size_of;
use std::net::{self, SocketAddr};
use std::os::windows::io::{AsRawSocket, FromRawSocket, OwnedSocket};
use std::sync::OnceLock;
use windows_sys::Win32::Foundation::{SetHandleInformation, HANDLE, HANDLE_FLAG_INHERIT};
use windows_sys::Win32::Networking::WinSock::{
    bind, connect, getsockopt, ioctlsocket, listen, WSAGetLastError, WSAIoctl, WSASocketW,
    WSAStartup, AF_INET, AF_INET6, FIONBIO, IN6_ADDR, IN6_ADDR_0, INVALID_SOCKET, IN_ADDR,
    IN_ADDR_0, IPPROTO_IPV6, IPV6_V6ONLY, SIO_UDP_CONNRESET, SOCKADDR, SOCKADDR_IN, SOCKADDR_IN6,
    SOCKADDR_IN6_0, SOCKET, SOCK_DGRAM, SOCK_STREAM, WSADATA, WSAEWOULDBLOCK,
    WSA_FLAG_NO_HANDLE_INHERIT, WSA_FLAG_OVERLAPPED,
};

/// The last error of a socket call of this thread's.
fn last_error() -> io::Error {
    // SAFETY: reads a number.
    io::Error::from_raw_os_error(unsafe { WSAGetLastError() })
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 {
        Ok(())
    } else {
        Err(last_error())
    }
}

/// Starts the library of sockets, once. It is never ended: another user of it in
/// the process could still need it.
fn start_up() -> io::Result<()> {
    static STARTED: OnceLock<i32> = OnceLock::new();
    const VERSION_2_2: u16 = 0x0202;
    let error = *STARTED.get_or_init(|| {
        let mut data = WSADATA::default();
        // SAFETY: the call writes to `data`.
        unsafe { WSAStartup(VERSION_2_2, &mut data) }
    });
    match error {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(error)),
    }
}

/// Makes a socket of the address' family.
fn socket(addr: SocketAddr, kind: i32) -> io::Result<OwnedSocket> {
    start_up()?;
    let family = match addr {
        SocketAddr::V4(_) => AF_INET,
        SocketAddr::V6(_) => AF_INET6,
    };
    let how = WSA_FLAG_OVERLAPPED | WSA_FLAG_NO_HANDLE_INHERIT;
    let none = std::ptr::null();
    // SAFETY: no protocol info is given.
    let socket = unsafe { WSASocketW(i32::from(family), kind, 0, none, 0, how) };
    if socket == INVALID_SOCKET {
        return Err(last_error());
    }
    // SAFETY: the call has just made it, for us alone.
    let owned = unsafe { OwnedSocket::from_raw_socket(socket as RawSource) };
    let mut on = 1;
    // SAFETY: the call reads `on`.
    check(unsafe { ioctlsocket(socket, FIONBIO, &mut on) })?;
    Ok(owned)
}

fn raw(socket: &impl AsRawSocket) -> SOCKET {
    socket.as_raw_socket() as SOCKET
}

/// An address as the kernel wants it.
#[repr(C)]
union SockAddr {
    any: SOCKADDR,
    v4: SOCKADDR_IN,
    v6: SOCKADDR_IN6,
}

impl SockAddr {
    fn new(addr: SocketAddr) -> (SockAddr, i32) {
        match addr {
            SocketAddr::V4(addr) => {
                let v4 = SOCKADDR_IN {
                    sin_family: AF_INET,
                    sin_port: addr.port().to_be(),
                    sin_addr: IN_ADDR {
                        S_un: IN_ADDR_0 {
                            S_addr: u32::from_ne_bytes(addr.ip().octets()),
                        },
                    },
                    sin_zero: [0; 8],
                };
                (SockAddr { v4 }, size_of::<SOCKADDR_IN>() as i32)
            }
            SocketAddr::V6(addr) => {
                let v6 = SOCKADDR_IN6 {
                    sin6_family: AF_INET6,
                    sin6_port: addr.port().to_be(),
                    sin6_flowinfo: addr.flowinfo(),
                    sin6_addr: IN6_ADDR {
                        u: IN6_ADDR_0 {
                            Byte: addr.ip().octets(),
                        },
                    },
                    Anonymous: SOCKADDR_IN6_0 {
                        sin6_scope_id: addr.scope_id(),
                    },
                };
                (SockAddr { v6 }, size_of::<SOCKADDR_IN6>() as i32)
            }
        }
    }

    fn as_ptr(&self) -> *const SOCKADDR {
        let addr: *const SockAddr = self;
        addr.cast()
    }
}

fn bind_to(socket: &OwnedSocket, addr: SocketAddr) -> io::Result<()> {
    let (addr, length) = SockAddr::new(addr);
    // SAFETY: the address has the length that is given with it.
    check(unsafe { bind(raw(socket), addr.as_ptr(), length) })
}

/// The longest queue of pending connections that the provider grants: the value of
/// winsock2.h. (The crate of bindings has that of winsock.h, which is 5.)
const SOMAXCONN: i32 = i32::MAX;

/// Without `SO_REUSEADDR`, which here lets another program take the port over.
pub(crate) fn tcp_bind(addr: SocketAddr) -> io::Result<net::TcpListener> {
    let socket = socket(addr, SOCK_STREAM)?;
    bind_to(&socket, addr)?;
    // SAFETY: takes no pointers.
    check(unsafe { listen(raw(&socket), SOMAXCONN) })?;
    Ok(socket.into())
}

pub(crate) fn tcp_connect(addr: SocketAddr) -> io::Result<net::TcpStream> {
    let socket = socket(addr, SOCK_STREAM)?;
    let (addr, length) = SockAddr::new(addr);
    // SAFETY: the address has the length that is given with it.
    match check(unsafe { connect(raw(&socket), addr.as_ptr(), length) }) {
        // It takes time, and goes on.
        Err(err) if err.raw_os_error() == Some(WSAEWOULDBLOCK) => {}
        result => result?,
    }
    Ok(socket.into())
}

/// The new socket takes the listener's non-blocking mode.
pub(crate) fn tcp_accept(listener: &net::TcpListener) -> io::Result<(net::TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept()?;
    let handle = stream.as_raw_socket() as usize as HANDLE;
    // That of a layered provider may be no handle of the kernel, and so nothing to inherit: no
    // reason to lose a connection.
    // SAFETY: the call changes a flag of a handle.
    unsafe { SetHandleInformation(handle, HANDLE_FLAG_INHERIT, 0) };
    Ok((stream, peer))
}

/// A UDP socket that is not told of what happened to datagrams it sent, until it is
/// connected.
pub(crate) fn udp_bind(addr: SocketAddr) -> io::Result<net::UdpSocket> {
    let socket = socket(addr, SOCK_DGRAM)?;
    bind_to(&socket, addr)?;
    tell_of_refusals(&socket, false);
    Ok(socket.into())
}

/// Then what it is told is of its one peer, as on Unix.
pub(crate) fn udp_connect(socket: &net::UdpSocket, addr: SocketAddr) -> io::Result<()> {
    socket.connect(addr)?;
    tell_of_refusals(socket, true);
    Ok(())
}

/// Whether an ICMP message "port unreachable" that comes back for a datagram makes a
/// later receive fail (`WSAECONNRESET`), which ends the loop of servers that take any
/// error of a receive for the end of the socket. By default it does.
fn tell_of_refusals(socket: &impl AsRawSocket, tell: bool) {
    let tell = i32::from(tell);
    let from: *const i32 = &tell;
    let mut written = 0;
    // A provider that does not know this tells such messages or not: no reason to have no socket.
    // SAFETY: the call reads a BOOL and is not overlapped.
    let _ = check(unsafe {
        WSAIoctl(
            raw(socket),
            SIO_UDP_CONNRESET,
            from.cast(),
            size_of::<i32>() as u32,
            std::ptr::null_mut(),
            0,
            &mut written,
            std::ptr::null_mut(),
            None,
        )
    });
}

/// Std has no way to ask this.
pub(crate) fn only_v6(socket: &net::UdpSocket) -> io::Result<bool> {
    let mut on: i32 = 0;
    let mut length = size_of::<i32>() as i32;
    let into: *mut i32 = &mut on;
    // SAFETY: the call writes at most `length` bytes, which is the size of `on`.
    check(unsafe {
        getsockopt(
            raw(socket),
            IPPROTO_IPV6,
            IPV6_V6ONLY,
            into.cast(),
            &mut length,
        )
    })?;
    Ok(on != 0)
}

/// Writes to a stream.
pub(crate) fn send(mut stream: &net::TcpStream, bytes: &[u8]) -> io::Result<usize> {
    stream.write(bytes)
}

/// Writes several buffers to a stream.
pub(crate) fn send_vectored(
    mut stream: &net::TcpStream,
    bufs: &[IoSlice<'_>],
) -> io::Result<usize> {
    stream.write_vectored(bufs)
}

/// Reads from a stream.
pub(crate) fn recv(mut stream: &net::TcpStream, buf: &mut [u8]) -> io::Result<usize> {
    stream.read(buf)
}

/// Reads from a stream into several buffers.
pub(crate) fn recv_vectored(
    mut stream: &net::TcpStream,
    bufs: &mut [IoSliceMut<'_>],
) -> io::Result<usize> {
    stream.read_vectored(bufs)
}

pub(crate) fn udp_send_to(
    socket: &net::UdpSocket,
    bytes: &[u8],
    to: SocketAddr,
) -> io::Result<usize> {
    socket.send_to(bytes, to)
}

pub(crate) fn udp_recv_from(
    socket: &net::UdpSocket,
    buf: &mut [u8],
) -> io::Result<(usize, SocketAddr)> {
    socket.recv_from(buf)
}

pub(crate) fn udp_send(socket: &net::UdpSocket, bytes: &[u8]) -> io::Result<usize> {
    socket.send(bytes)
}

pub(crate) fn udp_recv(socket: &net::UdpSocket, buf: &mut [u8]) -> io::Result<usize> {
    socket.recv(buf)
}
