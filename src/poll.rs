use crate::event::Events;
use crate::registry::Registry;
use crate::sys::{self, Progress};
use std::time::{Duration, Instant};
use std::{fmt, io};

/// Waits until sources are ready.
///
/// A `Poll` owns one queue of the operating system. Sources are registered
/// through its [`Registry`], and [`poll`](Poll::poll) returns [`Events`] that
/// tell which of them are ready.
///
/// # Examples
///
/// ```
/// # #[cfg(not(all(feature = "os-poll", feature = "net")))]
/// # fn main() {}
/// # #[cfg(all(feature = "os-poll", feature = "net"))]
/// # fn main() -> std::io::Result<()> {
/// use mio::{net::TcpStream, Events, Interest, Poll, Token};
///
/// let listener = std::net::TcpListener::bind("127.0.0.1:0")?;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(128);
///
/// let mut stream = TcpStream::connect(listener.local_addr()?)?;
/// poll.registry()
///     .register(&mut stream, Token(0), Interest::WRITABLE)?;
///
/// 'connected: loop {
///     poll.poll(&mut events, None)?;
///     for event in &events {
///         if event.token() == Token(0) && event.should_write() {
///             if let Some(err) = stream.take_error()? {
///                 return Err(err);
///             }
///             match stream.peer_addr() {
///                 Ok(_) => break 'connected,
///                 // A spurious event: wait on.
///                 Err(err) if err.kind() == std::io::ErrorKind::NotConnected => {}
///                 Err(err) => return Err(err),
///             }
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Portability
///
/// The same program behaves alike on all systems if it follows these rules.
///
/// **Drain what is ready.** Events are edge-triggered: operate on a ready source
/// until it fails with [`WouldBlock`]. What is left undrained may never be
/// reported again.
///
/// **Expect spurious events.** An event is a hint. The operation may fail with
/// `WouldBlock` all the same; then wait for the next event.
///
/// **Use the methods of the source.** On systems whose kernel does not report
/// edges, a source is armed again when one of *its* methods fails with
/// `WouldBlock`. Operations that go around it, by its raw descriptor, belong
/// in its `try_io`.
///
/// **Register before you expect events.** A source is not watched before it is
/// registered; but readiness that it had before is reported then.
///
/// **Nothing registered** and no timeout is a wait without end, unless a
/// [`Waker`](crate::Waker) is there to end it. On WASI without threads it is an
/// [`InvalidInput`](io::ErrorKind::InvalidInput) error, since nobody could.
///
/// # Accessing the queue
///
/// On Unix systems whose queue is a descriptor, `Poll` and `Registry` lend it
/// by `AsFd` and `AsRawFd`. It can be watched by another queue (it is readable
/// while events are pending), and sources can be registered with it directly.
/// Waiting on it directly takes events away, the wakers' among them. Once it was
/// lent, the kernel is told of the first wake of each batch also while this
/// `Poll` is busy, which makes wakes dearer. It must not be used in a child
/// after `fork`, where it is the same queue as the parent's.
///
/// # Implementation
///
/// | system | queue |
/// |---|---|
/// | Linux, Android, illumos, Redox | [`epoll(7)`] |
/// | macOS, iOS and their kin, FreeBSD, NetBSD, OpenBSD, DragonFly BSD | [`kqueue(2)`] |
/// | Solaris | [event ports] |
/// | Windows | a completion port, and polls of sockets by the driver beneath them (AFD) |
/// | WASI | `poll_oneoff` of its first preview, `poll` of the later ones |
/// | other Unix systems, Hermit | [`poll(2)`], which is no descriptor and costs time for each source |
///
/// [`WouldBlock`]: io::ErrorKind::WouldBlock
/// [`epoll(7)`]: https://man7.org/linux/man-pages/man7/epoll.7.html
/// [event ports]: https://docs.oracle.com/cd/E88353_01/html/E37843/port-create-3c.html
/// [`kqueue(2)`]: https://man.freebsd.org/cgi/man.cgi?query=kqueue&sektion=2
/// [`poll(2)`]: https://man7.org/linux/man-pages/man2/poll.2.html
pub struct Poll {
    registry: Registry,
    turn: sys::Turn,
}

