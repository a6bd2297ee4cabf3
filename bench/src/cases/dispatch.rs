//! A poll and the walk over its events, with few and with many of them.

use std::hint::black_box;
use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::time::Duration;

use rustix::event::{eventfd, EventfdFlags};

use super::register::sources;
use super::wake::quiet;
use super::*;
use crate::clock::Stopwatch;

pub(crate) fn cases() -> Vec<Case> {
    let dispatch = |name, contenders| Case {
        name,
        per: "event",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        Case {
            per: "poll",
            ..dispatch("poll/one-event", everyone!(one_event()))
        },
        dispatch("dispatch/1-of-10k", || everyone(1, 10_000, 2_000)),
        dispatch("dispatch/100-of-10k", || everyone(100, 10_000, 200)),
        dispatch("dispatch/1000-of-1000", || everyone(1_000, 1_000, 20)),
    ]
}

/// A write to an eventfd, and the poll that finds it.
fn one_event<C: OnUnix>() -> io::Result<Turn> {
    const POLLS: usize = 5_000;
    let (mut poll, mut events, waker) = quiet::<C>()?;
    let eventfd = eventfd(0, EventfdFlags::NONBLOCK)?;
    C::add_fd(&poll, eventfd.as_raw_fd(), 1)?;
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

fn everyone(ready: usize, of: usize, polls: usize) -> io::Result<Vec<(&'static str, Turn)>> {
    let sources = sources(of)?;
    let contenders = everyone!(dispatch(Rc::clone(&sources), ready, polls));
    contenders()
}

fn dispatch<C: OnUnix>(sources: Rc<Vec<OwnedFd>>, ready: usize, polls: usize) -> io::Result<Turn> {
    Ok(Box::new(move || {
        let (mut poll, mut events) = (C::poll()?, C::events(1_024));
        for (token, fd) in sources.iter().enumerate() {
            C::add_fd(&poll, fd.as_raw_fd(), token)?;
        }
        drain::<C>(&mut poll, &mut events)?;
        let mut stopwatch = Stopwatch::new();
        let stride = sources.len() / ready;
        for offset in 0..polls {
            for fd in sources
                .iter()
                .skip(offset % stride)
                .step_by(stride)
                .take(ready)
            {
                rustix::io::write(fd, &1u64.to_ne_bytes())?;
            }
            stopwatch.time(|| {
                let mut left = ready;
                while left > 0 {
                    C::wait(&mut poll, &mut events, None)?;
                    C::each(&events, |token| {
                        black_box(token);
                        left -= 1;
                        Ok(())
                    })?;
                }
                Ok(())
            })?;
        }
        for fd in sources.iter() {
            C::remove_fd(&poll, fd.as_raw_fd())?;
        }
        Ok(stopwatch.total() / (polls * ready) as f64)
    }))
}

/// Takes what is ready from the start off the queue.
fn drain<C: OnUnix>(poll: &mut C::Poll, events: &mut C::Events) -> io::Result<()> {
    loop {
        let mut some = false;
        C::wait(poll, events, Some(Duration::ZERO))?;
        C::each(events, |_| {
            some = true;
            Ok(())
        })?;
        if !some {
            return Ok(());
        }
    }
}
