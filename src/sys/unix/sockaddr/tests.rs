use super::*;

/// What the kernel would have written, and how long it says it is.
fn received(sun_path: &[u8], path_len: usize) -> SockAddr {
    let mut raw = SockAddr::from_sun_path(0, sun_path, 0);
    raw.len = (sun_path_offset() + path_len) as socklen_t;
    raw
}

#[test]
fn inet_addresses_survive_the_round_trip() {
    let addrs: [SocketAddr; 4] = [
        "127.0.0.1:8080".parse().unwrap(),
        "255.254.253.252:65535".parse().unwrap(),
        SocketAddrV6::new("1:2:3:4:5:6:7:8".parse().unwrap(), 9, 0x000a_bcde, 77).into(),
        SocketAddrV6::new(Ipv6Addr::LOCALHOST, 0, 0, 0).into(),
    ];
    for addr in addrs {
        assert_eq!(SockAddr::from_inet(addr).to_inet().unwrap(), addr);
    }
}

#[test]
fn inet_addresses_lie_as_the_kernel_reads_them() {
    let raw = SockAddr::from_inet("1.2.3.4:258".parse().unwrap());
    // SAFETY: every field of the union is initialised.
    let inet = unsafe { raw.storage.inet4 };
    assert_eq!(raw.len() as usize, mem::size_of::<libc::sockaddr_in>());
    assert_eq!(inet.sin_port.to_ne_bytes(), [1, 2], "network byte order");
    assert_eq!(inet.sin_addr.s_addr.to_ne_bytes(), [1, 2, 3, 4]);

    let raw = SockAddr::from_inet(SocketAddrV6::new(Ipv6Addr::LOCALHOST, 258, 3, 4).into());
    // SAFETY: every field of the union is initialised.
    let inet = unsafe { raw.storage.inet6 };
    assert_eq!(raw.len() as usize, mem::size_of::<libc::sockaddr_in6>());
    assert_eq!(inet.sin6_port.to_ne_bytes(), [1, 2]);
    assert_eq!((inet.sin6_flowinfo, inet.sin6_scope_id), (3, 4));
}

#[test]
fn what_is_no_whole_inet_address_is_an_error() {
    let mut cut = SockAddr::from_inet("127.0.0.1:1".parse().unwrap());
    cut.len -= 1;
    for raw in [cut, SockAddr::room(), received(b"/path\0", 6)] {
        let error = raw.to_inet().unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    }
}

#[test]
fn pathnames_count_their_nul() {
    let addr = UnixAddr::from_pathname("/tmp/sock").unwrap();
    let raw = SockAddr::from_unix(&addr);
    assert_eq!(raw.len() as usize, sun_path_offset() + 10);
    assert_eq!(raw.sun_path(), b"/tmp/sock\0");
    assert_eq!(raw.to_unix().unwrap().as_pathname(), addr.as_pathname());
}

#[test]
fn received_pathnames_end_at_their_nul_or_length() {
    for (bytes, len) in [(&b"/a/b\0"[..], 5), (b"/a/b", 4), (b"/a/b\0\0\0", 7)] {
        let addr = received(bytes, len).to_unix().unwrap();
        assert_eq!(addr.as_pathname().unwrap().as_os_str(), "/a/b");
    }
}

#[test]
fn the_longest_path_is_whole() {
    let longest = "p".repeat(107);
    let addr = UnixAddr::from_pathname(&longest).unwrap();
    let raw = SockAddr::from_unix(&addr);
    assert_eq!(raw.len() as usize, mem::size_of::<libc::sockaddr_un>());
    assert_eq!(raw.to_unix().unwrap().as_pathname(), addr.as_pathname());
}

#[test]
fn a_path_without_room_for_its_nul_goes_out_without() {
    let full = [b'p'; 108];
    let raw = SockAddr::from_sun_path(0, &full, 1);
    assert_eq!(raw.len() as usize, mem::size_of::<libc::sockaddr_un>());
    assert_eq!(raw.sun_path(), full);

    // Linux reports it with a NUL and so longer than the struct; std cannot make such an address.
    let raw = received(&full, 109);
    assert_eq!(raw.sun_path().len(), 109);
    assert!(raw.to_unix().is_err());
}

#[test]
fn unnamed_addresses_have_no_bytes() {
    let addr = unnamed().unwrap();
    assert!(addr.is_unnamed());
    let raw = SockAddr::from_unix(&addr);
    assert_eq!(raw.len() as usize, sun_path_offset());

    // Linux says 2 of an accepted peer and 0 of the sender of a datagram.
    for len in 0..=sun_path_offset() {
        let mut raw = SockAddr::room();
        raw.len = len as socklen_t;
        assert!(raw.to_unix().unwrap().is_unnamed(), "length {len}");
    }
}

#[test]
fn what_is_no_unix_address_is_an_error() {
    let inet = SockAddr::from_inet("127.0.0.1:1".parse().unwrap());
    let error = inet.check_unix().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);

    SockAddr::from_unix(&unnamed().unwrap())
        .check_unix()
        .unwrap();
    received(b"/a\0", 3).check_unix().unwrap();
    let mut nobody = SockAddr::room();
    nobody.len = 0;
    nobody.check_unix().unwrap();
}

#[test]
fn a_length_beyond_the_storage_is_cut() {
    let mut raw = received(b"/a\0", 3);
    raw.len = socklen_t::MAX;
    assert_eq!(raw.sun_path().len(), CAPACITY - sun_path_offset());
    let addr = raw.to_unix().unwrap();
    assert_eq!(addr.as_pathname().unwrap().as_os_str(), "/a");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
#[test]
fn abstract_names_are_exact() {
    let longest = [b'n'; 107];
    let names: [&[u8]; 7] = [
        b"", b"name", b"\0", b"\0name", b"na\0me", b"name\0", &longest,
    ];
    for name in names {
        let addr = syscall::abstract_addr(name).unwrap();
        let raw = SockAddr::from_unix(&addr);
        assert_eq!(raw.len() as usize, sun_path_offset() + 1 + name.len());
        assert_eq!(raw.sun_path(), [b"\0", name].concat());
        let back = raw.to_unix().unwrap();
        assert_eq!(syscall::abstract_name(&back), Some(name));
        assert!(!back.is_unnamed());
    }
}
