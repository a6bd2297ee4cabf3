//! Does each step to real sources and to the model, and compares.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::ends::{Duplicate, Ends};
use super::model::{End, Known, Mode, Outcome, Pair, Source, Verdict, READ, WRITE};
use super::ops::{Case, Op, Step};
use super::sleeper::Sleeper;

/// What armed by time is armed late: with poll(2), raw descriptors.
const RAW_COMES_LATE: bool = cfg!(mio_unsupported_force_poll_poll);
/// Whether the events of local sources are true when they come.
const TRUTHFUL: bool = cfg!(unix);
const WAKER: usize = usize::MAX;
/// So many writes of the peer wait at most: less than any buffer holds.
const MOST_UNREAD: usize = 8;

/// What was done, to know that the test tests something.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Counts {
    pub(crate) steps: u64,
    pub(crate) events: u64,
    /// Events that had to come, and came.
    pub(crate) owed: u64,
    pub(crate) races: u64,
}

/// Whether the waker's event must come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Woken {
    No,
    /// One of two wakes had its event; whether it was of both nobody can tell.
    Perhaps,
    Yes,
}

struct Place {
    model: Source,
    ends: Ends,
    unread_writes: usize,
}

/// What a race must know of the step that was done meanwhile.
#[derive(Default)]
struct Raced {
    place: Option<usize>,
    /// Tokens that were good when the poll began.
    old: Vec<usize>,
}

pub(crate) struct Driver<'a> {
    poll: Option<(Poll, Events)>,
    registry: Registry,
    waker: Waker,
    woken: Woken,
    capacity: usize,
    places: Vec<Option<Place>>,
    duplicates: Vec<Duplicate>,
    tokens: usize,
    listener: TcpListener,
    sleeper: &'a Sleeper,
    patience: Duration,
    counts: &'a mut Counts,
    buffer: Vec<u8>,
}

