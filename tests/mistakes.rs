//! Mistakes of registration are answered with the right error, and what worked before still works.
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext"))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::time::Duration;

use mio::{Events, Interest, Poll, Token};
use support::{Local, Pair};

const NOW: Option<Duration> = Some(Duration::ZERO);
const READ: Interest = Interest::READABLE;

/// Long enough for what was written to arrive: a socket takes a moment.
const ARRIVED: Option<Duration> = if cfg!(windows) { None } else { NOW };

fn tokens(poll: &mut Poll, timeout: Option<Duration>) -> Vec<usize> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, timeout).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

#[test]
fn a_second_registration_leaves_the_first_intact() {
    let mut poll = Poll::new().unwrap();
    let (mut sender, mut receiver) = Local::connected();
    poll.registry()
        .register(&mut receiver, Token(1), READ)
        .unwrap();
    for token in 1..4 {
        let err = poll
            .registry()
            .register(&mut receiver, Token(77), READ)
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::AlreadyExists);
        sender.write_all(b"x").unwrap();
        assert_eq!(tokens(&mut poll, ARRIVED), [token]);
        poll.registry()
            .reregister(&mut receiver, Token(token + 1), READ)
            .unwrap();
        assert_eq!(tokens(&mut poll, ARRIVED), [token + 1]);
        receiver.read_exact(&mut [0]).unwrap();
        let empty = receiver.read(&mut [0]).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    }
    sender.write_all(b"x").unwrap();
    poll.registry().deregister(&mut receiver).unwrap();
    poll.registry()
        .register(&mut receiver, Token(9), READ)
        .unwrap();
    assert_eq!(tokens(&mut poll, ARRIVED), [9]);
}

#[test]
fn an_unregistered_source_is_not_found_and_stays_usable() {
    let mut poll = Poll::new().unwrap();
    let (mut sender, mut receiver) = Local::connected();
    sender.write_all(b"x").unwrap();
    for token in 0..3 {
        let registry = poll.registry();
        let err = registry
            .reregister(&mut receiver, Token(7), READ)
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        let err = registry.deregister(&mut receiver).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::NotFound);
        registry
            .register(&mut receiver, Token(token), READ)
            .unwrap();
        assert_eq!(tokens(&mut poll, ARRIVED), [token]);
        poll.registry().deregister(&mut receiver).unwrap();
    }
}

#[test]
fn a_second_poll_is_noticed_where_it_is_known() {
    let mut first = Poll::new().unwrap();
    let mut second = Poll::new().unwrap();
    let (mut sender, mut receiver) = Local::connected();
    first
        .registry()
        .register(&mut receiver, Token(1), READ)
        .unwrap();
    let err = second
        .registry()
        .reregister(&mut receiver, Token(2), READ)
        .unwrap_err();
    if cfg!(debug_assertions) || !support::IS_EPOLL {
        assert_eq!(err.kind(), ErrorKind::AlreadyExists);
        let err = second
            .registry()
            .register(&mut receiver, Token(2), READ)
            .unwrap_err();
        assert_eq!(err.kind(), ErrorKind::AlreadyExists);
        second.registry().deregister(&mut receiver).unwrap_err();
    } else {
        assert_eq!(err.kind(), ErrorKind::NotFound);
    }
    sender.write_all(b"x").unwrap();
    assert_eq!(tokens(&mut first, ARRIVED), [1]);
    assert_eq!(tokens(&mut second, NOW), []);
    first
        .registry()
        .reregister(&mut receiver, Token(3), READ)
        .unwrap();
    assert_eq!(tokens(&mut first, ARRIVED), [3]);
    first.registry().deregister(&mut receiver).unwrap();
}
