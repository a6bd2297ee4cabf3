//! What `register` and `deregister` do, and what they answer to misuse.
#![cfg(all(
    any(unix, windows),
    feature = "os-poll",
    feature = "net",
    feature = "os-ext"
))]

mod support;

#[cfg(all(target_os = "linux", not(mio_unsupported_force_poll_poll)))]
use std::fs::File;
use std::io::{ErrorKind, Write};
#[cfg(unix)]
use std::os::fd::AsRawFd;

use mio::event::{Event, Source};
use mio::net::{TcpListener, UdpSocket};
#[cfg(unix)]
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};
use support::{
    assert_kind, assert_misuse, every_pair, expect_events, expect_no_events, localhost,
    poll_and_events, stream_pair, Pair, EEXIST, ENOENT,
};

#[cfg(unix)]
use support::assert_os_error;

const FIRST: Token = Token(7);
const SECOND: Token = Token(usize::MAX);

every_pair!(
    readiness_before_register_is_reported,
    readiness_after_register_is_reported,
    deregistered_source_is_silent,
    deregistered_source_registers_again,
    interest_limits_what_is_reported,
);

fn readiness_before_register_is_reported<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    writer.write_all(b"early").unwrap();
    poll.registry()
        .register(&mut reader, FIRST, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(FIRST, Event::is_readable)]);
}

fn readiness_after_register_is_reported<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, FIRST, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    writer.write_all(b"late").unwrap();
    expect_events(&mut poll, &mut events, &[(FIRST, Event::is_readable)]);
}

fn deregistered_source_is_silent<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, FIRST, Interest::READABLE)
        .unwrap();
    poll.registry()
        .register(&mut writer, SECOND, Interest::WRITABLE)
        .unwrap();
    writer.write_all(b"pending").unwrap();
    poll.registry().deregister(&mut reader).unwrap();
    poll.registry().deregister(&mut writer).unwrap();
    expect_no_events(&mut poll, &mut events);
}

fn deregistered_source_registers_again<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, FIRST, Interest::READABLE)
        .unwrap();
    poll.registry().deregister(&mut reader).unwrap();
    poll.registry()
        .register(&mut reader, SECOND, Interest::READABLE)
        .unwrap();
    writer.write_all(b"again").unwrap();
    expect_events(&mut poll, &mut events, &[(SECOND, Event::is_readable)]);
}

fn interest_limits_what_is_reported<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, _reader) = P::connected();
    poll.registry()
        .register(&mut writer, FIRST, Interest::READABLE)
        .unwrap();
    // Writable since it was made, yet nobody asked.
    expect_no_events(&mut poll, &mut events);
}

#[test]
fn any_token_comes_back_whole() {
    let (mut poll, mut events) = poll_and_events();
    for value in [
        0,
        1,
        1 << 31,
        u32::MAX as usize,
        usize::MAX - 1,
        usize::MAX,
        1 << (usize::BITS - 1),
    ] {
        let (mut one, _other) = stream_pair();
        poll.registry()
            .register(&mut one, Token(value), Interest::WRITABLE)
            .unwrap();
        expect_events(
            &mut poll,
            &mut events,
            &[(Token(value), Event::is_writable)],
        );
    }
}

#[test]
fn one_token_may_name_several_sources() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, mut other) = stream_pair();
    poll.registry()
        .register(&mut one, FIRST, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut other, FIRST, Interest::WRITABLE)
        .unwrap();
    assert_eq!(support::collect(&mut poll, &mut events).len(), 2);
}

/// The texts are those that callers know from debug builds; in release the kernel answers.
#[test]
fn second_register_is_refused() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = stream_pair();
    poll.registry()
        .register(&mut reader, FIRST, Interest::READABLE)
        .unwrap();
    let error = assert_kind(
        poll.registry()
            .register(&mut reader, SECOND, Interest::READABLE),
        ErrorKind::AlreadyExists,
    );
    let text = "I/O source already registered with a `Registry`";
    assert_misuse(&error, text, EEXIST);
    writer.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(FIRST, Event::is_readable)]);
}

#[test]
fn second_poll_is_refused_where_it_is_known() {
    let (first, second) = (Poll::new().unwrap(), Poll::new().unwrap());
    let mut socket = UdpSocket::bind(localhost()).unwrap();
    first
        .registry()
        .register(&mut socket, FIRST, Interest::READABLE)
        .unwrap();
    let result = second
        .registry()
        .register(&mut socket, SECOND, Interest::READABLE);
    if cfg!(debug_assertions) || !support::IS_EPOLL {
        let error = assert_kind(result, ErrorKind::AlreadyExists);
        assert_eq!(
            error.to_string(),
            "I/O source already registered with a `Registry`"
        );
    } else {
        result.unwrap();
    }
}

