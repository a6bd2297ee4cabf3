//! Named pipes: connecting, reading, writing, and the end.
#![cfg(all(windows, feature = "os-ext"))]

mod support;

use std::io::{ErrorKind, Read, Write};

use mio::event::Event;
use mio::windows::{NamedPipe, NamedPipeOptions};
use mio::{Interest, Poll, Token};

use support::windows::{pipe_name, pipe_pair, Ends, BOTH, CLIENT, SERVER};
use support::{
    assert_kind, assert_send_sync, assert_would_block, expect_events, expect_no_events,
    poll_and_events, wait_for,
};

const _: fn() = assert_send_sync::<NamedPipe>;

#[test]
fn both_ends_are_writable_at_first() {
    let mut ends = Ends::new();
    expect_events(
        &mut ends.poll,
        &mut ends.events,
        &[
            (SERVER, |event| event.is_writable() && !event.is_readable()),
            (CLIENT, |event| event.is_writable() && !event.is_readable()),
        ],
    );
    expect_no_events(&mut ends.poll, &mut ends.events);
}

#[test]
fn what_is_written_is_read() {
    let mut ends = Ends::new();
    assert_would_block(ends.client.read(&mut [0; 8]));
    assert_eq!(ends.server.write(b"1234").expect("accepted"), 4);
    expect_events(
        &mut ends.poll,
        &mut ends.events,
        &[(CLIENT, |event| event.is_readable())],
    );
    let mut buf = [0; 8];
    assert_eq!(ends.client.read(&mut buf[..3]).expect("a part"), 3);
    assert_eq!(ends.client.read(&mut buf[3..]).expect("the rest"), 1);
    assert_eq!(&buf[..4], b"1234");
    assert_would_block(ends.client.read(&mut buf));
}

#[test]
fn a_second_write_waits_for_the_first() {
    let mut ends = Ends::new();
    assert_eq!(ends.server.write(b"one").expect("accepted"), 3);
    assert_would_block(ends.server.write(b"two"));
    let mut buf = [0; 8];
    let read = ends.until(|ends| ends.client.read(&mut buf));
    assert_eq!(&buf[..read.expect("read")], b"one");
    let written = ends.until(|ends| ends.server.write(b"two"));
    assert_eq!(written.expect("accepted"), 3);
}

#[test]
fn waiting_for_a_client() {
    let (mut poll, mut events) = poll_and_events();
    let name = pipe_name();
    let mut server = NamedPipe::new(&name).expect("a server");
    let registry = poll.registry();
    let registered = registry.register(&mut server, SERVER, BOTH);
    registered.expect("registered");
    expect_no_events(&mut poll, &mut events);
    assert_would_block(server.connect());
    assert_would_block(server.connect());
    assert_would_block(server.read(&mut [0; 8]));
    assert_would_block(server.write(b"too early"));
    expect_no_events(&mut poll, &mut events);

    let mut client = NamedPipeOptions::new().client(&name).expect("a client");
    wait_for(&mut poll, &mut events, SERVER, "w");
    server.connect().expect("there is a client");
    assert!(server.take_error().expect("no error").is_none());
    let registry = poll.registry();
    let registered = registry.register(&mut client, CLIENT, BOTH);
    registered.expect("registered");
    let mut ends = Ends {
        poll,
        events,
        server,
        client,
    };
    assert_eq!(ends.through(b"hello"), b"hello");
}

#[test]
fn a_client_that_was_faster() {
    let (mut poll, mut events) = poll_and_events();
    let (mut server, client) = pipe_pair(&NamedPipeOptions::new());
    let registry = poll.registry();
    let registered = registry.register(&mut server, SERVER, BOTH);
    registered.expect("registered");
    server.connect().expect("there is a client");
    wait_for(&mut poll, &mut events, SERVER, "w");
    drop(client);
}

#[test]
fn a_client_that_has_come_and_gone() {
    let (mut poll, mut events) = poll_and_events();
    let (mut server, client) = pipe_pair(&NamedPipeOptions::new());
    drop(client);
    let registry = poll.registry();
    let registered = registry.register(&mut server, SERVER, BOTH);
    registered.expect("registered");
    server.connect().expect("there was a client");
    support::wait_until(&mut poll, &mut events, "the end", Event::is_readable);
    // Another one may come.
    assert!(!events.iter().any(is_closed));
    assert_eq!(server.read(&mut [0; 8]).expect("the end"), 0);
    assert_eq!(server.read(&mut [0; 8]).expect("the end"), 0);
}

fn is_closed(event: &Event) -> bool {
    event.is_read_closed() || event.is_write_closed()
}

#[test]
fn a_server_that_is_gone() {
    let mut ends = Ends::new();
    drop(ends.server);
    support::wait_until(&mut ends.poll, &mut ends.events, "the end", |event| {
        event.is_readable() && event.is_read_closed() && event.is_write_closed()
    });
    assert_eq!(ends.client.read(&mut [0; 8]).expect("the end"), 0);
}

