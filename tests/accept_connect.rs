//! Listeners and outgoing connections of TCP.
#![cfg(all(
    any(target_os = "linux", windows),
    feature = "os-poll",
    feature = "net"
))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Interest, Token};
use support::{
    accept_one, assert_kind, assert_would_block, expect_events, expect_no_events, localhost,
    localhost_v6, poll_and_events, situations,
};
#[cfg(unix)]
use support::{is_close_on_exec, is_nonblocking};

const LISTENER: Token = Token(1000);
const CLIENT: Token = Token(1001);
const SERVER: Token = Token(1002);

#[test]
fn listener_without_connection_would_block() {
    let (mut poll, mut events) = poll_and_events();
    let mut listener = TcpListener::bind(localhost()).unwrap();
    assert_would_block(listener.accept());
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    assert!(listener.take_error().unwrap().is_none());
}

fn tcp_round_trip(address: SocketAddr) {
    let (mut poll, mut events) = poll_and_events();
    let mut listener = TcpListener::bind(address).unwrap();
    let address = listener.local_addr().unwrap();
    assert_ne!(address.port(), 0);
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    let mut client = TcpStream::connect(address).unwrap();
    poll.registry()
        .register(&mut client, CLIENT, Interest::WRITABLE)
        .unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(LISTENER, Event::is_readable), (CLIENT, Event::is_writable)],
    );
    let (mut server, peer) = listener.accept().unwrap();
    assert_would_block(listener.accept());
    assert!(client.take_error().unwrap().is_none());
    assert_eq!(client.peer_addr().unwrap(), address);
    assert_eq!(client.local_addr().unwrap(), peer);
    assert_eq!(server.peer_addr().unwrap(), peer);
    assert_eq!(server.local_addr().unwrap(), address);

    poll.registry()
        .register(&mut server, SERVER, Interest::READABLE)
        .unwrap();
    (&client).write_all(b"hello").unwrap();
    expect_events(&mut poll, &mut events, &[(SERVER, Event::is_readable)]);
    let mut greeting = [0; 5];
    assert_eq!(server.peek(&mut greeting).unwrap(), 5);
    (&server).read_exact(&mut greeting).unwrap();
    assert_eq!(&greeting, b"hello");
    assert_would_block(server.peek(&mut greeting));
}

#[test]
fn tcp_round_trip_v4() {
    tcp_round_trip(localhost());
}

#[test]
fn tcp_round_trip_v6() {
    // A machine may have no IPv6 at all; that is no matter of this crate.
    if std::net::TcpListener::bind(localhost_v6()).is_ok() {
        tcp_round_trip(localhost_v6());
    }
}

#[cfg(unix)]
#[test]
fn every_socket_is_non_blocking_and_closes_on_exec() {
    let listener = TcpListener::bind(localhost()).unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = accept_one(|| listener.accept());
    assert!(is_nonblocking(&listener) && is_close_on_exec(&listener));
    for stream in [&client, &server] {
        assert!(is_nonblocking(stream) && is_close_on_exec(stream));
    }
}

#[test]
fn listening_port_can_be_bound_again_at_once() {
    let listener = TcpListener::bind(localhost()).unwrap();
    #[cfg(unix)]
    assert_eq!(support::socket_option(&listener, libc::SO_REUSEADDR), 1);
    let address = listener.local_addr().unwrap();
    assert_kind(TcpListener::bind(address), ErrorKind::AddrInUse);
}

#[test]
fn address_of_nobody_cannot_be_bound() {
    // Reserved for documentation, so no interface has it.
    let address = "192.0.2.1:0".parse().unwrap();
    assert_kind(TcpListener::bind(address), ErrorKind::AddrNotAvailable);
}

/// What the system refuses at once is an error, and no connection that is under way. No stream
/// goes to everybody.
#[cfg(unix)]
#[test]
fn connect_to_a_broadcast_address_fails_at_once() {
    let address = "255.255.255.255:1".parse().unwrap();
    assert!(TcpStream::connect(address).is_err());
}

#[test]
fn refused_connect_is_reported_by_event_and_error() {
    let (mut poll, mut events) = poll_and_events();
    let (_reserved, address) = situations::deaf_port();
    let mut client = TcpStream::connect(address).unwrap();
    poll.registry()
        .register(&mut client, CLIENT, Interest::WRITABLE)
        .unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(CLIENT, Event::is_writable), (CLIENT, Event::is_error)],
    );
    let error = client.take_error().unwrap().expect("the refusal");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert_kind(client.peer_addr(), ErrorKind::NotConnected);
}

#[test]
fn accept_drains_a_backlog_after_one_event() {
    let (mut poll, mut events) = poll_and_events();
    let mut listener = TcpListener::bind(localhost()).unwrap();
    let address = listener.local_addr().unwrap();
    poll.registry()
        .register(&mut listener, LISTENER, Interest::READABLE)
        .unwrap();
    let _clients: Vec<_> = (0..20)
        .map(|_| std::net::TcpStream::connect(address).unwrap())
        .collect();
    expect_events(&mut poll, &mut events, &[(LISTENER, Event::is_readable)]);
    for _ in 0..20 {
        drop(accept_one(|| listener.accept()));
    }
    assert_would_block(listener.accept());
}

#[test]
fn options_come_back_as_they_were_set() {
    let (client, _server) = support::tcp_pair();
    for on in [true, false] {
        client.set_nodelay(on).unwrap();
        assert_eq!(client.nodelay().unwrap(), on);
    }
    client.set_ttl(61).unwrap();
    assert_eq!(client.ttl().unwrap(), 61);
    let listener = TcpListener::bind(localhost()).unwrap();
    listener.set_ttl(62).unwrap();
    assert_eq!(listener.ttl().unwrap(), 62);
}
