//! Waiting for readiness without a clock deciding the outcome.

use std::fmt::Debug;
use std::io;
#[cfg(feature = "os-poll")]
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use mio::event::Event;
#[cfg(feature = "os-poll")]
use mio::{event::Source, Events, Interest, Poll, Token};

/// After this time a test that waits is taken to hang; no test measures with it.
pub(crate) const HANG_GUARD: Duration = Duration::from_secs(60);

/// Whether sources of release builds do not remember where they are registered.
pub(crate) const IS_EPOLL: bool = cfg!(all(
    any(
        target_os = "android",
        target_os = "illumos",
        target_os = "linux",
        target_os = "redox",
    ),
    not(any(
        mio_unsupported_force_poll_poll,
        mio_kqueue_emulation,
        mio_ports_emulation
    ))
));

/// A queue and room for sixteen events.
#[cfg(feature = "os-poll")]
pub(crate) fn poll_and_events() -> (Poll, Events) {
    (Poll::new().expect("a queue"), Events::with_capacity(16))
}

/// The true answers of an event, one letter each, in a fixed order: **r**eadable, **w**ritable,
/// **e**rror, **R**ead closed, **W**rite closed, **p**riority, **a**io, **l**io.
pub(crate) fn flags(event: &Event) -> String {
    [
        (event.is_readable(), 'r'),
        (event.is_writable(), 'w'),
        (event.is_error(), 'e'),
        (event.is_read_closed(), 'R'),
        (event.is_write_closed(), 'W'),
        (event.is_priority(), 'p'),
        (event.is_aio(), 'a'),
        (event.is_lio(), 'l'),
    ]
    .iter()
    .filter_map(|&(set, letter)| set.then_some(letter))
    .collect()
}

/// Whether the system's queue tells that the peer will send no more, before anybody reads it.
/// Where it does not, the event of a half close is readable, and no more.
const HALF_CLOSE_IS_TOLD: bool = cfg!(any(
    all(
        any(target_os = "linux", target_os = "android"),
        not(mio_ports_emulation)
    ),
    target_vendor = "apple",
    target_os = "dragonfly",
    target_os = "freebsd",
    target_os = "netbsd",
    target_os = "openbsd",
));

/// Whether an event tells of the end of what the peer sends, as well as the system can.
pub(crate) fn tells_end(event: &Event) -> bool {
    event.is_read_closed() || (!HALF_CLOSE_IS_TOLD && event.is_readable())
}

/// A token and what one of its events must say.
#[cfg(feature = "os-poll")]
pub(crate) type Expectation = (Token, fn(&Event) -> bool);

/// Polls until every `(token, predicate)` was met by some event, or panics with what came instead.
///
/// Other events are allowed in between, as spurious events always are. One event may meet several
/// expectations, and several events of one token may share them out.
#[cfg(feature = "os-poll")]
pub(crate) fn expect_events(poll: &mut Poll, events: &mut Events, expected: &[Expectation]) {
    let mut missing: Vec<_> = (0..expected.len()).collect();
    wait_until(
        poll,
        events,
        &format!("{} expectations", expected.len()),
        |event| {
            missing.retain(|&index| {
                let (token, is_met) = expected[index];
                event.token() != token || !is_met(event)
            });
            missing.is_empty()
        },
    );
}

/// Polls until an event of `token` shows exactly these `flags`.
#[cfg(feature = "os-poll")]
pub(crate) fn wait_for(poll: &mut Poll, events: &mut Events, token: Token, wanted: &str) {
    let what = format!("{token:?} with flags {wanted:?}");
    wait_until(poll, events, &what, |event| {
        event.token() == token && flags(event) == wanted
    });
}

/// Polls until `is_done` says so about an event; it sees every event of each batch in order.
#[cfg(feature = "os-poll")]
pub(crate) fn wait_until(
    poll: &mut Poll,
    events: &mut Events,
    what: &str,
    mut is_done: impl FnMut(&Event) -> bool,
) {
    let give_up_at = Instant::now() + HANG_GUARD;
    let mut seen = Vec::new();
    loop {
        poll_again_on_interrupt(poll, events, Some(Duration::from_secs(1)));
        let mut done = false;
        for event in events.iter() {
            seen.push((event.token(), flags(event)));
            done |= is_done(event);
        }
        if done {
            return;
        }
        assert!(
            Instant::now() < give_up_at,
            "no {what}; events seen, as (token, flags): {seen:?}"
        );
    }
}

