//! Named pipes: tokens, modes, and registrations that change while operations are under way.
#![cfg(all(windows, feature = "os-ext"))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use mio::windows::NamedPipeOptions;
use mio::{Events, Interest, Poll, Token};

use support::windows::{pipe_pair, Ends, BOTH, CLIENT, SERVER};
use support::{
    assert_would_block, collect, expect_events, expect_no_event_of, expect_no_events,
    poll_and_events, wait_for, wait_until,
};

#[test]
fn a_token_keeps_all_its_bits() {
    for token in [0, usize::MAX, 1 << (usize::BITS - 1), usize::MAX - 1].map(Token) {
        let (mut poll, mut events) = poll_and_events();
        let (mut server, _client) = pipe_pair(&NamedPipeOptions::new());
        let registered = poll.registry().register(&mut server, token, BOTH);
        registered.expect("registered");
        wait_for(&mut poll, &mut events, token, "w");
    }
}

#[test]
fn deregistered_with_an_event_in_the_queue() {
    let mut ends = Ends::new();
    ends.client.write_all(b"x").expect("accepted");
    // Writable, and bytes: both are in the port by now.
    let registry = ends.poll.registry();
    registry.deregister(&mut ends.server).expect("deregistered");
    expect_no_event_of(&mut ends.poll, &mut ends.events, SERVER);
    // What was read meanwhile is not lost, and comes under the new token.
    let registry = ends.poll.registry();
    let registered = registry.register(&mut ends.server, Token(77), BOTH);
    registered.expect("registered again");
    wait_until(&mut ends.poll, &mut ends.events, "bytes", |event| {
        assert_ne!(event.token(), SERVER);
        event.token() == Token(77) && event.is_readable()
    });
    assert_eq!(ends.server.read(&mut [0; 8]).expect("bytes"), 1);
}

#[test]
fn an_event_has_the_token_of_when_it_is_dequeued() {
    let mut ends = Ends::new();
    ends.client.write_all(b"x").expect("accepted");
    let registry = ends.poll.registry();
    for number in 0..5 {
        let changed = registry.reregister(&mut ends.server, Token(number), BOTH);
        changed.expect("reregistered");
    }
    wait_until(&mut ends.poll, &mut ends.events, "bytes", |event| {
        assert!([Token(4), CLIENT].contains(&event.token()), "{event:?}");
        event.token() == Token(4) && event.is_readable()
    });
}

#[test]
fn reregistering_reports_again_what_is_ready() {
    let mut ends = Ends::new();
    ends.client.write_all(b"x").expect("accepted");
    let readable =
        |token| move |event: &mio::event::Event| event.token() == token && event.is_readable();
    wait_until(&mut ends.poll, &mut ends.events, "bytes", readable(SERVER));
    for number in 20..23 {
        let registry = ends.poll.registry();
        let changed = registry.reregister(&mut ends.server, Token(number), BOTH);
        changed.expect("reregistered");
        let what = readable(Token(number));
        wait_until(&mut ends.poll, &mut ends.events, "bytes again", what);
    }
}

#[test]
fn only_what_was_asked_for() {
    let mut ends = Ends::with(&NamedPipeOptions::new(), Interest::READABLE);
    expect_no_events(&mut ends.poll, &mut ends.events);
    ends.client.write_all(b"x").expect("accepted");
    wait_for(&mut ends.poll, &mut ends.events, SERVER, "r");
    let registry = ends.poll.registry();
    let changed = registry.reregister(&mut ends.server, SERVER, Interest::WRITABLE);
    changed.expect("reregistered");
    wait_for(&mut ends.poll, &mut ends.events, SERVER, "w");
}

#[test]
fn level_repeats() {
    let mut ends = Ends::with(&NamedPipeOptions::new(), Interest::READABLE.level());
    expect_no_events(&mut ends.poll, &mut ends.events);
    ends.client.write_all(b"ab").expect("accepted");
    for _ in 0..2 {
        for _ in 0..3 {
            wait_for(&mut ends.poll, &mut ends.events, SERVER, "r");
        }
        assert_eq!(ends.server.read(&mut [0; 1]).expect("a byte"), 1);
    }
    assert_would_block(ends.server.read(&mut [0; 1]));
    expect_no_event_of(&mut ends.poll, &mut ends.events, SERVER);
    expect_no_events(&mut ends.poll, &mut ends.events);
}

#[test]
fn one_shot_reports_once() {
    let mut ends = Ends::with(&NamedPipeOptions::new(), Interest::READABLE.oneshot());
    for number in 30..33 {
        ends.client.write_all(b"x").expect("accepted");
        let registry = ends.poll.registry();
        let oneshot = Interest::READABLE.oneshot();
        let changed = registry.reregister(&mut ends.server, Token(number), oneshot);
        changed.expect("reregistered");
        wait_for(&mut ends.poll, &mut ends.events, Token(number), "r");
        assert_eq!(ends.server.read(&mut [0; 8]).expect("a byte"), 1);
        assert_would_block(ends.server.read(&mut [0; 8]));
    }
    let written = ends.until(|ends| ends.client.write(b"y"));
    written.expect("accepted");
    expect_no_event_of(&mut ends.poll, &mut ends.events, SERVER);
}

