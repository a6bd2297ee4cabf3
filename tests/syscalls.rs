//! Each operation costs exactly the system calls of this table: what mio 1.2 needs, or fewer.
//!
//! strace counts them in a child that marks where each operation begins.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

use std::io::{IoSlice, IoSliceMut, Read, Write};
use std::net::{Shutdown, SocketAddr};
#[cfg(not(mio_unsupported_force_poll_poll))]
use std::{os::fd::AsRawFd, time::Duration};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use mio::unix::pipe;
#[cfg(not(mio_unsupported_force_poll_poll))]
use mio::{unix::SourceFd, Events};
use mio::{Interest, Poll, Token};

#[path = "support/kernel.rs"]
mod kernel;

use kernel::{check, step, Row};

#[cfg(not(mio_unsupported_force_poll_poll))]
const NOW: Option<Duration> = Some(Duration::ZERO);
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

#[cfg(not(mio_unsupported_force_poll_poll))]
const WAIT: &str = "epoll_wait|epoll_pwait";

// The table of poll(2) is that of `syscalls_poll`.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn queue_and_registration() {
    let table: &[Row] = &[
        ("Poll::new", &["epoll_create1"]),
        ("Registry::try_clone", &[]),
        ("drop the clone", &[]),
        ("register", &["epoll_ctl"]),
        ("reregister", &["epoll_ctl"]),
        ("deregister", &["epoll_ctl"]),
        ("register SourceFd", &["epoll_ctl"]),
        ("poll, one event", &[WAIT]),
        ("poll, none", &[WAIT]),
        ("poll, a millisecond", &[WAIT]),
        ("poll, a microsecond", &["epoll_pwait2"]),
        ("Events", &[]),
        ("drop Poll", &["close"]),
    ];
    let sections = kernel::strace("queue_and_registration", &[], || {
        let mut poll = step("Poll::new", Poll::new).unwrap();
        let clone = step("Registry::try_clone", || poll.registry().try_clone()).unwrap();
        step("drop the clone", || drop(clone));
        let (_sender, mut receiver) = pipe::new().unwrap();
        let registry = poll.registry();
        step("register", || {
            registry.register(&mut receiver, Token(0), BOTH)
        })
        .unwrap();
        step("reregister", || {
            registry.reregister(&mut receiver, Token(0), BOTH)
        })
        .unwrap();
        step("deregister", || registry.deregister(&mut receiver)).unwrap();
        let eventfd = kernel::eventfd(1);
        let fd = eventfd.as_raw_fd();
        let mut source = SourceFd(&fd);
        step("register SourceFd", || {
            registry.register(&mut source, Token(1), BOTH)
        })
        .unwrap();
        let mut events = step("Events", || Events::with_capacity(16));
        step("poll, one event", || poll.poll(&mut events, None)).unwrap();
        step("poll, none", || poll.poll(&mut events, NOW)).unwrap();
        let (ms, us) = (Duration::from_millis(1), Duration::from_micros(1));
        step("poll, a millisecond", || poll.poll(&mut events, Some(ms))).unwrap();
        step("poll, a microsecond", || poll.poll(&mut events, Some(us))).unwrap();
        step("drop Poll", || drop(poll));
    });
    check(&sections, table);
}

#[test]
fn tcp() {
    let table: &[Row] = &[
        ("bind", &["socket", "setsockopt", "bind", "listen"]),
        ("connect", &["socket", "connect"]),
        ("accept", &["accept4"]),
        ("accept, none", &["accept4"]),
        ("local_addr", &["getsockname"]),
        ("peer_addr", &["getpeername"]),
        ("set_nodelay", &["setsockopt"]),
        ("nodelay", &["getsockopt"]),
        ("take_error", &["getsockopt"]),
        ("write", &["sendto"]),
        ("write_vectored", &["sendmsg"]),
        ("flush", &[]),
        ("peek", &["recvfrom"]),
        ("read", &["recvfrom"]),
        ("read_vectored", &["readv|recvmsg"]),
        ("read, none", &["recvfrom"]),
        ("try_io", &[]),
        ("shutdown", &["shutdown"]),
        ("drop, registered", &["close"]),
        ("drop the listener", &["close"]),
    ];
    let sections = kernel::strace("tcp", &[], || {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let poll = Poll::new().unwrap();
        let listener = step("bind", || TcpListener::bind(any)).unwrap();
        let addr = step("local_addr", || listener.local_addr()).unwrap();
        let mut client = step("connect", || TcpStream::connect(addr)).unwrap();
        let (mut server, _) = step("accept", || listener.accept()).unwrap();
        step("accept, none", || listener.accept()).unwrap_err();
        step("peer_addr", || client.peer_addr()).unwrap();
        step("set_nodelay", || client.set_nodelay(true)).unwrap();
        step("nodelay", || client.nodelay()).unwrap();
        step("take_error", || client.take_error()).unwrap();
        let slices = [IoSlice::new(b"one"), IoSlice::new(b"two")];
        step("write", || client.write(b"onetwo")).unwrap();
        step("write_vectored", || client.write_vectored(&slices)).unwrap();
        step("flush", || client.flush()).unwrap();
        step("peek", || server.peek(&mut [0; 6])).unwrap();
        step("read", || server.read(&mut [0; 6])).unwrap();
        let mut buffer = [0; 6];
        let mut slices = [IoSliceMut::new(&mut buffer)];
        step("read_vectored", || server.read_vectored(&mut slices)).unwrap();
        step("read, none", || server.read(&mut [0; 6])).unwrap_err();
        step("try_io", || server.try_io(|| Ok(()))).unwrap();
        step("shutdown", || client.shutdown(Shutdown::Both)).unwrap();
        poll.registry()
            .register(&mut client, Token(0), BOTH)
            .unwrap();
        step("drop, registered", || drop(client));
        step("drop the listener", || drop(listener));
    });
    check(&sections, table);
}

