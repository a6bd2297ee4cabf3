//! Backend: [`poll(2)`], or a call like it, for systems that have nothing better.
//!
//! **The kernel object**: there is none. The set of descriptors is a table of
//! ours (see `table`), given to the kernel anew in each call; so a poll costs
//! time for each registered source. Every Unix can compile it, and where
//! something better is used the tests do.
//!
//! **Edges** are emulated by `EmulatedEdges`: a readiness that was reported is
//! not asked for again until an operation of the source said `WouldBlock`, or
//! it was reregistered. Then the level is looked at: what arrived in between is
//! not lost. Hang-ups and errors, which poll(2) reports unasked and for ever, are
//! reported once: the source is left out until it is asked for again.
//!
//! **Raw descriptors** have no operations of ours to arm them. What was reported
//! of one is asked for again after a while: a millisecond, doubling to sixteen,
//! and from one again after a reregistration. No edge is lost, its latency is
//! bounded, and a descriptor that nobody drains costs an event a slice. The same
//! holds for any source after an error without hang-up, while more is awaited.
//!
//! **The signal** wakes the poller, and so does each registration, change and
//! deregistration while it sleeps, once. That is more than for speed: a sleeping
//! poll(2) holds the file, and a socket that is closed meanwhile stays open.
//!
//! On a system without threads nobody needs to be told, and there is no signal: a
//! wake is seen by the next poll.
//!
//! **Limits**: what is registered is not checked (a regular file is always
//! ready); a descriptor that was closed without deregistration is forgotten as
//! soon as the kernel says so. There is no descriptor of the queue.
//!
//! [`poll(2)`]: https://man7.org/linux/man-pages/man2/poll.2.html

mod table;

// The call, which the family of a system has where that is not Unix.
cfg_if! {
    if #[cfg(unix)] {
        #[allow(unsafe_code)]
        mod poll_fds;
        pub(super) use poll_fds::poll_fds;
    } else {
        use super::poll_fds;
    }
}

use super::waker::Wakeup;
use super::{Backend, RawEvent, RawSource, Signal};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::{EmulatedEdges, Rearm};
use crate::sys::levels::{readiness_of, Asked, BitNames, Slices};
use crate::token::Token;
use libc::{c_short, pollfd};
#[cfg(loom)]
use loom::sync::{Mutex, MutexGuard};
use std::sync::{Arc, PoisonError};
#[cfg(not(loom))]
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;
use std::{fmt, io};
use table::{PollSet, Table};

pub(crate) use table::Handle;

/// A set of descriptors that is given to poll(2).
#[derive(Debug)]
pub(crate) struct Selector<K = System> {
    shared: Mutex<Shared>,
    /// Locked by the one thread that polls.
    poller: Mutex<Poller>,
    kernel: Arc<K>,
}

/// What a set needs of the system: a wait, and what ends it.
pub(crate) trait Kernel: fmt::Debug + Send + Sync + Sized + 'static {
    fn new() -> io::Result<Self>;
    /// What a signal makes readable.
    fn wakeup(&self) -> RawSource;
    fn signal(&self) -> io::Result<()>;
    /// Takes the signals back.
    fn drain(&self) -> io::Result<()>;
    /// How many entries have something to report, which is in them.
    fn poll(&self, fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize>;
}

/// The system itself.
#[derive(Debug)]
pub(crate) struct System(Wakeup);

impl Kernel for System {
    fn new() -> io::Result<System> {
        Wakeup::new(false).map(System)
    }

    fn wakeup(&self) -> RawSource {
        self.0.source()
    }

    fn signal(&self) -> io::Result<()> {
        self.0.signal()
    }

    fn drain(&self) -> io::Result<()> {
        self.0.drain()
    }

    fn poll(&self, fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
        poll_fds(fds, timeout)
    }
}

/// What all threads change.
#[derive(Debug)]
struct Shared {
    table: Table,
    /// Whether a poller sleeps over a copy of the table that grows old.
    asleep: bool,
    /// Whether it was told already.
    kicked: bool,
    /// Whether a reregistration shortened the slice.
    restart_slice: bool,
}

/// What only the polling thread uses.
#[derive(Debug)]
struct Poller {
    set: PollSet,
    slices: Slices,
}

impl<K: Kernel> Selector<K> {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic cannot leave the table half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the table, and tells a poller that sleeps.
    fn change<R>(&self, change: impl FnOnce(&mut Shared) -> R) -> R {
        let mut shared = self.lock();
        let result = change(&mut shared);
        self.kick(shared);
        result
    }

    /// Tells a poller that sleeps, once; without the lock, which it will want.
    fn kick(&self, mut shared: MutexGuard<'_, Shared>) {
        if shared.asleep && !shared.kicked {
            shared.kicked = true;
            drop(shared);
            if let Err(err) = self.kernel.signal() {
                // The next change tells it of both.
                self.lock().kicked = false;
                error!("telling a poller of a change: {err}");
            }
        }
    }
}

impl<K: Kernel> Backend for Selector<K> {
    type Event = Event;
    type Registration = EmulatedEdges<Selector<K>>;
    type Signal = Kick<K>;
    type Handle = Handle;

    #[cfg(test)]
    const TELLS_HALF_CLOSE: bool = crate::sys::levels::HALF_CLOSE != 0;
    // The interface of WASI has a bit for it; hosts do not set it.
    #[cfg(test)]
    const TELLS_HANG_UP: bool = !cfg!(target_os = "wasi");

