//! Changes of a socket race with the poller's falling asleep, over a driver made
//! of a mutex and a condition variable. A change that is lost is a deadlock,
//! which loom reports.

use super::super::sock::{End, Report, Sock, Step, RECEIVE, SEND};
use super::Updates;
use crate::interest::Interest;
use crate::token::Token;
use loom::sync::{Condvar, Mutex};
use loom::thread;
use std::sync::Arc;

/// The port, and the driver's part of each socket.
struct Port {
    packets: Mutex<Vec<(usize, End)>>,
    changed: Condvar,
}

/// A socket that is always writable, and readable once data has come.
struct Socket {
    number: usize,
    sock: Mutex<Sock>,
    driver: Mutex<Driver>,
}

#[derive(Default)]
struct Driver {
    pending: Option<u32>,
    readable: bool,
}

type Queue = Updates<Arc<Socket>>;

struct World {
    port: Port,
    updates: Queue,
    sockets: Vec<Arc<Socket>>,
}

impl World {
    fn new(interests: &[Interest]) -> Arc<World> {
        let world = World {
            port: Port {
                packets: Mutex::new(Vec::new()),
                changed: Condvar::new(),
            },
            updates: Updates::new(),
            sockets: (0..)
                .zip(interests)
                .map(|(number, &interest)| {
                    Arc::new(Socket {
                        number,
                        sock: Mutex::new(Sock::new(Token(number), interest)),
                        driver: Mutex::new(Driver::default()),
                    })
                })
                .collect(),
        };
        for socket in &world.sockets {
            world.updates.push(Arc::clone(socket));
        }
        Arc::new(world)
    }

    /// A world after a poll that reported nothing: nothing is queued.
    fn polled(interests: &[Interest]) -> Arc<World> {
        let world = World::new(interests);
        world.updates.fall_asleep(|socket| world.update(socket));
        world.updates.wake_up();
        world
    }

    fn update(&self, socket: Arc<Socket>) {
        let mut sock = socket.sock.lock().unwrap();
        let step = sock.update();
        self.act(&socket, step);
    }

    fn act(&self, socket: &Socket, step: Step) {
        let mut driver = socket.driver.lock().unwrap();
        match step {
            Step::Nothing => {}
            Step::Start(mask) => {
                assert!(driver.pending.is_none(), "one poll at a time");
                driver.pending = Some(mask);
                self.drive(socket, &mut driver);
            }
            Step::Cancel => {
                if driver.pending.take().is_some() {
                    self.post(socket.number, End::Cancelled);
                }
            }
        }
    }

    fn drive(&self, socket: &Socket, driver: &mut Driver) {
        let holds = SEND | if driver.readable { RECEIVE } else { 0 };
        if let Some(mask) = driver.pending.filter(|mask| mask & holds != 0) {
            driver.pending = None;
            self.post(socket.number, End::Reported(mask & holds));
        }
    }

    fn post(&self, number: usize, end: End) {
        self.port.packets.lock().unwrap().push((number, end));
        self.port.changed.notify_all();
    }

    fn change(&self, number: usize, token: Token, interest: Interest) {
        let socket = &self.sockets[number];
        let mut sock = socket.sock.lock().unwrap();
        assert!(sock.change(token, interest));
        let queue = sock.queue();
        drop(sock);
        if queue {
            self.updates
                .queue(Arc::clone(socket), |socket| self.update(socket));
        }
    }

    fn receive(&self, number: usize) {
        let socket = &self.sockets[number];
        let mut driver = socket.driver.lock().unwrap();
        driver.readable = true;
        self.drive(socket, &mut driver);
    }

    /// Polls until there is a report, as `select` does.
    fn wait(&self) -> Report {
        loop {
            self.updates.fall_asleep(|socket| self.update(socket));
            let mut packets = self.port.packets.lock().unwrap();
            while packets.is_empty() {
                packets = self.port.changed.wait(packets).unwrap();
            }
            let (number, end) = packets.remove(0);
            drop(packets);
            self.updates.wake_up();
            let socket = &self.sockets[number];
            let mut sock = socket.sock.lock().unwrap();
            let Some(report) = sock.complete(end) else {
                let step = sock.step();
                self.act(socket, step);
                continue;
            };
            let queue = sock.queue();
            drop(sock);
            if queue {
                self.updates.push(Arc::clone(socket));
            }
            return report;
        }
    }
}

#[test]
fn loom_a_change_counts_for_a_poll_that_goes_on() {
    loom::model(|| {
        let world = World::new(&[Interest::READABLE]);
        let other = Arc::clone(&world);
        let changer = thread::spawn(move || other.change(0, Token(9), Interest::WRITABLE));
        let report = world.wait();
        assert_eq!((report.token, report.reported), (Token(9), SEND));
        changer.join().unwrap();
    });
}

#[test]
fn loom_a_change_counts_for_a_poll_that_begins() {
    loom::model(|| {
        let world = World::polled(&[Interest::READABLE]);
        let other = Arc::clone(&world);
        let changer = thread::spawn(move || other.change(0, Token(9), Interest::WRITABLE));
        let report = world.wait();
        assert_eq!((report.token, report.reported), (Token(9), SEND));
        changer.join().unwrap();
    });
}

#[test]
fn loom_two_changes_of_one_socket() {
    // All interleavings of three threads take a minute; this finds what is lost.
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(|| {
        let world = World::new(&[Interest::READABLE]);
        let threads = [8, 9].map(|token| {
            let world = Arc::clone(&world);
            thread::spawn(move || world.change(0, Token(token), Interest::WRITABLE))
        });
        let report = world.wait();
        assert_eq!(report.reported, SEND);
        for thread in threads {
            thread.join().unwrap();
        }
    });
}

#[test]
fn loom_data_comes_while_the_interest_widens() {
    loom::model(|| {
        let world = World::new(&[Interest::CLOSED]);
        let other = Arc::clone(&world);
        let changer = thread::spawn(move || other.change(0, Token(9), Interest::READABLE));
        world.receive(0);
        let report = world.wait();
        assert_eq!((report.token, report.reported), (Token(9), RECEIVE));
        changer.join().unwrap();
    });
}
