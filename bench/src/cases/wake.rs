//! Wakes: of a poller that is busy, asleep, or in a storm of them.

use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

use super::*;

pub(super) fn cases() -> Vec<Case> {
    let wakes = |name, per, contenders| Case {
        name,
        per,
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        wakes("poll/empty", "poll", everyone!(empty_poll())),
        wakes("poll/one-event", "poll", everyone!(one_event())),
        wakes("wake/pending", "wake", everyone!(pending())),
        wakes("wake/and-poll", "wake + poll", everyone!(wake_and_poll(1))),
        wakes(
            "wake/16-and-poll",
            "16 wakes + poll",
            everyone!(wake_and_poll(16)),
        ),
        Case {
            clock: Clock::Process,
            ..wakes(
                "wake/asleep-same-core",
                "hand-over",
                everyone!(asleep(true)),
            )
        },
        Case {
            clock: Clock::Elapsed,
            ..wakes(
                "wake/asleep-other-core",
                "hand-over",
                everyone!(asleep(false)),
            )
        },
        Case {
            clock: Clock::Process,
            ..wakes("wake/storm-1", "wake", everyone!(storm(1)))
        },
        Case {
            clock: Clock::Process,
            ..wakes("wake/storm-4", "wake", everyone!(storm(4)))
        },
    ]
}

/// A queue with a waker, and nothing pending.
fn quiet<C: Contender>() -> io::Result<(C::Poll, C::Events, C::Waker)> {
    let (mut poll, mut events) = (C::poll()?, C::events(64));
    let waker = C::waker(&poll, 0)?;
    C::wait(&mut poll, &mut events, Some(Duration::ZERO))?;
    Ok((poll, events, waker))
}

/// Nothing is ready, and the poller does not wait for it.
fn empty_poll<C: Contender>() -> io::Result<Turn> {
    const POLLS: usize = 10_000;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    Ok(Box::new(move || {
        let _alive = &waker;
        let time = Clock::Thread.time(|| {
            (0..POLLS).try_for_each(|_| C::wait(&mut poll, &mut events, Some(Duration::ZERO)))
        })?;
        Ok(time / POLLS as f64)
    }))
}

/// A write to an eventfd, and the poll that finds it.
fn one_event<C: Contender>() -> io::Result<Turn> {
    const POLLS: usize = 5_000;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    let eventfd = rustix::event::eventfd(0, rustix::event::EventfdFlags::NONBLOCK)?;
    C::add_fd(&poll, std::os::fd::AsRawFd::as_raw_fd(&eventfd), 1)?;
    Ok(Box::new(move || {
        let _alive = &waker;
        let time = Clock::Thread.time(|| {
            (0..POLLS).try_for_each(|_| {
                rustix::io::write(&eventfd, &1u64.to_ne_bytes())?;
                C::wait(&mut poll, &mut events, None)
            })
        })?;
        Ok(time / POLLS as f64)
    }))
}

/// The poller is busy, and was woken already.
fn pending<C: Contender>() -> io::Result<Turn> {
    const WAKES: usize = 20_000;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    Ok(Box::new(move || {
        C::wake(&waker)?;
        let time = Clock::Thread.time(|| (0..WAKES).try_for_each(|_| C::wake(&waker)))?;
        C::wait(&mut poll, &mut events, None)?;
        Ok(time / WAKES as f64)
    }))
}

fn wake_and_poll<C: Contender>(wakes: usize) -> io::Result<Turn> {
    let polls = 8_000 / wakes;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    Ok(Box::new(move || {
        let time = Clock::Thread.time(|| {
            (0..polls).try_for_each(|_| {
                (0..wakes).try_for_each(|_| C::wake(&waker))?;
                C::wait(&mut poll, &mut events, None)
            })
        })?;
        Ok(time / polls as f64)
    }))
}

/// One of two threads that wake each other in turns.
struct Player<C: Contender> {
    poll: C::Poll,
    events: C::Events,
    /// How often this one was called.
    calls: Arc<AtomicU64>,
}

