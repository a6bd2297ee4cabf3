//! What WASI has: one thread, descriptors of its host and, from the second preview on, sockets.
#![cfg(all(target_os = "wasi", feature = "os-ext", feature = "net"))]

use std::io::ErrorKind;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::wasi::SourceFd;
use mio::{Events, Interest, Poll, Token, Waker};

const NOW: Option<Duration> = Some(Duration::ZERO);

fn poll_and_events() -> (Poll, Events) {
    (Poll::new().unwrap(), Events::with_capacity(16))
}

#[test]
fn a_wait_that_could_not_end_is_invalid() {
    let (mut poll, mut events) = poll_and_events();
    let refused = poll.poll(&mut events, None).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
    let pause = Duration::from_millis(5);
    let start = Instant::now();
    poll.poll(&mut events, Some(pause)).unwrap();
    assert!(events.is_empty());
    assert!(start.elapsed() >= pause);
}

#[test]
fn a_wake_is_an_event_of_the_next_poll() {
    let (mut poll, mut events) = poll_and_events();
    let wakers = [1, 2].map(|token| Waker::new(poll.registry(), Token(token)).unwrap());
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.is_empty(), "making a waker is no wake");
    for _ in 0..3 {
        wakers[0].wake().unwrap();
        wakers[0].wake().unwrap();
        // It would not end otherwise.
        poll.poll(&mut events, None).unwrap();
        let tokens: Vec<_> = events.iter().map(Event::token).collect();
        assert_eq!(tokens, [Token(1)]);
        assert!(events.iter().all(Event::is_readable));
    }
    wakers[1].wake().unwrap();
    drop(wakers);
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.is_empty());
}

#[test]
fn a_bad_descriptor_is_an_error_of_its_source() {
    let (mut poll, mut events) = poll_and_events();
    let (bad, good) = (1234, 1);
    for (fd, token) in [(bad, 7), (good, 8)] {
        let both = Interest::READABLE | Interest::WRITABLE;
        let interest = if fd == bad { both } else { Interest::WRITABLE };
        poll.registry()
            .register(&mut SourceFd(&fd), Token(token), interest)
            .unwrap();
    }
    let (mut failed, mut writable) = (false, false);
    while !(failed && writable) {
        poll.poll(&mut events, Some(Duration::from_secs(20)))
            .unwrap();
        assert!(!events.is_empty());
        for event in &events {
            failed |= event.token() == Token(7) && event.is_error();
            writable |= event.token() == Token(8) && event.is_writable();
        }
    }
    // It is told once, and then forgotten.
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.iter().all(|event| event.token() != Token(7)));
    let gone = poll.registry().deregister(&mut SourceFd(&bad));
    assert_eq!(gone.unwrap_err().kind(), ErrorKind::NotFound);
    poll.registry().deregister(&mut SourceFd(&good)).unwrap();
}

#[cfg(not(any(target_env = "p2", target_env = "p3")))]
#[test]
fn sockets_are_not_made_here() {
    use mio::net::{TcpListener, TcpStream, UdpSocket};
    let any = "127.0.0.1:0".parse().unwrap();
    let unsupported = [
        TcpListener::bind(any).map(drop),
        TcpStream::connect(any).map(drop),
        UdpSocket::bind(any).map(drop),
    ];
    for refused in unsupported {
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::Unsupported);
    }
}

#[cfg(any(target_env = "p2", target_env = "p3"))]
mod sockets {
    use super::*;
    use mio::event::Source;
    use mio::net::{TcpListener, TcpStream, UdpSocket};
    use std::io::{self, Read, Write};

    /// Tries until it does not block, and polls in between.
    fn done<S: Source, R>(
        source: &mut S,
        interest: Interest,
        mut operation: impl FnMut(&mut S) -> io::Result<R>,
    ) -> R {
        let (mut poll, mut events) = poll_and_events();
        poll.registry()
            .register(source, Token(5), interest)
            .unwrap();
        loop {
            match operation(source) {
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    poll.poll(&mut events, Some(Duration::from_secs(20)))
                        .unwrap();
                    assert!(!events.is_empty(), "nothing came");
                }
                result => {
                    poll.registry().deregister(source).unwrap();
                    return result.unwrap();
                }
            }
        }
    }

    #[test]
    fn tcp_goes_there_and_back() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let mut listener = TcpListener::bind(any.parse().unwrap()).unwrap();
            let addr = listener.local_addr().unwrap();
            let nobody = listener.accept().unwrap_err();
            assert_eq!(nobody.kind(), ErrorKind::WouldBlock);
            let mut client = TcpStream::connect(addr).unwrap();
            let (mut server, peer) = done(&mut listener, Interest::READABLE, |listener| {
                listener.accept()
            });
            done(&mut client, Interest::WRITABLE, |client| {
                match client.peer_addr() {
                    Err(err) if err.kind() == ErrorKind::NotConnected => {
                        Err(ErrorKind::WouldBlock.into())
                    }
                    connected => connected,
                }
            });
            assert_eq!(peer, client.local_addr().unwrap());
            let nothing = server.read(&mut [0; 8]).unwrap_err();
            assert_eq!(nothing.kind(), ErrorKind::WouldBlock, "it does not block");
            for _ in 0..3 {
                let sent = done(&mut client, Interest::WRITABLE, |client| {
                    client.write(b"ping")
                });
                assert_eq!(sent, 4);
                let mut buffer = [0; 8];
                let read = done(&mut server, Interest::READABLE, |server| {
                    server.read(&mut buffer)
                });
                assert_eq!(&buffer[..read], b"ping");
            }
            drop(client);
            let end = done(&mut server, Interest::READABLE, |server| {
                server.read(&mut [0; 8])
            });
            assert_eq!(end, 0);
        }
    }

    #[test]
    fn datagrams_keep_their_senders() {
        let any = "127.0.0.1:0".parse().unwrap();
        let (mut one, mut other) = (UdpSocket::bind(any).unwrap(), UdpSocket::bind(any).unwrap());
        let (from, to) = (one.local_addr().unwrap(), other.local_addr().unwrap());
        let sent = done(&mut one, Interest::WRITABLE, |one| {
            one.send_to(b"datagram", to)
        });
        assert_eq!(sent, 8);
        let mut buffer = [0; 16];
        let (read, sender) = done(&mut other, Interest::READABLE, |other| {
            other.recv_from(&mut buffer)
        });
        assert_eq!((&buffer[..read], sender), (b"datagram".as_slice(), from));
        let nothing = other.recv_from(&mut buffer).unwrap_err();
        assert_eq!(nothing.kind(), ErrorKind::WouldBlock);
    }

    #[test]
    fn a_source_can_be_dropped_while_it_is_registered() {
        let (mut poll, mut events) = poll_and_events();
        let any = "127.0.0.1:0".parse().unwrap();
        let mut gone = UdpSocket::bind(any).unwrap();
        let mut stays = UdpSocket::bind(any).unwrap();
        for (source, token) in [(&mut gone, 1), (&mut stays, 2)] {
            poll.registry()
                .register(source, Token(token), Interest::WRITABLE)
                .unwrap();
        }
        drop(gone);
        poll.poll(&mut events, Some(Duration::from_secs(20)))
            .unwrap();
        let tokens: Vec<_> = events.iter().map(Event::token).collect();
        assert_eq!(tokens, [Token(2)]);
    }
}
