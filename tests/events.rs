//! The buffer of events, its iterator, and the event as a value.
#![cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]

mod support;

use std::time::Duration;

use mio::event::{Event, Iter};
use mio::{Events, Interest, Poll, Token};
use support::{expect_events, poll_and_events, stream_pair, Stream};

/// A batch of `count` events, tokens from zero up, and the sockets behind it.
fn batch(events: &mut Events, count: usize) -> Vec<Stream> {
    let mut poll = Poll::new().unwrap();
    let mut kept = Vec::new();
    for index in 0..count {
        let (mut one, other) = stream_pair();
        poll.registry()
            .register(&mut one, Token(index), Interest::WRITABLE)
            .unwrap();
        kept.extend([one, other]);
    }
    poll.poll(events, Some(Duration::ZERO)).unwrap();
    assert_eq!(events.iter().count(), count.min(events.capacity()));
    kept
}

#[test]
fn new_buffer_is_empty() {
    for capacity in [1, 7, 1024] {
        let events = Events::with_capacity(capacity);
        assert_eq!(events.capacity(), capacity);
        assert!(events.is_empty());
        assert!(events.iter().next().is_none());
        assert_eq!(events.iter().size_hint(), (0, Some(0)));
        assert_eq!(events.iter().count(), 0);
        assert_eq!(format!("{events:?}"), "[]");
    }
}

#[test]
fn buffer_forgets_when_cleared_and_keeps_its_capacity() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 3);
    assert!(!events.is_empty());
    events.clear();
    assert!(events.is_empty());
    assert_eq!(events.iter().count(), 0);
    assert_eq!(events.capacity(), 8);
    events.clear();
    assert!(events.is_empty());
}

#[test]
fn capacity_never_changes() {
    let mut events = Events::with_capacity(2);
    for count in [1, 2, 5] {
        let _kept = batch(&mut events, count);
        assert_eq!(events.capacity(), 2);
    }
}

#[test]
fn every_way_to_iterate_sees_the_same_order() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 4);
    let mut by_loop = Vec::new();
    for event in &events {
        by_loop.push(event.token());
    }
    let by_iter: Vec<Token> = events.iter().map(Event::token).collect();
    assert_eq!(by_loop, by_iter);
    assert_eq!(by_loop, (0..4).map(Token).collect::<Vec<_>>());
}

#[test]
fn iterator_stays_at_its_end() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 2);
    let mut iter = events.iter();
    assert_eq!(iter.size_hint(), (2, Some(2)));
    assert!(iter.by_ref().nth(1).is_some());
    for _ in 0..3 {
        assert!(iter.next().is_none());
    }
}

#[test]
fn cloned_iterator_goes_its_own_way() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 3);
    let mut first: Iter<'_> = events.iter();
    first.next();
    let second = first.clone();
    assert_eq!(
        first.map(|event| event.token().0).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(
        second.map(|event| event.token().0).collect::<Vec<_>>(),
        [1, 2]
    );
    assert!(
        format!("{:?}", events.iter()).contains("Token(2)"),
        "the events are listed"
    );
}

#[test]
fn cloned_event_outlives_its_batch() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 1);
    let kept: Event = events.iter().next().cloned().unwrap();
    events.clear();
    drop(events);
    assert_eq!(kept.token(), Token(0));
    assert!(kept.is_writable() && !kept.is_readable());
}

#[test]
fn event_text_names_every_answer() {
    let mut events = Events::with_capacity(8);
    let _kept = batch(&mut events, 1);
    let expected = "Event { token: Token(0), readable: false, writable: true, error: false, \
                    read_closed: false, write_closed: false, priority: false, aio: false, \
                    lio: false }";
    let event = events.iter().next().unwrap();
    assert_eq!(format!("{event:?}"), expected);
    assert_eq!(format!("{events:?}"), format!("[{expected}]"));
    let details = format!("{event:#?}");
    assert!(details.contains("details"), "{details}");
    let mask = if cfg!(windows) {
        " SEND"
    } else if cfg!(mio_unsupported_force_poll_poll) {
        " POLLOUT"
    } else {
        " EPOLLOUT"
    };
    assert!(
        details.contains(mask) || !cfg!(any(target_os = "linux", windows)),
        "{details}"
    );
}

#[test]
fn answers_of_an_open_stream() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, _other) = stream_pair();
    poll.registry()
        .register(&mut one, Token(1), Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(Token(1), Event::is_writable)]);
    assert!(events.iter().all(|event| support::flags(event) == "w"));
}
