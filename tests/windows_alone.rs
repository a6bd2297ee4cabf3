//! What a process has open and allocated: one test, since it counts for the whole process.
#![cfg(all(windows, feature = "os-ext", feature = "net"))]
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::ErrorKind;
use std::os::windows::io::AsRawSocket;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use mio::net::UdpSocket;
use mio::windows::SourceSocket;
use mio::{Events, Interest, Poll, Token, Waker};

#[path = "support/handles.rs"]
mod handles;
use handles::open_handles;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Counts what is allocated and not given back.
struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static ALLOCATIONS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: it passes everything on to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Ordering::Relaxed);
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: our caller's promises are those of the system's allocator.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: as above.
        unsafe { System.dealloc(memory, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn bind() -> UdpSocket {
    UdpSocket::bind(([127, 0, 0, 1], 0).into()).unwrap()
}

/// A queue with polls of every kind in flight, dropped in this state.
fn a_queue_with_polls_in_flight() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let _waker = Waker::new(poll.registry(), Token(0)).unwrap();
    let raw = bind();
    let number = raw.as_raw_socket();
    let mut sockets: Vec<_> = (0..50).map(|_| bind()).collect();
    let registry = poll.registry();
    registry
        .register(&mut SourceSocket(&number), Token(1), Interest::READABLE)
        .unwrap();
    for socket in &mut sockets {
        registry
            .register(socket, Token(2), Interest::READABLE)
            .unwrap();
    }
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.is_empty());
    // One that is cancelled, one whose cancellation is told to nobody, some that are queued.
    let registry = poll.registry();
    registry.deregister(&mut sockets[0]).unwrap();
    for socket in &mut sockets[1..5] {
        registry
            .reregister(socket, Token(3), Interest::WRITABLE)
            .unwrap();
    }
    drop(poll);
    drop(sockets);
}

fn allocations_of_would_blocks(count: usize) -> usize {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let mut socket = bind();
    poll.registry()
        .register(&mut socket, Token(1), Interest::READABLE)
        .unwrap();
    poll.poll(&mut events, NOW).unwrap();
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    for round in 0..count {
        // Wine takes its time for a call of the system.
        let result = if round % 100 == 0 {
            socket.recv(&mut [0; 4])
        } else {
            socket.try_io(|| Err(ErrorKind::WouldBlock.into()))
        };
        assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.is_empty());
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// How many handles a queue takes to serve sockets that come and go among some that stay.
fn handles_of_many_that_left() -> u32 {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let mut staying: Vec<_> = (0..20).map(|_| bind()).collect();
    let mut leaving: Vec<_> = (0..64).map(|_| bind()).collect();
    let before = open_handles();
    let registry = poll.registry().try_clone().unwrap();
    for stays in &mut staying {
        // It stays amid a helper's places, of which all others become free.
        let (first, last) = leaving.split_at_mut(16);
        let all = first.iter_mut().chain([stays]).chain(last);
        for socket in all {
            registry
                .register(socket, Token(1), Interest::READABLE)
                .unwrap();
        }
        poll.poll(&mut events, NOW).unwrap();
        for socket in &mut leaving {
            registry.deregister(socket).unwrap();
        }
        poll.poll(&mut events, NOW).unwrap();
        assert!(events.is_empty());
    }
    open_handles() - before
}

#[test]
fn nothing_is_left_behind() {
    // What is made once in a process.
    a_queue_with_polls_in_flight();
    let (handles, live) = (open_handles(), LIVE.load(Ordering::Relaxed));
    for _ in 0..10 {
        a_queue_with_polls_in_flight();
    }
    assert_eq!(open_handles(), handles, "handles");
    assert_eq!(LIVE.load(Ordering::Relaxed), live, "bytes");

    // At most 84 sockets at a time, and 64 that have not yet left: five helpers hold them.
    let helpers = handles_of_many_that_left();
    assert!(helpers <= 6, "{helpers} handles for 20 sockets");

    let allocations = allocations_of_would_blocks(300_000);
    assert_eq!(allocations, 0, "allocations by operations that would block");
}
