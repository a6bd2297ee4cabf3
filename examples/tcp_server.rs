//! An echo server: one thread, one `Poll`, any number of TCP clients.
//!
//! ```text
//! cargo run --release --all-features --example tcp_server [ADDRESS]
//! nc 127.0.0.1 13265
//! ```
//!
//! Everything that a client sends comes back to it. A client that sends and does not read is read
//! no further until it has taken its echo, so no client can make the server buffer more than one
//! read. The server runs until it is stopped.

use std::collections::HashMap;
use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::Duration;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

const DEFAULT_ADDRESS: &str = "127.0.0.1:13265";
const LISTENER: Token = Token(0);

/// How many times a client is read in a row before the others have their turn.
const READS_PER_TURN: usize = 16;

/// How long to wait before accepting again after the system refused, mostly for want of
/// descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

fn main() -> io::Result<()> {
    let address = env::args().nth(1);
    let address = address.as_deref().unwrap_or(DEFAULT_ADDRESS);
    let address = address
        .parse()
        .map_err(|err| io::Error::new(ErrorKind::InvalidInput, format!("{address}: {err}")))?;

    let mut server = Server::bind(address)?;
    println!("listening on {}", server.listener.local_addr()?);
    server.run()
}

struct Server {
    poll: Poll,
    listener: TcpListener,
    /// Set while connections may be waiting of which no event will tell again.
    accept_pending: bool,
    clients: HashMap<Token, Client>,
    /// Tokens are never used twice. A late event can thus only name a client that is gone, never a
    /// wrong one.
    next_token: usize,
    /// All clients are read into the same buffer: what it holds is written before the next client
    /// is read.
    buffer: Vec<u8>,
}

impl Server {
    fn bind(address: SocketAddr) -> io::Result<Server> {
        let poll = Poll::new()?;
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Server {
            poll,
            listener,
            accept_pending: false,
            clients: HashMap::new(),
            next_token: LISTENER.0 + 1,
            buffer: vec![0; 16 * 1024],
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            // Still pending after an attempt: the system refused, so try again in a while.
            let timeout = self.accept_pending.then_some(ACCEPT_PAUSE);
            match self.poll.poll(&mut events, timeout) {
                Ok(()) => {}
                Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                Err(err) => return Err(err),
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept_pending = true,
                    token => self.serve(token),
                }
            }
            // Accepting last means that clients who left have made room for those who come.
            if self.accept_pending {
                self.accept();
            }
        }
    }

    /// Accepts until nobody waits: the next event comes only for the next connection.
    fn accept(&mut self) {
        self.accept_pending = false;
        loop {
            match self.listener.accept() {
                Ok((stream, address)) => self.admit(stream, address),
                Err(err) if err.kind() == ErrorKind::WouldBlock => return,
                // A signal came in between, or the client gave up while it waited: on to the next.
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) if err.kind() == ErrorKind::ConnectionAborted => {}
                Err(err) => {
                    eprintln!("cannot accept: {err}");
                    self.accept_pending = true;
                    return;
                }
            }
        }
    }

    fn admit(&mut self, mut stream: TcpStream, address: SocketAddr) {
        let token = Token(self.next_token);
        self.next_token += 1;
        // If bytes are there already, registering reports them: nothing that came before is missed.
        let interest = Interest::READABLE;
        if let Err(err) = self.poll.registry().register(&mut stream, token, interest) {
            eprintln!("{address} turned away: {err}");
            return;
        }
        println!("{address} connected");
        let unsent = Vec::new();
        let client = Client {
            stream,
            address,
            unsent,
            interest,
        };
        self.clients.insert(token, client);
    }

    /// Gives a client its turn. Which flags the event bears does not matter: reading and writing
    /// find out what is true now, be it data, the end or an error, and an event without cause ends
    /// in `WouldBlock`.
    fn serve(&mut self, token: Token) {
        let Some(client) = self.clients.get_mut(&token) else {
            return; // It was closed earlier in this batch of events.
        };
        let result = client.echo(&mut self.buffer).and_then(|turn| {
            let interest = match turn {
                Turn::Closed => return Ok(false),
                Turn::WaitFor(interest) if interest == client.interest => return Ok(true),
                Turn::WaitFor(interest) => interest,
                // There is more to read, and no event will say so again. Registering anew makes the
                // system look, and puts this client behind all the others.
                Turn::Unfinished => Interest::READABLE,
            };
            client.interest = interest;
            self.poll
                .registry()
                .reregister(&mut client.stream, token, interest)?;
            Ok(true)
        });
        match result {
            Ok(true) => {}
            Ok(false) => self.close(token, "disconnected"),
            Err(err) => self.close(token, &err.to_string()),
        }
    }

    fn close(&mut self, token: Token, why: &str) {
        if let Some(mut client) = self.clients.remove(&token) {
            println!("{} {why}", client.address);
            // Dropping the stream would do on most systems; taking it out first is right on all of
            // them.
            if let Err(err) = self.poll.registry().deregister(&mut client.stream) {
                eprintln!("{}: cannot deregister: {err}", client.address);
            }
        }
    }
}

/// What a client's turn came to.
enum Turn {
    /// Nothing can be done before this readiness is reported.
    WaitFor(Interest),
    /// The turn is over although there was more to read.
    Unfinished,
    /// The client has sent its last byte and has all of its echo.
    Closed,
}

struct Client {
    stream: TcpStream,
    address: SocketAddr,
    /// The part of the echo which the socket has not taken yet.
    unsent: Vec<u8>,
    /// What the registration asks for.
    interest: Interest,
}

impl Client {
    /// Echoes until reading or writing would block, the client is done, or its turn is over.
    fn echo(&mut self, buffer: &mut [u8]) -> io::Result<Turn> {
        for _ in 0..READS_PER_TURN {
            let written = write_some(&mut self.stream, &self.unsent)?;
            self.unsent.drain(..written);
            if !self.unsent.is_empty() {
                return Ok(Turn::WaitFor(Interest::WRITABLE));
            }
            match self.stream.read(buffer) {
                Ok(0) => return Ok(Turn::Closed),
                Ok(len) => {
                    let written = write_some(&mut self.stream, &buffer[..len])?;
                    self.unsent.extend_from_slice(&buffer[written..len]);
                }
                Err(err) if err.kind() == ErrorKind::WouldBlock => {
                    return Ok(Turn::WaitFor(Interest::READABLE))
                }
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        Ok(Turn::Unfinished)
    }
}

/// Writes until all is written or the socket would block, and says how much that was.
fn write_some(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < bytes.len() {
        match stream.write(&bytes[written..]) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(len) => written += len,
            Err(err) if err.kind() == ErrorKind::WouldBlock => break,
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
    Ok(written)
}
