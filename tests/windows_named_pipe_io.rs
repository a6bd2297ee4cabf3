//! Named pipes: amounts, messages, failures, and the handle.
#![cfg(all(windows, feature = "os-ext"))]

mod support;

use std::fs::OpenOptions;
use std::io::{ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::windows::fs::OpenOptionsExt;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, IntoRawHandle, OwnedHandle};

use mio::windows::{NamedPipe, NamedPipeOptions};
use mio::Interest;

use support::windows::{pipe_name, pipe_pair, Ends, BOTH, CLIENT, SERVER};
use support::{assert_kind, assert_would_block, expect_no_events, wait_until};

#[test]
fn a_mebibyte_arrives_whole() {
    let mut ends = Ends::new();
    let bytes: Vec<u8> = (0..1u32 << 20).map(|n| (n * 7 / 5) as u8).collect();
    assert!(ends.through(&bytes) == bytes, "bytes changed on the way");
}

#[test]
fn a_write_accepts_a_bounded_part() {
    let mut ends = Ends::new();
    let bytes = vec![1; 64 << 20];
    assert_eq!(ends.server.write(&bytes).expect("accepted"), 64 << 10);
    assert_would_block(ends.server.write(&bytes));
}

#[test]
fn messages_keep_their_bounds() {
    let mut options = NamedPipeOptions::new();
    options.message_mode(true);
    let mut ends = Ends::with(&options, BOTH);
    let messages: [&[u8]; 4] = [b"one", b"and two", b"3", &[4; 4000]];
    for message in messages {
        let written = ends.until(|ends| ends.server.write(message));
        assert_eq!(written.expect("accepted"), message.len());
        let mut buf = [0; 8000];
        let read = ends.until(|ends| ends.client.read(&mut buf));
        assert_eq!(&buf[..read.expect("a message")], message);
    }
}

#[test]
fn a_long_message_loses_nothing() {
    let mut options = NamedPipeOptions::new();
    options.message_mode(true);
    let mut ends = Ends::with(&options, BOTH);
    let message: Vec<u8> = (0..300_000u32).map(|n| (n / 3) as u8).collect();
    // One write, although it is large: half a message would be another one.
    let written = ends.server.write(&message).expect("accepted");
    assert_eq!(written, message.len());
    let (mut got, mut buf) = (Vec::new(), vec![0; 5000]);
    while got.len() < message.len() {
        let read = ends.until(|ends| ends.client.read(&mut buf));
        got.extend_from_slice(&buf[..read.expect("a part")]);
    }
    assert!(got == message, "bytes changed on the way");
    // The next message begins anew.
    let written = ends.until(|ends| ends.server.write(b"next"));
    written.expect("accepted");
    let read = ends.until(|ends| ends.client.read(&mut buf));
    assert_eq!(&buf[..read.expect("a message")], b"next");
}

#[test]
fn a_long_message_that_was_there_before() {
    let mut options = NamedPipeOptions::new();
    options.message_mode(true);
    let (mut poll, mut events) = support::poll_and_events();
    let (mut server, mut client) = pipe_pair(&options);
    let registry = poll.registry();
    registry
        .register(&mut server, SERVER, BOTH)
        .expect("registered");
    let message = [9; 30_000];
    assert_eq!(server.write(&message).expect("accepted"), message.len());
    wait_until(&mut poll, &mut events, "the write", |event| {
        event.token() == SERVER && event.is_writable()
    });
    // Its first part is read at once, and must be counted once.
    let registry = poll.registry();
    registry
        .register(&mut client, CLIENT, BOTH)
        .expect("registered");
    let mut ends = Ends {
        poll,
        events,
        server,
        client,
    };
    let (mut got, mut buf) = (Vec::new(), vec![0; 20_000]);
    while got.len() < message.len() {
        let read = ends.until(|ends| ends.client.read(&mut buf));
        got.extend_from_slice(&buf[..read.expect("a part")]);
    }
    assert!(got == message, "bytes changed on the way");
}

