//! Which changes a call on a source is made of, and what their receipts say.
//!
//! Plain data: the kernel's struct is filled in by the caller.

use crate::interest::Interest;
use std::io;

/// What the kernel watches separately of one descriptor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Filter {
    Read,
    Write,
    /// Out-of-band data, where the system has a filter for it.
    Priority,
}

const FILTERS: [Filter; 3] = [Filter::Read, Filter::Write, Filter::Priority];

impl Filter {
    fn is_asked_by(self, interest: Interest) -> bool {
        match self {
            Filter::Read => interest.is_readable(),
            Filter::Write => interest.is_writable(),
            Filter::Priority => interest.is_priority(),
        }
    }
}

/// One line of a change list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Add(Filter),
    Delete(Filter),
    Disable(Filter),
}

/// The longest list that these changes make: each filter deleted, and added.
pub(crate) const MOST: usize = 2 * FILTERS.len();

/// A change list that is given to the kernel in one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changes {
    list: [Change; MOST],
    len: usize,
}

/// What the kernel answered to each change: 0, or an errno.
pub(crate) type Receipts = [i32; MOST];

impl Changes {
    const fn new() -> Changes {
        Changes {
            list: [Change::Delete(Filter::Read); MOST],
            len: 0,
        }
    }

    fn push(&mut self, change: Change) {
        self.list[self.len] = change;
        self.len += 1;
    }

    pub(crate) fn as_slice(&self) -> &[Change] {
        &self.list[..self.len]
    }

    /// Adds the filters that are asked for. Completions of asynchronous I/O are
    /// bound to the queue by whoever starts it: they need no change here.
    pub(crate) fn register(interest: Interest, has_priority: bool) -> io::Result<Changes> {
        check(interest, has_priority)?;
        let mut changes = Changes::new();
        for filter in FILTERS {
            if filter.is_asked_by(interest) {
                changes.push(Change::Add(filter));
            }
        }
        Ok(changes)
    }

    /// Adds the filters that are asked for, which looks at their readiness anew,
    /// and deletes the others.
    pub(crate) fn reregister(interest: Interest, has_priority: bool) -> io::Result<Changes> {
        check(interest, has_priority)?;
        let mut changes = Changes::new();
        for filter in known(has_priority) {
            changes.push(if filter.is_asked_by(interest) {
                Change::Add(filter)
            } else {
                Change::Delete(filter)
            });
        }
        Ok(changes)
    }

    /// As `reregister`, where the mode may change: kernels keep the flags that a
    /// filter was first added with.
    pub(crate) fn replace(interest: Interest, has_priority: bool) -> io::Result<Changes> {
        let mut changes = Changes::deregister(has_priority);
        for add in Changes::register(interest, has_priority)?.as_slice() {
            changes.push(*add);
        }
        Ok(changes)
    }

    /// Disables what is left of a one-shot source that had its event.
    pub(crate) fn disable(has_priority: bool) -> Changes {
        let mut changes = Changes::new();
        for filter in known(has_priority) {
            changes.push(Change::Disable(filter));
        }
        changes
    }

    pub(crate) fn deregister(has_priority: bool) -> Changes {
        let mut changes = Changes::new();
        for filter in known(has_priority) {
            changes.push(Change::Delete(filter));
        }
        changes
    }

    /// The first error that is one.
    pub(crate) fn error(&self, receipts: &Receipts) -> Option<i32> {
        let mut errors = self.as_slice().iter().zip(receipts);
        errors
            .find(|(change, errno)| is_failure(**change, **errno))
            .map(|(_, errno)| *errno)
    }

    /// What deletes again the filters that were added.
    pub(crate) fn undo(&self, receipts: &Receipts) -> Changes {
        let mut changes = Changes::new();
        for (change, errno) in self.as_slice().iter().zip(receipts) {
            match change {
                Change::Add(filter) if !is_failure(*change, *errno) => {
                    changes.push(Change::Delete(*filter));
                }
                _ => {}
            }
        }
        changes
    }

    /// Whether there was nothing of what a deregistration was to delete.
    pub(crate) fn found_nothing(&self, receipts: &Receipts) -> bool {
        let mut all = self.as_slice().iter().zip(receipts);
        all.all(|(change, errno)| *errno != 0 && !is_failure(*change, *errno))
    }
}

/// Never silence: what the system cannot watch is an error.
fn check(interest: Interest, has_priority: bool) -> io::Result<()> {
    let text = if interest.is_priority() && !has_priority {
        "this system's kqueue has no filter for priority events"
    } else if interest.is_exclusive() {
        "kqueue has no exclusive mode"
    } else if interest.is_closed() && !FILTERS.iter().any(|filter| filter.is_asked_by(interest)) {
        "kqueue cannot tell of the end alone"
    } else {
        return Ok(());
    };
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

fn known(has_priority: bool) -> impl Iterator<Item = Filter> {
    FILTERS
        .into_iter()
        .filter(move |filter| has_priority || *filter != Filter::Priority)
}

/// A filter that is not there need not be deleted or disabled, nor one that an older kernel
/// does not know. A pipe whose other end is gone may answer that it is broken;
/// its events come all the same.
fn is_failure(change: Change, errno: i32) -> bool {
    match change {
        Change::Add(_) => !matches!(errno, 0 | libc::EPIPE),
        Change::Delete(Filter::Priority) | Change::Disable(Filter::Priority) => {
            !matches!(errno, 0 | libc::ENOENT | libc::EINVAL)
        }
        Change::Delete(_) | Change::Disable(_) => !matches!(errno, 0 | libc::ENOENT),
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