#[test]
fn the_end_comes_after_the_bytes() {
    let mut ends = Ends::new();
    assert_eq!(ends.client.write(b"last words").expect("accepted"), 10);
    let Ends {
        mut poll,
        mut events,
        mut server,
        client,
    } = ends;
    // Its last write goes on, and only then is it closed.
    drop(client);
    let mut got = Vec::new();
    loop {
        match server.read_to_end(&mut got) {
            Ok(_) => break,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        poll.poll(&mut events, None).expect("poll");
    }
    assert_eq!(got, b"last words");
    assert_kind(server.write(b"!"), ErrorKind::BrokenPipe);
}

#[test]
fn a_second_client() {
    let (poll, events) = poll_and_events();
    let name = pipe_name();
    let mut server = NamedPipe::new(&name).expect("a server");
    let options = NamedPipeOptions::new();
    let mut client = options.client(&name).expect("a client");
    let registry = poll.registry();
    let registered = registry.register(&mut server, SERVER, BOTH);
    registered.expect("registered");
    let registered = registry.register(&mut client, CLIENT, BOTH);
    registered.expect("registered");
    let mut ends = Ends {
        poll,
        events,
        server,
        client,
    };
    for round in 0..5 {
        let bytes = [b'a' + round; 100];
        assert_eq!(ends.through(&bytes), bytes);
        // What the first client did not read, the next one must not get.
        let _ = ends.server.write(b"left over");
        ends.server.disconnect().expect("disconnected");
        assert_would_block(ends.server.connect());
        let mut next = options.client(&name).expect("another client");
        let registry = ends.poll.registry();
        let registered = registry.register(&mut next, CLIENT, BOTH);
        registered.expect("registered");
        ends.client = next;
        ends.until(|ends| ends.server.connect()).expect("connected");
    }
}

#[test]
fn waiting_ends_with_a_disconnect() {
    let (mut poll, mut events) = poll_and_events();
    let name = pipe_name();
    let mut server = NamedPipe::new(&name).expect("a server");
    let registry = poll.registry();
    let registered = registry.register(&mut server, SERVER, BOTH);
    registered.expect("registered");
    for _ in 0..3 {
        assert_would_block(server.connect());
        server.disconnect().expect("disconnected");
    }
    assert_would_block(server.connect());
    // The server listens again once the end of the first was dequeued.
    expect_no_events(&mut poll, &mut events);
    let _client = NamedPipeOptions::new().client(&name).expect("a client");
    support::wait_until(&mut poll, &mut events, "a client", |event| {
        event.token() == SERVER && event.is_writable()
    });
    assert!(server.take_error().expect("no error").is_none());
}

#[test]
fn before_the_first_registration() {
    let (mut server, _client) = pipe_pair(&NamedPipeOptions::new());
    assert_would_block(server.read(&mut [0; 8]));
    assert_would_block(server.write(b"early"));
    assert_kind(server.connect(), ErrorKind::NotFound);
    server.flush().expect("nothing to flush");
    assert!(server.take_error().expect("no error").is_none());
    server.disconnect().expect("disconnected");
}

/// Whose length 32 bits do not hold. Memory that nobody touches is not there.
#[cfg(target_pointer_width = "64")]
#[test]
fn a_buffer_of_more_than_four_gibibytes() {
    use std::alloc::{alloc_zeroed, dealloc, Layout};
    let layout = Layout::array::<u8>((1 << 32) + 1).expect("a layout");
    #[allow(unsafe_code)]
    // SAFETY: the layout is not empty.
    let start = unsafe { alloc_zeroed(layout) };
    if start.is_null() {
        eprintln!("skipped: there is not so much memory");
        return;
    }
    #[allow(unsafe_code)]
    // SAFETY: it was allocated with this length, and zeros are bytes.
    let buf = unsafe { std::slice::from_raw_parts_mut(start, layout.size()) };
    let mut ends = Ends::new();
    assert_eq!(ends.server.write(buf).expect("accepted"), 64 << 10);
    let read = ends.until(|ends| ends.client.read(buf));
    assert!(read.expect("bytes") > 0);
    #[allow(unsafe_code)]
    // SAFETY: as it was allocated, and not used after this.
    unsafe {
        dealloc(start, layout);
    }
}

#[test]
fn mistakes_of_registration() {
    let (poll, other) = (Poll::new().expect("a queue"), Poll::new().expect("a queue"));
    let (registry, other) = (poll.registry(), other.registry());
    let (mut pipe, _client) = pipe_pair(&NamedPipeOptions::new());
    let (token, both) = (Token(1), BOTH);
    assert_kind(
        registry.reregister(&mut pipe, token, both),
        ErrorKind::NotFound,
    );
    assert_kind(registry.deregister(&mut pipe), ErrorKind::NotFound);
    registry
        .register(&mut pipe, token, both)
        .expect("registered");
    let exists = ErrorKind::AlreadyExists;
    assert_kind(registry.register(&mut pipe, token, both), exists);
    assert_kind(other.register(&mut pipe, token, both), exists);
    assert_kind(other.reregister(&mut pipe, token, both), exists);
    assert_kind(other.deregister(&mut pipe), exists);
    registry.deregister(&mut pipe).expect("deregistered");
    // The completion port is for ever.
    assert_kind(other.register(&mut pipe, token, both), exists);
    assert_kind(
        registry.reregister(&mut pipe, token, both),
        ErrorKind::NotFound,
    );
    registry
        .register(&mut pipe, token, Interest::READABLE)
        .expect("registered again");
}
