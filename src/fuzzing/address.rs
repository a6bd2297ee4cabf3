//! Addresses as the kernel writes them, and as callers give them.

use super::Input;
use crate::sys::unix::sockaddr::SockAddr;
use crate::sys::unix::syscall;
use std::ffi::OsStr;
use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as UnixAddr;

/// Any bytes of any length become an address or an error, and an address that
/// came once comes again from what it is sent as.
pub(super) fn from_kernel(bytes: &[u8]) {
    let mut input = Input(bytes);
    let families = [
        libc::AF_UNIX,
        libc::AF_INET,
        libc::AF_INET6,
        libc::AF_UNSPEC,
    ];
    let [choice] = input.array();
    let family = families[usize::from(choice) % families.len()];
    // Mostly what fits; sometimes what no kernel says.
    let [short] = input.array();
    let len = match short {
        255 => input.u32(),
        short => u32::from(short),
    };
    let raw = SockAddr::received(family, input.0, len);

    match raw.to_inet() {
        Ok(addr) => {
            let is_v4 = family == libc::AF_INET;
            assert_eq!(addr.is_ipv4(), is_v4);
            assert!(len as usize >= if is_v4 { 16 } else { 28 });
            let again = SockAddr::from_inet(addr).to_inet();
            assert_eq!(again.ok(), Some(addr));
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
    }
    let is_unix = raw.check_unix().is_ok();
    assert_eq!(is_unix, len == 0 || family == libc::AF_UNIX);
    if let Ok(addr) = raw.to_unix() {
        let again = SockAddr::from_unix(&addr).to_unix();
        assert!(again.is_ok_and(|again| same(&addr, &again)), "{addr:?}");
    }
}

/// What std holds arrives whole, whatever is in it.
pub(super) fn to_kernel(bytes: &[u8]) {
    let mut input = Input(bytes);
    let port = input.u16();
    let four = SocketAddrV4::new(Ipv4Addr::from(input.array::<4>()), port);
    let ip = Ipv6Addr::from(input.array::<16>());
    let six = SocketAddrV6::new(ip, port, input.u32(), input.u32());
    for addr in [SocketAddr::V4(four), SocketAddr::V6(six)] {
        let raw = SockAddr::from_inet(addr);
        assert_eq!(raw.to_inet().ok(), Some(addr));
        assert!(raw.check_unix().is_err());
    }
    let name = input.0;
    if let Ok(addr) = UnixAddr::from_pathname(OsStr::from_bytes(name)) {
        arrives(&addr);
        assert_eq!(addr.is_unnamed(), name.is_empty());
    }
    if let Ok(addr) = syscall::abstract_addr(name) {
        arrives(&addr);
        let back = SockAddr::from_unix(&addr).to_unix();
        let is_whole = |back: UnixAddr| syscall::abstract_name(&back) == Some(name);
        assert!(back.is_ok_and(is_whole), "{name:?}");
    }
}

fn arrives(addr: &UnixAddr) {
    let raw = SockAddr::from_unix(addr);
    assert!(raw.check_unix().is_ok());
    assert!(raw.to_inet().is_err());
    let back = raw.to_unix();
    assert!(back.is_ok_and(|back| same(addr, &back)), "{addr:?}");
}

fn same(one: &UnixAddr, other: &UnixAddr) -> bool {
    one.is_unnamed() == other.is_unnamed()
        && one.as_pathname() == other.as_pathname()
        && syscall::abstract_name(one) == syscall::abstract_name(other)
}
