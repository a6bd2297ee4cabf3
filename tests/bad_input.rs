//! Misuse is answered with the right error, and whatever worked before it still works.

#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

#[cfg(not(mio_unsupported_force_poll_poll))]
use std::fs::File;
#[cfg(not(mio_unsupported_force_poll_poll))]
use std::io::Write;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::{AsRawFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use mio::event::Source;
use mio::net::{TcpListener, UnixDatagram, UnixListener, UnixStream};
use mio::unix::{pipe, SourceFd};
use mio::{Events, Interest, Poll, Token};

#[path = "support/kernel.rs"]
mod kernel;

const NOW: Option<Duration> = Some(Duration::ZERO);
const READ: Interest = Interest::READABLE;

fn tokens(poll: &mut Poll) -> Vec<usize> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, NOW).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

/// As [`tokens`], once something is ready: only a kernel with edges shows anew at once what nobody
/// read.
fn wait_for_tokens(poll: &mut Poll) -> Vec<usize> {
    let mut events = Events::with_capacity(16);
    poll.poll(&mut events, None).unwrap();
    events.iter().map(|event| event.token().0).collect()
}

fn errno(result: io::Result<()>) -> Option<i32> {
    result.unwrap_err().raw_os_error()
}

/// poll(2) takes them, and calls them always ready.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
fn files_that_cannot_be_polled_are_refused() {
    let poll = Poll::new().unwrap();
    let file = tempfile::tempfile().unwrap();
    let dir = File::open("/").unwrap();
    let null = File::open("/dev/null").unwrap();
    for fd in [&file, &dir, &null].map(|file| file.as_raw_fd()) {
        let result = poll.registry().register(&mut SourceFd(&fd), Token(0), READ);
        assert_eq!(errno(result), Some(libc::EPERM));
    }
}

#[test]
fn closed_descriptors_are_refused() {
    let mut poll = Poll::new().unwrap();
    for fd in [-1, RawFd::MAX] {
        // To find out whether a number is open would cost poll(2) a system call.
        if kernel::POLL_QUEUE && fd >= 0 {
            continue;
        }
        let mut source = SourceFd(&fd);
        let registry = poll.registry();
        assert_eq!(
            errno(registry.register(&mut source, Token(0), READ)),
            Some(libc::EBADF)
        );
        assert_eq!(
            errno(registry.reregister(&mut source, Token(0), READ)),
            Some(libc::EBADF)
        );
        assert_eq!(errno(registry.deregister(&mut source)), Some(libc::EBADF));
    }
    assert_eq!(tokens(&mut poll), []);
}

#[test]
fn a_raw_descriptor_gets_the_kernels_answers() {
    let _watchdog = kernel::watchdog();
    let mut poll = Poll::new().unwrap();
    let eventfd = kernel::eventfd(1);
    let fd = eventfd.as_raw_fd();
    let mut source = SourceFd(&fd);
    let registry = poll.registry();
    assert_eq!(
        errno(registry.reregister(&mut source, Token(0), READ)),
        Some(libc::ENOENT)
    );
    assert_eq!(errno(registry.deregister(&mut source)), Some(libc::ENOENT));
    registry.register(&mut source, Token(1), READ).unwrap();
    assert_eq!(
        errno(registry.register(&mut source, Token(2), READ)),
        Some(libc::EEXIST)
    );
    assert_eq!(tokens(&mut poll), [1]);
    kernel::signal(fd);
    let seen = wait_for_tokens(&mut poll);
    assert_eq!(seen, [1], "the first registration must stand");
    poll.registry().deregister(&mut source).unwrap();
    assert_eq!(
        errno(poll.registry().deregister(&mut source)),
        Some(libc::ENOENT)
    );
    kernel::signal(fd);
    assert_eq!(tokens(&mut poll), []);
}

