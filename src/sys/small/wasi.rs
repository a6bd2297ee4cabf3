//! Waiting on WASI: what all its versions have in common.
//!
//! Its calls want to hear of nothing but what is asked: no entry that is skipped,
//! none that asks nothing, and not an empty list. One bad descriptor may fail the
//! whole call; then each is looked at alone, and the bad ones have an error.

use super::poll;
use libc::{c_short, pollfd};
use std::io;
use std::time::Duration;

/// Another thread can neither interrupt a sleep nor show it a new source, so that
/// where there are threads no sleep is longer.
const SLICE: Duration = Duration::from_millis(10);
const HAS_THREADS: bool = cfg!(target_feature = "atomics");

/// What ends a registration: the system says that it will not do.
const BAD: c_short = libc::POLLERR | libc::POLLNVAL;

/// How many of the entries have something to tell. Fails with `InvalidInput` if
/// the wait could not end.
pub(crate) fn poll_fds(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let mut asked: Vec<(usize, pollfd)> = Vec::with_capacity(fds.len());
    for (index, entry) in fds.iter_mut().enumerate() {
        entry.revents = 0;
        if entry.fd >= 0 && entry.events != 0 {
            asked.push((index, *entry));
        }
    }
    let timeout = match timeout {
        None if HAS_THREADS => Some(SLICE),
        Some(timeout) if HAS_THREADS => Some(timeout.min(SLICE)),
        timeout => timeout,
    };
    if asked.is_empty() {
        return wait_for_nothing(timeout);
    }
    let mut list: Vec<pollfd> = asked.iter().map(|(_, entry)| *entry).collect();
    if let Err(err) = poll(&mut list, timeout) {
        find_bad(&mut list, err)?;
    }
    let mut hits = 0;
    for ((index, _), answered) in asked.iter().zip(&list) {
        fds[*index].revents = answered.revents;
        hits += usize::from(answered.revents != 0);
    }
    Ok(hits)
}

/// Looks at each entry alone. `err` is of all, and stays if each one will do.
fn find_bad(list: &mut [pollfd], err: io::Error) -> io::Result<()> {
    let mut found = false;
    for entry in list {
        entry.revents = 0;
        if poll(std::slice::from_mut(entry), Some(Duration::ZERO)).is_err() {
            entry.revents = BAD;
            found = true;
        }
    }
    if found {
        Ok(())
    } else {
        Err(err)
    }
}

/// Nothing is asked. Without threads nobody could end a wait that has no end.
fn wait_for_nothing(timeout: Option<Duration>) -> io::Result<usize> {
    match timeout {
        None => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "nothing is registered, and no timeout: this poll would never end",
        )),
        Some(timeout) => {
            // No call waits for nothing.
            // tidy: allow sleep: the caller asked for it
            std::thread::sleep(timeout);
            Ok(0)
        }
    }
}
