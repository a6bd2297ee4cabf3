//! What the sockets of this crate are and do on Windows.
#![cfg(all(windows, feature = "os-ext", feature = "net"))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::os::windows::io::{
    AsRawSocket, AsSocket, FromRawSocket, IntoRawSocket, OwnedSocket, RawSocket,
};
use std::time::Duration;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream, UdpSocket};
use mio::windows::{SourceBorrowedSocket, SourceSocket};
use mio::{Interest, Token};
use support::situations::{is_inherited, reset_on_close};
use support::{
    accept_one, assert_kind, assert_os_error, assert_would_block, expect_events, expect_no_events,
    localhost, poll_and_events,
};
use windows_sys::Win32::Networking::WinSock::{WSAEMSGSIZE, WSAENOTSOCK};

const OWN: Token = Token(1);

#[test]
fn every_socket_is_non_blocking_and_not_inherited() {
    let listener = TcpListener::bind(localhost()).unwrap();
    assert_would_block(listener.accept());
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let server = accept_one(|| listener.accept());
    assert_would_block((&server).read(&mut [0]));
    let udp = UdpSocket::bind(localhost()).unwrap();
    assert_would_block(udp.recv(&mut [0]));
    assert!(!is_inherited(&listener) && !is_inherited(&udp));
    assert!(!is_inherited(&client) && !is_inherited(&server));
}

/// By default a receive would fail because of a datagram that somebody else did not take.
#[test]
fn a_refused_datagram_is_no_error_of_the_sender() {
    let (mut poll, mut events) = poll_and_events();
    let nobody = UdpSocket::bind(localhost()).unwrap().local_addr().unwrap();
    let mut own = UdpSocket::bind(localhost()).unwrap();
    let peer = UdpSocket::bind(localhost()).unwrap();
    poll.registry()
        .register(&mut own, OWN, Interest::READABLE)
        .unwrap();
    own.send_to(b"nobody hears", nobody).unwrap();
    peer.send_to(b"x", own.local_addr().unwrap()).unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    loop {
        match own.recv(&mut [0; 4]) {
            Ok(length) => break assert_eq!(length, 1),
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
        }
        expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    }
}

/// Here, and not on Unix, what does not fit is an error; the part that fits is lost with it.
#[test]
fn a_datagram_that_does_not_fit_is_an_error() {
    let (mut poll, mut events) = poll_and_events();
    let one = UdpSocket::bind(localhost()).unwrap();
    let mut other = UdpSocket::bind(localhost()).unwrap();
    poll.registry()
        .register(&mut other, OWN, Interest::READABLE)
        .unwrap();
    one.send_to(b"long datagram", other.local_addr().unwrap())
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    assert_os_error(other.recv_from(&mut [0; 4]), WSAEMSGSIZE);
    assert_would_block(other.recv_from(&mut [0; 16]));
}

#[test]
fn a_reset_closes_both_directions() {
    let (mut poll, mut events) = poll_and_events();
    let (mut own, peer) = support::tcp_pair();
    poll.registry()
        .register(&mut own, OWN, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    reset_on_close(&peer);
    drop(peer);
    expect_events(
        &mut poll,
        &mut events,
        &[(OWN, Event::is_read_closed), (OWN, Event::is_write_closed)],
    );
    // Wine takes the error off the socket when it is polled.
    match own.read(&mut [0]) {
        Ok(length) => assert_eq!(length, 0),
        Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
    }
}

/// Each way of reading arms the next event: the peeks, the vectored ones, and those of others.
#[test]
fn every_operation_that_would_block_arms_the_next_event() {
    type Operation = fn(&TcpStream) -> std::io::Result<usize>;
    let operations: [Operation; 4] = [
        |mut stream| stream.read(&mut [0; 16]),
        |stream| stream.peek(&mut [0; 16]),
        |mut stream| stream.read_vectored(&mut [std::io::IoSliceMut::new(&mut [0; 16])]),
        |stream| stream.try_io(|| Err(ErrorKind::WouldBlock.into())),
    ];
    for operation in operations {
        let (mut poll, mut events) = poll_and_events();
        let (mut own, mut peer) = support::tcp_pair();
        poll.registry()
            .register(&mut own, OWN, Interest::READABLE)
            .unwrap();
        peer.write_all(b"x").unwrap();
        expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
        // By std, of which the source knows nothing.
        let mut std = std::mem::ManuallyDrop::new(unsafe_clone(&own));
        assert_eq!(std.read(&mut [0; 16]).unwrap(), 1);
        expect_no_events(&mut poll, &mut events);
        assert_would_block(operation(&own));
        peer.write_all(b"y").unwrap();
        expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    }
}

/// The same socket as a stream of std, which must not be dropped.
fn unsafe_clone(stream: &TcpStream) -> std::net::TcpStream {
    #[allow(unsafe_code)]
    // SAFETY: the caller never drops it, and keeps the original.
    unsafe {
        std::net::TcpStream::from_raw_socket(stream.as_raw_socket())
    }
}

#[test]
fn urgent_data_is_a_priority_event() {
    use windows_sys::Win32::Networking::WinSock::{send, MSG_OOB, SOCKET};
    let (mut poll, mut events) = poll_and_events();
    let (mut own, mut peer) = support::tcp_pair();
    poll.registry()
        .register(&mut own, OWN, Interest::PRIORITY)
        .unwrap();
    peer.write_all(b"plain").unwrap();
    expect_no_events(&mut poll, &mut events);
    let raw = peer.as_raw_socket() as SOCKET;
    #[allow(unsafe_code)]
    // SAFETY: the buffer has the length that is given with it.
    let sent = unsafe { send(raw, b"!".as_ptr(), 1, MSG_OOB) };
    assert_eq!(sent, 1);
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_priority)]);
}

