//! What events tell, and what only a kqueue has.

use super::*;
use crate::sys::queue::Queue;
use crate::sys::Registration;
use os::{EVFILT_READ, EVFILT_USER, EVFILT_WRITE, EV_CLEAR, EV_EOF, EV_ERROR};
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

fn bits(readiness: Readiness) -> Vec<Readiness> {
    let all = [
        Readiness::READABLE,
        Readiness::WRITABLE,
        Readiness::ERROR,
        Readiness::READ_CLOSED,
        Readiness::WRITE_CLOSED,
        Readiness::PRIORITY,
        Readiness::AIO,
        Readiness::LIO,
    ];
    let set = all.into_iter().filter(|bit| readiness.intersects(*bit));
    set.collect()
}

#[test]
fn what_each_event_tells() {
    use Readiness as R;
    let plain = EV_CLEAR;
    let cases: [(_, _, _, &[Readiness]); 12] = [
        (EVFILT_READ, plain, 0, &[R::READABLE]),
        (EVFILT_READ, plain, 5, &[R::READABLE]),
        (EVFILT_READ, EV_EOF, 0, &[R::READABLE, R::READ_CLOSED]),
        (
            EVFILT_READ,
            EV_EOF,
            54,
            &[R::READABLE, R::ERROR, R::READ_CLOSED],
        ),
        (EVFILT_READ, EV_ERROR, 0, &[R::READABLE, R::ERROR]),
        (EVFILT_WRITE, plain, 0, &[R::WRITABLE]),
        (EVFILT_WRITE, EV_EOF, 0, &[R::WRITABLE, R::WRITE_CLOSED]),
        (
            EVFILT_WRITE,
            EV_EOF,
            61,
            &[R::WRITABLE, R::ERROR, R::WRITE_CLOSED],
        ),
        (EVFILT_USER, plain, 0, &[R::READABLE]),
        (EVFILT_USER, plain, 0xff, &[R::READABLE]),
        (EVFILT_USER, EV_EOF, 0xff, &[R::READABLE]),
        (EVFILT_USER, EV_ERROR, 0, &[R::READABLE, R::ERROR]),
    ];
    for (filter, flags, fflags, told) in cases {
        let case = format!("{filter} {flags:#x} {fflags:#x}");
        assert_eq!(bits(readiness_of(filter, flags, fflags)), told, "{case}");
    }
}

#[test]
fn what_events_of_some_systems_tell() {
    use Readiness as R;
    if let Some((filter, note)) = kernel::PRIORITY {
        for flags in [EV_CLEAR, EV_EOF] {
            let told = bits(readiness_of(filter, flags, note));
            assert_eq!(told, [R::READABLE, R::PRIORITY]);
        }
    }
    if let Some(filter) = kernel::AIO {
        assert_eq!(bits(readiness_of(filter, EV_EOF, 1)), [R::AIO]);
        let failed = readiness_of(filter, EV_ERROR, 0);
        assert_eq!(bits(failed), [R::ERROR, R::AIO]);
    }
    if let Some(filter) = kernel::LIO {
        assert_eq!(bits(readiness_of(filter, EV_CLEAR, 0)), [R::LIO]);
    }
}

#[test]
fn others_filters_tell_nothing() {
    let known = [EVFILT_READ, EVFILT_WRITE, EVFILT_USER];
    let special = [kernel::AIO, kernel::LIO, kernel::PRIORITY.map(|(id, _)| id)];
    let mut others = 0;
    for filter in kernel::FilterId::MIN..=kernel::FilterId::MIN + 0x7000 {
        if known.contains(&filter) || special.contains(&Some(filter)) {
            continue;
        }
        for (flags, fflags) in [(0, 0), (EV_EOF, 0x8000_0000), (EV_ERROR, 0), (!0, !0)] {
            let told = readiness_of(filter, flags, fflags);
            assert_eq!(told, Readiness::EMPTY, "{filter}");
        }
        others += 1;
    }
    assert!(others > 0x6ff0);
}

#[test]
fn the_event_is_the_kernel_s_struct() {
    use std::mem::{align_of, size_of};
    assert_eq!(size_of::<Event>(), size_of::<kevent>());
    assert_eq!(align_of::<Event>(), align_of::<kevent>());
}

