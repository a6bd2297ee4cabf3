//! Linux: all contenders and all cases, and what is counted instead of timed.

mod build;
mod instructions;
mod setup;

use anyhow::Result;
use rustix::process::{getrlimit, setrlimit, Resource, Rlimit};
use rustix::time::{clock_gettime, ClockId};

use crate::cases::{
    accept, asleep, dispatch, echo, echo_unix, register, segments, sockets, timeout, udp, wake,
};
use crate::clock::Clock;
use crate::measure::Case;

/// The same user code for every contender.
macro_rules! everyone {
    ($setup:ident($($arg:expr),*)) => {
        || Ok(vec![
            (Ours::NAME, $setup::<Ours>($($arg),*)?),
            (Mio::NAME, $setup::<Mio>($($arg),*)?),
            (Polling::NAME, $setup::<Polling>($($arg),*)?),
            (Raw::NAME, $setup::<Raw>($($arg),*)?),
        ])
    };
}
pub(crate) use everyone;

/// All cases, in the order in which they run.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = wake::cases();
    cases.extend(asleep::cases());
    cases.extend(register::cases());
    cases.extend(sockets::cases());
    cases.extend(dispatch::cases());
    cases.extend(echo::cases());
    cases.extend(echo_unix::cases());
    cases.extend(accept::cases());
    cases.extend(timeout::cases());
    cases.extend(udp::cases());
    cases.extend(segments::cases());
    cases
}

/// What else the program does, by the words that ask for it.
pub(crate) fn job(words: &[&str]) -> Option<Result<()>> {
    Some(match words {
        ["instructions"] => instructions::run(),
        ["setup"] => setup::run(),
        ["build"] => build::run(),
        // What the first two of them start themselves under other programs.
        ["repeat", contender, operation, count] => count
            .parse()
            .map_err(Into::into)
            .and_then(|count| instructions::repeat(contender, operation, count)),
        ["set-up", contender] => setup::set_up(contender),
        _ => return None,
    })
}

/// The cases with 1000 connections need more than the usual soft limit.
pub(crate) fn allow_many_descriptors() -> Result<()> {
    let limit = getrlimit(Resource::Nofile);
    let all = Rlimit {
        current: limit.maximum,
        ..limit
    };
    Ok(setrlimit(Resource::Nofile, all)?)
}

/// Nanoseconds since some moment.
pub(crate) fn now(clock: Clock) -> f64 {
    let time = clock_gettime(match clock {
        Clock::Thread => ClockId::ThreadCPUTime,
        Clock::Process => ClockId::ProcessCPUTime,
        Clock::Elapsed => ClockId::Monotonic,
    });
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}
