//! Datagrams, one by one and in segments.

use std::io::{self, ErrorKind, IoSliceMut};
use std::net::SocketAddr;
use std::os::fd::AsFd;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

use super::*;
use crate::contender::{Datagrams, Source};

const SIZE: usize = 1_200;
/// As many as one segmented send takes.
const BATCH: usize = 48;
const BATCHES: usize = 40;

pub(super) fn cases() -> Vec<Case> {
    let udp = |name, contenders| Case {
        name,
        per: "datagram",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        udp("udp/one-by-one", everyone!(one_by_one())),
        udp("udp/segments", || {
            Ok(vec![
                ("ours+quinn-udp", segmented::<Ours>()?),
                ("mio+quinn-udp", segmented::<Mio>()?),
                (Mio::NAME, one_by_one::<Mio>()?),
            ])
        }),
    ]
}

struct Link<C: Contender> {
    poll: C::Poll,
    events: C::Events,
    sender: C::Udp,
    receiver: C::Udp,
    to: SocketAddr,
}

fn link<C: Contender>() -> io::Result<Link<C>> {
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

fn one_by_one<C: Contender>() -> io::Result<Turn> {
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

/// The kernel cuts one large buffer into datagrams, and glues what it receives
/// together: quinn-udp over the contender's socket.
fn segmented<C>() -> io::Result<Turn>
where
    C: Contender,
    C::Udp: AsFd,
{
    let mut link = link::<C>()?;
    let sending = UdpSocketState::new((&link.sender).into())?;
    let receiving = UdpSocketState::new((&link.receiver).into())?;
    let contents = vec![7; BATCH * SIZE];
    let mut buf = vec![0; 1 << 16];
    Ok(Box::new(move || {
        let time = Clock::Thread.time(|| {
            for _ in 0..BATCHES {
                let transmit = Transmit {
                    destination: link.to,
                    ecn: None,
                    contents: &contents,
                    segment_size: Some(SIZE),
                    src_ip: None,
                };
                sending.try_send((&link.sender).into(), &transmit)?;
                receive_segments(&mut link, &receiving, &mut buf)?;
            }
            Ok(())
        })?;
        Ok(time / (BATCHES * BATCH) as f64)
    }))
}

fn receive_segments<C>(
    link: &mut Link<C>,
    receiving: &UdpSocketState,
    buf: &mut [u8],
) -> io::Result<()>
where
    C: Contender,
    C::Udp: AsFd,
{
    let mut received = 0;
    while received < BATCH * SIZE {
        C::wait(&mut link.poll, &mut link.events, None)?;
        loop {
            let mut metas = [RecvMeta::default()];
            let mut bufs = [IoSliceMut::new(buf)];
            match receiving.recv((&link.receiver).into(), &mut bufs, &mut metas) {
                Ok(_) => received += metas[0].len,
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) => return Err(err),
            }
        }
    }
    Ok(())
}
