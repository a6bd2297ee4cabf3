//! No wake is lost under a storm of them: a lost one leaves everybody waiting, and the watchdog aborts.

#![cfg(all(any(target_os = "linux", windows), feature = "os-poll"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Instant;

use mio::{Events, Poll, Token, Waker};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

const THREADS: usize = 4;
/// All wakes of a storm, in which only the poller can let a thread go on after a burst.
const FEW: usize = if cfg!(windows) { 20_000 } else { 100_000 };
const MANY: usize = 10_000_000;
/// The same where each wake costs a poll, or two switches of threads.
const MANY_POLLS: usize = 1_000_000;

/// What one waking thread has done, and how much of it the poller has seen.
#[derive(Default)]
struct Ledger {
    done: AtomicUsize,
    seen: AtomicUsize,
}

/// Wakes in bursts of one to `longest`; after each burst only the poller can let the thread go on.
fn produce(ledger: &Ledger, waker: &Waker, longest: usize, wakes: usize) {
    let mut burst = 0;
    for count in 1..=wakes {
        // Relaxed on purpose: that the poller sees the count is the wake's own promise.
        ledger.done.store(count, Ordering::Relaxed);
        waker.wake().unwrap();
        burst += 1;
        if burst > count % longest || count == wakes {
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
    let many = match (longest, capacity) {
        (1, _) | (_, 1) => MANY_POLLS,
        _ => MANY,
    };
    let wakes = kernel::storm(FEW, many) / THREADS;
    let start = Instant::now();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(capacity);
    let wakers: Vec<_> = (0..wakers)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    let ledgers: [Ledger; THREADS] = Default::default();

    thread::scope(|scope| {
        for (index, ledger) in ledgers.iter().enumerate() {
            let waker = &wakers[index % wakers.len()];
            scope.spawn(move || produce(ledger, waker, longest, wakes));
        }
        while ledgers
            .iter()
            .any(|ledger| ledger.seen.load(Ordering::Relaxed) < wakes)
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
    let done = ledgers.map(|ledger| ledger.seen.into_inner());
    assert_eq!(done, [wakes; THREADS]);
    println!(
        "{} wakes in bursts of {longest} by {THREADS} threads: {:.1} s",
        wakes * THREADS,
        start.elapsed().as_secs_f64()
    );
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
