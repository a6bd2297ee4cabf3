//! Listeners and outgoing connections of Unix sockets.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::{UnixListener, UnixStream};
use mio::{Interest, Token};
use support::{
    accept_one, assert_kind, assert_would_block, expect_events, expect_no_events, is_close_on_exec,
    is_nonblocking, poll_and_events, situations, temp_path,
};

const LISTENER: Token = Token(1000);
const SERVER: Token = Token(1002);

#[test]
fn every_socket_is_non_blocking_and_closes_on_exec() {
    let (_dir, path) = temp_path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    let client = UnixStream::connect(&path).unwrap();
    let server = accept_one(|| listener.accept());
    let (one, other) = UnixStream::pair().unwrap();
    assert!(is_nonblocking(&listener) && is_close_on_exec(&listener));
    for stream in [&client, &server, &one, &other] {
        assert!(is_nonblocking(stream) && is_close_on_exec(stream));
    }
}

#[test]
fn unix_round_trip() {
    let (mut poll, mut events) = poll_and_events();
    let (_dir, path) = temp_path("socket");
    let mut listener = UnixListener::bind(&path).unwrap();
    assert_would_block(listener.accept());
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    let mut client = UnixStream::connect(&path).unwrap();
    expect_events(&mut poll, &mut events, &[(LISTENER, Event::is_readable)]);
    let (mut server, peer) = listener.accept().unwrap();
    assert!(peer.is_unnamed());
    assert_would_block(listener.accept());

    poll.registry()
        .register(&mut server, SERVER, Interest::READABLE)
        .unwrap();
    client.write_all(b"hello").unwrap();
    expect_events(&mut poll, &mut events, &[(SERVER, Event::is_readable)]);
    let mut greeting = [0; 5];
    server.read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"hello");
    assert!(client.take_error().unwrap().is_none());
}

#[test]
fn unix_connect_to_nobody_fails_at_once() {
    let (_dir, path) = temp_path("socket");
    assert_kind(UnixStream::connect(&path), ErrorKind::NotFound);
    drop(UnixListener::bind(&path).unwrap());
    assert_kind(UnixStream::connect(&path), ErrorKind::ConnectionRefused);
    assert_kind(UnixListener::bind(&path), ErrorKind::AddrInUse);
}

#[test]
fn unix_connect_to_a_full_backlog_would_block() {
    let (_dir, path) = temp_path("socket");
    let listener = UnixListener::bind(&path).unwrap();
    situations::set_backlog(&listener, 1);
    let mut clients = Vec::new();
    let error = loop {
        match UnixStream::connect(&path) {
            Ok(client) => clients.push(client),
            Err(error) => break error,
        }
        assert!(clients.len() < 10, "a backlog of one took ten");
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    drop(listener.accept().unwrap());
    UnixStream::connect(&path).unwrap();
}
