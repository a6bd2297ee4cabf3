//! Datagrams, one by one.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use super::*;
use crate::measure::Contenders;

pub(super) const SIZE: usize = 1_200;
/// As many as one segmented send takes.
pub(super) const BATCH: usize = 48;
pub(super) const BATCHES: usize = 40;

pub(crate) fn cases() -> Vec<Case> {
    vec![case("udp/one-by-one", everyone!(one_by_one()))]
}

pub(super) fn case(name: &'static str, contenders: Contenders) -> Case {
    Case {
        name,
        per: "datagram",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    }
}

/// A socket that sends to another, which is registered.
pub(super) struct Link<C: Contender> {
    pub(super) poll: C::Poll,
    pub(super) events: C::Events,
    pub(super) sender: C::Udp,
    pub(super) receiver: C::Udp,
    pub(super) to: SocketAddr,
}

pub(super) fn link<C: Contender>() -> io::Result<Link<C>> {
    let (poll, events) = (C::poll()?, C::events(16));
    let (sender, _) = C::bind_udp()?;
    let (mut receiver, to) = C::bind_udp()?;
    receiver.add(&poll, 0)?;
    Ok(Link {
        poll,
        events,
        sender,
        receiver,
        to,
    })
}

pub(super) fn one_by_one<C: Contender>() -> io::Result<Turn> {
    let mut link = link::<C>()?;
    Ok(Box::new(move || {
        let time =
            Clock::Thread.time(|| (0..BATCHES).try_for_each(|_| one_by_one_batch(&mut link)))?;
        Ok(time / (BATCHES * BATCH) as f64)
    }))
}

fn one_by_one_batch<C: Contender>(link: &mut Link<C>) -> io::Result<()> {
    for _ in 0..BATCH {
        link.sender.send_to(&[7; SIZE], link.to)?;
    }
    let mut received = 0;
    let mut buf = [0; 2_048];
    while received < BATCH {
        C::wait(&mut link.poll, &mut link.events, None)?;
        loop {
            match link.receiver.recv_from(&mut buf) {
                Ok(_) => received += 1,
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
        }
    }
    Ok(())
}
