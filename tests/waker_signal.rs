//! `Waker::wake` may be called from a signal handler, whatever the signal interrupts.

#![cfg(all(target_os = "linux", feature = "os-poll"))]
#![allow(unsafe_code)]

use std::io::ErrorKind;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;
use std::{mem, ptr, thread};

use mio::{Events, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// The wakers of the handlers below: one a signal, so that the tests do not meet.
static RAISED: AtomicPtr<Waker> = AtomicPtr::new(ptr::null_mut());
static SENT: AtomicPtr<Waker> = AtomicPtr::new(ptr::null_mut());
static TIMED: AtomicPtr<Waker> = AtomicPtr::new(ptr::null_mut());
static TICKS: AtomicUsize = AtomicUsize::new(0);

/// Makes a waker that lives as long as the process, for a handler may run at any time.
fn publish(poll: &Poll, slot: &AtomicPtr<Waker>) -> &'static Waker {
    let waker = Box::leak(Box::new(Waker::new(poll.registry(), Token(4)).unwrap()));
    slot.store(waker, Ordering::Release);
    waker
}

fn wake(slot: &AtomicPtr<Waker>) {
    // SAFETY: the slot is null or points to the waker that `publish` leaked.
    if let Some(waker) = unsafe { slot.load(Ordering::Acquire).as_ref() } {
        waker.wake().unwrap();
    }
}

extern "C" fn on_raised(_: libc::c_int) {
    wake(&RAISED);
}

extern "C" fn on_sent(_: libc::c_int) {
    wake(&SENT);
}

extern "C" fn on_timer(_: libc::c_int) {
    // The count first: whoever sees the wake's event must see it too.
    TICKS.fetch_add(1, Ordering::Relaxed);
    wake(&TIMED);
}

/// Polls until the waker is heard; an interruption is no event, and the wake must survive it.
fn poll_through_signals(poll: &mut Poll, events: &mut Events) {
    loop {
        match poll.poll(events, None) {
            Ok(()) => break,
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::Interrupted);
                assert!(events.is_empty());
            }
        }
    }
    assert_eq!(
        events.iter().map(|event| event.token()).collect::<Vec<_>>(),
        [Token(4)]
    );
}

#[test]
fn a_handler_wakes_its_own_thread() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = publish(&poll, &RAISED);
    kernel::handle_signal(libc::SIGUSR1, libc::SA_RESTART, on_raised);
    for _ in 0..100 {
        kernel::send_signal(kernel::thread_id(), libc::SIGUSR1);
        waker.wake().unwrap();
        poll.poll(&mut events, NOW).unwrap();
        assert_eq!(
            events.iter().map(|event| event.token()).collect::<Vec<_>>(),
            [Token(4)]
        );
        poll.poll(&mut events, NOW).unwrap();
        assert!(events.is_empty());
    }
}

#[test]
fn a_handler_wakes_the_poll_that_it_interrupts() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    publish(&poll, &SENT);
    kernel::handle_signal(libc::SIGUSR2, libc::SA_RESTART, on_sent);
    let (ready, asleep) = mpsc::channel();
    let poller = thread::spawn(move || {
        let mut events = Events::with_capacity(4);
        for _ in 0..100 {
            ready.send(kernel::thread_id()).unwrap();
            poll_through_signals(&mut poll, &mut events);
        }
    });
    // One signal a round, sent when the thread sleeps in the kernel.
    for thread in asleep {
        kernel::wait_until_polling(thread);
        kernel::send_signal(thread, libc::SIGUSR2);
    }
    poller.join().unwrap();
}

#[test]
fn a_timer_wakes_at_any_instruction() {
    kernel::in_child("a_timer_wakes_at_any_instruction", || {
        let _watchdog = kernel::watchdog();
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = publish(&poll, &TIMED);
        kernel::handle_signal(libc::SIGALRM, libc::SA_RESTART, on_timer);
        set_timer(Duration::from_micros(50));
        let mut seen = 0;
        while seen < 2000 {
            // Wakes of our own, so that the handler often interrupts one half-way.
            waker.wake().unwrap();
            waker.wake().unwrap();
            poll_through_signals(&mut poll, &mut events);
            let wanted = seen + 10;
            while seen < wanted {
                poll_through_signals(&mut poll, &mut events);
                seen = TICKS.load(Ordering::Relaxed);
            }
        }
        set_timer(Duration::ZERO);
    });
}

/// Sends SIGALRM again and again; never with a zero period.
fn set_timer(period: Duration) {
    // SAFETY: all-zero is a valid itimerval: a stopped timer.
    let mut timer: libc::itimerval = unsafe { mem::zeroed() };
    timer.it_interval.tv_usec = period.subsec_micros() as _;
    timer.it_value = timer.it_interval;
    // SAFETY: `timer` is a valid itimerval, and the old value is not asked for.
    let done = unsafe { libc::setitimer(libc::ITIMER_REAL, &timer, ptr::null_mut()) };
    assert_eq!(done, 0);
}
