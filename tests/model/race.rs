//! Steps that are done while another thread sleeps in the poll.

use std::thread;

use super::driver::{Driver, Woken};
use super::ops::{Op, Step};
use super::terms::{End, Known, Verdict, READ, WRITE};

/// What a race must know of the step that was done meanwhile.
#[derive(Default)]
pub(super) struct Raced {
    pub(super) place: Option<usize>,
    /// Tokens that were good when the poll began.
    pub(super) old: Vec<usize>,
}

impl Driver<'_> {
    pub(super) fn race(&mut self, step: &Step, turns: usize) -> Verdict {
        self.counts.races += 1;
        let place = step.place % self.places.len();
        let old = self.token_at(place).into_iter().collect();
        let raced = Raced {
            place: Some(place),
            old,
        };
        let wakes_twice = self.woken != Woken::No || step.op == Op::Wake;
        let (poll, events) = self.poll.take().expect("one poll at a time");
        self.sleeper.lend(poll, events, self.patience);
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
}
