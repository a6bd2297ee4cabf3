//! Modes that kqueue has for a filter and not for a source.
//!
//! A one-shot source may have two filters, each disabled by its own event
//! (`EV_DISPATCH`). What is left to do after a wait: one event of a source
//! stays, and the filters that had none are disabled. That an event is of such a
//! source, its flags say, which kernels return as they were given.
//!
//! That races with a thread which registers the source anew between the
//! kernel's answer and ours: its filters must not be disabled. So, once there is
//! a mode, changes are made under a lock, and those of a wait that goes on are
//! noted. A queue without modes pays one load.
//!
//! A filter that cannot be disabled is logged, but not while there are events in hand:
//! they would be lost with a logger that panics. The next wait says it before it begins.

use super::kernel::{self, kevent};
use super::{os, Event, RawSource};
use crate::token::Token;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[derive(Debug, Default)]
pub(super) struct Modes {
    /// Whether a registration ever had a mode.
    used: AtomicBool,
    notes: Mutex<Notes>,
}

#[derive(Debug, Default)]
struct Notes {
    /// Nobody waits: there is nothing to be noted. Unknown, and so false, until
    /// a wait has ended that began after the first mode.
    idle: bool,
    changed: Vec<Changed>,
    /// Why a filter could not be disabled, which nobody was told yet.
    failure: Option<io::Error>,
}

#[derive(Debug, PartialEq)]
struct Changed {
    source: RawSource,
    token: Token,
    is_oneshot: bool,
}

impl Modes {
    pub(super) fn are_used(&self) -> bool {
        self.used.load(Ordering::Acquire)
    }

    /// From the first mode on, the kernel's flags of a filter are not known.
    pub(super) fn use_them(&self) {
        self.used.store(true, Ordering::Release);
    }

    /// Makes a change of a source.
    pub(super) fn change<R>(
        &self,
        (source, token, is_oneshot): (RawSource, Token, bool),
        change: impl FnOnce() -> R,
    ) -> R {
        if !self.are_used() {
            return change();
        }
        let mut notes = self.lock();
        if !notes.idle {
            notes.changed.retain(|other| other.source != source);
            notes.changed.push(Changed {
                source,
                token,
                is_oneshot,
            });
        }
        change()
    }

    /// A wait begins. What was changed before, its events know of.
    pub(super) fn begin(&self) {
        if self.are_used() {
            let mut notes = self.lock();
            notes.idle = false;
            notes.changed.clear();
        }
    }

    /// A wait has ended with the events behind the first `start`. Keeps one of
    /// each one-shot source, whose filters `disable` gets. If that fails, the others go
    /// on, and [`Modes::failure`] knows.
    pub(super) fn end(
        &self,
        events: &mut Vec<Event>,
        start: usize,
        mut disable: impl FnMut(RawSource, Token) -> io::Result<()>,
    ) {
        if !self.are_used() {
            return;
        }
        let mut notes = self.lock();
        notes.idle = true;
        let mut index = start;
        while let Some(Event(kevent)) = events.get(index) {
            if !is_of_oneshot_source(kevent) {
                index += 1;
                continue;
            }
            let (ident, token) = (kevent.ident, kevent.udata as usize);
            let is_sibling =
                |Event(other): &Event| other.ident == ident && is_of_oneshot_source(other);
            if events[start..index].iter().any(is_sibling) {
                events.remove(index);
                continue;
            }
            let (source, token) = (ident as RawSource, Token(token));
            if !notes.was_replaced(source, token) {
                if let Err(err) = disable(source, token) {
                    notes.failure.get_or_insert(err);
                }
            }
            index += 1;
        }
    }

    /// The first failure to disable a filter since this was last asked.
    pub(super) fn failure(&self) -> Option<io::Error> {
        if self.are_used() {
            self.lock().failure.take()
        } else {
            None
        }
    }

