//! Every interleaving of threads that register, change and forget with one that polls, over a
//! kernel made of a mutex and a condition variable. What is lost is a deadlock, which loom reports.

use super::*;
use crate::sys::queue::{Queue, Waker};
use crate::sys::{Registration, Turn};
use libc::POLLIN;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use loom::sync::Condvar;
use loom::thread;

/// The descriptor of the signal, and those of sources.
const WAKEUP: RawSource = 0;
const A: RawSource = 1;
const B: RawSource = 2;

/// The kernel's part. Each source holds a count of what can be read.
#[derive(Debug, Default)]
struct State {
    signal: bool,
    unread: [usize; 3],
    /// Closed by its owner.
    closed: [bool; 3],
    /// Held by a wait that goes on.
    held: [bool; 3],
}

impl State {
    /// What there is to report of an entry.
    fn of(&self, entry: &pollfd) -> c_short {
        let ready = match entry.fd {
            fd if fd < 0 => false,
            WAKEUP => self.signal,
            fd => self.unread[fd as usize] > 0,
        };
        if ready {
            POLLIN & entry.events
        } else {
            0
        }
    }

    fn hold(&mut self, fds: &[pollfd], held: bool) {
        for entry in fds.iter().filter(|entry| entry.fd > WAKEUP) {
            self.held[entry.fd as usize] = held;
        }
    }
}

#[derive(Debug)]
struct Model {
    state: Mutex<State>,
    changed: Condvar,
}

impl Model {
    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
        result
    }

    /// The peer writes.
    fn write(&self, fd: RawSource) {
        self.change(|state| state.unread[fd as usize] += 1);
    }

    /// Whether there was something to read.
    fn read(&self, fd: RawSource) -> bool {
        self.change(|state| {
            let unread = &mut state.unread[fd as usize];
            std::mem::replace(unread, unread.saturating_sub(1)) > 0
        })
    }

    /// The peer reads until the end, which it sees when nobody holds the file.
    fn wait_for_end(&self, fd: RawSource) {
        let mut state = self.state.lock().unwrap();
        while !state.closed[fd as usize] || state.held[fd as usize] {
            state = self.changed.wait(state).unwrap();
        }
    }
}

impl Kernel for Model {
    fn new() -> io::Result<Model> {
        Ok(Model {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        })
    }

    fn wakeup(&self) -> RawSource {
        WAKEUP
    }

    fn signal(&self) -> io::Result<()> {
        self.change(|state| state.signal = true);
        Ok(())
    }

    fn drain(&self) -> io::Result<()> {
        self.change(|state| state.signal = false);
        Ok(())
    }

    fn poll(&self, fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
        let mut state = self.state.lock().unwrap();
        loop {
            for entry in fds.iter_mut() {
                entry.revents = state.of(entry);
            }
            let hits = fds.iter().filter(|entry| entry.revents != 0).count();
            if hits > 0 || timeout.is_some() {
                state.hold(fds, false);
                drop(state);
                self.changed.notify_all();
                return Ok(hits);
            }
            state.hold(fds, true);
            state = self.changed.wait(state).unwrap();
        }
    }
}

type Set = Selector<Model>;

/// A source: its registration ends before it closes.
struct Source {
    registration: EmulatedEdges<Set>,
    fd: RawSource,
    queue: Arc<Queue<Set>>,
}

impl Source {
    fn registered(queue: &Arc<Queue<Set>>, fd: RawSource, token: usize) -> Source {
        let mut registration = EmulatedEdges::default();
        registration
            .register(queue, fd, Token(token), Interest::READABLE)
            .unwrap();
        Source {
            registration,
            fd,
            queue: Arc::clone(queue),
        }
    }

    fn reregister(&mut self, token: usize, interest: Interest) {
        let (registration, queue) = (&mut self.registration, &self.queue);
        registration
            .reregister(queue, self.fd, Token(token), interest)
            .unwrap();
    }

    fn deregister(&mut self) {
        self.registration.deregister(&self.queue, self.fd).unwrap();
    }

    /// Reads until it would block. How much there was.
    fn read_all(&self) -> usize {
        let kernel = &self.queue.selector().kernel;
        let count = std::iter::from_fn(|| kernel.read(self.fd).then_some(())).count();
        Registration::<Set>::would_block(&self.registration);
        count
    }

    fn close(mut self) {
        // As the fields of a source are dropped.
        self.registration = EmulatedEdges::default();
        let kernel = &self.queue.selector().kernel;
        kernel.change(|state| state.closed[self.fd as usize] = true);
    }
}

