//! Registrations from any thread act on a poll under way, and a removed source is never heard again.

// Both halves of the harness have a part that starts programs.
#![allow(clippy::duplicate_mod)]
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

use std::io::{Read, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;

use mio::{Events, Interest, Poll, Token, Waker};
use support::{raw, Local, Pair, RawSource};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

#[cfg_attr(windows, path = "support/ready_windows.rs")]
#[cfg_attr(not(windows), path = "support/ready.rs")]
mod ready;

mod support;

const STOP: Token = Token(usize::MAX);

#[test]
fn sixteen_threads_register_during_a_poll() {
    const THREADS: usize = 16;
    const ROUNDS: usize = if cfg!(windows) { 50 } else { 200 };
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(8);
    let registry = poll.registry().try_clone().unwrap();
    let stop = Waker::new(&registry, STOP).unwrap();
    // How many rounds of each thread the poller has seen.
    let seen: Vec<_> = (0..THREADS).map(|_| AtomicUsize::new(0)).collect();

    thread::scope(|scope| {
        let poller = scope.spawn(|| loop {
            poll.poll(&mut events, None).unwrap();
            for event in &events {
                if event.token() == STOP {
                    return;
                }
                assert!(event.is_readable());
                let (thread, round) = (event.token().0 / ROUNDS, event.token().0 % ROUNDS);
                // Round after round: a token of the past would lower the number.
                let before = seen[thread].swap(round + 1, Ordering::AcqRel);
                assert!(
                    before == round || before == round + 1,
                    "{before} after {round}"
                );
            }
        });
        let workers: Vec<_> = (0..THREADS)
            .map(|thread| {
                let (registry, seen) = (&registry, &seen[thread]);
                scope.spawn(move || {
                    for round in 0..ROUNDS {
                        let (mut sender, mut receiver) = Local::connected();
                        let token = Token(thread * ROUNDS + round);
                        // Each order of writing and registering must give an event.
                        if round % 2 == 0 {
                            sender.write_all(b"x").unwrap();
                        }
                        registry
                            .register(&mut receiver, token, Interest::READABLE)
                            .unwrap();
                        if round % 2 == 1 {
                            sender.write_all(b"x").unwrap();
                        }
                        while seen.load(Ordering::Acquire) <= round {
                            thread::yield_now();
                        }
                        if round % 3 != 0 {
                            registry.deregister(&mut receiver).unwrap();
                        }
                    }
                })
            })
            .collect();
        workers
            .into_iter()
            .for_each(|worker| worker.join().unwrap());
        stop.wake().unwrap();
        poller.join().unwrap();
    });
}

#[test]
fn a_poll_moves_from_thread_to_thread() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    let (mut sender, mut receiver) = Local::connected();
    poll.registry()
        .register(&mut receiver, Token(2), Interest::READABLE)
        .unwrap();
    for round in 0..64 {
        let (ready, asleep) = mpsc::channel();
        let poller = thread::spawn(move || {
            let mut events = Events::with_capacity(4);
            ready.send(kernel::thread_id()).unwrap();
            poll.poll(&mut events, None).unwrap();
            let tokens: Vec<_> = events.iter().map(|event| event.token().0).collect();
            (poll, tokens)
        });
        kernel::wait_until_polling(asleep.recv().unwrap());
        if round % 2 == 0 {
            waker.wake().unwrap();
        } else {
            sender.write_all(b"x").unwrap();
        }
        let (moved, tokens) = poller.join().unwrap();
        poll = moved;
        assert_eq!(tokens, [1 + round % 2]);
        if round % 2 == 1 {
            receiver.read_exact(&mut [0]).unwrap();
            receiver.read_exact(&mut [0]).unwrap_err();
        }
    }
}

#[test]
fn a_registration_outlives_its_thread() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let registry = poll.registry().try_clone().unwrap();
    let (waker, mut sender, receiver) = thread::spawn(move || {
        let (sender, mut receiver) = Local::connected();
        registry
            .register(&mut receiver, Token(2), Interest::READABLE)
            .unwrap();
        (Waker::new(&registry, Token(1)).unwrap(), sender, receiver)
    })
    .join()
    .unwrap();
    waker.wake().unwrap();
    poll.poll(&mut events, None).unwrap();
    assert_eq!(
        events.iter().map(|event| event.token()).collect::<Vec<_>>(),
        [Token(1)]
    );
    sender.write_all(b"x").unwrap();
    poll.poll(&mut events, None).unwrap();
    assert_eq!(
        events.iter().map(|event| event.token()).collect::<Vec<_>>(),
        [Token(2)]
    );
    drop(receiver);
}

/// One thread polls while another brings ready sources and takes them away. A poll that begins
/// after `deregister` has returned must not report the source, though the next one has its number.
fn deregister_under_a_poll(wakers: usize, capacity: usize) {
    const SOURCES: usize = 10_000;
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(capacity);
    let registry = poll.registry().try_clone().unwrap();
    let stop = Waker::new(&registry, STOP).unwrap();
    let _wakers: Vec<_> = (1..wakers)
        .map(|_| Waker::new(&registry, Token(usize::MAX - 1)).unwrap())
        .collect();
    // All tokens below this one belong to sources that were taken away.
    let gone = AtomicUsize::new(0);
    let heard = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| loop {
            let oldest = gone.load(Ordering::Acquire);
            poll.poll(&mut events, None).unwrap();
            for event in &events {
                if event.token() == STOP {
                    return;
                }
                assert!(
                    event.token().0 >= oldest,
                    "{:?} is older than {oldest}",
                    event.token()
                );
                heard.store(event.token().0 + 1, Ordering::Release);
            }
        });
        for token in 0..SOURCES {
            let source = ready::ready();
            let name = raw(&source);
            let mut raw_source = RawSource(&name);
            registry
                .register(&mut raw_source, Token(token), Interest::READABLE)
                .unwrap();
            // At times the event was seen, mostly it is on its way.
            while token % 8 == 0 && heard.load(Ordering::Acquire) <= token {
                thread::yield_now();
            }
            ready::signal(&source);
            registry.deregister(&mut raw_source).unwrap();
            gone.store(token + 1, Ordering::Release);
        }
        stop.wake().unwrap();
    });
}

#[test]
fn a_removed_source_is_never_heard_again() {
    deregister_under_a_poll(1, 8);
}

#[test]
fn a_removed_source_is_never_heard_again_with_room_for_one() {
    deregister_under_a_poll(2, 1);
}
