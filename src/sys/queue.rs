//! The portable half of a queue: what one poll does, and its wakers.

use super::notify::{Notify, Slot, Turn, Word};
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

    /// Waits for events and writes at most `room` of them, which is not zero and
    /// for which `events` has capacity.
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
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        match self.begin(turn, events, room, timeout)? {
            Progress::Done => Ok(()),
            progress => self.poll_on(turn, events, room, timeout, progress),
        }
    }

    /// The short way through a poll; how far it came.
    ///
    /// It is compiled into its caller. What it calls comes before the system call
    /// or, in `poll_on`, after it: a return behind the kernel's costs more than
    /// all that stands here, since the processor did not foresee it. What is
    /// needed after the call is read anew from `self`, instead of being kept in
    /// registers that the caller would have to save.
    #[inline(always)]
    pub(crate) fn begin(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<Progress> {
        const NOW: Option<Duration> = Some(Duration::ZERO);
        // A wake that comes after this is found on entering, or by the next poll.
        let word = self.shared.notify.glance();
        if word.is_alone() {
            return match timeout {
                NOW => self.select_alone(events, room, NOW, word),
                None => self.select_alone(events, room, None, word),
                Some(_) => Ok(Progress::Begun),
            };
        }
        if !word.is_quiet() {
            self.deliver_wakes(turn, events, room);
            return self.look(turn, events, room, true);
        }
        match timeout {
            NOW => {
                events.clear();
                self.look(turn, events, room, false)
            }
            None => self.wait_once(events, room),
            Some(_) => Ok(Progress::Begun),
        }
    }

    /// Asks the kernel while there is no waker, nor anybody else who watches it.
    #[inline(always)]
    fn select_alone(
        &self,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
        word: Word,
    ) -> io::Result<Progress> {
        events.clear();
        self.selector.select(events, room, timeout)?;
        // If the word is another, the first waker was made meanwhile.
        let is_early = events.is_empty() && timeout.is_none();
        if is_early || self.shared.notify.glance() != word {
            return Ok(Progress::Selected { wakes: 0 });
        }
        Ok(Progress::Done)
    }

    /// Takes what the kernel has, without sleeping, behind the wakes in `events`.
    #[inline(always)]
    fn look(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        woken: bool,
    ) -> io::Result<Progress> {
        let wakes = self.select_behind(turn, events, room, Some(Duration::ZERO))?;
        // Wakes that are missing: it was the kernel's turn, or they are nobody's.
        let missing = woken && wakes == 0;
        if missing || self.has_signal(&events[wakes..]) {
            return Ok(Progress::Selected { wakes });
        }
        Ok(Progress::Done)
    }

    /// Asks the kernel for as many events as there is room for behind the wakes in
    /// `events`; how many those are.
    #[inline(always)]
    fn select_behind(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<usize> {
        let wakes = events.len();
        if wakes < room {
            if let Err(err) = self.selector.select(events, room - wakes, timeout) {
                // Wakes in hand are worth more than an error that would drop
                // them: it is met by the next poll.
                turn.kernel_first = wakes > 0;
                if wakes == 0 {
                    return Err(err);
                }
            }
        }
        Ok(wakes)
    }

    /// Sleeps until something happens, or a waker wakes us.
    #[inline(always)]
    fn wait_once(&self, events: &mut Vec<B::Event>, room: usize) -> io::Result<Progress> {
        // From here on a wake signals the kernel.
        if self.shared.notify.enter().is_fired() {
            self.shared.notify.leave();
            return Ok(Progress::Begun);
        }
        events.clear();
        let selected = self.selector.select(events, room, None);
        // Also where it failed: what fired is delivered by the next poll.
        let fired = self.shared.notify.leave().is_fired();
        selected?;
        if fired || events.is_empty() || self.has_signal(events) {
            return Ok(Progress::Selected { wakes: 0 });
        }
        Ok(Progress::Done)
    }

    /// Whether the signal's event is among these.
    #[inline(always)]
    fn has_signal(&self, events: &[B::Event]) -> bool {
        let is_signal = |event| self.selector.is_signal(event);
        events.iter().any(is_signal)
    }

    /// All the rest of a poll, from where `begin` left it.
    pub(crate) fn poll_on(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
        progress: Progress,
    ) -> io::Result<()> {
        match progress {
            Progress::Done => return Ok(()),
            Progress::Begun => events.clear(),
            Progress::Selected { wakes } => {
                self.finish(turn, events, room, wakes);
                if !events.is_empty() {
                    return Ok(());
                }
            }
        }
        self.wait(turn, events, room, timeout)
    }

    /// Waits in full, however often that takes the kernel's wait.
    #[inline(never)]
    fn wait(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        // What was begun had no time to keep, so it begins now.
        let deadline = Deadline::after(timeout);
        let mut left = match deadline {
            Deadline::Never => None,
            Deadline::Now | Deadline::At { .. } => timeout,
        };
        loop {
            let look_again = self.pass(turn, events, room, left)?;
            if !events.is_empty() {
                return Ok(());
            }
            left = deadline.left();
            if left == Some(Duration::ZERO) && !look_again {
                return Ok(());
            }
        }
    }

    /// Asks the kernel once, unless wakes fill the batch. True if a source may be
    /// ready that was not seen, since a signal took its place. Then look again,
    /// although the time is over.
    #[inline]
    fn pass(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let notify = &self.shared.notify;
        let mut timeout = timeout;
        if !notify.glance().is_quiet() {
            self.deliver_wakes(turn, events, room);
            timeout = Some(Duration::ZERO);
        }
        let sleeps = timeout != Some(Duration::ZERO);
        if sleeps && notify.enter().is_fired() {
            timeout = Some(Duration::ZERO);
        }
        let selected = self.select_behind(turn, events, room, timeout);
        if sleeps {
            notify.leave();
        }
        Ok(self.finish(turn, events, room, selected?))
    }

    /// Begins a batch with the wakes that are pending, unless it is the kernel's
    /// turn.
    #[inline(never)]
    fn deliver_wakes(&self, turn: &mut Turn, events: &mut Vec<B::Event>, room: usize) {
        events.clear();
        if !turn.kernel_first {
            self.collect(turn, events, room);
        }
    }

    /// Takes the signal out of what came from the kernel behind `wakes` events of
    /// wakes, and delivers the wakes that came meanwhile. True if there was a
    /// signal.
    #[inline]
    fn finish(
        &self,
        turn: &mut Turn,
        events: &mut Vec<B::Event>,
        room: usize,
        wakes: usize,
    ) -> bool {
        let hidden = self.hide_signal(events, wakes);
        if hidden && events.len() + 1 == room {
            self.fill_place_of_signal(turn, events, wakes);
        }
        // A wake that comes after this finds a poller that is awake, and which
        // will look again.
        let word = self.shared.notify.glance();
        if wakes == 0 && !word.is_quiet() {
            self.collect(turn, events, room);
        } else if hidden && word.is_fired() && word.is_exposed() {
            // It is for the next poll, as a waker has one event a batch; and we
            // took the signal from others who watch for it.
            self.signal_again();
        }
        hidden
    }

    /// Takes the signal's events out of a batch that begins at `from`; true if
    /// there were any.
    fn hide_signal(&self, events: &mut Vec<B::Event>, from: usize) -> bool {
        let before = events.len();
        // Without a waker there is no signal to look for.
        if self.shared.notify.glance().is_ready() {
            let is_signal = |event: &B::Event| self.selector.is_signal(event);
            while let Some(index) = events[from..].iter().position(is_signal) {
                events.swap_remove(from + index);
            }
        }
        events.len() < before
    }

    /// Makes events of the wakes that are pending, behind those in hand.
    #[inline]
    fn collect(&self, turn: &mut Turn, events: &mut Vec<B::Event>, room: usize) {
        let in_hand = events.len();
        let deliver = |token| events.push(self.selector.woken(token));
        if self.shared.notify.collect(turn, room - in_hand, deliver) {
            self.signal_again();
        }
        // Else a stream of wakes would starve the sources.
        turn.kernel_first = in_hand == 0 && events.len() == room;
    }

    /// Tells who watches the kernel's object of wakes that are left for the next
    /// poll.
    #[cold]
    fn signal_again(&self) {
        // The events in hand are worth more than an error that would drop them;
        // and a signal does not fail while its queue lives.
        if let Err(err) = self.shared.signal() {
            error!("signalling a queue for the wakes that are left: {err}");
        }
    }

    /// The signal took a place of a full batch: gives it to a source, unless
    /// there is a wake to put there.
    #[cold]
    fn fill_place_of_signal(&self, turn: &mut Turn, events: &mut Vec<B::Event>, wakes: usize) {
        let is_for_wake = wakes == 0 && self.shared.notify.glance().is_fired();
        if events.is_empty() || is_for_wake {
            return; // If it is empty the caller looks again.
        }
        let before = events.len();
        if self
            .selector
            .select(events, 1, Some(Duration::ZERO))
            .is_err()
        {
            // The next poll meets the error: not even a logger comes between the
            // caller and the events in hand.
            turn.kernel_first = true;
        }
        self.hide_signal(events, before);
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
    /// There is a batch behind the events of so many wakes. It may hold the
    /// signal, or wakes are missing.
    Selected { wakes: usize },
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
