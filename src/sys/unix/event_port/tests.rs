//! What events tell, and what only a port has.

use super::*;
use crate::sys::queue::{Queue, Waker};
use crate::sys::{Registration, Turn};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use table::{Associate, Association};

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
const HANG: Duration = Duration::from_secs(20);

fn pair() -> (UnixStream, UnixStream, RawSource) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    let fd = one.as_raw_fd();
    (one, other, fd)
}

/// One look, with room for so many: the tokens.
fn select_now(selector: &Selector, room: usize) -> Vec<usize> {
    let mut events = Vec::with_capacity(room);
    let now = Some(Duration::ZERO);
    selector.select(&mut events, room, now).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

/// The queue of the outer world that watches a port.
fn is_readable(port: &impl AsRawFd) -> bool {
    let selector = <crate::sys::poll::Selector>::new().unwrap();
    let (fd, readable) = (port.as_raw_fd(), Interest::READABLE);
    selector.register_raw(fd, Token(0), readable).unwrap();
    let mut events = Vec::with_capacity(1);
    let now = Some(Duration::ZERO);
    selector.select(&mut events, 1, now).unwrap();
    !events.is_empty()
}

#[test]
fn events_of_other_sources_tell_nothing() {
    let tells = |source, bits| {
        let event = Event::new(source, bits, 0, Token(7));
        assert_eq!(event.token(), Token(7));
        event.readiness()
    };
    let readable = Readiness::READABLE;
    assert_eq!(tells(os::PORT_SOURCE_FD, libc::POLLIN), readable);
    assert_eq!(tells(os::PORT_SOURCE_USER, libc::POLLIN), readable);
    for source in [0, 1, 2, os::PORT_SOURCE_ALERT, 6, 7, 1000] {
        assert_eq!(tells(source, -1), Readiness::EMPTY, "{source}");
    }
}

#[test]
fn the_event_is_the_kernel_s_struct() {
    use std::mem::{align_of, size_of};
    assert_eq!(size_of::<Event>(), size_of::<port_event>());
    assert_eq!(align_of::<Event>(), align_of::<port_event>());
}

#[test]
fn details_name_bits_and_source() {
    struct Details(Event);
    impl fmt::Debug for Details {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt_raw(f)
        }
    }
    let bits = libc::POLLIN | libc::POLLHUP;
    let event = Event::new(os::PORT_SOURCE_FD, bits, 3, Token(7));
    let expected = "port_event { events: POLLIN | POLLHUP, source: PORT_SOURCE_FD, object: 3, \
                    user: 7 }";
    assert_eq!(format!("{:?}", Details(event)), expected);
}

/// Stale events are dropped, and what stands behind them is found by the same look.
#[test]
fn a_stale_event_hides_no_other() {
    let selector = Selector::new().unwrap();
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    let (_stale, _stale_peer, stale) = pair();
    // As if its source had been changed while the event was on its way.
    let (mask, cookie) = (libc::POLLOUT, usize::MAX);
    let lost = Association {
        fd: stale,
        mask,
        cookie,
    };
    selector.port.associate(lost).unwrap();
    selector.register(fd, Token(7), Interest::READABLE).unwrap();
    assert_eq!(select_now(&selector, 1), [7]);
}

#[test]
fn a_signal_interrupts_and_outlives_its_port() {
    let selector = Selector::new().unwrap();
    let alarm = selector.add_signal().unwrap();
    let mut events = Vec::with_capacity(4);
    for _ in 0..3 {
        selector.select(&mut events, 4, Some(HANG)).unwrap();
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| selector.is_signal(event)));
        events.clear();
        assert_eq!(select_now(&selector, 4), []);
        for _ in 0..3 {
            alarm.signal().unwrap();
        }
    }
    let port = Arc::downgrade(&selector.port);
    drop(selector);
    assert!(port.upgrade().is_none());
    alarm.signal().unwrap();
}

