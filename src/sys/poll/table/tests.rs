use super::*;
use crate::sys::levels::{Mode, ENDED};

const IN: c_short = libc::POLLIN;
const OUT: c_short = libc::POLLOUT;

fn asked(mask: c_short, mode: Mode) -> Asked {
    Asked { mask, mode }
}

fn edge(mask: c_short) -> Asked {
    asked(mask, Mode::Edge)
}

/// A table, the poller's set, and a kernel that answers as told.
struct Model {
    table: Table,
    set: PollSet,
}

impl Model {
    fn new() -> Model {
        Model {
            table: Table::default(),
            set: PollSet::new(3),
        }
    }

    fn add(&mut self, fd: RawSource, token: usize, interest: c_short) -> Handle {
        self.table.insert(fd, Token(token), edge(interest), false)
    }

    /// What the kernel would be asked, of entries that are not skipped.
    fn asked(&mut self) -> Vec<(RawSource, c_short)> {
        self.set.sync(&mut self.table);
        let entries = self.set.fds[1..].iter();
        let asked = entries.filter(|entry| entry.fd >= 0);
        asked.map(|entry| (entry.fd, entry.events)).collect()
    }

    /// The kernel reports `revents` of each descriptor that it is asked about.
    fn report(&mut self, answers: &[(RawSource, c_short)], room: usize) -> Vec<(usize, c_short)> {
        let mut hits = 0;
        for entry in &mut self.set.fds[1..] {
            let answer = answers.iter().find(|(fd, _)| *fd == entry.fd);
            let unasked = ENDED | libc::POLLNVAL;
            entry.revents = answer.map_or(0, |(_, revents)| revents & (entry.events | unasked));
            hits += usize::from(entry.revents != 0);
        }
        let mut seen = Vec::new();
        let deliver = |token: Token, revents| seen.push((token.0, revents));
        self.set.deliver(&mut self.table, hits, room, deliver);
        seen
    }
}

#[test]
fn what_was_reported_is_not_asked_until_it_is_armed() {
    let mut model = Model::new();
    let handle = model.add(10, 1, IN | OUT);
    assert_eq!(model.asked(), [(10, IN | OUT)]);
    assert_eq!(model.report(&[(10, OUT)], 8), [(1, OUT)]);
    assert_eq!(model.asked(), [(10, IN)]);
    assert_eq!(model.report(&[(10, IN)], 8), [(1, IN)]);
    assert_eq!(model.asked(), [(10, 0)], "only for its end");
    assert!(model.table.rearm(handle));
    assert!(!model.table.rearm(handle), "it is armed already");
    assert_eq!(model.asked(), [(10, IN | OUT)]);
}

#[test]
fn the_end_is_reported_once() {
    for end in [libc::POLLHUP, libc::POLLERR, OUT | libc::POLLERR] {
        let mut model = Model::new();
        let handle = model.add(10, 1, IN | OUT);
        model.asked();
        assert_eq!(model.report(&[(10, end)], 8), [(1, end)]);
        assert_eq!(model.asked(), []);
        assert!(model.table.change(handle, Token(2), edge(IN)));
        assert_eq!(model.asked(), [(10, IN)]);
    }
}

#[test]
fn an_error_while_more_is_awaited_is_looked_at_again() {
    let err = libc::POLLERR;
    // What was reported, and whether time arms it again.
    let cases = [
        (err, true),
        (IN | err, true),
        (IN | OUT | err, false),
        (err | libc::POLLHUP, false),
    ];
    for (reported, again) in cases {
        let mut model = Model::new();
        let handle = model.add(10, 1, IN | OUT);
        model.asked();
        assert_eq!(model.report(&[(10, reported)], 8), [(1, reported)]);
        assert_eq!(model.asked(), []);
        assert_eq!(model.table.has_parked(), again);
        model.table.unpark();
        let expected = if again { vec![(10, IN | OUT)] } else { vec![] };
        assert_eq!(model.asked(), expected);
        // Whoever arms it, it is counted once.
        model.report(&[(10, err)], 8);
        model.table.rearm(handle);
        assert!(!model.table.has_parked());
    }
}

#[test]
fn a_stale_result_is_dropped() {
    let mut model = Model::new();
    let first = model.add(10, 1, IN);
    let second = model.add(11, 2, IN);
    model.asked();
    // While the poller sleeps: one is reregistered, one removed, and its slot
    // and number used again.
    assert!(model.table.change(first, Token(3), edge(IN)));
    assert!(model.table.remove(second));
    let third = model.add(11, 4, IN);
    assert_ne!(second, third);
    assert_eq!(model.report(&[(10, IN), (11, IN)], 8), []);
    // Asked anew, nothing is lost.
    assert_eq!(model.asked(), [(10, IN), (11, IN)]);
    assert_eq!(model.report(&[(10, IN), (11, IN)], 8), [(3, IN), (4, IN)]);
    assert!(!model.table.remove(second), "an old handle names nothing");
    assert!(!model.table.rearm(second));
}

