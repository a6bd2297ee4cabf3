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
    } else if #[cfg(any(target_os = "linux", target_os = "android"))] {
        pub(crate) mod epoll;
        pub(crate) use epoll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => { $($item)* } }
    } else {
        pub(crate) use poll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => {} }
    }
}
pub(crate) use queue_fd;
