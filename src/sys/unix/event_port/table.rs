//! Who is registered, by descriptor as in the kernel, and when the port is told
//! what: plain data, and the kernel a trait of two calls.
//!
//! An association ends with its event. Of a source that has reported, the rest is
//! asked for by the *next* wait (`Loose`), since most owners read until they
//! would block before that: and then the one association that this makes is the
//! only call.
//!
//! An event is matched with its source by a *cookie*, which every registration
//! and reregistration raises: what was on its way for an earlier owner of the
//! descriptor, or with an earlier token, is dropped.

use super::super::RawSource;
use crate::sys::levels::{Armed, Asked};
use crate::token::Token;
use libc::c_short;
use std::collections::HashMap;
use std::io;

/// What is asked of the port about one descriptor, in place of what was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Association {
    pub(super) fd: RawSource,
    pub(super) mask: c_short,
    pub(super) cookie: usize,
}

/// The kernel's part.
pub(super) trait Associate {
    fn associate(&self, association: Association) -> io::Result<()>;
    /// Whether there was an association.
    fn dissociate(&self, fd: RawSource) -> io::Result<bool>;
}

/// Names the registration of a descriptor: which of its owners.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Handle(usize);

#[derive(Debug)]
struct Slot {
    owner: usize,
    cookie: usize,
    token: Token,
    armed: Armed,
    link: Link,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// The port watches it, or its event is on the way.
    Associated,
    /// It has reported: the next wait asks for the rest.
    Loose,
    /// Nothing is asked.
    Idle,
}

/// All registrations of a port.
#[derive(Debug, Default)]
pub(super) struct Table {
    slots: HashMap<RawSource, Slot>,
    /// What has reported since the last wait, and its owner then.
    loose: Vec<(RawSource, usize)>,
    /// What time arms again, and its owner then.
    parked: Vec<(RawSource, usize)>,
    /// How many sources of these still wait for it.
    parked_count: usize,
    /// What the port did not take, and nobody was told.
    faults: Vec<(RawSource, usize)>,
    /// The last owner, or cookie.
    last: usize,
}

impl Table {
    pub(super) fn insert(
        &mut self,
        kernel: &impl Associate,
        fd: RawSource,
        token: Token,
        asked: Asked,
        raw: bool,
    ) -> io::Result<Handle> {
        if self.is_held(kernel, fd) {
            return Err(io::Error::from_raw_os_error(libc::EEXIST));
        }
        self.forget(fd);
        let owner = self.number();
        let slot = Slot {
            owner,
            cookie: owner,
            token,
            armed: Armed::new(asked, raw),
            link: Link::Associated,
        };
        kernel.associate(slot.association(fd, asked.mask))?;
        self.slots.insert(fd, slot);
        // Later changes find room, and allocate nothing.
        for list in [&mut self.loose, &mut self.parked, &mut self.faults] {
            list.reserve(self.slots.len().saturating_sub(list.len()));
        }
        Ok(Handle(owner))
    }

    /// Whether a descriptor is registered. A raw one may have been closed since,
    /// which ends its association and nobody tells.
    fn is_held(&self, kernel: &impl Associate, fd: RawSource) -> bool {
        match self.slots.get(&fd) {
            None => false,
            Some(slot) if !slot.armed.is_raw() => true,
            Some(slot) if slot.link == Link::Associated => {
                let was_there = matches!(kernel.dissociate(fd), Ok(true));
                let mask = slot.armed.mask().unwrap_or(0);
                was_there && kernel.associate(slot.association(fd, mask)).is_ok()
            }
            // The kernel does not know either: takes it for a new one.
            Some(_) => false,
        }
    }

    /// A new token and interest. If the port does not take it, all stays.
    pub(super) fn change(
        &mut self,
        kernel: &impl Associate,
        fd: RawSource,
        handle: Handle,
        token: Token,
        asked: Asked,
    ) -> io::Result<()> {
        let cookie = self.number();
        let Some(slot) = self.get(fd, handle) else {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        };
        let mask = asked.mask;
        kernel.associate(Association { fd, mask, cookie })?;
        let was_parked = slot.armed.is_parked();
        slot.cookie = cookie;
        slot.token = token;
        slot.armed.change(asked);
        slot.link = Link::Associated;
        self.parked_count -= usize::from(was_parked);
        Ok(())
    }

    /// Asks for all of the interest again, if something was reported. True if the
    /// port did not take it: then the poller must be told.
    pub(super) fn rearm(&mut self, kernel: &impl Associate, fd: RawSource, handle: Handle) -> bool {
        match self.get(fd, handle) {
            Some(slot) if slot.armed.rests() => {
                let was_parked = slot.armed.is_parked();
                slot.armed.arm();
                self.parked_count -= usize::from(was_parked);
                self.link(kernel, fd);
                !self.faults.is_empty()
            }
            _ => false,
        }
    }

