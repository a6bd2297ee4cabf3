//! What the emulations of other systems' queues are made of, for tests on Linux.

use libc::{c_int, epoll_event};
use std::fs::File;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::ptr;

/// The end of a call that failed.
pub(super) fn fail(errno: c_int) -> c_int {
    // SAFETY: the call takes nothing.
    let place = unsafe { libc::__errno_location() };
    // SAFETY: the C library says that this is the thread's errno.
    unsafe { *place = errno };
    -1
}

/// Waits until a queue has something, without taking it: 1 if it has, else 0 or
/// a failure. A null timeout waits without end.
pub(super) fn wait_readable(queue: &OwnedFd, timeout: *const libc::timespec) -> c_int {
    let mut queue = libc::pollfd {
        fd: queue.as_raw_fd(),
        events: libc::POLLIN,
        revents: 0,
    };
    // SAFETY: one entry is given; the timeout is null or valid, and there is no
    // signal mask.
    unsafe { libc::ppoll(&mut queue, 1, timeout, ptr::null()) }
}

/// No signal handler of this thread runs while it lives: one might want a lock
/// that the thread holds. It keeps what was blocked before.
pub(super) struct BlockedSignals(libc::sigset_t);

impl BlockedSignals {
    pub(super) fn new() -> BlockedSignals {
        let mut all = MaybeUninit::uninit();
        let mut before = MaybeUninit::uninit();
        // SAFETY: the call fills the set in.
        unsafe { libc::sigfillset(all.as_mut_ptr()) };
        // SAFETY: one set is filled in, the other has room.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
        // SAFETY: the call filled it in: its arguments are valid.
        BlockedSignals(unsafe { before.assume_init() })
    }
}

impl Drop for BlockedSignals {
    fn drop(&mut self) {
        // SAFETY: the set is the thread's own from before.
        unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, &self.0, ptr::null_mut()) };
    }
}

pub(super) fn epoll_create() -> io::Result<OwnedFd> {
    // SAFETY: the call takes no pointers.
    owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })
}

pub(super) fn eventfd() -> io::Result<File> {
    // SAFETY: the call takes no pointers.
    owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) }).map(File::from)
}

/// Readable when a thread that blocks the signal is sent it.
pub(super) fn signalfd(signal: c_int) -> io::Result<File> {
    let mut set = MaybeUninit::uninit();
    // SAFETY: the call fills the set in.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: the set is filled in; a number that is no signal is an error.
    if unsafe { libc::sigaddset(set.as_mut_ptr(), signal) } == -1 {
        return Err(io::Error::last_os_error());
    }
    let flags = libc::SFD_CLOEXEC | libc::SFD_NONBLOCK;
    // SAFETY: the set is filled in, and only read.
    owned(unsafe { libc::signalfd(-1, set.as_ptr(), flags) }).map(File::from)
}

fn owned(fd: c_int) -> io::Result<OwnedFd> {
    if fd == -1 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the kernel just made `fd`, and nobody else knows of it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

pub(super) fn control(
    epoll: &OwnedFd,
    op: c_int,
    fd: c_int,
    mask: u32,
    data: u64,
) -> io::Result<()> {
    control_raw(epoll.as_raw_fd(), op, fd, mask, data)
}

pub(super) fn control_raw(
    epoll: c_int,
    op: c_int,
    fd: c_int,
    mask: u32,
    data: u64,
) -> io::Result<()> {
    let mut event = epoll_event {
        events: mask,
        u64: data,
    };
    // SAFETY: the event outlives the call, which only reads it. That a number
    // may be no open descriptor is an error, not a fault.
    if unsafe { libc::epoll_ctl(epoll, op, fd, &mut event) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}
