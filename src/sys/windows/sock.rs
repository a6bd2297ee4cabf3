//! The state of one polled socket: plain data that knows no kernel, so that it
//! is compiled and tested everywhere.
//!
//! # What AFD can do
//!
//! One *poll* of a socket is an operation: it is given a mask of conditions, and
//! completes once one of them holds, or held already. A poll that is pending can
//! be cancelled but not changed. So a poll is a level check and a one-shot, and
//! all that callers know of edges, levels and one-shots is made here:
//!
//! | of a socket | means |
//! |---|---|
//! | `interest` | what the owner wants to hear |
//! | `armed` | the part of it that was not reported since it was last asked for |
//! | `poll` | what the kernel has: nothing, a poll for a mask, or one that is being cancelled |
//! | `queued` | whether it is in the queue of updates |
//!
//! A report takes its bits out of `armed`, unless the mode is level; a one-shot
//! report takes all. A would-block and a reregistration put them back. The kernel
//! is to have a poll for all that is armed; whenever it has not, the socket is
//! queued, and [`Sock::step`] says what to do. To ask for more than a pending
//! poll does, it is cancelled, and a new one is started by its completion. To ask
//! for less takes nothing: what is not armed is not reported.
//!
//! A completion is matched against what is armed *when it is dequeued*, and
//! reported with the token of that moment; a socket that was deregistered in the
//! meantime reports nothing.

use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;

// The conditions, as the driver numbers them.
pub(crate) const RECEIVE: u32 = 0x1;
pub(crate) const RECEIVE_EXPEDITED: u32 = 0x2;
pub(crate) const SEND: u32 = 0x4;
pub(crate) const DISCONNECT: u32 = 0x8;
pub(crate) const ABORT: u32 = 0x10;
pub(crate) const LOCAL_CLOSE: u32 = 0x20;
pub(crate) const ACCEPT: u32 = 0x80;
pub(crate) const CONNECT_FAIL: u32 = 0x100;
/// Not of the driver: the socket could not be polled.
pub(crate) const FAILED: u32 = 1 << 31;

/// The end of a connection, in whatever way it is asked.
const END: u32 = ABORT | CONNECT_FAIL;
/// What reading is told by.
const READ: u32 = RECEIVE | ACCEPT | DISCONNECT;

/// What a poll for an interest asks.
pub(crate) fn mask_of(interest: Interest) -> u32 {
    let mut mask = END;
    if interest.is_readable() {
        mask |= READ;
    }
    if interest.is_writable() {
        mask |= SEND;
    }
    if interest.is_priority() {
        mask |= RECEIVE_EXPEDITED;
    }
    mask
}

/// What reported conditions mean to somebody who asked for `mask`.
///
/// The end of a connection makes reading and writing possible, as they return at
/// once; but somebody who asked for the end alone is told just that.
pub(crate) fn readiness_of(reported: u32, mask: u32) -> Readiness {
    let has = |bits: u32| reported & bits != 0;
    let end = if mask == END { 0 } else { END };
    Readiness::EMPTY
        .with(Readiness::READABLE, has(READ | end | FAILED))
        .with(Readiness::WRITABLE, has(SEND | end | FAILED))
        .with(Readiness::ERROR, has(CONNECT_FAIL | FAILED))
        .with(Readiness::READ_CLOSED, has(DISCONNECT | END))
        .with(Readiness::WRITE_CLOSED, has(END))
        .with(Readiness::PRIORITY, has(RECEIVE_EXPEDITED))
}

/// What follows a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Mode {
    /// What was reported rests until it is asked for again.
    Edge,
    /// It is reported again.
    Level,
    /// Nothing is, until a change of the registration.
    OneShot,
}

fn mode_of(interest: Interest) -> Mode {
    match (interest.is_oneshot(), interest.is_level()) {
        (true, _) => Mode::OneShot,
        (false, true) => Mode::Level,
        (false, false) => Mode::Edge,
    }
}

/// What the kernel has of a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Poll {
    Idle,
    Pending { mask: u32 },
    Cancelling,
}

/// What to do about a socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    Nothing,
    /// Start a poll for this mask.
    Start(u32),
    /// Cancel the poll that is pending.
    Cancel,
}

