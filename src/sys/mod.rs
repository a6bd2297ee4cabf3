//! The switchboard: what a backend must do, and the one place that picks one.
//!
//! A *backend* is one file that translates between this contract and one
//! mechanism of a kernel. Everything else stands once, above it: the loop of
//! a poll and the wakers in `queue`, the race between a waker and a sleeping
//! poller in `notify`, edges in `edges`, the rounding of timeouts in
//! `timeout`. The contract is also a test suite, `conformance`, which runs
//! against every backend that the target compiles.
//!
//! **Invariant:** nothing in here names anything above it: `Registry`, `Poll`,
//! `Events`, the sources.

use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::time::Duration;
use std::{fmt, io};

/// Picks the first branch whose condition holds.
///
/// The name is the one inside which rustfmt formats and follows `mod` lines.
macro_rules! cfg_if {
    ($(if #[cfg($meta:meta)] { $($item:item)* })else+ else { $($last:item)* }) => {
        cfg_if! { @pick (); $(($meta) { $($item)* })+ () { $($last)* } }
    };
    (@pick ($($before:meta,)*);) => {};
    (@pick ($($before:meta,)*); ($($meta:meta)?) { $($item:item)* } $($rest:tt)*) => {
        #[cfg(all($($meta,)? not(any($($before),*))))]
        cfg_if! { @emit $($item)* }
        cfg_if! { @pick ($($before,)* $($meta,)?); $($rest)* }
    };
    (@emit $($item:item)*) => { $($item)* };
}

#[allow(dead_code)] // A backend uses one of the kinds.
pub(crate) mod edges;
mod flags;
// The tests of every target compile it, so that it stays true.
#[cfg(any(
    test,
    not(any(unix, windows, target_os = "hermit", target_os = "wasi"))
))]
#[allow(dead_code)]
mod none;
mod notify;
mod queue;
pub(crate) mod timeout;
#[cfg(any(unix, target_os = "hermit", target_os = "wasi"))]
mod waker;

// Linux has a better queue than poll(2), and builds this one only to test it: what a
// program does not use would still be compiled and optimised with it.
cfg_if! {
    if #[cfg(any(
        test,
        mio_fuzzing,
        mio_ports_emulation,
        mio_unsupported_force_poll_poll,
        not(any(target_os = "android", target_os = "linux", windows)),
    ))] {
        #[cfg(any(unix, target_os = "hermit", target_os = "wasi"))]
        pub(crate) mod levels;
        #[cfg(any(unix, target_os = "hermit", target_os = "wasi"))]
        pub(crate) mod poll;
    } else {}
}

// What a family of systems calls a source, and how the types of std that can be
// one give it away: `RawSource`, `AsRawSource` and `raw_source`. `net` has the
// verbs of sockets.
cfg_if! {
    if #[cfg(unix)] {
        pub(crate) mod unix;
        #[cfg(any(test, mio_fuzzing))]
        #[allow(dead_code)] // Its machines are tested here, and nothing drives them.
        pub(crate) mod windows;
        pub(crate) use unix::{net, queue_fd, raw_source, AsRawSource, RawSource, Selector};
    } else if #[cfg(windows)] {
        pub(crate) mod windows;
        pub(crate) use windows::{net, raw_source, AsRawSource, RawSource, Selector};
    } else if #[cfg(any(target_os = "hermit", target_os = "wasi"))] {
        mod small;
        pub(crate) use small::{net, raw_source, AsRawSource, RawSource, Selector};
        use small::poll_fds;
    } else {
        pub(crate) use none::family::{raw_source, AsRawSource, RawSource};
        pub(crate) use none::Selector;
    }
}

// It needs a pair of streams, which the first WASI cannot make.
#[cfg(all(
    test,
    any(unix, windows, target_env = "p2", target_env = "p3"),
    not(loom)
))]
mod conformance;

/// The registration of a source with this target's queue.
pub(crate) type Registered = <Selector as Backend>::Registration;
/// An event of this target's queue.
pub(crate) type Event = <Selector as Backend>::Event;
/// This target's queue.
pub(crate) type Queue = queue::Queue<Selector>;
/// A waker of this target's queue.
pub(crate) type Waker = queue::Waker<Selector>;
pub(crate) use notify::Turn;
pub(crate) use queue::Progress;

/// More events than any poll asks for: every kernel's interface can count them,
/// and express their size.
pub(crate) const MAX_EVENTS: usize = i32::MAX as usize / 256;

