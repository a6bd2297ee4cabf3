//! The contract as tests, run against every backend that this target compiles.
//!
//! A case is a function over a backend; a backend joins by one line below. The
//! cases use nothing but the contract, and nothing of what a backend is.

use super::queue::{Queue, Waker};
use super::{Backend, RawEvent, Registration, Turn};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::io::{ErrorKind, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::{mpsc, Arc};
use std::thread;
use std::time::{Duration, Instant};

/// One module a backend, one test a case.
macro_rules! conformance {
    ($($backend:ident: $selector:ty),+ => $cases:tt) => {
        $( conformance!(@ $backend, $selector, $cases); )+
    };
    (@ $backend:ident, $selector:ty, { $($case:ident),+ $(,)? }) => {
        mod $backend {
            $( #[test]
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
    a_bad_descriptor_is_refused_and_poll_goes_on,
    tokens_keep_all_their_bits,
    a_hang_up_closes_both_directions,
    a_half_close_closes_reading,
    capacity_is_respected_and_nothing_starves,
    registration_counts_for_a_wait_that_goes_on,
    deregistration_counts_for_a_wait_that_goes_on,
    a_timeout_is_never_early,
    an_endless_timeout_can_be_woken,
    wakes_merge_into_one_event,
    a_wake_ends_a_wait,
    the_first_waker_reaches_a_poller_that_sleeps,
    wakers_have_their_own_events,
    a_dropped_waker_is_silent,
    wakers_and_sources_share_a_small_buffer,
    a_batch_of_internal_events_is_not_seen,
    a_queue_can_be_polled_by_another_thread,
});
    };
}

#[cfg(all(
    any(target_os = "linux", target_os = "android"),
    not(mio_unsupported_force_poll_poll)
))]
all_cases!(epoll: crate::sys::unix::epoll::Selector);
all_cases!(poll: crate::sys::unix::poll::Selector);
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
    io: UnixStream,
}

impl<B: Backend> End<B> {
    fn fd(&self) -> RawFd {
        self.io.as_raw_fd()
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
        let fd = self.fd();
        self.registration
            .register(&poller.queue, fd, Token(token), interest)
    }

    fn reregister(&mut self, poller: &Poller<B>, token: usize, interest: Interest) {
        let fd = self.fd();
        self.registration
            .reregister(&poller.queue, fd, Token(token), interest)
            .unwrap();
    }

    fn deregister(&mut self, poller: &Poller<B>) {
        let fd = self.fd();
        self.registration.deregister(&poller.queue, fd).unwrap();
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
fn stream<B: Backend>() -> (End<B>, UnixStream) {
    let (io, peer) = UnixStream::pair().unwrap();
    io.set_nonblocking(true).unwrap();
    let registration = B::Registration::default();
    (End { registration, io }, peer)
}

fn a_source_that_is_ready_is_reported_at_registration<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    peer.write_all(b"x").unwrap();
    end.register(&poller, 7, Interest::READABLE | Interest::WRITABLE);
    let (mut readable, mut writable) = (false, false);
    while !(readable && writable) {
        for (token, readiness) in poller.wait() {
            assert_eq!(token, Token(7));
            readable |= readiness.intersects(Readiness::READABLE);
            writable |= readiness.intersects(Readiness::WRITABLE);
        }
    }
}

fn each_edge_is_reported<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    for _ in 0..3 {
        assert!(poller.look().is_empty());
        peer.write_all(b"x").unwrap();
        let events = poller.wait();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, Token(7));
        assert!(events[0].1.intersects(Readiness::READABLE));
        assert_eq!(end.drain(), 1);
    }
}

fn a_wait_without_readiness_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, _peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    assert!(poller.look().is_empty());
    assert!(poller
        .poll_for(1, Some(Duration::from_millis(1)))
        .is_empty());
}

fn would_block_arms_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    // A read that finds nothing, and data right after it: no edge is lost.
    for _ in 0..100 {
        let err = end.read(&mut [0; 8]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::WouldBlock);
        peer.write_all(b"xy").unwrap();
        poller.wait();
        assert_eq!(end.drain(), 2);
    }
}