#[test]
fn unregistered_source_cannot_be_deregistered() {
    let poll = Poll::new().unwrap();
    let mut listener = TcpListener::bind(localhost()).unwrap();
    let unknown = |result: std::io::Result<()>| {
        let error = assert_kind(result, ErrorKind::NotFound);
        assert_misuse(&error, "I/O source not registered with `Registry`", ENOENT);
    };
    unknown(poll.registry().deregister(&mut listener));
    poll.registry()
        .register(&mut listener, FIRST, Interest::READABLE)
        .unwrap();
    poll.registry().deregister(&mut listener).unwrap();
    unknown(poll.registry().deregister(&mut listener));
}

#[cfg(unix)]
#[test]
fn raw_descriptors_get_the_systems_errors() {
    let poll = Poll::new().unwrap();
    let socket = UdpSocket::bind(localhost()).unwrap();
    let fd = socket.as_raw_fd();
    let registry = poll.registry();
    assert_os_error(registry.deregister(&mut SourceFd(&fd)), libc::ENOENT);
    assert_os_error(
        registry.reregister(&mut SourceFd(&fd), FIRST, Interest::READABLE),
        libc::ENOENT,
    );
    registry
        .register(&mut SourceFd(&fd), FIRST, Interest::READABLE)
        .unwrap();
    assert_os_error(
        registry.register(&mut SourceFd(&fd), FIRST, Interest::READABLE),
        libc::EEXIST,
    );
    registry.deregister(&mut SourceFd(&fd)).unwrap();

    assert_os_error(
        registry.register(&mut SourceFd(&-1), FIRST, Interest::READABLE),
        libc::EBADF,
    );
    assert_os_error(
        registry.reregister(&mut SourceFd(&-1), FIRST, Interest::READABLE),
        libc::EBADF,
    );
    assert_os_error(registry.deregister(&mut SourceFd(&-1)), libc::EBADF);
}

// poll(2) takes them, and calls them always ready.
#[cfg(all(target_os = "linux", not(mio_unsupported_force_poll_poll)))]
#[test]
fn files_that_are_always_ready_are_refused() {
    let poll = Poll::new().unwrap();
    let (dir, path) = support::temp_path("regular");
    File::create(&path).unwrap();
    for path in [path.as_path(), dir.path(), "/dev/null".as_ref()] {
        let file = File::open(path).unwrap();
        let result =
            poll.registry()
                .register(&mut SourceFd(&file.as_raw_fd()), FIRST, Interest::READABLE);
        assert_os_error(result, libc::EPERM);
    }
}

#[test]
fn source_is_object_safe_and_works_boxed() {
    let (mut poll, mut events) = poll_and_events();
    let (one, mut other) = stream_pair();
    let mut boxed: Box<dyn Source> = Box::new(one);
    poll.registry()
        .register(&mut boxed, FIRST, Interest::READABLE)
        .unwrap();
    let dynamic: &mut dyn Source = &mut other;
    poll.registry()
        .register(dynamic, SECOND, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(SECOND, Event::is_writable)]);
    poll.registry()
        .reregister(&mut boxed, FIRST, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(FIRST, Event::is_writable)]);
    poll.registry().deregister(&mut boxed).unwrap();
    poll.registry().deregister(dynamic).unwrap();
    assert_kind(poll.registry().deregister(&mut boxed), ErrorKind::NotFound);
}

#[test]
fn cloned_registry_speaks_for_the_same_queue() {
    let (mut poll, mut events) = poll_and_events();
    let clone = poll.registry().try_clone().unwrap();
    let (mut one, _other) = stream_pair();
    clone.register(&mut one, FIRST, Interest::WRITABLE).unwrap();
    expect_events(&mut poll, &mut events, &[(FIRST, Event::is_writable)]);
    poll.registry()
        .reregister(&mut one, SECOND, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(SECOND, Event::is_writable)]);
    clone.try_clone().unwrap().deregister(&mut one).unwrap();
    assert_kind(poll.registry().deregister(&mut one), ErrorKind::NotFound);
}

#[test]
fn cloned_registry_outlives_its_poll() {
    let poll = Poll::new().unwrap();
    let clone = poll.registry().try_clone().unwrap();
    drop(poll);
    let (mut one, _other) = stream_pair();
    clone.register(&mut one, FIRST, Interest::WRITABLE).unwrap();
    clone.deregister(&mut one).unwrap();
}

#[test]
fn debug_texts_are_short() {
    let poll = Poll::new().unwrap();
    assert_eq!(format!("{poll:?}"), "Poll");
    assert_eq!(format!("{:?}", poll.registry()), "Registry");
}
