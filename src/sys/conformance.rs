//! The contract as tests, run against every backend that this target compiles.
//!
//! A case is a function over a backend; a backend joins by one line below. The
//! cases use nothing but the contract, and nothing of what a backend is.

use super::queue::{Queue, Waker};
use super::{raw_source, Backend, RawEvent, RawSource, Registration, Turn};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::io::{ErrorKind, Read, Write};
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::{Duration, Instant};

mod modes;
mod sources;
mod streams;
mod wakers;

use modes::*;
use sources::*;
use streams::{arrived, hang_up, pair, Stream, BAD_SOURCE};
use wakers::*;

/// One module a backend, one test a case.
macro_rules! conformance {
    ($($backend:ident: $selector:ty),+ => $cases:tt) => {
        $( conformance!(@ $backend, $selector, $cases); )+
    };
    (@ $backend:ident, $selector:ty, { $($(#[$meta:meta])* $case:ident),+ $(,)? }) => {
        mod $backend {
            $( $(#[$meta])* #[test]
 fn $case() { super::$case::<$selector>() } )+
        }
    };
}

/// Hands a list of backends, and all cases, to `conformance`.
macro_rules! all_cases {
    ($($backends:tt)+) => {
        conformance!($($backends)+ => {
    a_source_that_is_ready_is_reported_at_registration,
    each_edge_is_reported,
    a_wait_without_readiness_is_silent,
    would_block_arms_again,
    data_after_a_partial_read_is_not_lost,
    reregistration_reports_again,
    reregistration_changes_token_and_interest,
    a_deregistered_source_is_silent,
    a_deregistered_source_can_be_registered_again,
    a_dropped_source_closes_at_once,
    a_second_registration_is_refused_and_the_first_goes_on,
    what_is_not_registered_is_not_found,
    a_bad_source_is_refused_and_poll_goes_on,
    tokens_keep_all_their_bits,
    a_hang_up_closes_both_directions,
    a_half_close_closes_reading,
    capacity_is_respected_and_nothing_starves,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    registration_counts_for_a_wait_that_goes_on,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    deregistration_counts_for_a_wait_that_goes_on,
    a_timeout_is_never_early,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    an_endless_timeout_can_be_woken,
    wakes_merge_into_one_event,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    a_wake_ends_a_wait,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    the_first_waker_reaches_a_poller_that_sleeps,
    wakers_have_their_own_events,
    a_dropped_waker_is_silent,
    wakers_and_sources_share_a_small_buffer,
    a_batch_of_internal_events_is_not_seen,
    a_signal_takes_no_place_of_a_source,
    #[cfg(not(target_os = "wasi"))] // Needs threads.
    a_queue_can_be_polled_by_another_thread,
    level_repeats_while_it_is_ready,
    one_shot_reports_once,
    level_and_one_shot_go_together,
    reregistration_switches_the_mode,
    a_closed_interest_hears_of_the_end_only,
    a_level_source_and_a_waker_share_a_small_buffer,
});
    };
}

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(any(
        mio_unsupported_force_poll_poll,
        mio_kqueue_emulation,
        mio_ports_emulation
    ))
))]
all_cases!(epoll: crate::sys::unix::epoll::Selector);
#[cfg(all(
    any(target_os = "android", target_os = "linux", target_os = "solaris"),
    not(any(mio_unsupported_force_poll_poll, mio_kqueue_emulation))
))]
all_cases!(event_port: crate::sys::unix::event_port::Selector);
#[cfg(all(
    any(
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "freebsd",
        target_os = "linux",
        target_os = "netbsd",
        target_os = "openbsd",
    ),
    not(any(mio_unsupported_force_poll_poll, mio_ports_emulation))
))]
all_cases!(kqueue: crate::sys::unix::kqueue::Selector);
#[cfg(any(unix, target_os = "wasi"))]
all_cases!(poll: crate::sys::poll::Selector);
#[cfg(windows)]
all_cases!(iocp: crate::sys::windows::Selector);

