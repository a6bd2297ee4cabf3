//! Wakes: of a poller that is busy, or in a storm of them.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::*;

pub(crate) fn cases() -> Vec<Case> {
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
        wakes("wake/pending", "wake", everyone!(pending())),
        wakes("wake/and-poll", "wake + poll", everyone!(wake_and_poll(1))),
        wakes(
            "wake/16-and-poll",
            "16 wakes + poll",
            everyone!(wake_and_poll(16)),
        ),
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
pub(super) fn quiet<C: Contender>() -> io::Result<(C::Poll, C::Events, C::Waker)> {
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

pub(super) fn join(thread: thread::JoinHandle<io::Result<()>>) -> io::Result<()> {
    let panicked = |_| io::Error::other("a thread of the case panicked");
    thread.join().map_err(panicked)?
}
