//! Which calls a poll makes, what it gives back and when a wake is told to the kernel: over a
//! kernel that answers as it is told. What threads may do to each other is loom's to find.

use super::{Progress, Queue, Waker};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::KernelEdges;
use crate::sys::{Backend, RawEvent, RawSource, Signal, Turn};
use crate::token::Token;
use std::collections::VecDeque;
use std::sync::{mpsc, Arc, Mutex};
use std::time::Duration;
use std::{fmt, io, mem};

/// The signal's own event has no token.
#[derive(Debug, Clone, Copy)]
struct Event(Option<usize>);

const SIGNAL: Event = Event(None);

impl RawEvent for Event {
    fn token(&self) -> Token {
        Token(self.0.expect("the signal is hidden"))
    }

    fn readiness(&self) -> Readiness {
        Readiness::READABLE
    }

    fn fmt_raw(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        Ok(())
    }
}

#[derive(Default)]
struct Script {
    answers: VecDeque<io::Result<Vec<Event>>>,
    /// What happens while the next call sleeps.
    meanwhile: Option<Box<dyn FnOnce() + Send>>,
    /// Room and timeout of each call.
    calls: Vec<(usize, Option<Duration>)>,
    signals: usize,
    refuses_signals: bool,
}

#[derive(Clone, Default)]
struct Kernel(Arc<Mutex<Script>>);

impl fmt::Debug for Kernel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Kernel")
    }
}

impl Signal for Kernel {
    fn signal(&self) -> io::Result<()> {
        let mut script = self.0.lock().unwrap();
        script.signals += 1;
        match script.refuses_signals {
            true => Err(io::ErrorKind::Other.into()),
            false => Ok(()),
        }
    }
}

impl Backend for Kernel {
    type Event = Event;
    type Registration = KernelEdges;
    type Signal = Kernel;
    type Handle = ();

    fn new() -> io::Result<Kernel> {
        Ok(Kernel::default())
    }

    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let mut script = self.0.lock().unwrap();
        script.calls.push((room, timeout));
        let answer = script.answers.pop_front();
        let meanwhile = script.meanwhile.take();
        drop(script);
        if let Some(meanwhile) = meanwhile {
            meanwhile();
        }
        let answer = answer.expect("no call that the test does not expect")?;
        assert!(answer.len() <= room);
        events.extend(answer);
        Ok(())
    }

    any_registration_will_do!();

    fn add_signal(&self) -> io::Result<Kernel> {
        Ok(self.clone())
    }

    fn is_signal(&self, event: &Event) -> bool {
        event.0.is_none()
    }

    fn woken(&self, token: Token) -> Event {
        Event(Some(token.0))
    }
}

struct Poller {
    queue: Arc<Queue<Kernel>>,
    turn: Turn,
}

const NOW: Option<Duration> = Some(Duration::ZERO);
const LATER: Option<Duration> = Some(Duration::from_secs(3600));
/// The token of the waker.
const WAKER: usize = 100;

fn sources(tokens: &[usize]) -> Vec<Event> {
    tokens.iter().map(|&token| Event(Some(token))).collect()
}

fn signal_and(tokens: &[usize]) -> Vec<Event> {
    [sources(tokens), vec![SIGNAL]].concat()
}

impl Poller {
    fn new() -> Poller {
        Poller {
            queue: Arc::new(Queue::new().unwrap()),
            turn: Turn::default(),
        }
    }

    fn with_waker() -> (Poller, Arc<Waker<Kernel>>) {
        let poller = Poller::new();
        let waker = Arc::new(Waker::new(&poller.queue, Token(WAKER)).unwrap());
        (poller, waker)
    }

    fn script<R>(&self, change: impl FnOnce(&mut Script) -> R) -> R {
        change(&mut self.queue.selector.0.lock().unwrap())
    }

    fn answer(&self, answers: impl IntoIterator<Item = Vec<Event>>) {
        self.script(|script| script.answers.extend(answers.into_iter().map(Ok)));
    }

    /// A signal handler interrupts the next call.
    fn fail(&self) {
        let interrupted = Err(io::ErrorKind::Interrupted.into());
        self.script(|script| script.answers.push_back(interrupted));
    }

    fn wake_during_the_next_call(&self, waker: &Arc<Waker<Kernel>>) {
        let waker = Arc::clone(waker);
        let wake = move || waker.wake().unwrap();
        self.script(|script| script.meanwhile = Some(Box::new(wake)));
    }

