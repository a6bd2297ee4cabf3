use super::super::in_flight::{InFlight, Operation, Outcome};
use super::*;
use crate::readiness::Readiness;
use crate::sys::RawEvent;
use crate::token::Token;
use std::panic::{catch_unwind, AssertUnwindSafe};

/// An operation that is an event, or whose end ends with a panic.
struct Posted(Option<Token>);

impl Operation for Posted {
    fn complete(self, _: Outcome, delivery: &mut Delivery<'_>) {
        let token = self.0.expect("a token");
        delivery.event(Event::new(token, Readiness::READABLE));
    }
}

#[test]
fn a_panic_loses_no_other_packet_of_the_batch() {
    let (port, updates) = (Port::new().unwrap(), Updates::new());
    let outcome = Outcome {
        status: 0,
        bytes: 0,
    };
    let tokens = [Some(Token(1)), None, Some(Token(2)), Some(Token(3))];
    let places = tokens.map(|_| InFlight::new());
    for (place, token) in places.iter().zip(tokens) {
        assert!(place.post(&port, Posted(token), outcome).is_ok());
    }
    port.wake().unwrap();
    let mut events = Vec::with_capacity(8);
    let wait = |events: &mut Vec<Event>| port.wait(&updates, events, 8, 0, || {});
    assert!(catch_unwind(AssertUnwindSafe(|| wait(&mut events))).is_err());
    assert_eq!(port.in_flight(), 2);
    // Without the wake: who panics is awake.
    assert_eq!(wait(&mut events).unwrap(), 2);
    let told: Vec<Token> = events.iter().map(RawEvent::token).collect();
    assert_eq!(told, [Token(1), Token(2), Token(3)]);
    assert_eq!(port.in_flight(), 0);
    assert!(!port.woken.load(Ordering::Relaxed));
}

/// A port to which nothing can be posted, as if the kernel had no memory.
fn full_port() -> Port {
    Port::over(std::fs::File::open("NUL").unwrap().into())
}

#[test]
fn what_cannot_be_posted_is_told_by_the_next_wait() {
    let (port, updates) = (full_port(), Updates::new());
    let outcome = Outcome {
        status: 0,
        bytes: 0,
    };
    let tokens = [Token(1), Token(2), Token(3)];
    let places = tokens.map(|_| InFlight::new());
    for (place, token) in places.iter().zip(tokens) {
        assert!(place.post(&port, Posted(Some(token)), outcome).is_ok());
    }
    assert_eq!(port.in_flight(), 3);
    assert!(port.wake().is_err(), "a wake is for whoever sleeps now");
    let mut events = Vec::with_capacity(8);
    // Without a limit: it must not sleep. And no more than there is room for.
    let mut wait = |room| port.wait(&updates, &mut events, room, u32::MAX, || {});
    assert_eq!(wait(2).unwrap(), 2);
    assert_eq!(wait(2).unwrap(), 1);
    assert!(wait(2).is_err(), "the port is asked again");
    let told: Vec<Token> = events.iter().map(RawEvent::token).collect();
    assert_eq!(told, tokens);
    assert_eq!(port.in_flight(), 0);
}

#[test]
fn a_panic_loses_no_packet_that_cannot_go_back() {
    let (port, updates) = (full_port(), Updates::new());
    let outcome = Outcome {
        status: 0,
        bytes: 0,
    };
    let tokens = [None, Some(Token(1))];
    let places = tokens.map(|_| InFlight::new());
    for (place, token) in places.iter().zip(tokens) {
        assert!(place.post(&port, Posted(token), outcome).is_ok());
    }
    let mut events = Vec::with_capacity(8);
    let mut wait = || port.wait(&updates, &mut events, 8, u32::MAX, || {});
    assert!(catch_unwind(AssertUnwindSafe(&mut wait)).is_err());
    assert_eq!(wait().unwrap(), 1);
    assert_eq!(events[0].token(), Token(1));
    assert_eq!(port.in_flight(), 0);
}
