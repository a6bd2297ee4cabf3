//! An echo server for datagrams.
//!
//! ```text
//! cargo run --release --all-features --example udp_server [ADDRESS]
//! nc -u 127.0.0.1 13265
//! ```
//!
//! Each datagram goes back to where it came from, be it empty or as long as UDP allows. While the
//! socket's send buffer is full the server keeps the one answer that did not fit and receives no
//! more. It runs until it is stopped.

use std::env;
use std::io::{self, ErrorKind};
use std::net::SocketAddr;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

const DEFAULT_ADDRESS: &str = "127.0.0.1:13265";
const SOCKET: Token = Token(0);

/// No datagram is longer: the length field of UDP has 16 bits.
const DATAGRAM_MAX: usize = 65_535;

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let address = address.as_deref().unwrap_or(DEFAULT_ADDRESS);
    let address = address
        .parse()
        .map_err(|err| io::Error::new(ErrorKind::InvalidInput, format!("{address}: {err}")))?;

    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(1);
    let mut echo = Echo::new(UdpSocket::bind(address)?);
    let mut interest = Interest::READABLE;
    poll.registry()
        .register(&mut echo.socket, SOCKET, interest)?;
    println!("listening on {}", echo.socket.local_addr()?);

    loop {
        match poll.poll(&mut events, None) {
            Ok(()) => {}
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            Err(err) => return Err(err),
        }
        // With one source there is no token to look at, and whether the event came without cause
        // shows in the calls.
        let wanted = echo.run()?;
        if wanted != interest {
            interest = wanted;
            poll.registry()
                .reregister(&mut echo.socket, SOCKET, interest)?;
        }
    }
}

struct Echo {
    socket: UdpSocket,
    datagram: Vec<u8>,
    /// Length and destination of the answer that is still to be sent; its bytes are in `datagram`.
    unsent: Option<(usize, SocketAddr)>,
}

impl Echo {
    fn new(socket: UdpSocket) -> Echo {
        Echo {
            socket,
            datagram: vec![0; DATAGRAM_MAX],
            unsent: None,
        }
    }

    /// Echoes until the socket would block, and says for which readiness to wait.
    fn run(&mut self) -> io::Result<Interest> {
        loop {
            if let Some((len, peer)) = self.unsent {
                match self.socket.send_to(&self.datagram[..len], peer) {
                    Err(err) if err.kind() == ErrorKind::WouldBlock => {
                        return Ok(Interest::WRITABLE)
                    }
                    Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                    // The peer cannot be reached, or a firewall says no. That must not stop the
                    // others.
                    Err(err) => eprintln!("cannot answer {peer}: {err}"),
                    Ok(_) => {}
                }
                self.unsent = None;
            }
            match self.socket.recv_from(&mut self.datagram) {
                Ok(received) => self.unsent = Some(received),
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(Interest::READABLE),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                // On Windows: an earlier answer found nobody.
                Err(err) if err.kind() == ErrorKind::ConnectionReset => {}
                Err(err) => return Err(err),
            }
        }
    }
}