#[test]
fn several_buffers_at_once() {
    let mut ends = Ends::new();
    let parts = [IoSlice::new(b"ab"), IoSlice::new(b""), IoSlice::new(b"cde")];
    let written = ends.server.write_vectored(&parts).expect("accepted");
    assert_eq!(written, 5);
    let (mut one, mut other) = ([0; 3], [0; 3]);
    let read = ends.until(|ends| {
        let bufs = &mut [IoSliceMut::new(&mut one), IoSliceMut::new(&mut other)];
        ends.client.read_vectored(bufs)
    });
    assert_eq!(read.expect("all"), 5);
    assert_eq!((&one, &other[..2]), (b"abc", &b"de"[..]));
}

#[test]
fn nothing_is_read_that_nobody_asks_for() {
    let mut ends = Ends::with(&NamedPipeOptions::new(), Interest::WRITABLE);
    ends.server.write_all(b"untouched").expect("accepted");
    wait_until(&mut ends.poll, &mut ends.events, "the write", |event| {
        event.token() == SERVER && event.is_writable()
    });
    assert_would_block(ends.client.read(&mut [0; 16]));
    // Whoever has the handle next finds every byte.
    let mut pipe = NamedPipe::from(OwnedHandle::from(ends.client));
    let registry = ends.poll.registry();
    let registered = registry.register(&mut pipe, CLIENT, Interest::READABLE);
    // A handle that has its completion port already is refused.
    assert_kind(registered, ErrorKind::InvalidInput);
    let mut file = std::fs::File::from(OwnedHandle::from(pipe));
    let mut buf = [0; 16];
    let read = file.read(&mut buf).expect("what was never read");
    assert_eq!(&buf[..read], b"untouched");
}

#[test]
fn what_was_read_before_stays_when_interest_ends() {
    let mut ends = Ends::new();
    ends.server.write_all(b"kept").expect("accepted");
    wait_until(&mut ends.poll, &mut ends.events, "bytes", |event| {
        event.token() == CLIENT && event.is_readable()
    });
    let registry = ends.poll.registry();
    let changed = registry.reregister(&mut ends.client, CLIENT, Interest::WRITABLE);
    changed.expect("reregistered");
    let mut buf = [0; 16];
    let read = ends.client.read(&mut buf).expect("kept");
    assert_eq!(&buf[..read], b"kept");
}

#[test]
fn a_write_that_fails_later_is_an_event() {
    let mut ends = Ends::new();
    while !matches!(&ends.server.write(&[0; 1 << 16]), Err(error) if error.kind() == ErrorKind::WouldBlock)
    {
        expect_flushed(&mut ends);
    }
    let Ends {
        mut poll,
        mut events,
        mut server,
        client,
    } = ends;
    drop(client);
    wait_until(&mut poll, &mut events, "the failure", |event| {
        event.token() == SERVER && event.is_error() && !event.is_write_closed()
    });
    assert_kind(server.flush(), ErrorKind::BrokenPipe);
    server.flush().expect("it was taken");
    assert_kind(server.write(b"x"), ErrorKind::BrokenPipe);
}

/// Takes what is in the port.
fn expect_flushed(ends: &mut Ends) {
    let zero = Some(std::time::Duration::ZERO);
    ends.poll.poll(&mut ends.events, zero).expect("poll");
}

#[test]
fn one_way_pipes() {
    for server_reads in [false, true] {
        let name = pipe_name();
        let mut options = NamedPipeOptions::new();
        options.read(server_reads).write(!server_reads);
        let mut server = options.server(&name).expect("a server");
        options.read(!server_reads).write(server_reads);
        let mut client = options.client(&name).expect("a client");
        let (reader, writer) = match server_reads {
            true => (&mut server, &mut client),
            false => (&mut client, &mut server),
        };
        let (mut poll, mut events) = support::poll_and_events();
        let registry = poll.registry();
        let (readable, writable) = (Interest::READABLE, Interest::WRITABLE);
        registry.register(reader, SERVER, readable).expect("reader");
        registry.register(writer, CLIENT, writable).expect("writer");
        assert_eq!(writer.write(b"there").expect("accepted"), 5);
        wait_until(&mut poll, &mut events, "bytes", |event| {
            event.token() == SERVER && event.is_readable()
        });
        assert_eq!(reader.read(&mut [0; 8]).expect("bytes"), 5);
    }
}

