//! Lightweight non-blocking I/O: sockets, pipes, and one queue that tells which
//! of them are ready.
//!
//! This crate is the layer between an operating system and an event loop. It
//! gives the same small interface over the readiness queue of each system,
//! adds as little to the kernel's cost as can be, and on Linux allocates nothing
//! after set-up. Runtimes, servers and terminals are built on it.
//!
//! # What is here
//!
//! - [`Poll`] waits for readiness, [`Registry`] says for whose, [`Events`] holds
//!   what came.
//! - [`Interest`] is what is asked about a source, [`Token`] the caller's name
//!   for it, [`event::Event`] one answer.
//! - [`Waker`] interrupts a poll from another thread or a signal handler.
#![cfg_attr(
    feature = "net",
    doc = "- [`net`] has TCP, UDP and Unix domain sockets."
)]
#![cfg_attr(
    all(unix, feature = "os-ext"),
    doc = "- [`unix`] has pipes, and sources that are raw descriptors."
)]
#![cfg_attr(
    all(windows, feature = "os-ext"),
    doc = "- [`windows`] has named pipes, and sources that are raw sockets or handles that can be waited for."
)]
//!
//! Read the [guide] first; then the examples of the repository.
//!
//! # Example
//!
//! ```
//! # #[cfg(not(all(feature = "os-poll", feature = "net")))]
//! # fn main() {}
//! # #[cfg(all(feature = "os-poll", feature = "net"))]
//! # fn main() -> std::io::Result<()> {
//! use mio::net::TcpListener;
//! use mio::{Events, Interest, Poll, Token};
//!
//! let mut poll = Poll::new()?;
//! let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
//! poll.registry()
//!     .register(&mut listener, Token(0), Interest::READABLE)?;
//!
//! let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
//!
//! let mut events = Events::with_capacity(8);
//! poll.poll(&mut events, None)?;
//! assert!(events.iter().any(|event| event.token() == Token(0)));
//! let (_client, address) = listener.accept()?;
//! assert_eq!(address, peer.local_addr()?);
//! # Ok(())
//! # }
//! ```
//!
//! # Features
//!
//! See [`features`]. By default there are the types alone; most programs want
//! `os-poll` and `net`.
#![cfg_attr(docsrs, feature(doc_cfg))]
// Features, and systems, gate what is public, and nothing beneath it: what they
// do not reach is unused, and that is fine. Of what stands once for all systems each
// uses a part, Linux most of it; so that is where the compiler looks.
#![cfg_attr(
    any(
        not(all(
            any(target_os = "linux", windows),
            feature = "os-poll",
            feature = "os-ext",
            feature = "net"
        )),
        mio_fuzzing,
        mio_kqueue_emulation,
        mio_ports_emulation,
        windows,
        mio_unsupported_force_poll_poll
    ),
    allow(dead_code, unused_imports, unused_macros)
)]
// A test of a machine that loom drives does not use the rest.
#![cfg_attr(loom, allow(dead_code, unused_imports))]

#[macro_use]
mod handle;
#[macro_use]
mod log;

mod interest;
mod readiness;
mod token;

mod sys;

// Linux has all of what it looks into, and runs the tests.
#[cfg(all(
    any(test, mio_fuzzing),
    target_os = "linux",
    not(any(
        loom,
        mio_kqueue_emulation,
        mio_ports_emulation,
        mio_unsupported_force_poll_poll
    ))
))]
#[doc(hidden)]
pub mod fuzzing;

mod association;
pub mod event;
mod io_source;
mod poll;
mod registry;
#[cfg(all(
    any(unix, target_os = "hermit", target_os = "wasi"),
    feature = "os-ext"
))]
mod source_fd;
mod waker;

#[cfg(all(target_os = "hermit", feature = "os-ext"))]
pub mod hermit;
#[cfg(feature = "net")]
pub mod net;
#[cfg(all(unix, feature = "os-ext"))]
pub mod unix;
#[cfg(all(target_os = "wasi", feature = "os-ext"))]
pub mod wasi;
#[cfg(all(windows, feature = "os-ext"))]
pub mod windows;

#[doc(no_inline)]
pub use event::Events;
pub use interest::Interest;
pub use poll::Poll;
pub use registry::Registry;
pub use token::Token;
pub use waker::Waker;

// The README's example is a test, too.
#[cfg(all(doctest, unix, feature = "os-poll", feature = "net"))]
#[doc = include_str!("../README.md")]
struct Readme;

/// What each Cargo feature gives.
///
/// | feature | gives |
/// |---|---|
/// | `os-poll` | `Poll::new`: the event queue of the operating system |
/// | `net` | the module `net`: TCP, UDP and Unix domain sockets |
/// | `os-ext` | what one family of systems has: on Unix the module `unix` with pipes and raw descriptors, on Windows `windows` with named pipes, raw sockets and handles, on WASI and Hermit a module with raw descriptors; implies `os-poll` |
/// | `inline-syscalls` | on Linux (x86-64, 64-bit Arm) the system calls of every event as instructions of their callers; see below |
/// | `log` (default) | registrations at level `trace` through the [`log`](https://docs.rs/log) crate, and what went wrong and no caller could be told at level `error` |
///
/// Libraries that only implement [`event::Source`] need no feature at all: the
/// program that polls chooses.
///
/// # `inline-syscalls`
///
/// Waiting, registering, reading, writing, sending, receiving, accepting and
/// waking then skip the C library: the instruction that enters the kernel is
/// compiled into the caller. Results and errors are the same, and the kernel sees
/// the same calls. What is saved is the way around the kernel, which on current
/// processors is dominated by returns that they fail to foresee: measure it.
///
/// It is the choice of whoever builds the final binary, and not of a library:
/// programs that are preloaded to stand between a program and its C library
/// (torsocks, proxychains, sockets that bypass the kernel, sanitizers that watch
/// memory) no longer see these calls. `connect`, `bind` and what else makes a
/// socket go through the C library as ever. On other systems and processors, and
/// under Miri, the feature does nothing.
///
/// # Other names
///
/// Older names still work: `tcp`, `udp` and `uds` are `net`; `os-util` and
/// `pipe` are `os-ext`.
pub mod features {}

#[doc = include_str!("guide.md")]
pub mod guide {}
