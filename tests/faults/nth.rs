//! Faults that last for one call: strace answers in the kernel's place, and the operation tries
//! again.

use std::thread;

use super::kernel::{self, Call};
use super::sleeper::Sleeper;

/// Each thread's tenth write is answered so: more than the test harness makes itself.
const WHICH: usize = 10;

/// Wakes a sleeper by a write that fails at first.
fn wake(test: &str, error: &str) {
    let inject = format!("inject=write:error={error}:when={WHICH}");
    let sections = kernel::strace(test, &["-e", &inject], || {
        let sleeper = Sleeper::new();
        let waker = thread::spawn(move || {
            // All but the last of the marks are of nothing but the count.
            (2..WHICH).for_each(|_| kernel::mark("count"));
            kernel::step("wake", || sleeper.wake().unwrap());
        });
        waker.join().unwrap();
    });
    let section = sections.iter().find(|section| section.name == "wake");
    let calls = &section.expect("it ran").calls;
    let injected = |call: &Call| call.name == "write" && call.line.contains(error);
    assert!(calls.iter().any(injected), "{calls:?}");
    let writes = calls.iter().filter(|call| call.name == "write").count();
    assert_eq!(writes, 2, "{calls:?}");
}

#[test]
fn a_wake_that_is_interrupted_is_made_again() {
    wake("nth::a_wake_that_is_interrupted_is_made_again", "EINTR");
}

/// So a full counter, or a full pipe, answers: it is emptied.
#[test]
fn a_wake_without_room_makes_some() {
    wake("nth::a_wake_without_room_makes_some", "EAGAIN");
}
