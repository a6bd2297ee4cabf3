//! The objects that operations are tried with, and the operations.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::unix::pipe;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::kernel;
use super::sleeper::Sleeper;

const NOW: Option<Duration> = Some(Duration::ZERO);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// What the operations use. Each prepared object is in the state that its operation needs.
pub(crate) struct World {
    any: SocketAddr,
    dir: tempfile::TempDir,
    poll: Poll,
    events: Events,
    wakerless: Poll,
    sleeper: Sleeper,
    free: TcpStream,
    registered: UnixStream,
    exclusive: UnixListener,
    /// Whether it is registered.
    is_exclusive: bool,
    listener: TcpListener,
    address: SocketAddr,
    client: Option<std::net::TcpStream>,
    unix_listener: UnixListener,
    unix_client: Option<std::os::unix::net::UnixStream>,
    stream: (TcpStream, TcpStream),
    unix: (UnixStream, UnixStream),
    udp: UdpSocket,
    datagram: (UnixDatagram, UnixDatagram),
    pipe: (pipe::Sender, pipe::Receiver),
}

/// An operation, and what makes it possible once more.
#[derive(Clone, Copy)]
pub(crate) struct Act {
    pub(crate) name: &'static str,
    pub(crate) run: fn(&mut World) -> io::Result<()>,
    pub(crate) undo: fn(&mut World),
}

impl World {
    pub(crate) fn new() -> World {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let poll = Poll::new().unwrap();
        let listener = TcpListener::bind(any).unwrap();
        let address = listener.local_addr().unwrap();
        let path = dir.path().join("listener");
        let unix_listener = UnixListener::bind(&path).unwrap();
        let mut exclusive = UnixListener::bind(dir.path().join("exclusive")).unwrap();
        let connect = || {
            let client = TcpStream::connect(address).unwrap();
            loop {
                match listener.accept() {
                    Ok((server, _)) => return (client, server),
                    Err(err) => assert_eq!(err.kind(), io::ErrorKind::WouldBlock),
                }
            }
        };
        let (stream, (free, _)) = (connect(), connect());
        let mut registered = UnixStream::pair().unwrap().0;
        let registry = poll.registry();
        registry.register(&mut registered, Token(1), BOTH).unwrap();
        if !kernel::POLL_QUEUE {
            let interest = Interest::READABLE.exclusive();
            registry
                .register(&mut exclusive, Token(2), interest)
                .unwrap();
        }
        let udp = UdpSocket::bind(any).unwrap();
        udp.connect(udp.local_addr().unwrap()).unwrap();
        let mut unix = UnixStream::pair().unwrap();
        unix.0.write_all(b"some data").unwrap();
        World {
            any,
            client: Some(std::net::TcpStream::connect(address).unwrap()),
            unix_client: Some(std::os::unix::net::UnixStream::connect(&path).unwrap()),
            dir,
            poll,
            events: Events::with_capacity(8),
            wakerless: Poll::new().unwrap(),
            sleeper: Sleeper::new(),
            free,
            registered,
            exclusive,
            is_exclusive: true,
            listener,
            address,
            unix_listener,
            stream,
            unix,
            udp,
            datagram: UnixDatagram::pair().unwrap(),
            pipe: pipe::new().unwrap(),
        }
    }

    /// A name that no socket has: one whose set-up failed half-way leaves its file behind.
    fn unbound(&self) -> std::path::PathBuf {
        let path = self.dir.path().join("bound");
        let _ = std::fs::remove_file(&path);
        path
    }

    fn accepts(&mut self) -> (&Registry, &mut TcpStream) {
        (self.poll.registry(), &mut self.free)
    }
}

fn nothing(_: &mut World) {}

