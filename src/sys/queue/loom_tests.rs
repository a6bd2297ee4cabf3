//! Every interleaving of wakers and a poller, over a kernel made of a mutex and
//! a condition variable. A lost wake is a deadlock, which loom reports.

use super::{Queue, Waker};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::KernelEdges;
use crate::sys::{Backend, RawEvent, RawSource, Signal, Turn};
use crate::token::Token;
use loom::sync::atomic::{AtomicUsize, Ordering::*};
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;
use std::time::Duration;
use std::{fmt, io};

/// The kernel's part: one edge of the signal, one source, an interruption.
#[derive(Debug, Default)]
struct State {
    signal: bool,
    source: Option<Token>,
    interrupt: bool,
}

impl State {
    fn is_readable(&self) -> bool {
        self.signal || self.source.is_some()
    }
}

#[derive(Debug)]
struct Kernel {
    state: Mutex<State>,
    changed: Condvar,
}

impl Kernel {
    fn new() -> Arc<Kernel> {
        Arc::new(Kernel {
            state: Mutex::new(State::default()),
            changed: Condvar::new(),
        })
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    /// What another queue that watches ours sees.
    fn is_readable(&self) -> bool {
        self.state.lock().unwrap().is_readable()
    }

    fn wait_until_readable(&self) {
        let mut state = self.state.lock().unwrap();
        while !state.is_readable() {
            state = self.changed.wait(state).unwrap();
        }
    }
}

#[derive(Debug, Clone)]
struct Model(Arc<Kernel>);

/// `None` is the signal's own event.
#[derive(Clone)]
struct Event(Option<Token>);

impl RawEvent for Event {
    fn token(&self) -> Token {
        self.0.unwrap()
    }

    fn readiness(&self) -> Readiness {
        Readiness::READABLE
    }

    fn fmt_raw(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

impl Signal for Model {
    fn signal(&self) -> io::Result<()> {
        self.0.change(|state| state.signal = true);
        Ok(())
    }
}

impl Backend for Model {
    type Event = Event;
    type Registration = KernelEdges;
    type Signal = Model;
    type Handle = ();

    fn new() -> io::Result<Model> {
        Ok(Model(Kernel::new()))
    }

    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let start = events.len();
        let mut state = self.0.state.lock().unwrap();
        loop {
            if std::mem::take(&mut state.interrupt) {
                return Err(io::ErrorKind::Interrupted.into());
            }
            if std::mem::take(&mut state.signal) {
                events.push(Event(None));
            }
            if events.len() < start + room {
                events.extend(state.source.take().map(|token| Event(Some(token))));
            }
            if events.len() > start || timeout.is_some() {
                return Ok(());
            }
            state = self.0.changed.wait(state).unwrap();
        }
    }

    any_registration_will_do!();

    fn add_signal(&self) -> io::Result<Model> {
        self.signal()?;
        Ok(self.clone())
    }

    fn is_signal(&self, event: &Event) -> bool {
        event.0.is_none()
    }

    fn woken(&self, token: Token) -> Event {
        Event(Some(token))
    }
}

/// A queue, its kernel, and the one thread that polls.
struct Poller {
    kernel: Arc<Kernel>,
    queue: Arc<Queue<Model>>,
    turn: Turn,
}

impl Poller {
    fn new() -> Poller {
        let kernel = Kernel::new();
        Poller {
            queue: Arc::new(Queue::with(Model(Arc::clone(&kernel)))),
            kernel,
            turn: Turn::default(),
        }
    }

    fn waker(&self, token: usize) -> Waker<Model> {
        Waker::new(&self.queue, Token(token)).unwrap()
    }

    fn try_poll(&mut self, room: usize, timeout: Option<Duration>) -> io::Result<Vec<usize>> {
        let mut events = Vec::with_capacity(room);
        self.queue
            .poll(&mut self.turn, &mut events, room, timeout)?;
        assert!(events.len() <= room);
        Ok(events.iter().map(|event| event.token().0).collect())
    }

