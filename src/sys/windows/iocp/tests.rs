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
    // With the wake.
    assert_eq!(wait(&mut events).unwrap(), 3);
    let told: Vec<Token> = events.iter().map(RawEvent::token).collect();
    assert_eq!(told, [Token(1), Token(2), Token(3)]);
    assert_eq!(port.in_flight(), 0);
    assert!(!port.woken.load(Ordering::Relaxed));
}
