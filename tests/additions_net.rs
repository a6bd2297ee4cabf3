//! What the sockets of this crate offer beyond mio 1.2.5.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, AsRawFd};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

use mio::net::{UnixDatagram, UnixListener, UnixStream};
use support::{
    assert_kind, assert_os_error, assert_works_in_a_queue, assert_would_block, is_nonblocking,
    temp_path,
};

fn abstract_name(suffix: &str) -> SocketAddr {
    let name = format!("mio-additions-{}-{suffix}", std::process::id());
    SocketAddr::from_abstract_name(name).unwrap()
}

/// Converts, and asserts that the same descriptor came out, no longer blocking.
fn convert<S, M>(theirs: S) -> M
where
    S: AsFd,
    M: TryFrom<S, Error = io::Error> + AsFd,
{
    let fd = theirs.as_fd().as_raw_fd();
    assert!(
        !is_nonblocking(&theirs),
        "the conversion would have nothing to do"
    );
    let ours = M::try_from(theirs).unwrap();
    assert_eq!(ours.as_fd().as_raw_fd(), fd);
    assert!(is_nonblocking(&ours));
    ours
}

#[test]
fn conversion_from_std_makes_unix_sockets_non_blocking() {
    let (_dir, path) = temp_path("socket");
    let listener: UnixListener = convert(std::os::unix::net::UnixListener::bind(path).unwrap());
    assert_would_block(listener.accept());
    let (one, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut stream: UnixStream = convert(one);
    assert_would_block(stream.read(&mut [0]));
    let (one, _other) = std::os::unix::net::UnixDatagram::pair().unwrap();
    let socket: UnixDatagram = convert(one);
    assert_would_block(socket.recv(&mut [0]));
}

#[test]
fn converted_stream_works_in_a_queue() {
    let (one, mut other) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut stream = UnixStream::try_from(one).unwrap();
    assert_works_in_a_queue(&mut stream, &mut other);
}

#[test]
fn unix_listener_tries_io() {
    let (_dir, path) = temp_path("socket");
    let unix = UnixListener::bind(path).unwrap();
    assert_eq!(unix.try_io(|| Ok("seven")).unwrap(), "seven");
    assert_would_block(unix.try_io(|| unix.accept()));
    let fail = || Err::<(), _>(io::Error::from_raw_os_error(libc::EIO));
    assert_os_error(unix.try_io(fail), libc::EIO);
}

#[test]
fn datagrams_go_to_addresses_of_both_kinds() {
    let (dir, path) = temp_path("receiver");
    let by_path = SocketAddr::from_pathname(&path).unwrap();
    let own_path = SocketAddr::from_pathname(dir.path().join("sender")).unwrap();
    for (to, from) in [
        (abstract_name("to"), abstract_name("from")),
        (by_path, own_path),
    ] {
        let receiver = UnixDatagram::bind_addr(&to).unwrap();
        let sender = UnixDatagram::bind_addr(&from).unwrap();
        assert_eq!(sender.send_to_addr(b"once", &to).unwrap(), 4);
        sender.connect_addr(&to).unwrap();
        let peer = sender.peer_addr().unwrap();
        assert_eq!(peer.as_abstract_name(), to.as_abstract_name());
        assert_eq!(peer.as_pathname(), to.as_pathname());
        assert_eq!(sender.send(b"more").unwrap(), 4);
        for expected in [b"once", b"more"] {
            let mut buffer = [0; 8];
            let (length, name) = receiver.recv_from(&mut buffer).unwrap();
            assert_eq!(&buffer[..length], expected);
            assert_eq!(name.as_abstract_name(), from.as_abstract_name());
            assert_eq!(name.as_pathname(), from.as_pathname());
        }
        assert_would_block(receiver.recv(&mut [0; 8]));
    }
}

#[test]
fn abstract_names_with_leading_nul_are_reached() {
    let name = format!("\0mio-additions-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let receiver = std::os::unix::net::UnixDatagram::bind_addr(&address).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    sender.send_to_addr(b"a", &address).unwrap();
    sender.connect_addr(&address).unwrap();
    sender.send(b"bc").unwrap();
    assert_eq!(receiver.recv(&mut [0; 4]).unwrap(), 1);
    assert_eq!(receiver.recv(&mut [0; 4]).unwrap(), 2);
}

#[test]
fn nobody_at_an_address_is_an_error() {
    let nobody = abstract_name("nobody");
    let socket = UnixDatagram::unbound().unwrap();
    assert_kind(socket.connect_addr(&nobody), ErrorKind::ConnectionRefused);
    assert_kind(
        socket.send_to_addr(b"x", &nobody),
        ErrorKind::ConnectionRefused,
    );
}

#[test]
fn full_queue_at_an_address_would_block() {
    let address = abstract_name("full");
    let receiver = UnixDatagram::bind_addr(&address).unwrap();
    let sender = UnixDatagram::unbound().unwrap();
    while sender.send_to_addr(b"x", &address).is_ok() {}
    assert_would_block(sender.send_to_addr(b"x", &address));
    assert_eq!(receiver.recv(&mut [0; 4]).unwrap(), 1);
    sender.send_to_addr(b"x", &address).unwrap();
}

#[test]
fn peeked_datagram_stays_and_names_its_sender() {
    let (to, from) = (abstract_name("peek-to"), abstract_name("peek-from"));
    let receiver = UnixDatagram::bind_addr(&to).unwrap();
    let sender = UnixDatagram::bind_addr(&from).unwrap();
    let mut buffer = [0; 8];
    assert_would_block(receiver.peek(&mut buffer));
    assert_would_block(receiver.peek_from(&mut buffer));
    sender.send_to_addr(b"peeked", &to).unwrap();
    for _ in 0..2 {
        assert_eq!(receiver.peek(&mut buffer).unwrap(), 6);
        assert_eq!(&buffer[..6], b"peeked");
        let (length, name) = receiver.peek_from(&mut buffer).unwrap();
        assert_eq!(length, 6);
        assert_eq!(name.as_abstract_name(), from.as_abstract_name());
    }
    // A short look is cut as a short read is, and takes nothing away either.
    assert_eq!(receiver.peek(&mut [0; 2]).unwrap(), 2);
    assert_eq!(receiver.recv(&mut buffer).unwrap(), 6);
    assert_would_block(receiver.peek(&mut buffer));
}

#[test]
fn peek_from_an_unnamed_sender() {
    let (one, other) = UnixDatagram::pair().unwrap();
    one.send(b"").unwrap();
    one.send(b"x").unwrap();
    let (length, name) = other.peek_from(&mut [0; 4]).unwrap();
    assert_eq!(length, 0, "an empty datagram is one");
    assert!(name.is_unnamed());
    assert_eq!(other.recv(&mut [0; 4]).unwrap(), 0);
    assert_eq!(other.peek(&mut [0; 4]).unwrap(), 1);
}
