//! Queues that tell levels, in the bits of [`poll(2)`]: what is asked about a
//! source, what of it rests, and when that is asked for again.
//!
//! Plain data, which the backends without edges share (poll(2), event ports,
//! WASI). Each has a table of registrations of its own, in which an [`Armed`] is
//! the part that makes edges of levels:
//!
//! | of a source | means |
//! |---|---|
//! | `interest` | what the owner wants to hear |
//! | `armed` | the part of it that was not reported since it was last asked for |
//! | `ended` | not asked about at all until it is asked for again: an error or a hang-up was reported, which such kernels tell unasked and for ever, or a one-shot registration has fired |
//! | `mode` | whether a report is repeated, held back, or the last |
//! | `failed` | it ended so by an error only, while something was still awaited: an error can be taken, as of a UDP socket, by a call that is none of ours; so it arms again by time |
//! | `raw` | its operations are unknown to us, so that reported bits arm again by time |
//!
//! [`poll(2)`]: https://pubs.opengroup.org/onlinepubs/9799919799/functions/poll.html

use super::flags;
use crate::interest::Interest;
use crate::readiness::Readiness;
use libc::c_short;
use std::time::{Duration, Instant};
use std::{fmt, io};

/// What a readable interest asks for, as far as the system knows it.
#[cfg(any(target_os = "linux", target_os = "android"))]
pub(crate) const READ_BITS: c_short = libc::POLLIN | libc::POLLRDHUP;
#[cfg(not(any(target_os = "linux", target_os = "android")))]
pub(crate) const READ_BITS: c_short = libc::POLLIN;

/// The bits of `READ_BITS` that tell of a peer's half close.
pub(crate) const HALF_CLOSE: c_short = READ_BITS & !libc::POLLIN;

/// What is always reported, asked or not; the source has reported its end.
pub(crate) const ENDED: c_short = libc::POLLERR | libc::POLLHUP;

/// The descriptor is not open, where the system tells.
#[cfg(not(target_os = "espidf"))]
pub(crate) const NOT_OPEN: c_short = libc::POLLNVAL;
#[cfg(target_os = "espidf")]
pub(crate) const NOT_OPEN: c_short = 0;

/// Whether errors and hang-ups are told of a source about which nothing is asked.
const END_IS_TOLD_UNASKED: bool = !cfg!(target_os = "wasi");

/// What follows a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// What was reported rests until it is asked for again.
    Edge,
    /// It is reported again.
    Level,
    /// Nothing is, until a change of the registration.
    OneShot,
}

/// An interest, as such a queue asks for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) mask: c_short,
    pub(crate) mode: Mode,
}

impl Asked {
    /// Fails if no such queue can tell what is asked.
    pub(crate) fn of(interest: Interest) -> io::Result<Asked> {
        let mask = mask_of(interest);
        let text = if interest.is_exclusive() {
            "this queue has no exclusive mode"
        } else if mask == 0 && !END_IS_TOLD_UNASKED {
            "this queue cannot tell of the end alone"
        } else {
            ""
        };
        if !text.is_empty() {
            return Err(io::Error::new(io::ErrorKind::Unsupported, text));
        }
        Ok(Asked {
            mask,
            mode: match (interest.is_oneshot(), interest.is_level()) {
                (true, _) => Mode::OneShot,
                (false, true) => Mode::Level,
                (false, false) => Mode::Edge,
            },
        })
    }
}

fn mask_of(interest: Interest) -> c_short {
    let mut mask = 0;
    if interest.is_readable() {
        mask |= READ_BITS;
    }
    if interest.is_writable() {
        mask |= libc::POLLOUT;
    }
    if interest.is_priority() {
        mask |= PRI;
    }
    mask
}

// WASI's poll(2) has no such bit, nor an interest that could ask for it.
#[cfg(not(target_os = "wasi"))]
const PRI: c_short = libc::POLLPRI;
#[cfg(target_os = "wasi")]
const PRI: c_short = 0;

/// One source: what was asked, and what of it has been reported.
#[derive(Debug)]
pub(crate) struct Armed {
    interest: c_short,
    armed: c_short,
    mode: Mode,
    ended: bool,
    failed: bool,
    raw: bool,
}

impl Armed {
    pub(crate) fn new(asked: Asked, raw: bool) -> Armed {
        Armed {
            interest: asked.mask,
            armed: asked.mask,
            mode: asked.mode,
            ended: false,
            failed: false,
            raw,
        }
    }

    /// Of nothing.
    pub(crate) fn none() -> Armed {
        let (mask, mode) = (0, Mode::OneShot);
        Armed::new(Asked { mask, mode }, false)
    }

