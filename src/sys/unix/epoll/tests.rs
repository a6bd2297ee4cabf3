//! The truth tables of epoll, which need no kernel, and what only epoll has.

use super::*;
use crate::sys::queue::Queue;
use crate::sys::Signal;
use std::os::fd::AsRawFd;
use std::sync::Arc;

mod checked;

const IN: u32 = libc::EPOLLIN as u32;
const PRI: u32 = libc::EPOLLPRI as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const ERR: u32 = libc::EPOLLERR as u32;
const HUP: u32 = libc::EPOLLHUP as u32;
const RDHUP: u32 = libc::EPOLLRDHUP as u32;
const ET: u32 = libc::EPOLLET as u32;

/// All that a mask can hold: 64 combinations.
fn all_masks() -> impl Iterator<Item = u32> {
    let bits = [IN, PRI, OUT, ERR, HUP, RDHUP];
    (0..1u32 << bits.len()).map(move |choice| {
        let chosen = bits.iter().enumerate();
        chosen.fold(0, |mask, (index, bit)| {
            mask | if choice >> index & 1 == 1 { *bit } else { 0 }
        })
    })
}

#[test]
fn every_mask_tells_what_the_table_says() {
    let mut seen = 0;
    for mask in all_masks() {
        // Written as the table in the documentation of `Event`, one bit at a
        // time, and not as the code does it.
        let has = |bit: u32| mask & bit == bit;
        let expected = [
            (Readiness::READABLE, has(IN) || has(PRI)),
            (Readiness::WRITABLE, has(OUT)),
            (Readiness::ERROR, has(ERR)),
            (Readiness::READ_CLOSED, has(HUP) || (has(IN) && has(RDHUP))),
            (
                Readiness::WRITE_CLOSED,
                has(HUP) || (has(OUT) && has(ERR)) || mask == 0x8,
            ),
            (Readiness::PRIORITY, has(PRI)),
            (Readiness::AIO, false),
            (Readiness::LIO, false),
        ];
        let readiness = readiness_of(mask);
        for (bit, on) in expected {
            assert_eq!(readiness.intersects(bit), on, "{mask:#x}: {bit:?}");
        }
        seen += 1;
    }
    assert_eq!(seen, 64);
}

#[test]
fn unknown_bits_tell_nothing() {
    assert_eq!(readiness_of(0x40 | 1 << 27), Readiness::EMPTY);
    // They also make "an error and nothing else" something else.
    assert!(!readiness_of(ERR | 0x40).intersects(Readiness::WRITE_CLOSED));
}

#[test]
fn the_mask_of_each_interest() {
    let (readable, writable) = (Interest::READABLE, Interest::WRITABLE);
    let (priority, closed) = (Interest::PRIORITY, Interest::CLOSED);
    let oneshot = libc::EPOLLONESHOT as u32;
    let exclusive = libc::EPOLLEXCLUSIVE as u32;
    let cases = [
        (readable, IN | RDHUP | ET),
        (writable, OUT | ET),
        (priority, PRI | ET),
        (closed, ET),
        (readable | writable, IN | RDHUP | OUT | ET),
        (readable | priority, IN | RDHUP | PRI | ET),
        (writable | priority, OUT | PRI | ET),
        (readable | writable | priority, IN | RDHUP | OUT | PRI | ET),
        (readable.level(), IN | RDHUP),
        (readable.level().edge(), IN | RDHUP | ET),
        (closed.level(), 0),
        (writable.oneshot(), OUT | ET | oneshot),
        (writable.oneshot().level(), OUT | oneshot),
        (readable.exclusive(), IN | ET | exclusive),
        (
            (readable | writable).exclusive().level(),
            IN | OUT | exclusive,
        ),
    ];
    for (interest, mask) in cases {
        assert_eq!(mask_of(interest).unwrap(), mask, "{interest:?}");
    }
    for refused in [
        priority.exclusive(),
        (readable | priority).exclusive(),
        closed.exclusive(),
        readable.exclusive().oneshot(),
    ] {
        let err = mask_of(refused).unwrap_err();
        assert_eq!(err.kind(), io::ErrorKind::InvalidInput, "{refused:?}");
    }
}

