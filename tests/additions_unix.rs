//! What this crate offers on Unix beyond mio 1.2.5, sockets aside.
#![cfg(all(unix, feature = "os-ext", feature = "net"))]

mod support;

use std::io::Write;
use std::os::fd::AsFd;
#[cfg(not(mio_unsupported_force_poll_poll))]
use std::os::fd::AsRawFd;

use mio::event::Event;
use mio::net::UnixStream;
use mio::unix::{pipe, SourceBorrowedFd};
#[cfg(not(mio_unsupported_force_poll_poll))]
use mio::Poll;
use mio::{Interest, Token};
use support::{assert_os_error, expect_events, expect_no_events, poll_and_events};

const OWN: Token = Token(1);

/// A pipe whose writer left empty-handed is not readable on Linux, yet the reader should read.
#[test]
fn hung_up_pipe_should_be_read_and_written() {
    let (mut poll, mut events) = poll_and_events();
    let (sender, mut receiver) = pipe::new().unwrap();
    poll.registry()
        .register(&mut receiver, OWN, Interest::READABLE)
        .unwrap();
    drop(sender);
    expect_events(&mut poll, &mut events, &[(OWN, Event::should_read)]);

    let (mut sender, receiver) = pipe::new().unwrap();
    // Asked for reading only, so that nothing but the end is reported.
    poll.registry()
        .register(&mut sender, Token(2), Interest::READABLE)
        .unwrap();
    drop(receiver);
    expect_events(&mut poll, &mut events, &[(Token(2), Event::should_write)]);
}

#[cfg(not(mio_unsupported_force_poll_poll))] // That queue is no descriptor.
#[test]
fn poll_lends_its_descriptor() {
    let poll = Poll::new().unwrap();
    assert_eq!(poll.as_fd().as_raw_fd(), poll.as_raw_fd());
    assert_eq!(poll.registry().as_fd().as_raw_fd(), poll.as_raw_fd());
}

#[test]
fn borrowed_descriptor_is_a_source() {
    let (mut poll, mut events) = poll_and_events();
    let (one, mut other) = UnixStream::pair().unwrap();
    let mut source = SourceBorrowedFd::from(one.as_fd());
    assert!(format!("{source:?}").contains("SourceBorrowedFd"));
    poll.registry()
        .register(&mut source, OWN, Interest::READABLE)
        .unwrap();
    let again = poll
        .registry()
        .register(&mut source, OWN, Interest::READABLE);
    assert_os_error(again, libc::EEXIST);
    expect_no_events(&mut poll, &mut events);
    other.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    poll.registry()
        .reregister(&mut source, Token(2), Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(Token(2), Event::is_writable)]);
    poll.registry()
        .deregister(&mut SourceBorrowedFd(one.as_fd()))
        .unwrap();
    assert_os_error(poll.registry().deregister(&mut source), libc::ENOENT);
}
