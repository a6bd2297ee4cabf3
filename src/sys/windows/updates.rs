//! What is to be done before the next sleep: the queue of sources that changed.
//!
//! A change of a registration is not told to the kernel at once, since the next
//! change often follows. It is queued here, and flushed right before the poller
//! sleeps. While it sleeps already, whoever queues something flushes it
//! itself. That one of both does stands and falls with one lock: the poller says
//! that it falls asleep, and finds what is queued, in one step, and so does the
//! other side.
//!
//! A source is queued at most once: it remembers that it is, under its own lock.
//! That lock may be held when something is pushed; none of this queue's is held
//! while something is flushed.

#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
use std::collections::VecDeque;
use std::sync::PoisonError;
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};

#[derive(Debug)]
pub(crate) struct Updates<T>(Mutex<Waiting<T>>);

#[derive(Debug)]
struct Waiting<T> {
    items: VecDeque<T>,
    /// Whether the poller flushed, and may sleep.
    asleep: bool,
}

impl<T> Updates<T> {
    pub(super) fn new() -> Updates<T> {
        Updates(Mutex::new(Waiting {
            items: VecDeque::new(),
            asleep: false,
        }))
    }

    /// Queues an item. True if nobody else will flush it in time: the caller
    /// must, once it holds no lock.
    #[must_use = "if the poller sleeps, the caller flushes"]
    pub(super) fn push(&self, item: T) -> bool {
        let mut waiting = self.lock();
        waiting.items.push_back(item);
        waiting.asleep
    }

    /// The poller is about to sleep: how many items it has to take first.
    pub(super) fn fall_asleep(&self) -> usize {
        let mut waiting = self.lock();
        waiting.asleep = true;
        waiting.items.len()
    }

    /// The poller is awake: it will fall asleep again before an item is late.
    pub(super) fn wake_up(&self) {
        self.lock().asleep = false;
    }

    /// Takes the oldest item.
    pub(super) fn next(&self) -> Option<T> {
        self.lock().items.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // A panic cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
