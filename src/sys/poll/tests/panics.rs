//! A poll that ends with a panic: of a logger of the caller's, say, that is told of a
//! failure in the middle of a wait.

use super::super::*;
use crate::sys::queue::{Queue, Waker};
use crate::sys::{RawEvent, Turn};
use std::cell::RefCell;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::thread;

thread_local! {
    /// What happens in the next sleep of this thread.
    static DURING: RefCell<Option<Box<dyn FnOnce()>>> = RefCell::new(None);
}

/// The system, but that sleeps are disturbed.
#[derive(Debug)]
struct Disturbed(System);

impl Kernel for Disturbed {
    fn new() -> io::Result<Disturbed> {
        Kernel::new().map(Disturbed)
    }

    fn wakeup(&self) -> RawSource {
        self.0.wakeup()
    }

    fn signal(&self) -> io::Result<()> {
        self.0.signal()
    }

    fn drain(&self) -> io::Result<()> {
        self.0.drain()
    }

    fn poll(&self, fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
        if timeout == Some(Duration::ZERO) {
            return self.0.poll(fds, timeout);
        }
        let disturb = DURING.with(RefCell::take);
        disturb.expect("a reason to sleep")();
        let hits = self.0.poll(fds, Some(Duration::ZERO))?;
        assert_ne!(hits, 0, "this would have slept on");
        Ok(hits)
    }
}

#[test]
fn a_wake_after_a_panic_ends_a_poll() {
    let queue = Queue::<Selector<Disturbed>>::new().unwrap();
    let waker = Arc::new(Waker::new(&queue, Token(7)).unwrap());
    let (mut turn, mut events) = (Turn::default(), Vec::with_capacity(8));
    let mut poll = |timeout, disturb: Option<Box<dyn FnOnce()>>| {
        DURING.with(|during| *during.borrow_mut() = disturb);
        queue.poll(&mut turn, &mut events, 8, timeout).unwrap();
        events.iter().map(RawEvent::token).collect::<Vec<_>>()
    };
    // It begins signalled.
    assert_eq!(poll(Some(Duration::ZERO), None), []);
    for timeout in [None, Some(Duration::from_secs(60))] {
        let panics = || poll(timeout, Some(Box::new(|| panic!("in a wait"))));
        assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
        let waker = Arc::clone(&waker);
        let wakes = move || thread::spawn(move || waker.wake()).join().unwrap().unwrap();
        assert_eq!(poll(timeout, Some(Box::new(wakes))), [Token(7)]);
    }
}