impl<C: Contender> Player<C> {
    fn await_call(&mut self, number: u64) -> io::Result<()> {
        loop {
            C::wait(&mut self.poll, &mut self.events, None)?;
            if self.calls.load(Ordering::Acquire) >= number {
                return Ok(());
            }
        }
    }
}

/// How another thread calls a player.
struct Bell<C: Contender> {
    waker: C::Waker,
    calls: Arc<AtomicU64>,
}

impl<C: Contender> Bell<C> {
    fn ring(&self, number: u64) -> io::Result<()> {
        self.calls.store(number, Ordering::Release);
        C::wake(&self.waker)
    }
}

fn player<C: Contender>() -> io::Result<(Player<C>, Bell<C>)> {
    let (poll, events, waker) = quiet::<C>()?;
    let calls = Arc::new(AtomicU64::new(0));
    let bell = Bell {
        waker,
        calls: Arc::clone(&calls),
    };
    Ok((
        Player {
            poll,
            events,
            calls,
        },
        bell,
    ))
}

/// Two threads wake each other out of their sleep. On one core this is CPU
/// time and steady; over two it is mostly the kernel's and the hypervisor's.
fn asleep<C: Contender>(same_core: bool) -> io::Result<Turn> {
    // Few: on a machine with other things to do, each hand-over may have to
    // wait for them.
    const ROUND_TRIPS: u64 = 200;
    let clock = if same_core {
        Clock::Process
    } else {
        Clock::Elapsed
    };
    Ok(Box::new(move || {
        let everywhere = sched_getaffinity(None)?;
        if same_core {
            let mut one = CpuSet::new();
            let first = (0..CpuSet::MAX_CPU).find(|cpu| everywhere.is_set(*cpu));
            one.set(first.unwrap_or(0));
            sched_setaffinity(None, &one)?;
        }
        let (mut here, bell_here) = player::<C>()?;
        let (mut there, bell_there) = player::<C>()?;
        let bell_here = Arc::new(bell_here);
        // A wake of a waker that is dropped too early is forgotten.
        let _alive = Arc::clone(&bell_here);
        let other = thread::spawn(move || {
            (0..=ROUND_TRIPS).try_for_each(|number| {
                there.await_call(number)?;
                bell_here.ring(number)
            })
        });
        let mut round_trip = |number| {
            bell_there.ring(number)?;
            here.await_call(number)
        };
        // The other thread has started once it has answered.
        round_trip(0)?;
        let time = clock.time(|| (1..=ROUND_TRIPS).try_for_each(round_trip))?;
        join(other)?;
        sched_setaffinity(None, &everywhere)?;
        Ok(time / (2 * ROUND_TRIPS) as f64)
    }))
}

/// Threads that wake one poller as fast as they can.
fn storm<C: Contender>(threads: usize) -> io::Result<Turn> {
    let wakes = 40_000 / threads;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    let waker = Arc::new(waker);
    Ok(Box::new(move || {
        let done = Arc::new(AtomicUsize::new(0));
        let time = Clock::Process.time(|| {
            let others: Vec<_> = (0..threads)
                .map(|_| {
                    let (waker, done) = (Arc::clone(&waker), Arc::clone(&done));
                    thread::spawn(move || {
                        (0..wakes).try_for_each(|_| C::wake(&waker))?;
                        done.fetch_add(1, Ordering::AcqRel);
                        C::wake(&waker)
                    })
                })
                .collect();
            while done.load(Ordering::Acquire) < threads {
                C::wait(&mut poll, &mut events, None)?;
            }
            others.into_iter().try_for_each(join)
        })?;
        Ok(time / (threads * wakes) as f64)
    }))
}

fn join(thread: thread::JoinHandle<io::Result<()>>) -> io::Result<()> {
    let panicked = |_| io::Error::other("a thread of the case panicked");
    thread.join().map_err(panicked)?
}
