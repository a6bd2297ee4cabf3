//! What one call of `poll` returns, and what it leaves for the next.
#![cfg(all(
    any(unix, windows),
    feature = "os-poll",
    feature = "net",
    feature = "os-ext"
))]

mod support;

use std::io::Write;
use std::time::Duration;

use mio::event::Event;
use mio::{Events, Interest, Poll, Registry, Token};
use support::{
    assert_send_sync, collect, every_pair, expect_events, expect_no_events, poll_and_events, raw,
    stream_pair, tells_end, Pair, RawSource, Stream, HANG_GUARD,
};

const READER: Token = Token(1);
const WRITER: Token = Token(2);

every_pair!(both_ends_in_one_queue, events_are_cleared_by_the_next_poll);

/// A kernel that is asked for many events at once gives them at once.
#[cfg(target_os = "linux")]
#[test]
fn a_large_buffer_is_filled_by_one_poll() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(1000);
    let mut sockets: Vec<_> = (0..300)
        .map(|_| mio::net::UnixDatagram::unbound().unwrap())
        .collect();
    for socket in &mut sockets {
        poll.registry()
            .register(socket, WRITER, Interest::WRITABLE)
            .unwrap();
    }
    poll.poll(&mut events, Some(HANG_GUARD)).unwrap();
    assert_eq!(events.iter().count(), sockets.len());
}

fn both_ends_in_one_queue<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut writer, WRITER, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut reader, READER, Interest::READABLE)
        .unwrap();
    writer.write_all(b"x").unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(WRITER, Event::is_writable), (READER, Event::is_readable)],
    );
}

fn events_are_cleared_by_the_next_poll<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, _reader) = P::connected();
    poll.registry()
        .register(&mut writer, WRITER, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(WRITER, Event::is_writable)]);
    poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
    assert!(events.is_empty());
}

#[test]
fn nothing_registered_is_nothing_ready() {
    let (mut poll, mut events) = poll_and_events();
    expect_no_events(&mut poll, &mut events);
}

/// `count` streams that are writable from the start, registered under tokens from zero.
fn writable_streams(poll: &Poll, count: usize) -> Vec<Stream> {
    let mut streams = Vec::new();
    while streams.len() < count {
        let (one, other) = stream_pair();
        streams.extend([one, other]);
    }
    for (index, stream) in streams.iter_mut().enumerate() {
        poll.registry()
            .register(stream, Token(index), Interest::WRITABLE)
            .unwrap();
    }
    streams
}

#[test]
fn never_more_events_than_capacity_and_none_lost() {
    for capacity in [1, 2, 3, 5, 8, 9] {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(capacity);
        let _streams = writable_streams(&poll, 8);
        let mut seen = Vec::new();
        loop {
            let batch = collect(&mut poll, &mut events);
            if batch.is_empty() {
                break;
            }
            assert!(batch.len() <= capacity, "{batch:?}");
            seen.extend(batch.into_iter().map(|(token, _)| token.0));
        }
        seen.sort_unstable();
        assert_eq!(seen, (0..8).collect::<Vec<_>>(), "capacity {capacity}");
    }
}

#[test]
fn capacity_one_serves_busy_sources_in_turn() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(1);
    let (mut busy, mut busy_peer) = stream_pair();
    let (mut quiet, mut quiet_peer) = stream_pair();
    poll.registry()
        .register(&mut busy, Token(0), Interest::READABLE)
        .unwrap();
    poll.registry()
        .register(&mut quiet, Token(1), Interest::READABLE)
        .unwrap();
    busy_peer.write_all(b"x").unwrap();
    quiet_peer.write_all(b"x").unwrap();
    let mut order = Vec::new();
    for _ in 0..2 {
        busy_peer.write_all(b"x").unwrap();
        order.extend(
            collect(&mut poll, &mut events)
                .into_iter()
                .map(|(token, _)| token.0),
        );
    }
    assert_eq!(
        order,
        [0, 1],
        "new data on one source must not push back another"
    );
}

#[test]
fn readiness_of_both_directions_comes_together_or_apart() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    other.write_all(b"x").unwrap();
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut one, READER, both).unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(READER, Event::is_readable), (READER, Event::is_writable)],
    );
}

#[test]
fn one_descriptor_in_two_queues_wakes_both() {
    let (mut first, mut first_events) = poll_and_events();
    let (mut second, mut second_events) = poll_and_events();
    let (one, mut other) = stream_pair();
    let source = raw(&one);
    first
        .registry()
        .register(&mut RawSource(&source), READER, Interest::READABLE)
        .unwrap();
    second
        .registry()
        .register(&mut RawSource(&source), WRITER, Interest::READABLE)
        .unwrap();
    other.write_all(b"x").unwrap();
    expect_events(
        &mut first,
        &mut first_events,
        &[(READER, Event::is_readable)],
    );
    expect_events(
        &mut second,
        &mut second_events,
        &[(WRITER, Event::is_readable)],
    );
}

#[test]
fn events_buffer_serves_several_queues() {
    let (mut first, mut events) = poll_and_events();
    let mut second = Poll::new().unwrap();
    let _first_streams = writable_streams(&first, 4);
    let _second_streams = writable_streams(&second, 2);
    first.poll(&mut events, Some(HANG_GUARD)).unwrap();
    assert_eq!(events.iter().count(), 4);
    second.poll(&mut events, Some(HANG_GUARD)).unwrap();
    assert_eq!(events.iter().count(), 2);
}

#[test]
fn registration_takes_a_shared_queue() {
    fn register_anywhere(registry: &Registry) -> Stream {
        let (mut one, _) = stream_pair();
        registry
            .register(&mut one, READER, Interest::READABLE)
            .unwrap();
        one
    }
    let (mut poll, mut events) = poll_and_events();
    let _kept = register_anywhere(poll.registry());
    expect_events(&mut poll, &mut events, &[(READER, tells_end)]);
}

#[test]
fn everything_crosses_threads() {
    assert_send_sync::<Poll>();
    assert_send_sync::<Registry>();
    assert_send_sync::<Events>();
    assert_send_sync::<Event>();
    assert_send_sync::<Token>();
    assert_send_sync::<Interest>();
}

#[cfg(target_os = "linux")]
#[cfg(not(mio_unsupported_force_poll_poll))] // That queue is no descriptor.
#[test]
fn queue_closes_on_exec() {
    let poll = Poll::new().unwrap();
    assert!(support::is_close_on_exec(&poll.registry()));
    assert_eq!(
        support::is_close_on_exec(&poll.registry().try_clone().unwrap()),
        support::is_close_on_exec(&poll.registry())
    );
    assert!(std::os::fd::AsRawFd::as_raw_fd(&poll) >= 0);
}