    /// The tokens of a poll, and the calls that it made, which took all answers.
    fn poll(&mut self, room: usize, timeout: Option<Duration>) -> (Vec<usize>, Vec<Call>) {
        let mut events = Vec::with_capacity(room);
        let (queue, turn) = (&self.queue, &mut self.turn);
        queue.poll(turn, &mut events, room, timeout).unwrap();
        self.seen(&events, room)
    }

    /// A poll that is interrupted.
    fn poll_fails(&mut self, room: usize, timeout: Option<Duration>) {
        let mut events = Vec::new();
        let (queue, turn) = (&self.queue, &mut self.turn);
        let failed = queue.poll(turn, &mut events, room, timeout).unwrap_err();
        assert_eq!(failed.kind(), io::ErrorKind::Interrupted);
        self.seen(&events, room);
    }

    /// The same, with something that happens right before the long way.
    fn poll_amid(
        &mut self,
        room: usize,
        timeout: Option<Duration>,
        amid: impl FnOnce(&Queue<Kernel>),
    ) -> (Vec<usize>, Vec<Call>) {
        let mut events = Vec::with_capacity(room);
        let (queue, turn) = (&self.queue, &mut self.turn);
        let begun = queue.begin(turn, &mut events, room, timeout).unwrap();
        assert!(matches!(begun, Progress::Begun));
        amid(queue);
        queue
            .poll_on(turn, &mut events, room, timeout, begun)
            .unwrap();
        self.seen(&events, room)
    }

    fn seen(&self, events: &[Event], room: usize) -> (Vec<usize>, Vec<Call>) {
        assert!(events.len() <= room);
        let tokens = events.iter().map(|event| event.token().0).collect();
        let calls = self.script(|script| {
            assert!(script.answers.is_empty(), "calls that did not come");
            mem::take(&mut script.calls)
        });
        (tokens, calls)
    }

    fn signals(&self) -> usize {
        self.script(|script| mem::take(&mut script.signals))
    }
}

type Call = (usize, Option<Duration>);

#[test]
fn one_call_is_a_poll_whether_or_not_there_is_a_waker() {
    for mut poller in [Poller::new(), Poller::with_waker().0] {
        for timeout in [NOW, None, LATER, None, NOW] {
            poller.answer([sources(&[1, 2])]);
            assert_eq!(poller.poll(4, timeout), (vec![1, 2], vec![(4, timeout)]));
        }
        poller.answer([vec![]]);
        assert_eq!(poller.poll(4, NOW), (vec![], vec![(4, NOW)]));
        // It came back early, or for something that is not for the caller.
        poller.answer([vec![], sources(&[1, 2, 3])]);
        assert_eq!(poller.poll(4, None), (vec![1, 2, 3], vec![(4, None); 2]));
    }
}

#[test]
fn wakes_come_first_unless_they_filled_the_last_poll() {
    let (mut poller, waker) = Poller::with_waker();
    for timeout in [NOW, None, LATER] {
        waker.wake().unwrap();
        poller.answer([sources(&[1, 2, 3])]);
        let seen = (vec![WAKER, 1, 2, 3], vec![(3, NOW)]);
        assert_eq!(poller.poll(4, timeout), seen);
    }
    waker.wake().unwrap();
    assert_eq!(poller.poll(1, None), (vec![WAKER], vec![]));
    waker.wake().unwrap();
    poller.answer([sources(&[1])]);
    assert_eq!(poller.poll(1, NOW), (vec![1], vec![(1, NOW)]));
    assert_eq!(poller.poll(1, NOW), (vec![WAKER], vec![]));
    // It is the kernel's turn, which has nothing.
    waker.wake().unwrap();
    poller.answer([vec![]]);
    assert_eq!(poller.poll(1, None), (vec![WAKER], vec![(1, NOW)]));
    // Ones that the long way finds.
    poller.answer([sources(&[1])]);
    let wake = |_: &Queue<Kernel>| waker.wake().unwrap();
    let seen = (vec![1, WAKER], vec![(2, NOW)]);
    assert_eq!(poller.poll_amid(2, LATER, wake), seen);
    poller.answer([sources(&[1])]);
    let seen = (vec![WAKER, 1], vec![(1, NOW)]);
    assert_eq!(poller.poll_amid(2, LATER, wake), seen);
    assert_eq!(poller.poll_amid(1, LATER, wake), (vec![WAKER], vec![]));
    assert_eq!(poller.signals(), 0, "nobody slept");
}

