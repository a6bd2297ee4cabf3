//! What a measurement is taken with.

use std::io;

use crate::system;

/// Whose time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Clock {
    /// The CPU time of the calling thread: what other programs do on this
    /// machine hardly shows in it.
    Thread,
    /// The CPU time of all threads of this process.
    Process,
    /// The time that passes: for what waits.
    Elapsed,
}

impl Clock {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Clock::Thread => "thread CPU",
            Clock::Process => "process CPU",
            Clock::Elapsed => "elapsed",
        }
    }

    /// Nanoseconds since some moment.
    pub(crate) fn now(self) -> f64 {
        system::now(self)
    }

    /// How many nanoseconds `work` takes.
    pub(crate) fn time(self, work: impl FnOnce() -> io::Result<()>) -> io::Result<f64> {
        let start = self.now();
        work()?;
        Ok(self.now() - start)
    }
}

/// Adds up many short stretches of thread CPU time, without what it costs to
/// read the clock around each of them.
#[derive(Debug)]
pub(crate) struct Stopwatch {
    total: f64,
    cost_of_reading: f64,
}

impl Stopwatch {
    pub(crate) fn new() -> Stopwatch {
        let mut costs: Vec<f64> = (0..200)
            .map(|_| {
                let start = Clock::Thread.now();
                Clock::Thread.now() - start
            })
            .collect();
        costs.sort_by(f64::total_cmp);
        Stopwatch {
            total: 0.0,
            cost_of_reading: costs[costs.len() / 2],
        }
    }

    pub(crate) fn time<R>(&mut self, work: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
        let start = Clock::Thread.now();
        let result = work()?;
        self.total += Clock::Thread.now() - start - self.cost_of_reading;
        Ok(result)
    }

    pub(crate) fn total(&self) -> f64 {
        self.total
    }
}
