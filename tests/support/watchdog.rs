//! The verdict on a test that hangs, and how much a storm does before it is over.

use std::sync::mpsc;
use std::time::Duration;
use std::{env, thread};

/// A count of a storm: `few` in ordinary tests, `all` where `MIO_STORM=full` asks for it.
pub fn storm(few: usize, all: usize) -> usize {
    if env::var_os("MIO_STORM").is_some_and(|storm| storm == "full") {
        all
    } else {
        few
    }
}

/// Aborts the process when it is not dropped in time: the verdict on a lost wake, which would hang.
pub struct Watchdog(mpsc::Sender<()>);

pub fn watchdog() -> Watchdog {
    let (alive, dropped) = mpsc::channel::<()>();
    thread::spawn(move || {
        let patience = Duration::from_secs(storm(120, 1800) as u64);
        if dropped.recv_timeout(patience) == Err(mpsc::RecvTimeoutError::Timeout) {
            eprintln!("the watchdog gave up: an event was lost");
            std::process::abort();
        }
    });
    Watchdog(alive)
}
