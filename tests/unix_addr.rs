//! Unix socket addresses: paths, abstract names and none, exact in both directions.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::ffi::OsStr;
use std::io::{ErrorKind, Read, Write};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr;
use std::path::{Path, PathBuf};

use mio::net::{UnixDatagram, UnixListener, UnixStream};
use support::{assert_kind, temp_path};

/// The longest path and the longest abstract name that the kernel's structure holds.
const MAX_PATH: usize = 107;
const MAX_NAME: usize = 107;

/// Abstract names are global to the machine, so each test gets its own.
fn unique(name: &str) -> SocketAddr {
    abstract_name(unique_bytes(name).as_slice())
}

fn unique_bytes(name: &str) -> Vec<u8> {
    format!("mio-test-{}-{name}", std::process::id()).into_bytes()
}

fn abstract_name(name: &[u8]) -> SocketAddr {
    SocketAddr::from_abstract_name(name).unwrap()
}

#[test]
fn abstract_listener_and_stream() {
    let address = unique("stream");
    let listener = UnixListener::bind_addr(&address).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
    let mut client = UnixStream::connect_addr(&address).unwrap();
    assert_eq!(
        client.peer_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
    assert!(client.local_addr().unwrap().is_unnamed());
    let (mut server, peer) = listener.accept().unwrap();
    assert!(peer.is_unnamed());
    assert!(server.peer_addr().unwrap().is_unnamed());
    assert_eq!(
        server.local_addr().unwrap().as_abstract_name(),
        address.as_abstract_name()
    );
    client.write_all(b"x").unwrap();
    assert_eq!(server.read(&mut [0; 4]).unwrap(), 1);
}

/// std, an implementation of its own, must find the socket under the same name, byte for byte.
#[test]
fn std_agrees_on_abstract_names() {
    let mut longest = unique_bytes("longest");
    longest.resize(MAX_NAME, b'n');
    let mut high = unique_bytes("high");
    high.extend([0xff, 0x80, b'/', b' ']);
    let mut inner_nul = unique_bytes("inner");
    inner_nul.extend([0, b'x']);
    for name in [unique_bytes("plain"), longest, high, inner_nul] {
        let address = abstract_name(&name);
        let ours = UnixListener::bind_addr(&address).unwrap();
        assert_eq!(
            ours.local_addr().unwrap().as_abstract_name(),
            Some(name.as_slice())
        );
        std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
        drop(ours);
        let theirs = std::os::unix::net::UnixListener::bind_addr(&address).unwrap();
        let client = UnixStream::connect_addr(&address).unwrap();
        assert_eq!(
            client.peer_addr().unwrap().as_abstract_name(),
            Some(name.as_slice())
        );
        drop(theirs);
    }
}

#[test]
fn abstract_datagram_sender_is_named() {
    let (to, from) = (unique("to"), unique("from"));
    let receiver = UnixDatagram::bind_addr(&to).unwrap();
    let sender = std::os::unix::net::UnixDatagram::bind_addr(&from).unwrap();
    sender.connect_addr(&to).unwrap();
    sender.send(b"x").unwrap();
    let (length, name) = receiver.recv_from(&mut [0; 4]).unwrap();
    assert_eq!(length, 1);
    assert_eq!(name.as_abstract_name(), from.as_abstract_name());
    assert_eq!(
        receiver.local_addr().unwrap().as_abstract_name(),
        to.as_abstract_name()
    );
}

#[test]
fn taken_and_unknown_abstract_names() {
    let address = unique("taken");
    assert_kind(
        UnixStream::connect_addr(&address),
        ErrorKind::ConnectionRefused,
    );
    let _listener = UnixListener::bind_addr(&address).unwrap();
    assert_kind(UnixListener::bind_addr(&address), ErrorKind::AddrInUse);
    // Each kind of socket has its own names.
    UnixDatagram::bind_addr(&address).unwrap();
}

#[test]
fn path_addresses_work_as_addresses_too() {
    let (_dir, path) = temp_path("socket");
    let address = SocketAddr::from_pathname(&path).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().as_pathname(),
        Some(path.as_path())
    );
    let client = UnixStream::connect_addr(&address).unwrap();
    assert_eq!(
        client.peer_addr().unwrap().as_pathname(),
        Some(path.as_path())
    );
    let (_server, peer) = listener.accept().unwrap();
    assert!(peer.is_unnamed());
}