impl<'a> Driver<'a> {
    pub(crate) fn new(
        case: &Case,
        sleeper: &'a Sleeper,
        patience: Duration,
        counts: &'a mut Counts,
    ) -> Driver<'a> {
        let poll = Poll::new().expect("a queue");
        let registry = poll.registry().try_clone().expect("a registry");
        let waker = Waker::new(&registry, Token(WAKER)).expect("a waker");
        Driver {
            poll: Some((poll, Events::with_capacity(case.capacity))),
            registry,
            waker,
            woken: Woken::No,
            capacity: case.capacity,
            places: (0..case.places).map(|_| None).collect(),
            duplicates: Vec::new(),
            tokens: 0,
            listener: TcpListener::bind("127.0.0.1:0").expect("a listener"),
            sleeper,
            patience,
            counts,
            buffer: vec![0; 1 << 16],
        }
    }

    pub(crate) fn run(&mut self, case: &Case) -> Verdict {
        for (index, step) in case.steps.iter().enumerate() {
            self.counts.steps += 1;
            let done = match step.race {
                Some(turns) if step.op.can_race() => self.race(step, turns),
                _ => self.apply(step, false),
            };
            done.map_err(|what| format!("step {index}, {step:?}: {what}"))?;
        }
        let settled = self.settle(true);
        settled.map_err(|what| format!("at the end: {what}"))
    }

    fn race(&mut self, step: &Step, turns: usize) -> Verdict {
        self.counts.races += 1;
        let place = step.place % self.places.len();
        let old = self.token_at(place).into_iter().collect();
        let raced = Raced {
            place: Some(place),
            old,
        };
        let wakes_twice = self.woken != Woken::No || step.op == Op::Wake;
        let (poll, events) = self.poll.take().expect("one poll at a time");
        self.sleeper.sleep(poll, events, self.patience);
        (0..turns).for_each(|_| thread::yield_now());
        let follow_up = step.follow_up();
        let done = self.apply(step, true).and_then(|()| match follow_up {
            Some(next) => self.apply(&Step { op: next, ..*step }, true),
            None => Ok(()),
        });
        // What is owed by now ends the sleep, or has ended it.
        let ends_by_itself = self.due(false).next().is_some();
        if !ends_by_itself {
            self.wake();
        }
        let (poll, events, result) = self.sleeper.wait();
        result.map_err(|err| format!("poll: {err}"))?;
        let batch = self.take(&events, &raced);
        let empty = events.is_empty();
        self.poll = Some((poll, events));
        done.and(batch)?;
        if empty {
            return Err(match ends_by_itself {
                true => format!("a sleeping poll was not told: {}", self.describe()),
                false => "a sleeping poll was not woken".to_owned(),
            });
        }
        if wakes_twice && self.woken == Woken::No {
            self.woken = Woken::Perhaps;
        }
        // What blocked, blocked after the event: it is armed, unless the event is of what followed.
        let Some(place) = &mut self.places[place] else {
            return Ok(());
        };
        if !place.model.nature.remote && follow_up.is_none() {
            match step.op {
                Op::ReadAll if place.model.end == End::Open => place.model.arm(READ),
                Op::Fill if place.model.level(WRITE) == Known::No => place.model.arm(WRITE),
                _ => {}
            }
        }
        Ok(())
    }

    fn wake(&mut self) {
        self.waker.wake().expect("a wake");
        self.woken = Woken::Yes;
    }

    fn token_at(&self, place: usize) -> Option<usize> {
        let place = self.places[place].as_ref()?;
        Some(place.model.registration?.token)
    }

    fn apply(&mut self, step: &Step, racing: bool) -> Verdict {
        let at = step.place % self.places.len();
        match step.op {
            Op::Poll => return self.settle(false),
            Op::Settle => return self.settle(true),
            Op::PollAgain => return self.expect_silence(),
            Op::Wake => {
                self.wake();
                return Ok(());
            }
            _ => {}
        }
        let Some(place) = &mut self.places[at] else {
            let ends = Ends::new(step.number, &self.listener).map_err(|err| err.to_string())?;
            self.places[at] = Some(Place {
                model: Source::new(ends.nature()),
                ends,
                unread_writes: 0,
            });
            return Ok(());
        };
        match step.op {
            Op::Register(wanted, mode) => self.register(at, wanted, mode),
            Op::Reregister(wanted, mode) => self.reregister(at, wanted, mode),
            Op::Deregister => self.deregister(at),
            Op::Close => self.close(at, racing),
            Op::Duplicate => {
                place.ends.make_duplicate();
                Ok(())
            }
            op => place.transfer(op, &mut self.buffer),
        }
    }

    fn register(&mut self, at: usize, wanted: Pair, mode: Mode) -> Verdict {
        let (token, registry) = (self.next_token(), &self.registry);
        let Some(place) = &mut self.places[at] else {
            return Ok(());
        };
        let wanted = place.ends.possible(wanted);
        let (model, ends) = (&mut place.model, &mut place.ends);
        let again = model.registration.is_some();
        if again && ends.is_raw() {
            return Ok(()); // A kqueue takes it for a change.
        }
        let registered = ends
            .with_source(|source| registry.register(source, Token(token), interest(wanted, mode)));
        match registered.map_err(|err| err.kind()) {
            Ok(()) if !again => model.register(token, wanted, mode),
            Err(ErrorKind::AlreadyExists) if again => {}
            other => return Err(format!("registered, {again} before: {other:?}")),
        }
        Ok(())
    }

    fn reregister(&mut self, at: usize, wanted: Pair, mode: Mode) -> Verdict {
        let (token, registry) = (self.next_token(), &self.registry);
        let Some(place) = &mut self.places[at] else {
            return Ok(());
        };
        let wanted = place.ends.possible(wanted);
        let (model, ends) = (&mut place.model, &mut place.ends);
        let known = model.registration.is_some();
        if !known && ends.is_raw() {
            return Ok(()); // As above.
        }
        let changed = ends.with_source(|source| {
            registry.reregister(source, Token(token), interest(wanted, mode))
        });
        match changed.map_err(|err| err.kind()) {
            Ok(()) if known => model.register(token, wanted, mode),
            Err(ErrorKind::NotFound) if !known => {}
            other => return Err(format!("reregistered, {known} before: {other:?}")),
        }
        Ok(())
    }

    fn deregister(&mut self, at: usize) -> Verdict {
        let registry = &self.registry;
        let Some(place) = &mut self.places[at] else {
            return Ok(());
        };
        let known = place.model.registration.take().is_some();
        if !known && place.ends.is_raw() {
            return Ok(());
        }
        let done = place.ends.with_source(|source| registry.deregister(source));
        match done.map_err(|err| err.kind()) {
            Ok(()) if known => Ok(()),
            Err(ErrorKind::NotFound) if !known => Ok(()),
            other => Err(format!("deregistered, {known} before: {other:?}")),
        }
    }

    fn close(&mut self, at: usize, racing: bool) -> Verdict {
        if let Some(place) = &self.places[at] {
            if place.ends.must_deregister() {
                self.deregister(at)?;
            }
        }
        if let Some(place) = self.places[at].take() {
            let duplicate = place.ends.close(!racing)?;
            self.duplicates.push(duplicate);
        }
        Ok(())
    }

    /// Each has its own, so that a stale one is known as such.
    fn next_token(&mut self) -> usize {
        self.tokens += 1;
        self.tokens
    }

    /// The tokens of what must come. `late`: also of what is armed by time.
    fn due(&self, late: bool) -> impl Iterator<Item = usize> + '_ {
        let owes = move |place: &&Place| {
            place.model.owes() && (late || !RAW_COMES_LATE || !place.ends.is_raw())
        };
        let places = self.places.iter().flatten().filter(owes);
        let tokens = places.filter_map(|place| Some(place.model.registration?.token));
        tokens.chain((self.woken == Woken::Yes).then_some(WAKER))
    }

    /// Polls until all came that is owed now.
    fn settle(&mut self, late: bool) -> Verdict {
        let mut due: Vec<usize> = self.due(late).collect();
        self.counts.owed += due.len() as u64;
        let give_up_at = Instant::now() + self.patience;
        let mut timeout = Duration::ZERO;
        loop {
            let seen = self.poll(timeout)?;
            due.retain(|token| !seen.contains(token));
            if due.is_empty() {
                return Ok(());
            }
            // At once if it can be: else this is a network, or late.
            timeout = give_up_at.saturating_duration_since(Instant::now());
            if timeout.is_zero() {
                return Err(format!("lost: {due:?} of {}", self.describe()));
            }
        }
    }

    fn describe(&self) -> String {
        let places = self.places.iter().flatten();
        let owing = places.filter(|place| place.model.owes());
        let owing = owing.map(|place| format!("{:?} {:?}", place.model, place.ends));
        format!("{:#?}", owing.collect::<Vec<_>>())
    }

    /// Once nothing is new, only levels come.
    fn expect_silence(&mut self) -> Verdict {
        self.settle(false)?;
        if self.capacity < 2 * self.places.len() || !TRUTHFUL {
            return Ok(());
        }
        self.poll(Duration::ZERO)?;
        for token in self.poll(Duration::ZERO)? {
            let place = self.places.iter().flatten().find(|place| {
                let registration = place.model.registration;
                registration.is_some_and(|registration| registration.token == token)
            });
            let repeats = place.is_some_and(|place| {
                let registration = place.model.registration;
                let level = registration.is_some_and(|reg| reg.mode == Mode::Level);
                level || place.model.nature.remote || (RAW_COMES_LATE && place.ends.is_raw())
            });
            if !repeats {
                return Err(format!("{token} came again, and nothing happened"));
            }
        }
        Ok(())
    }

    /// One poll: its tokens.
    fn poll(&mut self, timeout: Duration) -> Result<Vec<usize>, String> {
        let (mut poll, mut events) = self.poll.take().expect("one poll at a time");
        let result = poll.poll(&mut events, Some(timeout));
        let batch = self.take(&events, &Raced::default());
        let tokens = events.iter().map(|event| event.token().0).collect();
        self.poll = Some((poll, events));
        result.map_err(|err| format!("poll: {err}"))?;
        batch.map(|()| tokens)
    }

    fn take(&mut self, events: &Events, raced: &Raced) -> Verdict {
        let count = events.iter().count();
        if count > self.capacity {
            return Err(format!("{count} events in room for {}", self.capacity));
        }
        events.iter().try_for_each(|event| self.heard(event, raced))
    }

    fn heard(&mut self, event: &Event, raced: &Raced) -> Verdict {
        self.counts.events += 1;
        let token = event.token().0;
        if token == WAKER {
            let woken = std::mem::replace(&mut self.woken, Woken::No);
            let only = event.is_readable() && !event.is_writable();
            let verdict = (woken != Woken::No && only).then_some(());
            return verdict.ok_or_else(|| format!("nobody woke, or not so: {event:?}"));
        }
        let at = (0..self.places.len()).find(|at| self.token_at(*at) == Some(token));
        let Some(place) = at.and_then(|at| self.places[at].as_mut()) else {
            return match raced.old.contains(&token) {
                true => Ok(()),
                false => Err(format!("a stale token: {event:?}")),
            };
        };
        let ready = Pair {
            read: event.should_read(),
            write: event.should_write(),
        };
        let shown = Pair {
            read: event.is_readable(),
            write: event.is_writable(),
        };
        let judge = TRUTHFUL && raced.place != at;
        let verdict = place.model.deliver(ready, shown, judge);
        verdict.map_err(|what| format!("{what}: {event:?} of {:?}", place.model))
    }
}