    /// Sleeps until something is there.
    fn wait(&mut self, room: usize) -> Vec<usize> {
        let tokens = self.try_poll(room, None).unwrap();
        assert!(!tokens.is_empty());
        tokens
    }

    fn look(&mut self, room: usize) -> Vec<usize> {
        self.try_poll(room, Some(Duration::ZERO)).unwrap()
    }
}

fn check(model: impl Fn() + Sync + Send + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.max_branches = 20_000;
    builder.check(model);
}

/// Wakes from a thread of its own.
fn wake_in_thread(waker: &Arc<Waker<Model>>) -> thread::JoinHandle<()> {
    let waker = Arc::clone(waker);
    thread::spawn(move || waker.wake().unwrap())
}

#[test]
fn loom_two_threads_on_one_waker() {
    check(|| {
        let mut poller = Poller::new();
        let waker = Arc::new(poller.waker(1));
        let done = Arc::new(AtomicUsize::new(0));
        let threads: Vec<_> = (0..2)
            .map(|_| {
                let (waker, done) = (Arc::clone(&waker), Arc::clone(&done));
                thread::spawn(move || {
                    done.fetch_add(1, Relaxed);
                    waker.wake().unwrap();
                })
            })
            .collect();
        // What a thread did before its wake is seen with the event.
        while done.load(Relaxed) < 2 {
            assert_eq!(poller.wait(4), [1]);
        }
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_two_wakers_have_one_event_each() {
    for room in [1, 2] {
        check(move || {
            let mut poller = Poller::new();
            let wakers = [1, 2].map(|token| Arc::new(poller.waker(token)));
            let threads = wakers.each_ref().map(wake_in_thread);
            let mut seen = Vec::new();
            while seen.len() < 2 {
                seen.extend(poller.wait(room));
            }
            seen.sort_unstable();
            assert_eq!(seen, [1, 2]);
            for thread in threads {
                thread.join().unwrap();
            }
            assert_eq!(poller.look(room), []);
        });
    }
}

#[test]
fn loom_wakers_that_share_a_bit() {
    check(|| {
        let mut poller = Poller::new();
        let own: Vec<_> = (0..28).map(|token| poller.waker(token)).collect();
        let wakers = [40, 41].map(|token| Arc::new(poller.waker(token)));
        let threads = wakers.each_ref().map(wake_in_thread);
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(poller.wait(1));
        }
        seen.sort_unstable();
        assert_eq!(seen, [40, 41]);
        for thread in threads {
            thread.join().unwrap();
        }
        assert_eq!(poller.look(1), []);
        drop(own);
    });
}

#[test]
fn loom_first_waker_is_made_while_a_poller_sleeps() {
    check(|| {
        let mut poller = Poller::new();
        let queue = Arc::clone(&poller.queue);
        let thread = thread::spawn(move || {
            let waker = Waker::new(&queue, Token(1)).unwrap();
            waker.wake().unwrap();
            waker
        });
        assert_eq!(poller.wait(4), [1]);
        let waker = thread.join().unwrap();
        assert_eq!(poller.look(4), []);
        drop(waker);
    });
}

#[test]
fn loom_exit_by_interruption() {
    check(|| {
        let mut poller = Poller::new();
        let waker = Arc::new(poller.waker(1));
        let woken = wake_in_thread(&waker);
        let kernel = Arc::clone(&poller.kernel);
        let interrupted = thread::spawn(move || kernel.change(|state| state.interrupt = true));
        let seen = loop {
            match poller.try_poll(4, None) {
                Ok(tokens) => break tokens,
                Err(err) => assert_eq!(err.kind(), io::ErrorKind::Interrupted),
            }
        };
        assert_eq!(seen, [1]);
        woken.join().unwrap();
        interrupted.join().unwrap();
    });
}

#[test]
fn loom_descriptor_is_handed_out_at_any_moment() {
    check(|| {
        let mut poller = Poller::new();
        let waker = Arc::new(poller.waker(1));
        let woken = wake_in_thread(&waker);
        let queue = Arc::clone(&poller.queue);
        let exposed = thread::spawn(move || queue.expose());
        let mut seen = poller.look(4);
        exposed.join().unwrap();
        while seen.is_empty() {
            poller.kernel.wait_until_readable();
            seen = poller.look(4);
        }
        assert_eq!(seen, [1]);
        woken.join().unwrap();
        assert_eq!(poller.look(4), []);
    });
}

#[test]
fn loom_put_back_under_exposure() {
    check(|| {
        let mut poller = Poller::new();
        let wakers = [1, 2].map(|token| Arc::new(poller.waker(token)));
        poller.queue.expose();
        let threads = wakers.each_ref().map(wake_in_thread);
        let mut seen = Vec::new();
        // Only what the kernel was told ends this sleep.
        while seen.len() < 2 {
            poller.kernel.wait_until_readable();
            seen.extend(poller.look(1));
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 2]);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_what_is_pending_is_shown_to_others() {
    check(|| {
        let mut poller = Poller::new();
        let waker = Arc::new(poller.waker(1));
        poller.queue.expose();
        waker.wake().unwrap();
        // Also while the batch with the first is made.
        let woken = wake_in_thread(&waker);
        assert_eq!(poller.look(4), [1]);
        woken.join().unwrap();
        let shown = poller.kernel.is_readable();
        let left = poller.look(4);
        assert!(shown || left.is_empty(), "nobody was told of {left:?}");
    });
}

#[test]
fn loom_drop_while_pending() {
    check(|| {
        let mut poller = Poller::new();
        let waker = poller.waker(1);
        let queue = Arc::clone(&poller.queue);
        let thread = thread::spawn(move || {
            waker.wake().unwrap();
            drop(waker);
            // The same slot.
            Waker::new(&queue, Token(2)).unwrap()
        });
        assert!(!poller.look(4).contains(&2), "nobody woke it");
        let next = thread.join().unwrap();
        assert_eq!(poller.look(4), [], "a dropped waker's token");
        next.wake().unwrap();
        assert_eq!(poller.wait(4), [2]);
    });
}

#[test]
fn loom_source_and_waker_in_one_place() {
    check(|| {
        let mut poller = Poller::new();
        let waker = Arc::new(poller.waker(1));
        let woken = wake_in_thread(&waker);
        poller.kernel.change(|state| state.source = Some(Token(7)));
        let mut seen = Vec::new();
        while seen.len() < 2 {
            seen.extend(poller.wait(1));
        }
        seen.sort_unstable();
        assert_eq!(seen, [1, 7]);
        woken.join().unwrap();
    });
}

#[test]
fn loom_each_wake_publishes() {
    // With bits of their own, and with a shared one.
    for others in [0, 28] {
        check(move || {
            let mut poller = Poller::new();
            let others: Vec<_> = (0..others).map(|token| poller.waker(token)).collect();
            let wakers = [0, 1].map(|token| Arc::new(poller.waker(40 + token)));
            let done = [0, 1].map(|_| Arc::new(AtomicUsize::new(0)));
            let threads = [0, 1].map(|i| {
                let (waker, done) = (Arc::clone(&wakers[i]), Arc::clone(&done[i]));
                thread::spawn(move || {
                    done.store(1, Relaxed);
                    waker.wake().unwrap();
                })
            });
            let mut seen = 0;
            while seen < 2 {
                for token in poller.wait(4) {
                    let done = done[token - 40].load(Relaxed);
                    assert_eq!(done, 1, "an event before its cause");
                    seen += 1;
                }
            }
            for thread in threads {
                thread.join().unwrap();
            }
            drop(others);
        });
    }
}

#[test]
fn loom_a_dropped_waker_hides_no_source() {
    check(|| {
        let mut poller = Poller::new();
        let waker = poller.waker(1);
        waker.wake().unwrap();
        poller.kernel.change(|state| state.source = Some(Token(7)));
        let thread = thread::spawn(move || drop(waker));
        let mut seen = poller.look(1);
        assert!(!seen.is_empty(), "a source is ready");
        seen.extend(poller.look(1));
        thread.join().unwrap();
        assert!(seen.contains(&7));
    });
}
