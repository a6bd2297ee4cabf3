//! Modes of a registration: level, one-shot, exclusive, through every kind of source.

#![cfg(all(
    any(unix, windows),
    feature = "os-poll",
    feature = "os-ext",
    feature = "net"
))]

mod support;

use std::io::{self, Read, Write};
use std::time::Duration;

use mio::event::Source;
#[cfg(all(target_os = "linux", not(mio_unsupported_force_poll_poll)))]
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Registry, Token};
use support::{raw, stream_pair, RawSource, Stream};

const NOW: Option<Duration> = Some(Duration::ZERO);

/// How many of `polls` polls in a row report something.
fn reported(poll: &mut Poll, events: &mut Events, polls: usize) -> usize {
    (0..polls)
        .filter(|_| {
            poll.poll(events, NOW).unwrap();
            !events.is_empty()
        })
        .count()
}

#[test]
fn a_level_source_is_reported_until_it_is_drained() {
    let (mut poll, mut events) = support::poll_and_events();
    let (mut stream, mut peer) = stream_pair();
    poll.registry()
        .register(&mut stream, Token(1), Interest::READABLE.level())
        .unwrap();
    assert_eq!(reported(&mut poll, &mut events, 2), 0);
    peer.write_all(b"x").unwrap();
    assert_eq!(reported(&mut poll, &mut events, 5), 5);
    assert_eq!(stream.read(&mut [0; 8]).unwrap(), 1);
    assert_eq!(reported(&mut poll, &mut events, 2), 0);
}

#[test]
fn a_raw_descriptor_can_be_level_and_one_shot() {
    let (mut poll, mut events) = support::poll_and_events();
    let (stream, mut peer) = stream_pair();
    let descriptor = raw(&stream);
    let mut source = RawSource(&descriptor);
    peer.write_all(b"x").unwrap();
    let readable = Interest::READABLE;
    poll.registry()
        .register(&mut source, Token(1), readable.level())
        .unwrap();
    assert_eq!(reported(&mut poll, &mut events, 5), 5);
    poll.registry()
        .reregister(&mut source, Token(1), readable.oneshot())
        .unwrap();
    assert_eq!(reported(&mut poll, &mut events, 5), 1);
    // Not by time either.
    let rest = Some(Duration::from_millis(40));
    poll.poll(&mut events, rest).unwrap();
    assert!(events.is_empty());
}

/// A source of the kind that every program has: it passes on what it is given.
struct Wrapped(Stream);

impl Source for Wrapped {
    fn register(&mut self, to: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.register(to, token, interests)
    }

    fn reregister(&mut self, to: &Registry, token: Token, interests: Interest) -> io::Result<()> {
        self.0.reregister(to, token, interests)
    }

    fn deregister(&mut self, to: &Registry) -> io::Result<()> {
        self.0.deregister(to)
    }
}

#[test]
fn a_mode_rides_through_any_source() {
    let (mut poll, mut events) = support::poll_and_events();
    let (stream, mut peer) = stream_pair();
    peer.write_all(b"x").unwrap();
    let mut source: Box<dyn Source> = Box::new(Wrapped(stream));
    poll.registry()
        .register(&mut source, Token(1), Interest::READABLE.level())
        .unwrap();
    assert_eq!(reported(&mut poll, &mut events, 3), 3);
    poll.registry()
        .reregister(&mut source, Token(1), Interest::READABLE.oneshot())
        .unwrap();
    assert_eq!(reported(&mut poll, &mut events, 3), 1);
}

