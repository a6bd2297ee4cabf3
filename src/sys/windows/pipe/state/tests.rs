//! The machine against a kernel that is a model, through every interleaving of
//! a few steps, and through long random ones.

mod world;

use self::world::{Step, World, ALL, SERVER};
use super::*;
use std::io::{IoSlice, IoSliceMut};

const REGISTER: &[Step] = &[Step::PeerConnect, Step::RegisterBoth];

/// Runs every sequence of `depth` steps after `prefix`; how many there were.
fn explore(prefix: &[Step], depth: usize) -> usize {
    let mut path = prefix.to_vec();
    let mut count = 0;
    extend(&mut path, depth, &mut count);
    count
}

fn extend(path: &mut Vec<Step>, depth: usize, count: &mut usize) {
    let mut world = World::replay(path);
    if depth == 0 {
        world.finish();
        *count += 1;
        return;
    }
    for step in ALL.iter().filter(|step| world.can(**step)) {
        path.push(*step);
        extend(path, depth - 1, count);
        path.pop();
    }
}

#[test]
fn every_interleaving_from_a_new_server() {
    let count = explore(&[], 4);
    assert!(count > 8_000, "{count}");
}

#[test]
fn every_interleaving_from_a_registered_pair() {
    let count = explore(REGISTER, 5);
    assert!(count > 40_000, "{count}");
}

#[test]
fn every_interleaving_around_a_second_client() {
    let gone = [Step::PeerClose, Step::Disconnect, Step::Connect];
    let count = explore(&[REGISTER, &gone].concat(), 4);
    assert!(count > 4_000, "{count}");
}

#[test]
fn long_random_sequences() {
    for seed in 1..=2_000u64 {
        let mut random = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut path = Vec::new();
        let mut world = World::new();
        while path.len() < 80 {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            let step = ALL[(random >> 33) as usize % ALL.len()];
            // The end would end the sequence.
            if step != Step::Drop && world.can(step) {
                path.push(step);
                world.step(step, &path);
            }
        }
        world.finish();
    }
}

fn read(world: &mut World, len: usize) -> io::Result<Vec<u8>> {
    let mut buf = vec![0; len];
    let bufs = &mut [IoSliceMut::new(&mut buf)];
    let count = world.pipe.read(&mut world.kernel, bufs)?;
    buf.truncate(count);
    Ok(buf)
}

fn kind<T>(result: io::Result<T>) -> Option<ErrorKind> {
    result.err().map(|err| err.kind())
}

#[test]
fn level_tells_until_there_is_nothing_left() {
    let mut world = World::replay(&[Step::PeerConnect]);
    let level = Interest::READABLE.level();
    let registered = world.pipe.register(&mut world.kernel, Token(7), level);
    registered.expect("registered");
    world.kernel.peer_sends(b"ab");
    for left in [2, 1] {
        for _ in 0..3 {
            let told = world.next_told().expect("it is still readable");
            assert!(told.again && told.readiness == Readiness::READABLE);
            world.pipe.look_again(&mut world.kernel);
        }
        assert_eq!(read(&mut world, 1).expect("a byte").len(), 1, "{left} left");
    }
    // What was posted before finds nothing to tell.
    assert_eq!(world.next_told(), None);
    world.kernel.peer_sends(b"c");
    assert!(world.next_told().is_some());
}

#[test]
fn a_level_is_looked_at_once_before_a_sleep() {
    let mut world = World::replay(&[Step::PeerConnect]);
    let level = (Interest::READABLE | Interest::WRITABLE).level();
    let registered = world.pipe.register(&mut world.kernel, Token(7), level);
    registered.expect("registered");
    world.kernel.peer_sends(b"a");
    let told = [world.next_told(), world.next_told()];
    let again = told.map(|told| told.is_some_and(|told| told.again));
    assert_eq!(again, [true, false]);
}

#[test]
fn an_event_tells_what_has_changed_alone() {
    let mut world = World::replay(REGISTER);
    let readiness = |told: Option<Told>| told.map(|told| told.readiness);
    assert_eq!(readiness(world.next_told()), Some(Readiness::WRITABLE));
    world.kernel.peer_sends(b"a");
    assert_eq!(readiness(world.next_told()), Some(Readiness::READABLE));
}

