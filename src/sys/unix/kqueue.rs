//! Backend: [`kqueue(2)`], for Apple's systems, FreeBSD, NetBSD, OpenBSD and
//! DragonFly BSD.
//!
//! **The kernel object** is a queue of *knotes*, one for each pair of descriptor
//! and filter. Reading and writing are two filters: a source that is registered
//! for both can have two events in a batch. The token travels in `udata` and
//! comes back in the kernel's own struct, which *is* our event.
//!
//! **Changes** of a source go to the kernel in one call, each with a receipt, so
//! that every error is seen and no event is taken out of the queue. If a registration
//! fails for one filter, what was added for the other is deleted again. `changes`
//! has the lists, and what the receipts mean.
//!
//! **Edges** are the kernel's: filters are added with `EV_CLEAR`, unless the mode is
//! `level`. Adding a filter again changes it and looks at its state anew, which is what makes a
//! reregistration report what is ready. It also means that the kernel takes
//! mistakes of registration for changes: the source finds them (`CheckedEdges`).
//! `SourceFd` remembers nothing: registered twice it is changed, reregistered
//! first it is registered.
//!
//! **One-shot** is `EV_DISPATCH`, which is a matter of one filter: see `oneshot` for
//! what makes it one of the source. Kernels keep the flags that a filter was first
//! added with; so once a queue has seen a mode, a reregistration deletes all filters
//! and adds them, in one call. `CLOSED` alone, and `exclusive`, are `Unsupported`.
//!
//! **The signal** is a filter of its own, `EVFILT_USER`, named by the address of
//! our queue, which no other user of the filter can have. Where the kernel does
//! not take it (NetBSD before 10, OpenBSD before 7.8), it is a pipe that is never
//! read. It holds the queue weakly: wakers keep no queue open.
//!
//! **Waiting** takes nanoseconds. Apple's kernels refuse more than 10^8 seconds:
//! nobody waits longer, and then the caller waits again.
//!
//! **Limits**: a reregistration that fails is not undone: filters that were
//! changed carry the new token, or none is left if there were modes. A queue does not survive `fork`: in the child its
//! descriptor is closed. Apple's kernels, and DragonFly, cannot make a queue that
//! is closed on exec from its first moment.
//!
//! **Others' filters**: whoever adds timers, signals or processes to the queue's
//! descriptor gets their events, of which no question is true.
//!
//! [`kqueue(2)`]: https://man.freebsd.org/cgi/man.cgi?query=kqueue&sektion=2

pub(crate) mod changes;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
pub(crate) mod emulation;
#[allow(unsafe_code)]
pub(crate) mod kernel;
mod oneshot;

use super::super::{flags, Backend, RawEvent, Signal};
use super::RawSource;
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::CheckedEdges;
use crate::sys::waker::Wakeup;
use crate::token::Token;
use changes::{Change, Changes, Filter, Receipts, MOST};
use kernel::{kevent, os, Kqueue};
use oneshot::Modes;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;
use std::{fmt, io};

/// The system has a filter for out-of-band data.
const HAS_PRIORITY: bool = kernel::PRIORITY.is_some();

/// No descriptor has this number.
const NO_DESCRIPTOR: usize = usize::MAX;

/// A kqueue.
#[derive(Debug)]
pub(crate) struct Selector {
    /// Held by signals too, but weakly.
    kqueue: Arc<Kqueue>,
    /// The descriptor that signals, where no filter does.
    signal_fd: AtomicUsize,
    modes: Modes,
}

impl Selector {
    /// Makes the changes, in one call, and returns what the kernel said to each.
    fn apply(
        &self,
        source: RawSource,
        token: Token,
        mode: kernel::Flags,
        changes: &Changes,
    ) -> io::Result<Receipts> {
        let mut receipts = [0; MOST];
        let list = changes.as_slice();
        if list.is_empty() {
            return Ok(receipts);
        }
        let mut kevents = [kernel::zeroed(); MOST];
        let kevents = &mut kevents[..list.len()];
        for (kevent, change) in kevents.iter_mut().zip(list) {
            *kevent = kevent_of(*change, source, token, mode);
        }
        match kernel::change(&self.kqueue, kevents) {
            // All changes were made; only the receipts were not written.
            Err(err) if err.kind() == io::ErrorKind::Interrupted => return Ok(receipts),
            result => result?,
        }
        for (receipt, kevent) in receipts.iter_mut().zip(kevents) {
            *receipt = kernel::receipt(kevent);
        }
        Ok(receipts)
    }

