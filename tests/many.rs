//! Ten thousand sources, and far less room for events: all are heard, in turn.

#![cfg(all(target_os = "linux", feature = "os-ext"))]

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::pipe::Receiver;
use mio::{Events, Interest, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Each call of poll(2) looks at all sources: ten thousand, one event a call, would take minutes.
const SOURCES: usize = if kernel::POLL_QUEUE { 1000 } else { 10_000 };

/// As many ready sources as the limit of this process allows, at most [`SOURCES`].
///
/// They are eventfds in the shape of receivers: sources with operations, whose edges are exact on
/// every backend.
fn ready_sources(poll: &Poll) -> Vec<Receiver> {
    let limit = kernel::limit_fds(|hard| hard);
    let count = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(100)
        .min(SOURCES);
    let mut sources: Vec<_> = (0..count)
        .map(|_| Receiver::from(kernel::eventfd(1)))
        .collect();
    for (token, source) in sources.iter_mut().enumerate() {
        poll.registry()
            .register(source, Token(token), Interest::READABLE)
            .unwrap();
    }
    sources
}

/// Drains a source, as every backend may demand, and makes it ready anew.
fn renew(source: &mut Receiver) {
    source.read_exact(&mut [0; 8]).unwrap();
    let empty = source.read(&mut [0; 8]).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    kernel::signal(source.as_raw_fd());
}

#[test]
fn all_are_heard_once() {
    kernel::in_child("all_are_heard_once", || {
        let mut poll = Poll::new().unwrap();
        let mut sources = ready_sources(&poll);
        for capacity in [1, 100, 1024, sources.len(), 2 * sources.len()] {
            let mut events = Events::with_capacity(capacity);
            let mut seen = vec![0; sources.len()];
            // A poll leaves room unused only when nothing more is ready.
            for _ in 0..sources.len().div_ceil(capacity) {
                poll.poll(&mut events, NOW).unwrap();
                events.iter().for_each(|event| seen[event.token().0] += 1);
            }
            assert!(seen.iter().all(|&times| times == 1), "capacity {capacity}");
            poll.poll(&mut events, NOW).unwrap();
            assert!(events.is_empty());
            sources.iter_mut().for_each(renew);
        }
    });
}

#[test]
fn sources_that_are_always_ready_take_turns() {
    kernel::in_child("sources_that_are_always_ready_take_turns", || {
        const ROUNDS: usize = 5;
        const CAPACITY: usize = 100;
        let mut poll = Poll::new().unwrap();
        let mut sources = ready_sources(&poll);
        let waker = Waker::new(poll.registry(), Token(sources.len())).unwrap();
        let mut events = Events::with_capacity(CAPACITY);
        let mut seen = vec![0_usize; sources.len() + 1];
        let polls = ROUNDS * sources.len() / CAPACITY;
        for _ in 0..polls {
            waker.wake().unwrap();
            poll.poll(&mut events, NOW).unwrap();
            for event in &events {
                seen[event.token().0] += 1;
                if let Some(source) = sources.get_mut(event.token().0) {
                    renew(source);
                }
            }
        }
        let wakes = seen.pop().unwrap();
        assert!(wakes > 0 && wakes <= polls);
        // The waker's events take some of the room, and nobody may be a round ahead.
        let (least, most) = (seen.iter().min().unwrap(), seen.iter().max().unwrap());
        assert!(
            most - least <= 1,
            "between {least} and {most} events a source"
        );
        assert!(*least >= ROUNDS - 2);
    });
}
