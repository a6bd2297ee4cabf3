//! Datagrams in segments.

use std::io::{self, ErrorKind, IoSliceMut};
use std::os::fd::AsFd;

use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

use super::udp::{case, link, one_by_one, Link, BATCH, BATCHES, SIZE};
use super::*;

pub(crate) fn cases() -> Vec<Case> {
    vec![case("udp/segments", || {
        Ok(vec![
            ("ours+quinn-udp", segmented::<Ours>()?),
            ("mio+quinn-udp", segmented::<Mio>()?),
            (Mio::NAME, one_by_one::<Mio>()?),
        ])
    })]
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
