//! What std cannot do with a socket without blocking, or not at all.

use super::poll_libc::check;
use libc::{c_int, sa_family_t, sockaddr, socklen_t};
use std::io;
use std::mem::{size_of, size_of_val, zeroed};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::os::fd::{AsRawFd, FromRawFd};

/// A socket's address, as the C library wants it.
enum Address {
    V4(libc::sockaddr_in),
    V6(libc::sockaddr_in6),
}

impl Address {
    fn of(addr: SocketAddr) -> Address {
        match addr {
            SocketAddr::V4(addr) => {
                // SAFETY: such an address is integers, all of which may be zero.
                let mut inet: libc::sockaddr_in = unsafe { zeroed() };
                inet.sin_family = libc::AF_INET as sa_family_t;
                inet.sin_port = addr.port().to_be();
                inet.sin_addr.s_addr = u32::from_ne_bytes(addr.ip().octets());
                Address::V4(inet)
            }
            SocketAddr::V6(addr) => {
                // SAFETY: as above.
                let mut inet: libc::sockaddr_in6 = unsafe { zeroed() };
                inet.sin6_family = libc::AF_INET6 as sa_family_t;
                inet.sin6_port = addr.port().to_be();
                inet.sin6_flowinfo = addr.flowinfo();
                inet.sin6_addr.s6_addr = addr.ip().octets();
                inet.sin6_scope_id = addr.scope_id();
                Address::V6(inet)
            }
        }
    }

    fn family(&self) -> c_int {
        match self {
            Address::V4(_) => libc::AF_INET,
            Address::V6(_) => libc::AF_INET6,
        }
    }

    fn as_ptr(&self) -> (*const sockaddr, socklen_t) {
        match self {
            Address::V4(inet) => ((inet as *const libc::sockaddr_in).cast(), len_of(inet)),
            Address::V6(inet) => ((inet as *const libc::sockaddr_in6).cast(), len_of(inet)),
        }
    }
}

fn len_of<T>(address: &T) -> socklen_t {
    size_of_val(address) as socklen_t
}

/// Begins to connect, which std would wait for.
pub(crate) fn tcp_connect(addr: SocketAddr) -> io::Result<TcpStream> {
    let address = Address::of(addr);
    // SAFETY: the call takes no pointers.
    let fd = check(unsafe { libc::socket(address.family(), libc::SOCK_STREAM, 0) })?;
    // SAFETY: the library just made `fd`, and nobody else knows of it.
    let stream = unsafe { TcpStream::from_raw_fd(fd) };
    stream.set_nonblocking(true)?;
    let (start, len) = address.as_ptr();
    // SAFETY: the library reads `len` bytes of the address, which outlives the call.
    match check(unsafe { libc::connect(stream.as_raw_fd(), start, len) }) {
        Err(err) if err.raw_os_error() == Some(libc::EINPROGRESS) => Ok(stream),
        connected => connected.map(|_| stream),
    }
}

/// Std has no way to ask this.
pub(crate) fn only_v6(socket: &UdpSocket) -> io::Result<bool> {
    let mut only: c_int = 0;
    let mut len = size_of::<c_int>() as socklen_t;
    let (level, name) = (libc::IPPROTO_IPV6, libc::IPV6_V6ONLY);
    let start: *mut c_int = &mut only;
    // SAFETY: the library writes at most `len` bytes, which is the size of `only`.
    let ret = unsafe { libc::getsockopt(socket.as_raw_fd(), level, name, start.cast(), &mut len) };
    check(ret).map(|_| only != 0)
}