#[cfg(target_os = "linux")]
#[cfg(not(mio_unsupported_force_poll_poll))] // poll(2) has no such mode.
#[test]
fn an_exclusive_listener_reaches_each_poll_that_watches_it() {
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let address = listener.local_addr().unwrap();
    let descriptor = raw(&listener);
    let interest = Interest::READABLE.exclusive();
    let (mut one, mut events) = support::poll_and_events();
    let (mut two, _) = support::poll_and_events();
    one.registry()
        .register(&mut RawSource(&descriptor), Token(1), interest)
        .unwrap();
    two.registry()
        .register(&mut RawSource(&descriptor), Token(2), interest)
        .unwrap();
    let clients: Vec<_> = (0..4)
        .map(|_| TcpStream::connect(address).unwrap())
        .collect();
    let mut accepted = 0;
    while accepted < clients.len() {
        for poll in [&mut one, &mut two] {
            poll.poll(&mut events, NOW).unwrap();
            while !events.is_empty() && listener.accept().is_ok() {
                accepted += 1;
                if accepted == clients.len() {
                    break;
                }
            }
        }
    }
}

#[cfg(target_os = "linux")]
#[cfg(not(mio_unsupported_force_poll_poll))] // poll(2) has no such mode.
#[test]
fn an_exclusive_interest_that_the_kernel_would_refuse_is_invalid() {
    let (mut poll, mut events) = support::poll_and_events();
    let (mut stream, mut peer) = stream_pair();
    let readable = Interest::READABLE;
    for interest in [
        (readable | Interest::PRIORITY).exclusive(),
        readable.exclusive().oneshot(),
        Interest::CLOSED.exclusive(),
    ] {
        let refused = poll.registry().register(&mut stream, Token(1), interest);
        support::assert_kind(refused, io::ErrorKind::InvalidInput);
    }
    poll.registry()
        .register(&mut stream, Token(1), readable)
        .unwrap();
    // The other way as well; and a refusal leaves the registration alone.
    let invalid = readable.exclusive().oneshot();
    let refused = poll.registry().reregister(&mut stream, Token(2), invalid);
    support::assert_kind(refused, io::ErrorKind::InvalidInput);
    peer.write_all(b"x").unwrap();
    poll.poll(&mut events, NOW).unwrap();
    assert_eq!(events.get(0).map(|event| event.token()), Some(Token(1)));
    poll.registry()
        .reregister(&mut stream, Token(3), readable.exclusive())
        .unwrap();
    poll.poll(&mut events, NOW).unwrap();
    assert_eq!(events.get(0).map(|event| event.token()), Some(Token(3)));
    poll.registry().deregister(&mut stream).unwrap();
}

#[test]
fn the_algebra_of_modes() {
    let (readable, writable) = (Interest::READABLE, Interest::WRITABLE);
    assert!(!readable.is_level() && !readable.is_oneshot() && !readable.is_exclusive());
    for mode in [Interest::level, Interest::oneshot] {
        assert_eq!(mode(mode(readable)), mode(readable));
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert_eq!(readable.exclusive().exclusive(), readable.exclusive());
    assert!((readable.level() | writable).is_level());
    assert!((readable | writable.level()).is_level());
    assert!(!(readable.level() | writable).edge().is_level());
    assert!((readable.oneshot() | writable).is_oneshot());

    // Taking interests away keeps modes, and takes none.
    let both = (readable | writable).level().oneshot();
    assert_eq!(
        both.remove(writable.level()),
        Some(readable.level().oneshot())
    );
    assert_eq!(both.remove(readable | writable), None);
    assert_eq!(readable.level().remove(readable), None);

    let texts = [
        (readable.level(), "READABLE | LEVEL"),
        (readable.oneshot().level(), "READABLE | LEVEL | ONESHOT"),
        (Interest::CLOSED, "CLOSED"),
        (writable | Interest::CLOSED, "WRITABLE | CLOSED"),
    ];
    for (interest, text) in texts {
        assert_eq!(format!("{interest:?}"), text);
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    assert_eq!(
        format!("{:?}", (readable | writable).exclusive().level()),
        "READABLE | WRITABLE | LEVEL | EXCLUSIVE"
    );
    // What has no mode orders as before.
    assert!(readable < writable && writable < (readable | writable));
    assert_ne!(readable, readable.level());
}
