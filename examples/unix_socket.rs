//! Unix domain sockets: a stream server with its client, then two datagram sockets.
//!
//! ```text
//! cargo run --release --all-features --example unix_socket
//! ```
//!
//! All four live in this one process and on one thread, in a directory of their own that is removed
//! at the end. The program prints what each side received and ends by itself.

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    println!("there are Unix domain sockets on Unix only");
}

#[cfg(unix)]
mod unix {
    use std::io::{self, ErrorKind, Read, Write};
    use std::net::Shutdown;
    use std::path::{Path, PathBuf};
    use std::{env, fs, process};

    use mio::net::{UnixDatagram, UnixListener, UnixStream};
    use mio::{Events, Interest, Poll, Token};

    const LISTENER: Token = Token(0);
    const SERVER: Token = Token(1);
    const CLIENT: Token = Token(2);
    const QUESTION: &[u8] = b"what is the time?";
    const ANSWER: &[u8] = b"time for tea";

    pub(crate) fn main() -> io::Result<()> {
        let directory = Directory::new()?;
        let mut poll = Poll::new()?;

        stream(&mut poll, &directory.0.join("stream"))?;
        datagram(
            &mut poll,
            &directory.0.join("server"),
            &directory.0.join("client"),
        )
    }

    /// A directory for the sockets' names. A socket's file stays when the socket is closed, and
    /// binding to a name that exists fails, so somebody has to clean up.
    struct Directory(PathBuf);

    impl Directory {
        fn new() -> io::Result<Directory> {
            let path = env::temp_dir().join(format!("mio-unix-socket-{}", process::id()));
            fs::create_dir(&path)?;
            Ok(Directory(path))
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            if let Err(err) = fs::remove_dir_all(&self.0) {
                eprintln!("cannot remove {}: {err}", self.0.display());
            }
        }
    }

    /// The client asks, closes its sending half, and reads the answer to its end.
    fn stream(poll: &mut Poll, path: &Path) -> io::Result<()> {
        let mut listener = UnixListener::bind(path)?;
        let mut client = UnixStream::connect(path)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        poll.registry()
            .register(&mut client, CLIENT, Interest::READABLE)?;
        println!("stream: listening on {}", path.display());
        // The send buffer of a new connection is empty: a few bytes fit without waiting.
        client.write_all(QUESTION)?;
        client.shutdown(Shutdown::Write)?;

        let mut server = None;
        let (mut question, mut answer) = (Vec::new(), Vec::new());
        let mut events = Events::with_capacity(16);
        loop {
            wait(poll, &mut events)?;
            for event in &events {
                match event.token() {
                    LISTENER => {
                        while let Some(mut stream) = accept(&listener)? {
                            poll.registry()
                                .register(&mut stream, SERVER, Interest::READABLE)?;
                            server = Some(stream);
                        }
                    }
                    SERVER => {
                        let Some(stream) = &mut server else { continue };
                        if read(stream, &mut question)? {
                            println!("stream: asked {:?}", String::from_utf8_lossy(&question));
                            stream.write_all(ANSWER)?;
                            poll.registry().deregister(stream)?;
                            server = None; // Closes it: the client reads the answer and the end.
                        }
                    }
                    CLIENT => {
                        if !read(&mut client, &mut answer)? {
                            continue;
                        }
                        println!("stream: told {:?}", String::from_utf8_lossy(&answer));
                        poll.registry().deregister(&mut client)?;
                        return poll.registry().deregister(&mut listener);
                    }
                    _ => {}
                }
            }
        }
    }

    /// Accepts one connection, if one waits.
    fn accept(listener: &UnixListener) -> io::Result<Option<UnixStream>> {
        loop {
            match listener.accept() {
                Ok((stream, _)) => return Ok(Some(stream)),
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    /// Reads all there is, and says whether the other side has closed.
    fn read(stream: &mut UnixStream, into: &mut Vec<u8>) -> io::Result<bool> {
        let mut buffer = [0; 1024];
        loop {
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(true),
                Ok(len) => into.extend_from_slice(&buffer[..len]),
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    /// The client has a name too, else the server could not answer it.
    fn datagram(poll: &mut Poll, server_path: &Path, client_path: &Path) -> io::Result<()> {
        let mut server = UnixDatagram::bind(server_path)?;
        let mut client = UnixDatagram::bind(client_path)?;
        poll.registry()
            .register(&mut server, SERVER, Interest::READABLE)?;
        poll.registry()
            .register(&mut client, CLIENT, Interest::READABLE)?;
        client.send_to(QUESTION, server_path)?;

        let mut buffer = [0; 1024];
        let mut events = Events::with_capacity(16);
        loop {
            wait(poll, &mut events)?;
            for event in &events {
                match event.token() {
                    SERVER => {
                        while let Some((len, peer)) = receive(&server, &mut buffer)? {
                            let question = String::from_utf8_lossy(&buffer[..len]);
                            println!("datagram: asked {question:?}");
                            match peer {
                                Some(peer) => server.send_to(ANSWER, peer).map(drop)?,
                                None => println!("datagram: nameless, so no answer"),
                            }
                        }
                    }
                    CLIENT => {
                        if let Some((len, _)) = receive(&client, &mut buffer)? {
                            let answer = String::from_utf8_lossy(&buffer[..len]);
                            println!("datagram: told {answer:?}");
                            poll.registry().deregister(&mut client)?;
                            return poll.registry().deregister(&mut server);
                        }
                    }
                    _ => {}
                }
            }
        }
    }

    /// Receives one datagram, if one waits: its length and where its sender can be answered.
    fn receive(
        socket: &UnixDatagram,
        buffer: &mut [u8],
    ) -> io::Result<Option<(usize, Option<PathBuf>)>> {
        loop {
            match socket.recv_from(buffer) {
                Ok((len, peer)) => return Ok(Some((len, peer.as_pathname().map(Path::to_owned)))),
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
    }

    fn wait(poll: &mut Poll, events: &mut Events) -> io::Result<()> {
        loop {
            match poll.poll(events, None) {
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                result => return result,
            }
        }
    }
}
