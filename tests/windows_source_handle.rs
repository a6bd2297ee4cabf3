//! Handles that can be waited for.
#![cfg(all(windows, feature = "os-ext"))]

mod support;

use std::io::ErrorKind;
use std::os::windows::io::{AsHandle, AsRawHandle};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use mio::windows::{SourceBorrowedHandle, SourceHandle};
use mio::{Events, Interest, Poll, Token};

use support::windows::Object;
use support::{
    assert_kind, collect, expect_no_event_of, expect_no_events, poll_and_events, wait_for,
};

const TOKEN: Token = Token(5);
const READABLE: Interest = Interest::READABLE;

fn register(poll: &Poll, object: &Object, token: Token, interest: Interest) {
    let mut source = SourceBorrowedHandle::from(object.as_handle());
    let registered = poll.registry().register(&mut source, token, interest);
    registered.expect("registered");
}

fn reregister(poll: &Poll, object: &Object, token: Token, interest: Interest) {
    let mut source = SourceBorrowedHandle::from(object.as_handle());
    let changed = poll.registry().reregister(&mut source, token, interest);
    changed.expect("reregistered");
}

fn deregister(poll: &Poll, object: &Object) {
    let mut source = SourceBorrowedHandle::from(object.as_handle());
    poll.registry()
        .deregister(&mut source)
        .expect("deregistered");
}

#[test]
fn an_event_is_told_for_each_time_it_is_set() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::auto_event();
    register(&poll, &event, TOKEN, READABLE);
    expect_no_events(&mut poll, &mut events);
    for _ in 0..10 {
        event.set();
        wait_for(&mut poll, &mut events, TOKEN, "r");
        expect_no_events(&mut poll, &mut events);
    }
    deregister(&poll, &event);
    event.set();
    expect_no_events(&mut poll, &mut events);
    assert!(event.is_signalled(), "nobody waits for it any more");
}

#[test]
fn what_is_signalled_before_is_told_as_well() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::auto_event();
    event.set();
    register(&poll, &event, TOKEN, READABLE);
    wait_for(&mut poll, &mut events, TOKEN, "r");
    assert!(!event.is_signalled(), "it was taken");
}

#[test]
fn a_manual_event_is_told_until_it_is_reset() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::manual_event();
    register(&poll, &event, TOKEN, READABLE);
    for _ in 0..3 {
        event.set();
        wait_for(&mut poll, &mut events, TOKEN, "r");
        event.reset();
        expect_no_events(&mut poll, &mut events);
    }
    event.set();
    for _ in 0..5 {
        wait_for(&mut poll, &mut events, TOKEN, "r");
    }
}

#[test]
fn a_semaphore_is_told_for_each_count() {
    let (mut poll, mut events) = poll_and_events();
    let semaphore = Object::semaphore();
    register(&poll, &semaphore, TOKEN, READABLE);
    semaphore.release(3);
    for _ in 0..3 {
        wait_for(&mut poll, &mut events, TOKEN, "r");
    }
    expect_no_events(&mut poll, &mut events);
    semaphore.release(1);
    wait_for(&mut poll, &mut events, TOKEN, "r");
}

#[test]
fn a_timer_is_told_when_it_is_due() {
    let (mut poll, mut events) = poll_and_events();
    let timer = Object::timer();
    register(&poll, &timer, TOKEN, READABLE);
    expect_no_events(&mut poll, &mut events);
    for _ in 0..3 {
        timer.set_due_at_once();
        wait_for(&mut poll, &mut events, TOKEN, "r");
    }
}

