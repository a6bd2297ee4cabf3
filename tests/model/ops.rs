//! What the generator draws. A step is drawn as small numbers, so that shrinking one is shrinking
//! those: towards the first of each list.

use std::fmt;

use proptest::prelude::*;

use super::terms::{End, Mode, Pair};

/// One step. Each is done with the source in its place; in an empty place a source is made instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Op {
    Poll,
    /// Also what is armed by time must come.
    Settle,
    /// No edge comes twice.
    PollAgain,
    Register(Pair, Mode),
    Reregister(Pair, Mode),
    Deregister,
    PeerWrite(usize),
    PeerRead(usize),
    PeerDrain,
    PeerEnd(End),
    Read(usize),
    ReadAll,
    Write(usize),
    Fill,
    Close,
    Duplicate,
    Wake,
}

impl Op {
    /// Whether it can be done while another thread has the queue.
    pub(crate) fn can_race(self) -> bool {
        !matches!(self, Op::Poll | Op::Settle | Op::PollAgain)
    }
}

/// A step, the place of its source, and whether another thread sleeps in the poll meanwhile: after
/// how many turns of the scheduler the step is done.
#[derive(Clone, Copy)]
pub(crate) struct Step {
    pub(crate) op: Op,
    pub(crate) place: usize,
    pub(crate) number: usize,
    pub(crate) race: Option<usize>,
}

impl fmt::Debug for Step {
    /// On one line: a history is read as a list.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Step {
            op, place, number, ..
        } = self;
        let race = self
            .race
            .map_or(String::new(), |turns| format!(", racing after {turns}"));
        f.write_str(&format!("{op:?} at {place} ({number}){race}"))
    }
}

impl Step {
    /// What is done after it while another thread sleeps: what blocked can be done again, which only
    /// a poll learns that was told of the block.
    pub(crate) fn follow_up(&self) -> Option<Op> {
        match self.op {
            _ if self.number % 2 == 0 => None,
            Op::ReadAll => Some(Op::PeerWrite(1)),
            Op::Fill => Some(Op::PeerDrain),
            _ => None,
        }
    }
}

/// A history from an empty queue on.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) places: usize,
    pub(crate) capacity: usize,
    pub(crate) steps: Vec<Step>,
}

/// How often a step is drawn, of the sum of all.
type Weight = (u8, fn(usize) -> Op);

const WEIGHTS: [Weight; 17] = [
    (44, |_| Op::Poll),
    (30, |n| Op::PeerWrite(1 + n % 512)),
    (18, |n| Op::Register(wanted(n), mode(n / 4))),
    (14, |n| Op::Reregister(wanted(n), mode(n / 4))),
    (24, |_| Op::ReadAll),
    (18, |n| Op::Read(1 + n % 512)),
    (8, |_| Op::Deregister),
    (8, |_| Op::Close),
    (8, |n| Op::Write(1 + n % 512)),
    (3, |_| Op::Fill),
    (8, |_| Op::PeerDrain),
    (6, |n| Op::PeerRead(1 + n % 512)),
    (4, |n| Op::PeerEnd([End::Half, End::Closed][n % 2])),
    (3, |_| Op::Duplicate),
    (5, |_| Op::Wake),
    (5, |_| Op::PollAgain),
    (2, |_| Op::Settle),
];

fn wanted(number: usize) -> Pair {
    let (read, write) = [(true, false), (true, true), (false, true), (true, true)][number % 4];
    Pair { read, write }
}

fn mode(number: usize) -> Mode {
    use Mode::{Edge, Level, OneShot};
    [Edge, Edge, Edge, Level, OneShot][number % 5]
}

fn op(drawn: u8, number: usize) -> Op {
    let mut left = drawn;
    for (weight, op) in WEIGHTS {
        if left < weight {
            return op(number);
        }
        left -= weight;
    }
    Op::Poll
}

fn step() -> impl Strategy<Value = Step> {
    let sum = WEIGHTS.iter().map(|(weight, _)| weight).sum::<u8>();
    (0..sum, 0..8_u8, 0..4096_u16, 0..64_u8).prop_map(|(drawn, place, number, race)| {
        let number = usize::from(number);
        Step {
            op: op(drawn, number),
            place: usize::from(place),
            number,
            // Shrinking leads away from races.
            race: (race >= 60).then(|| [0, 1, 4, 40][usize::from(race - 60)]),
        }
    })
}

/// The steps of one case.
pub(crate) const LONGEST: usize = 200;

pub(crate) fn case() -> impl Strategy<Value = Case> {
    let steps = proptest::collection::vec(step(), 1..=LONGEST);
    (1..=8_usize, 0..4_usize, steps).prop_map(|(places, capacity, steps)| Case {
        places,
        capacity: [64, 1, 2, 16][capacity],
        steps,
    })
}
