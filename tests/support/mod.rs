//! The harness that the integration tests share.
//!
//! Each test binary uses its own part of it, hence the allowances for what a binary leaves unused.
#![allow(dead_code, unused_imports, unused_macros)]

#[cfg(any(target_os = "linux", windows))]
mod child;
mod expect;
#[cfg(unix)]
mod fd;
#[cfg(windows)]
#[path = "fd_windows.rs"]
mod fd;
#[cfg(all(any(unix, windows), feature = "os-poll"))]
mod pair;
#[cfg(any(target_os = "linux", windows))]
mod program;
#[cfg(target_os = "linux")]
pub(crate) mod situations;
#[cfg(windows)]
#[path = "situations_windows.rs"]
pub(crate) mod situations;
#[cfg(all(target_os = "linux", feature = "os-ext"))]
pub(crate) mod watch;
#[cfg(all(windows, feature = "os-ext"))]
pub(crate) mod windows;

#[cfg(any(target_os = "linux", windows))]
pub(crate) use child::in_child;
pub(crate) use expect::{
    accept_one, assert_kind, assert_misuse, assert_os_error, assert_would_block, flags, tells_end,
    EEXIST, ENOENT, HANG_GUARD, IS_EPOLL,
};
#[cfg(feature = "os-poll")]
pub(crate) use expect::{
    assert_works_in_a_queue, collect, expect_events, expect_no_event_of, expect_no_events,
    poll_and_events, wait_for, wait_until,
};
#[cfg(target_os = "linux")]
pub(crate) use fd::open_fds;
#[cfg(any(unix, windows))]
pub(crate) use fd::{assert_nonblocking, from_raw, into_raw, raw_of_borrowed, Owned};
#[cfg(unix)]
pub(crate) use fd::{is_close_on_exec, is_nonblocking, socket_option};
#[cfg(all(unix, feature = "os-ext"))]
pub(crate) use pair::Pipe;
#[cfg(all(unix, feature = "os-poll", feature = "net"))]
pub(crate) use pair::UnixPair;
#[cfg(all(any(unix, windows), feature = "os-poll"))]
pub(crate) use pair::{raw, Pair};
#[cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]
pub(crate) use pair::{stream_pair, tcp_pair, Stream, Tcp};
#[cfg(all(any(unix, windows), feature = "os-ext"))]
pub(crate) use pair::{Local, RawSource};

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;

/// The port that the system chooses, on the IPv4 loopback.
pub(crate) fn localhost() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, 0))
}

/// The port that the system chooses, on the IPv6 loopback.
pub(crate) fn localhost_v6() -> SocketAddr {
    SocketAddr::from((Ipv6Addr::LOCALHOST, 0))
}

/// A path inside a fresh directory; the directory goes when the guard is dropped.
pub(crate) fn temp_path(name: &str) -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = dir.path().join(name);
    (dir, path)
}

/// Compile-time proof that a type crosses threads, for `const` items of the tests.
pub(crate) fn assert_send_sync<T: Send + Sync>() {}

/// Writes one `#[test]` for each kind of stream pair and each generic case: `every_pair!(a, b)`
/// makes `tcp::a`, `unix_stream::a`, `pipe::a`, ... out of `fn a<P: Pair>()`.
macro_rules! every_pair {
    ($($case:ident),+ $(,)?) => {
        #[cfg(feature = "net")]
        mod tcp {
            $(#[test] fn $case() { super::$case::<crate::support::Tcp>(); })+
        }
        #[cfg(all(unix, feature = "net"))]
        mod unix_stream {
            $(#[test] fn $case() { super::$case::<crate::support::UnixPair>(); })+
        }
        #[cfg(all(unix, feature = "os-ext"))]
        mod pipe {
            $(#[test] fn $case() { super::$case::<crate::support::Pipe>(); })+
        }
    };
}
pub(crate) use every_pair;
