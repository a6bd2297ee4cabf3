//! What the queue of poll(2) costs: nothing but the wait, unless a poller sleeps that must be told.

#![cfg(mio_unsupported_force_poll_poll)]
#![cfg(not(mio_unsupported_force_waker_pipe))] // It would double each descriptor.
#![cfg(all(target_os = "linux", feature = "os-ext"))]

use std::io::{Read, Write};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use mio::unix::pipe::{self, Receiver};
use mio::{Events, Interest, Poll, Registry, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;
#[path = "support/wakers.rs"]
mod wakers;

use kernel::{check, step, Row};

const NOW: Option<Duration> = Some(Duration::ZERO);
const READ: Interest = Interest::READABLE;

const WAIT: &str = "poll|ppoll";

#[test]
fn while_nobody_sleeps() {
    let table: &[Row] = &[
        ("Poll::new", &["eventfd2"]),
        ("Registry::try_clone", &[]),
        ("drop the clone", &[]),
        ("register", &[]),
        ("reregister", &[]),
        ("would block", &["read"]),
        ("deregister", &[]),
        ("poll, one event", &[WAIT]),
        ("poll, none", &[WAIT]),
        ("poll, a millisecond", &[WAIT]),
        ("poll, a microsecond", &["ppoll"]),
        ("drop, registered", &["close"]),
        ("drop Poll", &["close"]),
    ];
    let sections = kernel::strace("while_nobody_sleeps", &[], || {
        let mut events = Events::with_capacity(16);
        let mut poll = step("Poll::new", Poll::new).unwrap();
        let clone = step("Registry::try_clone", || poll.registry().try_clone()).unwrap();
        step("drop the clone", || drop(clone));
        let (mut sender, mut receiver) = pipe::new().unwrap();
        let registry = poll.registry();
        step("register", || {
            registry.register(&mut receiver, Token(0), READ)
        })
        .unwrap();
        step("reregister", || {
            registry.reregister(&mut receiver, Token(0), READ)
        })
        .unwrap();
        step("would block", || receiver.read(&mut [0])).unwrap_err();
        step("deregister", || registry.deregister(&mut receiver)).unwrap();
        registry.register(&mut receiver, Token(0), READ).unwrap();
        sender.write_all(b"x").unwrap();
        step("poll, one event", || poll.poll(&mut events, None)).unwrap();
        step("poll, none", || poll.poll(&mut events, NOW)).unwrap();
        let (ms, us) = (Duration::from_millis(1), Duration::from_micros(1));
        step("poll, a millisecond", || poll.poll(&mut events, Some(ms))).unwrap();
        step("poll, a microsecond", || poll.poll(&mut events, Some(us))).unwrap();
        step("drop, registered", || drop(receiver));
        step("drop Poll", || drop(poll));
    });
    check(&sections, table);
}

#[test]
fn wakers() {
    let table: &[Row] = &[
        ("Waker::new", &["write"]),
        ("another Waker::new", &[]),
        ("drop one", &[]),
        ("wake an awake poll 1000 times", &[]),
        ("poll, woken", &[WAIT]),
        ("poll, not woken", &[WAIT]),
        ("wake 1000 times, poll each time", &[WAIT; 1000]),
        ("sleep", &[WAIT, "read"]),
        ("wake a sleeping poll", &["write"]),
        ("drop the last", &["close"]),
    ];
    let sections = kernel::strace("wakers", &[], || {
        let mut poll = Poll::new().unwrap();
        let waker = wakers::wake_while_awake(&mut poll);
        let poll = asleep_during(poll, "sleep", |_| {
            step("wake a sleeping poll", || waker.wake()).unwrap();
        });
        drop(poll);
        step("drop the last", || drop(waker));
    });
    check(&sections, table);
}

/// Acts while another thread sleeps in the poll, which the act must end with an event.
fn asleep_during(mut poll: Poll, name: &'static str, act: impl FnOnce(&Registry)) -> Poll {
    let registry = poll.registry().try_clone().unwrap();
    let (ready, asleep) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        let mut events = Events::with_capacity(16);
        ready.send(kernel::thread_id()).unwrap();
        step(name, || poll.poll(&mut events, None)).unwrap();
        assert_eq!(events.iter().count(), 1);
        poll
    });
    kernel::wait_until_polling(asleep.recv().unwrap());
    act(&registry);
    sleeper.join().unwrap()
}

/// Each change while a poller sleeps tells it, by one write. The poller looks at the table again
/// and sleeps on, until a waker ends it.
#[test]
fn while_a_poller_sleeps() {
    type Change = fn(&Registry, Receiver) -> Option<Receiver>;
    const CHANGES: [(&str, bool, &[&str], Change); 5] = [
        ("register", false, &["write"], |registry, mut receiver| {
            registry.register(&mut receiver, Token(1), READ).unwrap();
            Some(receiver)
        }),
        ("reregister", true, &["write"], |registry, mut receiver| {
            registry.reregister(&mut receiver, Token(1), READ).unwrap();
            Some(receiver)
        }),
        ("deregister", true, &["write"], |registry, mut receiver| {
            registry.deregister(&mut receiver).unwrap();
            Some(receiver)
        }),
        // Nothing was reported since it was last asked for: there is nothing to ask for anew.
        ("would block", true, &["read"], |_, mut receiver| {
            receiver.read(&mut [0]).unwrap_err();
            Some(receiver)
        }),
        ("drop", true, &["write", "close"], |_, _| None),
    ];
    let sections = kernel::strace("while_a_poller_sleeps", &[], || {
        for (name, registered, _, change) in CHANGES {
            let poll = Poll::new().unwrap();
            let waker = Waker::new(poll.registry(), Token(0)).unwrap();
            let (_sender, mut receiver) = pipe::new().unwrap();
            if registered {
                let registry = poll.registry();
                registry.register(&mut receiver, Token(1), READ).unwrap();
            }
            asleep_during(poll, "sleep", |registry| {
                let kept = step(name, || change(registry, receiver));
                waker.wake().unwrap();
                drop(kept);
            });
        }
    });
    for (name, _, calls, _) in CHANGES {
        let seen = sections.iter().find(|section| section.name == name);
        assert_eq!(seen.unwrap().names(), calls, "{name}");
    }
}
