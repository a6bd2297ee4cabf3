//! What this crate offers beyond mio 1.2.5, sockets aside.
#![cfg(all(any(unix, windows), feature = "os-ext", feature = "net"))]

mod support;

use std::collections::HashSet;
use std::io::{Read, Write};
use std::iter::FusedIterator;
use std::sync::Arc;
use std::task::{Wake, Waker as TaskWaker};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token, Waker};
use support::{expect_events, expect_no_events, poll_and_events, stream_pair, wait_until, Stream};

const OWN: Token = Token(1);

/// A queue and `count` writable streams in it, tokens from zero up.
fn writable(count: usize) -> (Poll, Vec<Stream>) {
    let poll = Poll::new().unwrap();
    let mut kept = Vec::new();
    for index in 0..count {
        let (mut one, other) = stream_pair();
        poll.registry()
            .register(&mut one, Token(index), Interest::WRITABLE)
            .unwrap();
        kept.extend([one, other]);
    }
    (poll, kept)
}

#[test]
fn events_have_length_index_and_a_full_mark() {
    let mut events = Events::with_capacity(3);
    assert_eq!((events.len(), events.is_full()), (0, false));
    assert!(events.get(0).is_none());
    for (count, is_full) in [(2, false), (3, true), (4, true)] {
        let (mut poll, _kept) = writable(count);
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        let length = count.min(3);
        assert_eq!(
            (events.len(), events.is_full()),
            (length, is_full),
            "{count} ready"
        );
        for index in 0..length {
            assert_eq!(events.get(index).map(Event::token), Some(Token(index)));
        }
        assert!(events.get(length).is_none());
        assert!(events.get(usize::MAX).is_none());
    }
    events.clear();
    assert_eq!((events.len(), events.is_full()), (0, false));
}

#[test]
fn event_iterator_knows_its_length_and_its_end() {
    fn is_fused(_: &impl FusedIterator) {}
    let (mut poll, _kept) = writable(3);
    let mut events = Events::with_capacity(8);
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    let mut iter = events.iter();
    is_fused(&iter);
    for left in (0..3).rev() {
        assert!(iter.next().is_some());
        assert_eq!(iter.len(), left);
    }
    assert!(iter.next().is_none());
    assert_eq!(iter.len(), 0);
}

#[test]
fn should_read_and_should_write_follow_plain_readiness() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OWN, Interest::WRITABLE)
        .unwrap();
    wait_until(&mut poll, &mut events, "a writable stream", |event| {
        assert!(!event.should_read());
        event.should_write()
    });
    poll.registry()
        .reregister(&mut one, OWN, Interest::READABLE)
        .unwrap();
    other.write_all(b"x").unwrap();
    wait_until(&mut poll, &mut events, "a readable stream", |event| {
        assert!(!event.should_write());
        event.should_read()
    });
}

#[test]
fn interest_is_removed_in_constants_and_hashes() {
    const REST: Option<Interest> = Interest::READABLE
        .add(Interest::WRITABLE)
        .remove(Interest::READABLE);
    assert_eq!(REST, Some(Interest::WRITABLE));
    let set: HashSet<Interest> =
        [Interest::READABLE, Interest::WRITABLE, Interest::READABLE].into();
    assert_eq!(set.len(), 2);
}

#[test]
fn deadline_is_waited_out() {
    let (mut poll, mut events) = poll_and_events();
    for wait in [Duration::from_micros(300), Duration::from_millis(7)] {
        let deadline = Instant::now() + wait;
        poll.poll_deadline(&mut events, Some(deadline)).unwrap();
        assert!(events.is_empty());
        assert!(Instant::now() >= deadline, "returned before its deadline");
    }
}

#[test]
fn passed_deadline_still_looks() {
    let (mut poll, _kept) = writable(2);
    let mut events = Events::with_capacity(8);
    let passed = Instant::now();
    poll.poll_deadline(&mut events, Some(passed)).unwrap();
    assert_eq!(events.iter().count(), 2);
    poll.poll_deadline(&mut events, Some(passed)).unwrap();
    assert!(events.is_empty(), "events of the earlier poll are gone");
}

#[test]
fn deadline_far_away_or_none_ends_with_an_event() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OWN, Interest::READABLE)
        .unwrap();
    for deadline in [None, Some(Instant::now() + Duration::from_secs(1 << 32))] {
        let writer = thread::spawn(move || {
            other.write_all(b"x").unwrap();
            other
        });
        poll.poll_deadline(&mut events, deadline).unwrap();
        assert_eq!(events.iter().map(Event::token).collect::<Vec<_>>(), [OWN]);
        while one.read(&mut [0; 8]).is_ok() {}
        other = writer.join().unwrap();
    }
}

#[test]
fn waker_wakes_tasks() {
    let (mut poll, mut events) = poll_and_events();
    let waker = Arc::new(Waker::new(poll.registry(), OWN).unwrap());
    let task: TaskWaker = Arc::clone(&waker).into();
    let waking = thread::spawn(move || {
        task.wake_by_ref();
        task.wake();
    });
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    waking.join().unwrap();
    // The second wake may have come with the first or stand alone.
    support::collect(&mut poll, &mut events);

    Wake::wake_by_ref(&waker);
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    Wake::wake(Arc::clone(&waker));
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    expect_no_events(&mut poll, &mut events);
}

/// Callers keep an `Arc<Waker>` and call `wake` on a reference to it. The trait's method takes
/// the `Arc` itself, and must not be what such a call means.
#[test]
fn plain_wake_on_a_shared_waker_still_answers_a_result() {
    let (mut poll, mut events) = poll_and_events();
    let waker = Waker::new(poll.registry(), OWN).unwrap();
    let borrowed: &Waker = &waker;
    let result: std::io::Result<()> = borrowed.wake();
    result.unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
}
