//! A pipe, its kernel as a model, and what must hold after every step.

use super::super::*;
use std::collections::VecDeque;
use std::io::{IoSlice, IoSliceMut};

/// A server, of bytes.
pub(super) const SERVER: Kind = Kind {
    pipe: true,
    messages: false,
    server: true,
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    RegisterRead,
    RegisterWrite,
    RegisterBoth,
    Deregister,
    Connect,
    Disconnect,
    ReadOne,
    ReadAll,
    Write,
    Drop,
    PeerConnect,
    PeerSend,
    PeerTake,
    PeerClose,
    /// Another handle's owner cancels what is under way.
    ForeignCancel,
    Dequeue,
}

pub(super) const ALL: &[Step] = &[
    Step::RegisterRead,
    Step::RegisterWrite,
    Step::RegisterBoth,
    Step::Deregister,
    Step::Connect,
    Step::Disconnect,
    Step::ReadOne,
    Step::ReadAll,
    Step::Write,
    Step::Drop,
    Step::PeerConnect,
    Step::PeerSend,
    Step::PeerTake,
    Step::PeerClose,
    Step::ForeignCancel,
    Step::Dequeue,
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Peer {
    Awaited,
    Here,
    Closed,
    ThrownOut,
}

#[derive(Debug)]
enum Packet {
    Connect(End),
    Read(Vec<u8>, End),
    Write(Vec<u8>, usize, End),
    Posted,
}

/// The kernel's side: one instance of a pipe, and the port.
#[derive(Debug)]
pub(super) struct Model {
    peer: Peer,
    incoming: VecDeque<u8>,
    connecting: bool,
    reading: Option<Vec<u8>>,
    writing: Option<(Vec<u8>, usize)>,
    packets: VecDeque<Packet>,
    /// Operations whose packets were not dequeued: connect, read, write, posted.
    lent: [bool; 4],
    /// What one read gets at most.
    pub(super) chunk: usize,
    pub(super) received: Vec<u8>,
    pub(super) cannot_post: bool,
    pub(super) cannot_connect: bool,
}

impl Model {
    fn lend(&mut self, what: usize) {
        assert!(!self.lent[what], "started while it was under way");
        self.lent[what] = true;
    }

    fn next(&mut self) -> Option<Packet> {
        let packet = self.packets.pop_front()?;
        let what = match packet {
            Packet::Connect(_) => 0,
            Packet::Read(..) => 1,
            Packet::Write(..) => 2,
            Packet::Posted => 3,
        };
        assert!(self.lent[what]);
        self.lent[what] = false;
        Some(packet)
    }

    pub(super) fn peer_connects(&mut self) {
        self.peer = Peer::Here;
        if mem::take(&mut self.connecting) {
            self.packets.push_back(Packet::Connect(End::Bytes(0)));
        }
    }

    pub(super) fn connect_fails(&mut self) {
        assert!(mem::take(&mut self.connecting));
        let err = End::Failed(ErrorKind::PermissionDenied.into());
        self.packets.push_back(Packet::Connect(err));
    }

    pub(super) fn peer_sends(&mut self, bytes: &[u8]) {
        self.incoming.extend(bytes);
        if let Some(buf) = self.reading.take() {
            self.fill(buf);
        }
    }

    fn fill(&mut self, mut buf: Vec<u8>) {
        let count = self.incoming.len().min(self.chunk).min(buf.len());
        for (to, from) in buf.iter_mut().zip(self.incoming.drain(..count)) {
            *to = from;
        }
        self.packets.push_back(Packet::Read(buf, End::Bytes(count)));
    }

    pub(super) fn peer_takes(&mut self) {
        self.takes_part(usize::MAX);
    }

    pub(super) fn takes_part(&mut self, most: usize) {
        if let Some((buf, sent)) = self.writing.take() {
            let count = (buf.len() - sent).min(most);
            self.received.extend(&buf[sent..sent + count]);
            let end = End::Bytes(count);
            self.packets.push_back(Packet::Write(buf, sent, end));
        }
    }

    pub(super) fn peer_closes(&mut self) {
        self.peer = Peer::Closed;
        self.end_all(|| End::Closed);
    }

    fn end_all(&mut self, end: fn() -> End) {
        if let Some(buf) = self.reading.take() {
            self.packets.push_back(Packet::Read(buf, end()));
        }
        if let Some((buf, sent)) = self.writing.take() {
            self.packets.push_back(Packet::Write(buf, sent, end()));
        }
        if mem::take(&mut self.connecting) {
            self.packets.push_back(Packet::Connect(end()));
        }
    }

    fn has_peer(&self) -> bool {
        matches!(self.peer, Peer::Here | Peer::Closed)
    }

    pub(super) fn assert_no_read(&self) {
        assert!(self.reading.is_none());
    }
}

fn not_connected() -> End {
    End::Failed(ErrorKind::NotConnected.into())
}

impl Kernel for Model {
    fn read(&mut self, buf: Vec<u8>) -> Result<(), (End, Vec<u8>)> {
        assert!(!buf.is_empty());
        let end = match self.peer {
            Peer::Awaited => Some(End::Listening),
            Peer::ThrownOut => Some(not_connected()),
            Peer::Closed if self.incoming.is_empty() => Some(End::Closed),
            Peer::Closed | Peer::Here => None,
        };
        if let Some(end) = end {
            return Err((end, buf));
        }
        self.lend(1);
        if self.incoming.is_empty() {
            self.reading = Some(buf);
        } else {
            // At once, and with a packet all the same.
            self.fill(buf);
        }
        Ok(())
    }

    fn write(&mut self, buf: Vec<u8>, sent: usize) -> Result<(), (io::Error, Vec<u8>)> {
        match self.peer {
            Peer::Awaited | Peer::ThrownOut => Err((ErrorKind::NotConnected.into(), buf)),
            Peer::Closed => Err((ErrorKind::BrokenPipe.into(), buf)),
            Peer::Here => {
                self.lend(2);
                self.writing = Some((buf, sent));
                Ok(())
            }
        }
    }

    fn connect(&mut self) -> Connecting {
        if self.cannot_connect {
            return Connecting::Failed(ErrorKind::PermissionDenied.into());
        }
        match self.peer {
            Peer::Here | Peer::Closed => Connecting::Connected,
            Peer::Awaited | Peer::ThrownOut => {
                self.peer = Peer::Awaited;
                self.lend(0);
                self.connecting = true;
                Connecting::Started
            }
        }
    }

    fn disconnect(&mut self) -> io::Result<()> {
        self.peer = Peer::ThrownOut;
        self.incoming.clear();
        // What is under way must be cancelled: not every kernel ends it here.
        Ok(())
    }

    fn cancel(&mut self, what: What) {
        match what {
            What::Connect if mem::take(&mut self.connecting) => {
                self.packets.push_back(Packet::Connect(End::Cancelled));
            }
            What::Read => {
                if let Some(buf) = self.reading.take() {
                    self.packets.push_back(Packet::Read(buf, End::Cancelled));
                }
            }
            What::Write => {
                if let Some((buf, sent)) = self.writing.take() {
                    let packet = Packet::Write(buf, sent, End::Cancelled);
                    self.packets.push_back(packet);
                }
            }
            What::Connect => {}
        }
    }

    fn post(&mut self) -> io::Result<()> {
        if self.cannot_post {
            return Err(ErrorKind::OutOfMemory.into());
        }
        self.lend(3);
        self.packets.push_back(Packet::Posted);
        Ok(())
    }
}

/// A pipe, its kernel, and what the caller knows.
pub(super) struct World {
    pub(super) pipe: Pipe,
    pub(super) kernel: Model,
    /// Token and interest, while registered.
    registered: Option<(Token, Interest)>,
    tokens: usize,
    /// Bytes that the peer sent and the caller did not get.
    unread: VecDeque<u8>,
    sent: u8,
    /// Bytes that the caller wrote, of which the peer must get a prefix.
    accepted: Vec<u8>,
    /// The caller may count on an event of that direction.
    read_awaited: bool,
    write_awaited: bool,
    /// The caller waits for a client, and was told to go on waiting.
    connecting: bool,
    /// The caller waited for this client, or it was there at the registration.
    introduced: bool,
    dropped: bool,
    path: Vec<Step>,
}

impl World {
    pub(super) fn new() -> World {
        let mut pipe = Pipe::new(SERVER);
        // Small, as the steps are many.
        pipe.read_size = 8;
        World {
            pipe,
            kernel: Model {
                peer: Peer::Awaited,
                incoming: VecDeque::new(),
                connecting: false,
                reading: None,
                writing: None,
                packets: VecDeque::new(),
                lent: [false; 4],
                chunk: 2,
                received: Vec::new(),
                cannot_post: false,
                cannot_connect: false,
            },
            registered: None,
            tokens: 0,
            unread: VecDeque::new(),
            sent: 0,
            accepted: Vec::new(),
            read_awaited: false,
            write_awaited: false,
            connecting: false,
            introduced: false,
            dropped: false,
            path: Vec::new(),
        }
    }

    pub(super) fn replay(path: &[Step]) -> World {
        let mut world = World::new();
        for step in path {
            world.step(*step, path);
        }
        world
    }

    pub(super) fn can(&self, step: Step) -> bool {
        let ours = !self.dropped;
        match step {
            Step::Deregister => ours && self.registered.is_some(),
            Step::PeerConnect => self.kernel.peer == Peer::Awaited,
            Step::PeerSend => self.kernel.peer == Peer::Here,
            Step::PeerTake => self.kernel.writing.is_some(),
            Step::PeerClose => self.kernel.peer == Peer::Here,
            Step::ForeignCancel => self.kernel.reading.is_some(),
            Step::Dequeue => !self.kernel.packets.is_empty(),
            _ => ours,
        }
    }

    pub(super) fn step(&mut self, step: Step, path: &[Step]) {
        if self.path.len() < path.len() {
            self.path = path.to_vec();
        }
        match step {
            Step::RegisterRead => self.register(Interest::READABLE),
            Step::RegisterWrite => self.register(Interest::WRITABLE),
            Step::RegisterBoth => self.register(Interest::READABLE | Interest::WRITABLE),
            Step::Deregister => {
                self.registered = None;
                self.pipe.deregister(&mut self.kernel);
            }
            Step::Connect => self.connect(),
            Step::Disconnect => self.disconnect(),
            Step::ReadOne => {
                self.read(1);
            }
            Step::ReadAll => while self.read(8) {},
            Step::Write => self.write(),
            Step::Drop => {
                self.registered = None;
                self.dropped = true;
                self.pipe.close(&mut self.kernel);
            }
            Step::PeerConnect => self.kernel.peer_connects(),
            Step::PeerSend => {
                self.sent += 1;
                self.unread.push_back(self.sent);
                self.kernel.peer_sends(&[self.sent]);
            }
            Step::PeerTake => self.kernel.peer_takes(),
            Step::PeerClose => {
                self.accepted = self.kernel.received.clone();
                self.kernel.peer_closes();
            }
            Step::ForeignCancel => self.kernel.cancel(What::Read),
            Step::Dequeue => {
                self.dequeue();
            }
        }
        let readable = |(_, interest): (Token, Interest)| interest.is_readable();
        let asked = self.registered.is_some_and(readable);
        let reads = self.kernel.reading.is_some();
        assert!(asked || !reads, "reads unasked: {:?}", self.path);
    }

    fn register(&mut self, interest: Interest) {
        self.tokens += 1;
        let token = Token(self.tokens);
        self.introduced |= self.kernel.peer == Peer::Here && self.tokens == 1;
        self.registered = Some((token, interest));
        (self.read_awaited, self.write_awaited) = (true, true);
        let registered = self.pipe.register(&mut self.kernel, token, interest);
        registered.expect("registered");
    }

    fn connect(&mut self) {
        self.introduced = true;
        match self.pipe.connect(&mut self.kernel) {
            Ok(()) => assert_ne!(self.kernel.peer, Peer::Awaited, "{:?}", self.path),
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::WouldBlock);
                self.write_awaited = true;
                self.connecting = true;
            }
        }
    }

    fn disconnect(&mut self) {
        self.connecting = false;
        self.unread.clear();
        self.accepted = self.kernel.received.clone();
        self.introduced = false;
        (self.read_awaited, self.write_awaited) = (true, true);
        let disconnected = self.pipe.disconnect(&mut self.kernel);
        disconnected.expect("disconnected");
    }

    /// Whether there may be more.
    fn read(&mut self, len: usize) -> bool {
        let mut buf = [0; 8];
        let bufs = &mut [IoSliceMut::new(&mut buf[..len])];
        match self.pipe.read(&mut self.kernel, bufs) {
            Ok(0) => {
                assert_eq!(self.kernel.peer, Peer::Closed, "{:?}", self.path);
                assert!(self.unread.is_empty(), "an early end: {:?}", self.path);
                false
            }
            Ok(count) => {
                let next: Vec<u8> = self.unread.drain(..count).collect();
                assert_eq!(buf[..count], next, "{:?}", self.path);
                true
            }
            Err(err) => {
                assert_eq!(err.kind(), ErrorKind::WouldBlock, "{:?}", self.path);
                self.read_awaited = true;
                false
            }
        }
    }

    fn write(&mut self) {
        let bytes = [self.tokens as u8, self.accepted.len() as u8];
        match self.pipe.write(&mut self.kernel, &[IoSlice::new(&bytes)]) {
            Ok(count) => self.accepted.extend(&bytes[..count]),
            Err(err) if err.kind() == ErrorKind::WouldBlock => self.write_awaited = true,
            Err(_) => {
                let lost = self.kernel.peer != Peer::Here && !self.kernel.connecting;
                assert!(lost, "{:?}", self.path);
            }
        }
    }

    /// Dequeues packets until one makes an event.
    pub(super) fn next_told(&mut self) -> Option<Told> {
        while !self.kernel.packets.is_empty() {
            let told = self.take_packet();
            if told.is_some() {
                return told;
            }
        }
        None
    }

    fn take_packet(&mut self) -> Option<Told> {
        let kernel = &mut self.kernel;
        match kernel.next()? {
            Packet::Connect(end) => self.pipe.connect_ended(kernel, end),
            Packet::Read(buf, end) => self.pipe.read_ended(kernel, buf, end),
            Packet::Write(buf, sent, end) => self.pipe.write_ended(kernel, buf, sent, end),
            Packet::Posted => self.pipe.posted_arrived(),
        }
        self.pipe.take_event()
    }

    fn dequeue(&mut self) {
        let Some(told) = self.take_packet() else {
            return;
        };
        let Some((token, interest)) = self.registered else {
            panic!("an event of a pipe that is not registered: {:?}", self.path);
        };
        assert_eq!(told.token, token, "a stale token: {:?}", self.path);
        let (readable, writable) = (Readiness::READABLE, Readiness::WRITABLE);
        if told.readiness.intersects(readable) {
            assert!(interest.is_readable(), "{:?}", self.path);
            self.read_awaited = false;
        }
        if told.readiness.intersects(writable) {
            assert!(interest.is_writable(), "{:?}", self.path);
            let ready = !self.kernel.connecting && self.kernel.writing.is_none();
            assert!(ready, "not writable: {:?}", self.path);
            self.write_awaited = false;
        }
    }

    /// Whatever was awaited, and is so, was told; nothing is left in flight.
    pub(super) fn finish(&mut self) {
        self.drain();
        if let Some((_, interest)) = self.registered {
            let closed = self.kernel.peer == Peer::Closed;
            let met = self.introduced && (closed || self.kernel.peer == Peer::Here);
            let readable = met && (closed || !self.unread.is_empty());
            let lost = readable && interest.is_readable() && self.read_awaited;
            assert!(!lost, "a readable event was lost: {:?}", self.path);
            let writable = met && self.kernel.writing.is_none();
            let lost = writable && interest.is_writable() && self.write_awaited;
            assert!(!lost, "a writable event was lost: {:?}", self.path);
        }
        if self.connecting && !self.dropped {
            let goes_on = self.kernel.connecting || self.kernel.has_peer();
            assert!(goes_on, "nobody waits for a client: {:?}", self.path);
        }
        self.kernel.peer_takes();
        self.drain();
        // What was accepted reaches the peer, also after the end.
        let (got, sent) = (&self.kernel.received, &self.accepted);
        assert_eq!(got, sent, "{:?}", self.path);
        if !self.dropped {
            self.step(Step::Drop, &[]);
            self.drain();
        }
        assert_eq!(self.kernel.lent, [false; 4], "left: {:?}", self.path);
    }

    fn drain(&mut self) {
        while !self.kernel.packets.is_empty() {
            self.dequeue();
        }
    }
}
