//! WASI: sockets by the standard library, one thread, and a waker that cannot be late.
//!
//! Preview 1 has no way to make a socket, so that only what needs none runs there.
#![cfg(all(target_os = "wasi", feature = "os-poll"))]

use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

const NOW: Option<Duration> = Some(Duration::ZERO);

#[test]
fn a_timeout_is_not_early_and_without_events() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    for timeout in [0, 1, 1_500, 20_000].map(Duration::from_micros) {
        let start = Instant::now();
        poll.poll(&mut events, Some(timeout)).unwrap();
        assert!(start.elapsed() >= timeout);
        assert!(events.is_empty());
    }
}

#[test]
fn a_wake_ends_the_next_poll_and_no_other() {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let wakers = [3, usize::MAX].map(|token| Waker::new(poll.registry(), Token(token)).unwrap());
    for waker in &wakers {
        waker.wake().unwrap();
        waker.wake().unwrap();
    }
    poll.poll(&mut events, None).unwrap();
    let mut told: Vec<usize> = events.iter().map(|event| event.token().0).collect();
    told.sort_unstable();
    assert_eq!(told, [3, usize::MAX]);
    poll.poll(&mut events, NOW).unwrap();
    assert!(events.is_empty());
}

#[cfg(all(feature = "net", target_env = "p2"))]
mod sockets {
    use super::*;
    use mio::net::{TcpListener, TcpStream, UdpSocket};
    use mio::Interest;
    use std::io::{self, ErrorKind, Read, Write};
    use std::net::{Ipv4Addr, Shutdown, SocketAddr};

    const ANY_PORT: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

    struct Fixture {
        poll: Poll,
        events: Events,
    }

    impl Fixture {
        fn new() -> Fixture {
            let (poll, events) = (Poll::new().unwrap(), Events::with_capacity(8));
            Fixture { poll, events }
        }

        /// Polls until the operation no longer would block.
        fn until<T>(&mut self, mut operation: impl FnMut() -> io::Result<T>) -> T {
            loop {
                match operation() {
                    Err(err) if err.kind() == ErrorKind::WouldBlock => {}
                    result => return result.unwrap(),
                }
                self.poll.poll(&mut self.events, None).unwrap();
                assert!(!self.events.is_empty());
            }
        }

        fn pair(&mut self) -> (TcpStream, TcpStream) {
            let mut listener = TcpListener::bind(ANY_PORT).unwrap();
            let registry = self.poll.registry().try_clone().unwrap();
            registry
                .register(&mut listener, Token(0), Interest::READABLE)
                .unwrap();
            let mut client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            registry.register(&mut client, Token(1), BOTH).unwrap();
            let (mut server, from) = self.until(|| listener.accept());
            registry.register(&mut server, Token(2), BOTH).unwrap();
            assert_eq!(from, client.local_addr().unwrap());
            registry.deregister(&mut listener).unwrap();
            (client, server)
        }

        /// Whether a poll that does not wait tells of this token.
        fn tells(&mut self, token: usize) -> bool {
            self.poll.poll(&mut self.events, NOW).unwrap();
            self.events.iter().any(|event| event.token().0 == token)
        }
    }

    #[test]
    fn streams_echo_and_end() {
        let mut fixture = Fixture::new();
        let (mut client, mut server) = fixture.pair();
        let text = b"words over the loopback";
        assert_eq!(fixture.until(|| client.write(text)), text.len());
        let mut buffer = [0; 64];
        let read = fixture.until(|| server.read(&mut buffer));
        assert_eq!(&buffer[..read], text);
        let again = server.read(&mut buffer).unwrap_err();
        assert_eq!(again.kind(), ErrorKind::WouldBlock);

        client.shutdown(Shutdown::Write).unwrap();
        assert_eq!(fixture.until(|| server.read(&mut buffer)), 0);
        fixture.until(|| server.write(b"!"));
        assert_eq!(fixture.until(|| client.read(&mut buffer)), 1);
    }

    #[test]
    fn an_edge_is_told_once_until_it_would_block() {
        let mut fixture = Fixture::new();
        let (mut client, mut server) = fixture.pair();
        let registry = fixture.poll.registry().try_clone().unwrap();
        registry
            .reregister(&mut server, Token(2), Interest::READABLE)
            .unwrap();
        registry
            .reregister(&mut client, Token(1), Interest::READABLE)
            .unwrap();
        for _ in 0..2 {
            fixture.until(|| client.write(b"x"));
            fixture.until(|| server.read(&mut [0; 8]));
            let none = server.read(&mut [0; 8]).unwrap_err();
            assert_eq!(none.kind(), ErrorKind::WouldBlock);
            assert!(!fixture.tells(2), "it was drained");
        }
    }

    #[test]
    fn what_was_deregistered_or_dropped_is_silent() {
        let mut fixture = Fixture::new();
        let (client, mut server) = fixture.pair();
        fixture.poll.registry().deregister(&mut server).unwrap();
        let twice = fixture.poll.registry().deregister(&mut server);
        assert_eq!(twice.unwrap_err().kind(), ErrorKind::NotFound);
        drop(client);
        assert!(!fixture.tells(1) && !fixture.tells(2));
        // The end comes to whoever registers again.
        let registry = fixture.poll.registry().try_clone().unwrap();
        registry.register(&mut server, Token(9), BOTH).unwrap();
        assert_eq!(fixture.until(|| server.read(&mut [0; 8])), 0);
    }

    #[test]
    fn a_second_registration_is_refused() {
        let mut fixture = Fixture::new();
        let (mut client, _server) = fixture.pair();
        let twice = fixture
            .poll
            .registry()
            .register(&mut client, Token(5), BOTH);
        assert_eq!(twice.unwrap_err().kind(), ErrorKind::AlreadyExists);
    }

    #[test]
    fn datagrams_come_with_their_sender() {
        let mut fixture = Fixture::new();
        let sender = UdpSocket::bind(ANY_PORT).unwrap();
        let mut receiver = UdpSocket::bind(ANY_PORT).unwrap();
        let to = receiver.local_addr().unwrap();
        fixture
            .poll
            .registry()
            .register(&mut receiver, Token(0), Interest::READABLE)
            .unwrap();
        let mut buffer = [0; 64];
        let none = receiver.recv_from(&mut buffer).unwrap_err();
        assert_eq!(none.kind(), ErrorKind::WouldBlock);
        for text in [&b"one"[..], b"two", b"three"] {
            assert_eq!(sender.send_to(text, to).unwrap(), text.len());
            let (length, from) = fixture.until(|| receiver.recv_from(&mut buffer));
            assert_eq!(
                (&buffer[..length], from),
                (text, sender.local_addr().unwrap())
            );
        }
    }
}
