//! What happens while a poller sleeps: changes, wakes and closes from other threads.

use super::super::*;
use crate::sys::queue::{Queue, Waker};
use crate::sys::{RawEvent, Registration, Turn};
use std::io::{Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::mpsc;
use std::thread;
use std::time::Instant;

/// Long enough that it never ends a test that works.
const HANG: Duration = Duration::from_secs(60);

/// A queue with its poller's state.
struct Poller {
    queue: Arc<Queue<Selector>>,
    turn: Turn,
    events: Vec<Event>,
}

impl Poller {
    fn new() -> Poller {
        Poller {
            queue: Arc::new(Queue::new().unwrap()),
            turn: Turn::default(),
            events: Vec::with_capacity(64),
        }
    }

    /// The tokens of one poll.
    fn poll(&mut self, timeout: Duration) -> Vec<usize> {
        let (turn, events) = (&mut self.turn, &mut self.events);
        self.queue.poll(turn, events, 64, Some(timeout)).unwrap();
        events.iter().map(|event| event.token().0).collect()
    }
}

/// An end of a stream that is registered; the registration goes first.
struct End {
    registration: EmulatedEdges<Selector>,
    io: UnixStream,
}

impl End {
    /// Registered to be read under `token`, and its peer.
    fn registered(queue: &Arc<Queue<Selector>>, token: usize) -> (End, UnixStream) {
        let (io, peer) = UnixStream::pair().unwrap();
        io.set_nonblocking(true).unwrap();
        let mut registration = EmulatedEdges::default();
        let fd = io.as_raw_fd();
        registration
            .register(queue, fd, Token(token), Interest::READABLE)
            .unwrap();
        (End { registration, io }, peer)
    }

    fn deregister(&mut self, queue: &Arc<Queue<Selector>>) {
        let fd = self.io.as_raw_fd();
        self.registration.deregister(queue, fd).unwrap();
    }
}

/// Registers and deregisters without end, until it is told to stop.
fn churn(queue: &Arc<Queue<Selector>>, stop: &AtomicBool) -> usize {
    let mut rounds = 0;
    while !stop.load(SeqCst) {
        let (mut end, _peer) = End::registered(queue, usize::MAX);
        if rounds % 2 == 0 {
            end.deregister(queue);
        }
        // Before its peer, whose end would be an event.
        drop(end);
        rounds += 1;
    }
    rounds
}

fn wait_until_asleep(queue: &Queue<Selector>) {
    while !queue.selector().lock().asleep {
        thread::yield_now();
    }
}

#[test]
fn the_system_takes_its_signals_back() {
    let system = System::new().unwrap();
    let mut fds = [pollfd {
        fd: system.wakeup(),
        events: libc::POLLIN,
        revents: 0,
    }];
    for _ in 0..2 {
        assert_eq!(system.poll(&mut fds, Some(Duration::ZERO)).unwrap(), 0);
        system.signal().unwrap();
        assert_eq!(system.poll(&mut fds, None).unwrap(), 1);
        system.drain().unwrap();
    }
}

/// Wakers are woken in turn, each again only when its event was seen: so every wake has an event
/// of its own, and a lost one ends the test.
#[test]
fn no_wake_is_lost_among_changes() {
    const WAKERS: usize = 16;
    let storm = std::env::var_os("MIO_STORM").unwrap_or_default();
    let wakes: usize = match storm.to_str() {
        Some("full") => 10_000_000,
        // Under valgrind.
        Some("few") => 10_000,
        _ => 1_000_000,
    };
    let start = Instant::now();
    let mut poller = Poller::new();
    let queue = Arc::clone(&poller.queue);
    let wakers: Vec<_> = (0..WAKERS)
        .map(|token| Waker::new(&queue, Token(token)).unwrap())
        .collect();
    let (heard, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let changes = thread::scope(|scope| {
        let churner = scope.spawn(|| churn(&queue, &stop));
        scope.spawn(|| {
            for round in 1..=wakes / WAKERS {
                wakers.iter().for_each(|waker| waker.wake().unwrap());
                while heard.load(SeqCst) < round * WAKERS && !stop.load(SeqCst) {
                    thread::yield_now();
                }
            }
        });
        // However this thread ends, the others end too.
        let until_here = StopOnDrop(&stop);
        let mut each = [0; WAKERS];
        while heard.load(SeqCst) < wakes {
            let tokens = poller.poll(HANG);
            assert!(!tokens.is_empty(), "a wake was lost: heard {each:?}");
            tokens.iter().for_each(|token| each[*token] += 1);
            heard.fetch_add(tokens.len(), SeqCst);
        }
        assert_eq!(each, [wakes / WAKERS; WAKERS]);
        drop(until_here);
        churner.join().unwrap()
    });
    let seconds = start.elapsed().as_secs_f64();
    println!("{wakes} wakes among {changes} registrations: {seconds:.1} s");
}

struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, SeqCst);
    }
}

