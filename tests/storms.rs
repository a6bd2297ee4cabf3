//! Storms of registrations, sources and connections: nothing is lost, nothing is stale, all is counted.
//!
//! Ordinary runs are short; `MIO_STORM=full` sets the counts that `cargo xtask storms` runs.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Instant;

use mio::event::Source;
use mio::unix::pipe::Receiver;
use mio::{net, Events, Interest, Poll, Registry, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const READABLE: Interest = Interest::READABLE;

fn report(what: &str, count: usize, start: Instant) {
    println!("{count} {what}: {:.1} s", start.elapsed().as_secs_f64());
}

/// A token's life: odd while a source has it, even while none has; and the life that was heard.
#[derive(Default)]
struct Life {
    now: AtomicUsize,
    heard: AtomicUsize,
}

const CHURNERS: usize = 2;
/// So few that each is used again at once.
const TOKENS: usize = 4;

/// Registers sources that are ready, each time under a token that another source had, and
/// deregisters them. Now and then it waits until the poller has heard it.
fn churn(registry: &Registry, lives: &[Life], first: usize, rounds: usize) {
    let mut sources: Vec<_> = (0..TOKENS + 1)
        .map(|_| Receiver::from(kernel::eventfd(1)))
        .collect();
    let count = sources.len();
    for round in 0..rounds {
        let source = &mut sources[round % count];
        let token = first + round % TOKENS;
        let life = &lives[token];
        let now = life.now.fetch_add(1, SeqCst) + 1;
        registry.register(source, Token(token), READABLE).unwrap();
        if round % 3 == 0 {
            registry.reregister(source, Token(token), READABLE).unwrap();
        }
        while round % 64 == 0 && life.heard.load(SeqCst) != now {
            thread::yield_now();
        }
        registry.deregister(source).unwrap();
        life.now.fetch_add(1, SeqCst);
    }
}

/// A poll that began when nobody had a token, and ended so, must not show it.
#[test]
fn registrations_race_with_a_poller() {
    let _watchdog = kernel::watchdog();
    let (rounds, start) = (kernel::storm(20_000, 1_000_000) / CHURNERS, Instant::now());
    let mut poll = Poll::new().unwrap();
    let registry = poll.registry().try_clone().unwrap();
    let end = Token(CHURNERS * TOKENS);
    let waker = Waker::new(&registry, end).unwrap();
    let lives: Vec<Life> = (0..end.0).map(|_| Life::default()).collect();
    let running = AtomicUsize::new(CHURNERS);
    let mut heard = 0;
    thread::scope(|scope| {
        for churner in 0..CHURNERS {
            let (registry, lives, running, waker) = (&registry, &lives, &running, &waker);
            scope.spawn(move || {
                churn(registry, lives, churner * TOKENS, rounds);
                if running.fetch_sub(1, SeqCst) == 1 {
                    waker.wake().unwrap();
                }
            });
        }
        let mut events = Events::with_capacity(64);
        let mut done = false;
        while !done {
            let before: Vec<_> = lives.iter().map(|life| life.now.load(SeqCst)).collect();
            poll.poll(&mut events, None).unwrap();
            for event in &events {
                let Token(token) = event.token();
                let Some(life) = lives.get(token) else {
                    done = event.token() == end;
                    continue;
                };
                let now = life.now.load(SeqCst);
                assert!(
                    before[token] % 2 == 1 || now != before[token],
                    "{token} came, and nobody had it"
                );
                life.heard.store(now, SeqCst);
                heard += 1;
            }
        }
    });
    for life in &lives {
        assert_eq!(life.now.load(SeqCst) % 2, 0);
    }
    let rounds_in_all: usize = lives.iter().map(|life| life.now.load(SeqCst) / 2).sum();
    assert_eq!(rounds_in_all, rounds * CHURNERS);
    assert!(heard >= rounds_in_all / 64, "{heard} events");
    report("registrations against a poller", rounds_in_all, start);
}

fn drain(source: &mut Receiver) {
    source.read_exact(&mut [0; 8]).unwrap();
    let empty = source.read(&mut [0; 8]).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::WouldBlock);
}

/// Polls until `count` events came; each source has one.
fn all_once(poll: &mut Poll, sources: &mut [Receiver], count: usize) {
    let mut events = Events::with_capacity(1024);
    let mut seen = vec![false; sources.len()];
    let mut heard = 0;
    while heard < count {
        poll.poll(&mut events, None).unwrap();
        for event in &events {
            let Token(token) = event.token();
            assert!(!std::mem::replace(&mut seen[token], true), "{token} twice");
            drain(&mut sources[token]);
            heard += 1;
        }
    }
    assert_eq!(heard, count);
}

