use std::io;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, RawHandle};

use crate::event;
use crate::{Interest, Registry, Token};

/// Registers a handle that can be waited for, and belongs to somebody else.
///
/// It is *readable* when the object is signalled: a process or thread that has
/// exited, an event that is set, a semaphore whose count is not zero, a waitable
/// timer that is due.
///
/// It only stands for the handle while it is registered, changed or deregistered:
/// it keeps no state, can be made anew each time, and closes nothing when it is
/// dropped. It should be deregistered before the handle is closed: the
/// registration has a handle of its own to the object, so that nothing breaks
/// otherwise, but it goes on.
///
/// # Events
///
/// | object | an event comes |
/// |---|---|
/// | auto-reset event, semaphore, synchronization timer | for each signal, which is *taken* by that: nobody else gets it |
/// | manual-reset event, timer | for as long as it is set: reset it before the next poll |
/// | process, thread, job | once, and again for each [`reregister`](Registry::reregister) |
///
/// So it is with [`Interest::edge`], the default. With [`Interest::level`] all are
/// reported for as long as they are signalled; with [`Interest::oneshot`] each
/// registration is reported once. Without readable interest nothing is waited for
/// or taken. A signal that was taken when the registration ended is lost to
/// others.
///
/// An event that is an error, too, tells that the object cannot be waited for any
/// more.
///
/// # Platform-specific behavior
///
/// The kernel queues a packet when the object is signalled (a *wait completion
/// packet*, from Windows 8 on). Where it cannot, as under older versions of Wine,
/// a thread of the system's pool waits.
///
/// # Errors
///
/// Registering fails with [`InvalidInput`](io::ErrorKind::InvalidInput) for a
/// mutex: to wait for one is to own it, and the owner would be some thread; with
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists) if the handle is registered;
/// and with the error of the operating system if it is not open, or must not be
/// waited for (it needs the access right `SYNCHRONIZE`). Other operations fail
/// with [`NotFound`](io::ErrorKind::NotFound) if it is not registered.
///
/// # Examples
///
/// The exit of a child process:
///
/// ```
/// use mio::windows::SourceHandle;
/// use mio::{Events, Interest, Poll, Token};
/// use std::os::windows::io::AsRawHandle;
/// use std::process::Command;
///
/// # fn main() -> std::io::Result<()> {
/// let mut child = Command::new("cmd").args(["/C", "exit 3"]).spawn()?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let handle = child.as_raw_handle();
/// poll.registry().register(&mut SourceHandle(&handle), Token(0), Interest::READABLE)?;
///
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(0)));
/// assert_eq!(child.wait()?.code(), Some(3));
///
/// poll.registry().deregister(&mut SourceHandle(&handle))?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceHandle<'a>(
    /// The handle.
    pub &'a RawHandle,
);

impl event::Source for SourceHandle<'_> {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let selector = registry.queue().selector();
        let (waits, port) = (selector.waits(), selector.port());
        waits.register(port, *self.0, token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let selector = registry.queue().selector();
        let (waits, port) = (selector.waits(), selector.port());
        waits.reregister(port, *self.0, token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        let selector = registry.queue().selector();
        selector.waits().deregister(selector.port(), *self.0)
    }
}

/// Registers a handle that is borrowed from its owner.
///
/// As [`SourceHandle`], but the handle cannot have been closed: its owner is
/// borrowed for as long as this exists. The borrow ends before the registration
/// does; deregistering before closing is still the caller's duty.
///
/// # Examples
///
/// ```
/// use mio::windows::SourceBorrowedHandle;
/// use mio::{Events, Interest, Poll, Token};
/// use std::os::windows::io::AsHandle;
/// use std::thread;
///
/// # fn main() -> std::io::Result<()> {
/// let worker = thread::spawn(|| 6 * 7);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut source = SourceBorrowedHandle(worker.as_handle());
/// poll.registry().register(&mut source, Token(1), Interest::READABLE)?;
///
/// poll.poll(&mut events, None)?;
/// assert!(events.iter().any(|event| event.token() == Token(1)));
/// poll.registry().deregister(&mut source)?;
/// assert_eq!(worker.join().ok(), Some(42));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct SourceBorrowedHandle<'handle>(
    /// The handle.
    pub BorrowedHandle<'handle>,
);

impl<'handle> From<BorrowedHandle<'handle>> for SourceBorrowedHandle<'handle> {
    fn from(handle: BorrowedHandle<'handle>) -> SourceBorrowedHandle<'handle> {
        SourceBorrowedHandle(handle)
    }
}

impl_source!(SourceBorrowedHandle<'_>, |source| SourceHandle(
    &source.0.as_raw_handle()
));
