//! Who is registered, and what the next poll(2) shall ask: plain data under one
//! lock, and the poller's own copy of it.
//!
//! The poller must not hold the lock while it sleeps, so it sleeps over a copy:
//! entry *n + 1* of the copy is slot *n* of the table (entry 0 is what wakes
//! it). A slot that changes is noted, and copied before the next sleep. A
//! result is matched with the slot by a *version*, which every registration and
//! reregistration raises: what was asked for an earlier owner of the slot, or
//! with an earlier token, is dropped.
//!
//! What is asked of a slot, and what of it rests, is in `levels`.

use super::super::RawSource;
use crate::sys::levels::{Armed, Asked, NOT_OPEN};
use crate::token::Token;
use libc::{c_short, pollfd};
use std::collections::{hash_map::DefaultHasher, HashMap};
use std::hash::BuildHasherDefault;

/// Names a registration: a slot, and which of its owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handle {
    index: usize,
    owner: u64,
}

#[derive(Debug)]
struct Slot {
    /// Negative in a free slot.
    fd: RawSource,
    owner: u64,
    version: u64,
    token: Token,
    armed: Armed,
    noted: bool,
}

/// The kernel chooses the numbers, small ones: random keys would cost a system call
/// and protect from nobody.
type FixedKeys = BuildHasherDefault<DefaultHasher>;

/// All registrations of a queue.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: Vec<Slot>,
    free: Vec<usize>,
    /// The slots of the descriptors that keep no handle.
    raw: HashMap<RawSource, usize, FixedKeys>,
    /// Slots that the copy does not agree with, each once.
    changed: Vec<usize>,
    /// Raised by each change of who a slot stands for.
    versions: u64,
    /// How many slots have reported bits that time arms again.
    parked: usize,
}

impl Table {
    pub(super) fn insert(
        &mut self,
        fd: RawSource,
        token: Token,
        asked: Asked,
        raw: bool,
    ) -> Handle {
        self.versions += 1;
        let slot = Slot {
            fd,
            owner: self.versions,
            version: self.versions,
            token,
            armed: Armed::new(asked, raw),
            noted: false,
        };
        let index = match self.free.pop() {
            Some(index) => {
                let noted = self.slots[index].noted;
                self.slots[index] = Slot { noted, ..slot };
                index
            }
            None => {
                self.slots.push(slot);
                // Later changes find room, and allocate nothing.
                self.free.reserve(self.slots.len() - self.free.len());
                self.changed.reserve(self.slots.len() - self.changed.len());
                self.slots.len() - 1
            }
        };
        if raw {
            self.raw.insert(fd, index);
        }
        self.note(index);
        Handle {
            index,
            owner: self.versions,
        }
    }

    /// A new token and interest: asked anew, and what was asked is dropped.
    /// False if the handle is not, or no longer, of a registration.
    pub(super) fn change(&mut self, handle: Handle, token: Token, asked: Asked) -> bool {
        self.versions += 1;
        let version = self.versions;
        let Some(slot) = self.get(handle) else {
            return false;
        };
        let was_parked = slot.armed.is_parked();
        slot.version = version;
        slot.token = token;
        slot.armed.change(asked);
        self.parked -= usize::from(was_parked);
        self.note(handle.index);
        true
    }

    /// Asks for all of the interest again. Whether there was need to.
    pub(super) fn rearm(&mut self, handle: Handle) -> bool {
        match self.get(handle) {
            Some(slot) if slot.armed.rests() => {
                let was_parked = slot.armed.is_parked();
                slot.armed.arm();
                self.parked -= usize::from(was_parked);
                self.note(handle.index);
                true
            }
            _ => false,
        }
    }

    pub(super) fn remove(&mut self, handle: Handle) -> bool {
        let Some(slot) = self.get(handle) else {
            return false;
        };
        let was_parked = slot.armed.is_parked();
        let was_raw = slot.armed.is_raw().then_some(slot.fd);
        slot.fd = -1;
        slot.owner = 0;
        slot.version = 0;
        slot.armed = Armed::none();
        self.parked -= usize::from(was_parked);
        if let Some(fd) = was_raw {
            self.raw.remove(&fd);
        }
        self.free.push(handle.index);
        self.note(handle.index);
        true
    }