#[test]
fn details_name_filter_and_flags() {
    struct Details(Event);
    impl fmt::Debug for Details {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            self.0.fmt_raw(f)
        }
    }
    let mut event = kernel::zeroed();
    event.ident = 3;
    event.filter = EVFILT_WRITE;
    event.flags = EV_CLEAR | EV_EOF;
    event.fflags = 0x20;
    event.udata = kernel::udata_of(7);
    let text = format!("{:?}", Details(Event(event)));
    let expected = "kevent { ident: 3, filter: EVFILT_WRITE, flags: EV_CLEAR | EV_EOF, \
                    fflags: 0x20, data: 0, udata: 7 }";
    assert_eq!(text, expected);
}

#[test]
fn no_wait_is_longer_than_the_kernel_takes() {
    let cases = [
        (Duration::ZERO, 0, 0),
        (Duration::new(1, 999_999_999), 1, 999_999_999),
        (Duration::from_secs(100_000_000), 100_000_000, 0),
        (Duration::new(100_000_000, 1), 100_000_000, 0),
        (Duration::MAX, 100_000_000, 0),
    ];
    for (timeout, secs, nanos) in cases {
        let timespec = kernel::timespec_of(timeout);
        assert_eq!(
            (i128::from(timespec.tv_sec), i128::from(timespec.tv_nsec)),
            (secs, nanos)
        );
    }
}

fn pair() -> (UnixStream, UnixStream) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    other.set_nonblocking(true).unwrap();
    (one, other)
}

/// One pass over the kernel's queue, without waiting: tokens and filters.
fn select_now(selector: &Selector) -> Vec<(usize, kernel::FilterId)> {
    let mut events = Vec::with_capacity(16);
    let now = Some(Duration::ZERO);
    selector.select(&mut events, 16, now).unwrap();
    let seen = events.iter().map(|event| (event.token().0, event.0.filter));
    seen.collect()
}

#[test]
fn reading_and_writing_stay_two_events() {
    let selector = Selector::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    selector.register(one.as_raw_fd(), Token(7), BOTH).unwrap();
    let mut seen = select_now(&selector);
    seen.sort_unstable();
    let mut both = [(7, EVFILT_READ), (7, EVFILT_WRITE)];
    both.sort_unstable();
    assert_eq!(seen, both);
    assert!(select_now(&selector).is_empty(), "edges");
}

/// A queue refuses to be watched for writing, and not for reading.
#[test]
fn half_a_registration_is_taken_back() {
    let (selector, other) = (Selector::new().unwrap(), Selector::new().unwrap());
    let _readable = other.add_signal().unwrap();
    let fd = other.as_fd().as_raw_fd();
    selector.register(fd, Token(1), Interest::READABLE).unwrap();
    assert_eq!(select_now(&selector), [(1, EVFILT_READ)]);
    selector.deregister(fd, &()).unwrap();

    let refused = selector.register(fd, Token(2), BOTH).unwrap_err();
    assert!(refused.raw_os_error().is_some());
    assert!(select_now(&selector).is_empty());
    let nothing = selector.deregister_raw(fd).unwrap_err();
    assert_eq!(nothing.kind(), io::ErrorKind::NotFound);
}

#[test]
fn a_source_knows_its_queue_and_is_free_without_it() {
    let queue = || Arc::new(Queue::<Selector>::new().unwrap());
    let (own, other) = (queue(), queue());
    let (one, mut peer) = pair();
    peer.write_all(b"x").unwrap();
    let (fd, readable) = (one.as_raw_fd(), Interest::READABLE);
    let mut source = CheckedEdges::default();
    let kind = |result: io::Result<()>| result.unwrap_err().kind();
    let absent = source.deregister(&own, fd);
    assert_eq!(kind(absent), io::ErrorKind::NotFound);
    source.register(&own, fd, Token(1), readable).unwrap();
    let strangers = [
        source.register(&other, fd, Token(2), readable),
        source.reregister(&other, fd, Token(2), readable),
        source.deregister(&other, fd),
    ];
    assert_eq!(strangers.map(kind), [io::ErrorKind::AlreadyExists; 3]);
    assert_eq!(select_now(own.selector()), [(1, EVFILT_READ)]);
    drop(own);
    let gone = source.reregister(&other, fd, Token(2), readable);
    assert_eq!(kind(gone), io::ErrorKind::NotFound);
    source.register(&other, fd, Token(3), readable).unwrap();
    assert_eq!(select_now(other.selector()), [(3, EVFILT_READ)]);
    source.deregister(&other, fd).unwrap();
}