    fn lock(&self) -> MutexGuard<'_, Notes> {
        // A panic cannot leave the notes half changed.
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether an event is of a filter that we added to report once. Others may have added their
/// own in this mode, whose `ident` is the number of something else.
fn is_of_oneshot_source(kevent: &kevent) -> bool {
    let filter = kevent.filter;
    let is_ours = filter == os::EVFILT_READ
        || filter == os::EVFILT_WRITE
        || kernel::PRIORITY.is_some_and(|(priority, _)| filter == priority);
    is_ours && kevent.flags & os::EV_DISPATCH != 0
}

impl Notes {
    /// Whether the source has another registration by now than an event tells
    /// of. One of the same token that is one-shot again is taken for the same:
    /// whoever gets the event must reregister in any case.
    fn was_replaced(&self, source: RawSource, token: Token) -> bool {
        let mut changed = self.changed.iter();
        changed.any(|other| other.source == source && !(other.token == token && other.is_oneshot))
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn event(source: RawSource, token: usize, flags: kernel::Flags) -> Event {
        let mut kevent = kernel::zeroed();
        kevent.ident = source as _;
        kevent.filter = os::EVFILT_READ;
        kevent.udata = kernel::udata_of(token);
        kevent.flags = flags;
        Event(kevent)
    }

    /// What stays of a batch, and whose filters are disabled.
    fn end(modes: &Modes, batch: &[(RawSource, usize, kernel::Flags)]) -> (usize, Vec<RawSource>) {
        let made = batch
            .iter()
            .map(|(source, token, flags)| event(*source, *token, *flags));
        let mut events: Vec<_> = made.collect();
        let mut disabled = Vec::new();
        modes.end(&mut events, 0, |source, _| {
            disabled.push(source);
            Ok(())
        });
        (events.len(), disabled)
    }

    #[test]
    fn one_event_stays_of_a_one_shot_source() {
        let once = os::EV_DISPATCH;
        let batch = [
            (3, 1, once),
            (4, 2, 0),
            (3, 1, once),
            (4, 2, 0),
            (5, 3, once),
        ];
        let modes = Modes::default();
        assert_eq!(end(&modes, &batch), (5, vec![]), "no mode, no work");
        modes.use_them();
        modes.begin();
        assert_eq!(end(&modes, &batch), (4, vec![3, 5]));
    }

    #[test]
    fn what_cannot_be_disabled_harms_no_event_in_hand() {
        let once = os::EV_DISPATCH;
        let modes = Modes::default();
        modes.use_them();
        modes.begin();
        let batch = [(3, 1), (4, 2), (3, 1), (5, 3)];
        let mut events: Vec<_> = batch
            .map(|(source, token)| event(source, token, once))
            .into();
        let mut tried = Vec::new();
        modes.end(&mut events, 0, |source, _| {
            tried.push(source);
            Err(io::Error::from_raw_os_error(source))
        });
        assert_eq!(tried, [3, 4, 5], "the first failure is not the end");
        assert_eq!(events.len(), 3);
        let errno = |failure: Option<io::Error>| failure.and_then(|err| err.raw_os_error());
        assert_eq!(errno(modes.failure()), Some(3));
        assert_eq!(errno(modes.failure()), None, "it is told once");
    }

    #[test]
    fn a_registration_made_meanwhile_is_left_alone() {
        let once = os::EV_DISPATCH;
        let modes = Modes::default();
        modes.use_them();
        // The first wait may have begun before the first mode.
        modes.change((3, Token(9), true), || ());
        assert_eq!(end(&modes, &[(3, 1, once)]), (1, vec![]));
        // Nobody waits.
        modes.change((4, Token(9), false), || ());
        modes.begin();
        assert_eq!(end(&modes, &[(4, 9, once)]), (1, vec![4]));
        modes.begin();
        modes.change((3, Token(1), true), || ());
        modes.change((4, Token(1), false), || ());
        modes.change((5, Token(2), true), || ());
        let batch = [(3, 1, once), (4, 1, once), (5, 1, once), (6, 1, once)];
        assert_eq!(end(&modes, &batch), (4, vec![3, 6]));
    }

    /// A timer may have a descriptor's number, and an `aiocb` one that ends like it.
    #[test]
    fn others_filters_are_left_alone() {
        let once = os::EV_DISPATCH;
        let modes = Modes::default();
        modes.use_them();
        modes.begin();
        let theirs = |token| {
            let mut theirs = event(3, token, once);
            theirs.0.filter = -7;
            theirs
        };
        let mut events = vec![theirs(1), event(3, 2, once), theirs(3), theirs(4)];
        let mut disabled = Vec::new();
        modes.end(&mut events, 0, |source, token| {
            disabled.push((source, token));
            Ok(())
        });
        assert_eq!(events.len(), 4);
        assert_eq!(
            disabled,
            [(3, Token(2))],
            "it has one event, and is told once"
        );
    }
}