impl Poll {
    /// Makes a queue, which child processes do not inherit over `exec`.
    ///
    /// # Errors
    ///
    /// What the operating system says, most likely that there are no
    /// descriptors left. [`Unsupported`](io::ErrorKind::Unsupported) on systems
    /// without a queue that this crate knows.
    ///
    /// # Examples
    ///
    /// ```
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll};
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(16);
    /// poll.poll(&mut events, Some(Duration::from_millis(1)))?;
    /// assert!(events.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    #[cfg(feature = "os-poll")]
    #[inline]
    pub fn new() -> io::Result<Poll> {
        Ok(Poll {
            registry: Registry::new()?,
            turn: sys::Turn::default(),
        })
    }

    /// The registry, by which sources are registered with this `Poll`.
    #[inline]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Waits until at least one source is ready, a waker was woken, or the
    /// timeout is over.
    ///
    /// `events` is cleared first, also where this returns an error, and then
    /// holds what is ready: at most as many events as it has capacity. Sources
    /// that found no room are returned by later calls, in turns.
    ///
    /// # Timeouts
    ///
    /// `None` waits without end, `Some(Duration::ZERO)` not at all: it returns
    /// what is ready now. Else the call returns with no event once the time is
    /// over, and never before. It may be later by what the system needs
    /// to run the thread again, and where the kernel only counts in coarser
    /// units, by their rounding.
    ///
    /// # Platform-specific behavior
    ///
    /// On Linux, whole milliseconds are waited for by `epoll_wait`, anything
    /// finer by `epoll_pwait2` (Linux 5.11; see [`epoll_wait(2)`]). Where the
    /// kernel or a sandbox refuses that call, on Android, and in builds with
    /// `--cfg mio_no_epoll_pwait2`, the timeout is rounded up to milliseconds.
    ///
    /// # Errors
    ///
    /// [`Interrupted`] if a signal handler ran while waiting, also one that was
    /// installed with `SA_RESTART`. What was woken or ready by then is not
    /// lost. [`poll_deadline`](Poll::poll_deadline) waits on instead.
    ///
    /// On WASI without threads, [`InvalidInput`](io::ErrorKind::InvalidInput) for a wait
    /// that nothing could end.
    ///
    /// No source can make this fail: one that is broken gets an error event.
    ///
    /// # Examples
    ///
    /// A loop that handles signals on its own thread:
    ///
    /// ```
    /// # #[cfg(not(feature = "os-poll"))]
    /// # fn main() {}
    /// # #[cfg(feature = "os-poll")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll};
    /// use std::{io, time::Duration};
    ///
    /// # let mut poll = Poll::new()?;
    /// # let mut events = Events::with_capacity(16);
    /// match poll.poll(&mut events, Some(Duration::from_micros(50))) {
    ///     Ok(()) => {}
    ///     Err(err) if err.kind() == io::ErrorKind::Interrupted => { /* look at flags */ }
    ///     Err(err) => return Err(err),
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`Interrupted`]: io::ErrorKind::Interrupted
    /// [`epoll_wait(2)`]: https://man7.org/linux/man-pages/man2/epoll_wait.2.html
    #[inline(always)] // See `Queue::begin`.
    pub fn poll(&mut self, events: &mut Events, timeout: Option<Duration>) -> io::Result<()> {
        let (queue, room) = (self.registry.queue(), events.room());
        match queue.begin(&mut self.turn, events.raw_mut(), room, timeout)? {
            Progress::Done => Ok(()),
            progress => self.poll_on(events, timeout, progress),
        }
    }

    /// Apart from the short way, which is compiled into each caller.
    #[inline(never)]
    fn poll_on(
        &mut self,
        events: &mut Events,
        timeout: Option<Duration>,
        progress: Progress,
    ) -> io::Result<()> {
        let (queue, room) = (self.registry.queue(), events.room());
        queue.poll_on(&mut self.turn, events.raw_mut(), room, timeout, progress)
    }

    /// Like [`poll`](Poll::poll), but waits until an instant, and on after a
    /// signal handler has run.
    ///
    /// With `None` it waits without end. An instant in the past does not wait.
    /// Since the end is fixed, a loop that polls again after each batch of
    /// events keeps its schedule.
    ///
    /// # Errors
    ///
    /// As [`poll`](Poll::poll), but never `Interrupted`.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(feature = "os-poll"))]
    /// # fn main() {}
    /// # #[cfg(feature = "os-poll")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Events, Poll};
    /// use std::time::{Duration, Instant};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(16);
    /// let deadline = Instant::now() + Duration::from_millis(2);
    /// loop {
    ///     poll.poll_deadline(&mut events, Some(deadline))?;
    ///     if events.is_empty() {
    ///         break;
    ///     }
    /// }
    /// assert!(Instant::now() >= deadline);
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn poll_deadline(
        &mut self,
        events: &mut Events,
        deadline: Option<Instant>,
    ) -> io::Result<()> {
        loop {
            let left = deadline.map(|at| at.saturating_duration_since(Instant::now()));
            match self.poll(events, left) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}

impl fmt::Debug for Poll {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poll").finish()
    }
}

#[cfg(unix)]
sys::queue_fd! {
    mod queue_fd {
        use super::Poll;
        use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

        /// Lends the descriptor of the kernel's queue; see the notes
        /// [above](#accessing-the-queue).
        impl AsFd for Poll {
            #[inline]
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.registry.as_fd()
            }
        }

        /// The descriptor of the kernel's queue; see the notes
        /// [above](#accessing-the-queue).
        impl AsRawFd for Poll {
            #[inline]
            fn as_raw_fd(&self) -> RawFd {
                self.registry.as_raw_fd()
            }
        }
    }
}
