//! Sources, queues and registries may go in any order.
//!
//! Nothing here starts a process: for the moment between its fork and its exec a child holds every
//! descriptor open that a test has just dropped.
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

mod support;

#[cfg(all(unix, not(mio_unsupported_force_poll_poll)))]
use std::io::ErrorKind;
use std::io::{Read, Write};
#[cfg(all(unix, not(mio_unsupported_force_poll_poll)))]
use std::os::fd::AsFd;

use mio::event::Event;
use mio::{Interest, Poll, Token};
use support::{
    every_pair, expect_events, expect_no_events, poll_and_events, raw, stream_pair, tells_end,
    Pair, RawSource,
};

const OLD: Token = Token(1);
const NEW: Token = Token(2);

every_pair!(
    dropped_source_is_silent,
    peer_sees_the_drop_at_once,
    source_outlives_its_queue
);

fn dropped_source_is_silent<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    writer.write_all(b"pending").unwrap();
    drop(reader);
    expect_no_events(&mut poll, &mut events);
}

fn peer_sees_the_drop_at_once<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut writer, OLD, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut reader, NEW, Interest::READABLE)
        .unwrap();
    drop(writer);
    expect_events(&mut poll, &mut events, &[(NEW, tells_end)]);
    assert_eq!(reader.read(&mut [0]).unwrap(), 0);
}

fn source_outlives_its_queue<P: Pair>() {
    let (mut writer, mut reader) = P::connected();
    let poll = Poll::new().unwrap();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    drop(poll);
    writer.write_all(b"x").unwrap();
    assert_eq!(reader.read(&mut [0; 4]).unwrap(), 1);
}

#[test]
fn borrowed_descriptor_is_not_closed() {
    let (mut poll, mut events) = poll_and_events();
    let (one, mut other) = stream_pair();
    let number = raw(&one);
    let mut source = RawSource(&number);
    poll.registry()
        .register(&mut source, OLD, Interest::READABLE)
        .unwrap();
    other.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    assert_eq!((&one).read(&mut [0; 4]).unwrap(), 1);
    // Registered by number: another value that names the same number speaks for it.
    poll.registry().deregister(&mut RawSource(&number)).unwrap();
}

/// The hazard that `deregister` is there for: while a duplicate keeps the socket open, the
/// kernel goes on to report it, and nobody can name it any more. With poll(2) the table is ours, and
/// a source leaves it when it is dropped.
#[cfg(all(unix, not(mio_unsupported_force_poll_poll)))]
#[test]
fn duplicate_keeps_a_dropped_source_alive() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::READABLE)
        .unwrap();
    let duplicate = one.as_fd().try_clone_to_owned().unwrap();
    drop(one);
    other.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    drop(duplicate);
    assert_eq!(other.write(b"x").unwrap_err().kind(), ErrorKind::BrokenPipe);
    expect_no_events(&mut poll, &mut events);
}
