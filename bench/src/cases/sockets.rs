//! What the registration of sockets costs, with the poll that tells the kernel of
//! it where the call itself does not.

use std::io;
use std::time::Duration;

use super::*;
use crate::measure::Contenders;

use Operation::{Add, Change, Remove};

/// Which step of a registration's life is timed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    Add,
    Change,
    Remove,
}

/// A case whose turns are the time of one operation on one source.
pub(super) fn registrations(name: &'static str, contenders: Contenders) -> Case {
    Case {
        name,
        per: "source",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    }
}

pub(crate) fn cases() -> Vec<Case> {
    vec![
        registrations("register/100-sockets", everyone!(sockets(Add))),
        registrations("reregister/100-sockets", everyone!(sockets(Change))),
        registrations("deregister/100-sockets", everyone!(sockets(Remove))),
    ]
}

fn sockets<C: Contender>(operation: Operation) -> io::Result<Turn> {
    const SOCKETS: usize = 100;
    const REPEATS: usize = 20;
    // With room for all that a kernel has to say of what ended, so that nobody can
    // leave it to the next step.
    let (mut poll, mut events) = (C::poll()?, C::events(1_024));
    let sockets = (0..SOCKETS).map(|_| C::bind_udp().map(|(socket, _)| socket));
    let mut sockets = sockets.collect::<io::Result<Vec<_>>>()?;
    Ok(Box::new(move || {
        let mut total = 0.0;
        for _ in 0..REPEATS {
            for step in [Add, Change, Remove] {
                let time = Clock::Thread.time(|| {
                    for (token, socket) in sockets.iter_mut().enumerate() {
                        match step {
                            Add => socket.add(&poll, token)?,
                            Change => socket.change(&poll, token)?,
                            Remove => socket.remove(&poll)?,
                        }
                    }
                    C::wait(&mut poll, &mut events, Some(Duration::ZERO))
                })?;
                if step == operation {
                    total += time;
                }
            }
        }
        Ok(total / (REPEATS * SOCKETS) as f64)
    }))
}