    /// Makes changes that add filters, all or none. The errno if none.
    fn add(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
        changes: &Changes,
    ) -> io::Result<Option<i32>> {
        if interest.has_mode() {
            self.modes.use_them();
        }
        let mode = mode_of(interest);
        let receipts = self
            .modes
            .change((source, token, interest.is_oneshot()), || {
                self.apply(source, token, mode, changes)
            })?;
        let error = changes.error(&receipts);
        if error.is_some() {
            if let Err(err) = self.apply(source, token, mode, &changes.undo(&receipts)) {
                error!("undoing half a registration: {err}");
            }
        }
        Ok(error)
    }

    fn deregister_all(&self, source: RawSource) -> io::Result<bool> {
        let changes = Changes::deregister(HAS_PRIORITY);
        let receipts = self.apply(source, Token(0), 0, &changes)?;
        match changes.error(&receipts) {
            None => Ok(!changes.found_nothing(&receipts)),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    /// What names our signal among all users of its filter.
    fn user_ident(&self) -> usize {
        user_ident(&self.kqueue)
    }

    fn add_user_signal(&self) -> io::Result<Trigger> {
        let ident = self.user_ident();
        let mut added = kernel::zeroed();
        added.ident = ident as _;
        added.filter = os::EVFILT_USER;
        added.flags = os::EV_ADD | os::EV_CLEAR | os::EV_RECEIPT;
        let mut triggered = added;
        triggered.flags = os::EV_RECEIPT;
        triggered.fflags = os::NOTE_TRIGGER;
        // An interrupted call wrote no receipts, and they decide.
        let receipts = loop {
            let mut kevents = [added, triggered];
            match kernel::change(&self.kqueue, &mut kevents) {
                Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
                Ok(()) => break kevents,
            }
        };
        for receipt in &receipts {
            match kernel::receipt(receipt) {
                0 => {}
                errno => return Err(io::Error::from_raw_os_error(errno)),
            }
        }
        Ok(Trigger::User(Arc::downgrade(&self.kqueue)))
    }

    fn add_descriptor_signal(&self) -> io::Result<Trigger> {
        let wakeup = Wakeup::new(true)?;
        let fd = wakeup.as_fd().as_raw_fd();
        // Before its first event can come.
        self.signal_fd.store(fd as usize, Ordering::Release);
        let registered = self.register(fd, Token(0), Interest::READABLE);
        if let Err(err) = registered {
            // Before its number can be another source's.
            self.signal_fd.store(NO_DESCRIPTOR, Ordering::Release);
            return Err(err);
        }
        Ok(Trigger::Descriptor(wakeup))
    }
}

fn user_ident(kqueue: &Arc<Kqueue>) -> usize {
    Arc::as_ptr(kqueue) as usize
}

/// When the filters of an interest report.
fn mode_of(interest: Interest) -> kernel::Flags {
    let edge = if interest.is_level() { 0 } else { os::EV_CLEAR };
    let once = if interest.is_oneshot() {
        os::EV_DISPATCH
    } else {
        0
    };
    edge | once
}

fn kevent_of(change: Change, source: RawSource, token: Token, mode: kernel::Flags) -> kevent {
    let (filter, flags) = match change {
        Change::Add(filter) => (filter, os::EV_ADD | mode),
        Change::Delete(filter) => (filter, os::EV_DELETE),
        Change::Disable(filter) => (filter, os::EV_DISABLE),
    };
    let mut kevent = kernel::zeroed();
    kevent.ident = source as _;
    kevent.flags = flags | os::EV_RECEIPT;
    kevent.udata = kernel::udata_of(token.0);
    match (filter, kernel::PRIORITY) {
        (Filter::Read, _) => kevent.filter = os::EVFILT_READ,
        (Filter::Write, _) => kevent.filter = os::EVFILT_WRITE,
        (Filter::Priority, Some((filter, note))) => {
            kevent.filter = filter;
            kevent.fflags = note;
        }
        // `changes` makes no such line; the kernel refuses the zero.
        (Filter::Priority, None) => {}
    }
    kevent
}

impl Backend for Selector {
    type Event = Event;
    type Registration = CheckedEdges<Selector>;
    type Signal = Trigger;
    type Handle = ();

    fn new() -> io::Result<Selector> {
        Ok(Selector {
            kqueue: Arc::new(kernel::kqueue()?),
            signal_fd: AtomicUsize::new(NO_DESCRIPTOR),
            modes: Modes::default(),
        })
    }

    #[inline]
    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let start = events.len();
        // A logger may panic, and must not take events along.
        if start == 0 {
            if let Some(err) = self.modes.failure() {
                error!("disabling the rest of a one-shot source: {err}");
            }
        }
        self.modes.begin();
        let waited = kernel::wait(&self.kqueue, events, room, timeout);
        self.modes.end(events, start, |source, token| {
            self.apply(source, token, 0, &Changes::disable(HAS_PRIORITY))
                .map(drop)
        });
        waited
    }

    fn register(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        let changes = Changes::register(interest, HAS_PRIORITY)?;
        match self.add(source, token, interest, &changes)? {
            None => Ok(()),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn reregister(
        &self,
        source: RawSource,
        _: &(),
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        if interest.has_mode() || self.modes.are_used() {
            let changes = Changes::replace(interest, HAS_PRIORITY)?;
            return match self.add(source, token, interest, &changes)? {
                None => Ok(()),
                Some(errno) => {
                    let err = io::Error::from_raw_os_error(errno);
                    let text = format!("the source is no longer registered: {err}");
                    Err(io::Error::new(io::ErrorKind::NotFound, text))
                }
            };
        }
        let changes = Changes::reregister(interest, HAS_PRIORITY)?;
        let mode = mode_of(interest);
        let receipts = self.apply(source, token, mode, &changes)?;
        match changes.error(&receipts) {
            None => Ok(()),
            Some(errno) => Err(io::Error::from_raw_os_error(errno)),
        }
    }

    fn deregister(&self, source: RawSource, _: &()) -> io::Result<()> {
        // There may be nothing: of asynchronous I/O the kernel knows no source.
        self.deregister_all(source).map(drop)
    }

    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        self.register(source, token, interest)
    }

    fn reregister_raw(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.reregister(source, &(), token, interest)
    }

    fn deregister_raw(&self, source: RawSource) -> io::Result<()> {
        if self.deregister_all(source)? {
            Ok(())
        } else {
            Err(io::Error::from_raw_os_error(libc::ENOENT))
        }
    }

    fn add_signal(&self) -> io::Result<Trigger> {
        if cfg!(not(mio_unsupported_force_waker_pipe)) {
            // Whatever the kernel has against it, a pipe will do.
            if let Ok(trigger) = self.add_user_signal() {
                return Ok(trigger);
            }
        }
        self.add_descriptor_signal()
    }

    #[inline]
    fn is_signal(&self, Event(kevent): &Event) -> bool {
        match kevent.filter {
            os::EVFILT_USER => kevent.ident == self.user_ident(),
            os::EVFILT_READ => kevent.ident == self.signal_fd.load(Ordering::Acquire),
            _ => false,
        }
    }

    fn woken(&self, token: Token) -> Event {
        let mut kevent = kernel::zeroed();
        kevent.filter = os::EVFILT_USER;
        kevent.udata = kernel::udata_of(token.0);
        Event(kevent)
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.kqueue.as_fd()
    }
}

/// Interrupts the poller of a queue, if there still is one.
///
/// A signal handler may do it. To hold the queue for the time of a call neither
/// locks nor allocates, and to let it go frees nothing: the weak reference that
/// stays keeps the memory, so that the last one to let go only closes.
#[derive(Debug)]
pub(crate) enum Trigger {
    User(Weak<Kqueue>),
    Descriptor(Wakeup),
}

impl Signal for Trigger {
    fn signal(&self) -> io::Result<()> {
        match self {
            Trigger::User(kqueue) => match kqueue.upgrade() {
                Some(kqueue) => kernel::trigger(&kqueue, user_ident(&kqueue)),
                // Nobody is left to wake.
                None => Ok(()),
            },
            Trigger::Descriptor(wakeup) => wakeup.signal(),
        }
    }
}

/// An event as the kernel wrote it.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(kevent);

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        Token(self.0.udata as usize)
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        readiness_of(self.0.filter, self.0.flags, self.0.fflags)
    }

    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A copy, since some systems pack the struct.
        let Event(kevent) = self;
        let (ident, data) = (kevent.ident, kevent.data);
        f.debug_struct("kevent")
            .field("ident", &ident)
            .field("filter", &FilterName(kevent.filter))
            .field("flags", &FlagNames(kevent.flags))
            .field("fflags", &format_args!("{:#x}", kevent.fflags))
            .field("data", &data)
            .field("udata", &(kevent.udata as usize))
            .finish()
    }
}

