//! The addresses of std, and the same addresses as the kernel reads and writes them.
//!
//! Std does not promise how its address types lie in memory, so each one is built and taken apart
//! field by field, never cast (RUSTSEC-2020-0081).
//!
//! A Unix address is a run of bytes whose *length* carries meaning. On Linux there are three kinds
//! of it, told apart thus:
//!
//! | kind | bytes of `sun_path` | length after `offset_of(sun_path)` |
//! |---|---|---|
//! | unnamed | none | 0 |
//! | abstract | NUL, then the name: any bytes, also NUL, also none | 1 + length of the name |
//! | pathname | the path, then NUL if there is room | length of the path, + 1 with the NUL |

use std::ffi::OsStr;
use std::io;
use std::mem;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;
use std::ptr;
use std::slice;

use libc::{c_int, sa_family_t, socklen_t};

use super::syscall;

/// An address of any family that this crate speaks.
pub(crate) struct SockAddr {
    storage: Storage,
    /// How many bytes of the storage count, or how many the kernel says it had for us.
    len: socklen_t,
}

/// Every field is plain data that any bytes are a value of, and all bytes are always initialised.
#[repr(C)]
union Storage {
    any: libc::sockaddr_storage,
    inet4: libc::sockaddr_in,
    inet6: libc::sockaddr_in6,
    unix: libc::sockaddr_un,
}

/// How many bytes an address can have here.
///
/// More than the 111 that Linux reports for a path that fills `sun_path` without a NUL.
const CAPACITY: usize = mem::size_of::<Storage>();

impl SockAddr {
    /// Room for the kernel to write an address into.
    #[inline]
    pub(super) fn room() -> SockAddr {
        // SAFETY: zeros are a value of each field of the union.
        let storage: Storage = unsafe { mem::zeroed() };
        let len = CAPACITY as socklen_t;
        SockAddr { storage, len }
    }

    #[inline]
    pub(super) fn as_ptr(&self) -> *const libc::sockaddr {
        ptr::addr_of!(self.storage).cast()
    }

    #[inline]
    pub(super) fn len(&self) -> socklen_t {
        self.len
    }

    /// Where the kernel writes an address, and reads the room for it and writes its length.
    #[inline]
    pub(super) fn as_mut_ptrs(&mut self) -> (*mut libc::sockaddr, *mut socklen_t) {
        (ptr::addr_of_mut!(self.storage).cast(), &mut self.len)
    }

    #[inline]
    pub(crate) fn from_inet(addr: SocketAddr) -> SockAddr {
        match addr {
            SocketAddr::V4(addr) => SockAddr::from_inet4(addr),
            SocketAddr::V6(addr) => SockAddr::from_inet6(addr),
        }
    }

    #[inline]
    fn from_inet4(addr: SocketAddrV4) -> SockAddr {
        let mut raw = SockAddr::room();
        // SAFETY: zeros are a value of this plain struct; some systems have fields in it that
        // are not named here.
        let mut inet: libc::sockaddr_in = unsafe { mem::zeroed() };
        inet.sin_family = libc::AF_INET as sa_family_t;
        inet.sin_port = addr.port().to_be();
        inet.sin_addr.s_addr = u32::from_ne_bytes(addr.ip().octets());
        raw.storage.inet4 = inet;
        raw.len = mem::size_of::<libc::sockaddr_in>() as socklen_t;
        raw
    }

    #[inline]
    fn from_inet6(addr: SocketAddrV6) -> SockAddr {
        let mut raw = SockAddr::room();
        // SAFETY: zeros are a value of this plain struct; some systems have fields in it that
        // are not named here.
        let mut inet: libc::sockaddr_in6 = unsafe { mem::zeroed() };
        inet.sin6_family = libc::AF_INET6 as sa_family_t;
        inet.sin6_port = addr.port().to_be();
        inet.sin6_addr.s6_addr = addr.ip().octets();
        inet.sin6_flowinfo = addr.flowinfo();
        inet.sin6_scope_id = addr.scope_id();
        raw.storage.inet6 = inet;
        raw.len = mem::size_of::<libc::sockaddr_in6>() as socklen_t;
        raw
    }