#[test]
fn a_change_of_the_latest_registration_drops_its_result_too() {
    let mut model = Model::new();
    let handle = model.add(10, 1, IN);
    for token in 2..4 {
        model.asked();
        assert!(model.table.change(handle, Token(token), edge(IN)));
        assert_eq!(model.report(&[(10, IN)], 8), []);
    }
}

#[test]
fn the_search_ends_with_the_last_hit() {
    let mut model = Model::new();
    for fd in 10..13 {
        model.add(fd, fd as usize, IN);
    }
    model.asked();
    model.set.fds[1..].iter_mut().for_each(|fd| fd.revents = IN);
    let mut seen = Vec::new();
    let deliver = |token: Token, _| seen.push(token.0);
    model.set.deliver(&mut model.table, 2, 8, deliver);
    assert_eq!(seen, [10, 11], "the kernel says how many there are");
}

#[test]
fn what_finds_no_room_is_first_the_next_time() {
    let mut model = Model::new();
    for fd in 10..15 {
        model.add(fd, fd as usize, IN);
    }
    let ready: Vec<_> = (10..15).map(|fd| (fd, IN)).collect();
    let mut seen = Vec::new();
    for _ in 0..3 {
        model.asked();
        let batch = model.report(&ready, 2);
        assert!(batch.len() <= 2);
        seen.extend(batch.into_iter().map(|(token, _)| token));
    }
    assert_eq!(seen, [10, 11, 12, 13, 14]);
}

#[test]
fn a_closed_descriptor_is_forgotten() {
    let mut model = Model::new();
    let handle = model.add(10, 1, IN);
    model.asked();
    assert_eq!(model.report(&[(10, libc::POLLNVAL)], 8), []);
    assert_eq!(model.asked(), []);
    assert!(!model.table.remove(handle));
    assert_eq!(model.table.free, [0]);
}

#[test]
fn raw_slots_are_found_by_descriptor_and_armed_by_time() {
    let mut model = Model::new();
    model.add(10, 1, IN);
    let raw = model.table.insert(10, Token(2), edge(IN | OUT), true);
    assert_eq!(model.table.find_raw(10), Some(raw));
    assert_eq!(model.table.find_raw(11), None);
    model.asked();
    assert!(!model.table.has_parked());
    model.report(&[(10, IN)], 8);
    assert!(
        model.table.has_parked(),
        "the raw one; the other has a hook"
    );
    model.table.unpark();
    assert!(!model.table.has_parked());
    assert_eq!(model.asked(), [(10, 0), (10, IN | OUT)]);
    model.report(&[(10, IN)], 8);
    assert!(model.table.change(raw, Token(3), edge(IN)));
    assert!(!model.table.has_parked(), "a change arms it");
    model.asked();
    model.report(&[(10, IN)], 8);
    assert!(model.table.remove(raw));
    assert!(!model.table.has_parked());
    assert_eq!(model.table.find_raw(10), None);
}

#[test]
fn changes_after_the_first_registration_allocate_nothing() {
    let mut model = Model::new();
    let handles: Vec<_> = (0..100).map(|fd| model.add(fd, 1, IN)).collect();
    model.asked();
    let capacity = |table: &Table| {
        let Table {
            slots,
            free,
            changed,
            ..
        } = table;
        (slots.capacity(), free.capacity(), changed.capacity())
    };
    let before = capacity(&model.table);
    for handle in handles {
        model.table.change(handle, Token(2), edge(OUT));
        model.table.remove(handle);
    }
    for fd in 0..100 {
        model.add(fd, 3, IN);
    }
    model.asked();
    assert_eq!(capacity(&model.table), before);
}

#[test]
fn level_repeats_and_one_shot_is_the_last() {
    for raw in [false, true] {
        let mut model = Model::new();
        let (level, once) = (asked(IN, Mode::Level), asked(IN | OUT, Mode::OneShot));
        let level = model.table.insert(10, Token(1), level, raw);
        let once = model.table.insert(11, Token(2), once, raw);
        assert_eq!(model.asked(), [(10, IN), (11, IN | OUT)]);
        let answers = [(10, IN | libc::POLLHUP), (11, OUT)];
        assert_eq!(model.report(&answers, 8).len(), 2);
        assert_eq!(model.asked(), [(10, IN)]);
        assert!(!model.table.has_parked(), "neither waits for time");
        assert!(!model.table.rearm(level));
        assert!(!model.table.rearm(once));
        assert_eq!(model.report(&answers, 8).len(), 1);
        assert!(model.table.change(once, Token(3), edge(IN)));
        assert_eq!(model.asked(), [(10, IN), (11, IN)]);
    }
}

#[test]
fn levels_take_turns_where_there_is_room_for_one() {
    let mut model = Model::new();
    for fd in 10..13 {
        let level = asked(IN, Mode::Level);
        model.table.insert(fd, Token(fd as usize), level, false);
    }
    let ready = [(10, IN), (11, IN), (12, IN)];
    let mut seen = Vec::new();
    for _ in 0..6 {
        model.asked();
        seen.extend(model.report(&ready, 1).iter().map(|(token, _)| *token));
    }
    assert_eq!(seen, [10, 11, 12, 10, 11, 12]);
}
