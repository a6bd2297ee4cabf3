//! The portable half of a queue: what one poll does, and its wakers.

use super::notify::{Notify, Slot, Turn};
use super::timeout::Deadline;
use super::{Backend, Signal};
use crate::token::Token;
use std::io;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

/// A kernel's queue and who may interrupt its poller.
///
/// A waker holds the shared part only, so that dropping all owners of the
/// queue closes the kernel's object while wakers live.
#[derive(Debug)]
pub(crate) struct Queue<B: Backend> {
    selector: B,
    shared: Arc<Shared<B::Signal>>,
}

#[derive(Debug)]
struct Shared<S> {
    notify: Notify,
    /// Set, once, before the first waker exists.
    signal: OnceLock<S>,
}

impl<S: Signal> Shared<S> {
    fn signal(&self) -> io::Result<()> {
        // Without a signal there is no waker whose wake could be lost.
        self.signal.get().map_or(Ok(()), S::signal)
    }

    /// Signals what others rely on who woke later. If it fails nobody was told: from now on each
    /// wake of a sleeper signals, as if somebody else could take the signals away.
    #[inline]
    fn signal_of_wake(&self) -> io::Result<()> {
        let signalled = self.signal();
        if signalled.is_err() {
            self.notify.expose();
        }
        signalled
    }
}

impl<B: Backend> Queue<B> {
    pub(crate) fn new() -> io::Result<Queue<B>> {
        Ok(Queue::with(B::new()?))
    }

    fn with(selector: B) -> Queue<B> {
        Queue {
            selector,
            shared: Arc::new(Shared {
                notify: Notify::new(),
                signal: OnceLock::new(),
            }),
        }
    }

    #[inline]
    pub(crate) fn selector(&self) -> &B {
        &self.selector
    }

    /// Waits for events and writes at most `capacity` of them, which is not
    /// zero and for which `events` has room.
    ///
    /// Returns without an event only after the whole timeout: what wakes the
    /// kernel's wait and is none of the caller's business, it sleeps on from.
    pub(crate) fn poll(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        events.clear();
        let deadline = Deadline::after(timeout);
        let mut left = match deadline {
            Deadline::Never => None,
            Deadline::Now | Deadline::At { .. } => timeout,
        };
        loop {
            let look_again = self.pass(turn, events, capacity, left)?;
            if !events.is_empty() {
                return Ok(());
            }
            left = deadline.left();
            if left == Some(Duration::ZERO) && !look_again {
                return Ok(());
            }
        }
    }

    /// Asks the kernel once, unless the place is kept for wake events. True if
    /// a source may be ready that was not seen: a signal took its place, or a
    /// waker did that was dropped since. Then look again, although the time is
    /// over.
    fn pass(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let notify = &self.shared.notify;
        let mut asked = capacity;
        if notify.is_ready() {
            asked = self.select_or_wake(turn, events, capacity, timeout)?;
        } else {
            self.selector.select(events, capacity, timeout)?;
            // The first waker may have been made while we slept.
            if !notify.is_ready() {
                return Ok(false);
            }
        }
        let hidden = self.selector.hide_signal(events);
        if hidden && events.len() + 1 == asked {
            self.fill_place_of_signal(events);
        }
        let from_kernel = events.len();
        let again = notify.leave(turn, capacity - from_kernel, |token| {
            events.push(self.selector.woken(token));
        });
        turn.kernel_first = from_kernel == 0 && !events.is_empty();
        if again {
            // The events in hand are worth more than an error that would drop
            // them; and a signal does not fail while its queue lives.
            if let Err(err) = self.shared.signal() {
                error!("signalling a queue for the wakes that found no room: {err}");
            }
        }
        Ok(hidden || asked == 0)
    }

    /// The signal took a place of a full batch: gives it to a source, unless
    /// there is a wake to put there.
    #[cold]
    fn fill_place_of_signal(&self, events: &mut Vec<B::Event>) {
        if events.is_empty() || self.shared.notify.pending() > 0 {
            return; // The caller looks again, or has a use for the place.
        }
        if let Err(err) = self.selector.select(events, 1, Some(Duration::ZERO)) {
            error!("looking for one more event: {err}");
        }
        self.selector.hide_signal(events);
    }

    /// Sleeps under the protocol of `notify`. Pending wakes forbid to sleep,
    /// and room is kept for them unless it is the kernel's turn: else a full
    /// buffer of ready sources would starve the wakers, or they the sources.
    /// How many events the kernel was asked for: none if no room was left.
    #[inline]
    fn select_or_wake(
        &self,
        turn: &Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let notify = &self.shared.notify;
        let (pending, timeout) = if timeout == Some(Duration::ZERO) {
            (notify.pending(), timeout)
        } else {
            match notify.enter() {
                0 => (0, timeout),
                pending => (pending, Some(Duration::ZERO)),
            }
        };
        let reserved = if turn.kernel_first { 0 } else { pending };
        let room = capacity.saturating_sub(reserved);
        if room == 0 {
            return Ok(0);
        }
        let selected = self.selector.select(events, room, timeout);
        if selected.is_err() {
            notify.leave_interrupted();
        }
        selected.map(|()| room)
    }

    /// The kernel's object is handed out: from now on it is told of every
    /// wake, since others may watch it.
    pub(crate) fn expose(&self) {
        if self.shared.notify.expose() {
            if let Err(err) = self.shared.signal() {
                error!("signalling a queue whose descriptor is handed out: {err}");
            }
        }
    }
}

/// Interrupts the poll of a queue.
#[derive(Debug)]
pub(crate) struct Waker<B: Backend> {
    shared: Arc<Shared<B::Signal>>,
    slot: Slot,
}

impl<B: Backend> Waker<B> {
    pub(crate) fn new(queue: &Queue<B>, token: Token) -> io::Result<Waker<B>> {
        let shared = &queue.shared;
        let slot = shared.notify.open(token, || {
            let signal = queue.selector.add_signal()?;
            // Nobody else sets it: `open` calls this under its lock, once.
            let _ = shared.signal.set(signal);
            Ok(())
        })?;
        Ok(Waker {
            shared: Arc::clone(shared),
            slot,
        })
    }

    #[inline]
    pub(crate) fn wake(&self) -> io::Result<()> {
        if self.shared.notify.wake(&self.slot) {
            self.shared.signal_of_wake()
        } else {
            Ok(())
        }
    }
}

impl<B: Backend> Drop for Waker<B> {
    fn drop(&mut self) {
        self.shared.notify.close(&self.slot);
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
