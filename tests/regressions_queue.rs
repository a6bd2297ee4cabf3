//! Defects that the queue of mio 1.2.5 has or had on every system, in debug builds at least.
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

mod support;

use std::io::ErrorKind;
use std::time::Duration;

use mio::event::{Event, Source};
use mio::{Events, Interest, Poll, Token, Waker};
use support::{assert_kind, expect_events, poll_and_events, stream_pair};

const OLD: Token = Token(1);
const NEW: Token = Token(2);

/// mio #1990: both ignored how far the iterator had come.
#[test]
fn mio_1990_iter_hints() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut other, NEW, Interest::WRITABLE)
        .unwrap();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    let mut iter = events.iter();
    for left in (0..=2).rev() {
        assert_eq!(iter.size_hint(), (left, Some(left)));
        assert_eq!(iter.clone().count(), left);
        assert_eq!(iter.next().is_some(), left > 0);
    }
    assert_eq!(iter.size_hint(), (0, Some(0)), "past the end");
}

/// Was EINVAL from the kernel, which takes no empty buffer.
#[test]
fn buffer_of_no_capacity_fetches_one_event() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(0);
    assert_eq!(events.capacity(), 0);
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut other, NEW, Interest::WRITABLE)
        .unwrap();
    let mut seen = Vec::new();
    for _ in 0..2 {
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert_eq!(events.iter().count(), 1);
        seen.extend(events.iter().map(Event::token));
        assert_eq!(events.capacity(), 0);
    }
    assert_eq!(seen, [OLD, NEW]);
}

/// Asserts that `source` can be changed, told of and deregistered as before a refusal.
fn assert_still_registered(poll: &mut Poll, source: &mut impl Source) {
    poll.registry()
        .reregister(source, OLD, Interest::WRITABLE)
        .unwrap();
    let mut events = Events::with_capacity(16);
    expect_events(poll, &mut events, &[(OLD, Event::is_writable)]);
    poll.registry().deregister(source).unwrap();
}

/// The refusal itself moved the source to the second queue's name.
#[test]
fn failed_second_register_leaves_the_first() {
    let mut poll = Poll::new().unwrap();
    let stranger = Poll::new().unwrap();
    let (mut one, _other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::READABLE)
        .unwrap();
    let result = poll.registry().register(&mut one, NEW, Interest::READABLE);
    assert_kind(result, ErrorKind::AlreadyExists);
    if cfg!(debug_assertions) || !support::IS_EPOLL {
        let result = stranger
            .registry()
            .register(&mut one, NEW, Interest::READABLE);
        assert_kind(result, ErrorKind::AlreadyExists);
    }
    assert_still_registered(&mut poll, &mut one);
}

/// A queue that never had the source made it forget the one that has.
#[test]
fn failed_deregister_leaves_the_registration() {
    let mut poll = Poll::new().unwrap();
    let stranger = Poll::new().unwrap();
    let (mut one, _other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::READABLE)
        .unwrap();
    stranger.registry().deregister(&mut one).unwrap_err();
    assert_still_registered(&mut poll, &mut one);
}

/// Was a panic in debug builds, even when the first waker was gone.
#[test]
fn queue_takes_several_wakers() {
    let (mut poll, mut events) = poll_and_events();
    let first = Waker::new(poll.registry(), OLD).unwrap();
    let second = Waker::new(poll.registry(), NEW).unwrap();
    first.wake().unwrap();
    second.wake().unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(OLD, Event::is_readable), (NEW, Event::is_readable)],
    );
    drop((first, second));
    let third = Waker::new(poll.registry(), Token(3)).unwrap();
    third.wake().unwrap();
    expect_events(&mut poll, &mut events, &[(Token(3), Event::is_readable)]);
}
