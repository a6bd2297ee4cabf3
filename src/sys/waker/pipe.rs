//! Where there is no eventfd, or a test asks for it.

use super::{drain, write};
use crate::sys::{RawSource, Signal};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

/// A [`pipe(2)`], both of whose ends do not block.
///
/// [`pipe(2)`]: https://man7.org/linux/man-pages/man2/pipe.2.html
#[derive(Debug)]
pub(crate) struct Pipe {
    writer: File,
    reader: File,
}

impl Pipe {
    /// One that was signalled once, or never.
    pub(crate) fn new(signalled: bool) -> io::Result<Pipe> {
        let (writer, reader) = crate::sys::unix::syscall::pipe()?;
        let pipe = Pipe {
            writer: File::from(writer),
            reader: File::from(reader),
        };
        if signalled {
            pipe.signal()?;
        }
        Ok(pipe)
    }

    /// What is readable once it was signalled.
    pub(crate) fn source(&self) -> RawSource {
        self.reader.as_raw_fd()
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

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;
    use std::io::{ErrorKind, Read, Write};

    #[test]
    fn a_full_pipe_is_emptied() {
        let pipe = Pipe::new(true).unwrap();
        assert_eq!(pipe.source(), pipe.as_fd().as_raw_fd());
        let full = loop {
            if let Err(err) = (&pipe.writer).write(&[0; 4096]) {
                break err;
            }
        };
        assert_eq!(full.kind(), ErrorKind::WouldBlock);

        pipe.signal().unwrap();

        let mut bytes = [0; 8];
        assert_eq!((&pipe.reader).read(&mut bytes).unwrap(), 1);
        for _ in 0..3000 {
            pipe.signal().unwrap();
        }
        pipe.drain().unwrap();
        let empty = (&pipe.reader).read(&mut bytes).unwrap_err();
        assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    }
}
