//! `reregister` replaces token and interest and looks at the source afresh.
#![cfg(all(
    any(unix, windows),
    feature = "os-poll",
    feature = "net",
    feature = "os-ext"
))]

mod support;

use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::net::TcpListener;
use mio::{Interest, Poll, Token};
use support::{
    assert_kind, assert_misuse, assert_would_block, collect, every_pair, expect_events,
    expect_no_events, localhost, poll_and_events, stream_pair, Pair, ENOENT,
};

const OLD: Token = Token(1);
const NEW: Token = Token(2);

every_pair!(
    standing_readiness_is_reported_again,
    token_is_replaced,
    interest_is_replaced,
    drained_reader_is_reported_for_each_arrival,
    undrained_reader_is_not_reported_twice,
);

#[cfg(not(any(mio_unsupported_force_poll_poll, windows)))]
mod kernel_edges {
    use super::undrained_reader_is_reported_for_each_arrival;
    use super::{every_pair, partial_read_then_new_data_is_a_new_edge};

    every_pair!(
        partial_read_then_new_data_is_a_new_edge,
        undrained_reader_is_reported_for_each_arrival,
    );
}

fn standing_readiness_is_reported_again<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    writer.write_all(b"unread").unwrap();
    for _ in 0..3 {
        expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
        expect_no_events(&mut poll, &mut events);
        poll.registry()
            .reregister(&mut reader, OLD, Interest::READABLE)
            .unwrap();
    }
}

fn token_is_replaced<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    writer.write_all(b"x").unwrap();
    // The event that is pending under the old token must come under the new one only.
    poll.registry()
        .reregister(&mut reader, NEW, Interest::READABLE)
        .unwrap();
    support::wait_until(&mut poll, &mut events, "event of the new token", |event| {
        assert_ne!(event.token(), OLD);
        event.token() == NEW
    });
}

fn interest_is_replaced<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, _reader) = P::connected();
    poll.registry()
        .register(&mut writer, OLD, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    poll.registry()
        .reregister(&mut writer, OLD, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_writable)]);
    poll.registry()
        .reregister(&mut writer, OLD, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
}

/// Callers skip the read that would end in `WouldBlock` after a short read: they rely on this
/// where the kernel has edges. Where they are made by `WouldBlock`, there is none without it.
#[cfg(not(any(mio_unsupported_force_poll_poll, windows)))]
fn partial_read_then_new_data_is_a_new_edge<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    writer.write_all(b"four").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    assert_eq!(reader.read(&mut [0; 2]).unwrap(), 2);
    expect_no_events(&mut poll, &mut events);
    writer.write_all(b"more").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    assert_eq!(reader.read(&mut [0; 16]).unwrap(), 6);
    assert_would_block(reader.read(&mut [0; 16]));
}

/// What every backend must give.
fn drained_reader_is_reported_for_each_arrival<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    for _ in 0..3 {
        writer.write_all(b"four").unwrap();
        expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
        assert_eq!(reader.read(&mut [0; 2]).unwrap(), 2);
        expect_no_events(&mut poll, &mut events);
        assert_eq!(reader.read(&mut [0; 16]).unwrap(), 2);
        assert_would_block(reader.read(&mut [0; 16]));
    }
}

fn undrained_reader_is_not_reported_twice<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    writer.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    expect_no_events(&mut poll, &mut events);
}

/// As above: a matter of kernels with edges.
#[cfg(not(any(mio_unsupported_force_poll_poll, windows)))]
fn undrained_reader_is_reported_for_each_arrival<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OLD, Interest::READABLE)
        .unwrap();
    for _ in 0..3 {
        writer.write_all(b"x").unwrap();
        expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    }
}

/// An event already fetched may still name a source that the caller has deregistered since; what
/// holds is that no later poll does.
#[test]
fn batch_in_hand_may_name_a_deregistered_source_but_no_later_poll_does() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    let (mut one_more, mut other_more) = stream_pair();
    for (source, token) in [(&mut one, Token(10)), (&mut one_more, Token(11))] {
        poll.registry()
            .register(source, token, Interest::READABLE)
            .unwrap();
    }
    other.write_all(b"x").unwrap();
    other_more.write_all(b"x").unwrap();
    poll.poll(&mut events, Some(support::HANG_GUARD)).unwrap();
    let batch: Vec<Token> = events.iter().map(Event::token).collect();
    assert_eq!(batch, [Token(10), Token(11)]);

    // While the first event is handled, the source of the second goes.
    poll.registry().deregister(&mut one_more).unwrap();
    assert_eq!(events.iter().nth(1).map(Event::token), Some(Token(11)));

    other.write_all(b"x").unwrap();
    other_more.write_all(b"x").unwrap();
    for _ in 0..3 {
        let seen = collect(&mut poll, &mut events);
        assert!(
            seen.iter().all(|(token, _)| *token != Token(11)),
            "{seen:?}"
        );
    }
}

#[test]
fn unregistered_source_cannot_be_reregistered() {
    let poll = Poll::new().unwrap();
    let mut listener = TcpListener::bind(localhost()).unwrap();
    let result = poll
        .registry()
        .reregister(&mut listener, OLD, Interest::READABLE);
    let error = assert_kind(result, ErrorKind::NotFound);
    assert_misuse(&error, "I/O source not registered with `Registry`", ENOENT);
}

#[test]
fn another_poll_cannot_reregister() {
    let (mut poll, mut events) = poll_and_events();
    let stranger = Poll::new().unwrap();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, OLD, Interest::READABLE)
        .unwrap();

    let result = stranger
        .registry()
        .reregister(&mut one, NEW, Interest::READABLE);
    if cfg!(debug_assertions) || !support::IS_EPOLL {
        let error = assert_kind(result, ErrorKind::AlreadyExists);
        assert_eq!(
            error.to_string(),
            "I/O source already registered with a different `Registry`"
        );
    } else {
        support::assert_os_error(result, ENOENT);
    }

    other.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OLD, Event::is_readable)]);
    poll.registry().deregister(&mut one).unwrap();
}