#[test]
fn a_client_that_nobody_waited_for_and_that_has_gone() {
    let mut world = World::replay(&[Step::RegisterBoth, Step::PeerConnect, Step::PeerClose]);
    assert_eq!(kind(read(&mut world, 1)), Some(ErrorKind::WouldBlock));
    assert!(world.next_told().is_some(), "reading goes on by an event");
    assert_eq!(read(&mut world, 1).expect("the end"), b"");
}

#[test]
fn one_shot_tells_once() {
    let mut world = World::replay(&[Step::PeerConnect]);
    let oneshot = Interest::READABLE.oneshot();
    for token in [Token(1), Token(2)] {
        let registered = world.pipe.register(&mut world.kernel, token, oneshot);
        registered.expect("registered");
        world.kernel.peer_sends(b"a");
        let told = world.next_told().expect("it is readable");
        assert_eq!((told.token, told.again), (token, false));
        assert_eq!(read(&mut world, 8).expect("a byte"), b"a");
        world.kernel.peer_sends(b"b");
        assert_eq!(world.next_told(), None);
        assert_eq!(read(&mut world, 8).expect("a byte"), b"b");
    }
}

#[test]
fn a_long_message_keeps_its_bytes_and_makes_reads_larger() {
    let mut world = World::replay(REGISTER);
    world.kernel.chunk = usize::MAX;
    let sent: Vec<u8> = (0..200_000u32).map(|n| n as u8).collect();
    world.kernel.peer_sends(&sent);
    let mut got = Vec::new();
    let mut largest = 0;
    while got.len() < sent.len() {
        while world.next_told().is_some() {}
        match read(&mut world, sent.len()) {
            Ok(bytes) => {
                largest = largest.max(bytes.len());
                got.extend(bytes);
            }
            Err(err) => assert_eq!(err.kind(), ErrorKind::WouldBlock),
        }
    }
    assert!(got == sent, "bytes were lost or came twice");
    assert_eq!(largest, LARGEST_READ);
}

#[test]
fn a_device_is_never_asked_for_much() {
    let mut pipe = Pipe::new(Kind {
        pipe: false,
        ..SERVER
    });
    let mut kernel = World::new().kernel;
    kernel.peer_connects();
    let registered = pipe.register(&mut kernel, Token(0), Interest::READABLE);
    registered.expect("registered");
    for _ in 0..3 {
        pipe.read_ended(&mut kernel, vec![0; FIRST_READ], End::Bytes(FIRST_READ));
        assert_eq!(pipe.read_size, FIRST_READ);
    }
}

#[test]
fn a_write_takes_a_bounded_part_unless_it_is_a_message() {
    for (messages, taken) in [(false, LARGEST_WRITE), (true, 300_000)] {
        let mut pipe = Pipe::new(Kind { messages, ..SERVER });
        let mut kernel = World::new().kernel;
        kernel.peer_connects();
        let halves = [IoSlice::new(&[1; 150_000]), IoSlice::new(&[2; 150_000])];
        let written = pipe.write(&mut kernel, &halves);
        assert_eq!(written.expect("accepted"), taken);
        let again = pipe.write(&mut kernel, &halves);
        assert_eq!(kind(again), Some(ErrorKind::WouldBlock));
    }
}

#[test]
fn an_empty_write_is_a_message_or_nothing() {
    for messages in [false, true] {
        let mut pipe = Pipe::new(Kind { messages, ..SERVER });
        let mut kernel = World::new().kernel;
        kernel.peer_connects();
        assert_eq!(pipe.write(&mut kernel, &[]).expect("accepted"), 0);
        assert_eq!(pipe.is_writing(), messages);
    }
}

#[test]
fn a_part_that_was_written_is_followed_by_the_rest() {
    let mut world = World::replay(REGISTER);
    let bytes = [IoSlice::new(b"abcd")];
    let written = world.pipe.write(&mut world.kernel, &bytes);
    assert_eq!(written.expect("accepted"), 4);
    world.kernel.takes_part(3);
    assert_eq!(world.next_told(), None, "a part is not the end");
    world.kernel.peer_takes();
    assert!(world.next_told().is_some());
    assert_eq!(world.kernel.received, b"abcd");
}

