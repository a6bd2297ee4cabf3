//! No wake is lost under a storm of them: a lost one leaves everybody waiting, and the watchdog aborts.

#![cfg(all(any(target_os = "linux", windows), feature = "os-poll"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use mio::{Events, Poll, Token, Waker};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

const THREADS: usize = 4;
const WAKES: usize = if cfg!(windows) { 20_000 } else { 100_000 } / THREADS;

/// What one waking thread has done, and how much of it the poller has seen.
#[derive(Default)]
struct Ledger {
    done: AtomicUsize,
    seen: AtomicUsize,
}

/// Wakes in bursts of one to `longest`; after each burst only the poller can let the thread go on.
fn produce(ledger: &Ledger, waker: &Waker, longest: usize) {
    let mut burst = 0;
    for count in 1..=WAKES {
        // Relaxed on purpose: that the poller sees the count is the wake's own promise.
        ledger.done.store(count, Ordering::Relaxed);
        waker.wake().unwrap();
        burst += 1;
        if burst > count % longest || count == WAKES {
            burst = 0;
            while ledger.seen.load(Ordering::Acquire) < count {
                thread::yield_now();
            }
        }
    }
}

/// Runs the storm: waker `t % wakers` serves thread `t`, and a waker's event settles its threads only.
fn storm(wakers: usize, capacity: usize, longest: usize) {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(capacity);
    let wakers: Vec<_> = (0..wakers)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    let ledgers: [Ledger; THREADS] = Default::default();

    thread::scope(|scope| {
        for (index, ledger) in ledgers.iter().enumerate() {
            let waker = &wakers[index % wakers.len()];
            scope.spawn(move || produce(ledger, waker, longest));
        }
        while ledgers
            .iter()
            .any(|ledger| ledger.seen.load(Ordering::Relaxed) < WAKES)
        {
            poll.poll(&mut events, None).unwrap();
            assert!(
                !events.is_empty(),
                "a poll without a timeout came back empty"
            );
            for event in &events {
                for ledger in ledgers.iter().skip(event.token().0).step_by(wakers.len()) {
                    let done = ledger.done.load(Ordering::Relaxed);
                    ledger.seen.store(done, Ordering::Release);
                }
            }
        }
    });
}

#[test]
fn one_waker_for_all_threads() {
    storm(1, 8, 16);
}

#[test]
fn one_waker_for_all_threads_in_lockstep() {
    storm(1, 8, 1);
}

#[test]
fn a_waker_for_each_thread() {
    storm(THREADS, 8, 16);
}

#[test]
fn a_waker_for_each_thread_in_lockstep() {
    storm(THREADS, 8, 1);
}

#[test]
fn a_waker_for_each_thread_one_event_a_poll() {
    storm(THREADS, 1, 16);
}
