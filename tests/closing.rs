//! How the end of a stream, of one direction or by force, shows itself.
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::Shutdown;

use mio::event::Event;
use mio::net::TcpStream;
#[cfg(unix)]
use mio::net::UnixStream;
use mio::{Interest, Token};
use support::{
    assert_kind, assert_would_block, every_pair, expect_events, expect_no_events, poll_and_events,
    tells_end, Pair, HANG_GUARD,
};

const OWN: Token = Token(1);
const PEER: Token = Token(2);

every_pair!(
    dropped_writer_is_end_of_stream,
    data_before_the_end_is_not_lost,
    dropped_reader_breaks_the_writer,
    end_before_register_is_reported,
);

/// Reads until the end of the stream, waiting where it must, and gives back what came.
fn read_to_end(poll: &mut mio::Poll, reader: &mut impl Read) -> Vec<u8> {
    let mut events = mio::Events::with_capacity(4);
    let mut bytes = Vec::new();
    loop {
        let mut chunk = [0; 16];
        match reader.read(&mut chunk) {
            Ok(0) => return bytes,
            Ok(length) => bytes.extend_from_slice(&chunk[..length]),
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                poll.poll(&mut events, Some(HANG_GUARD)).unwrap();
                assert!(!events.is_empty(), "no event while waiting for the end");
            }
            Err(error) => panic!("read: {error}"),
        }
    }
}

fn dropped_writer_is_end_of_stream<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OWN, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    assert_would_block(reader.read(&mut [0]));
    drop(writer);
    expect_events(&mut poll, &mut events, &[(OWN, tells_end)]);
    for _ in 0..3 {
        assert_eq!(reader.read(&mut [0]).unwrap(), 0, "the end stays the end");
    }
}

fn data_before_the_end_is_not_lost<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, OWN, Interest::READABLE)
        .unwrap();
    let sent: Vec<u8> = (0..200).collect();
    writer.write_all(&sent).unwrap();
    drop(writer);
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    // Not every system tells of the end while there is data before it.
    if cfg!(unix) {
        poll.registry()
            .reregister(&mut reader, OWN, Interest::READABLE)
            .unwrap();
        expect_events(&mut poll, &mut events, &[(OWN, tells_end)]);
    }
    assert_eq!(read_to_end(&mut poll, &mut reader), sent);
}

fn dropped_reader_breaks_the_writer<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut writer, OWN, Interest::WRITABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_writable)]);
    // With data that nobody read the end is a reset on sockets, and a broken pipe on all.
    writer.write_all(b"never read").unwrap();
    poll.registry()
        .register(&mut reader, PEER, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(PEER, Event::is_readable)]);
    drop(reader);
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_write_closed)]);
    let error = writer.write(b"x").unwrap_err();
    assert!(
        matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::ConnectionReset
        ),
        "{error}"
    );
    if cfg!(unix) {
        assert_kind(writer.write(b"x"), ErrorKind::BrokenPipe);
    }
}

fn end_before_register_is_reported<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (writer, mut reader) = P::connected();
    drop(writer);
    poll.registry()
        .register(&mut reader, OWN, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, tells_end)]);
    assert_eq!(read_to_end(&mut poll, &mut reader), b"");
}

/// What the half-close tests need of both stream sockets.
trait Duplex: Read + Write + mio::event::Source {
    fn shut(&self, how: Shutdown) -> std::io::Result<()>;
}

impl Duplex for TcpStream {
    fn shut(&self, how: Shutdown) -> std::io::Result<()> {
        self.shutdown(how)
    }
}

#[cfg(unix)]
impl Duplex for UnixStream {
    fn shut(&self, how: Shutdown) -> std::io::Result<()> {
        self.shutdown(how)
    }
}

/// Writing was ended by us.
fn assert_shut(result: std::io::Result<usize>) {
    #[cfg(unix)]
    assert_kind(result, ErrorKind::BrokenPipe);
    #[cfg(windows)]
    support::assert_os_error(
        result,
        windows_sys::Win32::Networking::WinSock::WSAESHUTDOWN,
    );
}

