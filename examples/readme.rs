//! The README's example: a server and its client on one `Poll`, in one thread. It ends by itself.

use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};

// A token is a number of your choice; each event bears the token of its source.
const SERVER: Token = Token(0);
const CLIENT: Token = Token(1);

fn main() -> io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(128);

    // Port 0 lets the system choose a free one.
    let mut server = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))?;
    let address = server.local_addr()?;
    poll.registry()
        .register(&mut server, SERVER, Interest::READABLE)?;
    println!("listening on {address}");

    // `connect` returns at once; a writable event tells when the connection stands.
    let mut client = TcpStream::connect(address)?;
    poll.registry()
        .register(&mut client, CLIENT, Interest::READABLE | Interest::WRITABLE)?;

    let mut greeting = Vec::new();
    loop {
        // Sleeps until at least one source is ready.
        match poll.poll(&mut events, None) {
            Err(err) if err.kind() == ErrorKind::Interrupted => continue,
            result => result?,
        }
        for event in &events {
            match event.token() {
                SERVER => greet(&server)?,
                CLIENT => {
                    // Where the connection failed, the reason is here.
                    if let Some(err) = client.take_error()? {
                        return Err(err);
                    }
                    if receive(&mut client, &mut greeting)? {
                        println!("{}", String::from_utf8_lossy(&greeting));
                        return Ok(());
                    }
                }
                token => println!("an event of no source of ours: {token:?}"),
            }
        }
    }
}

/// Accepts every connection that waits, greets it and closes it.
fn greet(server: &TcpListener) -> io::Result<()> {
    loop {
        match server.accept() {
            // So short a text fits into the empty send buffer of a new connection.
            Ok((mut connection, peer)) => {
                connection.write_all(format!("hello, {peer}").as_bytes())?
            }
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
}

/// Reads all there is, and says whether the server has closed the connection.
fn receive(client: &mut TcpStream, greeting: &mut Vec<u8>) -> io::Result<bool> {
    let mut buffer = [0; 1024];
    loop {
        match client.read(&mut buffer) {
            Ok(0) => return Ok(true),
            Ok(len) => greeting.extend_from_slice(&buffer[..len]),
            // Nothing more for now, or not connected yet.
            Err(err) if matches!(err.kind(), ErrorKind::WouldBlock | ErrorKind::NotConnected) => {
                return Ok(false)
            }
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) => return Err(err),
        }
    }
}
