//! `chat_server`: what one says the others hear.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::example::{connect, Example, ANY_PORT};

#[test]
fn chat_server_broadcasts() {
    let mut server = Example::run("chat_server", &[ANY_PORT]);
    let address = server.address();
    let [mut ann, mut bob, mut eve] = [0; 3].map(|_| Guest::enter(address));
    assert_eq!(ann.hears(), format!("{} joined", bob.name));
    assert_eq!(ann.hears(), format!("{} joined", eve.name));
    assert_eq!(bob.hears(), format!("{} joined", eve.name));

    ann.says("good morning\nis anybo");
    ann.says("dy there?\r\n");
    for guest in [&mut bob, &mut eve] {
        assert_eq!(guest.hears(), format!("{}: good morning", ann.name));
        assert_eq!(guest.hears(), format!("{}: is anybody there?", ann.name));
    }

    server
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"dinner is served\n")
        .unwrap();
    for guest in [&mut ann, &mut bob, &mut eve] {
        assert_eq!(guest.hears(), "server: dinner is served");
    }

    bob.says("me first\n/quit\nthis is not heard\n");
    for guest in [&mut ann, &mut eve] {
        assert_eq!(guest.hears(), format!("{}: me first", bob.name));
        assert_eq!(guest.hears(), format!("{} quit", bob.name));
    }

    eve.says(&"e".repeat(10_000));
    assert_eq!(ann.hears(), format!("{} sent too long a line", eve.name));

    let (_, status) = server.finish();
    assert!(status.success(), "{status}");
    let mut rest = String::new();
    ann.stream.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "");
}

#[test]
fn chat_server_ticks() {
    let server = Example::run("chat_server", &[ANY_PORT, "tick", "1"]);
    let mut guest = Guest::enter(server.address());
    for _ in 0..20 {
        let tick = guest.hears();
        assert!(tick.starts_with("server: up for "), "{tick}");
    }
}

/// A client of the chat, whose name is its address.
struct Guest {
    stream: BufReader<TcpStream>,
    name: String,
}

impl Guest {
    fn enter(address: SocketAddr) -> Guest {
        let stream = connect(address);
        let name = stream.local_addr().unwrap().to_string();
        let mut guest = Guest {
            stream: BufReader::new(stream),
            name,
        };
        assert_eq!(guest.hears(), format!("welcome, {}", guest.name));
        guest
    }

    fn says(&mut self, text: &str) {
        // Who says too much is thrown out, perhaps in the middle of it.
        match self.stream.get_mut().write_all(text.as_bytes()) {
            Err(err) if err.kind() == ErrorKind::ConnectionReset => {}
            Err(err) if err.kind() == ErrorKind::BrokenPipe => {}
            result => result.unwrap(),
        }
    }

    fn hears(&mut self) -> String {
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        line.strip_suffix('\n').expect("a whole line").to_owned()
    }
}
