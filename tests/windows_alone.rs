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
use windows_sys::Win32::System::Threading::{GetCurrentProcess, GetProcessHandleCount};

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

fn open_handles() -> u32 {
    let mut count = 0;
    // SAFETY: takes nothing.
    let process = unsafe { GetCurrentProcess() };
    // SAFETY: the call writes to `count`.
    let done = unsafe { GetProcessHandleCount(process, &mut count) };
    assert_ne!(done, 0, "{}", std::io::Error::last_os_error());
    count
}

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

    let allocations = allocations_of_would_blocks(300_000);
    assert_eq!(allocations, 0, "allocations by operations that would block");
}