/// Where there are modes a change is a new registration: of which nothing is left if it fails.
#[test]
fn a_replacement_that_fails_says_that_nothing_is_left() {
    let (queue, other) = (Arc::new(Queue::new().unwrap()), Selector::new().unwrap());
    let _readable = other.add_signal().unwrap();
    let fd = other.as_fd().as_raw_fd();
    let level = Interest::READABLE.level();
    let mut source = CheckedEdges::default();
    source.register(&queue, fd, Token(1), level).unwrap();
    let lost = source.reregister(&queue, fd, Token(2), BOTH.level());
    let lost = lost.unwrap_err();
    assert_eq!(lost.kind(), io::ErrorKind::NotFound);
    let text = lost.to_string();
    assert!(text.contains("no longer registered"), "{text}");
    assert!(select_now(queue.selector()).is_empty());
    source.register(&queue, fd, Token(3), level).unwrap();
    assert_eq!(select_now(queue.selector()), [(3, EVFILT_READ)]);
}

#[test]
fn raw_descriptors_get_the_kernel_s_word() {
    let selector = Selector::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    let fd = one.as_raw_fd();
    let nothing = selector.deregister_raw(fd).unwrap_err();
    assert_eq!(nothing.raw_os_error(), Some(libc::ENOENT));
    // Registered by a change, changed by a registration.
    selector
        .reregister_raw(fd, Token(1), Interest::READABLE)
        .unwrap();
    assert_eq!(select_now(&selector), [(1, EVFILT_READ)]);
    selector
        .register_raw(fd, Token(2), Interest::READABLE)
        .unwrap();
    assert_eq!(select_now(&selector), [(2, EVFILT_READ)]);
    selector.deregister_raw(fd).unwrap();
    assert!(selector.deregister_raw(fd).is_err());
}

#[test]
fn completions_are_accepted_and_register_nothing() {
    let selector = Selector::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    let fd = one.as_raw_fd();
    let completions = Interest::COMPLETIONS;
    selector.register(fd, Token(7), completions).unwrap();
    assert!(select_now(&selector).is_empty());
    selector.reregister(fd, &(), Token(7), BOTH).unwrap();
    selector.reregister(fd, &(), Token(7), completions).unwrap();
    assert!(select_now(&selector).is_empty());
    selector.deregister(fd, &()).unwrap();
}

/// Makes a signal one way, and sees that it interrupts, once each time.
fn interrupts(add_signal: impl FnOnce(&Selector) -> io::Result<Trigger>) {
    let selector = Selector::new().unwrap();
    let trigger = add_signal(&selector).unwrap();
    let mut events = Vec::with_capacity(4);
    for _ in 0..3 {
        selector
            .select(&mut events, 4, Some(Duration::from_secs(20)))
            .unwrap();
        assert_eq!(events.len(), 1);
        assert!(selector.is_signal(&events[0]));
        events.clear();
        assert!(select_now(&selector).is_empty());
        for _ in 0..3 {
            trigger.signal().unwrap();
        }
    }
    // It outlives the queue, and does not hold it.
    let kqueue = Arc::downgrade(&selector.kqueue);
    drop(selector);
    assert!(kqueue.upgrade().is_none());
    trigger.signal().unwrap();
}

#[test]
fn a_user_event_interrupts() {
    interrupts(Selector::add_user_signal);
}

#[test]
fn a_descriptor_interrupts() {
    interrupts(Selector::add_descriptor_signal);
}

#[test]
fn a_user_event_of_somebody_else_is_not_hidden() {
    let queue = Queue::<Selector>::new().unwrap();
    let selector = queue.selector();
    let _trigger = selector.add_user_signal().unwrap();
    let mut theirs = kernel::zeroed();
    theirs.filter = EVFILT_USER;
    theirs.flags = os::EV_ADD | EV_CLEAR | os::EV_RECEIPT;
    theirs.fflags = os::NOTE_TRIGGER;
    theirs.udata = kernel::udata_of(9);
    kernel::change(&selector.kqueue, &mut [theirs]).unwrap();
    let mut events = Vec::with_capacity(4);
    selector
        .select(&mut events, 4, Some(Duration::ZERO))
        .unwrap();
    assert_eq!(events.len(), 2);
    events.retain(|event| !selector.is_signal(event));
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].token(), Token(9));
    assert_eq!(bits(events[0].readiness()), [Readiness::READABLE]);
}

