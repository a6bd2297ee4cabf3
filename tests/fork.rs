//! The queue watches what a descriptor stands for: copies keep a registration alive, and only
//! `deregister` before the close ends it for certain.

#![cfg(all(target_os = "linux", feature = "os-ext"))]
#![allow(unsafe_code)]

use std::io::{Read, Write};
use std::os::fd::AsFd;
#[cfg(not(mio_unsupported_force_poll_poll))]
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::unix::pipe;
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
