//! Anonymous pipes and the pipes of child processes.
#![cfg(all(unix, feature = "os-ext"))]

mod support;

use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::process::{Command, Stdio};

use mio::event::Event;
use mio::unix::pipe::{self, Receiver, Sender};
use mio::{Interest, Token};
use support::{
    assert_kind, assert_send_sync, assert_would_block, expect_events, expect_no_events,
    is_close_on_exec, is_nonblocking, poll_and_events,
};

const SENDER: Token = Token(1);
const RECEIVER: Token = Token(2);

#[test]
fn both_ends_are_non_blocking_and_close_on_exec() {
    let (sender, receiver) = pipe::new().unwrap();
    assert!(is_nonblocking(&sender) && is_close_on_exec(&sender));
    assert!(is_nonblocking(&receiver) && is_close_on_exec(&receiver));
    assert_send_sync::<Sender>();
    assert_send_sync::<Receiver>();
}

#[test]
fn empty_would_block_then_delivers() {
    let (mut poll, mut events) = poll_and_events();
    let (mut sender, mut receiver) = pipe::new().unwrap();
    assert_would_block(receiver.read(&mut [0]));
    poll.registry()
        .register(&mut receiver, RECEIVER, Interest::READABLE)
        .unwrap();
    poll.registry()
        .register(&mut sender, SENDER, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(SENDER, Event::is_writable)]);
    sender.write_all(b"through").unwrap();
    sender.flush().unwrap();
    expect_events(&mut poll, &mut events, &[(RECEIVER, Event::is_readable)]);
    let mut buffer = [0; 16];
    assert_eq!(receiver.read(&mut buffer).unwrap(), 7);
    assert_eq!(&buffer[..7], b"through");
}

#[test]
fn full_would_block_then_is_writable() {
    let (mut poll, mut events) = poll_and_events();
    let (mut sender, mut receiver) = pipe::new().unwrap();
    poll.registry()
        .register(&mut sender, SENDER, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(SENDER, Event::is_writable)]);
    let chunk = [0; 4096];
    let mut filled = 0;
    let error = loop {
        match sender.write(&chunk) {
            Ok(length) => filled += length,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), ErrorKind::WouldBlock);
    expect_no_events(&mut poll, &mut events);
    receiver.read_exact(&mut vec![0; filled]).unwrap();
    expect_events(&mut poll, &mut events, &[(SENDER, Event::is_writable)]);
    sender.write_all(&chunk).unwrap();
}

#[test]
fn shared_references_read_and_write() {
    let (sender, receiver) = pipe::new().unwrap();
    assert_eq!((&sender).write(b"a").unwrap(), 1);
    assert_eq!(
        (&sender)
            .write_vectored(&[IoSlice::new(b"b"), IoSlice::new(b"cd")])
            .unwrap(),
        3
    );
    (&sender).flush().unwrap();
    let (mut head, mut tail) = ([0; 1], [0; 8]);
    let mut slices = [IoSliceMut::new(&mut head), IoSliceMut::new(&mut tail)];
    assert_eq!((&receiver).read_vectored(&mut slices).unwrap(), 4);
    assert_eq!((&head, &tail[..3]), (b"a", b"bcd".as_slice()));
    assert_would_block((&receiver).read(&mut head));
}

#[test]
fn try_io_passes_the_result_through() {
    let (sender, receiver) = pipe::new().unwrap();
    assert_eq!(sender.try_io(|| (&sender).write(b"xyz")).unwrap(), 3);
    assert_eq!(
        receiver.try_io(|| (&receiver).read(&mut [0; 8])).unwrap(),
        3
    );
    assert_would_block(receiver.try_io(|| (&receiver).read(&mut [0; 8])));
    let other = receiver.try_io(|| Err::<(), _>(io::Error::from_raw_os_error(libc::EIO)));
    support::assert_os_error(other, libc::EIO);
}