    /// # Errors
    ///
    /// `InvalidInput` if this is not a whole internet address.
    #[inline]
    pub(crate) fn to_inet(&self) -> io::Result<SocketAddr> {
        let whole = |size: usize| self.len as usize >= size;
        match self.family() {
            libc::AF_INET if whole(mem::size_of::<libc::sockaddr_in>()) => {
                // SAFETY: all bytes are initialised, and any bytes are a value of this struct.
                let inet = unsafe { self.storage.inet4 };
                let ip = Ipv4Addr::from(inet.sin_addr.s_addr.to_ne_bytes());
                Ok(SocketAddrV4::new(ip, u16::from_be(inet.sin_port)).into())
            }
            libc::AF_INET6 if whole(mem::size_of::<libc::sockaddr_in6>()) => {
                // SAFETY: all bytes are initialised, and any bytes are a value of this struct.
                let inet = unsafe { self.storage.inet6 };
                let ip = Ipv6Addr::from(inet.sin6_addr.s6_addr);
                let port = u16::from_be(inet.sin6_port);
                Ok(SocketAddrV6::new(ip, port, inet.sin6_flowinfo, inet.sin6_scope_id).into())
            }
            _ => Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "not an internet address",
            )),
        }
    }

    /// What the kernel would have written: a family, the bytes behind it, and how
    /// many bytes it says that these are together.
    #[cfg(any(test, mio_fuzzing))]
    #[inline]
    pub(crate) fn received(family: c_int, bytes: &[u8], len: socklen_t) -> SockAddr {
        let mut raw = SockAddr::from_sun_path(0, bytes, 0);
        raw.storage.any.ss_family = family as sa_family_t;
        raw.len = len;
        raw
    }

    #[inline]
    fn family(&self) -> c_int {
        // SAFETY: all bytes are initialised, and any bytes are a value of this struct.
        c_int::from(unsafe { self.storage.any.ss_family })
    }

    #[inline]
    pub(crate) fn from_unix(addr: &UnixAddr) -> SockAddr {
        if let Some(name) = syscall::abstract_name(addr) {
            // The bytes of the storage are zero already: here the NUL that comes first.
            SockAddr::from_sun_path(1, name, 0)
        } else if let Some(path) = addr.as_pathname() {
            // And here the NUL that comes last.
            SockAddr::from_sun_path(0, path.as_os_str().as_bytes(), 1)
        } else {
            SockAddr::from_sun_path(0, &[], 0)
        }
    }

    /// `bytes` with so many NULs before and after them.
    ///
    /// A path that leaves no room for its NUL goes without: the kernel knows its end by the
    /// length. Std can hold such a path if the kernel gave it one.
    #[inline]
    pub(super) fn from_sun_path(before: usize, bytes: &[u8], after: usize) -> SockAddr {
        let mut raw = SockAddr::room();
        // SAFETY: zeros are a value of this plain struct.
        let mut unix: libc::sockaddr_un = unsafe { mem::zeroed() };
        unix.sun_family = libc::AF_UNIX as sa_family_t;
        for (to, from) in unix.sun_path[before..].iter_mut().zip(bytes) {
            *to = *from as libc::c_char;
        }
        let count = (before + bytes.len() + after).min(unix.sun_path.len());
        raw.storage.unix = unix;
        raw.len = (sun_path_offset() + count) as socklen_t;
        raw
    }

    /// # Errors
    ///
    /// `InvalidInput` if this is no address of a Unix socket: then the descriptor was none of one.
    #[inline]
    pub(crate) fn check_unix(&self) -> io::Result<()> {
        // A sender without a name may come without a family too.
        if self.len == 0 || self.family() == libc::AF_UNIX {
            return Ok(());
        }
        Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a Unix address",
        ))
    }

    /// The address, which has passed [`check_unix`](SockAddr::check_unix).
    ///
    /// # Errors
    ///
    /// What std says of an address that it cannot hold: on Linux a path of 108 bytes, which only
    /// a program that asks the kernel directly can bind.
    #[inline]
    pub(crate) fn to_unix(&self) -> io::Result<UnixAddr> {
        match self.sun_path() {
            [] => unnamed(),
            [0, name @ ..] => syscall::abstract_addr(name),
            path => {
                let end = path.iter().position(|byte| *byte == 0);
                let path = &path[..end.unwrap_or(path.len())];
                UnixAddr::from_pathname(OsStr::from_bytes(path))
            }
        }
    }

    /// The bytes of `sun_path` that count. A length below its offset has none, and one that is
    /// larger than our storage has those that the kernel had room for.
    #[inline]
    fn sun_path(&self) -> &[u8] {
        let start: *const u8 = ptr::addr_of!(self.storage).cast();
        // SAFETY: the slice is exactly our storage, and all bytes are initialised.
        let bytes = unsafe { slice::from_raw_parts(start, CAPACITY) };
        bytes[..CAPACITY.min(self.len as usize)]
            .get(sun_path_offset()..)
            .unwrap_or_default()
    }
}

/// The address of a Unix socket that has none.
#[inline]
pub(super) fn unnamed() -> io::Result<UnixAddr> {
    UnixAddr::from_pathname("")
}

#[inline]
fn sun_path_offset() -> usize {
    // SAFETY: zeros are a value of this plain struct.
    let unix: libc::sockaddr_un = unsafe { mem::zeroed() };
    ptr::addr_of!(unix.sun_path) as usize - ptr::addr_of!(unix) as usize
}

#[cfg(all(test, not(loom)))]
mod tests;