/// How a poll ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// With the conditions that hold.
    Reported(u32),
    Cancelled,
    /// The socket is closed.
    Closed,
    Failed,
}

/// A report for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) token: Token,
    pub(crate) reported: u32,
    pub(crate) readiness: Readiness,
}

/// One registered socket.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Sock {
    token: Token,
    interest: u32,
    armed: u32,
    mode: Mode,
    poll: Poll,
    queued: bool,
    /// Deregistered, or closed without that: it reports nothing any more.
    gone: bool,
}

impl Sock {
    /// A socket that was just registered. It is to be queued.
    pub(crate) fn new(token: Token, interest: Interest) -> Sock {
        let mask = mask_of(interest);
        Sock {
            token,
            interest: mask,
            armed: mask,
            mode: mode_of(interest),
            poll: Poll::Idle,
            queued: true,
            gone: false,
        }
    }

    /// A new token and interest, all of it asked for again. False if the socket
    /// is no longer registered.
    pub(crate) fn change(&mut self, token: Token, interest: Interest) -> bool {
        if self.gone {
            return false;
        }
        self.token = token;
        self.interest = mask_of(interest);
        self.mode = mode_of(interest);
        self.armed = self.interest;
        true
    }

    /// An operation would have blocked: what was reported is asked for again.
    /// A level needs no asking, and a one-shot is asked by a change alone.
    pub(crate) fn rearm(&mut self) {
        if self.mode == Mode::Edge && !self.gone {
            self.armed = self.interest;
        }
    }

    /// Deregistered: nothing is reported from here on. False if it was before.
    pub(crate) fn leave(&mut self) -> bool {
        self.armed = 0;
        !std::mem::replace(&mut self.gone, true)
    }

    pub(crate) fn is_gone(&self) -> bool {
        self.gone
    }

    /// Whether the caller must queue the socket, which is taken as done.
    #[must_use]
    pub(crate) fn queue(&mut self) -> bool {
        let queue = !self.queued && self.next_step() != Step::Nothing;
        self.queued |= queue;
        queue
    }

    /// The socket was taken out of the queue: what to do, as by `step`.
    #[must_use]
    pub(crate) fn update(&mut self) -> Step {
        self.queued = false;
        self.step()
    }

    /// What is to be done, which is taken as done: the caller does it.
    #[must_use]
    pub(crate) fn step(&mut self) -> Step {
        let step = self.next_step();
        match step {
            Step::Nothing => {}
            Step::Start(mask) => self.poll = Poll::Pending { mask },
            Step::Cancel => self.poll = Poll::Cancelling,
        }
        step
    }

    fn next_step(&self) -> Step {
        match self.poll {
            Poll::Idle if self.armed == 0 => Step::Nothing,
            // That the socket is closed is always asked, to forget it then.
            Poll::Idle => Step::Start(self.armed | LOCAL_CLOSE),
            // It reports more than is asked, which is filtered. One that is left
            // over for nothing may as well end by itself; but when the socket
            // is gone nothing of it must remain.
            Poll::Pending { .. } if self.gone => Step::Cancel,
            Poll::Pending { mask } if self.armed & !mask == 0 => Step::Nothing,
            Poll::Pending { .. } => Step::Cancel,
            // Its completion is on the way.
            Poll::Cancelling => Step::Nothing,
        }
    }

    /// The poll is over: what to report. If that is nothing, the next step is due
    /// at once; else the socket may need to be queued.
    pub(crate) fn complete(&mut self, end: End) -> Option<Report> {
        self.poll = Poll::Idle;
        if self.gone {
            return None;
        }
        let reported = match end {
            End::Reported(conditions) if conditions & LOCAL_CLOSE != 0 => {
                self.leave();
                return None;
            }
            End::Closed => {
                self.leave();
                return None;
            }
            End::Cancelled => return None,
            End::Failed => FAILED,
            End::Reported(conditions) => conditions & self.armed,
        };
        if reported == 0 {
            return None;
        }
        let readiness = readiness_of(reported, self.interest);
        match self.mode {
            // Until it is asked for again: trying at once would fail at once.
            _ if reported == FAILED => self.armed = 0,
            Mode::Edge => self.armed &= !reported,
            Mode::Level => {}
            Mode::OneShot => self.armed = 0,
        }
        Some(Report {
            token: self.token,
            reported,
            readiness,
        })
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
