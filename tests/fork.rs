//! The queue watches what a descriptor stands for: copies keep a registration alive, and only
//! `deregister` before the close ends it for certain.

#![cfg(all(target_os = "linux", feature = "os-ext"))]
#![allow(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsFd, AsRawFd, IntoRawFd, RawFd};
use std::time::Duration;

use mio::unix::{pipe, SourceFd};
use mio::{Events, Interest, Poll, Token};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

fn tokens(poll: &mut Poll) -> Vec<usize> {
    let mut events = Events::with_capacity(4);
    poll.poll(&mut events, NOW).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

fn registered(poll: &Poll) -> (pipe::Sender, pipe::Receiver) {
    let (sender, mut receiver) = pipe::new().unwrap();
    poll.registry()
        .register(&mut receiver, Token(1), Interest::READABLE)
        .unwrap();
    (sender, receiver)
}

// What is dropped is deregistered with poll(2), before it closes: there is no such hazard.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn a_copy_keeps_the_registration() {
    let mut poll = Poll::new().unwrap();
    let (mut sender, receiver) = registered(&poll);
    let copy = receiver.as_fd().try_clone_to_owned().unwrap();
    drop(receiver);
    sender.write_all(b"x").unwrap();
    assert_eq!(
        tokens(&mut poll),
        [1],
        "the copy no longer keeps the registration: say so"
    );
    drop(copy);
    assert_eq!(tokens(&mut poll), []);
}

#[cfg(mio_unsupported_force_poll_poll)]
#[test]
fn a_drop_ends_it_in_spite_of_a_copy() {
    let mut poll = Poll::new().unwrap();
    let (mut sender, receiver) = registered(&poll);
    let _copy = receiver.as_fd().try_clone_to_owned().unwrap();
    drop(receiver);
    sender.write_all(b"x").unwrap();
    assert_eq!(tokens(&mut poll), []);
}

#[test]
fn deregistering_first_ends_it_in_spite_of_a_copy() {
    let mut poll = Poll::new().unwrap();
    let (mut sender, mut receiver) = registered(&poll);
    let _copy = receiver.as_fd().try_clone_to_owned().unwrap();
    poll.registry().deregister(&mut receiver).unwrap();
    drop(receiver);
    sender.write_all(b"x").unwrap();
    assert_eq!(tokens(&mut poll), []);
}

// As above.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn a_forked_child_is_a_copy() {
    kernel::in_child("a_forked_child_is_a_copy", || {
        let mut poll = Poll::new().unwrap();
        let (mut sender, receiver) = registered(&poll);
        // The child holds its copies until this pipe ends.
        let (hold, held) = pipe::new().unwrap();
        held.set_nonblocking(false).unwrap();
        let (hold_fd, held_fd) = (hold.as_raw_fd(), held.as_raw_fd());
        // SAFETY: the child makes async-signal-safe calls only.
        let child = unsafe { libc::fork() };
        if child == 0 {
            // SAFETY: the descriptor is a copy which the child owns.
            unsafe { libc::close(hold_fd) };
            let mut byte = 0_u8;
            // SAFETY: the pointer is to one writable byte.
            unsafe { libc::read(held_fd, (&mut byte as *mut u8).cast(), 1) };
            // SAFETY: _exit takes any status.
            unsafe { libc::_exit(0) };
        }
        assert!(child > 0);
        drop(receiver);
        sender.write_all(b"x").unwrap();
        assert_eq!(
            tokens(&mut poll),
            [1],
            "the child no longer keeps the registration: say so"
        );
        drop(hold);
        let mut status = 0;
        // SAFETY: the pointer is to a live integer.
        assert_eq!(unsafe { libc::waitpid(child, &mut status, 0) }, child);
        assert_eq!(status, 0);
        assert_eq!(tokens(&mut poll), []);
    });
}

#[test]
fn a_new_source_may_have_an_old_number() {
    let mut poll = Poll::new().unwrap();
    for token in 10..60 {
        // Closed while registered: the number is free for the next round.
        let (mut sender, mut receiver) = pipe::new().unwrap();
        poll.registry()
            .register(&mut receiver, Token(token), Interest::READABLE)
            .unwrap();
        sender.write_all(b"x").unwrap();
        assert_eq!(tokens(&mut poll), [token]);
        receiver.read_exact(&mut [0]).unwrap();
    }
}

/// Closes a number whose owner does not know of it.
fn close_behind_our_back(fd: RawFd) {
    // SAFETY: the number is open, and nobody uses it as theirs afterwards.
    assert_eq!(unsafe { libc::close(fd) }, 0);
}

#[test]
fn what_is_closed_behind_our_back_is_silent_and_harms_nobody() {
    let test = "what_is_closed_behind_our_back_is_silent_and_harms_nobody";
    kernel::in_child(test, || {
        let mut poll = Poll::new().unwrap();
        let (mut sender, _receiver) = registered(&poll);
        for token in 10..30 {
            let fd = kernel::eventfd(1).into_raw_fd();
            let mut source = SourceFd(&fd);
            let registry = poll.registry();
            registry
                .register(&mut source, Token(token), Interest::READABLE)
                .unwrap();
            close_behind_our_back(fd);
            assert_eq!(tokens(&mut poll), []);
            // A kqueue takes it as done.
            if let Err(gone) = poll.registry().deregister(&mut source) {
                let known = [Some(libc::EBADF), Some(libc::ENOENT)];
                assert!(known.contains(&gone.raw_os_error()), "{gone}");
            }

            // The number is used again, by a source that is its own.
            let again = kernel::eventfd(1);
            assert_eq!(again.as_raw_fd(), fd);
            let (registry, token) = (poll.registry(), Token(token + 100));
            registry
                .register(&mut source, token, Interest::READABLE)
                .unwrap();
            assert_eq!(tokens(&mut poll), [token.0]);
            poll.registry().deregister(&mut source).unwrap();
        }
        sender.write_all(b"x").unwrap();
        assert_eq!(tokens(&mut poll), [1], "the others are heard");
    });
}

/// Another file takes the number of a source that is registered.
#[test]
fn a_number_that_is_replaced_fails_no_poll() {
    kernel::in_child("a_number_that_is_replaced_fails_no_poll", || {
        let mut poll = Poll::new().unwrap();
        let (mut other_sender, _other) = registered(&poll);
        let (mut sender, mut receiver) = pipe::new().unwrap();
        let registry = poll.registry();
        registry
            .register(&mut receiver, Token(2), Interest::READABLE)
            .unwrap();
        let silent = kernel::eventfd(0);
        // SAFETY: both numbers are open; the receiver does not mind what its own stands for.
        let replaced = unsafe { libc::dup2(silent.as_raw_fd(), receiver.as_raw_fd()) };
        assert_eq!(replaced, receiver.as_raw_fd());
        sender.write_all(b"x").unwrap_err();
        assert_eq!(tokens(&mut poll), []);
        match poll.registry().deregister(&mut receiver) {
            Ok(()) => {}
            Err(err) => assert_eq!(err.kind(), ErrorKind::NotFound),
        }
        drop(receiver);
        kernel::signal(silent.as_raw_fd());
        other_sender.write_all(b"x").unwrap();
        assert_eq!(tokens(&mut poll), [1]);
    });
}
