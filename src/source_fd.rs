use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use crate::event;
use crate::sys::Backend;
use crate::{Interest, Registry, Token};

/// Registers a descriptor that belongs to somebody else.
///
/// It only stands for the descriptor while it is registered, changed or
/// deregistered: it keeps no state, can be made anew each time, and closes
/// nothing when it is dropped.
///
/// The caller sees to three things:
///
/// * The descriptor is in non-blocking mode; this does not set it.
/// * It is deregistered before it is closed. While another descriptor of the
///   same open file exists (one made by `dup(2)`, or in a child process),
///   Linux goes on to report events with the old token.
/// * It is open. A number that has been closed may mean another file by now,
///   whose events then come under this token. [`SourceBorrowedFd`] rules that
///   out.
///
/// # Platform-specific behavior
///
/// Which files can be registered is for the kernel to say. On Linux sockets,
/// pipes, terminals, and the likes of timerfd and inotify can be. Files that are
/// always ready cannot: regular files, directories, and devices such as
/// `/dev/null`. Registering one of them fails with
/// [`PermissionDenied`](io::ErrorKind::PermissionDenied).
///
/// A kqueue takes a second registration of a descriptor for a change of the first,
/// and a change of none for a registration: neither is an error there.
///
/// Queues without edges (poll(2), event ports, WASI) do not see the operations on a
/// raw descriptor. What was reported of one is asked for again after a while: one
/// millisecond at first and up to sixteen, and from one again after a
/// [`reregister`](Registry::reregister).
///
/// # Examples
///
/// Once, for a socket of the standard library:
///
/// ```
/// use mio::unix::SourceFd;
/// use mio::{Events, Interest, Poll, Token};
/// use std::net::{TcpListener, TcpStream};
/// use std::os::fd::AsRawFd;
///
/// # fn main() -> std::io::Result<()> {
/// let listener = TcpListener::bind("127.0.0.1:0")?;
/// listener.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let fd = listener.as_raw_fd();
/// poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE)?;
///
/// let _client = TcpStream::connect(listener.local_addr()?)?;
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0)));
/// listener.accept()?;
///
/// poll.registry().deregister(&mut SourceFd(&fd))?;
/// # Ok(())
/// # }
/// ```
///
/// As the [`Source`](event::Source) of a type of one's own:
///
/// ```
/// use mio::unix::SourceFd;
/// use mio::{event, Interest, Registry, Token};
/// use std::io;
/// use std::os::fd::{AsRawFd, OwnedFd};
///
/// # #[allow(dead_code)]
/// struct Device {
///     fd: OwnedFd,
/// }
///
/// impl event::Source for Device {
///     fn register(
///         &mut self,
///         registry: &Registry,
///         token: Token,
///         interests: Interest,
///     ) -> io::Result<()> {
///         SourceFd(&self.fd.as_raw_fd()).register(registry, token, interests)
///     }
///
///     fn reregister(
///         &mut self,
///         registry: &Registry,
///         token: Token,
///         interests: Interest,
///     ) -> io::Result<()> {
///         SourceFd(&self.fd.as_raw_fd()).reregister(registry, token, interests)
///     }
///
///     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
///         SourceFd(&self.fd.as_raw_fd()).deregister(registry)
///     }
/// }
/// ```
#[derive(Debug)]
pub struct SourceFd<'a>(
    /// The descriptor.
    pub &'a RawFd,
);

impl event::Source for SourceFd<'_> {
    #[inline]
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry
            .queue()
            .selector()
            .register_raw(*self.0, token, interests)
    }

    #[inline]
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        registry
            .queue()
            .selector()
            .reregister_raw(*self.0, token, interests)
    }

    #[inline]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        registry.queue().selector().deregister_raw(*self.0)
    }
}

/// Registers a descriptor that is borrowed from its owner.
///
/// As [`SourceFd`], but the descriptor cannot have been closed: its owner is
/// borrowed for as long as this exists. The borrow ends before the registration
/// does; deregistering before closing is still the caller's duty.
///
/// # Examples
///
/// ```
/// use mio::unix::SourceBorrowedFd;
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::Write;
/// use std::os::fd::AsFd;
/// use std::os::unix::net::UnixStream;
///
/// # fn main() -> std::io::Result<()> {
/// let (ours, mut theirs) = UnixStream::pair()?;
/// ours.set_nonblocking(true)?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut source = SourceBorrowedFd(ours.as_fd());
/// poll.registry().register(&mut source, Token(7), Interest::READABLE)?;
///
/// theirs.write_all(b"!")?;
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(7)));
///
/// poll.registry().deregister(&mut source)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceBorrowedFd<'fd>(
    /// The descriptor.
    pub BorrowedFd<'fd>,
);

impl<'fd> From<BorrowedFd<'fd>> for SourceBorrowedFd<'fd> {
    #[inline]
    fn from(fd: BorrowedFd<'fd>) -> SourceBorrowedFd<'fd> {
        SourceBorrowedFd(fd)
    }
}

impl_source!(SourceBorrowedFd<'_>, |source| SourceFd(
    &source.0.as_raw_fd()
));
