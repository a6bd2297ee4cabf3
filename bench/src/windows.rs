//! Windows, which is Wine here: this crate against mio, in the cases that sockets
//! and wakers can tell.

use std::sync::OnceLock;
use std::time::Instant;

use anyhow::Result;

use crate::cases::{accept, echo, sockets, timeout, udp, wake};
use crate::clock::Clock;
use crate::measure::Case;

/// The same user code for both.
macro_rules! everyone {
    ($setup:ident($($arg:expr),*)) => {
        || Ok(vec![
            (Ours::NAME, $setup::<Ours>($($arg),*)?),
            (Mio::NAME, $setup::<Mio>($($arg),*)?),
        ])
    };
}
pub(crate) use everyone;

/// All cases, in the order in which they run.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases = wake::cases();
    cases.extend(sockets::cases());
    cases.extend(echo::cases());
    cases.extend(accept::cases());
    cases.extend(timeout::cases());
    cases.extend(udp::cases());
    cases
}

/// What counts instructions and system calls is Linux's.
pub(crate) fn job(_: &[&str]) -> Option<Result<()>> {
    None
}

/// There is no limit to raise.
pub(crate) fn allow_many_descriptors() -> Result<()> {
    Ok(())
}

/// Nanoseconds since some moment: always of the time that passes. What Wine's
/// kernel does, another process does, whose CPU time is in no clock of ours.
pub(crate) fn now(_: Clock) -> f64 {
    static START: OnceLock<Instant> = OnceLock::new();
    let start = START.get_or_init(Instant::now);
    start.elapsed().as_nanos() as f64
}
