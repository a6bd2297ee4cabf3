//! Does each step to real sources and to the model, and compares.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::{Events, Poll, Registry, Token, Waker};

use super::kinds::Duplicate;
use super::ops::{Case, Op, Step};
use super::place::Place;
use super::race::Raced;
use super::sleeper::Sleeper;
use super::terms::{Mode, Pair, Verdict, REARMED};

/// What is armed by time is armed late: raw descriptors.
const RAW_COMES_LATE: bool = REARMED;
/// Whether the events of local sources are true when they come.
const TRUTHFUL: bool = cfg!(unix);
const WAKER: usize = usize::MAX;

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
pub(super) enum Woken {
    No,
    /// One of two wakes had its event; whether it was of both nobody can tell.
    Perhaps,
    Yes,
}

pub(crate) struct Driver<'a> {
    pub(super) poll: Option<(Poll, Events)>,
    registry: Registry,
    waker: Waker,
    pub(super) woken: Woken,
    capacity: usize,
    pub(super) places: Vec<Option<Place>>,
    duplicates: Vec<Duplicate>,
    tokens: usize,
    listener: TcpListener,
    pub(super) sleeper: &'a Sleeper,
    pub(super) patience: Duration,
    pub(super) counts: &'a mut Counts,
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

    pub(super) fn wake(&mut self) {
        self.waker.wake().expect("a wake");
        self.woken = Woken::Yes;
    }

    pub(super) fn token_at(&self, place: usize) -> Option<usize> {
        let place = self.places[place].as_ref()?;
        Some(place.model.registration?.token)
    }

    pub(super) fn apply(&mut self, step: &Step, racing: bool) -> Verdict {
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
        let token = self.next_token();
        let registry = &self.registry;
        let Some(place) = &mut self.places[at] else {
            let made = Place::new(step.number, &self.listener);
            self.places[at] = Some(made.map_err(|err| err.to_string())?);
            return Ok(());
        };
        match step.op {
            Op::Register(wanted, mode) => place.register(registry, token, wanted, mode),
            Op::Reregister(wanted, mode) => place.reregister(registry, token, wanted, mode),
            Op::Deregister => place.deregister(registry),
            Op::Duplicate => {
                place.ends.make_duplicate();
                Ok(())
            }
            Op::Close => match self.places[at].take() {
                Some(place) => {
                    self.duplicates.push(place.close(registry, !racing)?);
                    Ok(())
                }
                None => Ok(()),
            },
            op => place.transfer(op, &mut self.buffer),
        }
    }

    /// Each has its own, so that a stale one is known as such.
    fn next_token(&mut self) -> usize {
        self.tokens += 1;
        self.tokens
    }

    /// The tokens of what must come. `late`: also of what is armed by time.
    pub(super) fn due(&self, late: bool) -> impl Iterator<Item = usize> + '_ {
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

    pub(super) fn describe(&self) -> String {
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

    pub(super) fn take(&mut self, events: &Events, raced: &Raced) -> Verdict {
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
