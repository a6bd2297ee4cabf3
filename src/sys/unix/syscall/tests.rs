use super::*;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;

type Made = io::Result<OwnedFd>;
type Pair = io::Result<(OwnedFd, OwnedFd)>;

fn assert_flags(fd: &OwnedFd) {
    // SAFETY: these two commands take and touch no memory.
    let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFL) }).unwrap();
    assert_ne!(flags & libc::O_NONBLOCK, 0, "blocking");
    // SAFETY: as above.
    let flags = check(unsafe { libc::fcntl(fd.as_raw_fd(), libc::F_GETFD) }).unwrap();
    assert_ne!(flags & libc::FD_CLOEXEC, 0, "inherited by children");
}

/// Both sets of bodies give the same descriptors.
#[test]
fn every_body_makes_nonblocking_cloexec_descriptors() {
    let sockets: [fn(c_int, c_int) -> Made; 2] = [socket, stepwise::socket];
    for socket in sockets {
        assert_flags(&socket(libc::AF_INET, libc::SOCK_STREAM).unwrap());
        assert_flags(&socket(libc::AF_UNIX, libc::SOCK_DGRAM).unwrap());
    }

    let pairs: [fn(c_int, c_int) -> Pair; 2] = [socketpair, stepwise::socketpair];
    for pair in pairs {
        let (first, second) = pair(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
        assert_flags(&first);
        assert_flags(&second);
        UnixStream::from(first).write_all(b"over").unwrap();
        let mut buf = [0; 4];
        UnixStream::from(second).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"over");
    }

    let pipes: [fn() -> Pair; 2] = [pipe, stepwise::pipe];
    for pipe in pipes {
        let (sender, receiver) = pipe().unwrap();
        assert_flags(&sender);
        assert_flags(&receiver);
        std::fs::File::from(sender).write_all(b"out").unwrap();
        let mut buf = [0; 3];
        std::fs::File::from(receiver).read_exact(&mut buf).unwrap();
        assert_eq!(&buf, b"out");
    }
}

#[test]
fn every_body_accepts() {
    type Accept = fn(BorrowedFd<'_>) -> io::Result<(OwnedFd, SockAddr)>;
    let bodies: [Accept; 2] = [accept, accept::accept];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    for body in bodies {
        let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (fd, peer) = body(listener.as_fd()).unwrap();
        assert_flags(&fd);
        assert_eq!(peer.to_inet().unwrap(), client.local_addr().unwrap());
    }
    listener.set_nonblocking(true).unwrap();
    for body in bodies {
        let error = body(listener.as_fd()).map(drop).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    }
}

#[test]
fn more_buffers_than_the_kernel_takes_are_a_short_write() {
    let (a, b) = socketpair(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
    let bufs = vec![IoSlice::new(b"x"); IOV_MAX + 1];
    assert_eq!(sendmsg(a.as_fd(), &bufs).unwrap(), IOV_MAX);
    let mut buf = vec![0; IOV_MAX + 1];
    assert_eq!(recv(b.as_fd(), &mut buf, Receive::Peek).unwrap(), IOV_MAX);
    assert_eq!(UnixStream::from(b).read(&mut buf).unwrap(), IOV_MAX);
}

/// As writev(2) has it, which mio 1.2 calls: a peer that is gone makes no difference.
#[test]
fn a_vectored_write_of_nothing_writes_nothing() {
    let nothing: [&[IoSlice<'_>]; 3] = [
        &[],
        &[IoSlice::new(b"")],
        &[IoSlice::new(b""), IoSlice::new(b"")],
    ];
    for bufs in nothing {
        let (a, b) = socketpair(libc::AF_UNIX, libc::SOCK_SEQPACKET).unwrap();
        assert_eq!(sendmsg(a.as_fd(), bufs).unwrap(), 0);
        let error = recv(b.as_fd(), &mut [0], Receive::Peek).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::WouldBlock, "an empty message");
        drop(b);
        assert_eq!(sendmsg(a.as_fd(), bufs).unwrap(), 0);
    }
    // An empty buffer is no reason to stop before the full one.
    let (a, b) = socketpair(libc::AF_UNIX, libc::SOCK_STREAM).unwrap();
    let bufs = [IoSlice::new(b""), IoSlice::new(b"x")];
    assert_eq!(sendmsg(a.as_fd(), &bufs).unwrap(), 1);
    assert_eq!(recv(b.as_fd(), &mut [0], Receive::Peek).unwrap(), 1);
}

/// Whether `write` leaves a SIGPIPE for this thread.
fn raises_sigpipe(write: impl FnOnce() -> io::Result<usize>) -> bool {
    // SAFETY: zeros are a value of this plain struct.
    let (mut set, mut pending): (libc::sigset_t, libc::sigset_t) = unsafe { mem::zeroed() };
    // SAFETY: `set` is a signal set, here and below.
    check(unsafe { libc::sigemptyset(&mut set) }).unwrap();
    // SAFETY: as above.
    check(unsafe { libc::sigaddset(&mut set, libc::SIGPIPE) }).unwrap();
    // A blocked signal waits, even one that the process ignores, as every Rust program does.
    let no_old = std::ptr::null_mut();
    // SAFETY: as above, and this thread runs nothing but the test.
    let ret = unsafe { libc::pthread_sigmask(libc::SIG_BLOCK, &set, no_old) };
    assert_eq!(ret, 0);
    assert_eq!(write().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    // SAFETY: as above; the kernel fills a set of ours.
    check(unsafe { libc::sigpending(&mut pending) }).unwrap();
    // SAFETY: as above.
    if unsafe { libc::sigismember(&pending, libc::SIGPIPE) } != 1 {
        return false;
    }
    let mut taken = 0;
    // SAFETY: as above; the signal is there, and the kernel tells its number.
    assert_eq!(unsafe { libc::sigwait(&set, &mut taken) }, 0);
    taken == libc::SIGPIPE
}

#[test]
fn no_write_raises_sigpipe() {
    let broken = || socketpair(libc::AF_UNIX, libc::SOCK_STREAM).unwrap().0;
    let control = std::fs::File::from(broken());
    assert!(
        raises_sigpipe(|| (&control).write(b"x")),
        "the test is blind"
    );
    assert!(!raises_sigpipe(|| send(broken().as_fd(), b"x")));
    assert!(!raises_sigpipe(|| sendmsg(
        broken().as_fd(),
        &[IoSlice::new(b"x")]
    )));
}

/// The two kinds of answers that libc gives; also where the calls of this build have another.
#[test]
fn minus_one_is_the_failure() {
    for answer in [0, 1, 2] {
        assert_eq!(check(answer as c_int).unwrap(), answer);
        assert_eq!(check_len(answer as ssize_t).unwrap(), answer as usize);
    }
    // What `errno` is does not matter here.
    assert!(check(-1 as c_int).is_err());
    assert!(check_len(-1 as ssize_t).is_err());
}
