//! What Linux reports about Unix sockets, pipes and its own descriptors in each situation, and
//! what an event makes of it.
#![cfg(all(target_os = "linux", feature = "os-ext"))]

mod support;

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::{UnixDatagram, UnixStream};

use mio::unix::pipe;
use support::situations::{self, RawEpoll};
use support::watch::{judge_all, keep, Kept, Row, Watch, ERR, HUP, IN, NO_EVENT, OUT, RDHUP};

#[rustfmt::skip]
const UNIX: &[Row] = &[
    ("stream: peer half-closed", stream_half_closed, IN | OUT | RDHUP, "rwR"),
    ("stream: peer closed", stream_closed, IN | OUT | RDHUP | HUP, "rwRW"),
    ("stream: peer closed, data unread", stream_closed_unread, IN | OUT | RDHUP | HUP | ERR, "rweRW"),
    ("datagram: peer wrote", datagram_arrived, IN | OUT, "rw"),
    ("datagram: peer closed", datagram_closed, NO_EVENT, ""),
];

#[rustfmt::skip]
const PIPES: &[Row] = &[
    ("read end: writer closed, data left", writer_closed_data_left, IN | HUP, "rRW"),
    ("read end: writer closed, empty", writer_closed_empty, HUP, "RW"),
    ("write end: reader closed", reader_closed, OUT | ERR, "weW"),
    ("write end: reader closed while full", reader_closed_while_full, ERR, "eW"),
    ("write end: full, one byte read", full_then_byte_read, NO_EVENT, ""),
    ("write end: full, one page read", full_then_page_read, OUT, "w"),
    ("FIFO: no writer yet", fifo_without_writer, NO_EVENT, ""),
    ("FIFO: writer came and left", fifo_writer_left, HUP, "RW"),
];

#[rustfmt::skip]
const KERNEL_OBJECTS: &[Row] = &[
    ("eventfd: written", eventfd_written, IN | OUT, "rw"),
    ("eventfd: written again, not read", eventfd_written_again, IN | OUT, "rw"),
    ("epoll: inner wake-up", inner_wake, IN, "r"),
    ("epoll: one more, not harvested", inner_wake_again, IN, "r"),
];

#[test]
fn unix_sockets() {
    judge_all(UNIX);
}

#[test]
fn pipes() {
    judge_all(PIPES);
}

#[test]
fn kernel_objects() {
    judge_all(KERNEL_OBJECTS);
}

fn stream_half_closed(watch: &mut Watch) -> Kept {
    let (peer, own) = UnixStream::pair().unwrap();
    watch.start(&own);
    peer.shutdown(Shutdown::Write).unwrap();
    keep(peer, own)
}

fn stream_closed(watch: &mut Watch) -> Kept {
    let (peer, own) = UnixStream::pair().unwrap();
    watch.start(&own);
    drop(peer);
    vec![own.into()]
}

fn stream_closed_unread(watch: &mut Watch) -> Kept {
    let (peer, mut own) = UnixStream::pair().unwrap();
    own.write_all(b"never read").unwrap();
    watch.start(&own);
    drop(peer);
    vec![own.into()]
}

fn datagram_arrived(watch: &mut Watch) -> Kept {
    let (peer, own) = UnixDatagram::pair().unwrap();
    watch.start(&own);
    peer.send(b"x").unwrap();
    keep(peer, own)
}

fn datagram_closed(watch: &mut Watch) -> Kept {
    let (peer, own) = UnixDatagram::pair().unwrap();
    watch.start(&own);
    drop(peer);
    vec![own.into()]
}

fn writer_closed_data_left(watch: &mut Watch) -> Kept {
    let (mut sender, receiver) = pipe::new().unwrap();
    watch.start(&receiver);
    sender.write_all(b"x").unwrap();
    drop(sender);
    vec![receiver.into()]
}

fn writer_closed_empty(watch: &mut Watch) -> Kept {
    let (sender, receiver) = pipe::new().unwrap();
    watch.start(&receiver);
    drop(sender);
    vec![receiver.into()]
}