fn data_after_a_partial_read_is_not_lost<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.write_all(b"abc").unwrap();
    poller.wait();
    assert_eq!(end.read(&mut [0; 1]).unwrap(), 1);
    peer.write_all(b"d").unwrap();
    // Not drained: no event is promised, but draining finds everything, and
    // the next edge comes.
    assert_eq!(end.drain(), 3);
    poller.look();
    peer.write_all(b"e").unwrap();
    poller.wait();
    assert_eq!(end.drain(), 1);
}

fn reregistration_reports_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.write_all(b"x").unwrap();
    poller.wait();
    for _ in 0..3 {
        end.reregister(&poller, 7, Interest::READABLE);
        let events = poller.wait();
        assert!(events[0].1.intersects(Readiness::READABLE));
    }
}

fn reregistration_changes_token_and_interest<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.write_all(b"x").unwrap();
    end.reregister(&poller, 8, Interest::WRITABLE);
    let events = poller.wait();
    assert!(events.iter().all(|(token, _)| *token == Token(8)));
    assert!(events
        .iter()
        .any(|(_, r)| r.intersects(Readiness::WRITABLE)));
    assert!(!events
        .iter()
        .any(|(_, r)| r.intersects(Readiness::READABLE)));
    end.reregister(&poller, 9, Interest::READABLE);
    let events = poller.wait();
    assert_eq!(events[0].0, Token(9));
    assert!(events[0].1.intersects(Readiness::READABLE));
    assert!(!events[0].1.intersects(Readiness::WRITABLE));
}

fn a_deregistered_source_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    let (mut other, mut other_peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    other.register(&poller, 8, Interest::READABLE);
    // Ready, and not yet reported.
    peer.write_all(b"x").unwrap();
    end.deregister(&poller);
    other_peer.write_all(b"x").unwrap();
    let events = poller.wait();
    assert!(events.iter().all(|(token, _)| *token == Token(8)));
    peer.write_all(b"x").unwrap();
    drop(peer);
    assert!(!poller.tokens_now().contains(&7));
}

fn a_deregistered_source_can_be_registered_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    peer.write_all(b"x").unwrap();
    for token in 0..5 {
        end.register(&poller, token, Interest::READABLE);
        assert_eq!(poller.wait()[0].0, Token(token));
        end.deregister(&poller);
    }
}

fn a_dropped_source_closes_at_once<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    poller.look();
    drop(end);
    peer.set_read_timeout(Some(HANG)).unwrap();
    assert_eq!(peer.read(&mut [0; 1]).unwrap(), 0);
    // The number may be another source's now.
    let (mut next, mut next_peer) = stream();
    next.register(&poller, 8, Interest::READABLE);
    next_peer.write_all(b"x").unwrap();
    assert_eq!(poller.wait()[0].0, Token(8));
    assert!(poller.look().is_empty());
}

fn a_second_registration_is_refused_and_the_first_goes_on<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    let again = end.try_register(&poller, 8, Interest::WRITABLE);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    peer.write_all(b"x").unwrap();
    let events = poller.wait();
    assert_eq!(events[0].0, Token(7));
    assert!(events[0].1.intersects(Readiness::READABLE));
    end.deregister(&poller);
}

fn what_is_not_registered_is_not_found<B: Backend>() {
    let poller = Poller::<B>::new();
    let (mut end, _peer) = stream::<B>();
    let fd = end.fd();
    let registration = &mut end.registration;
    let readable = Interest::READABLE;
    let changed = registration.reregister(&poller.queue, fd, Token(1), readable);
    assert_eq!(changed.unwrap_err().kind(), ErrorKind::NotFound);
    let removed = registration.deregister(&poller.queue, fd);
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::NotFound);
}

fn a_bad_descriptor_is_refused_and_poll_goes_on<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let mut registration = B::Registration::default();
    let err = registration
        .register(&poller.queue, -1, Token(1), Interest::READABLE)
        .unwrap_err();
    assert_eq!(err.raw_os_error(), Some(libc::EBADF));
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.write_all(b"x").unwrap();
    assert_eq!(poller.wait()[0].0, Token(7));
}

