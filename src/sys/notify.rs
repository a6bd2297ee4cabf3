//! Waking a poller: the state machine between wakers and the one thread that
//! may sleep. It knows no kernel: it answers, at each step, whether the
//! kernel must be signalled.
//!
//! # The word
//!
//! All that decides a race stands in one atomic word, and is changed by
//! read-modify-writes alone. These have one total order, so that of a waker and
//! a poller that race, one sees the other: either the poller finds the wake
//! and does not sleep, or the waker finds the poller asleep and signals.
//!
//! | bits | name | set | cleared |
//! |---|---|---|---|
//! | 0 | `ASLEEP`: a poller may be asleep | before it sleeps | when it leaves; if it ended with a panic, by the next poll |
//! | 1–28 | `FIRED`: a waker was woken, one bit a slot | by its `wake` | when its event is delivered |
//! | 29 | `FIRED`, shared by all further slots, which keep a flag of their own | by their `wake`, after the flag | like the others |
//! | 30 | `READY`: there is a signal, or will be at once | by the first waker | if that could not be made |
//! | 31 | `EXPOSED`: the queue's descriptor was handed out | once | never |
//!
//! A wake signals the kernel if it is the first (no `FIRED` bit was set) and
//! somebody could be asleep: in our own poll (`ASLEEP`) or, since the
//! descriptor was handed out, in another queue that watches ours (`EXPOSED`).
//! All other wakes are of a thread that is awake, or about to be woken, and cost
//! no system call: the poller finds the bit when it begins or ends a poll. If
//! both bits are set every wake signals, since whoever has the descriptor can
//! take the first signal away from our sleeper.
//!
//! Two shortcuts are tempting and wrong. A flag beside the word, or a plain load
//! in `wake` that skips the read-modify-write, gives the store buffer a chance:
//! both sides miss each other, and the poller sleeps through the wake. (A poller
//! may load the word to learn that it must *not* sleep, and need not enter then.)
//!
//! # Delivery
//!
//! The poller takes all `FIRED` bits at once and makes one event of each.
//! What finds no room goes back into the word. Since the kernel's
//! signal may be consumed by then, an `EXPOSED` queue is signalled again.
//! Slots are served in rotation; so no waker starves another.
//!
//! Taking the bits and looking up their tokens happen under the lock of the
//! slots, and a waker that is dropped clears its slot and its bit under the
//! same lock: its token cannot come later.
//!
//! # The first waker
//!
//! A poller that finds neither `READY` nor `EXPOSED` need not set `ASLEEP`. For
//! the first waker, `READY` is set *before* the signal is added to the kernel's
//! queue, and it is added already signalled: a poller that sleeps so wakes up
//! once, and looks at the word again. (Should the descriptor be lent while it
//! sleeps, and who has it take that signal, it learns of the waker late: with
//! the next event.)

#[cfg(loom)]
use loom::sync::{
    atomic::{AtomicBool, AtomicU32, Ordering::*},
    Mutex, MutexGuard,
};
#[cfg(not(loom))]
use std::sync::{
    atomic::{AtomicBool, AtomicU32, Ordering::*},
    Mutex, MutexGuard,
};

use crate::token::Token;
use std::io;
use std::sync::{Arc, PoisonError};

const ASLEEP: u32 = 1;
const SHARED: u32 = 1 << 29;
const READY: u32 = 1 << 30;
const EXPOSED: u32 = 1 << 31;
const FIRED: u32 = !(ASLEEP | READY | EXPOSED);
/// How many slots have a bit of their own.
const OWN_BITS: usize = 28;

/// The word, and who the bits in it belong to.
#[derive(Debug)]
pub(crate) struct Notify {
    word: AtomicU32,
    slots: Mutex<Slots>,
}

#[derive(Debug, Default)]
struct Slots {
    /// Whether the kernel's queue has a signal.
    open: bool,
    wakers: Vec<Option<Woken>>,
}

/// The word at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Word(u32);

impl Word {
    /// Whether a waker fired.
    #[inline]
    pub(crate) fn is_fired(self) -> bool {
        self.0 & FIRED != 0
    }

    /// Whether there is nothing to collect: no waker fired, and no poll ended with
    /// a panic (in a logger of the caller's, for one) between entering and leaving.
    #[inline]
    pub(crate) fn is_quiet(self) -> bool {
        self.0 & !(READY | EXPOSED) == 0
    }

    /// Whether others may watch for the signal.
    #[inline]
    pub(crate) fn is_exposed(self) -> bool {
        self.0 & EXPOSED != 0
    }

    /// Whether there is, or was, a waker.
    #[inline]
    pub(crate) fn is_ready(self) -> bool {
        self.0 & READY != 0
    }

