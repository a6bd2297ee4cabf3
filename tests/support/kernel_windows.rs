//! What stands for `kernel.rs` on Windows, as far as portable tests use it.

#![allow(dead_code, unreachable_pub, unused_imports)]

use std::thread;

#[path = "watchdog.rs"]
mod watchdog;

pub use watchdog::{storm, watchdog, Watchdog};

/// Names a thread for `wait_until_polling`.
pub fn thread_id() -> thread::ThreadId {
    thread::current().id()
}

/// Windows does not tell what a thread waits for: this makes it likely that it does, and the tests
/// hold either way.
pub fn wait_until_polling(_: thread::ThreadId) {
    for _ in 0..100 {
        thread::yield_now();
    }
}
