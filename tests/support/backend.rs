//! What the kernel-facing tests must know of the backend under test.

use std::{fs, thread};

/// Whether the queue under test is the one of poll(2): a table of ours, and no kernel object.
pub const POLL_QUEUE: bool = cfg!(mio_unsupported_force_poll_poll);

/// What one signal takes: an eventfd, or both ends of a pipe.
const SIGNAL_FDS: usize = if cfg!(mio_unsupported_force_waker_pipe) {
    2
} else {
    1
};

/// The descriptors of a queue; that of poll(2) has nothing but a signal.
pub const QUEUE_FDS: usize = if POLL_QUEUE { SIGNAL_FDS } else { 1 };

/// What the first waker of a queue adds to it.
pub const WAKER_FDS: usize = if POLL_QUEUE { 0 } else { SIGNAL_FDS };

/// Waits until a thread of this process is inside a system call that waits for events.
pub fn wait_until_polling(thread: libc::pid_t) {
    #[cfg(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm"))]
    const WAITS: [libc::c_long; 2] = [libc::SYS_epoll_wait, libc::SYS_poll];
    #[cfg(not(any(target_arch = "x86_64", target_arch = "x86", target_arch = "arm")))]
    const WAITS: [libc::c_long; 0] = [];
    let waits = [
        libc::SYS_epoll_pwait,
        libc::SYS_epoll_pwait2,
        libc::SYS_ppoll,
        // A poll(2) that goes on after its process was stopped.
        libc::SYS_restart_syscall,
    ];
    loop {
        // The file says `running`, or the number of the call and its arguments.
        let call = fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).unwrap();
        let number = call
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        if number.is_some_and(|number| waits.contains(&number) || WAITS.contains(&number)) {
            return;
        }
        thread::yield_now();
    }
}
