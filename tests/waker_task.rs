//! A `Waker` serves as the waker of a task, and may be shared by threads.

#![cfg(all(any(target_os = "linux", windows), feature = "os-poll"))]

use std::future::Future;
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::Arc;
use std::task::{self, Context};
use std::thread;
use std::time::Duration;

use mio::{Events, Poll, Token, Waker};

#[cfg_attr(windows, path = "support/kernel_windows.rs")]
#[cfg_attr(not(windows), path = "support/kernel.rs")]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn wakers_may_be_sent_and_shared() {
    fn check<T: Send + Sync + 'static>() {}
    check::<Waker>();
    check::<Arc<Waker>>();
}

#[test]
fn a_task_waker_wakes_the_poll() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Arc::new(Waker::new(poll.registry(), Token(3)).unwrap());
    let task_waker = task::Waker::from(Arc::clone(&waker));
    assert_eq!(Arc::strong_count(&waker), 2);

    let clone = task_waker.clone();
    assert!(clone.will_wake(&task_waker));
    for wake in [&task_waker, &clone] {
        wake.wake_by_ref();
        wake.wake_by_ref();
        poll.poll(&mut events, NOW).unwrap();
        assert_eq!(
            events.iter().map(|event| event.token()).collect::<Vec<_>>(),
            [Token(3)]
        );
    }
    task_waker.wake();
    drop(clone);
    assert_eq!(Arc::strong_count(&waker), 1, "a task waker was leaked");
    poll.poll(&mut events, NOW).unwrap();
    assert_eq!(events.iter().count(), 1);
}

#[test]
fn a_future_runs_on_a_poll() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Arc::new(Waker::new(poll.registry(), Token(3)).unwrap());
    let task_waker = task::Waker::from(waker);

    let counter = Arc::new(AtomicUsize::new(0));
    let mut future = pin!(std::future::poll_fn(|context: &mut Context<'_>| {
        let count = counter.load(Ordering::Relaxed);
        if count == 5 {
            return task::Poll::Ready(count);
        }
        let (counter, waker) = (Arc::clone(&counter), context.waker().clone());
        thread::spawn(move || {
            counter.fetch_add(1, Ordering::Relaxed);
            waker.wake();
        });
        task::Poll::Pending
    }));
    let mut context = Context::from_waker(&task_waker);
    let result = loop {
        match future.as_mut().poll(&mut context) {
            task::Poll::Ready(result) => break result,
            task::Poll::Pending => poll.poll(&mut events, None).unwrap(),
        }
    };
    assert_eq!(result, 5);
}
