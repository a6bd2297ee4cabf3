//! After set-up nothing allocates: the allocator of this program counts.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use mio::unix::{pipe, SourceFd};
use mio::{Events, Interest, Poll, Token, Waker};

const NOW: Option<Duration> = Some(Duration::ZERO);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// The system's allocator, which counts the requests of each thread.
struct Counting;

thread_local! {
    static REQUESTS: Cell<usize> = const { Cell::new(0) };
}

fn count() {
    REQUESTS.with(|requests| requests.set(requests.get() + 1));
}

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count();
        // SAFETY: our caller keeps the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count();
        // SAFETY: our caller keeps the contract of `realloc`.
        unsafe { System.realloc(old, layout, size) }
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: our caller keeps the contract of `dealloc`.
        unsafe { System.dealloc(old, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Runs `operation` many times, for a buffer that grows at times must not go unseen.
fn free(name: &str, mut operation: impl FnMut()) {
    if cfg!(any(mio_unsupported_force_poll_poll, mio_ports_emulation)) {
        // A table of ours grows with the number of sources. Then it is as large as it gets.
        operation();
    }
    let before = REQUESTS.with(Cell::get);
    (0..100).for_each(|_| operation());
    let requests = REQUESTS.with(Cell::get) - before;
    assert_eq!(requests, 0, "{name} allocated");
}

#[test]
fn nothing_allocates_after_set_up() {
    let before = REQUESTS.with(Cell::get);
    drop(std::hint::black_box(Box::new(1)));
    assert_eq!(
        REQUESTS.with(Cell::get) - before,
        1,
        "the allocator does not count"
    );

    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let waker = Waker::new(poll.registry(), Token(0)).unwrap();
    queue(&mut poll, &mut events);
    free("wake and its event", || {
        waker.wake().unwrap();
        waker.wake().unwrap();
        poll.poll(&mut events, None).unwrap();
        assert_eq!(events.iter().count(), 1);
    });
    tcp(&mut poll, &mut events);
    others();
}

fn queue(poll: &mut Poll, events: &mut Events) {
    let eventfd = std::os::fd::OwnedFd::from(pipe::new().unwrap().1);
    let fd = eventfd.as_raw_fd();
    let (mut sender, mut receiver) = pipe::new().unwrap();
    let registry = poll.registry();
    free("try_clone", || drop(registry.try_clone().unwrap()));
    free("register and deregister", || {
        registry.register(&mut receiver, Token(1), BOTH).unwrap();
        registry
            .reregister(&mut receiver, Token(2), Interest::READABLE)
            .unwrap();
        registry.deregister(&mut receiver).unwrap();
        registry
            .register(&mut SourceFd(&fd), Token(3), BOTH)
            .unwrap();
        registry
            .reregister(&mut SourceFd(&fd), Token(4), BOTH)
            .unwrap();
        registry.deregister(&mut SourceFd(&fd)).unwrap();
    });
    registry
        .register(&mut receiver, Token(1), Interest::READABLE)
        .unwrap();
    free("poll", || {
        sender.write_all(b"x").unwrap();
        poll.poll(events, None).unwrap();
        assert!(events.iter().any(|event| event.is_readable()));
        receiver.read_exact(&mut [0]).unwrap();
        assert!(receiver.read(&mut [0]).is_err());
        poll.poll(events, NOW).unwrap();
        poll.poll(events, Some(Duration::from_micros(1))).unwrap();
        poll.poll(events, Some(Duration::from_millis(1))).unwrap();
        assert!(events.is_empty());
        events.clear();
    });
    free("pipe::new and drop", || drop(pipe::new().unwrap()));
}

fn tcp(poll: &mut Poll, events: &mut Events) {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut listener = TcpListener::bind(any).unwrap();
    let addr = listener.local_addr().unwrap();
    poll.registry()
        .register(&mut listener, Token(7), Interest::READABLE)
        .unwrap();
    free("a connection's whole life", || {
        let mut client = TcpStream::connect(addr).unwrap();
        poll.registry()
            .register(&mut client, Token(8), BOTH)
            .unwrap();
        poll.poll(events, None).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        assert!(listener.accept().is_err());
        poll.registry()
            .register(&mut server, Token(9), BOTH)
            .unwrap();
        let slices = [IoSlice::new(b"one"), IoSlice::new(b"two")];
        assert_eq!(client.write(b"onetwo").unwrap(), 6);
        assert_eq!(client.write_vectored(&slices).unwrap(), 6);
        while server.peek(&mut [0; 12]).unwrap() < 12 {}
        assert_eq!(server.read(&mut [0; 6]).unwrap(), 6);
        let (mut first, mut second) = ([0; 3], [0; 3]);
        let mut slices = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(server.read_vectored(&mut slices).unwrap(), 6);
        assert!(server.read(&mut [0; 6]).is_err());
        server.try_io(|| Ok(())).unwrap();
        client.peer_addr().unwrap();
        assert!(client.take_error().unwrap().is_none());
        // One leaves in order, the other is dropped while registered.
        poll.registry().deregister(&mut client).unwrap();
        drop(client);
        drop(server);
        poll.poll(events, NOW).unwrap();
    });
}

fn others() {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    free("UdpSocket", || {
        let socket = UdpSocket::bind(any).unwrap();
        socket.send_to(b"x", socket.local_addr().unwrap()).unwrap();
        assert_eq!(socket.recv_from(&mut [0; 8]).unwrap().0, 1);
    });
    free("UnixStream", || {
        let (mut left, mut right) = UnixStream::pair().unwrap();
        assert_eq!(left.write(b"x").unwrap(), 1);
        assert_eq!(right.read(&mut [0; 8]).unwrap(), 1);
        assert!(right.read(&mut [0; 8]).is_err());
    });
    free("UnixDatagram", || {
        let (left, right) = UnixDatagram::pair().unwrap();
        assert_eq!(left.send(b"x").unwrap(), 1);
        assert_eq!(right.recv_from(&mut [0; 8]).unwrap().0, 1);
    });
}
