//! A server that sends back what it receives; only the server's part is timed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;

use super::*;
use crate::clock::Stopwatch;
use crate::contender::Stream;

const MESSAGE: usize = 64;

pub(super) fn cases() -> Vec<Case> {
    let echo = |name, contenders| Case {
        name,
        per: "request",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    };
    vec![
        echo("echo/tcp-1", everyone!(echo_tcp(1))),
        echo("echo/tcp-64", everyone!(echo_tcp(64))),
        echo("echo/tcp-1000", everyone!(echo_tcp(1_000))),
        echo("echo/unix-1", everyone!(echo_unix(1, 1))),
        echo("echo/unix-64", everyone!(echo_unix(64, 64))),
        echo("echo/unix-1000", everyone!(echo_unix(1_000, 1_000))),
        echo("echo/unix-1-of-100", everyone!(echo_unix(1, 100))),
    ]
}

fn echo_tcp<C: Contender>(connections: usize) -> io::Result<Turn> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let addr = listener.local_addr()?;
    let pairs = (0..connections).map(|_| {
        let client = TcpStream::connect(addr)?;
        let (server, _) = listener.accept()?;
        client.set_nodelay(true)?;
        server.set_nodelay(true)?;
        server.set_nonblocking(true)?;
        Ok((client, OwnedFd::from(server)))
    });
    echo::<C, C::Tcp, _>(pairs.collect::<io::Result<_>>()?, connections)
}

/// Connections of which the first `busy` have something to say.
fn echo_unix<C: Contender>(busy: usize, connections: usize) -> io::Result<Turn> {
    let pairs = (0..connections).map(|_| {
        let (client, server) = UnixStream::pair()?;
        server.set_nonblocking(true)?;
        Ok((client, OwnedFd::from(server)))
    });
    echo::<C, C::Unix, _>(pairs.collect::<io::Result<_>>()?, busy)
}

fn echo<C, S, P>(pairs: Vec<(P, OwnedFd)>, busy: usize) -> io::Result<Turn>
where
    C: Contender,
    S: Stream<C> + 'static,
    P: Read + Write + 'static,
{
    let mut poll = C::poll()?;
    let mut events = C::events(1_024);
    // A server has one, as a rule.
    let waker = C::waker(&poll, usize::MAX)?;
    let (mut clients, mut servers) = (Vec::new(), Vec::new());
    for (token, (client, server)) in pairs.into_iter().enumerate() {
        let mut server = S::adopt(server);
        server.add(&poll, token)?;
        clients.push(client);
        servers.push(server);
    }
    let batches = (3_000 / busy).clamp(3, 1_000);
    let requests = batches * busy;
    Ok(Box::new(move || {
        let _alive = &waker;
        let mut stopwatch = Stopwatch::new();
        for _ in 0..batches {
            for client in &mut clients[..busy] {
                client.write_all(&[7; MESSAGE])?;
            }
            stopwatch.time(|| serve::<C, S>(&mut poll, &mut events, &mut servers, busy))?;
            for client in &mut clients[..busy] {
                client.read_exact(&mut [0; MESSAGE])?;
            }
        }
        Ok(stopwatch.total() / requests as f64)
    }))
}

/// The user code: serves until every busy client has had one message.
fn serve<C: Contender, S: Stream<C>>(
    poll: &mut C::Poll,
    events: &mut C::Events,
    servers: &mut [S],
    busy: usize,
) -> io::Result<()> {
    let mut left = busy;
    while left > 0 {
        C::wait(poll, events, None)?;
        C::each(events, |token| {
            if let Some(server) = servers.get_mut(token) {
                left -= answer(server)?;
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// A handler that drains its source, as edge-triggered events ask for; a
/// function, as handlers are in programs of some size.
#[inline(never)]
fn answer(stream: &mut (impl Read + Write)) -> io::Result<usize> {
    let mut buf = [0; 1_024];
    let mut messages = 0;
    loop {
        match stream.read(&mut buf) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(len) => {
                stream.write_all(&buf[..len])?;
                messages += len / MESSAGE;
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(messages),
            Err(err) => return Err(err),
        }
    }
}