fn tokens_keep_all_their_bits<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let top = 1usize << (usize::BITS - 1);
    let mut kept = Vec::new();
    let tokens = [0, 1, top, top | 1, usize::MAX, usize::MAX - 1];
    for token in tokens {
        let (mut end, peer) = stream();
        end.register(&poller, token, Interest::WRITABLE);
        let events = poller.wait();
        assert_eq!(events[0].0, Token(token));
        kept.push((end, peer));
    }
}

fn a_hang_up_closes_both_directions<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, peer) = stream();
    end.register(&poller, 7, Interest::READABLE | Interest::WRITABLE);
    poller.wait();
    drop(peer);
    let (mut read_closed, mut write_closed) = (false, false);
    while !(read_closed && write_closed) {
        for (_, readiness) in poller.wait() {
            read_closed |= readiness.intersects(Readiness::READ_CLOSED);
            write_closed |= readiness.intersects(Readiness::WRITE_CLOSED);
        }
    }
}

fn a_half_close_closes_reading<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    let (_, readiness) = poller.wait()[0];
    assert!(readiness.intersects(Readiness::READABLE));
    assert!(readiness.intersects(Readiness::READ_CLOSED));
    assert!(!readiness.intersects(Readiness::WRITE_CLOSED));
}

fn capacity_is_respected_and_nothing_starves<B: Backend>() {
    const SOURCES: usize = 20;
    for capacity in [1, 3, 64] {
        let mut poller = Poller::<B>::new();
        let mut ends = Vec::new();
        for token in 0..SOURCES {
            let (mut end, mut peer) = stream();
            end.register(&poller, token, Interest::READABLE);
            peer.write_all(b"x").unwrap();
            ends.push((end, peer));
        }
        let mut seen = [false; SOURCES];
        for _ in 0..SOURCES {
            for (token, _) in poller.poll_for(capacity, Some(Duration::ZERO)) {
                seen[token.0] = true;
            }
        }
        assert_eq!(seen, [true; SOURCES], "capacity {capacity}");
    }
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

fn registration_counts_for_a_wait_that_goes_on<B: Backend>() {
    for _ in 0..50 {
        let (mut end, mut peer) = stream::<B>();
        let fd = end.fd();
        let events = while_waiting(Poller::<B>::new(), |queue| {
            peer.write_all(b"x").unwrap();
            end.registration
                .register(queue, fd, Token(7), Interest::READABLE)
                .unwrap();
        });
        assert_eq!(events[0].0, Token(7));
    }
}

fn deregistration_counts_for_a_wait_that_goes_on<B: Backend>() {
    for _ in 0..50 {
        let poller = Poller::<B>::new();
        let (mut end, mut peer) = stream::<B>();
        let (mut other, mut other_peer) = stream::<B>();
        end.register(&poller, 7, Interest::READABLE);
        other.register(&poller, 8, Interest::READABLE);
        let fd = end.fd();
        let events = while_waiting(poller, |queue| {
            end.registration.deregister(queue, fd).unwrap();
            peer.write_all(b"x").unwrap();
            other_peer.write_all(b"x").unwrap();
        });
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, Token(8));
    }
}

fn a_timeout_is_never_early<B: Backend>() {
    let mut poller = Poller::<B>::new();
    for waker in [false, true] {
        let _waker = waker.then(|| Waker::new(&poller.queue, Token(1)).unwrap());
        for nanos in [1, 50_000, 999_999, 1_000_000, 1_000_001, 3_300_000] {
            let timeout = Duration::from_nanos(nanos);
            let start = Instant::now();
            assert!(poller.poll_for(8, Some(timeout)).is_empty());
            assert!(start.elapsed() >= timeout, "{timeout:?}");
        }
    }
}

