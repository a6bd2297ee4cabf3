//! The state of a socket that is polled through AFD, under any order of what
//! callers and the driver do.

use super::{interest, Input};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::windows::sock::{self, End, Report, Sock, Step};
use crate::token::Token;

/// What the driver has of the socket.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Driver {
    Idle,
    Pending(u32),
    Cancelling,
}

/// The socket, and beside it what its owner and the driver must agree with.
struct Model {
    sock: Sock,
    driver: Driver,
    queued: bool,
    token: Token,
    interest: Interest,
    gone: bool,
    /// All that is asked is to be asked of the driver.
    armed: bool,
}

pub(super) fn socket(bytes: &[u8]) {
    let mut input = Input(bytes);
    let interest = interest::any(&mut input);
    let mut model = Model {
        sock: Sock::new(Token(0), interest),
        driver: Driver::Idle,
        queued: true,
        token: Token(0),
        interest,
        gone: false,
        armed: true,
    };
    for index in 1.. {
        if input.0.is_empty() {
            break;
        }
        model.act(index, &mut input);
        let queue = model.sock.queue();
        assert!(!(queue && model.queued), "it is in the queue already");
        model.queued |= queue;
    }
    model.settle();
}

impl Model {
    fn act(&mut self, index: usize, input: &mut Input<'_>) {
        let [choice] = input.array();
        match choice % 10 {
            0 => {
                let interest = interest::any(input);
                let changed = self.sock.change(Token(index), interest);
                assert_eq!(changed, !self.gone);
                if changed {
                    (self.token, self.interest) = (Token(index), interest);
                    self.armed = true;
                }
            }
            1 => {
                self.sock.rearm();
                let is_edge = !self.interest.is_level() && !self.interest.is_oneshot();
                self.armed |= is_edge && !self.gone;
            }
            2 => {
                assert_eq!(self.sock.leave(), !self.gone);
                self.gone = true;
            }
            3 if self.driver != Driver::Idle => self.complete(End::Cancelled),
            4 if self.driver != Driver::Idle => self.complete(End::Closed),
            5 if self.driver != Driver::Idle => self.complete(End::Failed),
            6 if self.driver != Driver::Idle => {
                let conditions = input.u32() & !sock::FAILED;
                self.complete(End::Reported(conditions));
            }
            _ if self.queued => self.update(),
            _ => {}
        }
        assert_eq!(self.sock.is_gone(), self.gone);
    }

    fn update(&mut self) {
        self.queued = false;
        match self.sock.update() {
            Step::Nothing => {}
            Step::Start(mask) => {
                assert_eq!(self.driver, Driver::Idle, "one poll at a time");
                assert!(!self.gone && mask & sock::LOCAL_CLOSE != 0);
                let asked = sock::mask_of(self.interest) | sock::LOCAL_CLOSE;
                assert_eq!(mask & !asked, 0, "more than was asked");
                self.driver = Driver::Pending(mask);
            }
            Step::Cancel => {
                assert!(matches!(self.driver, Driver::Pending(_)));
                self.driver = Driver::Cancelling;
            }
        }
    }

    fn complete(&mut self, end: End) {
        self.driver = Driver::Idle;
        let was_gone = self.gone;
        let is_closed = match end {
            End::Closed => true,
            End::Reported(conditions) => conditions & sock::LOCAL_CLOSE != 0,
            End::Cancelled | End::Failed => false,
        };
        self.gone |= is_closed;
        let Some(report) = self.sock.complete(end) else {
            return;
        };
        assert!(!was_gone && !is_closed, "a report of what is gone");
        self.check(end, &report);
        self.armed &= self.interest.is_level() && !self.interest.is_oneshot();
        self.armed &= end != End::Failed;
    }

    fn check(&self, end: End, report: &Report) {
        assert_eq!(report.token, self.token, "a stale token");
        let asked = sock::mask_of(self.interest);
        match end {
            End::Reported(conditions) => {
                assert_ne!(report.reported, 0);
                assert_eq!(report.reported & !(conditions & asked), 0);
            }
            _ => {
                assert_eq!((end, report.reported), (End::Failed, sock::FAILED));
                assert!(report.readiness.intersects(Readiness::ERROR));
            }
        }
        let expected = sock::readiness_of(report.reported, asked);
        assert_eq!(report.readiness, expected);
    }

    /// Lets the driver finish, and all updates be made: then it has a poll for
    /// all that is armed, and none for a socket that is gone.
    fn settle(&mut self) {
        for _ in 0..4 {
            if self.queued {
                self.update();
            }
            if self.driver == Driver::Cancelling {
                self.complete(End::Cancelled);
            }
            let queue = self.sock.queue();
            self.queued |= queue;
        }
        assert!(!self.queued && self.driver != Driver::Cancelling);
        if self.gone {
            assert_eq!(self.driver, Driver::Idle);
        } else if self.armed {
            let asked = sock::mask_of(self.interest);
            match self.driver {
                Driver::Pending(mask) => assert_eq!(mask & asked, asked),
                other => panic!("{other:?}, and {asked:#x} is armed"),
            }
        }
    }
}
