//! Defects of the queue that mio 1.2.5 makes of poll(2). Each test fails there with
//! `--cfg mio_unsupported_force_poll_poll`; what is asked holds for every queue.
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

mod support;

use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream as StdStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UnixStream;
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};
use support::{
    assert_would_block, collect, expect_events, expect_no_event_of, poll_and_events, HANG_GUARD,
};

const WAKE: Token = Token(1);
const SOURCE: Token = Token(2);
const OTHER: Token = Token(3);

/// mio #1874: what interrupts the poller for a change was acknowledged together with the wake.
#[test]
fn mio_1874_a_change_does_not_eat_a_wake() {
    let (mut poll, mut events) = poll_and_events();
    let waker = Waker::new(poll.registry(), WAKE).unwrap();
    let (mut one, _other) = UnixStream::pair().unwrap();
    type Change = fn(&Poll, &mut UnixStream) -> std::io::Result<()>;
    let changes: [Change; 3] = [
        |poll, one| poll.registry().register(one, SOURCE, Interest::READABLE),
        |poll, one| poll.registry().reregister(one, OTHER, Interest::READABLE),
        |poll, one| poll.registry().deregister(one),
    ];
    for change in changes {
        waker.wake().unwrap();
        change(&poll, &mut one).unwrap();
        let seen = collect(&mut poll, &mut events);
        assert_eq!(seen, [(WAKE, "r".to_owned())]);
    }
}

/// Was heard once: its bit was taken out of the set, and only sources of mio's own put it back.
#[test]
fn a_raw_descriptor_is_heard_again() {
    let (mut poll, mut events) = poll_and_events();
    let (mut reader, mut writer) = StdStream::pair().unwrap();
    reader.set_nonblocking(true).unwrap();
    let fd = reader.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(&fd), SOURCE, Interest::READABLE)
        .unwrap();
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        expect_events(&mut poll, &mut events, &[(SOURCE, Event::is_readable)]);
        assert_eq!(reader.read(&mut [0; 8]).unwrap(), 1);
        assert_would_block(reader.read(&mut [0; 8]));
    }
}

/// Began anew with each change from another thread, so that it had no end under steady changes.
#[test]
fn changes_do_not_postpone_the_end_of_a_poll() {
    let (mut poll, mut events) = poll_and_events();
    let registry = poll.registry().try_clone().unwrap();
    let has_ended = AtomicBool::new(false);
    thread::scope(|scope| {
        let has_ended = &has_ended;
        let churn = scope.spawn(move || {
            let give_up_at = Instant::now() + HANG_GUARD;
            let (mut one, _other) = UnixStream::pair().unwrap();
            while !has_ended.load(Ordering::SeqCst) {
                if Instant::now() > give_up_at {
                    return false;
                }
                registry
                    .register(&mut one, SOURCE, Interest::READABLE)
                    .unwrap();
                registry.deregister(&mut one).unwrap();
            }
            true
        });
        let result = poll.poll(&mut events, Some(Duration::from_millis(200)));
        has_ended.store(true, Ordering::SeqCst);
        result.unwrap();
        assert!(churn.join().unwrap(), "the poll had no end of its own");
        assert!(events.is_empty());
    });
}

/// All that was ready came at once, whatever the room.
#[test]
fn no_more_events_come_than_there_is_room_for() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(2);
    let mut pairs: Vec<_> = (0..5).map(|_| UnixStream::pair().unwrap()).collect();
    for (index, (one, _)) in pairs.iter_mut().enumerate() {
        poll.registry()
            .register(one, Token(index), Interest::WRITABLE)
            .unwrap();
    }
    let mut seen = Vec::new();
    for _ in 0..3 {
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.iter().count() <= 2, "{events:?}");
        seen.extend(events.iter().map(|event| event.token().0));
    }
    seen.sort_unstable();
    assert_eq!(seen, [0, 1, 2, 3, 4]);
}

/// Was taken out of the set when its peer hung up, so that the next change did not find it.
#[test]
fn a_hung_up_descriptor_stays_registered() {
    let (mut poll, mut events) = poll_and_events();
    let (reader, writer) = StdStream::pair().unwrap();
    let fd = reader.as_raw_fd();
    let mut source = SourceFd(&fd);
    poll.registry()
        .register(&mut source, SOURCE, Interest::READABLE)
        .unwrap();
    drop(writer);
    expect_events(&mut poll, &mut events, &[(SOURCE, Event::is_read_closed)]);
    poll.registry()
        .reregister(&mut source, OTHER, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OTHER, Event::is_read_closed)]);
    poll.registry().deregister(&mut source).unwrap();
    expect_no_event_of(&mut poll, &mut events, OTHER);
}
