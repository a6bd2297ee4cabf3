//! Wakes of a poller that is asleep, whose cores are chosen.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::Arc;
use std::thread;

use rustix::thread::{sched_getaffinity, sched_setaffinity, CpuSet};

use super::wake::{join, quiet};
use super::*;

pub(crate) fn cases() -> Vec<Case> {
    let hand_overs = |name, clock, contenders| Case {
        name,
        per: "hand-over",
        unit: Unit::Nanos,
        clock,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        hand_overs(
            "wake/asleep-same-core",
            Clock::Process,
            everyone!(asleep(true)),
        ),
        hand_overs(
            "wake/asleep-other-core",
            Clock::Elapsed,
            everyone!(asleep(false)),
        ),
    ]
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
