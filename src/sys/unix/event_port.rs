//! Backend: [event ports], for Solaris.
//!
//! **The kernel object** is a port: a queue of events, and a set of *associations*,
//! each of a descriptor with a mask in the bits of poll(2) and a value of ours. An
//! association ends when its event is taken, and when its descriptor is closed.
//!
//! **Edges** are emulated by `EmulatedEdges`: a readiness that was reported is not
//! asked for again until an operation of the source said `WouldBlock`, or it was
//! reregistered; associating looks at the level, so that what arrived in between
//! is not lost. Of a source that has reported one direction, the rest (the other
//! direction, errors, hang-ups) is associated anew by the next wait, unless its
//! owner did so before: `table` says when the port is told what. No wait looks at
//! any source but those that have reported.
//!
//! **Raw descriptors** have no operations of ours to arm them. What was reported
//! of one is asked for again after a while, as by the backend of poll(2): see
//! `levels`. A port has one association a descriptor, so that a `SourceFd` and a
//! socket of ours cannot both register the same number (`EEXIST`).
//!
//! **The signal** is an event that `port_send(3C)` puts into the queue, named by
//! the address of our port. The queue takes so many, of associations and events
//! together: if it is full the port is put into alert mode, which takes no place.
//! It holds the port weakly: wakers keep no port open.
//!
//! **Waiting** takes nanoseconds. `port_getn(3C)` may return events together with
//! an error, and has been seen to leave their number unwritten; `kernel` has what
//! is done about it.
//!
//! **Limits**: an association takes one of the places of the port, by default 65536
//! (`process.max-port-events`); registering one more fails with `EAGAIN`. Nothing
//! tells of a half close but that reading returns zero. A port must not be used in
//! a child after `fork`. A queue that is watched by another shows raw descriptors
//! only while nothing of them rests. illumos has event ports too, and uses its
//! epoll here.
//!
//! [event ports]: https://docs.oracle.com/cd/E88353_01/html/E37843/port-create-3c.html

#[allow(unsafe_code)]
mod kernel;
mod table;

use super::super::{Backend, RawEvent, Signal};
use super::RawSource;
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::{EmulatedEdges, Rearm};
use crate::sys::levels::{readiness_of, Asked, BitNames, Slices};
use crate::token::Token;
use kernel::{os, port_event, Port};
use libc::c_short;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use std::{fmt, io};
use table::Table;

pub(crate) use table::Handle;

/// An event port.
#[derive(Debug)]
pub(crate) struct Selector {
    /// Held by signals too, but weakly.
    port: Arc<Port>,
    shared: Mutex<Shared>,
    /// Whether others may watch the port: then it is always told all.
    exposed: AtomicBool,
}

#[derive(Debug)]
struct Shared {
    table: Table,
    slices: Slices,
}

