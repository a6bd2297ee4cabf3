//! Real sources and their peers, all kinds behind one face.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener};
#[cfg(unix)]
use std::os::fd::AsFd;
#[cfg(target_os = "linux")]
use std::os::fd::AsRawFd;

use mio::event::Source;
#[cfg(target_os = "linux")]
use mio::unix::SourceFd;

use super::kinds::{Duplicate, Handle, Peer, MAKERS};
use super::terms::{End, Nature, Outcome, Pair, Unit, REARMED};

/// A source, and who it talks to.
#[derive(Debug)]
pub(crate) struct Ends {
    handle: Handle,
    peer: Peer,
    /// Another descriptor of the same.
    pub(crate) duplicate: Duplicate,
}

impl Ends {
    pub(crate) fn new(kind: usize, listener: &TcpListener) -> io::Result<Ends> {
        let (handle, peer) = MAKERS[kind % MAKERS.len()](listener)?;
        Ok(Ends {
            handle,
            peer,
            duplicate: Duplicate::default(),
        })
    }

    pub(crate) fn nature(&self) -> Nature {
        let (unit, remote) = match &self.handle {
            Handle::Tcp(_) => (Unit::Bytes, true),
            Handle::Udp(_) => (Unit::Datagrams, true),
            #[cfg(unix)]
            Handle::Unix(_) | Handle::Receiver(_) | Handle::Sender(_) => (Unit::Bytes, false),
            #[cfg(unix)]
            Handle::Datagram(_) => (Unit::Datagrams, false),
            #[cfg(target_os = "linux")]
            Handle::Counter(_) => (Unit::Counter, false),
        };
        Nature {
            unit,
            remote,
            // What time arms needs no operation either.
            kernel_edges: !REARMED || self.is_raw(),
        }
    }

    /// Whether its operations are none of the crate's.
    pub(crate) fn is_raw(&self) -> bool {
        match &self.handle {
            #[cfg(target_os = "linux")]
            Handle::Counter(_) => true,
            _ => false,
        }
    }

    /// Whether a dropped source must be deregistered before: else what else holds the file, or
    /// gets its number, may be reported.
    pub(crate) fn must_deregister(&self) -> bool {
        self.duplicate.is_some() || self.is_raw()
    }

    /// The part of an interest that the source knows.
    pub(crate) fn possible(&self, wanted: Pair) -> Pair {
        match &self.handle {
            #[cfg(unix)]
            Handle::Receiver(_) => Pair {
                read: true,
                write: false,
            },
            #[cfg(unix)]
            Handle::Sender(_) => Pair {
                read: false,
                write: true,
            },
            _ => wanted,
        }
    }

    pub(crate) fn with_source<R>(&mut self, act: impl FnOnce(&mut dyn Source) -> R) -> R {
        match &mut self.handle {
            Handle::Tcp(source) => act(source),
            Handle::Udp(source) => act(source),
            #[cfg(unix)]
            Handle::Unix(source) => act(source),
            #[cfg(unix)]
            Handle::Datagram(source) => act(source),
            #[cfg(unix)]
            Handle::Receiver(source) => act(source),
            #[cfg(unix)]
            Handle::Sender(source) => act(source),
            #[cfg(target_os = "linux")]
            Handle::Counter(file) => act(&mut SourceFd(&file.as_raw_fd())),
        }
    }

    /// What the source reads; `None` if it cannot.
    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> Option<Outcome> {
        Some(outcome(match &mut self.handle {
            Handle::Tcp(source) => source.read(buffer),
            Handle::Udp(source) => source.recv(&mut [0; 2048]).map(|_| 1),
            #[cfg(unix)]
            Handle::Unix(source) => source.read(buffer),
            #[cfg(unix)]
            Handle::Datagram(source) => source.recv(&mut [0; 2048]).map(|_| 1),
            #[cfg(unix)]
            Handle::Receiver(source) => source.read(buffer),
            #[cfg(unix)]
            Handle::Sender(_) => return None,
            #[cfg(target_os = "linux")]
            Handle::Counter(file) => {
                let mut count = [0; 8];
                let read = file.read(&mut count);
                read.map(|_| u64::from_ne_bytes(count) as usize)
            }
        }))
    }

    /// What the source writes; `None` if it cannot, or if what it writes has no use.
    pub(crate) fn write(&mut self, buffer: &[u8]) -> Option<Outcome> {
        Some(outcome(match &mut self.handle {
            Handle::Tcp(source) => source.write(buffer),
            #[cfg(unix)]
            Handle::Unix(source) => source.write(buffer),
            #[cfg(unix)]
            Handle::Datagram(source) => source.send(&buffer[..buffer.len().min(1024)]),
            #[cfg(unix)]
            Handle::Sender(source) => source.write(buffer),
            _ => return None,
        }))
    }

