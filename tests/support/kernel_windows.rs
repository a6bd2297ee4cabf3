//! What stands for `kernel.rs` on Windows, as far as portable tests use it.

#![allow(dead_code, unreachable_pub, unused_imports)]

#[path = "watchdog.rs"]
mod watchdog;

pub use watchdog::{storm, watchdog, Watchdog};

/// Names a thread for `wait_until_polling`.
pub fn thread_id() {}

/// Windows does not tell what a thread waits for: this makes it likely that it does, and the tests
/// hold either way.
pub fn wait_until_polling(_: ()) {
    for _ in 0..100 {
        std::thread::yield_now();
    }
}
