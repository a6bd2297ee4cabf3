//! Backend: the completion port, and polls of sockets through AFD.
//!
//! **The kernel object** is a [completion port](super::iocp). It reports that
//! operations have ended, not that a socket is ready. Readiness comes from the
//! driver beneath all sockets (see [`afd`](super::afd)): a request that ends once
//! a socket fulfils one of some conditions. The driver's interface is not
//! documented, but select() and WSAPoll() are made of it, and libuv, wepoll, mio and
//! others are built on it.
//!
//! **Edges** are made by the state machine in [`sock`](super::sock), and asked
//! for again by `EmulatedEdges` after a would-block.
//!
//! **Changes** are queued (see [`updates`](super::updates)) and told to the
//! driver before the next sleep, or at once if the poller sleeps.
//!
//! **The signal** is a packet posted to the port, of which there is at most one.
//!
//! **A failure** of a single socket is an event of that socket: an operation that
//! cannot start posts its failure as a completion.
//!
//! **Limits**: waits have the resolution of the system's clock tick. A socket
//! that is closed without having been deregistered is forgotten when the driver
//! says so, which is only while something is asked of it: one at rest is not, and a
//! raw socket that gets its number next cannot be registered. Sockets that have no
//! base provider of Microsoft's cannot be polled.

use super::super::edges::{not_registered, registered_already, EmulatedEdges, Rearm};
use super::super::{flags, timeout, Backend, RawEvent, Signal};
use super::afd::{base_socket, Helpers, PollInfo, Seat};
use super::in_flight::{InFlight, Operation, Outcome};
use super::iocp::{Delivery, Port, Update, BATCH};
use super::rounds::{self, Round};
use super::sock::{self, Sock, Step};
use super::updates::Updates;
use super::wait::Waits;
use super::RawSource;
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::collections::hash_map::{Entry, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use std::{fmt, io};

/// How long dropping a queue waits for what it cancelled, in milliseconds.
/// The kernel always answers; this is for the case that it does not.
const DRAIN_MS: u32 = 5_000;

/// Their names, for people.
pub(crate) const NAMES: [(u32, &str); 9] = [
    (sock::RECEIVE, "RECEIVE"),
    (sock::RECEIVE_EXPEDITED, "RECEIVE_EXPEDITED"),
    (sock::SEND, "SEND"),
    (sock::DISCONNECT, "DISCONNECT"),
    (sock::ABORT, "ABORT"),
    (sock::LOCAL_CLOSE, "LOCAL_CLOSE"),
    (sock::ACCEPT, "ACCEPT"),
    (sock::CONNECT_FAIL, "CONNECT_FAIL"),
    (sock::FAILED, "FAILED"),
];

/// A completion port and the sockets that are polled through it.
#[derive(Debug)]
pub(crate) struct Selector {
    port: Arc<Port>,
    updates: Updates<Arc<dyn Update>>,
    helpers: Helpers,
    /// Sockets that keep no handle.
    raw: Mutex<HashMap<RawSource, Handle>>,
    waits: Waits,
}

/// A registered socket.
pub(crate) type Handle = Arc<Socket>;

/// A socket, and its one poll.
#[derive(Debug)]
pub(crate) struct Socket {
    state: Mutex<Sock>,
    base: RawSource,
    seat: Seat,
    poll: InFlight<Polled>,
}

/// What a poll lends to the kernel.
#[repr(C)]
struct Polled {
    info: PollInfo,
    socket: Arc<Socket>,
}

impl Selector {
    /// Where the completions of other sources go.
    pub(crate) fn port(&self) -> &Arc<Port> {
        &self.port
    }

    /// Handles that can be waited for.
    pub(crate) fn waits(&self) -> &Waits {
        &self.waits
    }

    fn add(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<Handle> {
        let socket = Arc::new(Socket {
            state: Mutex::new(Sock::new(token, interest)),
            base: base_socket(source)?,
            seat: self.helpers.seat(&self.port)?,
            poll: InFlight::new(),
        });
        self.queue(socket.clone());
        Ok(socket)
    }

    fn change(&self, socket: &Handle, token: Token, interest: Interest) -> io::Result<()> {
        let mut state = socket.lock();
        if !state.change(token, interest) {
            return Err(not_registered());
        }
        self.queue_if_needed(socket, state);
        Ok(())
    }

    /// Ends a registration, and at once also what the kernel has of it.
    fn remove(&self, socket: &Handle) -> bool {
        let mut state = socket.lock();
        let was_registered = state.leave();
        let step = state.step();
        socket.act(step, &self.port);
        was_registered
    }

    fn rearm_socket(&self, socket: &Handle) {
        let mut state = socket.lock();
        state.rearm();
        self.queue_if_needed(socket, state);
    }

    fn queue_if_needed(&self, socket: &Handle, mut state: MutexGuard<'_, Sock>) {
        let queue = state.queue();
        drop(state);
        if queue {
            self.queue(socket.clone());
        }
    }

    fn queue(&self, source: Arc<dyn Update>) {
        self.updates
            .queue(source, |source| source.update(&self.port));
    }

    /// Asks for the next edge of a raw socket.
    pub(crate) fn rearm_raw(&self, source: RawSource) -> io::Result<()> {
        let raw = self.lock_raw();
        let socket = raw.get(&source);
        let socket = socket.filter(|socket| !socket.lock().is_gone());
        self.rearm_socket(socket.ok_or_else(not_registered)?);
        Ok(())
    }

    fn lock_raw(&self) -> MutexGuard<'_, HashMap<RawSource, Handle>> {
        // A panic cannot leave it half changed.
        self.raw.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Socket {
    fn lock(&self) -> MutexGuard<'_, Sock> {
        // A panic cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does what the state says is to be done.
    fn act(self: &Arc<Self>, step: Step, port: &Port) {
        match step {
            Step::Nothing => {}
            Step::Start(mask) => self.start(port, mask),
            Step::Cancel => {
                if let Err(err) = self.seat.helper().cancel(&self.poll) {
                    error!("cancelling a poll of a socket: {err}");
                }
            }
        }
    }

    /// Starts a poll. If that fails, the completion of it says so.
    fn start(self: &Arc<Self>, port: &Port, mask: u32) {
        let polled = Polled {
            info: PollInfo::new(self.base, mask),
            socket: Arc::clone(self),
        };
        let helper = self.seat.helper();
        let started = helper.poll(port, &self.poll, polled, Polled::info);
        let Err((failure, polled)) = started else {
            return;
        };
        let outcome = Outcome {
            status: failure.0,
            bytes: 0,
        };
        if let Err((err, _)) = self.poll.post(port, polled, outcome) {
            // The place is taken, then: a completion is to come in any case.
            error!("telling that a socket cannot be polled ({failure}): {err}");
        }
    }
}

impl Update for Socket {
    fn update(self: Arc<Self>, port: &Port) {
        let mut state = self.lock();
        let step = state.update();
        self.act(step, port);
    }
}

impl Polled {
    /// Where the driver's part is: it comes first.
    fn info(polled: *mut Polled) -> *mut PollInfo {
        polled.cast()
    }
}

impl Operation for Polled {
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>) {
        let Polled { info, socket } = self;
        let mut state = socket.lock();
        let Some(report) = state.complete(info.end(outcome.status)) else {
            // Its poll was cancelled for another, or told what nobody asked for.
            let step = state.step();
            socket.act(step, delivery.port);
            return;
        };
        delivery.event(Event {
            token: report.token,
            readiness: report.readiness,
            reported: report.reported,
        });
        let queue = state.queue();
        drop(state);
        if queue {
            delivery.update_later(socket);
        }
    }
}

impl Backend for Selector {
    type Event = Event;
    type Registration = EmulatedEdges<Selector>;
    type Signal = Wake;
    type Handle = Handle;

    fn new() -> io::Result<Selector> {
        Ok(Selector {
            port: Arc::new(Port::new()?),
            updates: Updates::new(),
            helpers: Helpers::default(),
            raw: Mutex::new(HashMap::new()),
            waits: Waits::default(),
        })
    }

    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        // What is reported below is asked for again by the next poll: else one that
        // is level-triggered would come twice in this.
        self.updates.fall_asleep(|source| source.update(&self.port));
        // -1 is INFINITE, and no other negative number comes.
        let timeout_ms = timeout::as_millis(timeout) as u32;
        rounds::take(room, BATCH, self.port.in_flight(), |asked, may_sleep| {
            let before = events.len();
            let timeout_ms = if may_sleep { timeout_ms } else { 0 };
            let awake = || self.updates.wake_up();
            let packets = self
                .port
                .wait(&self.updates, events, asked, timeout_ms, awake)?;
            let events = events.len() - before;
            Ok(Round { packets, events })
        })
    }

    fn register(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<Handle> {
        self.add(source, token, interest)
    }

    fn reregister(
        &self,
        _: RawSource,
        socket: &Handle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.change(socket, token, interest)
    }

    fn deregister(&self, _: RawSource, socket: &Handle) -> io::Result<()> {
        // One that was closed is gone already.
        self.remove(socket);
        Ok(())
    }

    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        let mut raw = self.lock_raw();
        match raw.entry(source) {
            // The number of a socket that was closed may mean another by now.
            Entry::Occupied(mut old) if old.get().lock().is_gone() => {
                old.insert(self.add(source, token, interest)?);
            }
            Entry::Occupied(_) => return Err(registered_already()),
            Entry::Vacant(place) => {
                place.insert(self.add(source, token, interest)?);
            }
        }
        Ok(())
    }

    fn reregister_raw(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let raw = self.lock_raw();
        let socket = raw.get(&source);
        self.change(socket.ok_or_else(not_registered)?, token, interest)
    }

    fn deregister_raw(&self, source: RawSource) -> io::Result<()> {
        match self.lock_raw().remove(&source) {
            Some(socket) if self.remove(&socket) => Ok(()),
            _ => Err(not_registered()),
        }
    }

    fn add_signal(&self) -> io::Result<Wake> {
        let wake = Wake(Arc::downgrade(&self.port));
        wake.signal()?;
        Ok(wake)
    }

    fn woken(&self, token: Token) -> Event {
        Event {
            token,
            readiness: Readiness::READABLE,
            reported: 0,
        }
    }
}

impl Rearm for Selector {
    fn rearm(&self, _: RawSource, socket: &Handle) {
        self.rearm_socket(socket);
    }
}

impl Drop for Selector {
    /// The kernel gives back all memory that it was lent, before the port goes.
    fn drop(&mut self) {
        let raw = std::mem::take(&mut *self.lock_raw());
        for socket in raw.values() {
            self.remove(socket);
        }
        self.waits.end(&self.port);
        self.port.cancel_left_behind();
        let mut events = Vec::new();
        while self.port.in_flight() > 0 {
            let waited = self
                .port
                .wait(&self.updates, &mut events, BATCH, DRAIN_MS, || {});
            events.clear();
            if !matches!(waited, Ok(packets) if packets > 0) {
                error!("a queue is dropped with operations in flight: {waited:?}");
                return;
            }
        }
    }
}

/// Wakes the poller of a port, while there is one.
#[derive(Debug)]
pub(crate) struct Wake(Weak<Port>);

impl Signal for Wake {
    fn signal(&self) -> io::Result<()> {
        // Whoever wakes a queue that is gone wakes nobody.
        self.0.upgrade().map_or(Ok(()), |port| port.wake())
    }
}

/// What a source, or a waker, reported.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    token: Token,
    readiness: Readiness,
    /// The driver's conditions; none for what is no socket.
    reported: u32,
}

impl Event {
    /// The event of a source that is no socket.
    pub(crate) fn new(token: Token, readiness: Readiness) -> Event {
        Event {
            token,
            readiness,
            reported: 0,
        }
    }
}

impl RawEvent for Event {
    fn token(&self) -> Token {
        self.token
    }

    fn readiness(&self) -> Readiness {
        self.readiness
    }

    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Conditions(u32);
        impl fmt::Debug for Conditions {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                flags::fmt_flags(f, self.0, &NAMES)
            }
        }
        f.debug_struct("AFD_POLL_HANDLE_INFO")
            .field("events", &Conditions(self.reported))
            .finish()
    }
}
