//! Descriptors that are non-blocking and close-on-exec from their first moment.

use std::io;
use std::os::fd::OwnedFd;

use libc::c_int;

use super::{check, owned};

const SOCKET_FLAGS: c_int = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;

#[inline]
pub(crate) fn socket(domain: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: socket(2) touches no memory of ours.
    let ret = unsafe { libc::socket(domain, kind | SOCKET_FLAGS, 0) };
    // SAFETY: socket(2) made the descriptor, and nobody else knows of it.
    unsafe { owned(ret) }
}

#[inline]
pub(crate) fn socketpair(domain: c_int, kind: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: socketpair(2) writes two descriptors into the array.
    check(unsafe { libc::socketpair(domain, kind | SOCKET_FLAGS, 0, fds.as_mut_ptr()) })?;
    // SAFETY: socketpair(2) succeeded: it made both, and nobody else knows of them.
    unsafe { super::owned_pair(fds) }
}

/// The end that writes, and the end that reads.
#[inline]
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: pipe2(2) writes two descriptors into the array.
    check(unsafe { libc::pipe2(fds.as_mut_ptr(), libc::O_NONBLOCK | libc::O_CLOEXEC) })?;
    // SAFETY: pipe2(2) succeeded: it made both, and nobody else knows of them.
    let (receiver, sender) = unsafe { super::owned_pair(fds) }?;
    Ok((sender, receiver))
}