/// What an event tells. Of filters that we never add, nothing.
///
/// The end of the stream comes in the flags of whichever filter saw it, with
/// the socket's error, if there is one, in `fflags`.
#[inline]
pub(crate) fn readiness_of(
    filter: kernel::FilterId,
    flags: kernel::Flags,
    fflags: u32,
) -> Readiness {
    let is_read = filter == os::EVFILT_READ;
    let is_write = filter == os::EVFILT_WRITE;
    let is_priority = kernel::PRIORITY.is_some_and(|(priority, _)| filter == priority);
    let is_aio = kernel::AIO == Some(filter);
    let is_lio = kernel::LIO == Some(filter);
    let is_user = filter == os::EVFILT_USER;
    let is_known = is_read || is_write || is_priority || is_aio || is_lio || is_user;
    let has_ended = (is_read || is_write) && flags & os::EV_EOF != 0;

    Readiness::EMPTY
        .with(Readiness::READABLE, is_read || is_priority || is_user)
        .with(Readiness::WRITABLE, is_write)
        .with(
            Readiness::ERROR,
            (is_known && flags & os::EV_ERROR != 0) || (has_ended && fflags != 0),
        )
        .with(Readiness::READ_CLOSED, is_read && has_ended)
        .with(Readiness::WRITE_CLOSED, is_write && has_ended)
        .with(Readiness::PRIORITY, is_priority)
        .with(Readiness::AIO, is_aio)
        .with(Readiness::LIO, is_lio)
}