impl Place {
    /// Moves data, in one of the directions.
    fn transfer(&mut self, op: Op, buffer: &mut [u8]) -> Verdict {
        let Place { model, ends, .. } = self;
        match op {
            Op::Read(count) => match ends.read(&mut buffer[..count]) {
                Some(outcome) => model.read(count, outcome),
                None => Ok(()),
            },
            Op::ReadAll => loop {
                let count = buffer.len();
                let Some(outcome) = ends.read(buffer) else {
                    return Ok(());
                };
                model.read(count, outcome)?;
                match outcome {
                    Outcome::Done(0) | Outcome::WouldBlock | Outcome::Failed => return Ok(()),
                    Outcome::Done(_) => {}
                }
            },
            Op::Write(count) => match ends.write(&buffer[..count]) {
                Some(outcome) => model.wrote(outcome),
                None => Ok(()),
            },
            Op::Fill => loop {
                let Some(outcome) = ends.write(buffer) else {
                    return Ok(());
                };
                model.wrote(outcome)?;
                match outcome {
                    Outcome::WouldBlock | Outcome::Failed => return Ok(()),
                    Outcome::Done(_) => {}
                }
            },
            Op::PeerWrite(count) => self.peer_writes(&buffer[..count]),
            Op::PeerRead(count) => self.peer_reads(&mut buffer[..count], false),
            Op::PeerDrain => self.peer_reads(buffer, true),
            Op::PeerEnd(end) => {
                let new = model.end == End::Open || (model.end == End::Half && end != End::Half);
                if new {
                    if let Some(end) = ends.peer_end(end, model.unread_by_peer()) {
                        model.ended(end);
                    }
                }
                Ok(())
            }
            other => Err(format!("{other:?} moves nothing")),
        }
    }