/// Asserts that a new queue tells of what `peer` writes to `stream`, and that reading does not wait.
#[cfg(feature = "os-poll")]
pub(crate) fn assert_works_in_a_queue(stream: &mut (impl Source + Read), peer: &mut impl Write) {
    const OWN: Token = Token(1);
    let (mut poll, mut events) = poll_and_events();
    poll.registry()
        .register(stream, OWN, Interest::READABLE)
        .unwrap();
    peer.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    assert_eq!(stream.read(&mut [0; 4]).unwrap(), 1);
    assert_would_block(stream.read(&mut [0; 4]));
}

/// The `(token, flags)` of what is ready now, in the order of one poll that does not wait.
#[cfg(feature = "os-poll")]
pub(crate) fn collect(poll: &mut Poll, events: &mut Events) -> Vec<(Token, String)> {
    poll_again_on_interrupt(poll, events, Some(Duration::ZERO));
    events
        .iter()
        .map(|event| (event.token(), flags(event)))
        .collect()
}

/// Asserts that a poll that does not wait finds nothing.
///
/// Use it where the cause of an unwanted event would already have taken effect: after calls that
/// the kernel completes before they return.
#[cfg(feature = "os-poll")]
pub(crate) fn expect_no_events(poll: &mut Poll, events: &mut Events) {
    let seen = collect(poll, events);
    assert!(seen.is_empty(), "unexpected events: {seen:?}");
}

/// Asserts that a poll that does not wait finds nothing for `token`.
#[cfg(feature = "os-poll")]
pub(crate) fn expect_no_event_of(poll: &mut Poll, events: &mut Events, token: Token) {
    let seen = collect(poll, events);
    assert!(
        seen.iter().all(|(other, _)| *other != token),
        "unexpected event of {token:?} in {seen:?}"
    );
}

/// A signal that another tool sends to the test process must not fail a test.
#[cfg(feature = "os-poll")]
fn poll_again_on_interrupt(poll: &mut Poll, events: &mut Events, timeout: Option<Duration>) {
    while let Err(error) = poll.poll(events, timeout) {
        assert_eq!(error.kind(), io::ErrorKind::Interrupted, "poll: {error}");
    }
}

/// Asserts that an operation found nothing to do.
#[track_caller]
pub(crate) fn assert_would_block<T: Debug>(result: io::Result<T>) {
    assert_kind(result, io::ErrorKind::WouldBlock);
}

/// Asserts the kind of a failure and hands the error out for closer looks.
#[track_caller]
pub(crate) fn assert_kind<T: Debug>(result: io::Result<T>, kind: io::ErrorKind) -> io::Error {
    let error = result.expect_err("should have failed");
    assert_eq!(error.kind(), kind, "{error}");
    error
}

/// Asserts that the operating system's own error came through unchanged.
#[track_caller]
pub(crate) fn assert_os_error<T: Debug>(result: io::Result<T>, code: i32) {
    let error = result.expect_err("should have failed");
    assert_eq!(error.raw_os_error(), Some(code), "{error}");
}

/// How a kernel that finds mistakes of registration names them.
#[cfg(unix)]
pub(crate) const EEXIST: i32 = libc::EEXIST;
#[cfg(unix)]
pub(crate) const ENOENT: i32 = libc::ENOENT;
#[cfg(windows)]
pub(crate) const EEXIST: i32 = 0;
#[cfg(windows)]
pub(crate) const ENOENT: i32 = 0;

/// Asserts how a mistake of registration is told: by the text that callers know from debug builds,
/// and in release by the kernel, where that finds it.
#[track_caller]
pub(crate) fn assert_misuse(error: &io::Error, text: &str, code: i32) {
    if cfg!(debug_assertions) || !IS_EPOLL {
        assert_eq!(error.to_string(), text);
    } else {
        assert_eq!(error.raw_os_error(), Some(code));
    }
}

/// Accepts one connection, which on the loopback may still need a moment to arrive.
pub(crate) fn accept_one<S, A>(mut accept: impl FnMut() -> io::Result<(S, A)>) -> S {
    let give_up_at = Instant::now() + HANG_GUARD;
    loop {
        match accept() {
            Ok((stream, _)) => return stream,
            Err(error) => assert_eq!(error.kind(), io::ErrorKind::WouldBlock),
        }
        assert!(Instant::now() < give_up_at, "nothing to accept");
        std::thread::yield_now();
    }
}
