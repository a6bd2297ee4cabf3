//! A signal ends a poll with `Interrupted` and takes nothing away: the next poll delivers.

#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

extern "C" fn ignore(_: libc::c_int) {}

/// What one interrupted poll and the polls after it gave.
struct Interrupted {
    poll: Poll,
    events: Events,
    result: io::Result<()>,
}

/// Interrupts a thread that sleeps in a poll with `timeout`.
fn interrupt(poll: Poll, timeout: Option<Duration>, signal: libc::c_int) -> Interrupted {
    let (ready, asleep) = mpsc::channel();
    let poller = thread::spawn(move || {
        let (mut poll, mut events) = (poll, Events::with_capacity(4));
        ready.send(kernel::thread_id()).unwrap();
        let result = poll.poll(&mut events, timeout);
        Interrupted {
            poll,
            events,
            result,
        }
    });
    let thread = asleep.recv().unwrap();
    kernel::wait_until_polling(thread);
    kernel::send_signal(thread, signal);
    poller.join().unwrap()
}

#[test]
fn a_signal_is_reported_and_loses_nothing() {
    let _watchdog = kernel::watchdog();
    kernel::handle_signal(libc::SIGUSR1, 0, ignore);
    kernel::handle_signal(libc::SIGUSR2, libc::SA_RESTART, ignore);
    let hour = Duration::from_secs(3600);
    for signal in [libc::SIGUSR1, libc::SIGUSR2] {
        for timeout in [
            None,
            Some(Duration::MAX),
            Some(hour),
            Some(hour + Duration::new(0, 1)),
        ] {
            for wakers in [0, 1, 2] {
                let poll = Poll::new().unwrap();
                let wakers: Vec<_> = (0..wakers)
                    .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
                    .collect();
                let mut after = interrupt(poll, timeout, signal);
                assert_eq!(after.result.unwrap_err().kind(), ErrorKind::Interrupted);
                assert!(after.events.is_empty());

                wakers.iter().for_each(|waker| waker.wake().unwrap());
                let timeout = if wakers.is_empty() { NOW } else { None };
                after.poll.poll(&mut after.events, timeout).unwrap();
                assert_eq!(after.events.iter().count(), wakers.len());
                after.poll.poll(&mut after.events, NOW).unwrap();
                assert!(after.events.is_empty(), "an event came twice");
            }
        }
    }
}

#[test]
fn an_interrupted_poll_clears_old_events() {
    let _watchdog = kernel::watchdog();
    kernel::handle_signal(libc::SIGUSR1, 0, ignore);
    let (ready, asleep) = mpsc::channel();
    let poller = thread::spawn(move || {
        let (mut poll, mut events) = (Poll::new().unwrap(), Events::with_capacity(4));
        let waker = Waker::new(poll.registry(), Token(1)).unwrap();
        waker.wake().unwrap();
        poll.poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
        ready.send(kernel::thread_id()).unwrap();
        let result = poll.poll(&mut events, None);
        assert_eq!(result.unwrap_err().kind(), ErrorKind::Interrupted);
        assert!(events.is_empty());
    });
    let thread = asleep.recv().unwrap();
    kernel::wait_until_polling(thread);
    kernel::send_signal(thread, libc::SIGUSR1);
    poller.join().unwrap();
}

#[test]
fn a_deadline_outlasts_signals() {
    let _watchdog = kernel::watchdog();
    kernel::handle_signal(libc::SIGUSR1, 0, ignore);
    let (ready, asleep) = mpsc::channel();
    let stopped = AtomicBool::new(false);
    let waker_of = |poll: &Poll| Waker::new(poll.registry(), Token(1)).unwrap();
    let mut poll = Poll::new().unwrap();
    let waker = waker_of(&poll);
    thread::scope(|scope| {
        let stopped = &stopped;
        scope.spawn(move || {
            let mut events = Events::with_capacity(4);
            ready.send(kernel::thread_id()).unwrap();
            poll.poll_deadline(&mut events, None).unwrap();
            assert!(stopped.load(Ordering::Acquire), "a signal ended the poll");
            assert_eq!(events.iter().count(), 1);
            // A deadline that passes: the poll ends empty, and not before.
            let deadline = Instant::now() + Duration::from_micros(2500);
            poll.poll_deadline(&mut events, Some(deadline)).unwrap();
            assert!(Instant::now() >= deadline);
            assert!(events.is_empty());
            // One that has passed still asks the kernel once.
            poll.poll_deadline(&mut events, Some(deadline)).unwrap();
            assert!(events.is_empty());
        });
        let thread = asleep.recv().unwrap();
        for _ in 0..20 {
            kernel::wait_until_polling(thread);
            kernel::send_signal(thread, libc::SIGUSR1);
        }
        stopped.store(true, Ordering::Release);
        waker.wake().unwrap();
    });
}

