//! Talks to a child process through its pipes, in both directions at once.
//!
//! ```text
//! cargo run --release --all-features --example child_process [COMMAND [ARGUMENT...]]
//! ```
//!
//! The child (`tr a-z A-Z` unless told otherwise) is given a mebibyte of text on its standard
//! input, while what it writes on its standard output is read. One must not wait for the other: a
//! program that first writes everything and then reads hangs as soon as both pipes are full. The
//! process ends as the child does, with the child's exit code.

#[cfg(unix)]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(unix))]
fn main() {
    println!("pipes of a child process can be polled on Unix only");
}

#[cfg(unix)]
mod unix {
    use std::env;
    use std::io::{self, ErrorKind, Read, Write};
    use std::process::{self, Child, Command, Stdio};

    use mio::unix::pipe::{Receiver, Sender};
    use mio::{Events, Interest, Poll, Registry, Token};

    const CHILD_INPUT: Token = Token(0);
    const CHILD_OUTPUT: Token = Token(1);

    /// Many times the capacity of a pipe, so that both pipes fill up.
    const TEXT_LEN: usize = 1024 * 1024;

    pub(crate) fn main() -> io::Result<()> {
        let mut command: Vec<String> = env::args().skip(1).collect();
        if command.is_empty() {
            command = ["tr", "a-z", "A-Z"].map(String::from).to_vec();
        }
        let mut child = Command::new(&command[0])
            .args(&command[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(|err| io::Error::new(err.kind(), format!("{}: {err}", command[0])))?;

        let text: Vec<u8> = b"the quick brown fox jumps over the lazy dog\n"
            .iter()
            .copied()
            .cycle()
            .take(TEXT_LEN)
            .collect();
        let talk = Talk::begin(&mut child, &text);
        let (written, output) = match talk.and_then(Talk::run) {
            Ok(totals) => totals,
            Err(err) => {
                // Without this the child would live on, perhaps for ever.
                child.kill()?;
                child.wait()?;
                return Err(err);
            }
        };

        // The output has ended, so the child is about to exit; a child that closes its output and
        // works on is waited for.
        let status = child.wait()?;
        println!(
            "wrote {written} bytes, read {} bytes, {status}",
            output.len()
        );
        if let Some(line) = output.split(|&byte| byte == b'\n').next() {
            println!("first line: {}", String::from_utf8_lossy(line));
        }
        process::exit(status.code().unwrap_or(1));
    }

    struct Talk<'a> {
        poll: Poll,
        /// `None` once all is written or the child reads no more.
        input: Option<Sender>,
        output: Receiver,
        /// What the child has not been given yet.
        text: &'a [u8],
        text_len: usize,
        received: Vec<u8>,
    }

    impl<'a> Talk<'a> {
        fn begin(child: &mut Child, text: &'a [u8]) -> io::Result<Talk<'a>> {
            let (Some(input), Some(output)) = (child.stdin.take(), child.stdout.take()) else {
                return Err(io::Error::new(
                    ErrorKind::NotFound,
                    "the child has no pipes",
                ));
            };
            let mut input = Sender::from(input);
            let mut output = Receiver::from(output);
            // The standard library makes blocking pipes, and a blocking source would stop the
            // whole event loop. (Only our end changes: the child's pipes stay as it expects them.)
            input.set_nonblocking(true)?;
            output.set_nonblocking(true)?;

            let poll = Poll::new()?;
            poll.registry()
                .register(&mut input, CHILD_INPUT, Interest::WRITABLE)?;
            poll.registry()
                .register(&mut output, CHILD_OUTPUT, Interest::READABLE)?;
            let (input, text_len) = (Some(input), text.len());
            Ok(Talk {
                poll,
                input,
                output,
                text,
                text_len,
                received: Vec::new(),
            })
        }

        /// Writes and reads until the child's output ends. Returns how many bytes the child was
        /// given, and what it wrote.
        fn run(mut self) -> io::Result<(usize, Vec<u8>)> {
            let mut events = Events::with_capacity(8);
            loop {
                match self.poll.poll(&mut events, None) {
                    Ok(()) => {}
                    Err(err) if err.kind() == ErrorKind::Interrupted => continue,
                    Err(err) => return Err(err),
                }
                for event in &events {
                    match event.token() {
                        // When the reader of a pipe goes, some systems report an error and some a
                        // closed write side; writing tells us in either case.
                        CHILD_INPUT if event.should_write() => self.write()?,
                        // The end of an empty pipe is a hang-up and, on Linux, *not* readable. Who
                        // asks `is_readable()` alone waits for ever.
                        CHILD_OUTPUT if event.should_read() => {
                            if !self.read()? {
                                continue;
                            }
                            self.poll.registry().deregister(&mut self.output)?;
                            return Ok((self.text_len - self.text.len(), self.received));
                        }
                        _ => {}
                    }
                }
            }
        }

        /// Writes until the pipe is full, and closes it after the last byte: that is how the child
        /// learns that its input has ended.
        fn write(&mut self) -> io::Result<()> {
            let Some(input) = &mut self.input else {
                return Ok(());
            };
            while !self.text.is_empty() {
                match input.write(self.text) {
                    Ok(0) => return Err(ErrorKind::WriteZero.into()),
                    Ok(len) => self.text = &self.text[len..],
                    Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(err) if err.kind() == ErrorKind::Interrupted => {}
                    // The child has heard enough, which is its right: `head` does so.
                    Err(err) if err.kind() == ErrorKind::BrokenPipe => break,
                    Err(err) => return Err(err),
                }
            }
            close(self.poll.registry(), self.input.take())
        }

        /// Reads until the pipe is empty, and says whether the child has closed it.
        fn read(&mut self) -> io::Result<bool> {
            let mut buffer = [0; 16 * 1024];
            loop {
                match self.output.read(&mut buffer) {
                    Ok(0) => return Ok(true),
                    Ok(len) => self.received.extend_from_slice(&buffer[..len]),
                    Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(false),
                    Err(err) if err.kind() == ErrorKind::Interrupted => {}
                    Err(err) => return Err(err),
                }
            }
        }
    }

    /// Deregisters, then closes. The order matters where a copy of the descriptor lives on, say in
    /// another child: events would keep coming, and nothing could stop them.
    fn close(registry: &Registry, pipe: Option<Sender>) -> io::Result<()> {
        match pipe {
            Some(mut pipe) => registry.deregister(&mut pipe),
            None => Ok(()),
        }
    }
}