struct FilterName(kernel::FilterId);

impl fmt::Debug for FilterName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            os::EVFILT_READ => "EVFILT_READ",
            os::EVFILT_WRITE => "EVFILT_WRITE",
            os::EVFILT_USER => "EVFILT_USER",
            filter if kernel::AIO == Some(filter) => "EVFILT_AIO",
            filter if kernel::LIO == Some(filter) => "EVFILT_LIO",
            filter if kernel::PRIORITY.is_some_and(|(id, _)| id == filter) => "EVFILT_EXCEPT",
            other => return write!(f, "{other}"),
        };
        f.write_str(name)
    }
}

struct FlagNames(kernel::Flags);

#[allow(clippy::unnecessary_cast)] // NetBSD's flags are as wide as that.
impl fmt::Debug for FlagNames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u32, &str); 10] = [
            (os::EV_ADD as u32, "EV_ADD"),
            (os::EV_DELETE as u32, "EV_DELETE"),
            (os::EV_ENABLE as u32, "EV_ENABLE"),
            (os::EV_DISABLE as u32, "EV_DISABLE"),
            (os::EV_ONESHOT as u32, "EV_ONESHOT"),
            (os::EV_CLEAR as u32, "EV_CLEAR"),
            (os::EV_RECEIPT as u32, "EV_RECEIPT"),
            (os::EV_DISPATCH as u32, "EV_DISPATCH"),
            (os::EV_ERROR as u32, "EV_ERROR"),
            (os::EV_EOF as u32, "EV_EOF"),
        ];
        flags::fmt_flags(f, self.0 as u32, &NAMES)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
