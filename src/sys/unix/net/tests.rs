//! Addresses and corners that only a real kernel shows; the rest is tested through the public types.

use super::*;
use crate::sys::unix::syscall;
use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// An abstract name that no other process has, beginning with `start`.
fn named(start: &str) -> UnixAddr {
    let unique = format!("{start}-mio-{}", std::process::id());
    syscall::abstract_addr(unique.as_bytes()).unwrap()
}

/// A path of exactly 108 bytes, which fills `sun_path` and leaves no room for its NUL.
fn full_path(dir: &Path) -> PathBuf {
    let room = 108 - dir.as_os_str().len() - 1;
    dir.join("p".repeat(room))
}

/// Binds to a path of 108 bytes, as only a caller of bind(2) itself can.
fn bind_full(kind: libc::c_int, dir: &Path) -> OwnedFd {
    let socket = syscall::socket(libc::AF_UNIX, kind).unwrap();
    let path = full_path(dir);
    let addr = SockAddr::from_sun_path(0, path.as_os_str().as_bytes(), 0);
    syscall::bind(socket.as_fd(), &addr).unwrap();
    socket
}

#[test]
fn accept_names_its_peer() {
    let listener = unix_bind(&named("listener")).unwrap();
    let addr = listener.local_addr().unwrap();
    for name in ["peer", "\0", "\0\0peer", "pe\0er"] {
        let client = syscall::socket(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
        let own = named(name);
        syscall::bind(client.as_fd(), &SockAddr::from_unix(&own)).unwrap();
        syscall::connect(client.as_fd(), &SockAddr::from_unix(&addr)).unwrap();
        let (stream, peer) = unix_accept(&listener).unwrap();
        let name = syscall::abstract_name(&own);
        assert_eq!(syscall::abstract_name(&peer), name);
        assert_eq!(syscall::abstract_name(&stream.peer_addr().unwrap()), name);
    }
    let _client = unix_connect(&addr).unwrap();
    assert!(unix_accept(&listener).unwrap().1.is_unnamed());
}

#[test]
fn a_peer_whose_path_has_no_nul_is_accepted_and_named() {
    let dir = tempfile::tempdir().unwrap();
    let listener = unix_bind(&named("full")).unwrap();
    let client = bind_full(libc::SOCK_STREAM, dir.path());
    let addr = SockAddr::from_unix(&listener.local_addr().unwrap());
    syscall::connect(client.as_fd(), &addr).unwrap();
    let (_stream, peer) = unix_accept(&listener).unwrap();
    assert_eq!(peer.as_pathname(), Some(&*full_path(dir.path())));
}

/// The bytes of an internet address must not come out as a path.
#[test]
fn what_is_no_unix_socket_is_noticed() {
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let listener = tcp_bind(any).unwrap();
    listener.set_nonblocking(false).unwrap();
    let _client = tcp_connect(listener.local_addr().unwrap()).unwrap();
    let wrong = unix::UnixListener::from(OwnedFd::from(listener));
    let error = unix_accept(&wrong).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);

    let socket = udp_bind(any).unwrap();
    socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
    let wrong = unix::UnixDatagram::from(OwnedFd::from(socket));
    wrong.set_nonblocking(false).unwrap();
    let error = datagram_peek_from(&wrong, &mut [0]).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidInput);
}

#[test]
fn a_datagram_from_a_path_without_nul_can_be_answered() {
    let dir = tempfile::tempdir().unwrap();
    let server = datagram_bind(&named("server")).unwrap();
    let client = unix::UnixDatagram::from(bind_full(libc::SOCK_DGRAM, dir.path()));
    datagram_send_to(&client, b"ping", &server.local_addr().unwrap()).unwrap();

    let mut buf = [0; 8];
    let (count, sender) = datagram_peek_from(&server, &mut buf).unwrap();
    assert_eq!(&buf[..count], b"ping");
    assert!(sender.is_unnamed(), "std cannot hold {sender:?}");

    let (_, sender) = server.recv_from(&mut buf).unwrap();
    datagram_send_to(&server, b"pong!", &sender).unwrap();
    assert_eq!(datagram_peek(&client, &mut buf).unwrap(), 5);
    datagram_connect(&server, &sender).unwrap();
}

#[test]
#[allow(unsafe_code)] // Only to ask for a queue that is full at once.
fn a_full_queue_would_block() {
    let listener = unix::UnixListener::from(bind_only(&named("queue")));
    // SAFETY: listen(2) touches no memory.
    syscall::check(unsafe { libc::listen(listener.as_raw_fd(), 0) }).unwrap();
    let addr = listener.local_addr().unwrap();
    let _first = unix_connect(&addr).unwrap();
    let error = unix_connect(&addr).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
}

fn bind_only(addr: &UnixAddr) -> OwnedFd {
    let socket = syscall::socket(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
    syscall::bind(socket.as_fd(), &SockAddr::from_unix(addr)).unwrap();
    socket
}

#[test]
fn inet_sockets_connect_and_listen() {
    for any in ["127.0.0.1:0", "[::1]:0"] {
        let listener = match tcp_bind(any.parse().unwrap()) {
            Err(error) if any.starts_with('[') => {
                eprintln!("no IPv6 here: {error}");
                continue;
            }
            listener => listener.unwrap(),
        };
        let error = tcp_accept(&listener).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        let client = tcp_connect(listener.local_addr().unwrap()).unwrap();
        // The handshake over loopback is done when connect(2) returns; accept may still have to
        // wait for it to be queued, so let a blocking accept do that.
        listener.set_nonblocking(false).unwrap();
        let (mut server, peer) = tcp_accept(&listener).unwrap();
        assert_eq!(peer, client.local_addr().unwrap());
        let error = server.read(&mut [0]).unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::WouldBlock,
            "accepted sockets do not block"
        );
    }
    let socket = udp_bind("127.0.0.1:0".parse().unwrap()).unwrap();
    assert!(
        only_v6(&socket).is_err(),
        "an IPv4 socket has no such option"
    );
}
