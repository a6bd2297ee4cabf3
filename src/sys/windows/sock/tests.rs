//! The state machine against a model of the driver: every interleaving.
//!
//! A *world* is one socket, the driver's part of it, and what the caller is owed.
//! All that can happen next to a world (by the caller on any thread, by the
//! network, by the poller) is one atomic step, as it is under the socket's lock.
//! From a new socket on, each world that can be reached is visited, and each
//! must keep the promises.

use super::*;
use std::collections::{HashSet, VecDeque};

/// The conditions of the model's socket.
const CONDITIONS: [u32; 3] = [RECEIVE, SEND, ABORT];

/// What the driver has of the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Driver {
    Nothing,
    Pending(u32),
    /// Over, and the packet is in the port.
    Packet(End),
}

impl std::hash::Hash for End {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        format!("{self:?}").hash(state);
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct World {
    sock: Sock,
    driver: Driver,
    /// Conditions that hold.
    ready: u32,
    /// Whether the socket stands in the queue of updates.
    queued: bool,
    closed: bool,
    // What the caller knows.
    registered: bool,
    token: Token,
    interest: u32,
    mode: Mode,
    /// Conditions that must be reported if they hold: asked for, and not
    /// reported since.
    owed: u32,
}

/// One thing that happens.
#[derive(Debug, Clone, Copy)]
enum Act {
    Change(Interest),
    WouldBlock,
    Deregister,
    /// A condition begins, or ends, to hold.
    Turn(u32),
    /// closesocket() without deregistration.
    Close,
    /// Somebody takes the socket out of the queue.
    Flush,
    /// The same, and the driver refuses a new poll.
    FlushInVain,
    /// The poller takes the packet out of the port.
    Dequeue,
}

fn interests() -> Vec<Interest> {
    let (readable, writable) = (Interest::READABLE, Interest::WRITABLE);
    let mut all = Vec::new();
    for interest in [readable, writable, readable | writable, Interest::CLOSED] {
        all.extend([interest, interest.level(), interest.oneshot()]);
    }
    all
}

impl World {
    fn new(interest: Interest) -> World {
        World {
            sock: Sock::new(Token(0), interest),
            driver: Driver::Nothing,
            ready: 0,
            queued: true,
            closed: false,
            registered: true,
            token: Token(0),
            interest: mask_of(interest),
            mode: mode_of(interest),
            owed: mask_of(interest),
        }
    }

    /// What can happen now.
    fn acts(&self) -> Vec<Act> {
        let mut acts = Vec::new();
        if self.registered {
            acts.extend(interests().into_iter().map(Act::Change));
            acts.extend([Act::WouldBlock, Act::Deregister]);
        }
        if !self.closed {
            acts.extend(CONDITIONS.map(Act::Turn));
            acts.push(Act::Close);
        }
        if self.queued {
            acts.extend([Act::Flush, Act::FlushInVain]);
        }
        if matches!(self.driver, Driver::Packet(_)) {
            acts.push(Act::Dequeue);
        }
        acts
    }

    /// Does it. What is reported is checked.
    fn act(&mut self, act: Act) -> Option<Report> {
        match act {
            Act::Change(interest) => self.change(interest),
            Act::WouldBlock => {
                self.sock.rearm();
                self.push();
                if self.mode == Mode::Edge {
                    self.owed = self.interest;
                }
            }
            Act::Deregister => {
                self.registered = false;
                self.owed = 0;
                self.sock.leave();
                self.step();
            }
            Act::Turn(condition) => {
                self.ready ^= condition;
                self.drive();
            }
            Act::Close => {
                self.closed = true;
                self.ready = 0;
                self.drive();
            }
            Act::Flush | Act::FlushInVain => {
                self.queued = false;
                let step = self.sock.update();
                self.drive_step(step, matches!(act, Act::Flush));
            }
            Act::Dequeue => return self.dequeue(),
        }
        None
    }

    fn change(&mut self, interest: Interest) {
        let token = Token(1 - self.token.0);
        if self.sock.change(token, interest) {
            self.push();
            self.token = token;
            self.interest = mask_of(interest);
            self.mode = mode_of(interest);
            self.owed = self.interest;
        } else {
            assert!(self.closed, "what is registered can be changed");
        }
    }

    fn push(&mut self) {
        if self.sock.queue() {
            assert!(!self.queued, "a socket is queued once");
            self.queued = true;
        }
    }

    /// What is due at once, without the queue.
    fn step(&mut self) {
        let step = self.sock.step();
        self.drive_step(step, true);
    }

