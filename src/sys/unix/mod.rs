//! Unix: a source is a file descriptor. The table of mechanisms.

pub(crate) mod net;
#[allow(dead_code)] // Compiled on every Unix, so that the conformance tests can run it.
pub(crate) mod poll;
#[allow(unsafe_code)]
pub(crate) mod sockaddr;
#[allow(unsafe_code)]
pub(crate) mod syscall;
mod waker;

pub(crate) type RawSource = std::os::fd::RawFd;

// Which mechanism a system has, and whether its queue is one descriptor that
// can be handed out: `queue_fd` keeps or drops the items in it.
cfg_if! {
    if #[cfg(mio_unsupported_force_poll_poll)] {
        pub(crate) use poll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => {} }
    } else if #[cfg(any(
        mio_kqueue_emulation,
        target_vendor = "apple",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "netbsd",
        target_os = "openbsd",
    ))] {
        pub(crate) mod kqueue;
        pub(crate) use kqueue::Selector;
        macro_rules! queue_fd { ($($item:item)*) => { $($item)* } }
    } else if #[cfg(any(target_os = "linux", target_os = "android"))] {
        pub(crate) mod epoll;
        // The conformance tests run it, over an emulation of the kernel's part.
        #[cfg(any(test, mio_fuzzing))]
        pub(crate) mod kqueue;
        pub(crate) use epoll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => { $($item)* } }
    } else {
        pub(crate) use poll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => {} }
    }
}
pub(crate) use queue_fd;
