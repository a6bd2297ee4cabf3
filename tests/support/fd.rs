//! Facts about descriptors that std does not tell.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, RawFd};

/// What owns a descriptor.
pub(crate) use std::os::fd::OwnedFd as Owned;

/// What names a borrowed descriptor to the system.
pub(crate) fn raw_of_borrowed(source: &impl AsFd) -> RawFd {
    source.as_fd().as_raw_fd()
}

/// Gives a descriptor up.
pub(crate) fn into_raw(source: impl IntoRawFd) -> RawFd {
    source.into_raw_fd()
}

/// Takes a descriptor.
///
/// # Safety
///
/// It is open, and the caller gives it up.
pub(crate) unsafe fn from_raw<T: FromRawFd>(raw: RawFd) -> T {
    // SAFETY: the caller's promise.
    unsafe { T::from_raw_fd(raw) }
}

/// Asserts whether operations on it may wait.
#[track_caller]
pub(crate) fn assert_nonblocking(fd: &impl AsFd, expected: bool) {
    assert_eq!(is_nonblocking(fd), expected);
}

/// Whether `O_NONBLOCK` is set on the open file.
pub(crate) fn is_nonblocking(fd: &impl AsFd) -> bool {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the borrow keeps the descriptor open; F_GETFL touches no memory of ours.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    assert_ne!(flags, -1, "{}", std::io::Error::last_os_error());
    flags & libc::O_NONBLOCK != 0
}

/// Whether the descriptor closes when the process executes another program.
pub(crate) fn is_close_on_exec(fd: &impl AsFd) -> bool {
    let fd = fd.as_fd().as_raw_fd();
    // SAFETY: the borrow keeps the descriptor open; F_GETFD touches no memory of ours.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFD) };
    assert_ne!(flags, -1, "{}", std::io::Error::last_os_error());
    flags & libc::FD_CLOEXEC != 0
}

/// The value of an integer option at `SOL_SOCKET`.
pub(crate) fn socket_option(fd: &impl AsFd, option: i32) -> i32 {
    let fd = fd.as_fd().as_raw_fd();
    let mut value: libc::c_int = 0;
    let mut length = std::mem::size_of::<libc::c_int>() as libc::socklen_t;
    let value_ptr: *mut libc::c_int = &mut value;
    // SAFETY: `value` and `length` outlive the call, and `length` is the size of `value`.
    let rc =
        unsafe { libc::getsockopt(fd, libc::SOL_SOCKET, option, value_ptr.cast(), &mut length) };
    assert_eq!(rc, 0, "{}", std::io::Error::last_os_error());
    value
}

/// How many descriptors this process has open. Only meaningful in a process without other threads
/// that open or close some: see `in_child`.
#[cfg(target_os = "linux")]
pub(crate) fn open_fds() -> usize {
    let listing = std::fs::read_dir("/proc/self/fd").expect("/proc is mounted");
    // The listing itself holds one descriptor while it is read.
    listing.count() - 1
}
