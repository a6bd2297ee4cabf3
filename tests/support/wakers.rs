//! The wakes whose system calls are counted, of whichever queue.

use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

use super::kernel::step;

/// Makes wakers and wakes with them a poll that is awake; hands out the one that is left.
pub(crate) fn wake_while_awake(poll: &mut Poll) -> Waker {
    let now = Some(Duration::ZERO);
    let mut events = Events::with_capacity(16);
    let waker = step("Waker::new", || Waker::new(poll.registry(), Token(0))).unwrap();
    let other = step("another Waker::new", || {
        Waker::new(poll.registry(), Token(1))
    })
    .unwrap();
    // The first poll may take what the set-up signalled.
    poll.poll(&mut events, now).unwrap();
    step("drop one", || drop(other));
    step("wake an awake poll 1000 times", || {
        (0..1000).for_each(|_| waker.wake().unwrap());
    });
    step("poll, woken", || poll.poll(&mut events, None)).unwrap();
    assert_eq!(events.iter().count(), 1);
    step("poll, not woken", || poll.poll(&mut events, now)).unwrap();
    assert!(events.is_empty());
    step("wake 1000 times, poll each time", || {
        for _ in 0..1000 {
            waker.wake().unwrap();
            poll.poll(&mut events, None).unwrap();
        }
    });
    waker
}
