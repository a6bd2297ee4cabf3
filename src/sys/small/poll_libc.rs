//! The C library's [`poll`].
//!
//! [`poll`]: https://pubs.opengroup.org/onlinepubs/9799919799/functions/poll.html

use crate::sys::timeout::as_millis;
use libc::pollfd;
use std::io;
use std::time::Duration;

/// The result of a call that answers -1 and `errno` when it fails.
pub(super) fn check(ret: libc::c_int) -> io::Result<libc::c_int> {
    if ret == -1 {
        Err(io::Error::last_os_error())
    } else {
        Ok(ret)
    }
}

/// How many of the entries have something to tell.
pub(crate) fn poll(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let (count, timeout_ms) = (fds.len() as libc::nfds_t, as_millis(timeout));
    // SAFETY: the library reads and writes `count` entries of the slice.
    let hits = check(unsafe { libc::poll(fds.as_mut_ptr(), count, timeout_ms) })?;
    Ok(hits as usize)
}
