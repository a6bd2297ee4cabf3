use crate::registry::Registry;
use crate::sys;
use crate::token::Token;
use std::io;
use std::sync::Arc;
use std::task;

/// Interrupts a [`Poll`] from another thread, or from a signal handler.
///
/// Every [`wake`](Waker::wake) is followed by an event with the waker's token
/// for which [`is_readable`] is true: of the poll that is waiting, of the next
/// one, or, where that has no room, of a later one. Wakes that come before their
/// event is returned are one event.
///
/// A `Poll` can have several wakers, each with its own token. A waker may be
/// dropped and another made; **a wake that was not yet returned as an event is
/// forgotten when its waker is dropped**, and the token of a dropped waker never
/// comes again. Share one in an [`Arc`] among threads that come and go.
///
/// A waker does not keep the queue alive. A wake after the `Poll` is gone does
/// nothing.
///
/// # Cost
///
/// Only a wake that finds the poller asleep costs a system call. Wakes of a
/// poller that is busy, and all wakes after the first, are one atomic operation
/// (two for the thirtieth waker of a queue and those after it). Once the queue's
/// descriptor was lent (see
/// [`Poll`'s notes](struct.Poll.html#accessing-the-queue)), the first wake of
/// each batch reaches the kernel, and so do all wakes of a poller that is asleep.
///
/// Where a descriptor is what wakes, the first waker of a queue takes it (with
/// poll(2) the queue has it already). All wakers of the queue share it, and it lives
/// as long as any of them or the queue.
///
/// # Platform-specific behavior
///
/// | system | by |
/// |---|---|
/// | Linux, Android, illumos, Fuchsia, Hermit, ESP-IDF, NuttX | [`eventfd(2)`] |
/// | Apple's systems, FreeBSD, NetBSD, OpenBSD, DragonFly BSD | `EVFILT_USER`, which takes no descriptor; a pipe where the kernel does not have it |
/// | Solaris | `port_send`, which takes no descriptor |
/// | Windows | a packet that is posted to the completion port, which takes no handle |
/// | WASI | nothing: the next poll sees the wake, since no other thread could be asleep; with threads a sleep is cut into slices of 10 ms |
/// | other Unix systems | a pipe |
///
/// # Examples
///
/// ```
/// # #[cfg(not(feature = "os-poll"))]
/// # fn main() {}
/// # #[cfg(feature = "os-poll")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Poll, Token, Waker};
/// use std::{sync::Arc, thread};
///
/// const STOP: Token = Token(usize::MAX);
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(64);
/// let waker = Arc::new(Waker::new(poll.registry(), STOP)?);
///
/// let thread = thread::spawn({
///     let waker = Arc::clone(&waker);
///     move || waker.wake()
/// });
///
/// poll.poll(&mut events, None)?;
/// let event = events.get(0).expect("no timeout, so there is an event");
/// assert_eq!(event.token(), STOP);
/// assert!(event.is_readable());
/// # thread.join().expect("the thread ran")?;
/// # Ok(())
/// # }
/// ```
///
/// [`Poll`]: crate::Poll
/// [`is_readable`]: crate::event::Event::is_readable
/// [`eventfd(2)`]: https://man7.org/linux/man-pages/man2/eventfd.2.html
#[derive(Debug)]
pub struct Waker {
    inner: sys::Waker,
}

impl Waker {
    /// Makes a waker of the registry's `Poll`.
    ///
    /// # Errors
    ///
    /// For the first waker, what the operating system says, most likely that
    /// there are no descriptors left. Nothing is left behind then, and it can
    /// be tried again.
    // Not inline, as all the rest is: it would be a quarter of what a small program compiles.
    pub fn new(registry: &Registry, token: Token) -> io::Result<Waker> {
        let inner = sys::Waker::new(registry.queue(), token)?;
        Ok(Waker { inner })
    }

    /// Makes the current or the next poll return an event with the waker's
    /// token.
    ///
    /// What this thread did before is visible to the polling thread once it has
    /// the event.
    ///
    /// Neither blocks, nor locks, nor allocates, and may be called in a signal
    /// handler; like all system calls it may change `errno`.
    ///
    /// # Errors
    ///
    /// What the operating system says. None is known to happen: in particular
    /// it is no error that the poller was woken many times before it looked.
    #[inline]
    pub fn wake(&self) -> io::Result<()> {
        self.inner.wake()
    }
}

/// Lets a waker wake the task of an executor that polls a future between two
/// polls of its queue. Errors are logged.
///
/// With `std::task::Wake` in scope, `arc.wake()` on an `Arc<Waker>` is this
/// trait's method, which takes the `Arc` and returns nothing; `arc.as_ref().wake()`
/// is the [`wake`](Waker::wake) above.
///
/// # Examples
///
/// ```
/// # #[cfg(not(feature = "os-poll"))]
/// # fn main() {}
/// # #[cfg(feature = "os-poll")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Poll, Token, Waker};
/// use std::sync::Arc;
///
/// let mut poll = Poll::new()?;
/// let waker = Arc::new(Waker::new(poll.registry(), Token(0))?);
/// let task_waker = std::task::Waker::from(waker);
/// task_waker.wake_by_ref();
///
/// let mut events = Events::with_capacity(1);
/// poll.poll(&mut events, None)?;
/// assert_eq!(events.len(), 1);
/// # Ok(())
/// # }
/// ```
impl task::Wake for Waker {
    #[inline]
    fn wake(self: Arc<Self>) {
        task::Wake::wake_by_ref(&self);
    }

    #[inline]
    fn wake_by_ref(self: &Arc<Self>) {
        if let Err(err) = Waker::wake(self) {
            error!("waking a poll: {err}");
        }
    }
}