    /// Another interest: all of it is asked for.
    pub(crate) fn change(&mut self, asked: Asked) {
        *self = Armed::new(asked, self.raw);
    }

    /// What the kernel shall be asked; nothing if it shall not look at all. With
    /// an empty mask it still tells of errors and hang-ups.
    pub(crate) fn mask(&self) -> Option<c_short> {
        (!self.ended).then_some(self.armed)
    }

    pub(crate) fn is_raw(&self) -> bool {
        self.raw
    }

    /// Whether something was reported that can be asked for again.
    pub(crate) fn rests(&self) -> bool {
        self.mode == Mode::Edge && (self.armed != self.interest || self.ended)
    }

    /// Whether time arms it again.
    pub(crate) fn is_parked(&self) -> bool {
        (self.raw || self.failed) && self.rests()
    }

    /// Asks for all of the interest again.
    pub(crate) fn arm(&mut self) {
        self.armed = self.interest;
        self.ended = false;
        self.failed = false;
    }

    /// Takes reported bits out of what is armed.
    pub(crate) fn report(&mut self, revents: c_short) {
        match self.mode {
            Mode::Edge => {
                self.armed &= !consumed(revents);
                self.ended = revents & ENDED != 0;
                self.failed = revents & ENDED == libc::POLLERR && self.armed != 0;
            }
            Mode::Level => {}
            Mode::OneShot => self.ended = true,
        }
    }
}

/// The bits that a report uses up: data and a half close are read alike.
fn consumed(revents: c_short) -> c_short {
    if revents & READ_BITS != 0 {
        revents | READ_BITS
    } else {
        revents
    }
}

/// When the bits that rest, of sources that only time arms again, are asked for:
/// after a while that is short at first.
#[derive(Debug)]
pub(crate) struct Slices {
    slice: Duration,
    end: Option<Instant>,
}

impl Slices {
    pub(crate) const MIN: Duration = Duration::from_millis(1);
    pub(crate) const MAX: Duration = Duration::from_millis(16);

    pub(crate) const fn new() -> Slices {
        Slices {
            slice: Slices::MIN,
            end: None,
        }
    }

    /// A reregistration makes the next ones short.
    pub(crate) fn restart(&mut self) {
        self.slice = Slices::MIN;
    }

    /// Something rests: a slice is under way.
    pub(crate) fn begin(&mut self) {
        if self.end.is_none() {
            self.end = Some(Instant::now() + self.slice);
        }
    }

    /// Whether what rests is to be armed now; and how long a sleep may last, so
    /// that it does not sleep past the end of a slice.
    pub(crate) fn limit(
        &mut self,
        has_parked: bool,
        timeout: Option<Duration>,
    ) -> (bool, Option<Duration>) {
        let Some(end) = self.end else {
            return (false, timeout);
        };
        let rest = end.saturating_duration_since(Instant::now());
        if has_parked && !rest.is_zero() {
            return (
                false,
                Some(timeout.map_or(rest, |timeout| timeout.min(rest))),
            );
        }
        self.end = None;
        if has_parked {
            self.slice = (self.slice * 2).min(Slices::MAX);
        }
        (true, timeout)
    }
}

/// What reported bits tell.
pub(crate) fn readiness_of(revents: c_short) -> Readiness {
    use libc::{POLLERR as ERR, POLLHUP as HUP, POLLIN as IN, POLLOUT as OUT};

    Readiness::EMPTY
        .with(Readiness::READABLE, revents & (IN | PRI) != 0)
        .with(Readiness::WRITABLE, revents & OUT != 0)
        .with(Readiness::ERROR, revents & ERR != 0)
        .with(Readiness::READ_CLOSED, revents & (HUP | HALF_CLOSE) != 0)
        .with(
            Readiness::WRITE_CLOSED,
            revents & HUP != 0 || revents & (OUT | ERR) == OUT | ERR || revents == ERR,
        )
        .with(Readiness::PRIORITY, revents & PRI != 0)
}

/// Reported bits, for people.
pub(crate) struct BitNames(pub(crate) c_short);

impl fmt::Debug for BitNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u32, &str); 6] = [
            (libc::POLLIN as u32, "POLLIN"),
            (PRI as u32, "POLLPRI"),
            (libc::POLLOUT as u32, "POLLOUT"),
            (libc::POLLERR as u32, "POLLERR"),
            (libc::POLLHUP as u32, "POLLHUP"),
            (HALF_CLOSE as u32, "POLLRDHUP"),
        ];
        flags::fmt_flags(f, u32::from(self.0 as u16), &NAMES)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
