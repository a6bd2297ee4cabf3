//! What the queue makes of the kernel's answers, and when it tells a sleeper: over a kernel that
//! answers as it is told.

use super::super::*;
use crate::sys::levels::ENDED;
use crate::sys::queue::{Queue, Waker};
use crate::sys::{RawEvent, Registration, Turn};
use std::collections::VecDeque;
use std::io::ErrorKind;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};

#[derive(Debug, Default)]
struct Scripted {
    signals: AtomicUsize,
    drains: AtomicUsize,
    polls: AtomicUsize,
    refuses_signals: AtomicBool,
    answers: Mutex<VecDeque<Answer>>,
}

/// How many entries have something to report, and the bits of each, of which the first
/// is what wakes.
type Answer = io::Result<(usize, Vec<c_short>)>;

impl Kernel for Scripted {
    fn new() -> io::Result<Scripted> {
        Ok(Scripted::default())
    }

    fn wakeup(&self) -> RawSource {
        1000
    }

    fn signal(&self) -> io::Result<()> {
        self.signals.fetch_add(1, SeqCst);
        match self.refuses_signals.load(SeqCst) {
            true => Err(ErrorKind::Other.into()),
            false => Ok(()),
        }
    }

    fn drain(&self) -> io::Result<()> {
        self.drains.fetch_add(1, SeqCst);
        Ok(())
    }

    fn poll(&self, fds: &mut [pollfd], _: Option<Duration>) -> io::Result<usize> {
        self.polls.fetch_add(1, SeqCst);
        let answer = self.answers.lock().unwrap().pop_front();
        let (hits, revents) = answer.expect("no poll that the test does not expect")?;
        for (entry, revents) in fds.iter_mut().zip(&revents) {
            entry.revents = *revents;
        }
        Ok(hits)
    }
}

type Set = Selector<Scripted>;

const NOW: Option<Duration> = Some(Duration::ZERO);

fn answer(set: &Set, answer: Answer) {
    set.kernel.answers.lock().unwrap().push_back(answer);
}

/// The tokens of one call.
fn select(set: &Set) -> io::Result<Vec<usize>> {
    let mut events = Vec::new();
    set.select(&mut events, 8, NOW)?;
    Ok(events.iter().map(|event| event.token().0).collect())
}

#[test]
fn a_sleeper_is_told_once_and_nobody_else_is() {
    let set = Set::new().unwrap();
    let signals = || set.kernel.signals.load(SeqCst);
    let register = |fd| set.register(fd, Token(1), Interest::READABLE).unwrap();
    // Standard input is a descriptor too.
    let handle = register(0);
    assert_eq!(signals(), 0, "nobody sleeps");
    set.lock().asleep = true;
    register(5);
    register(6);
    assert_eq!(signals(), 1, "it knows");
    set.rearm(0, &handle);
    assert_eq!(signals(), 1, "it was armed");
    // The next to sleep does not know yet; and who could not be told is told again.
    set.lock().kicked = false;
    set.kernel.refuses_signals.store(true, SeqCst);
    register(7);
    set.kernel.refuses_signals.store(false, SeqCst);
    set.deregister(0, &handle).unwrap();
    set.deregister(0, &handle).unwrap();
    assert_eq!(signals(), 3, "once for each that was told");
}

#[test]
fn what_wakes_is_read_when_it_was_written() {
    let set = Set::new().unwrap();
    set.register(5, Token(1), Interest::READABLE).unwrap();
    let drains = || set.kernel.drains.load(SeqCst);
    answer(&set, Ok((1, vec![0, libc::POLLIN])));
    assert_eq!((select(&set).unwrap(), drains()), (vec![1], 0));
    answer(&set, Ok((1, vec![libc::POLLIN, 0])));
    assert_eq!((select(&set).unwrap(), drains()), (vec![], 1));
    assert!(!set.lock().asleep);
}

