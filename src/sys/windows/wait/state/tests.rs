//! The machine against a kernel that is a model, through every interleaving of
//! a few steps, for objects of each kind.

use super::*;
use std::io::ErrorKind;

/// What is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Object {
    /// Each wait takes one signal; signals are counted.
    Semaphore,
    /// A wait leaves it signalled; somebody resets it.
    ManualEvent,
    /// It stays signalled for ever.
    Process,
}

const OBJECTS: [Object; 3] = [Object::Semaphore, Object::ManualEvent, Object::Process];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    RegisterEdge,
    RegisterLevel,
    RegisterOneshot,
    RegisterUnasked,
    Deregister,
    Signal,
    Reset,
    Break,
    Dequeue,
    /// The poller is about to sleep.
    Look,
}

const ALL: [Step; 10] = [
    Step::RegisterEdge,
    Step::RegisterLevel,
    Step::RegisterOneshot,
    Step::RegisterUnasked,
    Step::Deregister,
    Step::Signal,
    Step::Reset,
    Step::Break,
    Step::Dequeue,
    Step::Look,
];

#[derive(Debug)]
struct Model {
    object: Object,
    signals: usize,
    waiting: bool,
    packet: Option<End>,
    broken: bool,
    cancelled: bool,
}

impl Model {
    /// A wait meets a signal.
    fn meet(&mut self) {
        if self.waiting && self.signals > 0 {
            self.waiting = false;
            self.packet = Some(End::Signalled);
            if self.object == Object::Semaphore {
                self.signals -= 1;
            }
        }
    }

    fn is_lent(&self) -> bool {
        self.waiting || self.packet.is_some()
    }
}

impl Kernel for Model {
    fn wait(&mut self) -> io::Result<()> {
        assert!(!self.is_lent(), "started while it was under way");
        if self.broken {
            return Err(ErrorKind::PermissionDenied.into());
        }
        self.waiting = true;
        self.meet();
        Ok(())
    }

    fn post(&mut self, end: End) -> io::Result<()> {
        assert!(!self.is_lent(), "started while it was under way");
        self.packet = Some(end);
        Ok(())
    }

    fn cancel(&mut self) -> bool {
        assert!(self.is_lent() && !self.cancelled, "cancelled twice");
        if self.waiting {
            self.waiting = false;
            return true;
        }
        self.cancelled = true;
        false
    }
}

struct World {
    watch: Watch,
    kernel: Model,
    registered: Option<(Token, Interest)>,
    tokens: usize,
    given: usize,
    told: usize,
    /// An event is owed if the object is signalled.
    awaited: bool,
    to_look: bool,
    path: Vec<Step>,
}

impl World {
    fn replay(object: Object, path: &[Step]) -> World {
        let mut world = World {
            watch: Watch::new(object == Object::Process),
            kernel: Model {
                object,
                signals: 0,
                waiting: false,
                packet: None,
                broken: false,
                cancelled: false,
            },
            registered: None,
            tokens: 0,
            given: 0,
            told: 0,
            awaited: false,
            to_look: false,
            path: path.to_vec(),
        };
        for step in path {
            world.step(*step);
        }
        world
    }

