//! No descriptor that the crate makes is inherited by a program that is started.
//!
//! The only test of its binary, since it looks at all descriptors of the process.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]
#![allow(unsafe_code)]

use std::collections::BTreeSet;
use std::fs;

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixStream};
use mio::unix::pipe;
use mio::{Poll, Token, Waker};

/// The descriptors of this process, but for the one that lists them.
fn descriptors() -> BTreeSet<i32> {
    let entries: Vec<_> = fs::read_dir("/proc/self/fd").unwrap().collect();
    let numbers = entries.into_iter().map(|entry| {
        let name = entry.unwrap().file_name();
        name.to_str().unwrap().parse().unwrap()
    });
    numbers.filter(|fd| flags(*fd) >= 0).collect()
}

/// The descriptor's flags, negative if there is no such descriptor.
fn flags(fd: i32) -> i32 {
    // SAFETY: the call takes no pointers, and a bad descriptor is an error.
    unsafe { libc::fcntl(fd, libc::F_GETFD) }
}

#[test]
fn every_descriptor_closes_on_exec() {
    let before = descriptors();

    let poll = Poll::new().unwrap();
    let waker = Waker::new(poll.registry(), Token(0)).unwrap();
    let listener = TcpListener::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let socket = UdpSocket::bind(([127, 0, 0, 1], 0).into()).unwrap();
    let streams = UnixStream::pair().unwrap();
    let datagrams = UnixDatagram::pair().unwrap();
    let unbound = UnixDatagram::unbound().unwrap();
    let pipes = pipe::new().unwrap();

    let made: Vec<_> = descriptors().difference(&before).copied().collect();
    // The queue of poll(2) and its wakers share one.
    let queue = if cfg!(mio_unsupported_force_poll_poll) {
        1
    } else {
        2
    };
    assert!(made.len() >= 10 + queue, "{made:?}");
    for fd in made {
        assert_eq!(flags(fd) & libc::FD_CLOEXEC, libc::FD_CLOEXEC, "{fd}");
    }
    drop((poll, waker, listener, stream, socket));
    drop((streams, datagrams, unbound, pipes));
}
