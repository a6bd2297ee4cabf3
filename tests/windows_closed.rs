//! Sockets that are closed behind the back of their owner. One test, alone in its process: the
//! numbers of what it closes must not become another test's.
#![cfg(all(windows, feature = "os-ext", feature = "net"))]

mod support;

use std::io::ErrorKind;
use std::os::windows::io::{AsRawSocket, FromRawSocket};

use mio::net::UdpSocket;
use mio::{Interest, Token};
use support::{expect_no_events, localhost, poll_and_events};

#[test]
fn a_socket_closed_under_us_harms_nobody() {
    let (mut poll, mut events) = poll_and_events();
    let mut sockets: Vec<_> = (0..100)
        .map(|_| UdpSocket::bind(localhost()).unwrap())
        .collect();
    for (token, socket) in sockets.iter_mut().enumerate() {
        poll.registry()
            .register(socket, Token(token), Interest::READABLE)
            .unwrap();
    }
    // One while its poll is not begun, one while it is pending.
    close(&sockets[7]);
    expect_no_events(&mut poll, &mut events);
    close(&sockets[70]);
    let sender = UdpSocket::bind(localhost()).unwrap();
    let good = || (0..100).filter(|token| token % 7 != 0);
    for token in good() {
        sender
            .send_to(b"x", sockets[token].local_addr().unwrap())
            .unwrap();
    }
    let mut missing: Vec<_> = good().collect();
    support::wait_until(&mut poll, &mut events, "the good ones", |event| {
        missing.retain(|&token| event.token() != Token(token));
        missing.is_empty()
    });
    // What is gone can be neither changed nor harmed.
    let changed = poll
        .registry()
        .reregister(&mut sockets[7], Token(1000), Interest::READABLE);
    assert_eq!(changed.unwrap_err().kind(), ErrorKind::NotFound);
    // That it cannot be armed again does not hide what the operation said.
    for gone in [7, 70] {
        let result = sockets[gone].try_io(|| Err::<(), _>(ErrorKind::WouldBlock.into()));
        assert_eq!(result.unwrap_err().kind(), ErrorKind::WouldBlock);
    }
    // Their numbers are not ours to close any more.
    for closed in [70, 7] {
        std::mem::forget(sockets.remove(closed));
    }
}

/// Closes the socket behind the back of its owner.
fn close(socket: &UdpSocket) {
    #[allow(unsafe_code)]
    // SAFETY: a mistake on purpose: nobody else opens sockets between this and the end of the test
    // that would get its number and be closed by the owner, which is forgotten.
    drop(unsafe { std::net::UdpSocket::from_raw_socket(socket.as_raw_socket()) });
}
