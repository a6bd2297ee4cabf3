//! Datagrams keep their boundaries and their senders, over UDP.
#![cfg(all(
    any(target_os = "linux", windows),
    feature = "os-poll",
    feature = "net"
))]

mod support;

use std::io::ErrorKind;
use std::net::SocketAddr;

use mio::event::Event;
use mio::net::UdpSocket;
use mio::{Interest, Token};
use support::{
    assert_kind, assert_would_block, expect_events, expect_no_events, localhost, localhost_v6,
    poll_and_events,
};
#[cfg(unix)]
use support::{is_close_on_exec, is_nonblocking};

const ONE: Token = Token(1);
const OTHER: Token = Token(2);

fn udp_pair() -> (UdpSocket, UdpSocket) {
    let one = UdpSocket::bind(localhost()).unwrap();
    let other = UdpSocket::bind(localhost()).unwrap();
    one.connect(other.local_addr().unwrap()).unwrap();
    other.connect(one.local_addr().unwrap()).unwrap();
    (one, other)
}

fn udp_unconnected(address: SocketAddr) {
    let (mut poll, mut events) = poll_and_events();
    let mut one = UdpSocket::bind(address).unwrap();
    let mut other = UdpSocket::bind(address).unwrap();
    let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
    assert_kind(one.peer_addr(), ErrorKind::NotConnected);
    assert_would_block(other.recv_from(&mut [0; 4]));
    poll.registry()
        .register(&mut one, ONE, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut other, OTHER, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(ONE, Event::is_writable)]);
    assert_eq!(one.send_to(b"first", to).unwrap(), 5);
    assert_eq!(one.send_to(b"", to).unwrap(), 0);
    assert_eq!(one.send_to(b"third", to).unwrap(), 5);
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);

    let mut buffer = [0; 16];
    assert_eq!(other.peek_from(&mut buffer).unwrap(), (5, from));
    assert_eq!(other.recv_from(&mut buffer).unwrap(), (5, from));
    assert_eq!(&buffer[..5], b"first");
    assert_eq!(
        other.recv_from(&mut buffer).unwrap(),
        (0, from),
        "an empty one is one"
    );
    assert_eq!(other.recv_from(&mut buffer).unwrap(), (5, from));
    assert_eq!(&buffer[..5], b"third");
    assert_would_block(other.recv_from(&mut buffer));
    assert_would_block(other.peek_from(&mut buffer));
}

#[test]
fn udp_unconnected_v4() {
    udp_unconnected(localhost());
}

#[test]
fn udp_unconnected_v6() {
    // A machine may have no IPv6 at all; that is no matter of this crate.
    if std::net::UdpSocket::bind(localhost_v6()).is_ok() {
        udp_unconnected(localhost_v6());
    }
}

#[test]
fn udp_connected() {
    let (mut poll, mut events) = poll_and_events();
    let (one, mut other) = udp_pair();
    assert_eq!(one.peer_addr().unwrap(), other.local_addr().unwrap());
    poll.registry()
        .register(&mut other, OTHER, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    assert_eq!(one.send(b"connected").unwrap(), 9);
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    let mut buffer = [0; 16];
    assert_eq!(other.peek(&mut buffer).unwrap(), 9);
    assert_eq!(other.recv(&mut buffer).unwrap(), 9);
    assert_eq!(&buffer[..9], b"connected");
    assert_would_block(other.recv(&mut buffer));
    assert_would_block(other.peek(&mut buffer));
}

#[test]
fn udp_stranger_is_not_heard_once_connected() {
    let (one, other) = udp_pair();
    let stranger = UdpSocket::bind(localhost()).unwrap();
    stranger
        .send_to(b"psst", other.local_addr().unwrap())
        .unwrap();
    one.send(b"known").unwrap();
    let (mut poll, mut events) = poll_and_events();
    let mut other = other;
    poll.registry()
        .register(&mut other, OTHER, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    let mut buffer = [0; 16];
    assert_eq!(other.recv(&mut buffer).unwrap(), 5);
    assert_eq!(&buffer[..5], b"known");
}

/// Windows tells of it only where it was asked to, and sockets that are made here are not.
#[cfg(unix)]
#[test]
fn udp_refusal_is_the_next_error() {
    let (mut poll, mut events) = poll_and_events();
    let elsewhere = UdpSocket::bind(localhost()).unwrap();
    // Connected elsewhere, it keeps its port and takes nothing from others on it.
    let closed = UdpSocket::bind(localhost()).unwrap();
    closed.connect(elsewhere.local_addr().unwrap()).unwrap();
    let mut own = UdpSocket::bind(localhost()).unwrap();
    own.connect(closed.local_addr().unwrap()).unwrap();
    poll.registry()
        .register(&mut own, ONE, Interest::READABLE)
        .unwrap();
    own.send(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(ONE, Event::is_error)]);
    let error = own.take_error().unwrap().expect("the refusal");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    assert!(own.take_error().unwrap().is_none());
}

/// Nobody has said `WouldBlock` since the error, but reading was awaited all the time.
#[cfg(unix)]
#[test]
fn udp_reading_goes_on_after_an_error_was_taken() {
    let (mut poll, mut events) = poll_and_events();
    let peer = UdpSocket::bind(localhost()).unwrap();
    let elsewhere = UdpSocket::bind(localhost()).unwrap();
    peer.connect(elsewhere.local_addr().unwrap()).unwrap();
    let mut own = UdpSocket::bind(localhost()).unwrap();
    own.connect(peer.local_addr().unwrap()).unwrap();
    poll.registry()
        .register(&mut own, ONE, Interest::READABLE)
        .unwrap();
    own.send(b"refused").unwrap();
    // An error here, readability there: either says that a read has an answer.
    expect_events(&mut poll, &mut events, &[(ONE, Event::should_read)]);
    assert!(own.take_error().unwrap().is_some());

    peer.connect(own.local_addr().unwrap()).unwrap();
    peer.send(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(ONE, Event::is_readable)]);
    assert_eq!(own.recv(&mut [0; 4]).unwrap(), 1);
}

#[cfg(unix)]
#[test]
fn udp_truncation_keeps_the_sender() {
    let (mut poll, mut events) = poll_and_events();
    let one = UdpSocket::bind(localhost()).unwrap();
    let mut other = UdpSocket::bind(localhost()).unwrap();
    poll.registry()
        .register(&mut other, OTHER, Interest::READABLE)
        .unwrap();
    one.send_to(b"long datagram", other.local_addr().unwrap())
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_readable)]);
    let mut buffer = [0; 4];
    assert_eq!(
        other.peek_from(&mut buffer).unwrap(),
        (4, one.local_addr().unwrap())
    );
    assert_eq!(
        other.recv_from(&mut buffer).unwrap(),
        (4, one.local_addr().unwrap())
    );
    assert_would_block(other.recv(&mut buffer));
}

#[cfg(unix)]
#[test]
fn udp_too_long_is_the_systems_error() {
    let (one, _other) = udp_pair();
    support::assert_os_error(one.send(&vec![0; 65_508]), libc::EMSGSIZE);
    assert_eq!(one.send(&vec![0; 65_507]).unwrap(), 65_507);
}

#[cfg(unix)]
#[test]
fn every_socket_is_non_blocking_and_closes_on_exec() {
    let udp = UdpSocket::bind(localhost()).unwrap();
    assert!(is_nonblocking(&udp) && is_close_on_exec(&udp));
}
