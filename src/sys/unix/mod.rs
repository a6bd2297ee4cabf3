//! Unix: a source is a file descriptor. The table of mechanisms.

// For tests and, by the private flags, for whole test suites.
#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    any(test, mio_fuzzing, mio_kqueue_emulation, mio_ports_emulation)
))]
#[allow(unsafe_code)]
mod emulation;
pub(crate) mod net;
#[allow(unsafe_code)]
pub(crate) mod sockaddr;
#[allow(unsafe_code)]
pub(crate) mod syscall;

pub(crate) use std::os::fd::AsRawFd as AsRawSource;
pub(crate) type RawSource = std::os::fd::RawFd;

/// The descriptor that a type of std owns.
#[inline]
pub(crate) fn raw_source(io: &impl AsRawSource) -> RawSource {
    io.as_raw_fd()
}

// Which mechanism a system has, and whether its queue is one descriptor that
// can be handed out: `queue_fd` keeps or drops the items in it.
cfg_if! {
    if #[cfg(mio_unsupported_force_poll_poll)] {
        pub(crate) use crate::sys::poll::Selector;
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
    } else if #[cfg(any(mio_ports_emulation, target_os = "solaris"))] {
        pub(crate) mod event_port;
        pub(crate) use event_port::Selector;
        macro_rules! queue_fd { ($($item:item)*) => { $($item)* } }
    } else if #[cfg(any(
        target_os = "android",
        target_os = "emscripten",
        target_os = "illumos",
        target_os = "linux",
        target_os = "redox",
    ))] {
        pub(crate) mod epoll;
        // The conformance tests run them, over emulations of the kernel's part.
        #[cfg(all(test, any(target_os = "android", target_os = "linux")))]
        pub(crate) mod event_port;
        #[cfg(all(any(test, mio_fuzzing), any(target_os = "android", target_os = "linux")))]
        pub(crate) mod kqueue;
        pub(crate) use epoll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => { $($item)* } }
    } else {
        pub(crate) use crate::sys::poll::Selector;
        macro_rules! queue_fd { ($($item:item)*) => {} }
    }
}
pub(crate) use queue_fd;