#[test]
fn neither_a_wake_nor_an_error_hides_the_other_for_more_than_a_poll() {
    let (mut poller, waker) = Poller::with_waker();
    let of_wake = (vec![WAKER], vec![(3, NOW)]);
    for timeout in [NOW, None, LATER] {
        waker.wake().unwrap();
        poller.fail();
        assert_eq!(poller.poll(4, timeout), of_wake);
        waker.wake().unwrap();
        poller.fail();
        poller.poll_fails(4, timeout);
        poller.answer([vec![]]);
        assert_eq!(poller.poll(4, timeout), of_wake);
    }
    // The long way.
    poller.fail();
    let wake = |_: &Queue<Kernel>| waker.wake().unwrap();
    assert_eq!(poller.poll_amid(4, LATER, wake), of_wake);
}

#[test]
fn a_place_of_a_signal_behind_wakes_goes_to_a_source() {
    let (mut poller, waker) = Poller::with_waker();
    poller.queue.expose();
    waker.wake().unwrap();
    poller.wake_during_the_next_call(&waker);
    poller.answer([signal_and(&[1]), sources(&[2])]);
    let calls = vec![(2, NOW), (1, NOW)];
    assert_eq!(poller.poll(3, NOW), (vec![WAKER, 1, 2], calls));
    assert_eq!(poller.signals(), 3, "two, and one of them again");
    poller.answer([vec![]]);
    assert_eq!(poller.poll(3, NOW), (vec![WAKER], vec![(2, NOW)]));

    // The kernel fails when it is asked for one more.
    waker.wake().unwrap();
    poller.answer([signal_and(&[1])]);
    poller.fail();
    let calls = vec![(2, NOW), (1, NOW)];
    assert_eq!(poller.poll(3, NOW), (vec![WAKER, 1], calls));
    waker.wake().unwrap();
    poller.fail();
    poller.poll_fails(3, None);
}

#[test]
fn all_signals_of_a_batch_are_hidden_and_no_event_of_a_waker() {
    let (mut poller, waker) = Poller::with_waker();
    poller.answer([[vec![SIGNAL], signal_and(&[1, 2])].concat()]);
    assert_eq!(poller.poll(8, NOW), (vec![2, 1], vec![(8, NOW)]));
    waker.wake().unwrap();
    poller.answer([[vec![SIGNAL], signal_and(&[1])].concat()]);
    assert_eq!(poller.poll(8, None), (vec![WAKER, 1], vec![(7, NOW)]));
}

#[test]
fn a_wake_during_the_call_comes_with_what_it_brought() {
    let (mut poller, waker) = Poller::with_waker();
    for timeout in [None, LATER] {
        poller.wake_during_the_next_call(&waker);
        poller.answer([signal_and(&[1, 2, 3])]);
        let seen = (vec![1, 2, 3, WAKER], vec![(4, timeout)]);
        assert_eq!(poller.poll(4, timeout), seen);
        assert_eq!(poller.signals(), 1);
        // Its signal is on the way, and too late for this.
        poller.wake_during_the_next_call(&waker);
        poller.answer([sources(&[1])]);
        assert_eq!(
            poller.poll(4, timeout),
            (vec![1, WAKER], vec![(4, timeout)])
        );
        assert_eq!(poller.signals(), 1);
    }
    poller.wake_during_the_next_call(&waker);
    poller.answer([vec![]]);
    assert_eq!(poller.poll(4, NOW), (vec![], vec![(4, NOW)]));
    assert_eq!(poller.signals(), 0, "a look is no sleep");
    assert_eq!(poller.poll(1, NOW), (vec![WAKER], vec![]));
}

#[test]
fn a_late_signal_costs_no_source_its_place() {
    for timeout in [NOW, None, LATER] {
        let (mut poller, _waker) = Poller::with_waker();
        poller.answer([signal_and(&[1, 2, 3]), sources(&[4])]);
        let calls = vec![(4, timeout), (1, NOW)];
        assert_eq!(poller.poll(4, timeout), (vec![1, 2, 3, 4], calls));
        // In a batch that is not full it took the place of none.
        poller.answer([signal_and(&[1, 2])]);
        assert_eq!(poller.poll(4, timeout), (vec![1, 2], vec![(4, timeout)]));
    }
}

