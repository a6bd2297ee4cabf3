//! Defects that mio 1.2.5 has or had. Each test fails there: in debug builds all of them, in
//! release those whose cause is not a debug check.
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

mod support;

use std::io::{ErrorKind, IoSlice, Write};
#[cfg(not(mio_unsupported_force_poll_poll))]
use std::os::fd::AsRawFd;

use mio::event::Event;
use mio::net::{TcpListener, TcpStream, UnixStream};
#[cfg(not(mio_unsupported_force_poll_poll))]
use mio::unix::SourceFd;
use mio::{Interest, Poll, Token};
use support::{
    accept_one, assert_kind, assert_would_block, expect_events, in_child, localhost, open_fds,
    poll_and_events, situations, wait_until,
};

const OLD: Token = Token(1);
#[cfg(not(mio_unsupported_force_poll_poll))]
const NEW: Token = Token(2);

/// Was EINVAL: the kernel's limit is what fits into a C int of bytes.
#[cfg(target_pointer_width = "64")]
#[test]
fn buffer_beyond_the_kernels_limit_works() {
    let too_many = i32::MAX as usize / std::mem::size_of::<libc::epoll_event>() + 1;
    // Address space only, as long as nobody writes to it; yet a system may refuse even that.
    if Vec::<libc::epoll_event>::new()
        .try_reserve_exact(too_many)
        .is_err()
    {
        return;
    }
    let mut poll = Poll::new().unwrap();
    let mut events = mio::Events::with_capacity(too_many);
    assert_eq!(events.capacity(), too_many);
    let (mut one, _other) = UnixStream::pair().unwrap();
    poll.registry()
        .register(&mut one, OLD, Interest::WRITABLE)
        .unwrap();
    let now = Some(std::time::Duration::ZERO);
    poll.poll(&mut events, now).unwrap();
    assert_eq!(events.iter().count(), 1);
}

/// The association was made before the kernel was asked, and stayed when it said no. With
/// poll(2) there is no kernel that would say it of this source: its table is by registration.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn failed_register_leaves_the_source_registrable() {
    let (mut poll, mut events) = poll_and_events();
    let (mut one, _other) = UnixStream::pair().unwrap();
    let fd = one.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(&fd), OLD, Interest::WRITABLE)
        .unwrap();
    for _ in 0..2 {
        let result = poll.registry().register(&mut one, NEW, Interest::WRITABLE);
        support::assert_os_error(result, libc::EEXIST);
    }
    poll.registry().deregister(&mut SourceFd(&fd)).unwrap();
    poll.registry()
        .register(&mut one, NEW, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(NEW, Event::is_writable)]);
    poll.registry().deregister(&mut one).unwrap();
}

/// Vectored writes went without `MSG_NOSIGNAL`; Rust programs ignore the signal, hosts that load
/// Rust code do not.
#[test]
fn vectored_write_to_a_closed_peer_raises_no_signal() {
    in_child("vectored_write_to_a_closed_peer_raises_no_signal", || {
        situations::die_of_broken_pipes();
        let (mut own, peer) = UnixStream::pair().unwrap();
        drop(peer);
        let slices = [IoSlice::new(b"a"), IoSlice::new(b"b")];
        assert_kind(own.write_vectored(&slices), ErrorKind::BrokenPipe);
        let (mut own, peer) = support::tcp_pair();
        situations::reset_on_close(&peer);
        drop(peer);
        let (mut poll, mut events) = poll_and_events();
        poll.registry()
            .register(&mut own, OLD, Interest::WRITABLE)
            .unwrap();
        expect_events(&mut poll, &mut events, &[(OLD, Event::is_error)]);
        own.write_vectored(&slices).unwrap_err();
        assert_kind(own.write_vectored(&slices), ErrorKind::BrokenPipe);
    });
}

/// Was reported as a failure, although the connection went on being made.
#[cfg(all(target_pointer_width = "64", target_endian = "little"))] // As `fail_syscall`.
#[test]
fn interrupted_connect_is_under_way() {
    in_child("interrupted_connect_is_under_way", || {
        let listener = TcpListener::bind(localhost()).unwrap();
        let address = listener.local_addr().unwrap();
        situations::fail_syscall(libc::SYS_connect, libc::EINTR);
        TcpStream::connect(address).unwrap();
    });
}

/// Each clone took a descriptor.
#[test]
fn registry_clone_costs_no_descriptor() {
    in_child("registry_clone_costs_no_descriptor", || {
        let poll = Poll::new().unwrap();
        let before = open_fds();
        let _clones = [(); 3].map(|()| poll.registry().try_clone().unwrap());
        assert_eq!(open_fds(), before);
    });
}

/// With a backlog of 128 the rest of a burst had to be sent again by the clock, so it could not
/// complete before the first `accept`.
#[test]
fn burst_of_connects_completes_before_any_accept() {
    let limit = std::fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap();
    let burst = 600.min(limit.trim().parse().unwrap());
    let (mut poll, mut events) = poll_and_events();
    let listener = TcpListener::bind(localhost()).unwrap();
    let address = listener.local_addr().unwrap();
    let mut clients = Vec::new();
    for index in 0..burst {
        let mut client = TcpStream::connect(address).unwrap();
        poll.registry()
            .register(&mut client, Token(index), Interest::WRITABLE)
            .unwrap();
        clients.push(client);
    }
    let mut open = vec![true; burst];
    let mut left = burst;
    wait_until(&mut poll, &mut events, "end of the burst", |event| {
        assert!(event.is_writable() && !event.is_error(), "{event:?}");
        left -= usize::from(std::mem::take(&mut open[event.token().0]));
        left == 0
    });
    for _ in 0..burst {
        drop(accept_one(|| listener.accept()));
    }
    assert_would_block(listener.accept());
}