/// What a program does that wants signals in its loop: see the example `signals`.
#[test]
#[allow(unsafe_code)]
fn a_signal_filter_of_somebody_else_is_told_by_its_token() {
    let selector = Selector::new().unwrap();
    // SAFETY: zeros are a value of this plain struct.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: `set` is a signal set, here and below.
    assert_eq!(unsafe { libc::sigemptyset(&mut set) }, 0);
    // SAFETY: as above.
    assert_eq!(unsafe { libc::sigaddset(&mut set, libc::SIGUSR2) }, 0);
    // SAFETY: as above; this thread runs nothing but the test.
    unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, std::ptr::null_mut()) };
    let mut theirs = kernel::zeroed();
    theirs.ident = libc::SIGUSR2 as _;
    theirs.filter = os::EVFILT_SIGNAL;
    theirs.flags = os::EV_ADD | os::EV_RECEIPT;
    theirs.udata = 9 as _;
    kernel::change(&selector.kqueue, &mut [theirs]).unwrap();
    assert!(select_now(&selector).is_empty());
    // SAFETY: the signal goes to this thread, where it waits.
    assert_eq!(unsafe { libc::raise(libc::SIGUSR2) }, 0);
    assert_eq!(select_now(&selector), [(9, os::EVFILT_SIGNAL)]);
    assert!(select_now(&selector).is_empty());
}

#[test]
fn a_peer_that_is_gone_ends_both_directions() {
    let selector = Selector::new().unwrap();
    let (mut one, other) = pair();
    selector.register(one.as_raw_fd(), Token(7), BOTH).unwrap();
    select_now(&selector);
    drop(other);
    let mut events = Vec::with_capacity(4);
    selector
        .select(&mut events, 4, Some(Duration::ZERO))
        .unwrap();
    let told: Vec<_> = events.iter().map(|event| event.readiness()).collect();
    let any = |bit| told.iter().any(|readiness| readiness.intersects(bit));
    assert!(any(Readiness::READ_CLOSED) && any(Readiness::WRITE_CLOSED));
    assert_eq!(one.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn a_one_shot_source_has_one_event_though_both_filters_are_ready() {
    let selector = Selector::new().unwrap();
    let (one, mut other) = pair();
    other.write_all(b"x").unwrap();
    let fd = one.as_raw_fd();
    for room in [1, 2, 16] {
        selector
            .reregister(fd, &(), Token(room), BOTH.oneshot())
            .unwrap();
        let mut events = Vec::with_capacity(room);
        selector
            .select(&mut events, room, Some(Duration::ZERO))
            .unwrap();
        assert_eq!(events.len(), 1, "room for {room}");
        assert_eq!(events[0].token(), Token(room));
        assert!(select_now(&selector).is_empty());
    }
    // Back to edges, of both.
    selector.reregister(fd, &(), Token(7), BOTH).unwrap();
    assert_eq!(select_now(&selector).len(), 2);
    assert!(select_now(&selector).is_empty());
    other.write_all(b"x").unwrap();
    assert!(select_now(&selector).contains(&(7, EVFILT_READ)));
}

#[test]
#[allow(unsafe_code)]
fn urgent_data_is_priority_and_nothing_else_is() {
    use std::net::{TcpListener, TcpStream};
    if !HAS_PRIORITY {
        return; // Then it is refused: see `changes`.
    }
    let selector = Selector::new().unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let (server, _) = listener.accept().unwrap();
    let fd = server.as_raw_fd();
    let interest = Interest::URGENT;
    selector.register(fd, Token(7), interest).unwrap();
    client.write_all(b"x").unwrap();
    assert!(select_now(&selector).is_empty());
    // SAFETY: the buffer is one byte long and outlives the call.
    let sent = unsafe { libc::send(client.as_raw_fd(), b"!".as_ptr().cast(), 1, libc::MSG_OOB) };
    assert_eq!(sent, 1);
    let mut events = Vec::with_capacity(4);
    let guard = Some(Duration::from_secs(20));
    selector.select(&mut events, 4, guard).unwrap();
    let told = bits(events[0].readiness());
    assert_eq!(told, [Readiness::READABLE, Readiness::PRIORITY]);
    selector
        .reregister(fd, &(), Token(7), Interest::WRITABLE)
        .unwrap();
    assert_eq!(select_now(&selector), [(7, EVFILT_WRITE)]);
}