#[test]
fn sockets_come_from_std_and_from_raw_sockets_and_go_back() {
    let theirs = std::net::UdpSocket::bind(localhost()).unwrap();
    let raw: RawSocket = theirs.as_raw_socket();
    let text = format!("{theirs:?}");
    let ours = UdpSocket::try_from(theirs).unwrap();
    assert_would_block(ours.recv(&mut [0]));
    assert_eq!(format!("{ours:?}"), text);
    assert_eq!(ours.as_socket().as_raw_socket(), raw);
    let owned = OwnedSocket::from(ours);
    let ours = UdpSocket::from(owned);
    let given = ours.into_raw_socket();
    assert_eq!(given, raw);
    #[allow(unsafe_code)]
    // SAFETY: `into_raw_socket` has just given it up to us.
    let ours = unsafe { UdpSocket::from_raw_socket(given) };
    let theirs = std::net::UdpSocket::from(ours);
    assert_eq!(theirs.as_raw_socket(), raw);
}

#[test]
fn a_raw_socket_is_armed_by_its_user() {
    let (mut poll, mut events) = poll_and_events();
    let own = std::net::UdpSocket::bind(localhost()).unwrap();
    own.set_nonblocking(true).unwrap();
    let to = own.local_addr().unwrap();
    let raw = own.as_raw_socket();
    let registry = poll.registry().try_clone().unwrap();
    let mut source = SourceSocket(&raw);
    assert_kind(source.rearm(&registry), ErrorKind::NotFound);
    registry
        .register(&mut source, OWN, Interest::READABLE)
        .unwrap();
    let again = registry.register(&mut SourceSocket(&raw), OWN, Interest::READABLE);
    assert_kind(again, ErrorKind::AlreadyExists);
    for _ in 0..3 {
        own.send_to(b"x", to).unwrap();
        expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
        assert_eq!(own.recv(&mut [0; 4]).unwrap(), 1);
        own.send_to(b"y", to).unwrap();
        expect_no_events(&mut poll, &mut events);
        assert_eq!(own.recv(&mut [0; 4]).unwrap(), 1);
        source.rearm(&registry).unwrap();
    }
    let mut borrowed = SourceBorrowedSocket::from(own.as_socket());
    registry
        .reregister(&mut borrowed, Token(2), Interest::WRITABLE.level())
        .unwrap();
    for _ in 0..3 {
        expect_events(&mut poll, &mut events, &[(Token(2), Event::is_writable)]);
    }
    registry.deregister(&mut borrowed).unwrap();
    expect_no_events(&mut poll, &mut events);
    assert_kind(borrowed.rearm(&registry), ErrorKind::NotFound);
    assert_kind(registry.deregister(&mut borrowed), ErrorKind::NotFound);
}

#[test]
fn what_is_no_socket_is_refused() {
    let (poll, _) = poll_and_events();
    let mut source = SourceSocket(&RawSocket::MAX);
    let result = poll
        .registry()
        .register(&mut source, OWN, Interest::READABLE);
    assert_os_error(result, WSAENOTSOCK);
    let result = poll.registry().deregister(&mut source);
    assert_kind(result, ErrorKind::NotFound);
}

/// The number of a socket that was closed is soon another's.
#[test]
fn a_raw_socket_that_was_closed_is_forgotten() {
    let (mut poll, mut events) = poll_and_events();
    let own = std::net::UdpSocket::bind(localhost()).unwrap();
    let raw = own.as_raw_socket();
    poll.registry()
        .register(&mut SourceSocket(&raw), OWN, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    drop(own);
    poll.poll(&mut events, Some(Duration::from_millis(20)))
        .unwrap();
    assert!(events.is_empty());
    let result = poll.registry().deregister(&mut SourceSocket(&raw));
    assert_kind(result, ErrorKind::NotFound);
}