#[test]
fn an_exclusive_registration_can_be_replaced_in_both_directions() {
    let selector = Selector::new().unwrap();
    let source = Wakeup::new(true).unwrap();
    let fd = source.source();
    let readable = Interest::READABLE;
    let interests = [
        readable.exclusive(),
        readable,
        readable.exclusive(),
        readable.exclusive().level(),
        readable.oneshot(),
    ];
    selector.register(fd, Token(9), readable).unwrap();
    for (token, interest) in interests.into_iter().enumerate() {
        selector
            .reregister(fd, &(), Token(token), interest)
            .unwrap();
        let events = select_now(&selector);
        assert_eq!(events.len(), 1, "{interest:?}");
        assert_eq!(events[0].token(), Token(token));
    }
    selector.deregister(fd, &()).unwrap();
    let absent = selector.reregister(fd, &(), Token(1), readable.exclusive());
    assert_eq!(absent.unwrap_err().kind(), io::ErrorKind::NotFound);
}

/// The kernel makes no exclusive registration of an epoll.
#[test]
fn a_replacement_that_fails_says_that_nothing_is_left() {
    let (selector, other) = (Selector::new().unwrap(), Selector::new().unwrap());
    let _readable = other.add_signal().unwrap();
    let fd = other.as_fd().as_raw_fd();
    let readable = Interest::READABLE;
    selector.register(fd, Token(1), readable).unwrap();
    let lost = selector.reregister(fd, &(), Token(2), readable.exclusive());
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), io::ErrorKind::NotFound);
    let text = lost.to_string();
    assert!(text.contains("no longer registered"), "{text}");
    assert!(select_now(&selector).is_empty());
    selector.register(fd, Token(3), readable).unwrap();
    assert_eq!(select_now(&selector)[0].token(), Token(3));
}

#[test]
fn the_event_is_the_kernel_s_struct() {
    use std::mem::{align_of, size_of};
    assert_eq!(size_of::<Event>(), size_of::<libc::epoll_event>());
    assert_eq!(align_of::<Event>(), align_of::<libc::epoll_event>());
}

#[test]
fn details_name_the_bits() {
    struct Details(Event);
    impl fmt::Debug for Details {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt_raw(f)
        }
    }
    let event = Event(libc::epoll_event {
        events: IN | HUP | 0x40,
        u64: 7,
    });
    let text = format!("{:?}", Details(event));
    assert_eq!(
        text,
        "epoll_event { events: EPOLLIN | EPOLLHUP | 0x40, u64: 7 }"
    );
}

/// One pass over the kernel's queue, without waiting.
fn select_now(selector: &Selector) -> Vec<Event> {
    let mut events = Vec::with_capacity(4);
    selector
        .select(&mut events, 4, Some(Duration::ZERO))
        .unwrap();
    events
}

#[test]
fn a_batch_is_as_large_as_its_room() {
    const SOURCES: usize = 40;
    let selector = Selector::new().unwrap();
    let sources = [(); SOURCES].map(|()| Wakeup::new(true).unwrap());
    for (token, source) in sources.iter().enumerate() {
        let fd = source.source();
        selector
            .register(fd, Token(token), Interest::READABLE)
            .unwrap();
    }
    let mut events = Vec::with_capacity(2 * SOURCES);
    let now = Some(Duration::ZERO);
    selector.select(&mut events, SOURCES - 1, now).unwrap();
    assert_eq!(events.len(), SOURCES - 1, "no more, and no fewer");
    selector.select(&mut events, SOURCES, now).unwrap();
    assert_eq!(events.len(), SOURCES, "the one that had no room");
}

