//! With room for one event a poll, neither wakers nor ready sources starve each other.
//!
//! Every bound counts polls, so load and machine do not matter.

#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

use std::collections::HashMap;
use std::time::Duration;

use mio::{Events, Interest, Poll, Token, Waker};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

#[cfg_attr(windows, path = "support/ready_windows.rs")]
#[cfg_attr(not(windows), path = "support/ready.rs")]
mod ready;

const NOW: Option<Duration> = Some(Duration::ZERO);
/// Cancelling takes Wine a look at all operations that there are.
const SOURCES: usize = if cfg!(windows) { 200 } else { 1000 };
const WAKERS: usize = 3;
/// Once round everything, and as often something else in between.
const BOUND: usize = 2 * (SOURCES + WAKERS);

struct Crowd {
    poll: Poll,
    events: Events,
    sources: Vec<ready::Ready>,
    wakers: Vec<Waker>,
}

/// Many ready sources with the tokens from 0, and wakers with the tokens after them.
fn crowd(wakers: usize, capacity: usize) -> Crowd {
    let poll = Poll::new().unwrap();
    let mut sources: Vec<_> = (0..SOURCES).map(|_| ready::ready()).collect();
    for (token, source) in sources.iter_mut().enumerate() {
        poll.registry()
            .register(source, Token(token), Interest::READABLE)
            .unwrap();
    }
    let tokens = SOURCES..SOURCES + wakers;
    let wakers = tokens
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    Crowd {
        poll,
        events: Events::with_capacity(capacity),
        sources,
        wakers,
    }
}

impl Crowd {
    /// The tokens of one poll.
    fn poll(&mut self) -> Vec<usize> {
        self.poll.poll(&mut self.events, NOW).unwrap();
        self.events.iter().map(|event| event.token().0).collect()
    }

    fn wake_all(&self) {
        self.wakers.iter().for_each(|waker| waker.wake().unwrap());
    }
}

#[test]
fn everything_comes_once_one_event_a_poll() {
    let mut crowd = crowd(WAKERS, 1);
    crowd.wake_all();
    let mut seen = HashMap::new();
    for _ in 0..SOURCES + WAKERS {
        let tokens = crowd.poll();
        assert_eq!(
            tokens.len(),
            1,
            "a poll came back empty after {} events",
            seen.len()
        );
        *seen.entry(tokens[0]).or_insert(0) += 1;
    }
    assert_eq!(
        seen,
        (0..SOURCES + WAKERS).map(|token| (token, 1)).collect()
    );
    assert_eq!(crowd.poll(), []);
}

#[test]
fn wakes_that_never_stop_leave_room_for_sources() {
    for wakers in [1, WAKERS] {
        let mut crowd = crowd(wakers, 1);
        let mut seen = HashMap::<usize, usize>::new();
        for _ in 0..BOUND {
            crowd.wake_all();
            let tokens = crowd.poll();
            assert_eq!(tokens.len(), 1);
            *seen.entry(tokens[0]).or_default() += 1;
        }
        for token in 0..SOURCES + wakers {
            assert!(
                seen.contains_key(&token),
                "{token} starved among {wakers} wakers"
            );
        }
        assert!(
            (0..SOURCES).all(|token| seen[&token] == 1),
            "an edge was reported twice"
        );
    }
}

#[test]
fn sources_that_never_stop_leave_room_for_wakes() {
    for wakers in [1, WAKERS] {
        let mut crowd = crowd(wakers, 1);
        for _ in 0..5 {
            crowd.wake_all();
            let mut heard = HashMap::new();
            for _ in 0..BOUND {
                let tokens = crowd.poll();
                assert_eq!(tokens.len(), 1);
                match crowd.sources.get_mut(tokens[0]) {
                    Some(source) => ready::renew(source),
                    None => *heard.entry(tokens[0]).or_insert(0) += 1,
                }
            }
            let expected = (SOURCES..SOURCES + wakers)
                .map(|token| (token, 1))
                .collect();
            assert_eq!(heard, expected);
        }
    }
}

#[test]
fn a_full_buffer_keeps_the_wakes_for_later() {
    for capacity in [2, 3, 64, SOURCES, SOURCES + 1] {
        let mut crowd = crowd(WAKERS, capacity);
        crowd.wake_all();
        let mut seen = HashMap::new();
        for _ in 0..SOURCES + WAKERS {
            let tokens = crowd.poll();
            assert!(tokens.len() <= capacity);
            if tokens.is_empty() {
                break;
            }
            for token in tokens {
                *seen.entry(token).or_insert(0) += 1;
            }
        }
        assert_eq!(
            seen,
            (0..SOURCES + WAKERS).map(|token| (token, 1)).collect()
        );
    }
}

#[test]
fn many_wakers_take_turns() {
    // All are woken before each poll: whoever was just heard must wait for the others.
    let poll = &mut Poll::new().unwrap();
    let mut events = Events::with_capacity(1);
    let wakers: Vec<_> = (0..40)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    let mut heard = [0; 40];
    for _ in 0..80 {
        wakers.iter().for_each(|waker| waker.wake().unwrap());
        poll.poll(&mut events, NOW).unwrap();
        for event in &events {
            heard[event.token().0] += 1;
        }
    }
    assert!(heard.iter().all(|&times| times > 0), "{heard:?}");
    assert_eq!(heard.iter().sum::<i32>(), 80, "a poll came back empty");
}
