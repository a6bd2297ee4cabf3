//! The completion port under load and misuse.
#![cfg(all(windows, feature = "os-ext", feature = "net"))]

mod support;

use std::io::{Read, Write};
use std::os::windows::io::AsRawSocket;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::UdpSocket;
use mio::windows::SourceSocket;
use mio::{Events, Interest, Poll, Token, Waker};
use support::{
    collect, expect_events, expect_no_events, localhost, poll_and_events, stream_pair, HANG_GUARD,
};

const OWN: Token = Token(1);

/// A helper of the driver serves 32 sockets: more take more, and places are used again.
#[test]
fn hundreds_of_sockets_come_and_go() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(64);
    let mut sockets: Vec<_> = (0..300)
        .map(|_| UdpSocket::bind(localhost()).unwrap())
        .collect();
    for round in 0..3 {
        for (token, socket) in sockets.iter_mut().enumerate() {
            poll.registry()
                .register(socket, Token(token), Interest::WRITABLE)
                .unwrap();
        }
        let mut seen = vec![0; sockets.len()];
        while seen.contains(&0) {
            poll.poll(&mut events, Some(HANG_GUARD)).unwrap();
            assert!(!events.is_empty(), "round {round}: {seen:?}");
            events.iter().for_each(|event| seen[event.token().0] += 1);
        }
        assert!(seen.iter().all(|&times| times == 1), "{seen:?}");
        for socket in &mut sockets {
            poll.registry().deregister(socket).unwrap();
        }
        expect_no_events(&mut poll, &mut events);
    }
}

/// Between its polls, and while another thread polls, a source is changed at random; at the end
/// what it is registered for is what comes.
#[test]
fn random_reregistrations_lose_nothing() {
    let (mut poll, mut events) = poll_and_events();
    let (mut own, mut peer) = stream_pair();
    let interests = [
        Interest::READABLE,
        Interest::WRITABLE,
        Interest::READABLE | Interest::WRITABLE,
        Interest::CLOSED,
    ];
    let registry = poll.registry().try_clone().unwrap();
    registry.register(&mut own, OWN, Interest::CLOSED).unwrap();
    let done = AtomicBool::new(false);
    let stop = Waker::new(&registry, Token(usize::MAX)).unwrap();
    thread::scope(|scope| {
        let poller = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                poll.poll(&mut events, None).unwrap();
            }
        });
        let mut random = 0x9E37_79B9_u64;
        for _ in 0..100_000 {
            // A generator of Knuth's: the upper bits are good enough.
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let interest = interests[(random >> 33) as usize % interests.len()];
            registry.reregister(&mut own, OWN, interest).unwrap();
        }
        done.store(true, Ordering::Release);
        stop.wake().unwrap();
        poller.join().unwrap();
    });
    registry
        .reregister(&mut own, Token(9), Interest::READABLE)
        .unwrap();
    collect(&mut poll, &mut events);
    peer.write_all(b"x").unwrap();
    expect_events(&mut poll, &mut events, &[(Token(9), Event::is_readable)]);
    assert_eq!(own.read(&mut [0; 4]).unwrap(), 1);
}

/// A packet that tells of a cancellation ended the wait.
#[test]
fn deregistrations_do_not_end_a_wait() {
    let (mut poll, mut events) = poll_and_events();
    let registry = poll.registry().try_clone().unwrap();
    let timeout = Duration::from_millis(700);
    let done = AtomicBool::new(false);
    let changes = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut own = UdpSocket::bind(localhost()).unwrap();
            while !done.load(Ordering::Acquire) {
                registry
                    .register(&mut own, OWN, Interest::READABLE)
                    .unwrap();
                thread::yield_now();
                registry.deregister(&mut own).unwrap();
                changes.fetch_add(1, Ordering::Relaxed);
            }
        });
        let start = Instant::now();
        poll.poll(&mut events, Some(timeout)).unwrap();
        let waited = start.elapsed();
        done.store(true, Ordering::Release);
        assert!(events.is_empty());
        assert!(waited >= timeout, "returned after {waited:?}");
    });
    assert!(changes.load(Ordering::Relaxed) > 10);
}

#[test]
fn tokens_keep_their_highest_bit() {
    let (mut poll, mut events) = poll_and_events();
    for value in [usize::MAX, 1 << (usize::BITS - 1), usize::MAX >> 1] {
        let mut own = UdpSocket::bind(localhost()).unwrap();
        poll.registry()
            .register(&mut own, Token(value), Interest::WRITABLE)
            .unwrap();
        expect_events(
            &mut poll,
            &mut events,
            &[(Token(value), Event::is_writable)],
        );
    }
}

#[test]
fn ten_thousand_wakes_are_one_event() {
    let (mut poll, mut events) = poll_and_events();
    let waker = Waker::new(poll.registry(), OWN).unwrap();
    for _ in 0..3 {
        for _ in 0..10_000 {
            waker.wake().unwrap();
        }
        assert_eq!(collect(&mut poll, &mut events).len(), 1);
        expect_no_events(&mut poll, &mut events);
    }
}

/// A raw source that nobody deregistered goes with its queue.
#[test]
fn a_queue_goes_with_its_raw_sources() {
    let own = std::net::UdpSocket::bind(localhost()).unwrap();
    let raw = own.as_raw_socket();
    for _ in 0..3 {
        let (mut poll, mut events) = poll_and_events();
        poll.registry()
            .register(&mut SourceSocket(&raw), OWN, Interest::READABLE)
            .unwrap();
        expect_no_events(&mut poll, &mut events);
    }
}