impl Selector {
    fn lock(&self) -> MutexGuard<'_, Shared> {
        // A panic cannot leave the table half changed.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn insert(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
        raw: bool,
    ) -> io::Result<Handle> {
        let asked = Asked::of(interest)?;
        let table = &mut self.lock().table;
        table.insert(&*self.port, source, token, asked, raw)
    }

    /// Tells the port what it does not know, and says how long a wait may sleep.
    /// Sources that it refuses have an error event.
    fn prepare(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> Option<Duration> {
        let shared = &mut *self.lock();
        let has_parked = shared.table.has_parked();
        let (due, timeout) = shared.slices.limit(has_parked, timeout);
        if due {
            shared.table.unpark(&*self.port);
        }
        shared.table.associate_loose(&*self.port);
        let end = events.len() + room;
        let mut timeout = timeout;
        while events.len() < end {
            let Some((fd, token)) = shared.table.take_fault() else {
                break;
            };
            let source = os::PORT_SOURCE_FD;
            events.push(Event::new(source, libc::POLLERR, fd as usize, token));
            timeout = Some(Duration::ZERO);
        }
        timeout
    }

    /// Gives the events behind the first `start` their tokens, and drops those
    /// of registrations that are no more.
    fn harvest(&self, events: &mut Vec<Event>, start: usize) {
        let shared = &mut *self.lock();
        let mark = mark_of(&self.port);
        let mut index = 0;
        events.retain_mut(|Event(event)| {
            index += 1;
            if index <= start {
                return true;
            }
            match c_int_of(event.portev_source) {
                os::PORT_SOURCE_FD => {
                    let (fd, cookie) = (event.portev_object, event.portev_user as usize);
                    let revents = event.portev_events as c_short;
                    let token = shared.table.report(fd as RawSource, cookie, revents);
                    event.portev_user = token.map_or(0, |token| token.0) as _;
                    token.is_some()
                }
                os::PORT_SOURCE_ALERT => {
                    let user = event.portev_user as usize;
                    if user != mark && user != mark + KICK {
                        return false;
                    }
                    if let Err(err) = kernel::end_alert(&self.port) {
                        error!("taking a port out of alert mode: {err}");
                    }
                    event.portev_source = os::PORT_SOURCE_USER as _;
                    user == mark
                }
                os::PORT_SOURCE_USER => event.portev_user as usize != mark + KICK,
                _ => true,
            }
        });
        if self.exposed.load(Ordering::Acquire) {
            shared.table.associate_loose(&*self.port);
        }
        if shared.table.has_parked() {
            shared.slices.begin();
        }
    }
}

/// Added to the mark by what tells a poller of a fault, which needs no waker. The
/// sum is in our own allocation, too, so that no caller's token equals it.
const KICK: usize = 1;

/// What names our signal among all events that are sent to the port.
#[inline]
fn mark_of(port: &Arc<Port>) -> usize {
    Arc::as_ptr(port) as usize
}

/// The width of the field is not that of the constants.
#[inline]
fn c_int_of(source: libc::c_ushort) -> libc::c_int {
    libc::c_int::from(source)
}

impl Backend for Selector {
    type Event = Event;
    type Registration = EmulatedEdges<Selector>;
    type Signal = Alarm;
    type Handle = Handle;

    #[cfg(test)]
    const TELLS_HALF_CLOSE: bool = false;

    fn new() -> io::Result<Selector> {
        Ok(Selector {
            port: Arc::new(kernel::port_create()?),
            shared: Mutex::new(Shared {
                table: Table::default(),
                slices: Slices::new(),
            }),
            exposed: AtomicBool::new(false),
        })
    }

    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let start = events.len();
        let mut timeout = self.prepare(events, room, timeout);
        loop {
            let before = events.len();
            let left = room - (before - start);
            if left == 0 {
                return Ok(());
            }
            let waited = kernel::wait(&self.port, events, left, timeout);
            let came = events.len() - before;
            self.harvest(events, before);
            match waited {
                // An error would drop the events that are in hand.
                Err(_) if events.len() > start => return Ok(()),
                Err(err) => return Err(err),
                Ok(()) if came == 0 || events.len() > before => return Ok(()),
                // All were stale, and may have stood before others.
                Ok(()) => timeout = Some(Duration::ZERO),
            }
        }
    }

    fn register(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<Handle> {
        self.insert(source, token, interest, false)
    }

    fn reregister(
        &self,
        source: RawSource,
        handle: &Handle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let asked = Asked::of(interest)?;
        let table = &mut self.lock().table;
        table.change(&*self.port, source, *handle, token, asked)
    }

    fn deregister(&self, source: RawSource, handle: &Handle) -> io::Result<()> {
        // One that was lost is gone already.
        let table = &mut self.lock().table;
        table.remove(&*self.port, source, *handle).map(drop)
    }

    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        self.insert(source, token, interest, true).map(drop)
    }

    fn reregister_raw(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let asked = Asked::of(interest)?;
        let shared = &mut *self.lock();
        shared.slices.restart();
        match shared.table.find_raw(source) {
            Some(handle) => {
                let table = &mut shared.table;
                table.change(&*self.port, source, handle, token, asked)
            }
            None => Err(shared.table.not_found(&*self.port, source)),
        }
    }

    fn deregister_raw(&self, source: RawSource) -> io::Result<()> {
        let table = &mut self.lock().table;
        match table.find_raw(source) {
            Some(handle) => table.remove(&*self.port, source, handle).map(drop),
            None => Err(table.not_found(&*self.port, source)),
        }
    }

    fn add_signal(&self) -> io::Result<Alarm> {
        let alarm = Alarm(Arc::downgrade(&self.port));
        alarm.signal()?;
        Ok(alarm)
    }

    #[inline]
    fn is_signal(&self, Event(event): &Event) -> bool {
        c_int_of(event.portev_source) == os::PORT_SOURCE_USER
            && event.portev_user as usize == mark_of(&self.port)
    }

    fn woken(&self, token: Token) -> Event {
        Event::new(os::PORT_SOURCE_USER, libc::POLLIN, 0, token)
    }
}