    fn drive_step(&mut self, step: Step, accepted: bool) {
        match step {
            Step::Nothing => {}
            Step::Start(mask) => {
                assert_eq!(self.driver, Driver::Nothing, "one poll at a time");
                self.driver = match (accepted, self.closed) {
                    (false, _) => Driver::Packet(End::Failed),
                    (true, true) => Driver::Packet(End::Closed),
                    (true, false) => Driver::Pending(mask),
                };
                self.drive();
            }
            Step::Cancel => match self.driver {
                Driver::Pending(_) => self.driver = Driver::Packet(End::Cancelled),
                // It is completing, and cannot be cancelled.
                Driver::Packet(_) => {}
                Driver::Nothing => panic!("there is nothing to cancel"),
            },
        }
    }

    /// The driver completes a pending poll if it can.
    fn drive(&mut self) {
        let Driver::Pending(mask) = self.driver else {
            return;
        };
        let holds = if self.closed { LOCAL_CLOSE } else { self.ready };
        if holds & mask != 0 {
            self.driver = Driver::Packet(End::Reported(holds & mask));
        }
    }

    fn dequeue(&mut self) -> Option<Report> {
        let Driver::Packet(end) = std::mem::replace(&mut self.driver, Driver::Nothing) else {
            panic!("there is no packet");
        };
        let Some(report) = self.sock.complete(end) else {
            self.step();
            return None;
        };
        self.push();
        assert!(self.registered, "nothing comes after deregistration");
        assert_eq!(report.token, self.token, "the token of now");
        if report.reported == FAILED {
            self.owed = 0;
        } else {
            let unasked = report.reported & !self.interest;
            assert_eq!(unasked, 0, "nothing that was not asked for");
            match self.mode {
                Mode::Edge => self.owed &= !report.reported,
                Mode::Level => {}
                Mode::OneShot => {
                    assert_ne!(self.owed, 0, "one report a change");
                    self.owed = 0;
                }
            }
        }
        Some(report)
    }

    /// What one poll brings: it flushes and dequeues until nothing is left to do
    /// or something was reported. Two rounds at most are internal: a cancelled
    /// poll, and one that reported what is not asked any more.
    fn poll(&mut self) -> u32 {
        for _ in 0..4 {
            if self.queued {
                self.act(Act::Flush);
            }
            if matches!(self.driver, Driver::Packet(_)) {
                if let Some(report) = self.act(Act::Dequeue) {
                    return report.reported;
                }
            } else {
                return 0;
            }
        }
        panic!("it does not come to rest: {self:?}");
    }

    /// The promises, from this world on if nothing else happens.
    fn check(&self) {
        let may_be_gone = self.closed || !self.registered;
        assert!(may_be_gone || !self.sock.is_gone(), "{self:?}");
        let mut world = self.clone();
        // Each poll reports less, until nothing is owed; but a level goes on. The
        // first may be of conditions that held once.
        let mut reported = 0;
        for _ in 0..CONDITIONS.len() + 2 {
            reported = world.poll();
        }
        let owed = world.owed & world.ready;
        if world.mode == Mode::Level {
            assert_eq!(reported, owed, "a level is reported whole: {self:?}");
        } else {
            assert_eq!(owed, 0, "an edge is lost: {self:?}");
            assert_eq!(reported, 0, "an edge comes once: {self:?}");
        }
        if !world.registered {
            assert_eq!(
                world.driver,
                Driver::Nothing,
                "nothing is left in the driver"
            );
            assert!(!world.queued);
        }
    }
}

#[test]
fn every_interleaving_keeps_the_promises() {
    let mut seen = HashSet::new();
    let mut next: VecDeque<World> = interests().into_iter().map(World::new).collect();
    while let Some(world) = next.pop_front() {
        if !seen.insert(world.clone()) {
            continue;
        }
        world.check();
        for act in world.acts() {
            let mut after = world.clone();
            after.act(act);
            next.push_back(after);
        }
    }
    // A model that is stuck would pass, too.
    assert!(seen.len() > 10_000, "{} worlds", seen.len());
}

#[test]
fn readiness_of_conditions() {
    use Readiness as R;
    let closed = R::READ_CLOSED.or(R::WRITE_CLOSED);
    let both = R::READABLE.or(R::WRITABLE);
    let all = mask_of(Interest::READABLE | Interest::WRITABLE);
    let cases = [
        (RECEIVE, all, R::READABLE),
        (ACCEPT, all, R::READABLE),
        (SEND, all, R::WRITABLE),
        (DISCONNECT, all, R::READABLE.or(R::READ_CLOSED)),
        (ABORT, all, both.or(closed)),
        (CONNECT_FAIL, all, both.or(closed).or(R::ERROR)),
        (RECEIVE_EXPEDITED, all, R::PRIORITY),
        (FAILED, all, both.or(R::ERROR)),
        (ABORT, mask_of(Interest::CLOSED), closed),
    ];
    for (reported, mask, readiness) in cases {
        assert_eq!(readiness_of(reported, mask), readiness, "{reported:#x}");
    }
}
