//! What interrupts a sleeping queue on Unix, and the table that picks it.

use super::super::Signal;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};

// An eventfd is one descriptor instead of two, and a write to it is always an
// edge.
cfg_if! {
    if #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        not(mio_unsupported_force_waker_pipe)
    ))] {
        pub(crate) type Wakeup = EventFd;
    } else {
        pub(crate) type Wakeup = Pipe;
    }
}

/// An [`eventfd(2)`].
///
/// Every write is an edge, whether or not an earlier one was read; so a queue
/// with edges never reads it, and a signal costs one system call.
///
/// [`eventfd(2)`]: https://man7.org/linux/man-pages/man2/eventfd.2.html
#[cfg(any(target_os = "linux", target_os = "android"))]
#[derive(Debug)]
pub(crate) struct EventFd(File);

#[cfg(any(target_os = "linux", target_os = "android"))]
impl EventFd {
    pub(crate) fn new() -> io::Result<EventFd> {
        Ok(EventFd(File::from(kernel::eventfd(0)?)))
    }

    /// One that was signalled once.
    pub(crate) fn signalled() -> io::Result<EventFd> {
        Ok(EventFd(File::from(kernel::eventfd(1)?)))
    }

    /// Makes it unreadable, until the next signal.
    pub(crate) fn drain(&self) -> io::Result<()> {
        drain(&self.0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl Signal for EventFd {
    fn signal(&self) -> io::Result<()> {
        // A write to a full counter adds nothing and is no edge.
        write(&self.0, &1u64.to_ne_bytes(), &self.0)
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
impl AsFd for EventFd {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

/// A [`pipe(2)`], both of whose ends do not block.
///
/// [`pipe(2)`]: https://man7.org/linux/man-pages/man2/pipe.2.html
#[derive(Debug)]
pub(crate) struct Pipe {
    writer: File,
    reader: File,
}

impl Pipe {
    pub(crate) fn new() -> io::Result<Pipe> {
        let (writer, reader) = super::syscall::pipe()?;
        Ok(Pipe {
            writer: File::from(writer),
            reader: File::from(reader),
        })
    }

    /// One that was signalled once.
    pub(crate) fn signalled() -> io::Result<Pipe> {
        let pipe = Pipe::new()?;
        pipe.signal()?;
        Ok(pipe)
    }

    /// Makes it unreadable, until the next signal.
    pub(crate) fn drain(&self) -> io::Result<()> {
        drain(&self.reader)
    }
}

impl Signal for Pipe {
    fn signal(&self) -> io::Result<()> {
        // A write that finds the pipe full is no edge.
        write(&self.writer, &[1], &self.reader)
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }
}

/// Writes until it is written, emptying `reader` when there is no room.
fn write(mut writer: &File, bytes: &[u8], reader: &File) -> io::Result<()> {
    loop {
        match writer.write(bytes) {
            Ok(_) => return Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => drain(reader)?,
            Err(err) => return Err(err),
        }
    }
}

/// Reads until nothing is left.
fn drain(mut reader: &File) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(read) if read == buffer.len() => {}
            Ok(_) => return Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) => return Err(err),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
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

    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[test]
    fn a_full_counter_is_emptied() {
        let eventfd = EventFd::new().unwrap();
        let fill = (u64::MAX - 1).to_ne_bytes();
        (&eventfd.0).write_all(&fill).unwrap();
        let full = (&eventfd.0).write(&1u64.to_ne_bytes()).unwrap_err();
        assert_eq!(full.kind(), ErrorKind::WouldBlock);

        eventfd.signal().unwrap();

        let mut count = [0; 8];
        (&eventfd.0).read_exact(&mut count).unwrap();
        assert_eq!(u64::from_ne_bytes(count), 1);
    }

    #[test]
    fn a_full_pipe_is_emptied() {
        let pipe = Pipe::new().unwrap();
        let full = loop {
            if let Err(err) = (&pipe.writer).write(&[0; 4096]) {
                break err;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);

        pipe.signal().unwrap();

        let mut bytes = [0; 8];
        assert_eq!((&pipe.reader).read(&mut bytes).unwrap(), 1);
        pipe.drain().unwrap();
        let empty = (&pipe.reader).read(&mut bytes).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn draining_leaves_nothing() {
        let wakeup = Wakeup::new().unwrap();
        for _ in 0..3000 {
            wakeup.signal().unwrap();
        }
        wakeup.drain().unwrap();
        wakeup.drain().unwrap();
        let mut fds = [libc::pollfd {
            fd: std::os::fd::AsRawFd::as_raw_fd(&wakeup.as_fd()),
            events: libc::POLLIN,
            revents: 0,
        }];
        // SAFETY: `fds` is writable and one long.
        assert_eq!(unsafe { libc::poll(fds.as_mut_ptr(), 1, 0) }, 0);
    }
}
