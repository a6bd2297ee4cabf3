//! WASI and Hermit: descriptors, and no Unix.
//!
//! The queue is the backend of poll(2), over whatever call these systems have.

pub(crate) mod net;
pub(crate) use crate::sys::poll::Selector;
pub(crate) use std::os::fd::AsRawFd as AsRawSource;
pub(crate) type RawSource = std::os::fd::RawFd;

/// The descriptor that a type of std owns.
#[inline]
pub(crate) fn raw_source(io: &impl AsRawSource) -> RawSource {
    io.as_raw_fd()
}

// Which call waits for many descriptors? And can a program connect to another?
cfg_if! {
    if #[cfg(target_os = "hermit")] {
        #[allow(unsafe_code)]
        mod poll_libc;
        #[allow(unsafe_code)]
        mod socket;
        pub(crate) use poll_libc::poll as poll_fds;
    } else if #[cfg(any(target_env = "p2", target_env = "p3"))] {
        #[allow(unsafe_code)]
        mod poll_libc;
        #[allow(unsafe_code)]
        mod socket;
        mod wasi;
        pub(crate) use wasi::poll_fds;
        use poll_libc::poll;
    } else {
        #[allow(unsafe_code)]
        mod poll_oneoff;
        mod wasi;
        mod no_socket;
        use no_socket as socket;
        pub(crate) use wasi::poll_fds;
        use poll_oneoff::poll;
    }
}
