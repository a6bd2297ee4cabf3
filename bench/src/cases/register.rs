//! What a registration costs among 1000 and among 10 000 others.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;

use rustix::event::{eventfd, EventfdFlags};

use super::sockets::{registrations, Operation};
use super::*;

pub(crate) fn cases() -> Vec<Case> {
    use Operation::{Add, Change, Remove};
    vec![
        registrations("register/1k", || everyone(1_000, Add)),
        registrations("reregister/1k", || everyone(1_000, Change)),
        registrations("deregister/1k", || everyone(1_000, Remove)),
        registrations("register/10k", || everyone(10_000, Add)),
        registrations("reregister/10k", || everyone(10_000, Change)),
        registrations("deregister/10k", || everyone(10_000, Remove)),
    ]
}

/// Sources that all contenders register in turns: so nobody's lie better in
/// the kernel's memory.
pub(super) fn sources(count: usize) -> io::Result<Rc<Vec<OwnedFd>>> {
    let sources = (0..count).map(|_| Ok(eventfd(0, EventfdFlags::NONBLOCK)?));
    sources.collect::<io::Result<_>>().map(Rc::new)
}

fn everyone(count: usize, operation: Operation) -> io::Result<Vec<(&'static str, Turn)>> {
    let sources = sources(count)?;
    let contenders = everyone!(descriptors(Rc::clone(&sources), operation));
    contenders()
}

fn descriptors<C: OnUnix>(sources: Rc<Vec<OwnedFd>>, operation: Operation) -> io::Result<Turn> {
    let poll = C::poll()?;
    // A few times over where there are few, so that a turn takes milliseconds.
    let repeats = 10_000 / sources.len();
    Ok(Box::new(move || {
        let sources = || sources.iter().map(AsRawFd::as_raw_fd).enumerate();
        let mut total = 0.0;
        for _ in 0..repeats {
            let add = Clock::Thread
                .time(|| sources().try_for_each(|(token, fd)| C::add_fd(&poll, fd, token)))?;
            let change = Clock::Thread
                .time(|| sources().try_for_each(|(token, fd)| C::change_fd(&poll, fd, token)))?;
            let remove =
                Clock::Thread.time(|| sources().try_for_each(|(_, fd)| C::remove_fd(&poll, fd)))?;
            total += match operation {
                Operation::Add => add,
                Operation::Change => change,
                Operation::Remove => remove,
            };
        }
        Ok(total / (repeats * sources().len()) as f64)
    }))
}