fn half_close_leaves_the_other_direction(mut own: impl Duplex, mut peer: impl Duplex) {
    let (mut poll, mut events) = poll_and_events();
    let both = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut own, OWN, both).unwrap();
    poll.registry().register(&mut peer, PEER, both).unwrap();
    own.shut(Shutdown::Write).unwrap();
    expect_events(&mut poll, &mut events, &[(PEER, tells_end)]);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    assert_shut(own.write(b"x"));

    peer.write_all(b"answer").unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_readable)]);
    let mut answer = [0; 6];
    own.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"answer");

    drop(peer);
    expect_events(&mut poll, &mut events, &[(OWN, tells_end)]);
    assert_eq!(own.read(&mut [0]).unwrap(), 0);
}

#[test]
fn tcp_half_close_leaves_the_other_direction() {
    let (own, peer) = support::tcp_pair();
    half_close_leaves_the_other_direction(own, peer);
}

#[cfg(unix)]
#[test]
fn unix_half_close_leaves_the_other_direction() {
    let (own, peer) = UnixStream::pair().unwrap();
    half_close_leaves_the_other_direction(own, peer);
}

/// Of its own doing a socket is not told on Windows.
#[cfg(unix)]
fn own_shutdown_of_both_directions(mut own: impl Duplex, mut peer: impl Duplex) {
    let (mut poll, mut events) = poll_and_events();
    poll.registry()
        .register(&mut own, OWN, Interest::READABLE)
        .unwrap();
    poll.registry()
        .register(&mut peer, PEER, Interest::READABLE)
        .unwrap();
    own.shut(Shutdown::Both).unwrap();
    expect_events(
        &mut poll,
        &mut events,
        &[(OWN, tells_end), (PEER, tells_end)],
    );
    assert_eq!(own.read(&mut [0]).unwrap(), 0);
    assert_eq!(peer.read(&mut [0]).unwrap(), 0);
    assert_kind(own.write(b"x"), ErrorKind::BrokenPipe);
}

#[cfg(unix)]
#[test]
fn tcp_shutdown_of_both_directions() {
    let (own, peer) = support::tcp_pair();
    own_shutdown_of_both_directions(own, peer);
}

#[cfg(unix)]
#[test]
fn unix_shutdown_of_both_directions() {
    let (own, peer) = UnixStream::pair().unwrap();
    own_shutdown_of_both_directions(own, peer);
}

#[cfg(unix)] // A reset is no error of the event on Windows.
#[test]
fn shutdown_of_an_unconnected_peer_is_the_systems_error() {
    let (own, peer) = support::tcp_pair();
    support::situations::reset_on_close(&peer);
    drop(peer);
    let (mut poll, mut events) = poll_and_events();
    let mut own = own;
    poll.registry()
        .register(&mut own, OWN, Interest::READABLE)
        .unwrap();
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_error)]);
    assert_kind(own.shutdown(Shutdown::Write), ErrorKind::NotConnected);
}

#[cfg(unix)]
#[test]
fn reset_is_an_error_that_is_taken_once() {
    let (mut poll, mut events) = poll_and_events();
    let (mut own, peer) = support::tcp_pair();
    poll.registry()
        .register(&mut own, OWN, Interest::READABLE)
        .unwrap();
    expect_no_events(&mut poll, &mut events);
    support::situations::reset_on_close(&peer);
    drop(peer);
    expect_events(
        &mut poll,
        &mut events,
        &[
            (OWN, Event::is_error),
            (OWN, Event::is_read_closed),
            (OWN, Event::is_write_closed),
        ],
    );
    let error = own.take_error().unwrap().expect("the reset");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset);
    assert!(own.take_error().unwrap().is_none());
    assert_eq!(own.read(&mut [0]).unwrap(), 0);
}

/// An error that nobody takes is told for ever by poll(2), which must not hide what else comes.
#[cfg(mio_unsupported_force_poll_poll)]
#[test]
fn an_error_does_not_hide_room_to_write() {
    let (mut poll, mut events) = poll_and_events();
    let (mut own, mut peer) = support::tcp_pair();
    support::situations::tell_what_was_sent(&own);
    poll.registry()
        .register(&mut own, OWN, Interest::WRITABLE)
        .unwrap();
    let mut sent = 0;
    loop {
        while let Ok(length) = own.write(&[0; 4096]) {
            sent += length;
        }
        poll.poll(&mut events, Some(HANG_GUARD)).unwrap();
        if !events.iter().any(Event::is_writable) {
            break;
        }
    }
    assert!(events.iter().any(Event::is_error));
    while sent > 0 {
        match peer.read(&mut [0; 4096]) {
            Ok(length) => sent -= length,
            Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock),
        }
    }
    expect_events(&mut poll, &mut events, &[(OWN, Event::is_writable)]);
}