    /// The peer writes; how many of the unit, none if it cannot.
    pub(crate) fn peer_write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        match &mut self.peer {
            Peer::Tcp(peer) => peer.write(buffer),
            Peer::Udp(peer) => peer.send(buffer).map(|_| 1),
            #[cfg(unix)]
            Peer::Unix(peer) => peer.write(buffer),
            #[cfg(unix)]
            Peer::Datagram(peer) => peer.send(buffer).map(|_| 1),
            #[cfg(unix)]
            Peer::Sender(peer) => peer.write(buffer),
            #[cfg(unix)]
            Peer::Receiver(_) => Ok(0),
            Peer::Gone => Ok(0),
            #[cfg(target_os = "linux")]
            Peer::Own => match &mut self.handle {
                Handle::Counter(file) => file.write(&1_u64.to_ne_bytes()).map(|_| 1),
                _ => Ok(0),
            },
        }
    }

    /// The peer reads; nothing if it cannot.
    pub(crate) fn peer_read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.peer.read(buffer)
    }

    /// The peer ends its side of a connection, or all of it; `None` if it has no such thing.
    pub(crate) fn peer_end(&mut self, end: End, unread: usize) -> Option<End> {
        match (&self.peer, end) {
            (Peer::Tcp(peer), End::Half) => {
                peer.shutdown(Shutdown::Write).ok()?;
                return Some(End::Half);
            }
            #[cfg(unix)]
            (Peer::Unix(peer), End::Half) => {
                peer.shutdown(Shutdown::Write).ok()?;
                return Some(End::Half);
            }
            (Peer::Tcp(_), _) => {}
            #[cfg(unix)]
            (Peer::Unix(_) | Peer::Sender(_), _) => {}
            #[cfg(unix)]
            (Peer::Receiver(_), _) => {
                self.peer = Peer::Gone;
                return Some(End::Broken);
            }
            _ => return None,
        }
        self.peer = Peer::Gone;
        Some(if unread > 0 { End::Broken } else { End::Closed })
    }

    /// Drops the source; its duplicate lives on. Where the peer reads a stream that is all ours it
    /// must see the end, at once if no poll is under way that could hold the file.
    pub(crate) fn close(self, at_once: bool) -> Result<Duplicate, String> {
        let (handle, mut peer) = (self.handle, self.peer);
        drop(handle);
        if self.duplicate.is_some() {
            return Ok(self.duplicate);
        }
        let mut buffer = [0; 4096];
        let mut ends = at_once && peer.sees_the_end_at_once();
        while ends {
            match outcome(peer.read(&mut buffer)) {
                Outcome::Done(0) | Outcome::Failed => ends = false,
                Outcome::Done(_) => {}
                Outcome::WouldBlock => return Err("a dropped source is still open".to_owned()),
            }
        }
        Ok(Duplicate::default())
    }

    #[cfg(not(unix))]
    pub(crate) fn make_duplicate(&mut self) {}

    #[cfg(unix)]
    pub(crate) fn make_duplicate(&mut self) {
        let fd = match &self.handle {
            Handle::Tcp(source) => source.as_fd(),
            Handle::Udp(source) => source.as_fd(),
            Handle::Unix(source) => source.as_fd(),
            Handle::Datagram(source) => source.as_fd(),
            Handle::Receiver(source) => source.as_fd(),
            Handle::Sender(source) => source.as_fd(),
            #[cfg(target_os = "linux")]
            Handle::Counter(file) => file.as_fd(),
        };
        self.duplicate = fd.try_clone_to_owned().ok();
    }
}

impl Peer {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Peer::Tcp(peer) => peer.read(buffer),
            #[cfg(unix)]
            Peer::Unix(peer) => peer.read(buffer),
            #[cfg(unix)]
            Peer::Datagram(peer) => peer.recv(&mut [0; 2048]),
            #[cfg(unix)]
            Peer::Receiver(peer) => peer.read(buffer),
            _ => Ok(0),
        }
    }

    /// Whether it reads a stream that is all within this system.
    fn sees_the_end_at_once(&self) -> bool {
        match self {
            #[cfg(unix)]
            Peer::Unix(_) | Peer::Receiver(_) => true,
            _ => false,
        }
    }
}

fn outcome(result: io::Result<usize>) -> Outcome {
    match result {
        Ok(count) => Outcome::Done(count),
        Err(err) if err.kind() == io::ErrorKind::WouldBlock => Outcome::WouldBlock,
        Err(_) => Outcome::Failed,
    }
}