fn an_endless_timeout_can_be_woken<B: Backend>() {
    let longest = [
        None,
        Some(Duration::MAX),
        Some(Duration::from_secs(1 << 40)),
    ];
    for timeout in longest {
        let mut poller = Poller::<B>::new();
        let waker = Waker::new(&poller.queue, Token(1)).unwrap();
        let waiting = thread::spawn(move || poller.poll_for(8, timeout));
        waker.wake().unwrap();
        let events = waiting.join().unwrap();
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

fn wakes_merge_into_one_event<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let waker = Waker::new(&poller.queue, Token(1)).unwrap();
    assert!(poller.look().is_empty(), "making a waker is no wake");
    for _ in 0..3 {
        for _ in 0..1000 {
            waker.wake().unwrap();
        }
        assert_eq!(poller.wait(), [(Token(1), Readiness::READABLE)]);
        assert!(poller.look().is_empty());
    }
}

fn a_wake_ends_a_wait<B: Backend>() {
    for _ in 0..200 {
        let poller = Poller::<B>::new();
        let waker = Waker::new(&poller.queue, Token(1)).unwrap();
        let events = while_waiting(poller, |_| waker.wake().unwrap());
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

fn the_first_waker_reaches_a_poller_that_sleeps<B: Backend>() {
    for _ in 0..200 {
        let mut waker = None;
        let events = while_waiting(Poller::<B>::new(), |queue| {
            let made = Waker::new(queue, Token(1)).unwrap();
            made.wake().unwrap();
            waker = Some(made);
        });
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

fn wakers_have_their_own_events<B: Backend>() {
    const WAKERS: usize = 70; // More than the word has bits.
    let mut poller = Poller::<B>::new();
    let wakers: Vec<_> = (0..WAKERS)
        .map(|token| Waker::new(&poller.queue, Token(token)).unwrap())
        .collect();
    for waker in wakers.iter().step_by(3) {
        waker.wake().unwrap();
        waker.wake().unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let events = poller.poll_for(4, Some(Duration::ZERO));
        if events.is_empty() {
            break;
        }
        seen.extend(events.iter().map(|(token, _)| token.0));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..WAKERS).step_by(3).collect::<Vec<_>>());
}

fn a_dropped_waker_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    for wakers in [1, 40] {
        let many: Vec<_> = (0..wakers)
            .map(|token| Waker::new(&poller.queue, Token(token)).unwrap())
            .collect();
        for waker in &many {
            waker.wake().unwrap();
        }
        drop(many);
        assert!(poller.look().is_empty());
        // Its slot is used again, under another token.
        let next = Waker::new(&poller.queue, Token(99)).unwrap();
        assert!(poller.look().is_empty());
        next.wake().unwrap();
        assert_eq!(poller.tokens_now(), [99]);
    }
}

fn wakers_and_sources_share_a_small_buffer<B: Backend>() {
    const SOURCES: usize = 10;
    let mut poller = Poller::<B>::new();
    let wakers: Vec<_> = (0..3)
        .map(|i| Waker::new(&poller.queue, Token(100 + i)).unwrap())
        .collect();
    let mut ends = Vec::new();
    for token in 0..SOURCES {
        let (mut end, mut peer) = stream();
        end.register(&poller, token, Interest::READABLE);
        peer.write_all(b"x").unwrap();
        ends.push((end, peer));
    }
    let mut sources = [0; SOURCES];
    let mut woken = [0; 3];
    // Everybody is ready all the time: whoever starves is seen.
    for _ in 0..4 * (SOURCES + wakers.len()) {
        for waker in &wakers {
            waker.wake().unwrap();
        }
        for (token, _) in poller.poll_for(1, Some(HANG)) {
            if token.0 >= 100 {
                woken[token.0 - 100] += 1;
            } else {
                sources[token.0] += 1;
                ends[token.0]
                    .0
                    .reregister(&poller, token.0, Interest::READABLE);
            }
        }
    }
    assert!(sources.iter().all(|&times| times > 0), "{sources:?}");
    assert!(woken.iter().all(|&times| times > 0), "{woken:?}");
}

fn a_batch_of_internal_events_is_not_seen<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    // Its signal is pending, and would take the only place in the buffer.
    let _waker = Waker::new(&poller.queue, Token(1)).unwrap();
    end.register(&poller, 7, Interest::READABLE);
    peer.write_all(b"x").unwrap();
    let events = poller.poll_for(1, Some(Duration::ZERO));
    assert_eq!(events[0].0, Token(7));
}

fn a_queue_can_be_polled_by_another_thread<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    // The registering thread is gone when the event comes.
    let mut poller = thread::spawn(move || {
        end.register(&poller, 7, Interest::READABLE);
        poller.look();
        (poller, end)
    })
    .join()
    .unwrap();
    peer.write_all(b"x").unwrap();
    assert_eq!(poller.0.wait()[0].0, Token(7));
}