macro_rules! acts {
    ($($constant:ident: $name:literal, $run:expr, $undo:expr;)*) => {
        $(pub(crate) const $constant: Act = Act {
            name: $name,
            run: $run,
            undo: $undo,
        };)*
    };
}
acts! {
    POLL_NEW: "Poll::new", |_| Poll::new().map(drop), nothing;
    WAKER_NEW: "Waker::new", |world| {
        // The first one of a queue, since all share a signal.
        Waker::new(world.wakerless.registry(), Token(3)).map(drop)
    }, |world| world.wakerless = Poll::new().unwrap();
    REGISTER: "register", |world| {
        let (registry, free) = world.accepts();
        registry.register(free, Token(4), BOTH)
    }, |world| {
        let (registry, free) = world.accepts();
        registry.deregister(free).unwrap();
    };
    REREGISTER: "reregister", |world| {
        world.poll.registry().reregister(&mut world.registered, Token(1), BOTH)
    }, nothing;
    EXCLUSIVE: "reregister, exclusive", |world| {
        let (interest, registry) = (Interest::READABLE.exclusive(), world.poll.registry());
        if kernel::POLL_QUEUE {
            return Ok(()); // It has no such mode.
        }
        match world.is_exclusive {
            true => registry.reregister(&mut world.exclusive, Token(2), interest),
            false => registry.register(&mut world.exclusive, Token(2), interest),
        }
        .map_err(|err| {
            world.is_exclusive = err.kind() != io::ErrorKind::NotFound;
            err
        })?;
        world.is_exclusive = true;
        Ok(())
    }, nothing;
    DEREGISTER: "deregister", |world| {
        world.poll.registry().deregister(&mut world.registered)
    }, |world| {
        world.poll.registry().register(&mut world.registered, Token(1), BOTH).unwrap();
    };
    POLL: "poll", |world| world.poll.poll(&mut world.events, NOW), nothing;
    POLL_MILLIS: "poll, a millisecond", |world| {
        world.poll.poll(&mut world.events, Some(Duration::from_millis(1)))
    }, nothing;
    POLL_DEADLINE: "poll_deadline", |world| {
        world.poll.poll_deadline(&mut world.events, Some(Instant::now()))
    }, nothing;
    POLL_MICROS: "poll, microseconds", |world| {
        world.poll.poll(&mut world.events, Some(Duration::from_micros(50)))
    }, nothing;
    TCP_BIND: "TcpListener::bind", |world| TcpListener::bind(world.any).map(drop), nothing;
    TCP_CONNECT: "TcpStream::connect", |world| {
        TcpStream::connect(world.address).map(drop)
    }, |world| while world.listener.accept().is_ok() {};
    TCP_ACCEPT: "TcpListener::accept", |world| world.listener.accept().map(drop), |world| {
        world.client = Some(std::net::TcpStream::connect(world.address).unwrap());
    };
    TCP_WRITE: "TcpStream::write", |world| world.stream.0.write(b"m").map(drop), nothing;
    TCP_WRITE_VECTORED: "TcpStream::write_vectored", |world| {
        world.stream.0.write_vectored(&[IoSlice::new(b"m")]).map(drop)
    }, nothing;
    READ: "UnixStream::read", |world| world.unix.1.read(&mut [0; 1]).map(drop), |world| {
        world.unix.0.write_all(b"m").unwrap();
    };
    READ_VECTORED: "UnixStream::read_vectored", |world| {
        world.unix.1.read_vectored(&mut [IoSliceMut::new(&mut [0; 1])]).map(drop)
    }, |world| world.unix.0.write_all(b"m").unwrap();
    LOCAL_ADDR: "local_addr", |world| world.listener.local_addr().map(drop), nothing;
    PEER_ADDR: "peer_addr", |world| world.stream.0.peer_addr().map(drop), nothing;
    SET_NODELAY: "set_nodelay", |world| world.stream.0.set_nodelay(true), nothing;
    TAKE_ERROR: "take_error", |world| world.stream.0.take_error().map(drop), nothing;
    SHUTDOWN: "shutdown", |world| world.stream.1.shutdown(Shutdown::Read), nothing;
    UDP_BIND: "UdpSocket::bind", |world| UdpSocket::bind(world.any).map(drop), nothing;
    UDP_SEND: "UdpSocket::send", |world| world.udp.send(b"m").map(drop), |world| {
        let _ = world.udp.recv(&mut [0; 1]);
    };
    UNIX_BIND: "UnixListener::bind", |world| {
        UnixListener::bind(world.unbound()).map(drop)
    }, nothing;
    UNIX_CONNECT: "UnixStream::connect", |world| {
        UnixStream::connect(world.dir.path().join("listener")).map(drop)
    }, |world| while world.unix_listener.accept().is_ok() {};
    UNIX_ACCEPT: "UnixListener::accept", |world| world.unix_listener.accept().map(drop), |world| {
        let path = world.dir.path().join("listener");
        world.unix_client = Some(std::os::unix::net::UnixStream::connect(path).unwrap());
    };
    UNIX_PAIR: "UnixStream::pair", |_| UnixStream::pair().map(drop), nothing;
    DATAGRAM_BIND: "UnixDatagram::bind", |world| {
        UnixDatagram::bind(world.unbound()).map(drop)
    }, nothing;
    DATAGRAM_UNBOUND: "UnixDatagram::unbound", |_| UnixDatagram::unbound().map(drop), nothing;
    DATAGRAM_PAIR: "UnixDatagram::pair", |_| UnixDatagram::pair().map(drop), nothing;
    DATAGRAM_SEND: "UnixDatagram::send", |world| world.datagram.0.send(b"m").map(drop), |world| {
        let _ = world.datagram.1.recv(&mut [0; 1]);
    };
    PIPE_NEW: "pipe::new", |_| pipe::new().map(drop), nothing;
    PIPE_WRITE: "Sender::write", |world| world.pipe.0.write(b"m").map(drop), |world| {
        world.pipe.1.read_exact(&mut [0]).unwrap();
    };
    SET_NONBLOCKING: "set_nonblocking", |world| world.pipe.0.set_nonblocking(true), nothing;
    WAKE: "wake, a poll sleeps", |world| world.sleeper.wake(), nothing;
    CHANGE: "reregister, a poll sleeps", |world| world.sleeper.change(), |world| {
        world.sleeper.change_again();
    };
}
