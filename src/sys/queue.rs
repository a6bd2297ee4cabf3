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
    /// Apart from the hot paths: it costs a system call anyway.
    #[cold]
    #[inline(never)]
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
    ///
    /// `Poll` makes these two calls itself, so that the first is compiled into
    /// its caller.
    #[cfg(test)]
    pub(crate) fn poll(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        match self.begin(turn, events, capacity, timeout)? {
            Progress::Done => Ok(()),
            progress => self.poll_on(turn, events, capacity, timeout, progress),
        }
    }

    /// The short way through a poll; how far it came.
    ///
    /// It is compiled into its caller. What it calls comes before the system call
    /// or, in `poll_on`, after it: a return behind the kernel's costs more than
    /// all that stands here, since the processor did not foresee it.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        turn: &Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<Progress> {
        // A wake that comes after this is found on entering, or by the next poll.
        let woken = !self.shared.notify.glance().is_quiet();
        match timeout {
            _ if woken => {
                let room = self.room_beside_wakes(turn, capacity);
                self.look(events, room, woken)
            }
            Some(Duration::ZERO) => self.look(events, capacity, woken),
            None => self.wait_once(events, capacity),
            Some(_) => Ok(Progress::Begun),
        }
    }

    /// Takes what the kernel has, without sleeping.
    #[inline(always)]
    fn look(&self, events: &mut Vec<B::Event>, room: usize, woken: bool) -> io::Result<Progress> {
        let notify = &self.shared.notify;
        events.clear();
        if room > 0 {
            self.selector.select(events, room, Some(Duration::ZERO))?;
        }
        if woken || (!events.is_empty() && notify.is_ready() && self.selector.has_signal(events)) {
            return Ok(Progress::Selected { asked: room });
        }
        Ok(Progress::Done)
    }

    /// Sleeps until something happens.
    #[inline(always)]
    fn wait_once(&self, events: &mut Vec<B::Event>, capacity: usize) -> io::Result<Progress> {
        let notify = &self.shared.notify;
        let has_waker = notify.is_ready();
        // From here on a wake signals the kernel.
        if has_waker && notify.enter().is_fired() {
            notify.leave();
            return Ok(Progress::Begun);
        }
        events.clear();
        let selected = self.selector.select(events, capacity, None);
        let fired = if has_waker {
            // Also where it failed: what fired is delivered by the next poll.
            notify.leave().is_fired()
        } else {
            // The first waker may have been made while we slept.
            notify.is_ready()
        };
        selected?;
        if fired || events.is_empty() || (has_waker && self.selector.has_signal(events)) {
            return Ok(Progress::Selected { asked: capacity });
        }
        Ok(Progress::Done)
    }

    /// How many events a poll asks the kernel for that found wakes pending. Room
    /// is kept for these unless it is the kernel's turn: else a full buffer of
    /// ready sources would starve the wakers, or they the sources.
    #[inline(never)]
    fn room_beside_wakes(&self, turn: &Turn, capacity: usize) -> usize {
        if turn.kernel_first {
            return capacity;
        }
        capacity.saturating_sub(self.shared.notify.glance().fired())
    }

    /// All the rest of a poll, from where `begin` left it.
    pub(crate) fn poll_on(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
        progress: Progress,
    ) -> io::Result<()> {
        match progress {
            Progress::Done => return Ok(()),
            Progress::Begun => events.clear(),
            Progress::Selected { asked } => {
                self.finish(turn, events, capacity, asked);
                if !events.is_empty() {
                    return Ok(());
                }
            }
        }
        self.wait(turn, events, capacity, timeout)
    }

    /// Waits in full, however often that takes the kernel's wait.
    #[inline(never)]
    fn wait(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        // What was begun had no time to keep, so it begins now.
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
    #[inline]
    fn pass(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let notify = &self.shared.notify;
        let mut woken = notify.glance().is_fired();
        let sleeps = timeout != Some(Duration::ZERO) && !woken;
        if sleeps {
            woken = notify.enter().is_fired();
        }
        let (room, wait) = if woken {
            let room = self.room_beside_wakes(turn, capacity);
            (room, Some(Duration::ZERO))
        } else {
            (capacity, timeout)
        };
        let selected = match room {
            0 => Ok(()),
            _ => self.selector.select(events, room, wait),
        };
        if sleeps {
            notify.leave();
        }
        selected?;
        let hidden = self.finish(turn, events, capacity, room);
        Ok(hidden || room == 0)
    }

    /// Takes the signal out of a batch for which `asked` events were asked, and
    /// puts the events of wakes in. True if there was a signal.
    #[inline]
    fn finish(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        capacity: usize,
        asked: usize,
    ) -> bool {
        let notify = &self.shared.notify;
        // Without a waker there is no signal to look for.
        let hidden = !events.is_empty() && notify.is_ready() && self.selector.hide_signal(events);
        if hidden && events.len() + 1 == asked {
            self.fill_place_of_signal(events);
        }
        let from_kernel = events.len();
        // What fired while we slept is seen here. A wake that comes later finds
        // a poller that is awake, and which will look again.
        if !notify.glance().is_quiet() {
            let deliver = |token| events.push(self.selector.woken(token));
            if notify.collect(turn, capacity - from_kernel, deliver) {
                // The events in hand are worth more than an error that would drop
                // them; and a signal does not fail while its queue lives.
                if let Err(err) = self.shared.signal() {
                    error!("signalling a queue for the wakes that found no room: {err}");
                }
            }
        }
        turn.kernel_first = from_kernel == 0 && !events.is_empty();
        hidden
    }

    /// The signal took a place of a full batch: gives it to a source, unless
    /// there is a wake to put there.
    #[cold]
    fn fill_place_of_signal(&self, events: &mut Vec<B::Event>) {
        if events.is_empty() || self.shared.notify.glance().is_fired() {
            return; // The caller looks again, or has a use for the place.
        }
        if let Err(err) = self.selector.select(events, 1, Some(Duration::ZERO)) {
            error!("looking for one more event: {err}");
        }
        self.selector.hide_signal(events);
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

/// How far a poll came on the short way.
#[derive(Clone, Copy)]
pub(crate) enum Progress {
    /// To the end: what there is of events is for the caller.
    Done,
    /// Nowhere yet.
    Begun,
    /// There is a batch, for which so many events were asked, and which is not,
    /// or not all, that the caller gets.
    Selected { asked: usize },
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

/// For kernels of tests, to which registrations mean nothing.
#[cfg(test)]
macro_rules! any_registration_will_do {
    () => {
        fn register(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn reregister(&self, _: RawSource, _: &(), _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn deregister(&self, _: RawSource, _: &()) -> io::Result<()> {
            Ok(())
        }

        fn register_raw(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn reregister_raw(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
            Ok(())
        }

        fn deregister_raw(&self, _: RawSource) -> io::Result<()> {
            Ok(())
        }
    };
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, not(loom)))]
mod tests;