#[test]
fn nothing_but_a_signal_is_nothing() {
    for room in [1, 4] {
        let (mut poller, _waker) = Poller::with_waker();
        poller.answer([signal_and(&[]), vec![]]);
        assert_eq!(poller.poll(room, NOW), (vec![], vec![(room, NOW); 2]));
        poller.answer([signal_and(&[]), sources(&[1])]);
        assert_eq!(poller.poll(room, None), (vec![1], vec![(room, None); 2]));
    }
}

#[test]
fn a_wake_of_nobody_costs_no_source_its_place() {
    let mut poller = Poller::new();
    // The last of them shares its bit, which stays when it is dropped.
    let open = |queue: &Queue<Kernel>| {
        let wakers = (0..30).map(|_| Waker::new(queue, Token(WAKER)).unwrap());
        let wakers: Vec<_> = wakers.collect();
        wakers[29].wake().unwrap();
    };
    poller.answer([sources(&[1])]);
    let soon = Some(Duration::from_nanos(1));
    assert_eq!(poller.poll_amid(1, soon, open), (vec![1], vec![(1, NOW)]));
}

#[test]
fn a_poll_that_fails_is_over() {
    let (mut poller, waker) = Poller::with_waker();
    for timeout in [None, LATER] {
        poller.fail();
        poller.poll_fails(4, timeout);
        waker.wake().unwrap();
        assert_eq!(poller.signals(), 0, "nobody sleeps");
        assert_eq!(poller.poll(1, timeout), (vec![WAKER], vec![]));
        poller.turn = Turn::default();
    }
}

#[test]
fn who_watches_the_queue_is_told_of_wakes() {
    let (mut poller, waker) = Poller::with_waker();
    poller.queue.expose();
    assert_eq!(poller.signals(), 0);
    waker.wake().unwrap();
    waker.wake().unwrap();
    assert_eq!(poller.signals(), 1);
    assert_eq!(poller.poll(1, NOW), (vec![WAKER], vec![]));

    let (poller, waker) = Poller::with_waker();
    waker.wake().unwrap();
    poller.queue.expose();
    assert_eq!(poller.signals(), 1, "of what came before");
}

#[test]
fn a_waker_has_one_event_a_batch() {
    let (mut poller, waker) = Poller::with_waker();
    for exposed in [false, true] {
        waker.wake().unwrap();
        poller.signals();
        poller.wake_during_the_next_call(&waker);
        poller.answer([signal_and(&[1])]);
        assert_eq!(poller.poll(4, NOW), (vec![WAKER, 1], vec![(3, NOW)]));
        // Its own signal was taken.
        assert_eq!(poller.signals(), if exposed { 2 } else { 0 });
        poller.answer([vec![]]);
        assert_eq!(poller.poll(4, NOW), (vec![WAKER], vec![(3, NOW)]));
        poller.queue.expose();
    }
}

#[test]
fn a_sleeper_hears_of_a_first_waker_whose_signals_others_take() {
    let mut poller = Poller::new();
    poller.queue.expose();
    let queue = Arc::clone(&poller.queue);
    let (keep, _kept) = mpsc::channel();
    let meanwhile = move || {
        let waker = Waker::new(&queue, Token(WAKER)).unwrap();
        waker.wake().unwrap();
        waker.wake().unwrap();
        // Dropped, it would take its wake with it.
        keep.send(waker).unwrap();
    };
    poller.script(|script| script.meanwhile = Some(Box::new(meanwhile)));
    poller.answer([signal_and(&[1])]);
    assert_eq!(poller.poll(4, None), (vec![1, WAKER], vec![(4, None)]));
    assert_eq!(poller.signals(), 2, "the first may have been taken");
}

#[test]
fn a_wake_that_could_not_be_told_is_told_by_the_next() {
    let (mut poller, waker) = Poller::with_waker();
    let of_sleeper = Arc::clone(&waker);
    let kernel = poller.queue.selector.clone();
    let meanwhile = move || {
        let refuse = |refuse| kernel.0.lock().unwrap().refuses_signals = refuse;
        refuse(true);
        assert!(of_sleeper.wake().is_err());
        refuse(false);
        of_sleeper.wake().unwrap();
    };
    poller.script(|script| script.meanwhile = Some(Box::new(meanwhile)));
    poller.answer([signal_and(&[])]);
    assert_eq!(poller.poll(4, None), (vec![WAKER], vec![(4, None)]));
    assert_eq!(poller.signals(), 2);
}
