//! Pipes, also those of a child process.
//!
//! [`new`] makes a pipe: what is written to the [`Sender`] is read from the
//! [`Receiver`]. Both are sources. The pipes to and from a child process convert
//! into them; those pipes are in blocking mode, and must be set to non-blocking
//! mode before they are used in an event loop.
//!
//! # Events
//!
//! A *readable* event of a receiver tells that there are bytes. When the last
//! sender is gone, its event is *read closed*: on Linux it is not readable as
//! well unless bytes are left. So test for both, which is what
//! [`Event::should_read`] does; reading then gives the rest and `Ok(0)`.
//!
//! A *writable* event of a sender tells that there is room. When the last
//! receiver is gone, its event is *write closed*, and writing fails with
//! [`BrokenPipe`].
//!
//! # Platform-specific behavior
//!
//! A write to a pipe without a receiver raises the signal `SIGPIPE`. Programs in
//! Rust ignore it from their start; one whose `main` is in another language
//! should see to that itself.
//!
//! # Examples
//!
//! A pipe:
//!
//! ```
//! use mio::unix::pipe;
//! use mio::{Events, Interest, Poll, Token};
//! use std::io::{Read, Write};
//!
//! # fn main() -> std::io::Result<()> {
//! const RECEIVER: Token = Token(0);
//! const SENDER: Token = Token(1);
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! let (mut sender, mut receiver) = pipe::new()?;
//! poll.registry().register(&mut receiver, RECEIVER, Interest::READABLE)?;
//! poll.registry().register(&mut sender, SENDER, Interest::WRITABLE)?;
//!
//! let mut received = Vec::new();
//! while received.is_empty() {
//!     poll.poll(&mut events, None)?;
//!     for event in &events {
//!         match event.token() {
//!             SENDER => sender.write_all(b"through the pipe")?,
//!             RECEIVER => {
//!                 let mut buf = [0; 64];
//!                 let length = receiver.read(&mut buf)?;
//!                 received.extend_from_slice(&buf[..length]);
//!             }
//!             _ => {} // There are no other sources.
//!         }
//!     }
//! }
//! assert_eq!(received, b"through the pipe");
//! # Ok(())
//! # }
//! ```
//!
//! The output of a child process:
//!
//! ```
//! use mio::unix::pipe::Receiver;
//! use mio::{Events, Interest, Poll, Token};
//! use std::io::{ErrorKind, Read};
//! use std::process::{Command, Stdio};
//!
//! # fn main() -> std::io::Result<()> {
//! let mut child = Command::new("echo")
//!     .arg("hello")
//!     .stdout(Stdio::piped())
//!     .spawn()?;
//! let stdout = child.stdout.take().ok_or(ErrorKind::BrokenPipe)?;
//! let mut stdout = Receiver::from(stdout);
//! stdout.set_nonblocking(true)?;
//!
//! let mut poll = Poll::new()?;
//! let mut events = Events::with_capacity(8);
//! poll.registry().register(&mut stdout, Token(0), Interest::READABLE)?;
//!
//! let mut output = String::new();
//! loop {
//!     match stdout.read_to_string(&mut output) {
//!         Ok(_) => break, // The child has closed its end.
//!         Err(error) if error.kind() == ErrorKind::WouldBlock => {
//!             poll.poll(&mut events, None)?;
//!         }
//!         Err(error) => return Err(error),
//!     }
//! }
//! assert_eq!(output, "hello\n");
//! child.wait()?;
//! # Ok(())
//! # }
//! ```
//!
//! [`BrokenPipe`]: std::io::ErrorKind::BrokenPipe
//! [`Event::should_read`]: crate::event::Event::should_read

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, OwnedFd};
use std::process::{ChildStderr, ChildStdin, ChildStdout};

use crate::io_source::IoSource;
use crate::sys::unix::syscall::{self, fd_of};

/// Makes a pipe.
///
/// Both ends are non-blocking and not inherited by child processes.
///
/// # Errors
///
/// Those of the operating system.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
///
/// # fn main() -> std::io::Result<()> {
/// let (mut sender, mut receiver) = mio::unix::pipe::new()?;
/// sender.write_all(b"ping")?;
/// let mut buf = [0; 8];
/// assert_eq!(receiver.read(&mut buf)?, 4);
///
/// drop(sender);
/// assert_eq!(receiver.read(&mut buf)?, 0);
/// # Ok(())
/// # }
/// ```
#[inline]
pub fn new() -> io::Result<(Sender, Receiver)> {
    let (sender, receiver) = syscall::pipe()?;
    Ok((sender.into(), receiver.into()))
}

/// The end of a pipe that is written to.
///
/// See the [module](self) for events and examples.
pub struct Sender {
    inner: IoSource<File>,
}