    /// Whether it was there.
    pub(super) fn remove(
        &mut self,
        kernel: &impl Associate,
        fd: RawSource,
        handle: Handle,
    ) -> io::Result<bool> {
        let Some(slot) = self.get(fd, handle) else {
            return Ok(false);
        };
        let was_associated = slot.link == Link::Associated;
        self.forget(fd);
        if was_associated {
            kernel.dissociate(fd)?;
        }
        Ok(true)
    }

    /// The registration of a descriptor that keeps no handle.
    pub(super) fn find_raw(&self, fd: RawSource) -> Option<Handle> {
        let slot = self.slots.get(&fd)?;
        slot.armed.is_raw().then_some(Handle(slot.owner))
    }

    /// Why it is not there: the kernel's word, which knows what is a descriptor.
    pub(super) fn not_found(&self, kernel: &impl Associate, fd: RawSource) -> io::Error {
        if !self.slots.contains_key(&fd) {
            if let Err(err) = kernel.dissociate(fd) {
                return err;
            }
        }
        io::Error::from_raw_os_error(libc::ENOENT)
    }

    /// An event: whose, if it is anybody's by now.
    pub(super) fn report(
        &mut self,
        fd: RawSource,
        cookie: usize,
        revents: c_short,
    ) -> Option<Token> {
        let slot = self.slots.get_mut(&fd)?;
        if slot.cookie != cookie {
            return None;
        }
        if revents & libc::POLLNVAL != 0 {
            // It was closed, and nobody said so: as an epoll does, forget it.
            self.forget(fd);
            return None;
        }
        let was_parked = slot.armed.is_parked();
        slot.armed.report(revents);
        slot.link = Link::Loose;
        self.loose.push((fd, slot.owner));
        if slot.armed.is_parked() && !was_parked {
            self.parked.push((fd, slot.owner));
            self.parked_count += 1;
        }
        Some(slot.token)
    }

    /// Asks for the rest of what has reported.
    pub(super) fn associate_loose(&mut self, kernel: &impl Associate) {
        // Taken out, and put back for its room.
        let mut loose = std::mem::take(&mut self.loose);
        for (fd, owner) in loose.drain(..) {
            if matches!(self.get(fd, Handle(owner)), Some(slot) if slot.link == Link::Loose) {
                self.link(kernel, fd);
            }
        }
        self.loose = loose;
    }

    /// Whether a source has bits that time arms again.
    pub(super) fn has_parked(&self) -> bool {
        self.parked_count > 0
    }

    /// Arms them.
    pub(super) fn unpark(&mut self, kernel: &impl Associate) {
        let mut parked = std::mem::take(&mut self.parked);
        for (fd, owner) in parked.drain(..) {
            match self.get(fd, Handle(owner)) {
                Some(slot) if slot.armed.is_parked() => {
                    slot.armed.arm();
                    self.parked_count -= 1;
                    self.link(kernel, fd);
                }
                _ => {}
            }
        }
        self.parked = parked;
    }

    /// A source that the port did not take: it has an error to report.
    pub(super) fn take_fault(&mut self) -> Option<(RawSource, Token)> {
        while let Some((fd, owner)) = self.faults.pop() {
            if let Some(slot) = self.get(fd, Handle(owner)) {
                let (cookie, was_associated) = (slot.cookie, slot.link == Link::Associated);
                // Somebody else had more luck in between.
                if was_associated {
                    continue;
                }
                let token = self.report(fd, cookie, libc::POLLERR)?;
                return Some((fd, token));
            }
        }
        None
    }

    /// Asks the port for what is armed.
    fn link(&mut self, kernel: &impl Associate, fd: RawSource) {
        let Some(slot) = self.slots.get_mut(&fd) else {
            return;
        };
        slot.link = Link::Idle;
        let Some(mask) = slot.armed.mask() else {
            return;
        };
        match kernel.associate(slot.association(fd, mask)) {
            Ok(()) => slot.link = Link::Associated,
            Err(err) if err.raw_os_error() == Some(libc::EBADF) => self.forget(fd),
            Err(err) => {
                self.faults.push((fd, slot.owner));
                error!("associating descriptor {fd} with its port: {err}");
            }
        }
    }

    fn forget(&mut self, fd: RawSource) {
        if let Some(slot) = self.slots.remove(&fd) {
            self.parked_count -= usize::from(slot.armed.is_parked());
        }
    }

    fn get(&mut self, fd: RawSource, handle: Handle) -> Option<&mut Slot> {
        let slot = self.slots.get_mut(&fd)?;
        (slot.owner == handle.0).then_some(slot)
    }

    fn number(&mut self) -> usize {
        self.last = self.last.wrapping_add(1);
        self.last
    }
}

impl Slot {
    fn association(&self, fd: RawSource, mask: c_short) -> Association {
        Association {
            fd,
            mask,
            cookie: self.cookie,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
