//! A poll never returns early without an event, and waits for no timeout when there is one.
#![cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]

mod support;

use std::io::{Read, Write};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Token};
use support::{poll_and_events, stream_pair, HANG_GUARD};

const STREAM: Token = Token(3);

/// Polls a silent queue and asserts that the whole timeout passed.
fn assert_waits_out(poll: &mut Poll, events: &mut Events, timeout: Duration) {
    let start = Instant::now();
    poll.poll(events, Some(timeout)).unwrap();
    let waited = start.elapsed();
    assert!(events.is_empty());
    assert!(waited >= timeout, "{timeout:?} ended after {waited:?}");
    assert!(waited < timeout + HANG_GUARD, "{timeout:?} took {waited:?}");
}

#[test]
fn never_early() {
    let (mut poll, mut events) = poll_and_events();
    for timeout in [
        Duration::from_nanos(1),
        Duration::from_nanos(999),
        Duration::from_micros(1),
        Duration::from_micros(50),
        Duration::from_micros(999),
        Duration::from_millis(1),
        Duration::from_nanos(1_000_001),
        Duration::from_micros(1_500),
        Duration::from_nanos(1_999_999),
        Duration::from_millis(2),
        Duration::from_micros(10_250),
        Duration::from_millis(25),
    ] {
        assert_waits_out(&mut poll, &mut events, timeout);
    }
}

#[test]
fn never_early_with_a_waker_that_is_silent() {
    let (mut poll, mut events) = poll_and_events();
    let _waker = mio::Waker::new(poll.registry(), Token(0)).unwrap();
    // A first poll may see how the waker was set up; it must not end the wait either.
    for timeout in [Duration::from_millis(10), Duration::from_micros(700)] {
        assert_waits_out(&mut poll, &mut events, timeout);
    }
}

#[test]
fn zero_returns_at_once_with_and_without_readiness() {
    let (mut poll, mut events) = poll_and_events();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
    let (mut one, _other) = stream_pair();
    poll.registry()
        .register(&mut one, STREAM, Interest::WRITABLE)
        .unwrap();
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert_eq!(
        events.iter().map(Event::token).collect::<Vec<_>>(),
        [STREAM]
    );
}

/// Each of these exceeds some representation: a C int of milliseconds, a 32-bit time, an `Instant`.
const LONG: [Duration; 7] = [
    Duration::from_millis(i32::MAX as u64),
    Duration::from_millis(i32::MAX as u64 + 1),
    Duration::from_millis(u32::MAX as u64 + 1),
    Duration::from_secs(u32::MAX as u64 + 1),
    Duration::from_secs(i64::MAX as u64),
    Duration::new(u64::MAX, 0),
    Duration::MAX,
];

#[test]
fn long_timeout_ends_with_standing_readiness() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, _other) = stream_pair();
    poll.registry()
        .register(&mut one, STREAM, Interest::WRITABLE)
        .unwrap();
    for timeout in LONG.map(Some).into_iter().chain([None]) {
        poll.registry()
            .reregister(&mut one, STREAM, Interest::WRITABLE)
            .unwrap();
        poll.poll(&mut events, timeout).unwrap();
        assert_eq!(events.iter().count(), 1, "{timeout:?}");
    }
}

/// A timeout that wrapped around would end the poll without an event, before or after the write.
#[test]
fn long_timeout_ends_with_readiness_from_another_thread() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, STREAM, Interest::READABLE)
        .unwrap();
    for timeout in LONG.map(Some).into_iter().chain([None]) {
        let writer = thread::spawn(move || {
            // Only makes it likely that the poller sleeps; nothing depends on it.
            thread::yield_now();
            other.write_all(b"x").unwrap();
            other
        });
        poll.poll(&mut events, timeout).unwrap();
        assert_eq!(events.iter().count(), 1, "{timeout:?}");
        assert_eq!(one.read(&mut [0; 4]).unwrap(), 1);
        support::assert_would_block(one.read(&mut [0; 4]));
        other = writer.join().unwrap();
    }
}
