//! Where it exists: one descriptor instead of two, and every write is an edge.

use super::{drain, write};
use crate::sys::{RawSource, Signal};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// An [`eventfd(2)`].
///
/// Every write is an edge, whether or not an earlier one was read; so a queue
/// with edges never reads it, and a signal costs one system call.
///
/// [`eventfd(2)`]: https://man7.org/linux/man-pages/man2/eventfd.2.html
#[derive(Debug)]
pub(crate) struct EventFd(File);

impl EventFd {
    /// One that was signalled once, or never.
    pub(crate) fn new(signalled: bool) -> io::Result<EventFd> {
        Ok(EventFd(File::from(kernel::eventfd(signalled.into())?)))
    }

    /// What is readable once it was signalled.
    pub(crate) fn source(&self) -> RawSource {
        self.0.as_raw_fd()
    }

    /// Makes it unreadable, until the next signal.
    pub(crate) fn drain(&self) -> io::Result<()> {
        drain(&self.0)
    }
}

impl Signal for EventFd {
    fn signal(&self) -> io::Result<()> {
        if cfg!(target_os = "illumos") {
            // There only a write to an empty one is an edge (illumos bugs 13436 and 16700):
            // this can go when a nested queue sees a second wake without it.
            self.drain()?;
        }
        // A write to a full counter adds nothing and is no edge.
        write(&self.0, &1u64.to_ne_bytes(), &self.0)
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

mod kernel {
    use std::io;
    use std::os::fd::{FromRawFd, OwnedFd};

    #[cfg(not(target_os = "espidf"))]
    const FLAGS: libc::c_int = libc::EFD_CLOEXEC | libc::EFD_NONBLOCK;
    /// There it never blocks and no program is started, and a flag is an error.
    #[cfg(target_os = "espidf")]
    const FLAGS: libc::c_int = 0;

    pub(super) fn eventfd(count: u32) -> io::Result<OwnedFd> {
        // SAFETY: the call takes no pointers.
        let fd = unsafe { libc::eventfd(count as _, FLAGS) };
        if fd == -1 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the kernel just made `fd`, and nobody else knows of it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};

    #[test]
    fn a_full_counter_is_emptied() {
        let eventfd = EventFd::new(false).unwrap();
        let fill = (u64::MAX - 1).to_ne_bytes();
        (&eventfd.0).write_all(&fill).unwrap();
        let full = (&eventfd.0).write(&1u64.to_ne_bytes()).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);

        eventfd.signal().unwrap();

        let mut count = [0; 8];
        (&eventfd.0).read_exact(&mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 1);
    }
}
