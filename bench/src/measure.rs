//! Rounds, in which each contender has one turn, and what is made of them.
//!
//! A machine that does other things makes figures of different minutes
//! incomparable. So all contenders run in one process, one after the other in
//! every round, each time in another order; and what counts is the median of
//! the ratios within the rounds.

use std::io;

use serde::{Deserialize, Serialize};

use crate::clock::Clock;

/// One turn of a contender: the figure that it measured.
pub(crate) type Turn = Box<dyn FnMut() -> io::Result<f64>>;

/// Sets all contenders of a case up.
pub(crate) type Contenders = fn() -> io::Result<Vec<(&'static str, Turn)>>;

/// Who a ratio is to.
pub(crate) const REFERENCE: &str = "mio";

/// Who does not take part in this build: no flag takes them off epoll.
const LEFT_OUT: &[&str] = if cfg!(mio_unsupported_force_poll_poll) {
    &["polling", "raw"]
} else {
    &[]
};

/// A question, and who is asked.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// What one unit of the figure is: `wake`, `request`.
    pub(crate) per: &'static str,
    pub(crate) unit: Unit,
    pub(crate) clock: Clock,
    /// The most rounds that it is worth, for cases that take seconds.
    pub(crate) at_most: usize,
    pub(crate) contenders: Contenders,
}

/// What figures are shown in; they are measured in nanoseconds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Unit {
    Nanos,
    Micros,
    Millis,
}

impl Unit {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Unit::Nanos => "ns",
            Unit::Micros => "us",
            Unit::Millis => "ms",
        }
    }

    fn of_nanos(self, nanos: f64) -> f64 {
        match self {
            Unit::Nanos => nanos,
            Unit::Micros => nanos / 1e3,
            Unit::Millis => nanos / 1e6,
        }
    }
}

/// The middle of many figures and where the quarters next to it end.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Quartiles {
    pub(crate) low: f64,
    pub(crate) median: f64,
    pub(crate) high: f64,
}

impl Quartiles {
    fn of(figures: impl Iterator<Item = f64>) -> Quartiles {
        let mut sorted: Vec<f64> = figures.collect();
        sorted.sort_by(f64::total_cmp);
        let at = |part: f64| {
            let place = part * sorted.len().saturating_sub(1) as f64;
            let (below, above) = (place.floor() as usize, place.ceil() as usize);
            let weight = place - place.floor();
            match (sorted.get(below), sorted.get(above)) {
                (Some(below), Some(above)) => below + (above - below) * weight,
                _ => f64::NAN,
            }
        };
        Quartiles {
            low: at(0.25),
            median: at(0.5),
            high: at(0.75),
        }
    }

    fn rounded(self) -> Quartiles {
        let round = |figure: f64| {
            let digits = (4.0 - figure.abs().log10().floor()).clamp(0.0, 6.0);
            let scale = 10f64.powf(digits);
            (figure * scale).round() / scale
        };
        Quartiles {
            low: round(self.low),
            median: round(self.median),
            high: round(self.high),
        }
    }
}

/// What came out for one contender.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Standing {
    pub(crate) contender: String,
    pub(crate) figure: Quartiles,
    /// To the reference, of the same round each.
    pub(crate) ratio: Quartiles,
}

/// What came out of a case: one line of a record.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) case: String,
    pub(crate) unit: String,
    pub(crate) per: String,
    pub(crate) clock: String,
    pub(crate) rounds: usize,
    pub(crate) standings: Vec<Standing>,
}

impl Outcome {
    pub(crate) fn of(&self, contender: &str) -> Option<&Standing> {
        self.standings.iter().find(|s| s.contender == contender)
    }

    /// Slower than the reference beyond doubt: three quarters of the rounds.
    pub(crate) fn is_slower(&self) -> bool {
        self.of("ours").is_some_and(|ours| ours.ratio.low > 1.0)
    }
}

impl Case {
    /// Runs the rounds; `tick` is called after each.
    pub(crate) fn run(&self, rounds: usize, mut tick: impl FnMut()) -> io::Result<Outcome> {
        let rounds = rounds.min(self.at_most);
        let mut contenders = (self.contenders)()?;
        contenders.retain(|(name, _)| !LEFT_OUT.contains(name));
        let count = contenders.len();
        let mut figures = vec![Vec::with_capacity(rounds); count];
        // The first round warms caches and memory, and is not counted.
        for round in 0..=rounds {
            for turn in 0..count {
                // Every other round backwards, so that over the rounds nobody
                // always follows the same neighbour.
                let step = if round % 2 == 0 {
                    turn
                } else {
                    count - 1 - turn
                };
                let index = (round / 2 + step) % count;
                let figure = contenders[index].1()?;
                if round > 0 {
                    figures[index].push(self.unit.of_nanos(figure));
                }
            }
            tick();
        }
        let names: Vec<&str> = contenders.iter().map(|(name, _)| *name).collect();
        Ok(self.outcome(&names, &figures, rounds))
    }

    fn outcome(&self, names: &[&str], figures: &[Vec<f64>], rounds: usize) -> Outcome {
        let reference = names.iter().position(|name| *name == REFERENCE);
        let standings = names.iter().zip(figures).map(|(name, own)| {
            let ratios = reference.map_or(&[][..], |index| &figures[index][..]);
            let ratios = own.iter().zip(ratios).map(|(own, other)| own / other);
            Standing {
                contender: (*name).to_owned(),
                figure: Quartiles::of(own.iter().copied()).rounded(),
                ratio: Quartiles::of(ratios).rounded(),
            }
        });
        Outcome {
            case: self.name.to_owned(),
            unit: self.unit.name().to_owned(),
            per: self.per.to_owned(),
            clock: self.clock.name().to_owned(),
            rounds,
            standings: standings.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quartiles_are_between_the_figures() {
        let quartiles = Quartiles::of([4.0, 1.0, 3.0, 2.0, 5.0].into_iter());
        assert_eq!(
            (quartiles.low, quartiles.median, quartiles.high),
            (2.0, 3.0, 4.0)
        );
        let quartiles = Quartiles::of([1.0, 2.0].into_iter());
        assert_eq!(quartiles.median, 1.5);
        assert!(Quartiles::of(std::iter::empty()).median.is_nan());
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        let case = Case {
            name: "a",
            per: "turn",
            unit: Unit::Nanos,
            clock: Clock::Elapsed,
            at_most: 3,
            contenders: || {
                // A machine that gets slower and slower: figures drift, the
                // ratio does not.
                let mut times = [1.0, 1.0];
                let mut turn = move |who: usize, factor: f64| {
                    times[who] *= 2.0;
                    times[who] * factor
                };
                Ok(vec![
                    ("ours", Box::new(move || Ok(turn(0, 0.5))) as Turn),
                    ("mio", Box::new(move || Ok(turn(1, 1.0))) as Turn),
                ])
            },
        };
        let mut ticks = 0;
        let outcome = case.run(10, || ticks += 1).unwrap();
        assert_eq!((outcome.rounds, ticks), (3, 4));
        let ours = outcome.of("ours").unwrap();
        assert_eq!(ours.ratio.low, 0.5);
        assert_eq!(ours.ratio.high, 0.5);
        assert!(!outcome.is_slower());
    }
}