    fn can(&self, step: Step) -> bool {
        match step {
            Step::Deregister => self.registered.is_some(),
            Step::Reset => self.kernel.object == Object::ManualEvent && self.kernel.signals > 0,
            Step::Break => !self.kernel.broken,
            Step::Signal => self.kernel.object == Object::Semaphore || self.kernel.signals == 0,
            Step::Dequeue => self.kernel.packet.is_some(),
            Step::Look => self.to_look,
            _ => true,
        }
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::RegisterEdge => self.register(Interest::READABLE),
            Step::RegisterLevel => self.register(Interest::READABLE.level()),
            Step::RegisterOneshot => self.register(Interest::READABLE.oneshot()),
            Step::RegisterUnasked => self.register(Interest::WRITABLE),
            Step::Deregister => {
                self.registered = None;
                self.watch.deregister(&mut self.kernel);
            }
            Step::Signal => {
                self.given += 1;
                self.kernel.signals += 1;
                self.kernel.meet();
            }
            Step::Reset => self.kernel.signals = 0,
            Step::Break => self.kernel.broken = true,
            Step::Dequeue => self.dequeue(),
            Step::Look => {
                self.to_look = false;
                self.watch.look_again(&mut self.kernel);
            }
        }
        let asked = self.registered.is_some_and(|(_, i)| i.is_readable());
        assert!(asked || !self.kernel.waiting, "waits: {:?}", self.path);
    }

    fn register(&mut self, interest: Interest) {
        self.tokens += 1;
        let token = Token(self.tokens);
        match self.watch.register(&mut self.kernel, token, interest) {
            Ok(()) => {
                self.registered = Some((token, interest));
                self.awaited = true;
            }
            Err(_) => assert!(self.kernel.broken),
        }
    }

    fn dequeue(&mut self) {
        let Some(end) = self.kernel.packet.take() else {
            return;
        };
        self.kernel.cancelled = false;
        let Some(told) = self.watch.ended(end) else {
            return;
        };
        let Some((token, interest)) = self.registered else {
            panic!("an event of what is not registered: {:?}", self.path);
        };
        assert_eq!(told.token, token, "a stale token: {:?}", self.path);
        assert!(interest.is_readable() && self.awaited, "{:?}", self.path);
        assert!(!(told.again && self.to_look), "queued twice");
        self.to_look |= told.again;
        let failed = told.readiness.intersects(Readiness::ERROR);
        assert!(self.kernel.broken || !failed);
        self.told += usize::from(!failed);
        let stays = self.kernel.object == Object::Process && !interest.is_level();
        self.awaited = !interest.is_oneshot() && !failed && !stays;
    }

    /// Sleeps and wakes until nothing changes, or only a level is repeated.
    fn finish(&mut self) {
        for _ in 0..20 {
            if self.to_look {
                self.step(Step::Look);
            }
            self.dequeue();
        }
        let left = self.kernel.signals + usize::from(self.watch.untold);
        let queued = self.kernel.packet == Some(End::Signalled) && !self.watch.untold;
        if self.kernel.object == Object::Semaphore {
            let found = self.told + left + usize::from(queued);
            assert_eq!(self.given, found, "signals were lost: {:?}", self.path);
        }
        let asked = self.registered.is_some_and(|(_, i)| i.is_readable());
        let repeats = self.kernel.object == Object::ManualEvent || self.to_look;
        if asked && self.awaited && left > 0 && !repeats && !self.kernel.broken {
            panic!("an event was lost: {:?}", self.path);
        }
        self.registered = None;
        self.watch.deregister(&mut self.kernel);
        self.dequeue();
        assert!(!self.kernel.is_lent(), "left: {:?}", self.path);
    }
}

fn extend(object: Object, path: &mut Vec<Step>, depth: usize, count: &mut usize) {
    let mut world = World::replay(object, path);
    if depth == 0 {
        world.finish();
        *count += 1;
        return;
    }
    for step in ALL.iter().filter(|step| world.can(**step)) {
        path.push(*step);
        extend(object, path, depth - 1, count);
        path.pop();
    }
}

#[test]
fn every_interleaving() {
    for object in OBJECTS {
        let mut count = 0;
        extend(object, &mut Vec::new(), 6, &mut count);
        assert!(count > 30_000, "{object:?}: {count}");
    }
}

#[test]
fn a_manual_event_is_told_for_as_long_as_it_is_set() {
    let mut world = World::replay(Object::ManualEvent, &[Step::RegisterEdge]);
    for _ in 0..3 {
        world.step(Step::Signal);
        for round in 1..4 {
            let before = world.told;
            world.step(Step::Dequeue);
            assert_eq!(world.told, before + 1, "round {round}");
            world.step(Step::Look);
        }
        // The wait of the last look has met the signal already.
        world.step(Step::Reset);
        world.step(Step::Dequeue);
        world.step(Step::Look);
        assert!(world.kernel.waiting, "it waits for the next edge");
    }
}

#[test]
fn a_process_is_told_once_for_each_registration() {
    let path = [Step::Signal, Step::RegisterEdge, Step::Dequeue];
    let mut world = World::replay(Object::Process, &path);
    assert_eq!((world.told, world.to_look), (1, false));
    world.step(Step::RegisterEdge);
    world.step(Step::Dequeue);
    assert_eq!(world.told, 2);
}

#[test]
fn a_wait_that_is_cancelled_in_time_leaves_nothing_behind() {
    let mut world = World::replay(Object::Semaphore, &[Step::RegisterEdge]);
    world.step(Step::Deregister);
    assert!(!world.kernel.is_lent());
    // Too late.
    let mut world = World::replay(Object::Semaphore, &[Step::RegisterEdge, Step::Signal]);
    world.step(Step::Deregister);
    assert!(world.kernel.is_lent());
    world.step(Step::Dequeue);
    assert_eq!(world.told, 0);
}
