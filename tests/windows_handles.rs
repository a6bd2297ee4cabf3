//! No handle is left behind by pipes and waits, whatever was under way.
#![cfg(all(windows, feature = "os-ext"))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::os::windows::io::AsHandle;

use mio::windows::{NamedPipe, NamedPipeOptions, SourceBorrowedHandle};
use mio::{Interest, Poll, Token};

use support::in_child;
use support::windows::{open_handles, pipe_name, pipe_pair, Ends, Object, BOTH, SERVER};

/// Runs `body` some times; after the first it must not leave more handles than before.
fn leaves_no_handle(name: &str, body: impl Fn()) {
    in_child(name, || {
        body();
        let before = open_handles();
        for _ in 0..5 {
            body();
        }
        assert_eq!(open_handles(), before);
    });
}

/// Fills the pipe until a write stays under way.
fn fill(ends: &mut Ends) {
    let zero = Some(std::time::Duration::ZERO);
    let mut blocked = 0;
    while blocked < 3 {
        match ends.server.write(&[0; 1 << 16]) {
            Ok(_) => blocked = 0,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
        blocked += 1;
        ends.poll.poll(&mut ends.events, zero).expect("poll");
    }
}

#[test]
fn a_pair_that_was_used() {
    leaves_no_handle("a_pair_that_was_used", || {
        let mut ends = Ends::new();
        assert_eq!(ends.through(&[1; 100_000]).len(), 100_000);
    });
}

#[test]
fn pipes_dropped_before_the_queue() {
    leaves_no_handle("pipes_dropped_before_the_queue", || {
        let mut ends = Ends::new();
        fill(&mut ends);
        let Ends {
            poll,
            server,
            client,
            ..
        } = ends;
        drop(server);
        drop(client);
        drop(poll);
    });
}

#[test]
fn the_queue_dropped_before_pipes() {
    leaves_no_handle("the_queue_dropped_before_pipes", || {
        let mut ends = Ends::new();
        fill(&mut ends);
        let Ends {
            poll,
            server,
            mut client,
            ..
        } = ends;
        drop(poll);
        drop(server);
        // Its operations still can be started, although nobody will tell.
        let _ = client.write(b"x");
        let _ = client.read(&mut [0; 8]);
    });
}

#[test]
fn a_server_that_waits_for_a_client() {
    leaves_no_handle("a_server_that_waits_for_a_client", || {
        let poll = Poll::new().expect("a queue");
        let mut server = NamedPipe::new(pipe_name()).expect("a server");
        let registered = poll.registry().register(&mut server, SERVER, BOTH);
        registered.expect("registered");
        support::assert_would_block(server.connect());
    });
}

#[test]
fn handles_that_were_given_away() {
    leaves_no_handle("handles_that_were_given_away", || {
        let mut ends = Ends::new();
        fill(&mut ends);
        let handle = std::os::windows::io::OwnedHandle::from(ends.server);
        drop(ends.client);
        drop(ends.poll);
        drop(handle);
    });
}

#[test]
fn pipes_that_were_never_registered() {
    leaves_no_handle("pipes_that_were_never_registered", || {
        let options = NamedPipeOptions::new();
        drop(pipe_pair(&options));
        assert!(options.client(pipe_name()).is_err());
    });
}

#[test]
fn waits_for_handles() {
    leaves_no_handle("waits_for_handles", || {
        let (mut poll, mut events) = support::poll_and_events();
        let objects: Vec<_> = (0..20).map(|_| Object::auto_event()).collect();
        let registry = poll.registry();
        for (number, event) in objects.iter().enumerate() {
            let mut source = SourceBorrowedHandle(event.as_handle());
            let registered = registry.register(&mut source, Token(number), Interest::READABLE);
            registered.expect("registered");
        }
        objects[0].set();
        support::wait_for(&mut poll, &mut events, Token(0), "r");
        objects[1].set();
        for event in &objects[1..3] {
            let mut source = SourceBorrowedHandle(event.as_handle());
            let registry = poll.registry();
            registry.deregister(&mut source).expect("deregistered");
        }
        let mutex = Object::mutex();
        let mut source = SourceBorrowedHandle(mutex.as_handle());
        let registered = poll.registry().register(&mut source, Token(0), BOTH);
        support::assert_kind(registered, ErrorKind::InvalidInput);
        // Waits are under way when the queue is dropped.
    });
}

/// A pipe that is dropped is closed at once, although its read was under way and nobody polls.
#[test]
fn the_peer_sees_the_close_at_once() {
    let mut ends = Ends::new();
    support::collect(&mut ends.poll, &mut ends.events);
    drop(ends.client);
    support::assert_kind(ends.server.write(b"x"), ErrorKind::BrokenPipe);
}