/// Long enough that it never ends a test that works.
const HANG: Duration = Duration::from_secs(20);

/// A queue with its poller's state.
struct Poller<B: Backend> {
    queue: Arc<Queue<B>>,
    turn: Turn,
    events: Vec<B::Event>,
}

impl<B: Backend> Poller<B> {
    fn new() -> Poller<B> {
        Poller {
            queue: Arc::new(Queue::new().unwrap()),
            turn: Turn::default(),
            events: Vec::with_capacity(64),
        }
    }

    fn poll_for(&mut self, capacity: usize, timeout: Option<Duration>) -> Vec<(Token, Readiness)> {
        let (queue, events) = (&self.queue, &mut self.events);
        queue
            .poll(&mut self.turn, events, capacity, timeout)
            .unwrap();
        assert!(events.len() <= capacity);
        events.iter().map(|e| (e.token(), e.readiness())).collect()
    }

    /// What comes within a long time, and at least one event.
    fn wait(&mut self) -> Vec<(Token, Readiness)> {
        let events = self.poll_for(64, Some(HANG));
        assert!(!events.is_empty(), "nothing came");
        events
    }

    /// What is there already.
    fn look(&mut self) -> Vec<(Token, Readiness)> {
        self.poll_for(64, Some(Duration::ZERO))
    }

    fn tokens_now(&mut self) -> Vec<usize> {
        self.look().into_iter().map(|(token, _)| token.0).collect()
    }
}

/// One end of a stream, registered or not; the registration goes first.
struct End<B: Backend> {
    registration: B::Registration,
    io: Stream,
}

impl<B: Backend> End<B> {
    fn source(&self) -> RawSource {
        raw_source(&self.io)
    }

    fn register(&mut self, poller: &Poller<B>, token: usize, interest: Interest) {
        self.try_register(poller, token, interest).unwrap();
    }

    fn try_register(
        &mut self,
        poller: &Poller<B>,
        token: usize,
        interest: Interest,
    ) -> std::io::Result<()> {
        let source = self.source();
        self.registration
            .register(&poller.queue, source, Token(token), interest)
    }

    fn reregister(&mut self, poller: &Poller<B>, token: usize, interest: Interest) {
        let source = self.source();
        self.registration
            .reregister(&poller.queue, source, Token(token), interest)
            .unwrap();
    }

    fn deregister(&mut self, poller: &Poller<B>) {
        let source = self.source();
        self.registration.deregister(&poller.queue, source).unwrap();
    }

    /// Reads as a source does: a `WouldBlock` arms again.
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let result = self.io.read(buffer);
        if matches!(&result, Err(err) if err.kind() == ErrorKind::WouldBlock) {
            self.registration.would_block();
        }
        result
    }

    fn drain(&mut self) -> usize {
        let mut total = 0;
        loop {
            match self.read(&mut [0; 256]) {
                Ok(0) => return total,
                Ok(n) => total += n,
                Err(err) => {
                    assert_eq!(err.kind(), ErrorKind::WouldBlock);
                    return total;
                }
            }
        }
    }
}

/// A stream's end as a source, and its peer.
fn stream<B: Backend>() -> (End<B>, Stream) {
    let (io, peer) = pair();
    let registration = B::Registration::default();
    (End { registration, io }, peer)
}

/// Writes, and sees to it that the other end could read it now.
fn send<B: Backend>(peer: &mut Stream, bytes: &[u8], end: &End<B>) {
    peer.write_all(bytes).unwrap();
    arrived(&end.io);
}

/// Runs `act` while another thread waits in `poll`, until that returns events.
fn while_waiting<B: Backend>(
    mut poller: Poller<B>,
    act: impl FnOnce(&Arc<Queue<B>>),
) -> Vec<(Token, Readiness)> {
    let queue = Arc::clone(&poller.queue);
    let (started, start) = mpsc::channel();
    let waiting = thread::spawn(move || {
        started.send(()).unwrap();
        poller.wait()
    });
    start.recv().unwrap();
    act(&queue);
    waiting.join().unwrap()
}