#[test]
fn non_blocking_mode_can_be_changed() {
    let (sender, receiver) = pipe::new().unwrap();
    for on in [false, true] {
        sender.set_nonblocking(on).unwrap();
        receiver.set_nonblocking(on).unwrap();
        assert_eq!(
            (is_nonblocking(&sender), is_nonblocking(&receiver)),
            (on, on)
        );
    }
}

#[test]
fn deregistered_ends_are_silent() {
    let (mut poll, mut events) = poll_and_events();
    let (mut sender, mut receiver) = pipe::new().unwrap();
    poll.registry()
        .register(&mut receiver, RECEIVER, Interest::READABLE)
        .unwrap();
    poll.registry().deregister(&mut receiver).unwrap();
    sender.write_all(b"x").unwrap();
    drop(sender);
    expect_no_events(&mut poll, &mut events);
    assert_kind(
        poll.registry().deregister(&mut receiver),
        ErrorKind::NotFound,
    );
}

#[test]
fn descriptors_convert_both_ways() {
    let (sender, receiver) = pipe::new().unwrap();
    let (raw_sender, raw_receiver) = (sender.as_raw_fd(), receiver.as_raw_fd());
    assert_eq!(sender.as_fd().as_raw_fd(), raw_sender);
    assert_eq!(receiver.as_fd().as_raw_fd(), raw_receiver);
    let mut sender = Sender::from(OwnedFd::from(sender));
    let mut receiver = Receiver::from(OwnedFd::from(receiver));
    assert_eq!(
        (sender.as_raw_fd(), receiver.as_raw_fd()),
        (raw_sender, raw_receiver)
    );
    sender.write_all(b"x").unwrap();
    assert_eq!(receiver.read(&mut [0; 4]).unwrap(), 1);

    assert_eq!(
        (sender.into_raw_fd(), receiver.into_raw_fd()),
        (raw_sender, raw_receiver)
    );
    #[allow(unsafe_code)]
    // SAFETY: `into_raw_fd` has just given this descriptor up to us.
    let mut sender = unsafe { Sender::from_raw_fd(raw_sender) };
    #[allow(unsafe_code)]
    // SAFETY: as above.
    let mut receiver = unsafe { Receiver::from_raw_fd(raw_receiver) };
    sender.write_all(b"y").unwrap();
    assert_eq!(receiver.read(&mut [0; 4]).unwrap(), 1);
}

#[test]
fn pipes_of_a_child_process() {
    let (mut poll, mut events) = poll_and_events();
    let mut child = Command::new("cat")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = Sender::from(child.stdin.take().unwrap());
    let mut stdout = Receiver::from(child.stdout.take().unwrap());
    let mut stderr = Receiver::from(child.stderr.take().unwrap());
    // They come as they are, which is blocking.
    assert!(!is_nonblocking(&stdin) && !is_nonblocking(&stdout) && !is_nonblocking(&stderr));
    stdin.set_nonblocking(true).unwrap();
    for receiver in [&mut stdout, &mut stderr] {
        receiver.set_nonblocking(true).unwrap();
    }
    let stderr_token = Token(3);
    poll.registry()
        .register(&mut stdin, SENDER, Interest::WRITABLE)
        .unwrap();
    poll.registry()
        .register(&mut stdout, RECEIVER, Interest::READABLE)
        .unwrap();
    poll.registry()
        .register(&mut stderr, stderr_token, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(SENDER, Event::is_writable)]);
    stdin.write_all(b"echo").unwrap();
    expect_events(&mut poll, &mut events, &[(RECEIVER, Event::is_readable)]);
    let mut buffer = [0; 16];
    assert_eq!(stdout.read(&mut buffer).unwrap(), 4);
    assert_eq!(&buffer[..4], b"echo");

    drop(stdin);
    expect_events(
        &mut poll,
        &mut events,
        &[
            (RECEIVER, Event::is_read_closed),
            (stderr_token, Event::is_read_closed),
        ],
    );
    assert_eq!(stdout.read(&mut buffer).unwrap(), 0);
    assert_eq!(stderr.read(&mut buffer).unwrap(), 0);
    assert!(child.wait().unwrap().success());
}
