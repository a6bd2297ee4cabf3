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

    /// Queues an item of the poller's own, which is awake.
    pub(super) fn push(&self, item: T) {
        self.lock().items.push_back(item);
    }

    /// Queues an item, and updates it here if the poller sleeps. The caller
    /// holds no lock of an item.
    pub(super) fn queue(&self, item: T, update: impl Fn(T)) {
        let mut waiting = self.lock();
        waiting.items.push_back(item);
        let asleep = waiting.asleep;
        drop(waiting);
        if asleep {
            while let Some(item) = self.next() {
                update(item);
            }
        }
    }

    /// The poller is about to sleep: it updates what is queued first. What comes
    /// later is updated by whoever queues it.
    pub(super) fn fall_asleep(&self, update: impl Fn(T)) {
        let mut waiting = self.lock();
        waiting.asleep = true;
        let count = waiting.items.len();
        drop(waiting);
        for _ in 0..count {
            match self.next() {
                Some(item) => update(item),
                // Another thread was faster.
                None => return,
            }
        }
    }

    /// The poller is awake: it will fall asleep again before an item is late.
    pub(super) fn wake_up(&self) {
        self.lock().asleep = false;
    }

    fn next(&self) -> Option<T> {
        self.lock().items.pop_front()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting<T>> {
        // A panic cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(all(test, loom))]
mod loom_tests;

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    fn take_all(updates: &Updates<u8>) -> Vec<u8> {
        std::iter::from_fn(|| updates.next()).collect()
    }

    #[test]
    fn a_poll_that_failed_does_not_hinder_the_next() {
        let updates = Updates::new();
        updates.fall_asleep(|_| unreachable!("nothing is queued"));
        // It never said that it is awake. The next finds what only it may update, and
        // what comes after is updated by whoever queues it.
        updates.push(1);
        let updated = Mutex::new(Vec::new());
        updates.fall_asleep(|item| updated.lock().unwrap().push(item));
        updates.queue(2, |item| updated.lock().unwrap().push(item));
        assert_eq!(*updated.lock().unwrap(), [1, 2]);
    }

    #[test]
    fn no_lock_is_held_while_an_item_is_updated() {
        let updates = Updates::new();
        let is_free = |_| assert!(updates.0.try_lock().is_ok(), "the queue is locked");
        updates.push(1);
        updates.fall_asleep(is_free);
        updates.queue(2, is_free);
    }

    #[test]
    fn an_item_is_updated_once_and_by_whom_it_concerns() {
        let updates = Updates::new();
        let nobody = |_| panic!("the poller is awake");
        updates.queue(1, nobody);
        updates.queue(2, nobody);
        // What an update queues again waits for the next sleep, or none would begin.
        updates.fall_asleep(|item| {
            if item == 1 {
                updates.push(3);
            }
        });
        assert_eq!(take_all(&updates), [3]);
        updates.wake_up();
        updates.queue(4, nobody);
        assert_eq!(take_all(&updates), [4]);
    }
}
