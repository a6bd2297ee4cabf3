//! What a queue owes its caller: edges of one source, as plain data.
//!
//! The model follows a source through its operations, and says at each moment which event must
//! come, which may, and which must not. It knows no kernel. Where it cannot know (what is under way
//! in a network, how far a buffer is full) it demands nothing.

use super::terms::{End, Known, Mode, Nature, Outcome, Pair, Unit, Verdict};
use super::terms::{DIRECTIONS, READ, WRITE};

#[derive(Debug, Clone, Copy)]
pub(crate) struct Registration {
    pub(crate) token: usize,
    pub(crate) wanted: Pair,
    pub(crate) mode: Mode,
    /// Nothing was reported since it was last asked for.
    armed: [bool; 2],
    /// A one-shot registration is spent.
    spent: bool,
}

/// What was written and the peer has not read.
#[derive(Debug, Clone, Copy, Default)]
struct Outbound {
    bytes: usize,
    writes: usize,
    /// A write did not find room since all was read.
    full: bool,
    drained_since: bool,
}

/// So many small writes fit into each kind of buffer, however it counts.
const SURE_WRITES: usize = 4;
const SURE_BYTES: usize = 2048;

impl Outbound {
    /// Whether there is room for certain.
    fn has_room(self) -> bool {
        !self.full && self.writes <= SURE_WRITES && self.bytes <= SURE_BYTES
    }
}

/// One source and its peer.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    pub(crate) nature: Nature,
    inbound: usize,
    pub(crate) end: End,
    outbound: Outbound,
    pub(crate) registration: Option<Registration>,
}

impl Source {
    pub(crate) fn new(nature: Nature) -> Source {
        Source {
            nature,
            inbound: 0,
            end: End::Open,
            outbound: Outbound::default(),
            registration: None,
        }
    }

    /// Registered or reregistered: whatever is ready is owed anew.
    pub(crate) fn register(&mut self, token: usize, wanted: Pair, mode: Mode) {
        self.registration = Some(Registration {
            token,
            wanted,
            mode,
            armed: [true; 2],
            spent: false,
        });
    }

    pub(crate) fn unread(&self) -> usize {
        self.inbound
    }

    pub(crate) fn unread_by_peer(&self) -> usize {
        self.outbound.bytes
    }

    /// An operation would have blocked: the next readiness is owed. Also for an event that raced with
    /// such an operation: it came before, since there was nothing to report after.
    pub(crate) fn arm(&mut self, direction: usize) {
        if let Some(registration) = &mut self.registration {
            registration.armed[direction] = true;
        }
    }

    fn arrival(&mut self) {
        if self.nature.kernel_edges {
            self.arm(READ);
        }
    }

    /// The peer wrote `count` of the unit.
    pub(crate) fn arrived(&mut self, count: usize) {
        self.inbound += count;
        self.arrival();
    }

    /// The peer ended its side, or all.
    pub(crate) fn ended(&mut self, end: End) {
        let first = self.end == End::Open;
        self.end = end;
        if first {
            // The rest of an end is no news to whoever reads.
            self.arrival();
        }
    }

    /// The source was asked for `asked` of the unit.
    pub(crate) fn read(&mut self, asked: usize, outcome: Outcome) -> Verdict {
        let level = self.level(READ);
        match outcome {
            Outcome::WouldBlock if level == Known::Yes && !self.nature.remote => {
                return Err(format!("a read would block with {} unread", self.inbound));
            }
            Outcome::WouldBlock => self.arm(READ),
            Outcome::Failed if self.end == End::Broken => {}
            Outcome::Failed => return Err("a read failed".to_owned()),
            Outcome::Done(_) if self.end == End::Broken => {}
            Outcome::Done(0) if self.inbound == 0 && self.end != End::Open => {}
            Outcome::Done(count) => {
                let whole = match self.nature.unit {
                    Unit::Bytes => asked.min(self.inbound),
                    Unit::Datagrams => self.inbound.min(1),
                    Unit::Counter => self.inbound,
                };
                let short = self.nature.remote && count > 0 && count < whole;
                if count == 0 || (count != whole && !short) {
                    return Err(format!("a read gave {count} instead of {whole}"));
                }
                self.inbound -= count;
            }
        }
        Ok(())
    }

    /// The source was written to.
    pub(crate) fn wrote(&mut self, outcome: Outcome) -> Verdict {
        let (sure, remote) = (self.level(WRITE) == Known::Yes, self.nature.remote);
        match outcome {
            Outcome::Done(count) => {
                self.outbound.bytes += count;
                self.outbound.writes += 1;
                if self.end == End::Closed {
                    // There is nobody to take it: a network says so later.
                    self.end = End::Broken;
                }
            }
            Outcome::WouldBlock if sure && !remote => {
                return Err("a write would block though there is room".to_owned());
            }
            Outcome::WouldBlock => {
                self.outbound.full = true;
                self.outbound.drained_since = false;
                self.arm(WRITE);
            }
            Outcome::Failed if matches!(self.end, End::Closed | End::Broken) => {}
            Outcome::Failed => return Err("a write failed".to_owned()),
        }
        Ok(())
    }

    /// The peer read `count` bytes.
    pub(crate) fn drained(&mut self, count: usize) {
        let left = self.outbound.bytes.saturating_sub(count);
        self.outbound = match left {
            0 => Outbound::default(),
            _ => Outbound {
                bytes: left,
                drained_since: true,
                ..self.outbound
            },
        };
    }

    /// Whether an operation would do something, or fail, and not block.
    pub(crate) fn level(&self, direction: usize) -> Known {
        let gone = match self.end {
            End::Broken => true,
            // A half-open connection of the network takes data until it hears more.
            End::Closed => direction == READ || !self.nature.remote,
            End::Half => direction == READ,
            End::Open => false,
        };
        if gone {
            return Known::Yes;
        }
        let outbound = &self.outbound;
        match direction {
            READ if self.inbound > 0 => Known::Yes,
            READ => Known::No,
            _ if outbound.full && !outbound.drained_since && !self.nature.remote => Known::No,
            _ if outbound.has_room() => Known::Yes,
            _ => Known::Unknown,
        }
    }

    /// Whether an event must come.
    pub(crate) fn owes(&self) -> bool {
        DIRECTIONS.iter().any(|direction| self.owes_one(*direction))
    }

    fn owes_one(&self, direction: usize) -> bool {
        let Some(registration) = &self.registration else {
            return false;
        };
        let held_back = match registration.mode {
            Mode::Edge => !registration.armed[direction],
            Mode::Level => false,
            Mode::OneShot => registration.spent,
        };
        registration.wanted.has(direction) && !held_back && self.level(direction) == Known::Yes
    }

    /// An event came that says `ready` of reading and writing, and `shown` of its plain bits. While
    /// something else happens to the source its readiness cannot be judged.
    pub(crate) fn deliver(&mut self, ready: Pair, shown: Pair, judge: bool) -> Verdict {
        for direction in DIRECTIONS {
            if judge && shown.has(direction) && self.level(direction) == Known::No {
                let name = ["readable", "writable"][direction];
                return Err(format!("an event says {name}, which is not so"));
            }
        }
        let Some(registration) = &mut self.registration else {
            return Err("an event without a registration".to_owned());
        };
        if registration.spent {
            return Err("a one-shot registration came again".to_owned());
        }
        registration.spent = registration.mode == Mode::OneShot;
        for direction in DIRECTIONS {
            if ready.has(direction) {
                registration.armed[direction] = false;
            }
        }
        Ok(())
    }
}