/// One event queue of the operating system.
///
/// All methods but `select` may be called from any thread at any time, also
/// while another thread sleeps in `select`, and take effect on that sleep.
pub(crate) trait Backend: fmt::Debug + Send + Sync + Sized + 'static {
    /// An event as the kernel wrote it, never copied into another shape.
    type Event: RawEvent;
    /// What a source remembers: next to nothing where the kernel reports edges.
    type Registration: Registration<Self>;
    /// What interrupts a sleep.
    type Signal: Signal;
    /// What names a registration, `()` where its descriptor does.
    type Handle: fmt::Debug + Send + Sync;

    /// Whether an event tells that the peer will send no more; else reading does.
    #[cfg(test)]
    const TELLS_HALF_CLOSE: bool = true;
    /// Whether an event tells that both directions have ended; else reading does.
    #[cfg(test)]
    const TELLS_HANG_UP: bool = true;

    /// Makes an empty queue, not inherited by child processes.
    fn new() -> io::Result<Self>;

    /// Waits until a source is ready, a signal came or the timeout is over,
    /// and appends at most `room` events.
    ///
    /// `events` has spare capacity for `room` events, and `room` is neither zero
    /// nor more than [`MAX_EVENTS`].
    /// Returning early without events is allowed where the kernel cannot wait
    /// so long: the caller waits again. A wait that a signal handler
    /// interrupts is an `Interrupted` error. No source can make this fail.
    fn select(
        &self,
        events: &mut Vec<Self::Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()>;

    /// Registers a source; if it is ready already, that is an event.
    fn register(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<Self::Handle>;

    /// Changes token and interest of a source, and looks at its readiness
    /// anew: what is ready is reported again.
    fn reregister(
        &self,
        source: RawSource,
        handle: &Self::Handle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()>;

    /// Forgets a source. A `select` that begins after this returned never
    /// shows its token.
    fn deregister(&self, source: RawSource, handle: &Self::Handle) -> io::Result<()>;

    /// Registers a source that keeps no state and has no operations of ours:
    /// the queue finds it by its descriptor, and edges need no would-block.
    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()>;

    /// Changes what `register_raw` registered.
    fn reregister_raw(&self, source: RawSource, token: Token, interest: Interest)
        -> io::Result<()>;

    /// Forgets what `register_raw` registered.
    fn deregister_raw(&self, source: RawSource) -> io::Result<()>;

    /// Makes what interrupts `select`, and adds it to the queue *already
    /// signalled*: a thread that sleeps at this moment wakes up once.
    fn add_signal(&self) -> io::Result<Self::Signal>;

    /// Whether an event is the signal's own, which the caller never sees. The
    /// default is for signals that take no place in a batch.
    #[inline]
    fn is_signal(&self, _: &Self::Event) -> bool {
        false
    }

    /// The event of a waker: readable, and nothing else.
    fn woken(&self, token: Token) -> Self::Event;
}

/// What makes `select` return from another thread, or a signal handler.
pub(crate) trait Signal: fmt::Debug + Send + Sync {
    /// Interrupts the current or the next `select`, once. Neither blocks nor
    /// allocates, and does not fail because it was called often.
    fn signal(&self) -> io::Result<()>;
}

/// An event as the kernel wrote it.
pub(crate) trait RawEvent: Clone + Send + Sync + 'static {
    /// The token of the source.
    fn token(&self) -> Token;
    /// What the event tells.
    fn readiness(&self) -> Readiness;
    /// The kernel's own fields, for people.
    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
}

/// What a source keeps while it is registered.
pub(crate) trait Registration<B: Backend>:
    fmt::Debug + Default + Send + Sync + 'static
{
    /// Whether `would_block` does anything: what leads to it is compiled only
    /// then.
    const REARMS: bool;

    /// Registers the source with the queue.
    fn register(
        &mut self,
        queue: &std::sync::Arc<queue::Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()>;

    /// Changes token and interest.
    fn reregister(
        &mut self,
        queue: &std::sync::Arc<queue::Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()>;

    /// Forgets the source.
    fn deregister(
        &mut self,
        queue: &std::sync::Arc<queue::Queue<B>>,
        source: RawSource,
    ) -> io::Result<()>;

    /// An operation on the source said `WouldBlock`: the next readiness is an
    /// edge. What goes wrong here becomes an error event of the source, since
    /// the caller must see its `WouldBlock`.
    fn would_block(&self);
}