#[test]
fn datagrams_and_unix() {
    let table: &[Row] = &[
        ("UdpSocket::bind", &["socket", "bind"]),
        ("UdpSocket::connect", &["connect"]),
        ("UdpSocket::send_to", &["sendto"]),
        ("UdpSocket::send", &["sendto"]),
        ("UdpSocket::recv", &["recvfrom"]),
        ("UdpSocket::recv_from", &["recvfrom"]),
        ("UnixListener::bind", &["socket", "bind", "listen"]),
        ("UnixStream::connect", &["socket", "connect"]),
        ("UnixListener::accept", &["accept4"]),
        ("UnixStream::pair", &["socketpair"]),
        ("UnixStream::write", &["sendto"]),
        ("UnixStream::read", &["recvfrom"]),
        ("UnixDatagram::bind", &["socket", "bind"]),
        ("UnixDatagram::unbound", &["socket"]),
        ("UnixDatagram::send_to", &["sendto"]),
        ("UnixDatagram::recv_from", &["recvfrom|recvmsg"]),
        ("UnixDatagram::connect", &["connect"]),
        ("UnixDatagram::send", &["sendto|write"]),
        ("UnixDatagram::recv", &["recvfrom"]),
        ("UnixDatagram::pair", &["socketpair"]),
        ("pipe::new", &["pipe2"]),
        ("pipe write", &["write"]),
        ("pipe read", &["read"]),
        ("pipe set_nonblocking", &["ioctl"]),
    ];
    let dir = tempfile::tempdir().unwrap();
    let sections = kernel::strace("datagrams_and_unix", &[], || {
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let udp = step("UdpSocket::bind", || UdpSocket::bind(any)).unwrap();
        let addr = udp.local_addr().unwrap();
        step("UdpSocket::send_to", || udp.send_to(b"x", addr)).unwrap();
        step("UdpSocket::recv_from", || udp.recv_from(&mut [0; 8])).unwrap();
        step("UdpSocket::connect", || udp.connect(addr)).unwrap();
        step("UdpSocket::send", || udp.send(b"x")).unwrap();
        step("UdpSocket::recv", || udp.recv(&mut [0; 8])).unwrap();

        let (path, other) = (dir.path().join("stream"), dir.path().join("datagram"));
        let listener = step("UnixListener::bind", || UnixListener::bind(&path)).unwrap();
        step("UnixStream::connect", || UnixStream::connect(&path)).unwrap();
        step("UnixListener::accept", || listener.accept()).unwrap();
        let (mut left, mut right) = step("UnixStream::pair", UnixStream::pair).unwrap();
        step("UnixStream::write", || left.write(b"x")).unwrap();
        step("UnixStream::read", || right.read(&mut [0; 8])).unwrap();

        let bound = step("UnixDatagram::bind", || UnixDatagram::bind(&other)).unwrap();
        let unbound = step("UnixDatagram::unbound", UnixDatagram::unbound).unwrap();
        step("UnixDatagram::send_to", || unbound.send_to(b"x", &other)).unwrap();
        step("UnixDatagram::recv_from", || bound.recv_from(&mut [0; 8])).unwrap();
        step("UnixDatagram::connect", || unbound.connect(&other)).unwrap();
        step("UnixDatagram::send", || unbound.send(b"x")).unwrap();
        step("UnixDatagram::recv", || bound.recv(&mut [0; 8])).unwrap();
        step("UnixDatagram::pair", UnixDatagram::pair).unwrap();

        let (mut sender, mut receiver) = step("pipe::new", pipe::new).unwrap();
        step("pipe write", || sender.write(b"x")).unwrap();
        step("pipe read", || receiver.read(&mut [0; 8])).unwrap();
        step("pipe set_nonblocking", || receiver.set_nonblocking(true)).unwrap();
    });
    check(&sections, table);
}