#[test]
fn an_interrupted_connect_goes_on() {
    // No signal hits the window reliably, so strace answers EINTR in the kernel's place. The call
    // is not made then: what counts is that the caller sees a connection under way, not an error.
    let test = "an_interrupted_connect_goes_on";
    let sections = kernel::strace(test, &["-e", "inject=connect:error=EINTR:when=1"], || {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        kernel::mark("connect");
        let stream = TcpStream::connect(listener.local_addr().unwrap());
        kernel::unmark();
        stream.expect("an interrupted connect is not an error");
    });
    let injected = |call: &kernel::Call| call.line.contains("EINTR (Interrupted");
    assert!(sections[0].calls.iter().any(injected), "{sections:?}");
}

#[test]
fn signals_do_not_hide_readiness() {
    let _watchdog = kernel::watchdog();
    kernel::handle_signal(libc::SIGUSR1, 0, ignore);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut poll = Poll::new().unwrap();
    let mut stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (peer, _) = listener.accept().unwrap();
    poll.registry()
        .register(&mut stream, Token(5), Interest::READABLE)
        .unwrap();
    let mut events = Events::with_capacity(4);
    poll.poll(&mut events, NOW).unwrap();
    let mut after = interrupt(poll, None, libc::SIGUSR1);
    assert_eq!(after.result.unwrap_err().kind(), ErrorKind::Interrupted);
    io::Write::write_all(&mut &peer, b"x").unwrap();
    after.poll.poll(&mut after.events, None).unwrap();
    let event = after.events.iter().next().unwrap();
    assert!(event.token() == Token(5) && event.is_readable());
}

/// A signal for each poll, and a wake for every eighth: each wake has its event, and nothing else
/// ends a poll.
#[test]
fn signals_by_the_thousand_lose_nothing() {
    let _watchdog = kernel::watchdog();
    static HANDLED: AtomicUsize = AtomicUsize::new(0);
    extern "C" fn count(_: libc::c_int) {
        HANDLED.fetch_add(1, Ordering::SeqCst);
    }
    let signals = kernel::storm(20_000, 100_000);
    kernel::handle_signal(libc::SIGWINCH, 0, count);
    let mut poll = Poll::new().unwrap();
    let waker = Waker::new(poll.registry(), Token(1)).unwrap();
    let (interrupted, woken) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let (ready, asleep) = mpsc::channel();
    // A thread that ended cannot be sent a signal.
    let (done, all_done) = mpsc::channel::<()>();
    thread::scope(|scope| {
        let (interrupted, woken) = (&interrupted, &woken);
        scope.spawn(move || {
            let mut events = Events::with_capacity(4);
            ready.send(kernel::thread_id()).unwrap();
            while interrupted.load(Ordering::SeqCst) < signals {
                match poll.poll(&mut events, None) {
                    Ok(()) => {
                        assert_eq!(events.iter().count(), 1);
                        woken.fetch_add(1, Ordering::SeqCst);
                    }
                    Err(err) => {
                        assert_eq!(err.kind(), ErrorKind::Interrupted);
                        interrupted.fetch_add(1, Ordering::SeqCst);
                    }
                }
            }
            let _ = all_done.recv();
        });
        let thread = asleep.recv().unwrap();
        let (mut wakes, mut next_wake) = (0, 0);
        while interrupted.load(Ordering::SeqCst) < signals {
            let seen = interrupted.load(Ordering::SeqCst);
            let handled = HANDLED.load(Ordering::SeqCst);
            kernel::send_signal(thread, libc::SIGWINCH);
            // Once for each eighth: an event that is there in time hides the signal, and if each
            // had a wake behind it none might ever be seen.
            if seen >= next_wake {
                next_wake = seen + 8;
                waker.wake().unwrap();
                wakes += 1;
                while woken.load(Ordering::SeqCst) < wakes
                    && interrupted.load(Ordering::SeqCst) < signals
                {
                    thread::yield_now();
                }
            }
            // Who is never out of its handler is never in a poll.
            while HANDLED.load(Ordering::SeqCst) == handled {
                thread::yield_now();
            }
        }
        drop(done);
    });
}

/// A process that is stopped and goes on: the kernel may end the wait, and nothing is lost.
#[test]
fn a_stopped_process_goes_on() {
    kernel::in_child("a_stopped_process_goes_on", || {
        let _watchdog = kernel::watchdog();
        let mut poll = Poll::new().unwrap();
        let waker = Waker::new(poll.registry(), Token(1)).unwrap();
        let (ready, asleep) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            let mut events = Events::with_capacity(4);
            ready.send(kernel::thread_id()).unwrap();
            while let Err(err) = poll.poll(&mut events, None) {
                assert_eq!(err.kind(), ErrorKind::Interrupted);
            }
            assert_eq!(events.iter().next().unwrap().token(), Token(1));
        });
        let thread = asleep.recv().unwrap();
        for _ in 0..10 {
            kernel::wait_until_polling(thread);
            let script = "kill -STOP $PPID; kill -CONT $PPID";
            let mut shell = Command::new("sh");
            assert!(shell.args(["-c", script]).status().unwrap().success());
            assert!(!sleeper.is_finished(), "it came back with nothing");
        }
        waker.wake().unwrap();
        sleeper.join().unwrap();
    });
}