    fn peer_writes(&mut self, buffer: &[u8]) -> Verdict {
        if self.model.unread() == 0 {
            self.unread_writes = 0;
        }
        if self.unread_writes < MOST_UNREAD && self.model.end == End::Open {
            self.unread_writes += 1;
            let written = self.ends.peer_write(buffer);
            match written.map_err(|err| format!("the peer's write: {err}"))? {
                0 => {}
                count => self.model.arrived(count),
            }
        }
        Ok(())
    }

    /// What is under way is waited for, up to one buffer or to the end.
    fn peer_reads(&mut self, buffer: &mut [u8], all: bool) -> Verdict {
        let give_up_at = Instant::now() + Duration::from_secs(30);
        while self.model.unread_by_peer() > 0 && self.model.end != End::Broken {
            match self.ends.peer_read(buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.model.drained(count),
                Err(err) if err.kind() == ErrorKind::WouldBlock && self.model.nature.remote => {
                    if Instant::now() > give_up_at {
                        return Err("what was written does not arrive".to_owned());
                    }
                    thread::yield_now();
                    continue;
                }
                Err(err) => return Err(format!("the peer's read: {err}")),
            }
            if !all {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn interest(wanted: Pair, mode: Mode) -> Interest {
    let interest = match (wanted.read, wanted.write) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (true, false) => Interest::READABLE,
        _ => Interest::WRITABLE,
    };
    match mode {
        Mode::Edge => interest,
        Mode::Level => interest.level(),
        Mode::OneShot => interest.oneshot(),
    }
}
