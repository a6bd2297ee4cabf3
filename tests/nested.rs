//! A poll inside another poll, or inside a raw epoll, shows the outer one every wake.

#![cfg(not(mio_unsupported_force_poll_poll))]
#![cfg(all(target_os = "linux", feature = "os-ext"))]
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::sync::mpsc;
use std::time::Duration;
use std::{io, thread};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);
const EDGE: u32 = (libc::EPOLLIN | libc::EPOLLET) as u32;
const LEVEL: u32 = libc::EPOLLIN as u32;

/// A plain epoll instance, as a program that knows nothing of this crate has it.
struct Epoll(OwnedFd);

impl Epoll {
    fn new() -> Epoll {
        // SAFETY: epoll_create1 takes flags only.
        let fd = unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) };
        assert_ne!(fd, -1);
        // SAFETY: the kernel has just returned this descriptor to us.
        Epoll(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    fn add(&self, fd: RawFd, flags: u32) {
        let mut event = libc::epoll_event {
            events: flags,
            u64: 0,
        };
        let epoll = self.0.as_raw_fd();
        // SAFETY: `event` is a live epoll_event.
        let done = unsafe { libc::epoll_ctl(epoll, libc::EPOLL_CTL_ADD, fd, &mut event) };
        assert_eq!(done, 0, "{}", io::Error::last_os_error());
    }

    /// Whether something is ready, asked without waiting.
    fn ready(&self) -> bool {
        self.wait(0) == 1
    }

    fn wait(&self, timeout_ms: i32) -> i32 {
        let mut event = libc::epoll_event { events: 0, u64: 0 };
        // SAFETY: `event` has room for the one event that is asked for.
        unsafe { libc::epoll_wait(self.0.as_raw_fd(), &mut event, 1, timeout_ms) }
    }
}