impl Rearm for Selector {
    fn rearm(&self, source: RawSource, handle: &Handle) {
        let failed = self.lock().table.rearm(&*self.port, source, *handle);
        if failed {
            if let Err(err) = kernel::signal(&self.port, mark_of(&self.port) + KICK) {
                error!("telling a poller of an error: {err}");
            }
        }
    }
}

/// Lends the port. From now on it knows at all times what is asked, since
/// whoever watches it waits without us.
impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exposed.store(true, Ordering::Release);
        self.lock().table.associate_loose(&*self.port);
        self.port.as_fd()
    }
}

/// Interrupts the poller of a port, if there still is one.
///
/// A signal handler may do it. To hold the port for the time of a call neither
/// locks nor allocates, and to let it go frees nothing: the weak reference that
/// stays keeps the memory, so that the last one to let go only closes.
#[derive(Debug)]
pub(crate) struct Alarm(Weak<Port>);

impl Signal for Alarm {
    fn signal(&self) -> io::Result<()> {
        match self.0.upgrade() {
            Some(port) => kernel::signal(&port, mark_of(&port)),
            // Nobody is left to wake.
            None => Ok(()),
        }
    }
}

/// An event as the kernel wrote it, with the token where our value was.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(port_event);

impl Event {
    fn new(source: libc::c_int, revents: c_short, object: usize, token: Token) -> Event {
        let mut event = kernel::zeroed();
        event.portev_source = source as _;
        event.portev_events = revents.into();
        event.portev_object = object as _;
        event.portev_user = token.0 as _;
        Event(event)
    }
}

impl RawEvent for Event {
    fn token(&self) -> Token {
        Token(self.0.portev_user as usize)
    }

    /// Of sources that we never associate, nothing.
    fn readiness(&self) -> Readiness {
        match c_int_of(self.0.portev_source) {
            os::PORT_SOURCE_FD | os::PORT_SOURCE_USER => {
                readiness_of(self.0.portev_events as c_short)
            }
            _ => Readiness::EMPTY,
        }
    }

    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Event(event) = self;
        f.debug_struct("port_event")
            .field("events", &BitNames(event.portev_events as c_short))
            .field("source", &SourceName(event.portev_source))
            .field("object", &event.portev_object)
            .field("user", &(event.portev_user as usize))
            .finish()
    }
}

struct SourceName(libc::c_ushort);

impl fmt::Debug for SourceName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match c_int_of(self.0) {
            os::PORT_SOURCE_FD => "PORT_SOURCE_FD",
            os::PORT_SOURCE_USER => "PORT_SOURCE_USER",
            os::PORT_SOURCE_ALERT => "PORT_SOURCE_ALERT",
            other => return write!(f, "{other}"),
        };
        f.write_str(name)
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
