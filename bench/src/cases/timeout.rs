//! How long a poll waits for nothing, against what it was asked to.

use std::io;
use std::time::Duration;

use super::*;

pub(crate) fn cases() -> Vec<Case> {
    let timeouts = |name, contenders| Case {
        name,
        per: "poll",
        unit: Unit::Micros,
        clock: Clock::Elapsed,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        timeouts("timeout/50us", everyone!(timeout(50, 11))),
        timeouts("timeout/100us", everyone!(timeout(100, 11))),
        timeouts("timeout/500us", everyone!(timeout(500, 7))),
        timeouts("timeout/1500us", everyone!(timeout(1_500, 5))),
        timeouts("timeout/10ms", everyone!(timeout(10_000, 3))),
    ]
}

fn timeout<C: Contender>(micros: u64, polls: usize) -> io::Result<Turn> {
    let (mut poll, mut events) = (C::poll()?, C::events(16));
    let timeout = Some(Duration::from_micros(micros));
    Ok(Box::new(move || {
        let times =
            (0..polls).map(|_| Clock::Elapsed.time(|| C::wait(&mut poll, &mut events, timeout)));
        let mut times = times.collect::<io::Result<Vec<_>>>()?;
        times.sort_by(f64::total_cmp);
        Ok(times[times.len() / 2])
    }))
}
