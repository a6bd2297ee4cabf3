//! A server that sends back what it receives; only the server's part is timed.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};

use super::*;
use crate::clock::Stopwatch;
use crate::measure::Contenders;

const MESSAGE: usize = 64;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("echo/tcp-1", everyone!(echo_tcp(1))),
        case("echo/tcp-64", everyone!(echo_tcp(64))),
        case("echo/tcp-1000", everyone!(echo_tcp(1_000))),
    ]
}

pub(super) fn case(name: &'static str, contenders: Contenders) -> Case {
    Case {
        name,
        per: "request",
        unit: Unit::Nanos,
        clock: Clock::Thread,
        at_most: usize::MAX,
        contenders,
    }
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
        Ok((client, server))
    });
    echo::<C, C::Tcp, _>(pairs.collect::<io::Result<_>>()?, connections)
}

/// A server of these connections, of whose clients the first `busy` have
/// something to say.
pub(super) fn echo<C, S, P>(pairs: Vec<(P, S::Std)>, busy: usize) -> io::Result<Turn>
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