#[test]
fn room_for_one_event_at_a_time() {
    let mut ends = Ends::new();
    ends.client.write_all(b"x").expect("accepted");
    let mut one = Events::with_capacity(1);
    expect_events(
        &mut ends.poll,
        &mut one,
        &[
            (SERVER, |event| event.is_readable()),
            (SERVER, |event| event.is_writable()),
            (CLIENT, |event| event.is_writable()),
        ],
    );
}

#[test]
fn many_pipes() {
    const COUNT: usize = 200;
    let (mut poll, mut events) = poll_and_events();
    let mut pairs: Vec<_> = (0..COUNT)
        .map(|number| {
            let (mut server, mut client) = pipe_pair(&NamedPipeOptions::new());
            let registry = poll.registry();
            let interest = Interest::READABLE;
            let registered = registry.register(&mut server, Token(number), interest);
            registered.expect("registered");
            let registered = registry.register(&mut client, CLIENT, Interest::WRITABLE);
            registered.expect("registered");
            (server, client)
        })
        .collect();
    for (_, client) in &mut pairs {
        client.write_all(b"x").expect("accepted");
    }
    let mut missing = COUNT;
    wait_until(&mut poll, &mut events, "all", |event| {
        if event.is_readable() {
            let (server, _) = &mut pairs[event.token().0];
            assert_eq!(server.read(&mut [0; 8]).expect("a byte"), 1);
            missing -= 1;
        }
        missing == 0
    });
}

/// Tokens of registrations that ended are poison: another thread registers and deregisters while
/// this one polls, and no poll that began after a deregistration shows its token.
#[test]
fn registrations_come_and_go_while_somebody_polls() {
    const ROUNDS: usize = 2_000;
    let mut poll = Poll::new().expect("a queue");
    let registry = poll.registry().try_clone().expect("a registry");
    let (mut server, mut client) = pipe_pair(&NamedPipeOptions::new());
    let registered = poll.registry().register(&mut client, CLIENT, BOTH);
    registered.expect("registered");
    // Tokens below this are dead.
    let dead = std::sync::atomic::AtomicUsize::new(100);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = 12345u32;
            for round in 0..ROUNDS {
                let token = 100 + round;
                let interest = [BOTH, Interest::READABLE, Interest::WRITABLE][round % 3];
                let registered = registry.register(&mut server, Token(token), interest);
                registered.expect("registered");
                random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                match random >> 30 {
                    0 => thread::yield_now(),
                    1 => drop(client.write(b"x")),
                    2 => drop(server.read(&mut [0; 4])),
                    _ => drop(server.write(b"y")),
                }
                registry.deregister(&mut server).expect("deregistered");
                dead.store(token + 1, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut events = Events::with_capacity(64);
        while !done.load(Ordering::SeqCst) {
            let dead = dead.load(Ordering::SeqCst);
            let briefly = Some(Duration::from_millis(1));
            poll.poll(&mut events, briefly).expect("poll");
            for event in events.iter().filter(|event| event.token() != CLIENT) {
                assert!(event.token().0 >= dead, "a dead token: {event:?} < {dead}");
            }
        }
    });
    let mut events = Events::with_capacity(64);
    expect_no_event_of(&mut poll, &mut events, Token(100 + ROUNDS - 1));
}

#[test]
fn reregistrations_while_operations_are_under_way() {
    let mut ends = Ends::new();
    let mut random = 99u32;
    let (mut sent, mut got) = (0u32, 0u32);
    let mut current = SERVER;
    for round in 0..20_000 {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        match random >> 29 {
            0 | 1 => sent += u32::from(ends.client.write(&[sent as u8]).is_ok()),
            2 | 3 => match ends.server.read(&mut [0; 1]) {
                Ok(count) => got += count as u32,
                Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
            },
            4 | 5 => {
                for (token, _) in collect(&mut ends.poll, &mut ends.events) {
                    assert!([current, CLIENT].contains(&token), "{token:?}");
                }
            }
            _ => {
                current = Token(1_000 + round);
                let interest = [BOTH, Interest::READABLE, Interest::WRITABLE][round % 3];
                let registry = ends.poll.registry();
                let changed = registry.reregister(&mut ends.server, current, interest);
                changed.expect("reregistered");
            }
        }
    }
    let registry = ends.poll.registry();
    let changed = registry.reregister(&mut ends.server, SERVER, BOTH);
    changed.expect("reregistered");
    while got < sent {
        let read = ends.until(|ends| ends.server.read(&mut [0; 64]));
        got += read.expect("bytes") as u32;
    }
    assert_eq!(got, sent);
}