#[test]
fn a_failed_write_is_an_event_and_the_error_of_the_next_call() {
    let takers: [fn(&mut World) -> Option<ErrorKind>; 3] = [
        |world| world.pipe.take_error().map(|err| err.kind()),
        |world| world.pipe.take_write_error().map(|err| err.kind()),
        |world| kind(world.pipe.write(&mut world.kernel, &[IoSlice::new(b"x")])),
    ];
    for take in takers {
        let mut world = World::replay(REGISTER);
        let bytes = [IoSlice::new(b"abcd")];
        let written = world.pipe.write(&mut world.kernel, &bytes);
        written.expect("accepted");
        world.kernel.peer_closes();
        let mut all = Readiness::EMPTY;
        while let Some(told) = world.next_told() {
            all = all.or(told.readiness);
        }
        assert_eq!(all.or(Readiness::ERROR), all);
        assert_eq!(take(&mut world), Some(ErrorKind::BrokenPipe));
        assert!(world.pipe.take_error().is_none(), "it was taken");
    }
}

#[test]
fn closed_alone_hears_of_a_failed_write() {
    let mut world = World::replay(&[Step::PeerConnect]);
    let closed = Interest::CLOSED;
    let registered = world.pipe.register(&mut world.kernel, Token(3), closed);
    registered.expect("registered");
    assert_eq!(world.next_told(), None);
    let written = world.pipe.write(&mut world.kernel, &[IoSlice::new(b"x")]);
    written.expect("accepted");
    world.kernel.assert_no_read();
    world.kernel.peer_closes();
    let told = world.next_told().expect("an event");
    assert_eq!(told.readiness, Readiness::ERROR);
}

/// Who is told that it is closed may believe so for ever.
#[test]
fn an_end_is_final_for_a_client_and_not_for_a_server() {
    let closed = Readiness::READ_CLOSED.or(Readiness::WRITE_CLOSED);
    for server in [false, true] {
        let mut world = World::replay(&[]);
        world.pipe = Pipe::new(Kind { server, ..SERVER });
        world.step(Step::PeerConnect, &[]);
        world.step(Step::RegisterBoth, &[]);
        let written = world.pipe.write(&mut world.kernel, &[IoSlice::new(b"x")]);
        written.expect("accepted");
        world.kernel.peer_closes();
        let mut all = Readiness::EMPTY;
        while let Some(told) = world.next_told() {
            all = all.or(told.readiness);
        }
        let expected = Readiness::READABLE.or(Readiness::ERROR);
        assert_eq!(all.or(expected), all);
        assert_eq!(all.intersects(closed), !server);
    }
}

#[test]
fn a_failed_connect_is_an_event_and_an_error_to_take() {
    // Without a read that finds out that nobody is there.
    let mut world = World::replay(&[Step::RegisterWrite]);
    let connecting = world.pipe.connect(&mut world.kernel);
    assert_eq!(kind(connecting), Some(ErrorKind::WouldBlock));
    world.kernel.connect_fails();
    let told = world.next_told().expect("an event");
    assert_eq!(told.readiness, Readiness::WRITABLE.or(Readiness::ERROR));
    assert!(world.pipe.take_error().is_some());
    assert!(world.pipe.take_error().is_none());
    world.step(Step::RegisterWrite, &[]);
    assert_eq!(world.next_told(), None, "there is nobody to write to");
}

#[test]
fn a_connect_that_fails_at_once_is_an_error_now_or_later() {
    let mut world = World::replay(&[Step::RegisterBoth]);
    world.kernel.cannot_connect = true;
    let connecting = world.pipe.connect(&mut world.kernel);
    assert_eq!(kind(connecting), Some(ErrorKind::PermissionDenied));
    // One that must wait for the end of another.
    world.kernel.cannot_connect = false;
    for step in [Step::Connect, Step::Disconnect, Step::Connect] {
        world.step(step, &[]);
    }
    world.kernel.cannot_connect = true;
    let told = world.next_told().expect("an event");
    assert_eq!(told.readiness, Readiness::WRITABLE.or(Readiness::ERROR));
    let error = world.pipe.take_error().map(|err| err.kind());
    assert_eq!(error, Some(ErrorKind::PermissionDenied));
}

#[test]
fn a_registration_that_cannot_be_reported_is_none() {
    let mut world = World::replay(&[Step::PeerConnect]);
    world.kernel.cannot_post = true;
    let both = Interest::READABLE | Interest::WRITABLE;
    let registered = world.pipe.register(&mut world.kernel, Token(1), both);
    assert!(registered.is_err() && !world.pipe.is_registered());
    world.kernel.assert_no_read();
}