#[test]
fn a_process_is_told_once() {
    let (mut poll, mut events) = poll_and_events();
    let mut child = Command::new(std::env::current_exe().expect("this binary"))
        .args(["no_such_test", "--exact"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a child");
    let handle = child.as_raw_handle();
    let registry = poll.registry();
    let registered = registry.register(&mut SourceHandle(&handle), TOKEN, READABLE);
    registered.expect("registered");
    wait_for(&mut poll, &mut events, TOKEN, "r");
    assert!(child.try_wait().expect("a status").is_some());
    expect_no_events(&mut poll, &mut events);
    let registry = poll.registry();
    let changed = registry.reregister(&mut SourceHandle(&handle), Token(6), READABLE);
    changed.expect("reregistered");
    wait_for(&mut poll, &mut events, Token(6), "r");
    expect_no_events(&mut poll, &mut events);
    let deregistered = poll.registry().deregister(&mut SourceHandle(&handle));
    deregistered.expect("deregistered");
}

#[test]
fn level_repeats_and_one_shot_does_not() {
    let (mut poll, mut events) = poll_and_events();
    let thread = thread::spawn(|| {});
    let mut source = SourceBorrowedHandle(thread.as_handle());
    let registry = poll.registry();
    let registered = registry.register(&mut source, TOKEN, READABLE.level());
    registered.expect("registered");
    for _ in 0..5 {
        wait_for(&mut poll, &mut events, TOKEN, "r");
    }
    for number in 40..43 {
        let registry = poll.registry();
        let changed = registry.reregister(&mut source, Token(number), READABLE.oneshot());
        changed.expect("reregistered");
        wait_for(&mut poll, &mut events, Token(number), "r");
        expect_no_events(&mut poll, &mut events);
    }
}

#[test]
fn nothing_is_taken_that_nobody_asks_for() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::auto_event();
    register(&poll, &event, TOKEN, Interest::WRITABLE);
    event.set();
    expect_no_events(&mut poll, &mut events);
    assert!(event.is_signalled(), "it was not taken");
    event.set();
    reregister(&poll, &event, TOKEN, READABLE);
    wait_for(&mut poll, &mut events, TOKEN, "r");
    expect_no_events(&mut poll, &mut events);
    // Asked for no more: the wait that goes on is taken back.
    reregister(&poll, &event, TOKEN, Interest::WRITABLE);
    event.set();
    assert!(event.is_signalled(), "it was not taken");
}

#[test]
fn one_shot_takes_one_signal() {
    let (mut poll, mut events) = poll_and_events();
    let semaphore = Object::semaphore();
    register(&poll, &semaphore, TOKEN, READABLE.oneshot());
    semaphore.release(2);
    wait_for(&mut poll, &mut events, TOKEN, "r");
    expect_no_events(&mut poll, &mut events);
    assert!(semaphore.is_signalled(), "the other one was not taken");
    expect_no_events(&mut poll, &mut events);
}

#[test]
fn a_token_that_ended_never_comes() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::auto_event();
    for token in [0, usize::MAX, 1 << (usize::BITS - 1)].map(Token) {
        register(&poll, &event, Token(99), READABLE);
        event.set();
        reregister(&poll, &event, token, READABLE);
        wait_for(&mut poll, &mut events, token, "r");
        event.set();
        deregister(&poll, &event);
        expect_no_event_of(&mut poll, &mut events, token);
    }
}

#[test]
fn mistakes() {
    let poll = Poll::new().expect("a queue");
    let registry = poll.registry();
    let mutex = Object::mutex();
    let mut source = SourceBorrowedHandle(mutex.as_handle());
    let registered = registry.register(&mut source, TOKEN, READABLE);
    assert_kind(registered, ErrorKind::InvalidInput);
    let event = Object::auto_event();
    let mut source = SourceBorrowedHandle(event.as_handle());
    let changed = registry.reregister(&mut source, TOKEN, READABLE);
    assert_kind(changed, ErrorKind::NotFound);
    assert_kind(registry.deregister(&mut source), ErrorKind::NotFound);
    register(&poll, &event, TOKEN, READABLE);
    let registered = registry.register(&mut source, TOKEN, READABLE);
    assert_kind(registered, ErrorKind::AlreadyExists);
    let none = std::ptr::null_mut();
    assert!(registry
        .register(&mut SourceHandle(&none), TOKEN, READABLE)
        .is_err());
}

#[test]
fn an_object_whose_handle_was_closed() {
    let (mut poll, mut events) = poll_and_events();
    let event = Object::auto_event();
    let other = event.duplicate();
    let raw = event.as_raw_handle();
    register(&poll, &event, TOKEN, READABLE);
    drop(event);
    other.set();
    wait_for(&mut poll, &mut events, TOKEN, "r");
    let deregistered = poll.registry().deregister(&mut SourceHandle(&raw));
    deregistered.expect("deregistered");
}

#[test]
fn two_hundred_handles() {
    let (mut poll, mut events) = poll_and_events();
    let objects: Vec<_> = (0..200).map(|_| Object::auto_event()).collect();
    for (number, event) in objects.iter().enumerate() {
        register(&poll, event, Token(number), READABLE);
    }
    for event in &objects {
        event.set();
    }
    let mut missing: std::collections::HashSet<_> = (0..200).map(Token).collect();
    support::wait_until(&mut poll, &mut events, "all", |event| {
        assert!(missing.remove(&event.token()), "told twice: {event:?}");
        missing.is_empty()
    });
}

/// Every signal is told once, whoever registers meanwhile, and never under a dead token.
#[test]
fn registrations_change_while_somebody_polls() {
    const ROUNDS: usize = 1_000;
    let mut poll = Poll::new().expect("a queue");
    let registry = poll.registry().try_clone().expect("a registry");
    let event = Object::auto_event();
    let (dead, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let mut source = SourceBorrowedHandle(event.as_handle());
            for token in 0..ROUNDS {
                let registered = registry.register(&mut source, Token(token), READABLE);
                registered.expect("registered");
                event.set();
                registry.deregister(&mut source).expect("deregistered");
                dead.store(token + 1, Ordering::SeqCst);
            }
            done.store(true, Ordering::SeqCst);
        });
        let mut events = Events::with_capacity(64);
        while !done.load(Ordering::SeqCst) {
            let dead = dead.load(Ordering::SeqCst);
            let briefly = Some(Duration::from_millis(1));
            poll.poll(&mut events, briefly).expect("poll");
            for event in &events {
                assert!(event.token().0 >= dead, "a dead token: {event:?} < {dead}");
            }
        }
    });
    let mut events = Events::with_capacity(64);
    assert_eq!(collect(&mut poll, &mut events), []);
}