    /// Whether nobody but the poller has to do with the queue, who then need not
    /// enter.
    #[inline]
    pub(crate) fn is_alone(self) -> bool {
        self.0 & (READY | EXPOSED) == 0
    }
}

/// A slot as the poller sees it.
#[derive(Debug)]
struct Woken {
    token: Token,
    bit: u32,
    /// Whether this one fired, of all that share a bit.
    flag: Option<Arc<AtomicBool>>,
}

/// A slot as its waker sees it.
#[derive(Debug)]
pub(crate) struct Slot {
    index: usize,
    bit: u32,
    flag: Option<Arc<AtomicBool>>,
}

/// Whose turn it is: what the poller remembers from one poll to the next.
#[derive(Debug, Default)]
pub(crate) struct Turn {
    /// The slot that is served first.
    next: usize,
    /// Wakes alone filled a poll, or hid an error of the kernel's, so it is asked
    /// before the next wakes are delivered.
    pub(crate) kernel_first: bool,
}

impl Notify {
    pub(crate) fn new() -> Notify {
        Notify {
            word: AtomicU32::new(0),
            slots: Mutex::new(Slots::default()),
        }
    }

    /// Makes a slot. `add_signal` is called for the first one.
    pub(crate) fn open(
        &self,
        token: Token,
        add_signal: impl FnOnce() -> io::Result<()>,
    ) -> io::Result<Slot> {
        let mut slots = self.lock();
        if !slots.open {
            self.word.fetch_or(READY, AcqRel);
            if let Err(err) = add_signal() {
                self.word.fetch_and(!READY, AcqRel);
                return Err(err);
            }
            slots.open = true;
        }
        let free = slots.wakers.iter().position(Option::is_none);
        let index = free.unwrap_or(slots.wakers.len());
        let (bit, flag) = if index < OWN_BITS {
            (2 << index, None)
        } else {
            (SHARED, Some(Arc::new(AtomicBool::new(false))))
        };
        let flag_of_poller = flag.clone();
        let woken = Some(Woken {
            token,
            bit,
            flag: flag_of_poller,
        });
        match slots.wakers.get_mut(index) {
            Some(slot) => *slot = woken,
            None => slots.wakers.push(woken),
        }
        Ok(Slot { index, bit, flag })
    }

    /// Gives a slot back; a wake of it that was not delivered is forgotten.
    pub(crate) fn close(&self, slot: &Slot) {
        let mut slots = self.lock();
        slots.wakers[slot.index] = None;
        if slot.flag.is_none() {
            self.word.fetch_and(!slot.bit, AcqRel);
        }
        // A shared bit may stay behind: it finds no flag, and costs one pass.
    }

    /// Wakes: true if the kernel must be signalled. Lock-free, since a signal
    /// handler may be the caller.
    #[inline]
    pub(crate) fn wake(&self, slot: &Slot) -> bool {
        if let Some(flag) = &slot.flag {
            flag.swap(true, AcqRel);
        }
        let old = self.word.fetch_or(slot.bit, AcqRel);
        match (old & ASLEEP != 0, old & EXPOSED != 0) {
            (false, false) => false,
            (true, true) => true,
            _ => old & FIRED == 0,
        }
    }

    /// The poller wants to sleep, unless the word says that a waker fired. It
    /// has to leave in any case.
    ///
    /// There is one poller, which leaves whenever it entered, and collects first what
    /// is not quiet. So `ASLEEP` is clear, and to add it is to set it: as much of a
    /// read-modify-write as "or", and one instruction where that is a loop.
    #[inline]
    pub(crate) fn enter(&self) -> Word {
        Word(self.word.fetch_add(ASLEEP, AcqRel))
    }

    /// What a poller sees that is awake. A wake that this misses is found when
    /// it enters, or by its next poll: so a plain load will do.
    #[inline]
    pub(crate) fn glance(&self) -> Word {
        Word(self.word.load(Acquire))
    }

    /// The poller leaves, with events or with an error: what fired while it was
    /// asleep is in the word, and stays there until it is collected.
    #[inline]
    pub(crate) fn leave(&self) -> Word {
        Word(self.word.fetch_sub(ASLEEP, AcqRel))
    }

    /// The queue's descriptor is handed out: true if the kernel must be
    /// signalled for wakes that it was not told.
    pub(crate) fn expose(&self) -> bool {
        let old = self.word.fetch_or(EXPOSED, AcqRel);
        old & FIRED != 0
    }

