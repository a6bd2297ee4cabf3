//! Datagrams keep their boundaries and their senders, over Unix sockets.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::io::ErrorKind;
use std::net::Shutdown;

use mio::event::Event;
use mio::net::UnixDatagram;
use mio::{Interest, Token};
use support::{
    assert_kind, assert_would_block, expect_events, expect_no_events, is_close_on_exec,
    is_nonblocking, poll_and_events, tells_end, temp_path,
};

const ONE: Token = Token(1);
const OTHER: Token = Token(2);

#[test]
fn every_socket_is_non_blocking_and_closes_on_exec() {
    let (_dir, path) = temp_path("socket");
    let (one, other) = UnixDatagram::pair().unwrap();
    let (bound, unbound) = (
        UnixDatagram::bind(path).unwrap(),
        UnixDatagram::unbound().unwrap(),
    );
    for socket in [&one, &other, &bound, &unbound] {
        assert!(is_nonblocking(socket) && is_close_on_exec(socket));
    }
}

/// Unix cuts what does not fit, without a word, and drops the rest of that datagram only.
#[test]
fn truncated_datagram_loses_its_tail() {
    let (one, other) = UnixDatagram::pair().unwrap();
    one.send(b"long datagram").unwrap();
    one.send(b"next").unwrap();
    let mut buffer = [0; 4];
    assert_eq!(other.recv(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"long");
    assert_eq!(other.recv(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer, b"next");
    assert_would_block(other.recv(&mut buffer));
}

#[test]
fn unix_by_path() {
    let (mut poll, mut events) = poll_and_events();
    let (dir, path) = temp_path("receiver");
    let sender_path = dir.path().join("sender");
    let mut receiver = UnixDatagram::bind(&path).unwrap();
    poll.registry()
        .register(&mut receiver, OTHER, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);

    let named = UnixDatagram::bind(&sender_path).unwrap();
    assert_eq!(named.send_to(b"named", &path).unwrap(), 5);
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    let mut buffer = [0; 16];
    let (length, from) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"named");
    assert_eq!(from.as_pathname(), Some(sender_path.as_path()));
    assert_would_block(receiver.recv_from(&mut buffer));

    let unnamed = UnixDatagram::unbound().unwrap();
    assert!(unnamed.local_addr().unwrap().is_unnamed());
    unnamed.connect(&path).unwrap();
    assert_eq!(
        unnamed.peer_addr().unwrap().as_pathname(),
        Some(path.as_path())
    );
    assert_eq!(unnamed.send(b"unnamed").unwrap(), 7);
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    let (length, from) = receiver.recv_from(&mut buffer).unwrap();
    assert_eq!(&buffer[..length], b"unnamed");
    assert!(from.is_unnamed());
    assert_would_block(receiver.recv_from(&mut buffer));
}

#[test]
fn unix_pair_and_its_half_close() {
    let (mut poll, mut events) = poll_and_events();
    let (one, mut other) = UnixDatagram::pair().unwrap();
    poll.registry()
        .register(&mut other, OTHER, Interest::READABLE)
        .unwrap();
    one.send(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    assert_eq!(other.recv(&mut [0; 4]).unwrap(), 1);
    assert_would_block(other.recv(&mut [0; 4]));
    other.shutdown(Shutdown::Read).unwrap();
    expect_events(&mut poll, &mut events, &[(OTHER, tells_end)]);
    // A datagram socket has no end of stream: it would wait for ever.
    assert_would_block(other.recv(&mut [0; 4]));
    assert_kind(one.send(b"x"), ErrorKind::BrokenPipe);
    assert!(one.take_error().unwrap().is_none());
}

#[test]
fn unix_queue_that_is_full_would_block_and_then_is_writable() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, other) = UnixDatagram::pair().unwrap();
    let mut sent = 0;
    while one.send(b"x").is_ok() {
        sent += 1;
    }
    assert_would_block(one.send(b"x"));
    poll.registry()
        .register(&mut one, ONE, Interest::WRITABLE)
        .unwrap();
    for _ in 0..sent {
        other.recv(&mut [0; 4]).unwrap();
    }
    expect_events(&mut poll, &mut events, &[(ONE, Event::is_writable)]);
    one.send(b"x").unwrap();
}
