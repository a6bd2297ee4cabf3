//! Descriptors that get their flags after they were made: plain POSIX.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use libc::c_int;

use super::accept::{prepare, prepare_socket};
use super::{check, owned};

#[inline]
pub(crate) fn socket(domain: c_int, kind: c_int) -> io::Result<OwnedFd> {
    // SAFETY: socket(2) touches no memory of ours.
    let ret = unsafe { libc::socket(domain, kind, 0) };
    // SAFETY: socket(2) made the descriptor, and nobody else knows of it.
    let fd = unsafe { owned(ret) }?;
    prepare_socket(fd.as_fd())?;
    Ok(fd)
}

#[inline]
pub(crate) fn socketpair(domain: c_int, kind: c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: socketpair(2) writes two descriptors into the array.
    check(unsafe { libc::socketpair(domain, kind, 0, fds.as_mut_ptr()) })?;
    // SAFETY: socketpair(2) succeeded: it made both, and nobody else knows of them.
    let (first, second) = unsafe { super::owned_pair(fds) }?;
    prepare_socket(first.as_fd())?;
    prepare_socket(second.as_fd())?;
    Ok((first, second))
}

/// The end that writes, and the end that reads.
#[inline]
pub(crate) fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut fds = [-1; 2];
    // SAFETY: pipe(2) writes two descriptors into the array.
    check(unsafe { libc::pipe(fds.as_mut_ptr()) })?;
    // SAFETY: pipe(2) succeeded: it made both, and nobody else knows of them.
    let (receiver, sender) = unsafe { super::owned_pair(fds) }?;
    prepare(receiver.as_fd())?;
    prepare(sender.as_fd())?;
    Ok((sender, receiver))
}
