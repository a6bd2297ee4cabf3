//! Connections that come: short ones, and many at once.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::{Duration, Instant};

use super::*;
use crate::clock::Stopwatch;

const LISTENER: usize = usize::MAX - 1;
const MESSAGE: usize = 64;
const LONGEST_BURST: Duration = Duration::from_secs(5);

pub(crate) fn cases() -> Vec<Case> {
    let bursts = |name, contenders| Case {
        name,
        per: "burst",
        unit: Unit::Millis,
        clock: Clock::Elapsed,
        at_most: 15,
        contenders,
    };
    vec![
        Case {
            name: "accept/short",
            per: "connection",
            unit: Unit::Nanos,
            clock: Clock::Thread,
            at_most: usize::MAX,
            contenders: everyone!(short_connections()),
        },
        bursts("accept/burst-100", || burst_of(100)),
        bursts("accept/burst-300", || burst_of(300)),
        bursts("accept/burst-600", || burst_of(600)),
        bursts("accept/burst-1000", || burst_of(1_000)),
    ]
}

/// Accept, register, receive, answer, deregister, close.
fn short_connections<C: Contender>() -> io::Result<Turn> {
    const BATCHES: usize = 10;
    const BATCH: usize = 32;
    Ok(Box::new(|| {
        let (mut poll, mut events) = (C::poll()?, C::events(64));
        // A new one in each turn: its port makes the addresses of old
        // connections free.
        let (mut listener, addr) = C::listen()?;
        listener.add(&poll, LISTENER)?;
        let mut stopwatch = Stopwatch::new();
        for _ in 0..BATCHES {
            let clients = (0..BATCH).map(|_| client(addr));
            let clients = clients.collect::<io::Result<Vec<_>>>()?;
            stopwatch.time(|| serve::<C>(&mut poll, &mut events, &listener, BATCH))?;
            for mut client in clients {
                client.read_exact(&mut [0; MESSAGE])?;
            }
        }
        Ok(stopwatch.total() / (BATCHES * BATCH) as f64)
    }))
}

fn client(addr: SocketAddr) -> io::Result<TcpStream> {
    let mut client = TcpStream::connect(addr)?;
    client.write_all(&[7; MESSAGE])?;
    Ok(client)
}

fn serve<C: Contender>(
    poll: &mut C::Poll,
    events: &mut C::Events,
    listener: &C::Listener,
    connections: usize,
) -> io::Result<()> {
    let mut open: Vec<Option<C::Tcp>> = Vec::with_capacity(connections);
    let mut left = connections;
    while left > 0 {
        C::wait(poll, events, None)?;
        C::each(events, |token| {
            if token == LISTENER {
                return accept_all::<C>(poll, listener, &mut open);
            }
            if let Some(stream) = open.get_mut(token).and_then(Option::take) {
                answer::<C>(poll, stream)?;
                left -= 1;
            }
            Ok(())
        })?;
    }
    Ok(())
}

fn accept_all<C: Contender>(
    poll: &C::Poll,
    listener: &C::Listener,
    open: &mut Vec<Option<C::Tcp>>,
) -> io::Result<()> {
    loop {
        match C::accept(listener) {
            Ok(mut stream) => {
                stream.add(poll, open.len())?;
                open.push(Some(stream));
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) => return Err(err),
        }
    }
}

fn answer<C: Contender>(poll: &C::Poll, mut stream: C::Tcp) -> io::Result<()> {
    let mut buf = [0; MESSAGE];
    let len = stream.read(&mut buf)?;
    stream.write_all(&buf[..len])?;
    stream.remove(poll)
}

/// Not over polling: its users bring a listener of their own.
fn burst_of(connects: usize) -> io::Result<Vec<(&'static str, Turn)>> {
    let everyone = everyone!(burst(connects));
    let contenders: io::Result<Vec<_>> = everyone();
    contenders.map(|mut contenders| {
        contenders.retain(|(name, _)| *name != "polling");
        contenders
    })
}

/// Everybody connects at once, while the server is busy for 2 ms.
///
/// A kernel whose queue is full may forget a client that thinks it is
/// connected, and answers with its next request only. Such a burst never ends:
/// it is counted as if it had after five seconds.
fn burst<C: Contender>(connects: usize) -> io::Result<Turn> {
    Ok(Box::new(move || {
        let (mut poll, mut events) = (C::poll()?, C::events(64));
        let (mut listener, addr) = C::listen()?;
        listener.add(&poll, LISTENER)?;
        let mut accepted = Vec::with_capacity(connects);
        Clock::Elapsed.time(|| {
            let clients = (0..connects).map(|_| C::connect(addr));
            let _clients = clients.collect::<io::Result<Vec<_>>>()?;
            thread::sleep(Duration::from_millis(2));
            let start = Instant::now();
            while accepted.len() < connects {
                let left = LONGEST_BURST.saturating_sub(start.elapsed());
                if left.is_zero() {
                    break;
                }
                C::wait(&mut poll, &mut events, Some(left))?;
                loop {
                    match C::accept(&listener) {
                        Ok(stream) => accepted.push(stream),
                        Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                        Err(err) => return Err(err),
                    }
                }
            }
            Ok(())
        })
    }))
}
