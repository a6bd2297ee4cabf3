//! One descriptor watched by the queue under test and by the kernel's own epoll, side by side.
//!
//! A row of the readiness tables is thus judged twice: the mask that the kernel sends must be the
//! mask that the row names, so that a kernel that changed its mind is noticed as such, and the
//! event must give exactly the answers that belong to this mask.

use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::situations::RawEpoll;
use super::{flags, poll_and_events, HANG_GUARD};

pub(crate) const IN: u32 = libc::EPOLLIN as u32;
pub(crate) const PRI: u32 = libc::EPOLLPRI as u32;
pub(crate) const OUT: u32 = libc::EPOLLOUT as u32;
pub(crate) const ERR: u32 = libc::EPOLLERR as u32;
pub(crate) const HUP: u32 = libc::EPOLLHUP as u32;
pub(crate) const RDHUP: u32 = libc::EPOLLRDHUP as u32;
pub(crate) const NO_EVENT: u32 = 0;

/// The descriptors that must stay open until the row was judged.
pub(crate) type Kept = Vec<OwnedFd>;

/// Situation, how to get there, the kernel's mask, the true answers as `flags` prints them.
pub(crate) type Row = (&'static str, fn(&mut Watch) -> Kept, u32, &'static str);

/// Judges every row of a table.
pub(crate) fn judge_all(rows: &[Row]) {
    for &(situation, arrange, mask, answers) in rows {
        let mut watch = Watch::new();
        let _kept = arrange(&mut watch);
        watch.judge(situation, mask, answers);
    }
}

/// Makes the list of what a row keeps.
pub(crate) fn keep<A: Into<OwnedFd>, B: Into<OwnedFd>>(one: A, other: B) -> Kept {
    vec![one.into(), other.into()]
}

pub(crate) struct Watch {
    poll: Poll,
    events: Events,
    kernel: RawEpoll,
    /// The answers of what held when the watch began.
    standing: Option<String>,
}

/// A raw descriptor has no operations that would tell poll(2) when to look again: it looks after a
/// while, and an edge comes more than once.
const RAW_EVENTS_COME_AGAIN: bool = cfg!(any(mio_unsupported_force_poll_poll, mio_ports_emulation));

impl Watch {
    fn new() -> Watch {
        let (poll, events) = poll_and_events();
        let kernel = RawEpoll::new();
        Watch {
            poll,
            events,
            kernel,
            standing: None,
        }
    }

    /// Watches for everything; what holds already is part of the row.
    pub(crate) fn add(&mut self, fd: &impl AsFd) {
        let all = Interest::READABLE | Interest::WRITABLE | Interest::PRIORITY;
        self.add_with(fd, all, IN | OUT | PRI | RDHUP);
    }

    /// Watches for everything from now on; what holds already is left out.
    pub(crate) fn start(&mut self, fd: &impl AsFd) {
        self.add(fd);
        self.begin();
    }

    /// Watches from now on for the end of writing only.
    pub(crate) fn start_writable_only(&mut self, fd: &impl AsFd) {
        self.add_with(fd, Interest::WRITABLE, OUT);
        self.begin();
    }

    /// Takes what held when the watch began.
    fn begin(&mut self) {
        (_, self.standing) = self.fetch();
        self.expect_silence("an edge must not come twice");
    }

    /// Nothing new comes. A raw descriptor in poll(2) says now and then what it said already.
    fn expect_silence(&mut self, why: &str) {
        let (mask, answers) = self.fetch();
        assert_eq!(mask, None, "{why}");
        if !(RAW_EVENTS_COME_AGAIN && answers == self.standing) {
            assert_eq!(answers, None, "{why}");
        }
    }

    fn add_with(&mut self, fd: &impl AsFd, interest: Interest, mask: u32) {
        let raw = fd.as_fd().as_raw_fd();
        let registry = self.poll.registry();
        registry
            .register(&mut SourceFd(&raw), Token(5), interest)
            .expect("a source that can be watched");
        self.kernel.add(fd, mask | libc::EPOLLET as u32);
    }

    /// The mask and the answers of what changed since the last look.
    fn fetch(&mut self) -> (Option<u32>, Option<String>) {
        let zero = Some(Duration::ZERO);
        self.poll.poll(&mut self.events, zero).expect("poll");
        assert!(self.events.iter().count() <= 1, "one source, one event");
        let answers = self.events.iter().map(flags).next();
        (self.kernel.next_mask(), answers)
    }

    /// Looks until both have shown the final state, or panics with what they showed last.
    pub(crate) fn judge(&mut self, situation: &str, mask: u32, answers: &str) {
        if mask == NO_EVENT {
            return self.expect_silence(situation);
        }
        let expected = (Some(mask), Some(answers.to_owned()));
        let give_up_at = Instant::now() + HANG_GUARD;
        let mut last = (None, None);
        while last != expected {
            assert!(
                Instant::now() < give_up_at,
                "{situation}: expected {expected:x?}, last seen {last:x?}"
            );
            let (new_mask, new_answers) = self.fetch();
            last = (new_mask.or(last.0), new_answers.or(last.1));
            std::thread::yield_now();
        }
    }
}
