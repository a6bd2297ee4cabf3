//! Ten thousand sources, and far less room for events: all are heard, in turn.

#![cfg(all(target_os = "linux", feature = "os-ext"))]

use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// As many ready sources as the limit of this process allows, at most ten thousand.
fn ready_sources(poll: &Poll) -> Vec<OwnedFd> {
    let limit = kernel::limit_fds(|hard| hard);
    let count = usize::try_from(limit)
        .unwrap_or(usize::MAX)
        .saturating_sub(100)
        .min(10_000);
    let sources: Vec<_> = (0..count).map(|_| kernel::eventfd(1)).collect();
    for (token, source) in sources.iter().enumerate() {
        let mut source = SourceFd(&source.as_raw_fd());
        poll.registry()
            .register(&mut source, Token(token), Interest::READABLE)
            .unwrap();
    }
    sources
}

#[test]
fn all_are_heard_once() {
    kernel::in_child("all_are_heard_once", || {
        let mut poll = Poll::new().unwrap();
        let sources = ready_sources(&poll);
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
            sources
                .iter()
                .for_each(|source| kernel::signal(source.as_raw_fd()));
        }
    });
}

#[test]
fn sources_that_are_always_ready_take_turns() {
    kernel::in_child("sources_that_are_always_ready_take_turns", || {
        const ROUNDS: usize = 5;
        const CAPACITY: usize = 100;
        let mut poll = Poll::new().unwrap();
        let sources = ready_sources(&poll);
        let waker = Waker::new(poll.registry(), Token(sources.len())).unwrap();
        let mut events = Events::with_capacity(CAPACITY);
        let mut seen = vec![0_usize; sources.len() + 1];
        let polls = ROUNDS * sources.len() / CAPACITY;
        for _ in 0..polls {
            waker.wake().unwrap();
            poll.poll(&mut events, NOW).unwrap();
            for event in &events {
                seen[event.token().0] += 1;
                if let Some(source) = sources.get(event.token().0) {
                    kernel::signal(source.as_raw_fd());
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
