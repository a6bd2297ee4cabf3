//! Sandboxes that know fewer system calls: without `epoll_pwait2` timeouts are coarser and
//! nothing else changes; and the calls that a workload makes are those of a short known list.

// The crate that makes the filters knows no other architectures.
#![cfg(all(target_pointer_width = "64", target_endian = "little"))]
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

use std::collections::BTreeMap;
use std::env::consts::ARCH;
use std::io::{Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use mio::unix::pipe;
use mio::{Events, Interest, Poll, Token, Waker};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);

/// Filters the calling thread: `calls` meet `matched`, all others `other`.
fn filter(calls: &[i64], matched: SeccompAction, other: SeccompAction) {
    let rules: BTreeMap<_, _> = calls.iter().map(|&call| (call, Vec::new())).collect();
    let arch = ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, other, matched, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

fn deny_pwait2(errno: i32) {
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    filter(&[libc::SYS_epoll_pwait2], answer, SeccompAction::Allow);
}

/// Timeouts with a part below a millisecond, and whole ones.
const TIMEOUTS: [Duration; 5] = [
    Duration::from_nanos(1),
    Duration::from_micros(50),
    Duration::from_micros(1001),
    Duration::from_millis(2),
    Duration::from_nanos(3_999_999),
];

fn timeouts_hold(poll: &mut Poll) {
    let mut events = Events::with_capacity(4);
    for timeout in TIMEOUTS {
        let start = Instant::now();
        poll.poll(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout, "{timeout:?} ended early");
        assert!(events.is_empty());
    }
}

fn falls_back(errno: i32) {
    let _watchdog = kernel::watchdog();
    deny_pwait2(errno);
    let mut poll = Poll::new().unwrap();
    timeouts_hold(&mut poll);
    // Once refused, the call is not tried again, by no Poll of the process: it would kill it now.
    filter(
        &[libc::SYS_epoll_pwait2],
        SeccompAction::KillProcess,
        SeccompAction::Allow,
    );
    timeouts_hold(&mut poll);
    let mut other = Poll::new().unwrap();
    timeouts_hold(&mut other);

    let waker = Waker::new(other.registry(), Token(1)).unwrap();
    timeouts_hold(&mut other);
    waker.wake().unwrap();
    let mut events = Events::with_capacity(4);
    other
        .poll(&mut events, Some(Duration::from_micros(1_000_000_001)))
        .unwrap();
    assert_eq!(events.iter().count(), 1);
}

#[test]
fn an_unknown_pwait2_is_replaced() {
    kernel::in_child("an_unknown_pwait2_is_replaced", || falls_back(libc::ENOSYS));
}

#[test]
fn a_forbidden_pwait2_is_replaced() {
    kernel::in_child("a_forbidden_pwait2_is_replaced", || falls_back(libc::EPERM));
}

#[test]
fn whole_milliseconds_never_try_pwait2() {
    kernel::in_child("whole_milliseconds_never_try_pwait2", || {
        filter(
            &[libc::SYS_epoll_pwait2],
            SeccompAction::KillProcess,
            SeccompAction::Allow,
        );
        let mut poll = Poll::new().unwrap();
        let mut events = Events::with_capacity(4);
        let mut poll_once = |timeout| poll.poll(&mut events, timeout).unwrap();
        poll_once(NOW);
        poll_once(Some(Duration::from_millis(1)));
        poll_once(Some(Duration::from_millis(3)));
    });
}

/// The calls of the queue.
#[cfg(not(mio_unsupported_force_poll_poll))]
fn waits() -> Vec<i64> {
    vec![
        libc::SYS_epoll_create1,
        libc::SYS_epoll_ctl,
        libc::SYS_epoll_pwait,
        // For sandboxes that kill on calls that they do not know, the crate can do without.
        #[cfg(not(mio_no_epoll_pwait2))]
        libc::SYS_epoll_pwait2,
        #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
        libc::SYS_epoll_wait,
    ]
}

/// The calls of the queue.
#[cfg(mio_unsupported_force_poll_poll)]
fn waits() -> Vec<i64> {
    vec![
        libc::SYS_ppoll,
        #[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
        libc::SYS_poll,
    ]
}

/// What mio 1.2 itself issues, `epoll_pwait2` and `sendmsg`, and what the Rust runtime needs.
fn allowed() -> Vec<i64> {
    let mut calls = waits();
    calls.extend([
        libc::SYS_eventfd2,
        libc::SYS_read,
        libc::SYS_write,
        libc::SYS_close,
        libc::SYS_fcntl,
    ]);
    calls.extend([
        libc::SYS_socket,
        libc::SYS_socketpair,
        libc::SYS_bind,
        libc::SYS_listen,
        libc::SYS_accept4,
        libc::SYS_connect,
        libc::SYS_getsockname,
        libc::SYS_getpeername,
        libc::SYS_setsockopt,
        libc::SYS_getsockopt,
        libc::SYS_shutdown,
        libc::SYS_recvfrom,
        libc::SYS_sendto,
        libc::SYS_readv,
        libc::SYS_writev,
        // A vectored write that must not raise SIGPIPE has no other way.
        libc::SYS_sendmsg,
        libc::SYS_pipe2,
        libc::SYS_ioctl,
    ]);
    // Memory, the clock where the vDSO does not serve, and the end of the child.
    calls.extend([
        libc::SYS_brk,
        libc::SYS_mmap,
        libc::SYS_munmap,
        libc::SYS_mremap,
        libc::SYS_clock_gettime,
        libc::SYS_exit_group,
    ]);
    calls
}

/// A readable event of `token`, or the end of the test.
fn expect(poll: &mut Poll, events: &mut Events, token: usize) {
    loop {
        poll.poll(events, None).unwrap();
        if events
            .iter()
            .any(|event| event.token() == Token(token) && event.is_readable())
        {
            return;
        }
    }
}

#[test]
fn a_filter_for_mio_lets_all_pass() {
    kernel::in_child("a_filter_for_mio_lets_all_pass", || {
        filter(&allowed(), SeccompAction::Allow, SeccompAction::KillProcess);
        workload();
    });
}

fn workload() {
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let interest = Interest::READABLE | Interest::WRITABLE;
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(16);
    let registry = poll.registry().try_clone().unwrap();
    let waker = Waker::new(&registry, Token(0)).unwrap();
    waker.wake().unwrap();
    expect(&mut poll, &mut events, 0);
    timeouts_hold(&mut poll);

    let mut listener = TcpListener::bind(any).unwrap();
    registry
        .register(&mut listener, Token(1), Interest::READABLE)
        .unwrap();
    let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    registry.register(&mut client, Token(2), interest).unwrap();
    expect(&mut poll, &mut events, 1);
    let (mut server, _) = listener.accept().unwrap();
    client.set_nodelay(true).unwrap();
    assert!(client.take_error().unwrap().is_none());
    client.peer_addr().unwrap();
    let written = server.write_vectored(&[std::io::IoSlice::new(b"mio")]);
    assert_eq!(written.unwrap(), 3);
    expect(&mut poll, &mut events, 2);
    assert_eq!(client.read(&mut [0; 8]).unwrap(), 3);
    assert!(client
        .read_vectored(&mut [std::io::IoSliceMut::new(&mut [0; 8])])
        .is_err());
    registry
        .reregister(&mut client, Token(3), interest)
        .unwrap();
    registry.deregister(&mut client).unwrap();
    client.shutdown(std::net::Shutdown::Both).unwrap();

    let mut udp = UdpSocket::bind(any).unwrap();
    registry.register(&mut udp, Token(4), interest).unwrap();
    udp.send_to(b"mio", udp.local_addr().unwrap()).unwrap();
    expect(&mut poll, &mut events, 4);
    assert_eq!(udp.recv_from(&mut [0; 8]).unwrap().0, 3);

    let (mut left, mut right) = UnixStream::pair().unwrap();
    registry.register(&mut right, Token(5), interest).unwrap();
    left.write_all(b"mio").unwrap();
    expect(&mut poll, &mut events, 5);
    assert_eq!(right.read(&mut [0; 8]).unwrap(), 3);
    let (left, right) = UnixDatagram::pair().unwrap();
    left.send(b"mio").unwrap();
    assert_eq!(right.recv(&mut [0; 8]).unwrap(), 3);

    let (mut sender, mut receiver) = pipe::new().unwrap();
    registry
        .register(&mut receiver, Token(6), Interest::READABLE)
        .unwrap();
    sender.write_all(b"mio").unwrap();
    expect(&mut poll, &mut events, 6);
    assert_eq!(receiver.read(&mut [0; 8]).unwrap(), 3);
    receiver.set_nonblocking(true).unwrap();
}
