//! What is left open when everything went, seen from a process that is alone.
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

mod support;

use std::io::Write;
use std::os::fd::AsRawFd;

use mio::event::Event;
use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Token};
use support::{collect, expect_events, expect_no_events, in_child, open_fds, poll_and_events};

const OLD: Token = Token(1);
const NEW: Token = Token(2);

/// The system gives the lowest free number to the next socket, so the new source gets the old
/// one's; the old registration must not shine through.
#[test]
fn descriptor_number_is_used_again() {
    in_child("descriptor_number_is_used_again", || {
        let (mut poll, mut events) = poll_and_events();
        let (mut old, mut old_peer) = UnixStream::pair().unwrap();
        let number = old.as_raw_fd();
        poll.registry()
            .register(&mut old, OLD, Interest::READABLE)
            .unwrap();
        old_peer.write_all(b"x").unwrap();
        drop(old);
        let (mut new, mut new_peer) = UnixStream::pair().unwrap();
        assert_eq!(new.as_raw_fd(), number);
        poll.registry()
            .register(&mut new, NEW, Interest::READABLE)
            .unwrap();
        expect_no_events(&mut poll, &mut events);
        new_peer.write_all(b"x").unwrap();
        let seen = collect(&mut poll, &mut events);
        assert_eq!(seen, [(NEW, "r".to_owned())]);
    });
}

#[test]
fn nothing_is_left_open() {
    in_child("nothing_is_left_open", || {
        let before = open_fds();
        for _ in 0..3 {
            let mut poll = Poll::new().unwrap();
            let mut events = Events::with_capacity(4);
            let clone = poll.registry().try_clone().unwrap();
            let waker = mio::Waker::new(&clone, NEW).unwrap();
            let (mut one, other) = UnixStream::pair().unwrap();
            clone.register(&mut one, OLD, Interest::WRITABLE).unwrap();
            waker.wake().unwrap();
            expect_events(
                &mut poll,
                &mut events,
                &[(OLD, Event::is_writable), (NEW, Event::is_readable)],
            );
            // The queue first, then who used it: each must let go of its own.
            drop(poll);
            drop(one);
            drop(clone);
            waker.wake().unwrap();
            drop(waker);
            drop(other);
            assert_eq!(open_fds(), before);
        }
    });
}

#[cfg(not(mio_unsupported_force_poll_poll))] // That queue is no descriptor.
#[test]
fn waker_does_not_hold_the_queue_open() {
    in_child("waker_does_not_hold_the_queue_open", || {
        let poll = Poll::new().unwrap();
        let waker = mio::Waker::new(poll.registry(), NEW).unwrap();
        let queue = format!("/proc/self/fd/{}", poll.as_raw_fd());
        assert!(std::fs::read_link(&queue).is_ok());
        drop(poll);
        assert!(std::fs::read_link(&queue).is_err(), "still open");
        waker.wake().unwrap();
    });
}