/// Changes that never stop, each of which ends the kernel's wait, do not put the deadline off.
#[test]
fn a_deadline_is_kept_among_changes() {
    let mut poller = Poller::new();
    let queue = Arc::clone(&poller.queue);
    let stop = AtomicBool::new(false);
    let timeout = Duration::from_millis(50);
    thread::scope(|scope| {
        let churner = scope.spawn(|| churn(&queue, &stop));
        // A deadline that began anew would never come, nor this thread: stop in the end.
        let (done, ended) = mpsc::channel::<()>();
        let guard = scope.spawn(move || ended.recv_timeout(HANG));
        let start = Instant::now();
        let tokens = {
            let _stop = StopOnDrop(&stop);
            poller.poll(timeout)
        };
        let elapsed = start.elapsed();
        drop(done);
        assert_ne!(
            guard.join().unwrap(),
            Err(mpsc::RecvTimeoutError::Timeout),
            "the deadline did not come"
        );
        assert_eq!(tokens, []);
        assert!(elapsed >= timeout, "{elapsed:?}");
        assert!(churner.join().unwrap() > 0);
    });
}

/// A poll(2) that sleeps holds the file: without being told, it would keep the socket open.
#[test]
fn the_peer_of_a_dropped_source_reads_its_end_while_a_poller_sleeps() {
    for round in 0..20 {
        let mut poller = Poller::new();
        let queue = Arc::clone(&poller.queue);
        let waker = Waker::new(&queue, Token(0)).unwrap();
        assert_eq!(poller.poll(Duration::ZERO), []);
        let (mut end, mut peer) = End::registered(&queue, 1);
        let sleeper = thread::spawn(move || poller.poll(10 * HANG));
        wait_until_asleep(&queue);
        if round % 2 == 0 {
            end.deregister(&queue);
        }
        drop(end);
        peer.set_read_timeout(Some(HANG)).unwrap();
        assert_eq!(peer.read(&mut [0]).unwrap(), 0);
        waker.wake().unwrap();
        assert_eq!(sleeper.join().unwrap(), [0]);
    }
}

/// Numbers are used again at once, by sources that are ready at once. What was deregistered before
/// a poll began is not heard of in it.
#[test]
fn no_stale_token_comes_when_descriptors_are_used_again() {
    const SOURCES: usize = 5_000;
    let mut poller = Poller::new();
    let queue = Arc::clone(&poller.queue);
    let (floor, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        scope.spawn(|| {
            let _done = StopOnDrop(&done);
            for token in 0..SOURCES {
                let (mut end, mut peer) = End::registered(&queue, token);
                peer.write_all(b"x").unwrap();
                if token % 3 == 0 {
                    thread::yield_now();
                }
                if token % 2 == 0 {
                    end.deregister(&queue);
                }
                drop(end);
                floor.store(token + 1, SeqCst);
            }
        });
        let mut heard = 0;
        while !done.load(SeqCst) {
            let gone_before = floor.load(SeqCst);
            for token in poller.poll(Duration::from_millis(1)) {
                assert!(token >= gone_before, "{token} came after {gone_before}");
                heard += 1;
            }
        }
        assert!(heard > 0, "the poller never met a source");
    });
}

/// A hang-up is reported once, and then one wait of the kernel lasts its whole time.
#[test]
fn a_hang_up_does_not_end_the_waits_after_it() {
    let mut poller = Poller::new();
    let queue = Arc::clone(&poller.queue);
    let (_end, peer) = End::registered(&queue, 1);
    drop(peer);
    assert_eq!(poller.poll(HANG), [1]);
    let pause = Duration::from_millis(20);
    let mut events = Vec::with_capacity(8);
    let start = Instant::now();
    queue
        .selector()
        .select(&mut events, 8, Some(pause))
        .unwrap();
    assert!(events.is_empty());
    assert!(start.elapsed() >= pause, "one pass must sleep it all");
}

/// What nobody reads is reported again, and not more often than once a slice.
#[test]
fn a_raw_descriptor_loses_no_edge_and_does_not_spin() {
    const EVENTS: u32 = 12;
    let mut poller = Poller::new();
    let queue = Arc::clone(&poller.queue);
    let (io, mut peer) = UnixStream::pair().unwrap();
    let fd = io.as_raw_fd();
    let selector = queue.selector();
    let readable = Interest::READABLE;
    selector.register_raw(fd, Token(1), readable).unwrap();
    peer.write_all(b"x").unwrap();
    let start = Instant::now();
    assert_eq!(poller.poll(HANG), [1]);
    for _ in 0..EVENTS {
        peer.write_all(b"x").unwrap();
        assert_eq!(poller.poll(HANG), [1], "an edge was lost");
    }
    // 1, 2, 4, 8 milliseconds, then 16 each time.
    let slices = Slices::MIN * 15 + Slices::MAX * (EVENTS - 4);
    assert!(start.elapsed() >= slices, "{:?}", start.elapsed());
    // A registration that changes is looked at anew at once, and its slices are short again.
    selector.reregister_raw(fd, Token(2), readable).unwrap();
    assert_eq!(poller.poll(Duration::ZERO), [2]);
    selector.deregister_raw(fd).unwrap();
    assert_eq!(poller.poll(Slices::MAX * 2), []);
}
