//! A chat: each line that a client sends goes to all other clients.
//!
//! ```text
//! cargo run --release --all-features --example chat_server [ADDRESS [tick MILLISECONDS]]
//! nc 127.0.0.1 13265
//! ```
//!
//! The server has a voice of its own. A second thread, which may block as it likes, reads the
//! lines that are typed at the server's standard input (or, with `tick`, makes up a line now and
//! then), sends them through a channel and wakes the event loop with a [`Waker`]. A channel alone
//! would not do: the loop sleeps in `poll`, which knows nothing of channels.
//!
//! A client leaves by closing its connection or with the line `/quit`. The server stops at the end
//! of its standard input; with `tick` it runs until it is stopped.

use std::collections::{HashMap, VecDeque};
use std::env;
use std::io::{self, BufRead, ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use mio::event::Event;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token, Waker};

const DEFAULT_ADDRESS: &str = "127.0.0.1:13265";
const LISTENER: Token = Token(0);
const FEED: Token = Token(1);

/// A client that sends a longer line is disconnected.
const LINE_MAX: usize = 4 * 1024;

/// A client that has left so much unread misses what is said until it has caught up.
const UNSENT_MAX: usize = 256 * 1024;

/// How many times a client is read in a row before the others have their turn.
const READS_PER_TURN: usize = 16;

/// How long to wait before accepting again after the system refused.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

fn main() -> io::Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let (address, tick) = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        [] => (DEFAULT_ADDRESS, None),
        [address] => (address, None),
        [address, "tick", millis] => (address, Some(millis)),
        _ => return Err(invalid("usage: chat_server [ADDRESS [tick MILLISECONDS]]")),
    };
    let address = address.parse().map_err(invalid)?;
    let tick = tick
        .map(str::parse)
        .transpose()
        .map_err(invalid)?
        .map(Duration::from_millis);

    let poll = Poll::new()?;
    let waker = Arc::new(Waker::new(poll.registry(), FEED)?);
    let (lines, feed) = mpsc::channel();
    let mut chat = Chat::bind(poll, address, feed)?;
    println!("listening on {}", chat.listener.local_addr()?);

    // The waker is shared, not given away. When the feed ends its thread is gone before the loop may
    // have seen the last wake, and a wake is lost with the waker.
    let feed_waker = Arc::clone(&waker);
    // The thread is not joined: it may sit in a read of standard input for ever.
    thread::spawn(move || match tick {
        Some(period) => feed_ticks(&lines, &feed_waker, period),
        None => feed_stdin(lines, &feed_waker),
    });
    chat.run()
}

fn invalid(err: impl ToString) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, err.to_string())
}

/// Passes on what is typed, until the end.
fn feed_stdin(lines: Sender<String>, waker: &Waker) {
    for line in io::stdin().lock().lines() {
        match line {
            Ok(line) => say(&lines, waker, line),
            Err(err) => {
                eprintln!("cannot read standard input: {err}");
                break;
            }
        }
    }
    // The loop notices that the channel is closed, when it looks.
    drop(lines);
    wake(waker);
}

fn feed_ticks(lines: &Sender<String>, waker: &Waker, period: Duration) {
    let start = Instant::now();
    loop {
        thread::sleep(period);
        say(
            lines,
            waker,
            format!("up for {} ms", start.elapsed().as_millis()),
        );
    }
}

/// First the line, then the wake. The other way round the loop could look, find nothing and sleep.
fn say(lines: &Sender<String>, waker: &Waker, line: String) {
    // It fails when the chat is over. Then the process is about to end, and this thread with it.
    if lines.send(line).is_ok() {
        wake(waker);
    }
}

fn wake(waker: &Waker) {
    if let Err(err) = waker.wake() {
        eprintln!("cannot wake the event loop: {err}");
    }
}

struct Chat {
    poll: Poll,
    listener: TcpListener,
    /// Set while connections may be waiting of which no event will tell again.
    accept_pending: bool,
    feed: Receiver<String>,
    clients: HashMap<Token, Client>,
    /// Tokens are never used twice: a late event can only name a client that is gone.
    next_token: usize,
    /// What has been said, by whom, and not passed on yet.
    said: VecDeque<(Option<Token>, Vec<u8>)>,
}