    /// The registration of a descriptor that keeps no handle.
    pub(super) fn find_raw(&self, fd: RawSource) -> Option<Handle> {
        let index = *self.raw.get(&fd)?;
        Some(Handle {
            index,
            owner: self.slots[index].owner,
        })
    }

    /// Whether a slot has bits that time arms again.
    pub(super) fn has_parked(&self) -> bool {
        self.parked > 0
    }

    /// Arms them.
    pub(super) fn unpark(&mut self) {
        for index in 0..self.slots.len() {
            if self.slots[index].armed.is_parked() {
                self.slots[index].armed.arm();
                self.note(index);
            }
        }
        self.parked = 0;
    }

    fn get(&mut self, handle: Handle) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(handle.index)?;
        (slot.owner == handle.owner).then_some(slot)
    }

    fn note(&mut self, index: usize) {
        if !self.slots[index].noted {
            self.slots[index].noted = true;
            self.changed.push(index);
        }
    }
}

/// What the poller sleeps over.
#[derive(Debug)]
pub(super) struct PollSet {
    /// For the kernel; the first entry is the caller's.
    pub(super) fds: Vec<pollfd>,
    /// The versions that the entries ask for.
    versions: Vec<u64>,
    /// The slot that is served first.
    next: usize,
}

impl PollSet {
    /// A set that holds what wakes the poller.
    pub(super) fn new(wakeup: RawSource) -> PollSet {
        PollSet {
            fds: vec![entry(wakeup, libc::POLLIN)],
            versions: Vec::new(),
            next: 0,
        }
    }

    /// Takes over what changed.
    pub(super) fn sync(&mut self, table: &mut Table) {
        if self.versions.len() < table.slots.len() {
            self.versions.resize(table.slots.len(), 0);
            self.fds.resize(table.slots.len() + 1, entry(-1, 0));
        }
        for index in table.changed.drain(..) {
            let slot = &mut table.slots[index];
            slot.noted = false;
            // A descriptor that is negative is skipped.
            self.fds[index + 1] = match slot.armed.mask() {
                Some(mask) => entry(slot.fd, mask),
                None => entry(-1, 0),
            };
            self.versions[index] = slot.version;
        }
    }

    /// Delivers what the kernel reported of `hits` entries, at most `room`
    /// times. What finds no room stays armed, and is first the next time.
    pub(super) fn deliver(
        &mut self,
        table: &mut Table,
        mut hits: usize,
        mut room: usize,
        mut deliver: impl FnMut(Token, c_short),
    ) {
        let count = self.versions.len();
        let start = self.next;
        for index in (0..count).map(|step| (start + step) % count) {
            if hits == 0 {
                return;
            }
            let revents = self.fds[index + 1].revents;
            if revents == 0 {
                continue;
            }
            hits -= 1;
            if table.slots[index].version != self.versions[index] {
                continue;
            }
            if revents == NOT_OPEN {
                table.lose(index);
                continue;
            }
            if room == 0 {
                self.next = index;
                return;
            }
            deliver(table.slots[index].token, revents & !NOT_OPEN);
            if revents & NOT_OPEN != 0 {
                // It will not do any more, and the system says why: it is heard once.
                table.lose(index);
            } else {
                table.report(index, revents);
            }
            room -= 1;
            self.next = index + 1;
        }
    }
}

impl Table {
    /// The descriptor was closed, and nobody said so: as the kernel's own
    /// queues do, forget it.
    fn lose(&mut self, index: usize) {
        let owner = self.slots[index].owner;
        self.remove(Handle { index, owner });
    }

    /// Takes reported bits out of what is armed.
    fn report(&mut self, index: usize, revents: c_short) {
        let slot = &mut self.slots[index];
        let was_parked = slot.armed.is_parked();
        slot.armed.report(revents);
        self.parked += usize::from(slot.armed.is_parked() && !was_parked);
        self.note(index);
    }
}

fn entry(fd: RawSource, events: c_short) -> pollfd {
    pollfd {
        fd,
        events,
        revents: 0,
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
