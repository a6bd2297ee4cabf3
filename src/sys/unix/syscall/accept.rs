//! Accepting where accept4(2) is missing or forbidden: the flags are set afterwards.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use super::{check, owned, set_nonblocking};
use crate::sys::unix::sockaddr::SockAddr;

#[inline]
pub(crate) fn accept(listener: BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)> {
    let mut peer = SockAddr::room();
    let (addr, len) = peer.as_mut_ptrs();
    // SAFETY: the kernel writes at most as many bytes of address as `peer` says in `len`.
    let ret = unsafe { libc::accept(listener.as_raw_fd(), addr, len) };
    // SAFETY: accept(2) made the descriptor, and nobody else knows of it.
    let fd = unsafe { owned(ret) }?;
    prepare(fd.as_fd())?;
    // Apple's kernels refuse any option of a socket whose peer has left already (EINVAL,
    // rust-lang/socket2 #631), and what that peer wrote is still to be read. It has the refusal
    // of its listener anyway.
    let _ = refuse_sigpipe(fd.as_fd());
    Ok((fd, peer))
}

/// Gives a new socket what the atomic flags give elsewhere, and Apple's refusal of SIGPIPE.
#[inline]
pub(super) fn prepare_socket(fd: BorrowedFd<'_>) -> io::Result<()> {
    prepare(fd)?;
    refuse_sigpipe(fd)
}

/// Where no call has a flag for it.
fn refuse_sigpipe(fd: BorrowedFd<'_>) -> io::Result<()> {
    #[cfg(target_vendor = "apple")]
    super::setsockopt(fd, libc::SOL_SOCKET, libc::SO_NOSIGPIPE, 1)?;
    let _ = fd;
    Ok(())
}

/// Makes a new descriptor close-on-exec and non-blocking: close-on-exec first, since that is the
/// flag which a fork(2) of another thread races with.
#[inline]
pub(super) fn prepare(fd: BorrowedFd<'_>) -> io::Result<()> {
    // These start no programs, and refuse the flag.
    if !cfg!(any(
        target_os = "espidf",
        target_os = "horizon",
        target_os = "vita"
    )) {
        // SAFETY: F_SETFD takes an integer and touches no memory of ours.
        check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
    }
    set_nonblocking(fd, true)
}
