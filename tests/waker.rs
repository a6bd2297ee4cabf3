//! A wake is an event: each is followed by exactly one readable event of its waker,
//! whatever the token, the number of wakers and the state of the poll.

#![cfg(all(any(target_os = "linux", windows), feature = "os-poll"))]

use std::collections::HashMap;
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Polls without waiting until nothing comes, and counts the events of each token.
fn drain(poll: &mut Poll, events: &mut Events) -> HashMap<Token, usize> {
    let mut seen = HashMap::new();
    loop {
        poll.poll(events, NOW).unwrap();
        if events.is_empty() {
            return seen;
        }
        for event in events.iter() {
            assert!(event.is_readable(), "{event:?}");
            assert!(!event.is_writable(), "{event:?}");
            assert!(!event.is_error(), "{event:?}");
            assert!(!event.is_read_closed(), "{event:?}");
            assert!(!event.is_write_closed(), "{event:?}");
            *seen.entry(event.token()).or_default() += 1;
        }
    }
}

fn once(tokens: impl IntoIterator<Item = usize>) -> HashMap<Token, usize> {
    tokens.into_iter().map(|token| (Token(token), 1)).collect()
}

#[test]
fn no_wake_no_event() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let _waker = Waker::new(poll.registry(), Token(1)).unwrap();
    assert_eq!(drain(&mut poll, &mut events), once([]));
}

#[test]
fn wakes_before_the_event_merge() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    for _ in 0..3 {
        for _ in 0..10_000 {
            waker.wake().unwrap();
        }
        assert_eq!(drain(&mut poll, &mut events), once([1]));
    }
}

#[test]
fn a_wake_before_poll_ends_it_at_once() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    for timeout in [
        None,
        Some(Duration::MAX),
        Some(Duration::from_micros(100_000_500)),
    ] {
        waker.wake().unwrap();
        poll.poll(&mut events, timeout).unwrap();
        assert_eq!(
            events.iter().map(|event| event.token()).collect::<Vec<_>>(),
            [Token(1)]
        );
        assert_eq!(drain(&mut poll, &mut events), once([]));
    }
}

#[test]
fn each_wake_after_an_event_gives_another() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    for _ in 0..1000 {
        waker.wake().unwrap();
        assert_eq!(drain(&mut poll, &mut events), once([1]));
    }
}

#[test]
fn any_token_serves() {
    for token in [usize::MAX, usize::MAX - 1, 1 << (usize::BITS - 1), 1, 0] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(8);
        let waker = Waker::new(poll.registry(), Token(token)).unwrap();
        waker.wake().unwrap();
        assert_eq!(drain(&mut poll, &mut events), once([token]));
    }
}

#[test]
fn several_wakers_are_told_apart() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let tokens = [7, usize::MAX, 0];
    let wakers = tokens.map(|token| Waker::new(poll.registry(), Token(token)).unwrap());
    for (waker, token) in wakers.iter().zip(tokens) {
        waker.wake().unwrap();
        assert_eq!(drain(&mut poll, &mut events), once([token]));
    }
    wakers[2].wake().unwrap();
    wakers[0].wake().unwrap();
    assert_eq!(drain(&mut poll, &mut events), once([7, 0]));
}

#[test]
fn forty_wakers_each_have_their_event() {
    // More than a 32-bit word has bits: the wakers that share one must not be mixed up.
    for capacity in [1, 7, 40, 100] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(capacity);
        let wakers: Vec<_> = (0..40)
            .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
            .collect();
        for waker in wakers.iter().chain(&wakers) {
            waker.wake().unwrap();
        }
        assert_eq!(drain(&mut poll, &mut events), once(0..40));
        for (token, waker) in wakers.iter().enumerate() {
            waker.wake().unwrap();
            assert_eq!(drain(&mut poll, &mut events), once([token]));
        }
        for token in (1..40).step_by(2) {
            wakers[token].wake().unwrap();
        }
        assert_eq!(drain(&mut poll, &mut events), once((1..40).step_by(2)));
    }
}

#[test]
fn two_wakers_may_share_a_token() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let wakers = [(); 2].map(|()| Waker::new(poll.registry(), Token(5)).unwrap());
    wakers.iter().for_each(|waker| waker.wake().unwrap());
    let seen = drain(&mut poll, &mut events);
    assert_eq!(seen, HashMap::from([(Token(5), 2)]));
}

#[test]
fn a_dropped_waker_is_never_heard_again() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    for round in 0..100 {
        let waker = Waker::new(poll.registry(), Token(round)).unwrap();
        waker.wake().unwrap();
        if round % 2 == 0 {
            assert_eq!(drain(&mut poll, &mut events), once([round]));
            waker.wake().unwrap();
        }
        drop(waker);
        let next = Waker::new(poll.registry(), Token(1000 + round)).unwrap();
        if round % 3 == 0 {
            next.wake().unwrap();
            assert_eq!(drain(&mut poll, &mut events), once([1000 + round]));
        } else {
            assert_eq!(drain(&mut poll, &mut events), once([]));
        }
    }
}

#[test]
fn dropped_wakers_do_not_silence_the_others() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(64);
    let mut wakers: Vec<_> = (0..40)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    wakers.iter().for_each(|waker| waker.wake().unwrap());
    // One of the first and one of those beyond the word, dropped while their wakes are pending.
    drop(wakers.remove(35));
    drop(wakers.remove(3));
    let kept = (0..40).filter(|token| ![3, 35].contains(token));
    assert_eq!(drain(&mut poll, &mut events), once(kept.clone()));
    let made = [100, 101].map(|token| Waker::new(poll.registry(), Token(token)).unwrap());
    wakers
        .iter()
        .chain(&made)
        .for_each(|waker| waker.wake().unwrap());
    assert_eq!(drain(&mut poll, &mut events), once(kept.chain([100, 101])));
}

#[test]
fn the_wake_of_a_dropped_waker_does_not_cut_a_timeout_short() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(64);
    let mut wakers: Vec<_> = (0..40)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    assert_eq!(drain(&mut poll, &mut events), once([]));
    for index in [35, 3] {
        let waker = wakers.remove(index);
        waker.wake().unwrap();
        drop(waker);
        for timeout in [3000, 3001].map(Duration::from_micros) {
            let start = Instant::now();
            poll.poll(&mut events, Some(timeout)).unwrap();
            assert!(start.elapsed() >= timeout, "{index}: early");
            assert!(events.is_empty());
        }
    }
}

#[test]
fn a_waker_outlives_its_poll() {
    let poll = Poll::new().unwrap();
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    waker.wake().unwrap();
    drop(poll);
    for _ in 0..3 {
        waker.wake().unwrap();
    }
    let mut other = Poll::new().unwrap();
    let _other_waker = Waker::new(other.registry(), Token(2)).unwrap();
    waker.wake().unwrap();
    assert_eq!(drain(&mut other, &mut Events::with_capacity(8)), once([]));
}

#[test]
fn a_waker_made_while_another_thread_polls_wakes_it() {
    let _watchdog = kernel::watchdog();
    for _ in 0..200 {
        let mut poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let (ready, asleep) = mpsc::channel();
        let poller = thread::spawn(move || {
            let mut events = Events::with_capacity(8);
            ready.send(kernel::thread_id()).unwrap();
            poll.poll(&mut events, None).unwrap();
            events.iter().map(|event| event.token()).collect::<Vec<_>>()
        });
        kernel::wait_until_polling(asleep.recv().unwrap());
        let waker = Waker::new(&registry, Token(9)).unwrap();
        waker.wake().unwrap();
        assert_eq!(poller.join().unwrap(), [Token(9)]);
    }
}