#[test]
fn what_refuses_a_call_and_what_is_its_own_error() {
    for errno in [libc::ENOSYS, libc::EPERM, libc::EACCES, libc::EOPNOTSUPP] {
        assert!(kernel::is_refusal(errno));
    }
    for errno in [libc::EINTR, libc::EINVAL, libc::EBADF, libc::EFAULT] {
        assert!(!kernel::is_refusal(errno));
    }
}

#[test]
fn no_more_is_asked_for_than_there_is_room() {
    let selector = Selector::new().unwrap();
    let sources: Vec<_> = (0..8).map(|_| Wakeup::new(true).unwrap()).collect();
    for (token, source) in sources.iter().enumerate() {
        let fd = source.source();
        selector
            .register(fd, Token(token), Interest::READABLE)
            .unwrap();
    }
    let mut events = Vec::with_capacity(4);
    let capacity = events.capacity();
    selector
        .select(&mut events, usize::MAX, Some(Duration::ZERO))
        .unwrap();
    assert_eq!(events.len(), capacity);
    assert_eq!(events.capacity(), capacity);
}

#[test]
fn the_signal_is_hidden_unless_a_token_is_its_cookie() {
    let selector = Selector::new().unwrap();
    let signal = selector.add_signal().unwrap();

    let batch = select_now(&selector);
    assert_eq!(batch.len(), 1, "the signal is added signalled");
    assert!(selector.is_signal(&batch[0]));

    let other = Wakeup::new(true).unwrap();
    let cookie = Token(selector.cookie() as usize);
    if cfg!(not(target_pointer_width = "64")) {
        return; // There, no token is as wide as the cookie.
    }
    let fd = other.source();
    let readable = Interest::READABLE;
    selector.register(fd, Token(1), readable).unwrap();
    // A reregistration counts as well as a registration.
    selector.reregister(fd, &(), cookie, readable).unwrap();
    signal.signal().unwrap();
    let batch = select_now(&selector);
    assert_eq!(batch.len(), 2);
    assert!(batch.iter().all(|event| event.token() == cookie));
    assert!(!batch.iter().any(|event| selector.is_signal(event)));
}

#[test]
fn a_caller_whose_token_is_the_cookie_loses_neither_events_nor_wakes() {
    let queue = Arc::new(Queue::<Selector>::new().unwrap());
    let waker = crate::sys::queue::Waker::new(&queue, Token(1)).unwrap();
    let cookie = Token(queue.selector().cookie() as usize);
    let source = Wakeup::new(true).unwrap();
    let fd = source.source();
    queue
        .selector()
        .register(fd, cookie, Interest::READABLE)
        .unwrap();
    waker.wake().unwrap();

    let mut events = Vec::with_capacity(8);
    let mut tokens = Vec::new();
    let mut turn = crate::sys::Turn::default();
    for _ in 0..4 {
        queue
            .poll(&mut turn, &mut events, 8, Some(Duration::ZERO))
            .unwrap();
        tokens.extend(events.iter().map(Event::token));
    }
    assert!(tokens.contains(&cookie));
    assert_eq!(tokens.iter().filter(|token| **token == Token(1)).count(), 1);
}

#[test]
fn a_waker_whose_token_is_the_cookie_is_heard() {
    let queue = Queue::<Selector>::new().unwrap();
    let cookie = Token(queue.selector().cookie() as usize);
    let waker = crate::sys::queue::Waker::new(&queue, cookie).unwrap();
    // From now on the signal's own event stands beside that of the wake.
    queue.expose();
    let (mut events, mut turn) = (Vec::with_capacity(8), crate::sys::Turn::default());
    for _ in 0..3 {
        waker.wake().unwrap();
        for expected in [1, 0] {
            queue
                .poll(&mut turn, &mut events, 8, Some(Duration::ZERO))
                .unwrap();
            assert_eq!(events.len(), expected);
            assert!(events.iter().all(|event| event.token() == cookie));
        }
    }
}
