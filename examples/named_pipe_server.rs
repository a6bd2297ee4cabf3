//! An echo server on a named pipe: one thread, one `Poll`, any number of clients.
//!
//! ```text
//! cargo run --release --all-features --example named_pipe_server [NAME]
//! ```
//!
//! Everything that a client sends comes back to it. Each client has an instance of the pipe; there
//! is always one more, which waits for the next client. The server runs until it is stopped.

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    windows::main()
}

#[cfg(not(windows))]
fn main() {
    println!("named pipes of this kind are on Windows only");
}

#[cfg(windows)]
mod windows {
    use std::collections::HashMap;
    use std::env;
    use std::io::{self, ErrorKind, Read, Write};

    use mio::windows::{NamedPipe, NamedPipeOptions};
    use mio::{Events, Interest, Poll, Token};

    const DEFAULT_NAME: &str = r"\\.\pipe\mio-echo";

    pub(crate) fn main() -> io::Result<()> {
        let name = env::args().nth(1).unwrap_or(DEFAULT_NAME.to_owned());
        let mut server = Server {
            poll: Poll::new()?,
            name,
            clients: HashMap::new(),
            next_token: 0,
        };
        server.await_client()?;
        println!("listening on {}", server.name);
        server.run()
    }

    struct Server {
        poll: Poll,
        name: String,
        clients: HashMap<Token, Client>,
        /// Tokens are never used twice. A late event can thus only name a client that is gone,
        /// never a wrong one.
        next_token: usize,
    }

    impl Server {
        /// Makes the instance for the next client.
        fn await_client(&mut self) -> io::Result<()> {
            let token = Token(self.next_token);
            // Of the first instance nobody else may be the server.
            let mut pipe = NamedPipeOptions::new()
                .first_instance(self.next_token == 0)
                .server(&self.name)?;
            self.next_token += 1;
            let registry = self.poll.registry();
            registry.register(&mut pipe, token, Interest::READABLE | Interest::WRITABLE)?;
            let client = Client {
                pipe,
                is_connected: false,
                echo: Vec::new(),
            };
            self.clients.insert(token, client);
            // Starts to wait; or there is a client already, who must not be kept waiting.
            self.serve(token)
        }

        fn run(&mut self) -> io::Result<()> {
            let mut events = Events::with_capacity(256);
            loop {
                self.poll.poll(&mut events, None)?;
                for event in &events {
                    self.serve(event.token())?;
                }
            }
        }

        fn serve(&mut self, token: Token) -> io::Result<()> {
            let Some(client) = self.clients.get_mut(&token) else {
                return Ok(()); // It has left since.
            };
            let was_connected = client.is_connected;
            match client.serve() {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // It has left. What was written to it still arrives.
                Ok(()) => drop(self.clients.remove(&token)),
                Err(error) => {
                    eprintln!("client {}: {error}", token.0);
                    self.clients.remove(&token);
                }
            }
            let is_connected = self
                .clients
                .get(&token)
                .map_or(true, |client| client.is_connected);
            if is_connected && !was_connected {
                self.await_client()?;
            }
            Ok(())
        }
    }

    struct Client {
        pipe: NamedPipe,
        is_connected: bool,
        /// What is still to be sent back.
        echo: Vec<u8>,
    }

    impl Client {
        /// Goes on until the client has left, or something would block: then an event will come.
        fn serve(&mut self) -> io::Result<()> {
            if !self.is_connected {
                self.pipe.connect()?;
                self.is_connected = true;
            }
            let mut buffer = [0; 4096];
            loop {
                while !self.echo.is_empty() {
                    let count = self.pipe.write(&self.echo)?;
                    self.echo.drain(..count);
                }
                let count = self.pipe.read(&mut buffer)?;
                if count == 0 {
                    return Ok(());
                }
                self.echo.extend_from_slice(&buffer[..count]);
            }
        }
    }
}