/// A port whose every place is taken can still be woken, and tells of its sources then.
#[test]
fn a_full_port_is_woken_by_an_alert() {
    let queue = Queue::<Selector>::new().unwrap();
    let selector = queue.selector();
    let waker = Waker::new(&queue, Token(1)).unwrap();
    let (mut turn, mut events) = (Turn::default(), Vec::with_capacity(8));
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    selector.register(fd, Token(7), Interest::READABLE).unwrap();
    // Others' events, which come as they were sent.
    let sends = (0..).take_while(|_| kernel::send(&selector.port, 99).is_ok());
    let sent = sends.count();
    // As if somebody slept.
    let alarm = Alarm(Arc::downgrade(&selector.port));
    alarm.signal().unwrap();
    waker.wake().unwrap();
    let mut seen = [0; 100];
    loop {
        let now = Some(Duration::ZERO);
        queue.poll(&mut turn, &mut events, 8, now).unwrap();
        if events.is_empty() {
            break;
        }
        events.iter().for_each(|event| seen[event.token().0] += 1);
    }
    assert_eq!((seen[1], seen[7], seen[99]), (1, 1, sent));
}

/// Whoever watches the port waits without us: it knows at all times what is asked.
#[test]
fn a_port_that_was_lent_shows_what_is_left() {
    let selector = Selector::new().unwrap();
    let (_level, mut level_peer, level) = pair();
    let (_both, mut both_peer, both) = pair();
    level_peer.write_all(b"x").unwrap();
    let interest = Interest::READABLE.level();
    let handle = selector.register(level, Token(1), interest).unwrap();
    assert_eq!(select_now(&selector, 8), [1]);
    // The loose end is tied when it is lent, and from then on at once.
    assert!(is_readable(&selector.as_fd()));
    assert_eq!(select_now(&selector, 8), [1]);
    let port = selector.port.as_fd();
    assert!(is_readable(&port));
    selector.deregister(level, &handle).unwrap();
    selector.register(both, Token(2), BOTH).unwrap();
    assert_eq!(select_now(&selector, 8), [2]);
    assert!(!is_readable(&port));
    both_peer.write_all(b"x").unwrap();
    assert!(is_readable(&port));
    assert_eq!(select_now(&selector, 8), [2]);
}

/// What nobody reads is reported again, and not more often than once a slice.
#[test]
fn a_raw_descriptor_loses_no_edge_and_does_not_spin() {
    const EVENTS: u32 = 12;
    let queue = Queue::<Selector>::new().unwrap();
    let (mut turn, mut events) = (Turn::default(), Vec::with_capacity(8));
    let mut poll = |timeout| {
        queue
            .poll(&mut turn, &mut events, 8, Some(timeout))
            .unwrap();
        events
            .iter()
            .map(|event| event.token().0)
            .collect::<Vec<_>>()
    };
    let (_one, mut peer, fd) = pair();
    let (selector, readable) = (queue.selector(), Interest::READABLE);
    selector.register_raw(fd, Token(1), readable).unwrap();
    peer.write_all(b"x").unwrap();
    let start = std::time::Instant::now();
    for _ in 0..=EVENTS {
        assert_eq!(poll(HANG), [1], "an edge was lost");
        peer.write_all(b"x").unwrap();
    }
    // 1, 2, 4, 8 milliseconds, then 16 each time.
    let slices = Slices::MIN * 15 + Slices::MAX * (EVENTS - 4);
    assert!(start.elapsed() >= slices, "{:?}", start.elapsed());
    selector.reregister_raw(fd, Token(2), readable).unwrap();
    assert_eq!(poll(Duration::ZERO), [2]);
    selector.deregister_raw(fd).unwrap();
    assert_eq!(poll(Slices::MAX * 2), []);
}

/// An error of arming again is an event, also of a poller that sleeps.
#[test]
fn a_source_that_cannot_be_armed_has_an_error() {
    let queue = Arc::new(Queue::<Selector>::new().unwrap());
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    let mut registration = EmulatedEdges::<Selector>::default();
    let readable = Interest::READABLE;
    registration
        .register(&queue, fd, Token(7), readable)
        .unwrap();
    let selector = queue.selector();
    assert_eq!(select_now(selector, 8), [7]);
    // All places are taken by others.
    while kernel::send(&selector.port, 99).is_ok() {}
    registration.would_block();
    let (mut events, mut turn) = (Vec::with_capacity(4), Turn::default());
    queue.poll(&mut turn, &mut events, 4, Some(HANG)).unwrap();
    assert_eq!(events[0].token(), Token(7));
    assert!(events[0].readiness().intersects(Readiness::ERROR));
    // What tells a poller of it is none of the caller's.
    let others = events[1..].iter().all(|event| event.token() == Token(99));
    assert!(others, "{:?}", events[1].token());
}