fn reader_closed(watch: &mut Watch) -> Kept {
    let (sender, receiver) = pipe::new().unwrap();
    watch.start(&sender);
    drop(receiver);
    vec![sender.into()]
}

/// A pipe into which not one byte more fits.
fn full_pipe() -> (pipe::Sender, pipe::Receiver) {
    let (mut sender, receiver) = pipe::new().unwrap();
    // Down to single bytes: a large write is refused while smaller ones still fit.
    for size in [4096, 1] {
        let chunk = vec![0; size];
        let error = loop {
            if let Err(error) = sender.write(&chunk) {
                break error;
            }
        };
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
    (sender, receiver)
}

fn reader_closed_while_full(watch: &mut Watch) -> Kept {
    let (sender, receiver) = full_pipe();
    watch.start(&sender);
    drop(receiver);
    vec![sender.into()]
}

fn full_then_byte_read(watch: &mut Watch) -> Kept {
    let (sender, mut receiver) = full_pipe();
    watch.start(&sender);
    receiver.read_exact(&mut [0]).unwrap();
    keep(sender, receiver)
}

fn full_then_page_read(watch: &mut Watch) -> Kept {
    let (sender, mut receiver) = full_pipe();
    watch.start(&sender);
    receiver.read_exact(&mut vec![0; 64 << 10]).unwrap();
    keep(sender, receiver)
}

/// The read end of a named pipe that nobody writes to, and what to open for writing.
fn fifo() -> (File, impl FnOnce() -> File) {
    let (dir, path) = support::temp_path("fifo");
    situations::make_fifo(&path);
    let mut options = OpenOptions::new();
    let reader = options
        .read(true)
        .custom_flags(libc::O_NONBLOCK)
        .open(&path)
        .unwrap();
    let open_writer = move || {
        let _dir = dir;
        OpenOptions::new().write(true).open(&path).unwrap()
    };
    (reader, open_writer)
}

fn fifo_without_writer(watch: &mut Watch) -> Kept {
    let (reader, _) = fifo();
    watch.add(&reader);
    vec![reader.into()]
}

fn fifo_writer_left(watch: &mut Watch) -> Kept {
    let (reader, open_writer) = fifo();
    watch.start(&reader);
    drop(open_writer());
    vec![reader.into()]
}

fn eventfd_written(watch: &mut Watch) -> Kept {
    let mut counter = File::from(situations::eventfd());
    watch.start(&counter);
    counter.write_all(&1_u64.to_ne_bytes()).unwrap();
    vec![counter.into()]
}

fn eventfd_written_again(watch: &mut Watch) -> Kept {
    let mut counter = File::from(situations::eventfd());
    watch.start(&counter);
    for _ in 0..3 {
        counter.write_all(&1_u64.to_ne_bytes()).unwrap();
        watch.judge("each write", IN | OUT, "rw");
    }
    counter.write_all(&1_u64.to_ne_bytes()).unwrap();
    vec![counter.into()]
}

/// An epoll instance that watches the second of two connected sockets.
fn inner_epoll() -> (RawEpoll, UnixStream, UnixStream) {
    let (peer, own) = UnixStream::pair().unwrap();
    let inner = RawEpoll::new();
    inner.add(&own, IN | libc::EPOLLET as u32);
    (inner, peer, own)
}

fn inner_wake(watch: &mut Watch) -> Kept {
    let (inner, mut peer, own) = inner_epoll();
    watch.start(&inner);
    peer.write_all(b"x").unwrap();
    vec![inner.into(), peer.into(), own.into()]
}

fn inner_wake_again(watch: &mut Watch) -> Kept {
    let (inner, mut peer, own) = inner_epoll();
    watch.start(&inner);
    for _ in 0..2 {
        peer.write_all(b"x").unwrap();
        watch.judge("each inner wake-up", IN, "r");
    }
    peer.write_all(b"x").unwrap();
    vec![inner.into(), peer.into(), own.into()]
}
