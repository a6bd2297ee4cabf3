//! A wake costs a system call only where somebody may sleep: the table of what strace counts.

#![cfg(not(mio_unsupported_force_poll_poll))] // Its table is that of `syscalls_poll`.
#![cfg(all(target_os = "linux", feature = "os-ext"))]

use std::os::fd::AsRawFd;
use std::sync::mpsc;
use std::thread;

use mio::{Events, Poll};

#[path = "support/kernel.rs"]
mod kernel;
#[path = "support/wakers.rs"]
mod wakers;

use kernel::{check, step, Row};

const WAIT: &str = "epoll_wait|epoll_pwait";

/// The pipe is written once before the queue has it, and has two ends to close.
#[cfg(mio_unsupported_force_waker_pipe)]
const SIGNAL: (&[&str], &[&str]) = (&["pipe2", "write", "epoll_ctl"], &["close", "close"]);
#[cfg(not(mio_unsupported_force_waker_pipe))]
const SIGNAL: (&[&str], &[&str]) = (&["eventfd2", "epoll_ctl"], &["close"]);

#[test]
fn wakers() {
    let table: &[Row] = &[
        ("Waker::new", SIGNAL.0),
        ("another Waker::new", &[]),
        ("drop one", &[]),
        ("wake an awake poll 1000 times", &[]),
        ("poll, woken", &[WAIT]),
        ("poll, not woken", &[WAIT]),
        ("wake 1000 times, poll each time", &[WAIT; 1000]),
        ("sleep", &[WAIT]),
        ("wake a sleeping poll", &["write"]),
        ("take the descriptor", &[]),
        ("wake, descriptor taken", &["write"]),
        ("wake again, descriptor taken", &[]),
        ("drop the last", SIGNAL.1),
    ];
    let sections = kernel::strace("wakers", &[], || {
        let mut poll = Poll::new().unwrap();
        let waker = wakers::wake_while_awake(&mut poll);

        let (ready, asleep) = mpsc::channel();
        let sleeper = thread::spawn(move || {
            let mut events = Events::with_capacity(16);
            ready.send(kernel::thread_id()).unwrap();
            step("sleep", || poll.poll(&mut events, None)).unwrap();
            assert_eq!(events.iter().count(), 1);
            poll
        });
        kernel::wait_until_polling(asleep.recv().unwrap());
        step("wake a sleeping poll", || waker.wake()).unwrap();
        let poll = sleeper.join().unwrap();
        step("take the descriptor", || poll.as_raw_fd());
        step("wake, descriptor taken", || waker.wake()).unwrap();
        step("wake again, descriptor taken", || waker.wake()).unwrap();
        drop(poll);
        step("drop the last", || drop(waker));
    });
    check(&sections, table);
}
