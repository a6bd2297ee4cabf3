//! What interrupts a sleeping queue on Unix: an eventfd.

use super::super::Signal;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

/// An [`eventfd(2)`] that is added to the queue edge-triggered.
///
/// Every write is an edge, whether or not an earlier one was read; so nobody
/// ever reads it in normal use, and a signal costs one system call.
///
/// [`eventfd(2)`]: https://man7.org/linux/man-pages/man2/eventfd.2.html
#[derive(Debug)]
pub(crate) struct EventFd(File);

impl EventFd {
    /// An eventfd with the counter at `count`.
    pub(crate) fn new(count: u32) -> io::Result<EventFd> {
        Ok(EventFd(File::from(kernel::eventfd(count)?)))
    }
}

impl Signal for EventFd {
    fn signal(&self) -> io::Result<()> {
        loop {
            match (&self.0).write(&1u64.to_ne_bytes()) {
                Ok(_) => return Ok(()),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                // The counter is full, and a write that adds nothing is no
                // edge: empty it, and write again.
                Err(err) if err.kind() == ErrorKind::WouldBlock => self.reset()?,
                Err(err) => return Err(err),
            }
        }
    }
}

impl EventFd {
    fn reset(&self) -> io::Result<()> {
        match (&self.0).read(&mut [0; 8]) {
            Ok(_) => Ok(()),
            // Another thread was faster.
            Err(err) if err.kind() == ErrorKind::WouldBlock => Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => Ok(()),
            Err(err) => Err(err),
        }
    }
}

impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

mod kernel {
    use super::super::syscall::check;
    use std::io;
    use std::os::fd::{FromRawFd, OwnedFd};

    pub(super) fn eventfd(count: u32) -> io::Result<OwnedFd> {
        // SAFETY: the call takes no pointers.
        let fd = check(unsafe { libc::eventfd(count, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        // SAFETY: the kernel just made `fd`, and nobody else knows of it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn a_full_counter_is_emptied() {
        let eventfd = EventFd::new(0).unwrap();
        (&eventfd.0)
            .write_all(&(u64::MAX - 1).to_ne_bytes())
            .unwrap();
        let full = (&eventfd.0).write(&1u64.to_ne_bytes()).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);

        eventfd.signal().unwrap();

        let mut count = [0; 8];
        (&eventfd.0).read_exact(&mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 1);
    }
}