#[test]
fn the_search_ends_with_the_last_hit() {
    let set = Set::new().unwrap();
    set.register(5, Token(1), Interest::READABLE).unwrap();
    // What woke is one of them, and the entry of the source an old one.
    for hits in [1, 0] {
        answer(&set, Ok((hits, vec![libc::POLLIN, libc::POLLIN])));
        assert_eq!(select(&set).unwrap(), []);
    }
}

#[test]
fn what_the_kernel_lacks_for_a_moment_is_no_error() {
    let set = Set::new().unwrap();
    answer(&set, Err(ErrorKind::WouldBlock.into()));
    assert_eq!(select(&set).unwrap(), []);
    answer(&set, Err(ErrorKind::InvalidInput.into()));
    assert_eq!(select(&set).unwrap_err().kind(), ErrorKind::InvalidInput);
}

#[test]
fn mistakes_with_raw_descriptors() {
    let set = Set::new().unwrap();
    let (token, interest) = (Token(1), Interest::READABLE);
    let kind = |result: io::Result<()>| result.map_err(|err| err.kind());
    let unknown = [
        set.reregister_raw(5, token, interest),
        set.deregister_raw(5),
    ];
    assert_eq!(unknown.map(kind), [Err(ErrorKind::NotFound); 2]);
    set.register_raw(5, token, interest).unwrap();
    let twice = kind(set.register_raw(5, token, interest));
    assert_eq!(twice, Err(ErrorKind::AlreadyExists));
    set.deregister_raw(5).unwrap();
    let handle = set.register(6, token, interest).unwrap();
    set.deregister(6, &handle).unwrap();
    let gone = set.reregister(6, &handle, token, interest);
    assert_eq!(kind(gone), Err(ErrorKind::NotFound));
    let none = set.register_raw(-1, token, interest).unwrap_err();
    assert_eq!(none.raw_os_error(), Some(libc::EBADF));
}

#[test]
fn a_registration_knows_its_queue() {
    let queues = [(); 2].map(|()| Arc::new(Queue::<Set>::new().unwrap()));
    let mut edges = EmulatedEdges::default();
    assert_eq!(format!("{edges:?}"), "none");
    let (token, interest) = (Token(1), Interest::READABLE);
    edges.register(&queues[0], 5, token, interest).unwrap();
    assert_eq!(format!("{edges:?}"), "registered");
    let elsewhere = [
        edges.register(&queues[1], 5, token, interest),
        edges.reregister(&queues[1], 5, token, interest),
        edges.deregister(&queues[1], 5),
    ];
    for result in elsewhere {
        assert_eq!(result.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
    edges.reregister(&queues[0], 5, token, interest).unwrap();
    edges.deregister(&queues[0], 5).unwrap();
}

#[test]
fn a_wake_takes_no_place_of_an_event() {
    let queue = Arc::new(Queue::<Set>::new().unwrap());
    let mut edges = EmulatedEdges::default();
    let interest = Interest::READABLE;
    edges.register(&queue, 5, Token(1), interest).unwrap();
    let _waker = Waker::new(&queue, Token(2)).unwrap();
    answer(queue.selector(), Ok((2, vec![libc::POLLIN, libc::POLLIN])));
    let mut events = Vec::with_capacity(2);
    queue
        .poll(&mut Turn::default(), &mut events, 2, NOW)
        .unwrap();
    assert_eq!(events.len(), 1);
    // A queue whose signal is an event would ask for one more in its place.
    assert_eq!(queue.selector().kernel.polls.load(SeqCst), 1);
}

#[test]
fn an_event_shows_the_names_of_its_bits() {
    struct Raw(Event);
    impl fmt::Debug for Raw {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt_raw(f)
        }
    }
    let revents = libc::POLLIN | ENDED;
    let token = Token(1);
    let text = format!("{:?}", Raw(Event { token, revents }));
    assert_eq!(text, "pollfd { revents: POLLIN | POLLERR | POLLHUP }");
}
