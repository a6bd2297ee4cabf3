//! One source and its model: each operation is done to both.

use std::io::{self, ErrorKind};
use std::net::TcpListener;
use std::thread;
use std::time::{Duration, Instant};

use mio::{Interest, Registry, Token};

use super::ends::Ends;
use super::kinds::Duplicate;
use super::model::Source;
use super::ops::Op;
use super::terms::{End, Mode, Outcome, Pair, Verdict};

/// So many writes of the peer wait at most: less than any buffer holds.
const MOST_UNREAD: usize = 8;

pub(crate) struct Place {
    pub(crate) model: Source,
    pub(crate) ends: Ends,
    unread_writes: usize,
}

impl Place {
    pub(crate) fn new(kind: usize, listener: &TcpListener) -> io::Result<Place> {
        let ends = Ends::new(kind, listener)?;
        Ok(Place {
            model: Source::new(ends.nature()),
            ends,
            unread_writes: 0,
        })
    }

    pub(crate) fn register(
        &mut self,
        registry: &Registry,
        token: usize,
        wanted: Pair,
        mode: Mode,
    ) -> Verdict {
        let wanted = self.ends.possible(wanted);
        let again = self.model.registration.is_some();
        if again && self.ends.is_raw() {
            return Ok(()); // A kqueue takes it for a change.
        }
        let (named, interest) = (Token(token), interest(wanted, mode));
        let registered = self
            .ends
            .with_source(|source| registry.register(source, named, interest));
        match registered.map_err(|err| err.kind()) {
            Ok(()) if !again => self.model.register(token, wanted, mode),
            Err(ErrorKind::AlreadyExists) if again => {}
            other => return Err(format!("registered, {again} before: {other:?}")),
        }
        Ok(())
    }

    pub(crate) fn reregister(
        &mut self,
        registry: &Registry,
        token: usize,
        wanted: Pair,
        mode: Mode,
    ) -> Verdict {
        let wanted = self.ends.possible(wanted);
        let known = self.model.registration.is_some();
        if !known && self.ends.is_raw() {
            return Ok(()); // As above.
        }
        let (named, interest) = (Token(token), interest(wanted, mode));
        let changed = self
            .ends
            .with_source(|source| registry.reregister(source, named, interest));
        match changed.map_err(|err| err.kind()) {
            Ok(()) if known => self.model.register(token, wanted, mode),
            Err(ErrorKind::NotFound) if !known => {}
            other => return Err(format!("reregistered, {known} before: {other:?}")),
        }
        Ok(())
    }

    pub(crate) fn deregister(&mut self, registry: &Registry) -> Verdict {
        let known = self.model.registration.take().is_some();
        if !known && self.ends.is_raw() {
            return Ok(());
        }
        let done = self.ends.with_source(|source| registry.deregister(source));
        match done.map_err(|err| err.kind()) {
            Ok(()) if known => Ok(()),
            Err(ErrorKind::NotFound) if !known => Ok(()),
            other => Err(format!("deregistered, {known} before: {other:?}")),
        }
    }

    pub(crate) fn close(mut self, registry: &Registry, at_once: bool) -> Result<Duplicate, String> {
        if self.ends.must_deregister() {
            self.deregister(registry)?;
        }
        self.ends.close(at_once)
    }

    /// Moves data, in one of the directions.
    pub(crate) fn transfer(&mut self, op: Op, buffer: &mut [u8]) -> Verdict {
        let Place { model, ends, .. } = self;
        match op {
            Op::Read(count) => match ends.read(&mut buffer[..count]) {
                Some(outcome) => model.read(count, outcome),
                None => Ok(()),
            },
            Op::ReadAll => loop {
                let count = buffer.len();
                let Some(outcome) = ends.read(buffer) else {
                    return Ok(());
                };
                model.read(count, outcome)?;
                match outcome {
                    Outcome::Done(0) | Outcome::WouldBlock | Outcome::Failed => return Ok(()),
                    Outcome::Done(_) => {}
                }
            },
            Op::Write(count) => match ends.write(&buffer[..count]) {
                Some(outcome) => model.wrote(outcome),
                None => Ok(()),
            },
            Op::Fill => loop {
                let Some(outcome) = ends.write(buffer) else {
                    return Ok(());
                };
                model.wrote(outcome)?;
                match outcome {
                    Outcome::WouldBlock | Outcome::Failed => return Ok(()),
                    Outcome::Done(_) => {}
                }
            },
            Op::PeerWrite(count) => self.peer_writes(&buffer[..count]),
            Op::PeerRead(count) => self.peer_reads(&mut buffer[..count], false),
            Op::PeerDrain => self.peer_reads(buffer, true),
            Op::PeerEnd(end) => {
                let new = model.end == End::Open || (model.end == End::Half && end != End::Half);
                if new {
                    if let Some(end) = ends.peer_end(end, model.unread_by_peer()) {
                        model.ended(end);
                    }
                }
                Ok(())
            }
            other => Err(format!("{other:?} moves nothing")),
        }
    }

    fn peer_writes(&mut self, buffer: &[u8]) -> Verdict {
        if self.model.unread() == 0 {
            self.unread_writes = 0;
        }
        if self.unread_writes < MOST_UNREAD && self.model.end == End::Open {
            self.unread_writes += 1;
            let written = self.ends.peer_write(buffer);
            match written.map_err(|err| format!("the peer's write: {err}"))? {
                0 => {}
                count => self.model.arrived(count),
            }
        }
        Ok(())
    }

    /// What is under way is waited for, up to one buffer or to the end.
    fn peer_reads(&mut self, buffer: &mut [u8], all: bool) -> Verdict {
        let give_up_at = Instant::now() + Duration::from_secs(30);
        while self.model.unread_by_peer() > 0 && self.model.end != End::Broken {
            match self.ends.peer_read(buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => self.model.drained(count),
                Err(err) if err.kind() == ErrorKind::WouldBlock && self.model.nature.remote => {
                    if Instant::now() > give_up_at {
                        return Err("what was written does not arrive".to_owned());
                    }
                    thread::yield_now();
                    continue;
                }
                Err(err) => return Err(format!("the peer's read: {err}")),
            }
            if !all {
                return Ok(());
            }
        }
        Ok(())
    }
}

fn interest(wanted: Pair, mode: Mode) -> Interest {
    let interest = match (wanted.read, wanted.write) {
        (true, true) => Interest::READABLE | Interest::WRITABLE,
        (true, false) => Interest::READABLE,
        _ => Interest::WRITABLE,
    };
    match mode {
        Mode::Edge => interest,
        Mode::Level => interest.level(),
        Mode::OneShot => interest.oneshot(),
    }
}
