//! The verdict on a test that hangs.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

/// Aborts the process when it is not dropped in time: the verdict on a lost wake, which would hang.
pub struct Watchdog(mpsc::Sender<()>);

pub fn watchdog() -> Watchdog {
    let (alive, dropped) = mpsc::channel::<()>();
    thread::spawn(move || {
        if dropped.recv_timeout(Duration::from_secs(120)) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the watchdog gave up: an event was lost");
            std::process::abort();
        }
    });
    Watchdog(alive)
}