fn tokens(poll: &mut Poll, events: &mut Events) -> Vec<usize> {
    poll.poll(events, NOW).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

#[test]
fn a_raw_epoll_sees_every_wake() {
    for flags in [EDGE, LEVEL] {
        let mut inner = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = Waker::new(inner.registry(), Token(1)).unwrap();
        let outer = Epoll::new();
        outer.add(inner.as_raw_fd(), flags);
        // What the waker's own set-up may show is not the subject.
        while outer.ready() && !tokens(&mut inner, &mut events).is_empty() {}
        for _ in 0..100 {
            assert_eq!(tokens(&mut inner, &mut events), []);
            assert!(!outer.ready(), "ready without a wake");
            waker.wake().unwrap();
            waker.wake().unwrap();
            assert!(outer.ready(), "a wake was not shown");
            assert_eq!(outer.ready(), flags == LEVEL);
            assert_eq!(tokens(&mut inner, &mut events), [1]);
        }
    }
}

#[test]
fn an_outer_poll_sees_every_wake() {
    let mut outer = Poll::new().unwrap();
    let mut inner = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Waker::new(inner.registry(), Token(1)).unwrap();
    let fd = inner.as_raw_fd();
    outer
        .registry()
        .register(&mut SourceFd(&fd), Token(2), Interest::READABLE)
        .unwrap();
    tokens(&mut inner, &mut events);
    tokens(&mut outer, &mut events);
    for _ in 0..100 {
        assert_eq!(tokens(&mut outer, &mut events), []);
        waker.wake().unwrap();
        assert_eq!(tokens(&mut outer, &mut events), [2]);
        assert_eq!(tokens(&mut inner, &mut events), [1]);
    }
}

#[test]
fn a_wake_before_the_descriptor_is_taken_is_shown() {
    for flags in [EDGE, LEVEL] {
        let mut inner = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = Waker::new(inner.registry(), Token(1)).unwrap();
        assert_eq!(tokens(&mut inner, &mut events), []);
        waker.wake().unwrap();
        let outer = Epoll::new();
        outer.add(inner.as_raw_fd(), flags);
        assert!(outer.ready(), "the pending wake was not shown");
        assert_eq!(tokens(&mut inner, &mut events), [1]);
        assert!(!outer.ready());
    }
}

#[test]
fn a_descriptor_taken_from_a_registry_counts_too() {
    use std::os::fd::AsFd;
    for way in 0..3 {
        let mut inner = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let registry = inner.registry().try_clone().unwrap();
        let fd = match way {
            0 => registry.as_raw_fd(),
            1 => inner.registry().as_fd().as_raw_fd(),
            _ => inner.registry().as_raw_fd(),
        };
        let outer = Epoll::new();
        outer.add(fd, EDGE);
        let waker = Waker::new(inner.registry(), Token(1)).unwrap();
        while outer.ready() && !tokens(&mut inner, &mut events).is_empty() {}
        waker.wake().unwrap();
        assert!(outer.ready(), "a wake was not shown, way {way}");
        assert_eq!(tokens(&mut inner, &mut events), [1]);
    }
}

#[test]
fn a_wake_without_room_stays_visible() {
    let mut inner = Poll::new().unwrap();
    let mut events = Events::with_capacity(1);
    let wakers = [1, 2].map(|token| Waker::new(inner.registry(), Token(token)).unwrap());
    let outer = Epoll::new();
    outer.add(inner.as_raw_fd(), LEVEL);
    tokens(&mut inner, &mut events);
    for _ in 0..100 {
        wakers.iter().for_each(|waker| waker.wake().unwrap());
        let mut heard = Vec::new();
        for _ in 0..2 {
            assert!(
                outer.ready(),
                "a wake was left and not shown, after {heard:?}"
            );
            heard.extend(tokens(&mut inner, &mut events));
        }
        heard.sort_unstable();
        assert_eq!(heard, [1, 2]);
        assert_eq!(tokens(&mut inner, &mut events), []);
        assert!(!outer.ready());
    }
}

#[test]
fn a_wake_put_back_is_a_new_edge() {
    let mut inner = Poll::new().unwrap();
    let mut events = Events::with_capacity(1);
    let wakers = [1, 2].map(|token| Waker::new(inner.registry(), Token(token)).unwrap());
    let outer = Epoll::new();
    outer.add(inner.as_raw_fd(), EDGE);
    while outer.ready() {
        tokens(&mut inner, &mut events);
    }
    for _ in 0..100 {
        wakers.iter().for_each(|waker| waker.wake().unwrap());
        let mut heard = Vec::new();
        for _ in 0..2 {
            assert!(
                outer.ready(),
                "a wake was put back and not shown, after {heard:?}"
            );
            heard.extend(tokens(&mut inner, &mut events));
        }
        heard.sort_unstable();
        assert_eq!(heard, [1, 2]);
    }
}

#[test]
fn a_chain_of_epolls_sees_every_wake() {
    for flags in [EDGE, LEVEL] {
        let mut inner = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let waker = Waker::new(inner.registry(), Token(1)).unwrap();
        let (middle, outer) = (Epoll::new(), Epoll::new());
        middle.add(inner.as_raw_fd(), flags);
        outer.add(middle.0.as_raw_fd(), flags);
        tokens(&mut inner, &mut events);
        while outer.ready() && middle.ready() {}
        for _ in 0..100 {
            waker.wake().unwrap();
            assert!(outer.ready() && middle.ready(), "a wake was not shown");
            assert_eq!(tokens(&mut inner, &mut events), [1]);
            assert!(!(outer.ready() && middle.ready()));
        }
    }
}

#[test]
fn a_sleeper_on_the_outer_epoll_is_woken() {
    let _watchdog = kernel::watchdog();
    let mut inner = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let waker = Waker::new(inner.registry(), Token(1)).unwrap();
    let outer = Epoll::new();
    outer.add(inner.as_raw_fd(), EDGE);
    while outer.ready() {
        tokens(&mut inner, &mut events);
    }
    let (ready, asleep) = mpsc::channel();
    let sleeper = thread::spawn(move || {
        for _ in 0..100 {
            ready.send(kernel::thread_id()).unwrap();
            assert_eq!(outer.wait(-1), 1);
            assert_eq!(tokens(&mut inner, &mut events), [1]);
        }
    });
    for thread in asleep {
        kernel::wait_until_polling(thread);
        waker.wake().unwrap();
    }
    sleeper.join().unwrap();
}

#[test]
fn a_poll_cannot_hold_itself() {
    let poll = Poll::new().unwrap();
    let fd = poll.as_raw_fd();
    let err = poll
        .registry()
        .register(&mut SourceFd(&fd), Token(0), Interest::READABLE);
    assert_eq!(err.unwrap_err().raw_os_error(), Some(libc::EINVAL));
}

#[test]
fn a_waker_does_not_keep_the_queue_open() {
    kernel::in_child("a_waker_does_not_keep_the_queue_open", || {
        let before = kernel::count_fds(256);
        let poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let wakers = [1, 2].map(|token| Waker::new(&registry, Token(token)).unwrap());
        let queue = poll.as_raw_fd();
        drop(poll);
        wakers[0].wake().unwrap();
        drop(registry);
        // SAFETY: F_GETFD only asks whether the descriptor is open.
        let flags = unsafe { libc::fcntl(queue, libc::F_GETFD) };
        assert_eq!(flags, -1, "the queue is still open");
        wakers[0].wake().unwrap();
        assert!(
            kernel::count_fds(256) <= before + 2,
            "more is open than one signal a waker"
        );
        drop(wakers);
        assert_eq!(kernel::count_fds(256), before);
    });
}
