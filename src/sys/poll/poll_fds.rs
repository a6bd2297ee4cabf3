//! [`poll(2)`] itself, and `ppoll` where it is.
//!
//! [`poll(2)`]: https://man7.org/linux/man-pages/man2/poll.2.html

use crate::sys::timeout;
use crate::sys::unix::syscall::check;
use libc::pollfd;
use std::io;
use std::time::Duration;

/// How many of the entries have something to tell.
pub(crate) fn poll_fds(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let hits = match timeout {
        Some(precise) if timeout::has_sub_millis(precise) => poll_precise(fds, precise)?,
        _ => poll_millis(fds, timeout::as_millis(timeout))?,
    };
    Ok(hits as usize)
}

fn poll_millis(fds: &mut [pollfd], timeout_ms: libc::c_int) -> io::Result<libc::c_int> {
    let count = fds.len() as libc::nfds_t;
    // SAFETY: the kernel reads and writes `count` entries of the slice.
    check(unsafe { libc::poll(fds.as_mut_ptr(), count, timeout_ms) })
}

cfg_if! {
    if #[cfg(all(
        any(
            target_os = "linux",
            target_os = "android",
            target_os = "freebsd",
            target_os = "dragonfly",
        ),
        not(miri)
    ))] {
        fn poll_precise(fds: &mut [pollfd], timeout: Duration) -> io::Result<libc::c_int> {
            let timeout = libc::timespec {
                // Musl's `time_t` must not be named while libc's is to change; 68
                // years are enough, and the deadline would go on.
                tv_sec: timeout.as_secs().try_into().unwrap_or(i32::MAX.into()),
                tv_nsec: timeout.subsec_nanos() as _,
            };
            let count = fds.len() as libc::nfds_t;
            let sigmask = std::ptr::null();
            // SAFETY: the kernel reads and writes `count` entries of the slice and
            // reads `timeout`; no signal mask is given.
            check(unsafe { libc::ppoll(fds.as_mut_ptr(), count, &timeout, sigmask) })
        }
    } else {
        fn poll_precise(fds: &mut [pollfd], timeout: Duration) -> io::Result<libc::c_int> {
            poll_millis(fds, timeout::as_millis(Some(timeout)))
        }
    }
}