#[test]
fn eighteen_thousand_sources() {
    kernel::in_child("eighteen_thousand_sources", || {
        let _watchdog = kernel::watchdog();
        let (limit, start) = (kernel::limit_fds(|hard| hard), Instant::now());
        let most = usize::try_from(limit).unwrap_or(usize::MAX);
        let count = most.saturating_sub(500).min(18_000);
        let mut poll = Poll::new().unwrap();
        let mut sources: Vec<_> = (0..count)
            .map(|_| Receiver::from(kernel::eventfd(0)))
            .collect();
        for (token, source) in sources.iter_mut().enumerate() {
            let registry = poll.registry();
            registry.register(source, Token(token), READABLE).unwrap();
        }
        for _ in 0..3 {
            for source in &sources {
                kernel::signal(source.as_raw_fd());
            }
            all_once(&mut poll, &mut sources, count);
        }
        // One among so many is found as well.
        for index in (0..count).step_by(count / 100) {
            kernel::signal(sources[index].as_raw_fd());
            all_once(&mut poll, &mut sources, 1);
        }
        for source in &mut sources {
            kernel::signal(source.as_raw_fd());
            poll.registry().deregister(source).unwrap();
        }
        let mut events = Events::with_capacity(8);
        poll.poll(&mut events, Some(std::time::Duration::ZERO))
            .unwrap();
        assert!(events.is_empty());
        report("sources at once", count, start);
    });
}

/// Clients on threads of their own connect, send a byte and read it back, again and again.
fn serve<L: Source, S: Source + Read + Write, C: Read + Write>(
    mut listener: L,
    accept: impl Fn(&L) -> io::Result<S>,
    connect: impl Fn() -> io::Result<C> + Sync,
    total: usize,
) {
    const CLIENTS: usize = 4;
    const LISTENER: Token = Token(usize::MAX);
    let _watchdog = kernel::watchdog();
    let start = Instant::now();
    let mut poll = Poll::new().unwrap();
    let registry = poll.registry().try_clone().unwrap();
    registry
        .register(&mut listener, LISTENER, READABLE)
        .unwrap();
    let mut events = Events::with_capacity(16);
    let mut open: Vec<Option<S>> = Vec::new();
    let (mut accepted, mut served) = (0, 0);
    let answered = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..CLIENTS {
            let (connect, answered) = (&connect, &answered);
            scope.spawn(move || {
                for _ in 0..total / CLIENTS {
                    let mut client = connect().unwrap();
                    client.write_all(b"m").unwrap();
                    client.read_exact(&mut [0]).unwrap();
                    answered.fetch_add(1, SeqCst);
                }
            });
        }
        while served < total {
            poll.poll(&mut events, None).unwrap();
            for event in &events {
                if event.token() == LISTENER {
                    while let Ok(mut stream) = accept(&listener) {
                        let free = open.iter().position(Option::is_none);
                        let token = free.unwrap_or(open.len());
                        registry
                            .register(&mut stream, Token(token), READABLE)
                            .unwrap();
                        match free {
                            Some(free) => open[free] = Some(stream),
                            None => open.push(Some(stream)),
                        }
                        accepted += 1;
                    }
                } else if let Some(stream) = &mut open[event.token().0] {
                    if stream.read(&mut [0]).is_ok_and(|count| count == 1) {
                        stream.write_all(b"m").unwrap();
                        served += 1;
                        open[event.token().0] = None;
                    }
                }
            }
        }
    });
    assert_eq!((accepted, served), (total, total));
    assert_eq!(answered.into_inner(), total);
    report("connections", total, start);
}

#[test]
fn connections_by_tcp() {
    let listener = net::TcpListener::bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = listener.local_addr().unwrap();
    serve(
        listener,
        |listener| listener.accept().map(|(stream, _)| stream),
        || std::net::TcpStream::connect(address),
        kernel::storm(1_000, 20_000),
    );
}

#[test]
fn connections_by_unix_sockets() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("storm");
    serve(
        net::UnixListener::bind(&path).unwrap(),
        |listener| listener.accept().map(|(stream, _)| stream),
        || std::os::unix::net::UnixStream::connect(&path),
        kernel::storm(1_000, 100_000),
    );
}