impl Sender {
    /// Sets whether the pipe is in non-blocking mode.
    ///
    /// A sender that [`new`] made is; one that was the standard input of a child
    /// process is not. Only this end is changed, but for all descriptors of it.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        syscall::set_nonblocking(self.inner.as_fd(), nonblocking)
    }

    /// Runs an operation on this pipe that the crate does not have.
    ///
    /// If the operation fails with [`WouldBlock`], the next readiness is
    /// reported by an event, as it is for the methods of this type. Where the
    /// kernel needs no help with that, this only runs the operation.
    ///
    /// The operation must be one on this very pipe, and should be one that
    /// really reached the kernel.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io;
    /// use std::os::fd::AsRawFd;
    ///
    /// # fn main() -> io::Result<()> {
    /// let (sender, _receiver) = mio::unix::pipe::new()?;
    /// let buf = b"ping";
    /// let written = sender.try_io(|| {
    ///     let (fd, start) = (sender.as_raw_fd(), buf.as_ptr().cast());
    ///     // SAFETY: the buffer is valid for reads of its length.
    ///     let n = unsafe { libc::write(fd, start, buf.len()) };
    ///     usize::try_from(n).map_err(|_| io::Error::last_os_error())
    /// })?;
    /// assert_eq!(written, 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn try_io<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| f())
    }
}

/// The pipe is taken as it is, which is in blocking mode: see
/// [`set_nonblocking`](Sender::set_nonblocking).
impl From<ChildStdin> for Sender {
    #[inline]
    fn from(stdin: ChildStdin) -> Sender {
        OwnedFd::from(stdin).into()
    }
}

/// The end of a pipe that is read from.
///
/// See the [module](self) for events and examples.
pub struct Receiver {
    inner: IoSource<File>,
}

impl Receiver {
    /// Sets whether the pipe is in non-blocking mode.
    ///
    /// A receiver that [`new`] made is; one that was an output of a child
    /// process is not. Only this end is changed, but for all descriptors of it.
    ///
    /// # Errors
    ///
    /// Those of the operating system.
    #[inline]
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        syscall::set_nonblocking(self.inner.as_fd(), nonblocking)
    }

    /// Runs an operation on this pipe that the crate does not have.
    ///
    /// If the operation fails with [`WouldBlock`], the next readiness is
    /// reported by an event, as it is for the methods of this type. Where the
    /// kernel needs no help with that, this only runs the operation.
    ///
    /// The operation must be one on this very pipe, and should be one that
    /// really reached the kernel.
    ///
    /// # Errors
    ///
    /// Those of the operation.
    ///
    /// # Examples
    ///
    /// ```
    /// use std::io::{self, ErrorKind};
    /// use std::os::fd::AsRawFd;
    ///
    /// # fn main() -> io::Result<()> {
    /// let (_sender, receiver) = mio::unix::pipe::new()?;
    /// let mut buf = [0u8; 64];
    /// let result = receiver.try_io(|| {
    ///     let (fd, start) = (receiver.as_raw_fd(), buf.as_mut_ptr().cast());
    ///     // SAFETY: the buffer is valid for writes of its length.
    ///     let n = unsafe { libc::read(fd, start, buf.len()) };
    ///     usize::try_from(n).map_err(|_| io::Error::last_os_error())
    /// });
    /// assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn try_io<F, T>(&self, f: F) -> io::Result<T>
    where
        F: FnOnce() -> io::Result<T>,
    {
        self.inner.do_io(|_| f())
    }
}

/// The pipe is taken as it is, which is in blocking mode: see
/// [`set_nonblocking`](Receiver::set_nonblocking).
impl From<ChildStdout> for Receiver {
    #[inline]
    fn from(stdout: ChildStdout) -> Receiver {
        OwnedFd::from(stdout).into()
    }
}

/// The pipe is taken as it is, which is in blocking mode: see
/// [`set_nonblocking`](Receiver::set_nonblocking).
impl From<ChildStderr> for Receiver {
    #[inline]
    fn from(stderr: ChildStderr) -> Receiver {
        OwnedFd::from(stderr).into()
    }
}

#[inline]
fn read(pipe: &File, buf: &mut [u8]) -> io::Result<usize> {
    syscall::read(fd_of(pipe), buf)
}

#[inline]
fn read_vectored(pipe: &File, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
    syscall::readv(fd_of(pipe), bufs)
}

#[inline]
fn write(pipe: &File, buf: &[u8]) -> io::Result<usize> {
    syscall::write(fd_of(pipe), buf)
}

#[inline]
fn write_vectored(pipe: &File, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
    syscall::writev(fd_of(pipe), bufs)
}

impl_handle!(Sender, File);
impl_write!(Sender, write, write_vectored);
impl_handle!(Receiver, File);
impl_read!(Receiver, read, read_vectored);
