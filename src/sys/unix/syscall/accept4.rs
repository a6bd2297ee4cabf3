//! Accepting in one call.

use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, OwnedFd};

use super::{hot, owned};
use crate::sys::unix::sockaddr::SockAddr;

#[inline]
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let flags = libc::SOCK_NONBLOCK | libc::SOCK_CLOEXEC;
    let mut peer = SockAddr::room();
    let (addr, len) = peer.as_mut_ptrs();
    // SAFETY: the kernel writes at most as many bytes of address as `peer` says in `len`.
    let ret = unsafe { hot::accept4(listener.as_raw_fd(), addr, len, flags) };
    // SAFETY: accept4(2) made the descriptor, and nobody else knows of it.
    let fd = unsafe { owned(ret) }?;
    Ok((fd, peer))
}