    /// The poller, awake, takes what fired: `deliver` gets the tokens, at most
    /// `room` of them. True if the kernel must be signalled for the rest. Also says
    /// that it is awake, for a poll that could not.
    pub(crate) fn collect(
        &self,
        turn: &mut Turn,
        mut room: usize,
        mut deliver: impl FnMut(Token),
    ) -> bool {
        let slots = self.lock();
        let fired = self.word.fetch_and(READY | EXPOSED, AcqRel) & FIRED;
        let mut rest = 0;
        let mut next = turn.next;
        for _ in 0..slots.wakers.len() {
            // After the last slot comes the first.
            let index = if next < slots.wakers.len() { next } else { 0 };
            next = index + 1;
            let Some(waker) = &slots.wakers[index] else {
                continue;
            };
            if fired & waker.bit == 0 || !waker.has_fired() {
                continue;
            }
            if room == 0 {
                rest |= waker.bit;
                continue;
            }
            // After the bit was taken and before the event is seen: a wake
            // that comes later sets both again.
            waker.take();
            deliver(waker.token);
            room -= 1;
            turn.next = next;
        }
        rest != 0 && self.word.fetch_or(rest, AcqRel) & EXPOSED != 0
    }

    fn lock(&self) -> MutexGuard<'_, Slots> {
        // Nothing can panic half-way through a change of the slots.
        self.slots.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Woken {
    /// Whether this waker is one of those that its bit stands for.
    fn has_fired(&self) -> bool {
        self.flag.as_ref().map_or(true, |flag| flag.load(Acquire))
    }

    fn take(&self) {
        if let Some(flag) = &self.flag {
            flag.swap(false, AcqRel);
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn open(notify: &Notify, token: usize) -> Slot {
        notify.open(Token(token), || Ok(())).unwrap()
    }

    fn collect(notify: &Notify, room: usize) -> (Vec<usize>, bool) {
        let mut tokens = Vec::new();
        let again = notify.collect(&mut Turn::default(), room, |token| tokens.push(token.0));
        (tokens, again)
    }

    fn leave(notify: &Notify, room: usize) -> (Vec<usize>, bool) {
        notify.leave();
        collect(notify, room)
    }

    #[test]
    fn only_the_first_wake_of_a_sleeper_signals() {
        let notify = Notify::new();
        let (one, two) = (open(&notify, 1), open(&notify, 2));
        assert!(!notify.wake(&one), "nobody sleeps");
        assert!(notify.enter().is_fired(), "and nobody may");
        assert_eq!(leave(&notify, 4), (vec![1], false));

        assert!(!notify.enter().is_fired());
        assert!(notify.wake(&one));
        assert!(!notify.wake(&one));
        assert!(!notify.wake(&two), "the first woke it already");
        assert_eq!(leave(&notify, 4), (vec![1, 2], false));
    }

    #[test]
    fn a_poller_that_left_is_awake() {
        let notify = Notify::new();
        let waker = open(&notify, 1);
        notify.enter();
        notify.leave();
        assert!(!notify.wake(&waker));
        notify.enter();
        leave(&notify, 1);
        assert!(!notify.wake(&waker));
    }

    #[test]
    fn an_exposed_queue_is_told_of_the_first_wake_and_a_sleeper_of_all() {
        let notify = Notify::new();
        let (one, two) = (open(&notify, 1), open(&notify, 2));
        notify.wake(&one);
        assert!(notify.expose(), "of what came before");
        collect(&notify, 4);
        assert!(!notify.expose());

        assert!(notify.wake(&one));
        assert!(!notify.wake(&two));
        assert_eq!(collect(&notify, 1), (vec![1], true), "put back and told");
        assert_eq!(collect(&notify, 1), (vec![2], false));

        notify.enter();
        assert!(notify.wake(&one));
        // The first signal may have gone to somebody else.
        assert!(notify.wake(&one));
        assert!(notify.wake(&two));
    }

    #[test]
    fn what_finds_no_room_waits_and_tells_nobody_without_need() {
        let notify = Notify::new();
        let (one, two) = (open(&notify, 1), open(&notify, 2));
        notify.wake(&one);
        notify.wake(&two);
        assert_eq!(collect(&notify, 1), (vec![1], false));
        assert_eq!(collect(&notify, 1), (vec![2], false));
        assert!(!notify.glance().is_fired());
    }

    #[test]
    fn a_dropped_waker_takes_its_own_wake_only() {
        let notify = Notify::new();
        let (one, two) = (open(&notify, 1), open(&notify, 2));
        notify.expose();
        notify.wake(&one);
        notify.wake(&two);
        notify.close(&one);
        assert_eq!(collect(&notify, 4), (vec![2], false));
        assert!(notify.wake(&two), "it stays exposed");
    }

    #[test]
    fn a_first_waker_that_fails_leaves_nothing() {
        let notify = Notify::new();
        let failed = notify.open(Token(1), || Err(io::ErrorKind::Other.into()));
        assert!(failed.is_err());
        assert!(!notify.glance().is_ready());
        let waker = open(&notify, 2);
        assert!(notify.glance().is_ready());
        assert!(!notify.wake(&waker));
        assert_eq!(collect(&notify, 4), (vec![2], false));
    }
}