    fn new() -> io::Result<Selector<K>> {
        let kernel = K::new()?;
        Ok(Selector {
            shared: Mutex::new(Shared {
                table: Table::default(),
                asleep: false,
                kicked: false,
                restart_slice: false,
            }),
            poller: Mutex::new(Poller {
                set: PollSet::new(kernel.wakeup()),
                slices: Slices::new(),
            }),
            kernel: Arc::new(kernel),
        })
    }

    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let poller = self.poller.lock();
        let mut poller = poller.unwrap_or_else(PoisonError::into_inner);
        let timeout = self.fall_asleep(&mut poller, timeout);
        let polled = self.kernel.poll(&mut poller.set.fds, timeout);
        // Changes are seen in the table, wakes in their own word: what is read
        // here only had to end the sleep.
        if poller.set.fds[0].revents != 0 {
            if let Err(err) = self.kernel.drain() {
                error!("reading what woke a poller: {err}");
            }
        }
        let mut shared = self.lock();
        shared.asleep = false;
        shared.kicked = false;
        let mut hits = match polled {
            Ok(hits) => hits,
            // Short of memory for a moment; the caller polls again.
            Err(err) if err.kind() == io::ErrorKind::WouldBlock => return Ok(()),
            Err(err) => return Err(err),
        };
        hits -= usize::from(hits > 0 && poller.set.fds[0].revents != 0);
        let table = &mut shared.table;
        poller.set.deliver(table, hits, room, |token, revents| {
            events.push(Event { token, revents });
        });
        if table.has_parked() {
            poller.slices.begin();
        }
        Ok(())
    }

    fn register(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<Handle> {
        check_open(source)?;
        let asked = Asked::of(interest)?;
        Ok(self.change(|shared| shared.table.insert(source, token, asked, false)))
    }

    fn reregister(
        &self,
        _: RawSource,
        handle: &Handle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let asked = Asked::of(interest)?;
        found(self.change(|shared| shared.table.change(*handle, token, asked)))
    }

    fn deregister(&self, _: RawSource, handle: &Handle) -> io::Result<()> {
        let mut shared = self.lock();
        // One that the kernel reported as closed is gone already, and so is one
        // that is dropped after this: then there is nothing to tell.
        if shared.table.remove(*handle) {
            self.kick(shared);
        }
        Ok(())
    }

    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        check_open(source)?;
        let asked = Asked::of(interest)?;
        self.change(|Shared { table, .. }| match table.find_raw(source) {
            Some(_) => Err(io::Error::from_raw_os_error(libc::EEXIST)),
            None => {
                table.insert(source, token, asked, true);
                Ok(())
            }
        })
    }

    fn reregister_raw(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        check_open(source)?;
        let asked = Asked::of(interest)?;
        found(self.change(|shared| {
            shared.restart_slice = true;
            let handle = shared.table.find_raw(source);
            handle.is_some_and(|handle| shared.table.change(handle, token, asked))
        }))
    }

    fn deregister_raw(&self, source: RawSource) -> io::Result<()> {
        check_open(source)?;
        found(self.change(|shared| {
            let handle = shared.table.find_raw(source);
            handle.is_some_and(|handle| shared.table.remove(handle))
        }))
    }

    fn add_signal(&self) -> io::Result<Kick<K>> {
        let kick = Kick(Arc::clone(&self.kernel));
        kick.signal()?;
        Ok(kick)
    }

    fn woken(&self, token: Token) -> Event {
        Event {
            token,
            revents: libc::POLLIN,
        }
    }
}

impl<K: Kernel> Selector<K> {
    /// Brings the poller's copy up to date, and says how long it may sleep over
    /// it. From here on a change wakes it.
    fn fall_asleep(&self, poller: &mut Poller, timeout: Option<Duration>) -> Option<Duration> {
        let mut shared = self.lock();
        if std::mem::take(&mut shared.restart_slice) {
            poller.slices.restart();
        }
        let has_parked = shared.table.has_parked();
        let (due, timeout) = poller.slices.limit(has_parked, timeout);
        if due {
            shared.table.unpark();
        }
        poller.set.sync(&mut shared.table);
        shared.asleep = timeout != Some(Duration::ZERO);
        timeout
    }
}

impl<K: Kernel> Rearm for Selector<K> {
    fn rearm(&self, _: RawSource, handle: &Handle) {
        let mut shared = self.lock();
        // A source that was not reported is armed already: then there is
        // nothing that a sleeper must be told.
        if shared.table.rearm(*handle) {
            self.kick(shared);
        }
    }
}

/// Wakes the poller of a set, also when the set is gone.
#[derive(Debug)]
pub(crate) struct Kick<K = System>(Arc<K>);

impl<K: Kernel> Signal for Kick<K> {
    fn signal(&self) -> io::Result<()> {
        self.0.signal()
    }
}

/// poll(2) skips what is no descriptor, so that we must say it.
fn check_open(source: RawSource) -> io::Result<()> {
    if source < 0 {
        Err(io::Error::from_raw_os_error(libc::EBADF))
    } else {
        Ok(())
    }
}

fn found(found: bool) -> io::Result<()> {
    if found {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ENOENT))
    }
}

/// What one entry reported.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    token: Token,
    revents: c_short,
}

impl RawEvent for Event {
    fn token(&self) -> Token {
        self.token
    }

    fn readiness(&self) -> Readiness {
        readiness_of(self.revents)
    }

    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("pollfd")
            .field("revents", &BitNames(self.revents))
            .finish()
    }
}

#[cfg(all(test, loom))]
mod loom_tests;
#[cfg(all(test, unix, not(loom)))]
mod tests;
