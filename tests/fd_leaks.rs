//! No descriptor is lost on any error path, and an error for want of descriptors is not lasting.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

use std::io;
use std::net::SocketAddr;
use std::os::fd::{FromRawFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::unix::pipe;
use mio::{Events, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

use kernel::{POLL_QUEUE, QUEUE_FDS, WAKER_FDS};

const NOW: Option<Duration> = Some(Duration::ZERO);
/// All descriptors of a child are below this.
const LIMIT: i32 = 64;

/// Opens descriptors until no more are to be had.
#[allow(unsafe_code)]
fn exhaust() -> Vec<OwnedFd> {
    let mut fds = Vec::with_capacity(LIMIT as usize);
    loop {
        // SAFETY: dup only copies a descriptor.
        let fd = unsafe { libc::dup(0) };
        if fd == -1 {
            return fds;
        }
        // SAFETY: the kernel has just returned this descriptor to us.
        fds.push(unsafe { OwnedFd::from_raw_fd(fd) });
    }
}

/// Every constructor, with what it needs prepared beforehand.
struct Fixture {
    any: SocketAddr,
    listener: TcpListener,
    tcp_addr: SocketAddr,
    // Each holds a connection for every accept that is tried.
    _clients: Vec<TcpStream>,
    unix_listener: UnixListener,
    _unix_clients: Vec<UnixStream>,
    dir: tempfile::TempDir,
}

impl Fixture {
    fn new() -> Fixture {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let dir = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind(any).unwrap();
        let tcp_addr = listener.local_addr().unwrap();
        let path = dir.path().join("listener");
        let unix_listener = UnixListener::bind(&path).unwrap();
        let _clients = (0..4)
            .map(|_| TcpStream::connect(tcp_addr).unwrap())
            .collect();
        let _unix_clients = (0..4)
            .map(|_| UnixStream::connect(&path).unwrap())
            .collect();
        Fixture {
            any,
            listener,
            tcp_addr,
            _clients,
            unix_listener,
            _unix_clients,
            dir,
        }
    }

    fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Runs a constructor, drops what it made, and says how it went.
    fn construct(&self, which: usize) -> Option<(&'static str, usize, io::Result<()>)> {
        let (bound, listening) = (self.path().join("bound"), self.path().join("listener"));
        let (name, fds, result) = match which {
            0 => ("Poll::new", QUEUE_FDS, Poll::new().map(drop)),
            1 => ("Waker::new", QUEUE_FDS + WAKER_FDS, poll_with_waker()),
            2 => (
                "TcpListener::bind",
                1,
                TcpListener::bind(self.any).map(drop),
            ),
            3 => (
                "TcpStream::connect",
                1,
                TcpStream::connect(self.tcp_addr).map(drop),
            ),
            4 => ("TcpListener::accept", 1, self.listener.accept().map(drop)),
            5 => ("UdpSocket::bind", 1, UdpSocket::bind(self.any).map(drop)),
            6 => (
                "UnixListener::bind",
                1,
                UnixListener::bind(&bound).map(drop),
            ),
            7 => (
                "UnixStream::connect",
                1,
                UnixStream::connect(listening).map(drop),
            ),
            8 => (
                "UnixListener::accept",
                1,
                self.unix_listener.accept().map(drop),
            ),
            9 => ("UnixStream::pair", 2, UnixStream::pair().map(drop)),
            10 => (
                "UnixDatagram::bind",
                1,
                UnixDatagram::bind(&bound).map(drop),
            ),
            11 => (
                "UnixDatagram::unbound",
                1,
                UnixDatagram::unbound().map(drop),
            ),
            12 => ("UnixDatagram::pair", 2, UnixDatagram::pair().map(drop)),
            13 => ("pipe::new", 2, pipe::new().map(drop)),
            _ => return None,
        };
        let _ = std::fs::remove_file(bound);
        Some((name, fds, result))
    }
}

/// A waker with its poll: the poll may keep what its first waker needed until it is dropped.
fn poll_with_waker() -> io::Result<()> {
    let poll = Poll::new()?;
    Waker::new(poll.registry(), Token(1)).map(drop)
}

#[test]
fn each_number_of_free_descriptors() {
    kernel::in_child("each_number_of_free_descriptors", || {
        let fixture = Fixture::new();
        kernel::limit_fds(|_| LIMIT as libc::rlim_t);
        for which in 0.. {
            let before = kernel::count_fds(LIMIT);
            for free in 0..4 {
                let mut filler = exhaust();
                filler.truncate(filler.len() - free);
                let full = kernel::count_fds(LIMIT);
                let Some((name, needed, result)) = fixture.construct(which) else {
                    return;
                };
                assert_eq!(kernel::count_fds(LIMIT), full, "{name} leaked, {free} free");
                if free < needed {
                    let err = result.expect_err(name);
                    assert_eq!(err.raw_os_error(), Some(libc::EMFILE), "{name}");
                } else {
                    result.unwrap_or_else(|err| panic!("{name}, {free} free: {err}"));
                }
            }
            assert_eq!(kernel::count_fds(LIMIT), before);
        }
    });
}

// With poll(2) a waker needs none.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn a_poll_without_room_for_a_waker_gets_one_later() {
    kernel::in_child("a_poll_without_room_for_a_waker_gets_one_later", || {
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        kernel::limit_fds(|_| LIMIT as libc::rlim_t);
        let filler = exhaust();
        for _ in 0..3 {
            let err = Waker::new(poll.registry(), Token(1)).unwrap_err();
            assert_eq!(err.raw_os_error(), Some(libc::EMFILE));
            poll.poll(&mut events, NOW).unwrap();
            assert!(events.is_empty());
        }
        drop(filler);
        let waker = Waker::new(poll.registry(), Token(2)).unwrap();
        waker.wake().unwrap();
        poll.poll(&mut events, None).unwrap();
        assert_eq!(
            events.iter().map(|event| event.token()).collect::<Vec<_>>(),
            [Token(2)]
        );
    });
}

#[test]
fn wakers_made_again_and_again_cost_no_more_than_one() {
    kernel::in_child("wakers_made_again_and_again_cost_no_more_than_one", || {
        let poll = Poll::new().unwrap();
        let before = kernel::count_fds(LIMIT);
        for token in 0..100 {
            drop(Waker::new(poll.registry(), Token(token)).unwrap());
            assert!(kernel::count_fds(LIMIT) <= before + WAKER_FDS);
        }
        drop(poll);
        assert_eq!(kernel::count_fds(LIMIT), before - QUEUE_FDS);
    });
}

#[test]
fn bad_addresses() {
    kernel::in_child("bad_addresses", || {
        let fixture = Fixture::new();
        let before = kernel::count_fds(LIMIT);
        let used = fixture.tcp_addr;
        // TEST-NET-1: no interface of this machine has it.
        let foreign: SocketAddr = "192.0.2.1:0".parse().unwrap();
        TcpListener::bind(used).unwrap_err();
        TcpListener::bind(foreign).unwrap_err();
        UdpSocket::bind(foreign).unwrap_err();
        let udp = UdpSocket::bind(fixture.any).unwrap();
        UdpSocket::bind(udp.local_addr().unwrap()).unwrap_err();
        drop(udp);
        let _ = TcpStream::connect("255.255.255.255:1".parse().unwrap()).unwrap_err();
        for path in [
            fixture.path().join("listener"),
            fixture.path().join("no/such/dir"),
        ] {
            UnixListener::bind(&path).unwrap_err();
            UnixDatagram::bind(&path).unwrap_err();
        }
        for path in [
            "/no/such/socket".to_owned(),
            "x".repeat(200),
            "nul\0inside".to_owned(),
        ] {
            UnixStream::connect(&path).unwrap_err();
            UnixListener::bind(&path).unwrap_err();
            UnixDatagram::bind(&path).unwrap_err();
            UnixDatagram::unbound().unwrap().connect(&path).unwrap_err();
        }
        assert_eq!(kernel::count_fds(LIMIT), before);
    });
}

/// Makes `call` fail in the calling thread from now on.
///
/// The crate that makes the filters knows no other architectures.
#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
fn deny(call: i64) {
    use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
    let rules = [(call, Vec::new())].into_iter().collect();
    let answer = SeccompAction::Errno(libc::ENOMEM as u32);
    let arch = std::env::consts::ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

#[cfg(all(target_pointer_width = "64", target_endian = "little"))]
#[test]
fn each_later_call_of_a_constructor_fails() {
    kernel::in_child("each_later_call_of_a_constructor_fails", || {
        let fixture = Fixture::new();
        let before = kernel::count_fds(LIMIT);
        let mut failed = 0;
        // From the last call of a sequence to the first, so that each is reached.
        for call in [
            libc::SYS_listen,
            libc::SYS_connect,
            libc::SYS_epoll_ctl,
            libc::SYS_bind,
        ] {
            deny(call);
            for which in 0.. {
                let Some((name, _, result)) = fixture.construct(which) else {
                    break;
                };
                failed += usize::from(result.is_err());
                assert_eq!(kernel::count_fds(LIMIT), before, "{name} leaked");
            }
        }
        // Two listeners, then also two streams, the waker, and two datagram sockets. That there is
        // a connection for each accept is the fixture's doing. With poll(2) a waker makes no call.
        let waker = usize::from(!POLL_QUEUE);
        assert_eq!(failed, 2 + 4 + (4 + waker) + (6 + waker));
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let made = Waker::new(poll.registry(), Token(1));
        assert_eq!(made.is_err(), !POLL_QUEUE);
        poll.poll(&mut events, NOW).unwrap();
        assert!(events.is_empty());
    });
}