#[test]
fn options_that_cannot_be() {
    let name = pipe_name();
    let mut options = NamedPipeOptions::new();
    assert_kind(options.client(&name), ErrorKind::NotFound);
    assert_kind(options.server("a\0b"), ErrorKind::InvalidInput);
    assert_kind(options.client("a\0b"), ErrorKind::InvalidInput);
    options.instances(1);
    let server = options.server(&name).expect("a server");
    let client = options.client(&name).expect("a client");
    // ERROR_PIPE_BUSY: the only instance has a client.
    assert_kind(options.client(&name), ErrorKind::WouldBlock);
    assert!(options.server(&name).is_err());
    // The pipe is there for as long as anybody has an end of it.
    drop((server, client));
    let _first = NamedPipe::new(&name).expect("the first instance");
    // Wine 8 does not know the flag.
    if !support::windows::is_wine() {
        assert_kind(NamedPipe::new(&name), ErrorKind::PermissionDenied);
    }
    options.read(false).write(false);
    assert_kind(options.server(&name), ErrorKind::InvalidInput);
    assert_kind(options.client(&name), ErrorKind::InvalidInput);
}

#[test]
fn handles_come_and_go() {
    const FILE_FLAG_OVERLAPPED: u32 = 0x4000_0000;
    let name = pipe_name();
    let server = NamedPipe::new(&name).expect("a server");
    let mut file = OpenOptions::new();
    file.read(true)
        .write(true)
        .custom_flags(FILE_FLAG_OVERLAPPED);
    let client = NamedPipe::from(OwnedHandle::from(file.open(&name).expect("a client")));
    let (raw, borrowed) = (server.as_raw_handle(), server.as_handle().as_raw_handle());
    assert_eq!(raw, borrowed);
    assert_eq!(server.into_raw_handle(), raw);
    #[allow(unsafe_code)]
    // SAFETY: the handle was given away just now.
    let server = unsafe { NamedPipe::from_raw_handle(raw) };
    let (poll, events) = support::poll_and_events();
    let mut ends = Ends {
        poll,
        events,
        server,
        client,
    };
    let registry = ends.poll.registry();
    registry
        .register(&mut ends.server, SERVER, BOTH)
        .expect("registered");
    registry
        .register(&mut ends.client, CLIENT, BOTH)
        .expect("registered");
    assert_eq!(ends.through(b"over"), b"over");
}

#[test]
fn a_handle_is_given_away_while_it_is_read_and_written() {
    let mut ends = Ends::new();
    let bytes = vec![7; 1 << 16];
    while ends.server.write(&bytes).is_ok() {
        expect_flushed(&mut ends);
    }
    // A write is under way, and a read.
    let handle = OwnedHandle::from(ends.server);
    let mut got = 0;
    let mut buf = vec![0; 1 << 16];
    while got < 1 << 16 {
        match ends.client.read(&mut buf) {
            Ok(count) => got += count,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                ends.poll.poll(&mut ends.events, None).expect("poll");
            }
        }
        let stale = ends.events.iter().any(|event| event.token() == SERVER);
        assert!(!stale, "an event of a pipe that was given away");
    }
    drop(handle);
}

#[test]
fn both_ends_of_a_pair_are_silent_when_idle() {
    let mut ends = Ends::with(&NamedPipeOptions::new(), Interest::READABLE);
    expect_no_events(&mut ends.poll, &mut ends.events);
    drop(pipe_pair(&NamedPipeOptions::new()));
    expect_no_events(&mut ends.poll, &mut ends.events);
}
