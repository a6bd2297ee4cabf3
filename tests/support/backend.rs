//! What the kernel-facing tests must know of the backend under test.

use std::{fs, thread};

use super::program;

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

/// The calls that wait for events, by their numbers on the processor that the tests are for.
const WAITS: &[libc::c_long] = &[
    // Those without a signal mask, which younger processors lack.
    #[cfg(not(any(
        target_arch = "aarch64",
        target_arch = "loongarch64",
        target_arch = "riscv64"
    )))]
    libc::SYS_epoll_wait,
    #[cfg(not(any(
        target_arch = "aarch64",
        target_arch = "loongarch64",
        target_arch = "riscv64"
    )))]
    libc::SYS_poll,
    libc::SYS_epoll_pwait,
    libc::SYS_epoll_pwait2,
    libc::SYS_ppoll,
    // A poll(2) that goes on after its process was stopped.
    libc::SYS_restart_syscall,
];

/// The same as x86-64 numbers them. An emulator of another processor makes these on such a machine.
const EMULATED_WAITS: &[libc::c_long] = &[232, 281, 441, 7, 271, 219];

/// Waits until a thread of this process is inside a system call that waits for events.
pub fn wait_until_polling(thread: libc::pid_t) {
    let waits = match program::is_emulated() {
        true => EMULATED_WAITS,
        false => WAITS,
    };
    loop {
        // The file says `running`, or the number of the call and its arguments.
        let call = fs::read_to_string(format!("/proc/self/task/{thread}/syscall")).unwrap();
        let number = call
            .split_whitespace()
            .next()
            .and_then(|word| word.parse().ok());
        if number.is_some_and(|number| waits.contains(&number)) {
            return;
        }
        thread::yield_now();
    }
}