/// A queue, and the one thread that polls it.
struct Poller {
    queue: Arc<Queue<Set>>,
    turn: Turn,
}

impl Poller {
    fn new() -> Poller {
        Poller {
            queue: Arc::new(Queue::new().unwrap()),
            turn: Turn::default(),
        }
    }

    fn kernel(&self) -> Arc<Model> {
        Arc::clone(&self.queue.selector().kernel)
    }

    fn poll(&mut self, room: usize, timeout: Option<Duration>) -> Vec<usize> {
        let mut events = Vec::with_capacity(room);
        let polled = self.queue.poll(&mut self.turn, &mut events, room, timeout);
        polled.unwrap();
        assert!(events.len() <= room);
        events.iter().map(|event| event.token().0).collect()
    }

    /// Sleeps until something is there.
    fn wait(&mut self) -> Vec<usize> {
        let tokens = self.poll(4, None);
        assert!(!tokens.is_empty());
        tokens
    }

    fn look(&mut self) -> Vec<usize> {
        self.poll(4, Some(Duration::ZERO))
    }
}

fn check(preemptions: usize, model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(preemptions);
    builder.max_branches = 50_000;
    builder.check(model);
}

/// A source that is ready, or becomes so, after a poller may have gone to sleep.
#[test]
fn loom_poll_hears_of_registrations() {
    check(3, || {
        let mut poller = Poller::new();
        let (queue, kernel) = (Arc::clone(&poller.queue), poller.kernel());
        let thread = thread::spawn(move || {
            kernel.write(A);
            let source = Source::registered(&queue, A, 1);
            let other = Source::registered(&queue, B, 2);
            kernel.write(B);
            (source, other)
        });
        let mut seen = poller.wait();
        while seen.len() < 2 {
            seen.extend(poller.wait());
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        drop(thread.join().unwrap());
    });
}

#[test]
fn loom_poll_hears_of_two_threads() {
    check(2, || {
        let mut poller = Poller::new();
        let kernel = poller.kernel();
        kernel.write(A);
        kernel.write(B);
        let threads = [(A, 1), (B, 2)].map(|(fd, token)| {
            let queue = Arc::clone(&poller.queue);
            thread::spawn(move || Source::registered(&queue, fd, token))
        });
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(poller.wait());
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        drop(threads.map(|thread| thread.join().unwrap()));
    });
}

/// The usual consumer: who polls reads until it would block.
#[test]
fn loom_poll_loses_no_edge() {
    check(3, || {
        let mut poller = Poller::new();
        let kernel = poller.kernel();
        let source = Source::registered(&poller.queue, A, 1);
        let thread = thread::spawn(move || {
            kernel.write(A);
            kernel.write(A);
        });
        let mut read = 0;
        while read < 2 {
            assert_eq!(poller.wait(), [1]);
            read += source.read_all();
        }
        thread.join().unwrap();
    });
}

/// Somebody else reads, and so arms the source while the poller sleeps or harvests.
#[test]
fn loom_poll_is_told_of_would_block() {
    check(3, || {
        let mut poller = Poller::new();
        let kernel = poller.kernel();
        let source = Source::registered(&poller.queue, A, 1);
        kernel.write(A);
        assert_eq!(poller.wait(), [1]);
        let thread = thread::spawn(move || {
            assert_eq!(source.read_all(), 1);
            kernel.write(A);
            source
        });
        assert_eq!(poller.wait(), [1]);
        let source = thread.join().unwrap();
        assert_eq!(source.read_all(), 1);
    });
}

/// As above, with a peer of its own: the reader sleeps until the poller says that it is ready.
#[test]
fn loom_poll_serves_a_reader_elsewhere() {
    check(2, || {
        let mut poller = Poller::new();
        let (kernel, queue) = (poller.kernel(), Arc::clone(&poller.queue));
        let source = Source::registered(&queue, A, 1);
        let waker = Waker::new(&queue, Token(9)).unwrap();
        let ready = Arc::new((Mutex::new(false), Condvar::new()));
        let told = Arc::clone(&ready);
        let writer = thread::spawn(move || {
            kernel.write(A);
            kernel.write(A);
        });
        let reader = thread::spawn(move || {
            let mut read = source.read_all();
            while read < 2 {
                let mut ready = told.0.lock().unwrap();
                while !*ready {
                    ready = told.1.wait(ready).unwrap();
                }
                *ready = false;
                drop(ready);
                read += source.read_all();
            }
            waker.wake().unwrap();
            (source, waker)
        });
        while !poller.wait().contains(&9) {
            *ready.0.lock().unwrap() = true;
            ready.1.notify_all();
        }
        writer.join().unwrap();
        drop(reader.join().unwrap());
    });
}

/// A poll that begins after a change shows the new token only; and what was ready is shown again.
#[test]
fn loom_poll_shows_no_token_from_before_a_change() {
    for interest in [Interest::READABLE, Interest::READABLE.oneshot()] {
        check(3, move || {
            let mut poller = Poller::new();
            let mut source = Source::registered(&poller.queue, A, 1);
            poller.kernel().write(A);
            let changed = Arc::new(AtomicBool::new(false));
            let tell = Arc::clone(&changed);
            let thread = thread::spawn(move || {
                source.reregister(2, interest);
                tell.store(true, SeqCst);
                source
            });
            let mut seen = Vec::new();
            while !seen.contains(&2) {
                let began_after = changed.load(SeqCst);
                seen = poller.wait();
                assert!(!(began_after && seen.contains(&1)), "a stale token");
            }
            drop(thread.join().unwrap());
        });
    }
}

/// What was reported for an earlier interest is not said of the new one.
#[test]
fn loom_poll_reports_what_is_asked_now() {
    check(3, || {
        let mut poller = Poller::new();
        let mut source = Source::registered(&poller.queue, A, 1);
        let waker = Waker::new(&poller.queue, Token(9)).unwrap();
        poller.kernel().write(A);
        let thread = thread::spawn(move || {
            source.reregister(2, Interest::WRITABLE);
            waker.wake().unwrap();
            (source, waker)
        });
        let mut seen = Vec::new();
        while !seen.contains(&9) {
            seen = poller.wait();
            assert!(!seen.contains(&2), "it is not writable");
        }
        drop(thread.join().unwrap());
    });
}

/// The slot of a source that is gone serves another, which is not ready: what was reported of the
/// first is not said of the second.
#[test]
fn loom_poll_takes_no_slot_for_its_former_owner() {
    check(3, || {
        let mut poller = Poller::new();
        let mut source = Source::registered(&poller.queue, A, 1);
        let (kernel, queue) = (poller.kernel(), Arc::clone(&poller.queue));
        kernel.write(A);
        let waker = Waker::new(&queue, Token(9)).unwrap();
        let gone = Arc::new(AtomicUsize::new(0));
        let tell = Arc::clone(&gone);
        let thread = thread::spawn(move || {
            source.deregister();
            tell.store(1, SeqCst);
            let other = Source::registered(&queue, B, 2);
            waker.wake().unwrap();
            (source, other, waker)
        });
        let mut seen = Vec::new();
        while !seen.contains(&9) {
            let began_after = gone.load(SeqCst) == 1;
            seen = poller.wait();
            assert!(!seen.contains(&2), "it is not ready");
            assert!(!(began_after && seen.contains(&1)), "a stale token");
        }
        let (_source, other, _waker) = thread.join().unwrap();
        kernel.write(B);
        assert_eq!(poller.wait(), [2]);
        drop(other);
    });
}

/// A sleeping poll(2) holds the file: it must be told, or the peer never sees the end.
#[test]
fn loom_poll_lets_go_of_a_source_that_closes() {
    for deregisters in [false, true] {
        check(3, move || {
            let mut poller = Poller::new();
            let mut source = Source::registered(&poller.queue, A, 1);
            let waker = Waker::new(&poller.queue, Token(9)).unwrap();
            let kernel = poller.kernel();
            let thread = thread::spawn(move || {
                if deregisters {
                    source.deregister();
                }
                source.close();
                kernel.wait_for_end(A);
                waker.wake().unwrap();
                waker
            });
            assert_eq!(poller.wait(), [9]);
            drop(thread.join().unwrap());
        });
    }
}

/// What tells a poller of a change must not eat the wake that came with it.
#[test]
fn loom_poll_loses_no_wake_among_changes() {
    check(2, || {
        let mut poller = Poller::new();
        let queue = Arc::clone(&poller.queue);
        let waker = Waker::new(&queue, Token(9)).unwrap();
        let waking = thread::spawn(move || {
            waker.wake().unwrap();
            waker
        });
        let changing = thread::spawn(move || {
            let mut source = Source::registered(&queue, A, 1);
            source.deregister();
        });
        assert_eq!(poller.wait(), [9]);
        drop(waking.join().unwrap());
        changing.join().unwrap();
        assert_eq!(poller.look(), []);
    });
}