// poll(2) refuses no file.
#[cfg(not(mio_unsupported_force_poll_poll))]
#[test]
#[allow(unsafe_code)]
fn a_failed_register_leaves_the_source_registrable() {
    use std::os::fd::{FromRawFd, IntoRawFd};
    let mut poll = Poll::new().unwrap();
    let (mut sender, receiver) = pipe::new().unwrap();
    // A file where a pipe is expected cannot be registered; the pipe takes its place afterwards.
    let file = tempfile::tempfile().unwrap();
    let (fd, pipe_fd) = (file.into_raw_fd(), receiver.into_raw_fd());
    // SAFETY: the descriptor is open and belongs to nobody else.
    let mut receiver = unsafe { pipe::Receiver::from_raw_fd(fd) };
    for _ in 0..2 {
        let result = poll.registry().register(&mut receiver, Token(1), READ);
        assert_eq!(errno(result), Some(libc::EPERM));
    }
    let err = poll.registry().deregister(&mut receiver).unwrap_err();
    assert!(
        matches!(
            err.kind(),
            ErrorKind::NotFound | ErrorKind::PermissionDenied
        ),
        "{err}"
    );
    // SAFETY: both descriptors are open; the copy replaces the file.
    assert_eq!(unsafe { libc::dup2(pipe_fd, fd) }, fd);
    // SAFETY: the descriptor is open and its owner gave it away above.
    assert_eq!(unsafe { libc::close(pipe_fd) }, 0);
    poll.registry()
        .register(&mut receiver, Token(2), READ)
        .unwrap();
    sender.write_all(b"x").unwrap();
    assert_eq!(tokens(&mut poll), [2]);
}

#[test]
fn impossible_paths_are_invalid_input() {
    let long = "x".repeat(108);
    let datagram = UnixDatagram::unbound().unwrap();
    for path in [&*long, "nul\0inside", "nul-at-the-end\0"] {
        let kinds = [
            UnixListener::bind(path).unwrap_err().kind(),
            UnixStream::connect(path).unwrap_err().kind(),
            UnixDatagram::bind(path).unwrap_err().kind(),
            datagram.connect(path).unwrap_err().kind(),
            datagram.send_to(b"x", path).unwrap_err().kind(),
        ];
        assert_eq!(kinds, [ErrorKind::InvalidInput; 5], "{path:?}");
    }
}

/// Whoever ended it: a registration that the kernel does not know any more can be made anew.
// Those with a table of their own tell raw descriptors from sources.
#[cfg(not(any(mio_unsupported_force_poll_poll, mio_ports_emulation)))]
#[test]
fn a_registration_that_was_ended_by_its_descriptor_can_be_made_anew() {
    let poll = Poll::new().unwrap();
    let registry = poll.registry();
    let mut socket = UnixDatagram::unbound().unwrap();
    let fd = socket.as_raw_fd();
    for reregisters in [true, false] {
        registry.register(&mut socket, Token(1), READ).unwrap();
        registry.deregister(&mut SourceFd(&fd)).unwrap();
        let gone = match reregisters {
            true => registry.reregister(&mut socket, Token(2), READ),
            false => registry.deregister(&mut socket),
        };
        assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
        registry.register(&mut socket, Token(3), READ).unwrap();
        registry.deregister(&mut socket).unwrap();
    }
}

#[test]
fn the_longest_path_fits() {
    let dir = tempfile::tempdir().unwrap();
    let room = 107 - dir.path().as_os_str().as_bytes().len() - 1;
    let path = dir.path().join("x".repeat(room));
    let listener = UnixListener::bind(&path).unwrap();
    UnixStream::connect(&path).unwrap();
    let addr = listener.local_addr().unwrap();
    assert_eq!(addr.as_pathname(), Some(&*path));
}

#[test]
fn a_bad_source_does_not_fail_the_poll() {
    let mut poll = Poll::new().unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    let mut listener = TcpListener::bind(any).unwrap();
    listener.register(poll.registry(), Token(1), READ).unwrap();
    let (sender, mut receiver) = pipe::new().unwrap();
    poll.registry()
        .register(&mut receiver, Token(2), READ)
        .unwrap();
    drop(sender);
    let result = poll.registry().register(&mut SourceFd(&-1), Token(3), READ);
    assert_eq!(errno(result), Some(libc::EBADF));
    assert_eq!(tokens(&mut poll), [2]);
    drop(listener);
    drop(receiver);
    assert_eq!(tokens(&mut poll), []);
}