#[test]
fn accept_names_a_peer_that_is_bound_to_a_path() {
    let (dir, path) = temp_path("server");
    let client_path = dir.path().join("client");
    let listener = UnixListener::bind(&path).unwrap();
    let _client = support::situations::unix_stream_bound_and_connected(
        client_path.as_os_str().as_bytes(),
        path.as_os_str().as_bytes(),
    );
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(peer.as_pathname(), Some(client_path.as_path()));
    assert_eq!(
        server.peer_addr().unwrap().as_pathname(),
        Some(client_path.as_path())
    );
}

#[test]
fn both_ends_of_a_pair_are_unnamed() {
    let (one, other) = UnixStream::pair().unwrap();
    for stream in [&one, &other] {
        assert!(stream.local_addr().unwrap().is_unnamed());
        assert!(stream.peer_addr().unwrap().is_unnamed());
    }
    let (one, other) = UnixDatagram::pair().unwrap();
    for socket in [&one, &other] {
        assert!(socket.local_addr().unwrap().is_unnamed());
        assert!(socket.peer_addr().unwrap().is_unnamed());
    }
    assert_kind(
        UnixDatagram::unbound().unwrap().peer_addr(),
        ErrorKind::NotConnected,
    );
}

/// Every verb that takes a path, for paths that cannot be one.
fn assert_refused_everywhere(path: &Path) {
    let datagram = UnixDatagram::unbound().unwrap();
    assert_kind(UnixListener::bind(path), ErrorKind::InvalidInput);
    assert_kind(UnixStream::connect(path), ErrorKind::InvalidInput);
    assert_kind(UnixDatagram::bind(path), ErrorKind::InvalidInput);
    assert_kind(datagram.connect(path), ErrorKind::InvalidInput);
    assert_kind(datagram.send_to(b"x", path), ErrorKind::InvalidInput);
}

#[test]
fn paths_with_nul_or_too_long_are_invalid_input() {
    assert_refused_everywhere(Path::new("with\0nul"));
    assert_refused_everywhere(Path::new("ends with nul\0"));
    assert_refused_everywhere(Path::new(&"x".repeat(MAX_PATH + 1)));
    assert_refused_everywhere(Path::new(&"x".repeat(10_000)));
}

#[test]
fn longest_path_and_odd_bytes_work() {
    let dir = tempfile::tempdir().unwrap();
    let mut longest = dir.path().as_os_str().as_bytes().to_vec();
    longest.push(b'/');
    assert!(
        longest.len() < MAX_PATH,
        "the temporary directory has a long name itself"
    );
    longest.resize(MAX_PATH, b'p');
    let odd = dir.path().join(OsStr::from_bytes(b"\xff \x01\n"));
    for path in [PathBuf::from(OsStr::from_bytes(&longest)), odd] {
        let listener = UnixListener::bind(&path).unwrap();
        assert!(path.exists());
        assert_eq!(
            listener.local_addr().unwrap().as_pathname(),
            Some(path.as_path())
        );
        let client = UnixStream::connect(&path).unwrap();
        assert_eq!(
            client.peer_addr().unwrap().as_pathname(),
            Some(path.as_path())
        );
    }
}

/// An address without a name reaches the kernel as one: to `bind` it means a free name of the
/// kernel's choice, to `connect` nothing.
#[test]
fn unnamed_address_is_passed_as_unnamed() {
    let unnamed = UnixDatagram::unbound().unwrap().local_addr().unwrap();
    assert!(unnamed.is_unnamed());
    let listener = UnixListener::bind_addr(&unnamed).unwrap();
    let datagram = UnixDatagram::bind_addr(&unnamed).unwrap();
    for address in [
        listener.local_addr().unwrap(),
        datagram.local_addr().unwrap(),
    ] {
        assert_eq!(address.as_abstract_name().map(<[u8]>::len), Some(5));
    }
    let theirs = std::os::unix::net::UnixStream::connect_addr(&unnamed).unwrap_err();
    let ours = UnixStream::connect_addr(&unnamed).unwrap_err();
    assert_eq!(ours.raw_os_error(), theirs.raw_os_error());
    assert_eq!(ours.raw_os_error(), Some(libc::EINVAL));
}