impl Chat {
    fn bind(poll: Poll, address: SocketAddr, feed: Receiver<String>) -> io::Result<Chat> {
        let mut listener = TcpListener::bind(address)?;
        poll.registry()
            .register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Chat {
            poll,
            listener,
            accept_pending: false,
            feed,
            clients: HashMap::new(),
            next_token: FEED.0 + 1,
            said: VecDeque::new(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
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
                    FEED if self.feed_ended() => return Ok(()),
                    FEED => {}
                    token => self.serve(token, event),
                }
            }
            if self.accept_pending {
                self.accept();
            }
        }
    }

    /// Takes every line out of the channel, since many wakes may have become one event.
    fn feed_ended(&mut self) -> bool {
        loop {
            match self.feed.try_recv() {
                Ok(line) => {
                    self.said
                        .push_back((None, format!("server: {line}\n").into_bytes()));
                    self.pass_on();
                }
                Err(TryRecvError::Empty) => return false,
                Err(TryRecvError::Disconnected) => return true,
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
        if let Err(err) = self
            .poll
            .registry()
            .register(&mut stream, token, Interest::READABLE)
        {
            eprintln!("{address} turned away: {err}");
            return;
        }
        println!("{address} connected");
        let mut client = Client::new(stream, address);
        client
            .unsent
            .extend_from_slice(format!("welcome, {address}\n").as_bytes());
        self.clients.insert(token, client);
        self.send(token);
        self.said
            .push_back((Some(token), format!("{address} joined\n").into_bytes()));
        self.pass_on();
    }

    fn serve(&mut self, token: Token, event: &Event) {
        // A connection that hung up or failed is not always "readable" or "writable". These two
        // say when a read or a write has something to tell, be it the end or the error.
        if event.should_write() {
            self.send(token);
        }
        if event.should_read() {
            self.receive(token);
        }
        self.pass_on();
    }

    /// Reads what a client has sent, and passes its lines on.
    fn receive(&mut self, token: Token) {
        for _ in 0..READS_PER_TURN {
            let Some(client) = self.clients.get_mut(&token) else {
                return; // It was closed earlier in this batch of events.
            };
            match client.read_lines() {
                Ok(Heard::Nothing) => return,
                Ok(Heard::Lines(lines)) => {
                    let address = client.address;
                    for line in lines {
                        if line == b"/quit" {
                            return self.close(token, "quit");
                        }
                        let line = [format!("{address}: ").as_bytes(), &line, b"\n"].concat();
                        self.said.push_back((Some(token), line));
                    }
                    self.pass_on();
                }
                Ok(Heard::End) => return self.close(token, "left"),
                Err(err) => return self.close(token, &err.to_string()),
            }
        }
        // There is more to read, and no event will say so again. Registering anew makes the system
        // look, and puts this client behind all the others.
        if let Some(client) = self.clients.get_mut(&token) {
            if let Err(err) = client.reregister(&self.poll, token) {
                self.close(token, &err.to_string());
            }
        }
    }

    /// Passes on what has been said. A client that is lost on the way adds the news of it.
    fn pass_on(&mut self) {
        while let Some((speaker, text)) = self.said.pop_front() {
            let listeners = self
                .clients
                .iter_mut()
                .filter(|(token, _)| Some(**token) != speaker);
            let mut lost = Vec::new();
            for (&token, client) in listeners {
                if client.unsent.len() < UNSENT_MAX {
                    client.unsent.extend_from_slice(&text);
                }
                if let Err(err) = client.send(&self.poll, token) {
                    lost.push((token, err));
                }
            }
            for (token, err) in lost {
                self.close(token, &err.to_string());
            }
        }
    }

    fn send(&mut self, token: Token) {
        if let Some(client) = self.clients.get_mut(&token) {
            if let Err(err) = client.send(&self.poll, token) {
                self.close(token, &err.to_string());
            }
        }
    }

    fn close(&mut self, token: Token, why: &str) {
        if let Some(mut client) = self.clients.remove(&token) {
            println!("{} {why}", client.address);
            if let Err(err) = self.poll.registry().deregister(&mut client.stream) {
                eprintln!("{}: cannot deregister: {err}", client.address);
            }
            self.said
                .push_back((None, format!("{} {why}\n", client.address).into_bytes()));
        }
    }
}

/// What one read from a client gave.
enum Heard {
    Nothing,
    Lines(Vec<Vec<u8>>),
    End,
}

struct Client {
    stream: TcpStream,
    address: SocketAddr,
    /// The beginning of a line whose end has not come yet.
    partial_line: Vec<u8>,
    /// What the socket has not taken yet.
    unsent: Vec<u8>,
    /// What the registration asks for: always to read, and to write while something is unsent.
    interest: Interest,
}

impl Client {
    fn new(stream: TcpStream, address: SocketAddr) -> Client {
        let (partial_line, unsent) = (Vec::new(), Vec::new());
        Client {
            stream,
            address,
            partial_line,
            unsent,
            interest: Interest::READABLE,
        }
    }

    /// Reads once, and returns the lines which that completed, without their ends.
    fn read_lines(&mut self) -> io::Result<Heard> {
        let mut buffer = [0; LINE_MAX];
        let len = loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Ok(Heard::End),
                Ok(len) => break len,
                Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(Heard::Nothing),
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        };
        let mut lines = Vec::new();
        for piece in buffer[..len].split_inclusive(|&byte| byte == b'\n') {
            self.partial_line.extend_from_slice(piece);
            if self.partial_line.len() > LINE_MAX {
                return Err(invalid("sent too long a line"));
            }
            if self.partial_line.ends_with(b"\n") {
                self.partial_line.pop();
                if self.partial_line.ends_with(b"\r") {
                    self.partial_line.pop();
                }
                lines.push(std::mem::take(&mut self.partial_line));
            }
        }
        Ok(Heard::Lines(lines))
    }

    /// Writes what is unsent until the socket would block, and asks for a writable event exactly
    /// while something remains.
    fn send(&mut self, poll: &Poll, token: Token) -> io::Result<()> {
        let mut written = 0;
        while written < self.unsent.len() {
            match self.stream.write(&self.unsent[written..]) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(len) => written += len,
                Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                Err(err) if err.kind() == ErrorKind::Interrupted => {}
                Err(err) => return Err(err),
            }
        }
        self.unsent.drain(..written);

        let interest = match self.unsent.is_empty() {
            true => Interest::READABLE,
            false => Interest::READABLE | Interest::WRITABLE,
        };
        if interest == self.interest {
            return Ok(());
        }
        self.interest = interest;
        self.reregister(poll, token)
    }

    fn reregister(&mut self, poll: &Poll, token: Token) -> io::Result<()> {
        poll.registry()
            .reregister(&mut self.stream, token, self.interest)
    }
}
