//! What the model itself says of short histories.

use super::model::Source;
use super::terms::*;

const BOTH: Pair = Pair {
    read: true,
    write: true,
};
const READABLE: Pair = Pair {
    read: true,
    write: false,
};
const WRITABLE: Pair = Pair {
    read: false,
    write: true,
};

fn source(remote: bool, kernel_edges: bool) -> Source {
    Source::new(Nature {
        unit: Unit::Bytes,
        remote,
        kernel_edges,
    })
}

fn registered(wanted: Pair, mode: Mode) -> Source {
    let mut source = source(false, false);
    source.register(1, wanted, mode);
    source
}

fn event(source: &mut Source, ready: Pair) -> Verdict {
    source.deliver(ready, ready, true)
}

#[test]
fn what_is_ready_at_registration_is_owed_once() {
    let mut source = source(false, false);
    source.arrived(3);
    assert!(!source.owes(), "nobody asked");
    source.register(1, READABLE, Mode::Edge);
    assert!(source.owes());
    event(&mut source, READABLE).unwrap();
    assert!(!source.owes());
    source.register(2, READABLE, Mode::Edge);
    assert!(source.owes(), "a change looks anew");
}

#[test]
fn the_next_edge_is_owed_after_would_block() {
    let mut source = registered(READABLE, Mode::Edge);
    source.arrived(3);
    event(&mut source, READABLE).unwrap();
    source.read(2, Outcome::Done(2)).unwrap();
    source.arrived(1);
    assert!(!source.owes(), "not drained");
    source.read(9, Outcome::Done(2)).unwrap();
    source.read(9, Outcome::WouldBlock).unwrap();
    assert!(!source.owes());
    source.arrived(1);
    assert!(source.owes());
}

#[test]
fn a_kernel_of_edges_owes_each_arrival() {
    let mut source = source(false, true);
    source.register(1, READABLE, Mode::Edge);
    for _ in 0..3 {
        source.arrived(1);
        assert!(source.owes());
        event(&mut source, READABLE).unwrap();
    }
    source.ended(End::Half);
    assert!(source.owes());
}

#[test]
fn a_level_is_owed_until_it_is_gone() {
    let mut source = registered(READABLE, Mode::Level);
    source.arrived(1);
    for _ in 0..3 {
        assert!(source.owes());
        event(&mut source, READABLE).unwrap();
    }
    source.read(1, Outcome::Done(1)).unwrap();
    assert!(!source.owes());
}

#[test]
fn one_shot_comes_once() {
    let mut source = registered(BOTH, Mode::OneShot);
    assert!(source.owes());
    event(&mut source, WRITABLE).unwrap();
    source.arrived(1);
    assert!(!source.owes());
    event(&mut source, READABLE).unwrap_err();
    source.register(2, BOTH, Mode::OneShot);
    assert!(source.owes());
}

#[test]
fn events_must_be_true_where_nothing_is_under_way() {
    let mut source = registered(BOTH, Mode::Edge);
    event(&mut source, READABLE).unwrap_err();
    source.deliver(READABLE, READABLE, false).unwrap();
    for _ in 0..5 {
        source.wrote(Outcome::Done(1)).unwrap();
    }
    event(&mut source, WRITABLE).unwrap();
    source.wrote(Outcome::WouldBlock).unwrap();
    event(&mut source, WRITABLE).unwrap_err();
    source.registration = None;
    event(&mut source, BOTH).unwrap_err();
}

#[test]
fn room_is_known_when_all_is_read() {
    let mut source = registered(WRITABLE, Mode::Edge);
    for _ in 0..4 {
        source.wrote(Outcome::Done(10)).unwrap();
        assert_eq!(source.level(WRITE), Known::Yes);
    }
    source.wrote(Outcome::Done(10)).unwrap();
    assert_eq!(source.level(WRITE), Known::Unknown);
    source.wrote(Outcome::WouldBlock).unwrap();
    assert_eq!(source.level(WRITE), Known::No);
    source.drained(20);
    assert_eq!(source.level(WRITE), Known::Unknown);
    assert!(!source.owes());
    source.drained(30);
    assert_eq!(source.unread_by_peer(), 0);
    assert!(source.owes());
}

#[test]
fn results_of_operations_are_judged() {
    let mut source = source(false, false);
    source.read(1, Outcome::Done(0)).unwrap_err();
    source.read(1, Outcome::Failed).unwrap_err();
    source.wrote(Outcome::WouldBlock).unwrap_err();
    source.wrote(Outcome::Failed).unwrap_err();
    source.arrived(3);
    source.read(9, Outcome::WouldBlock).unwrap_err();
    source.read(2, Outcome::Done(1)).unwrap_err();
    source.read(2, Outcome::Done(2)).unwrap();
    assert_eq!(source.unread(), 1);
    source.ended(End::Closed);
    source.read(9, Outcome::Done(0)).unwrap_err();
    source.read(9, Outcome::Done(1)).unwrap();
    source.read(9, Outcome::Done(0)).unwrap();
    source.wrote(Outcome::Failed).unwrap();
    source.ended(End::Broken);
    source.read(9, Outcome::Failed).unwrap();
    source.read(9, Outcome::WouldBlock).unwrap_err();
}

#[test]
fn a_network_may_be_late() {
    let mut source = source(true, false);
    source.register(1, READABLE, Mode::Edge);
    source.arrived(3);
    event(&mut source, READABLE).unwrap();
    source.read(9, Outcome::Done(1)).unwrap();
    source.read(9, Outcome::WouldBlock).unwrap();
    assert!(source.owes(), "the rest is under way");
    source.ended(End::Closed);
    assert_eq!(source.level(WRITE), Known::Yes);
    source.wrote(Outcome::Done(5)).unwrap();
    assert_eq!(source.end, End::Broken, "by a reset, in a while");
    source.read(9, Outcome::WouldBlock).unwrap();
}

#[test]
fn a_race_with_would_block_leaves_the_source_armed() {
    let mut source = registered(READABLE, Mode::Edge);
    source.arrived(1);
    source.read(9, Outcome::Done(1)).unwrap();
    source.read(9, Outcome::WouldBlock).unwrap();
    source.deliver(READABLE, READABLE, false).unwrap();
    source.arm(READ);
    source.arrived(1);
    assert!(source.owes());
}

#[test]
fn datagrams_and_counters_are_read_in_their_own_way() {
    let mut source = source(false, false);
    source.nature.unit = Unit::Datagrams;
    source.arrived(2);
    source.read(100, Outcome::Done(2)).unwrap_err();
    source.read(100, Outcome::Done(1)).unwrap();
    source.nature.unit = Unit::Counter;
    source.arrived(5);
    source.read(100, Outcome::Done(1)).unwrap_err();
    source.read(100, Outcome::Done(6)).unwrap();
    source.read(100, Outcome::WouldBlock).unwrap();
}
