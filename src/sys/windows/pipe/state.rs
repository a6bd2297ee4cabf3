//! What a named pipe is doing, and what of it is to be reported. Knows no
//! kernel: the kernel is a trait, so that all of this is tested on every system.
//!
//! A pipe has no readiness that could be asked for. It has operations that end.
//! Readiness is made of them:
//!
//! | | means |
//! |---|---|
//! | readable | a read that *we* started has ended: there are bytes, the end, or an error |
//! | writable | no write of ours is under way: the next one is accepted |
//!
//! So three operations can be under way at a time, each with a state of its own:
//! [`Connect`], [`Read`], [`Write`]. An operation that was started ends by exactly
//! one packet, also if it ended at once; nothing is ever taken for done before
//! its packet was dequeued. What can be told without a packet, such as that a pipe
//! is writable when it is registered, is brought by a packet that we post: there
//! is one path to an event.
//!
//! What an event says is looked up when its packet is dequeued: the token, the
//! interest, and what is ready *then*. A pipe that was deregistered says
//! nothing, whatever is in the queue.
//!
//! All methods are called under one lock, hence the absence of atomics.

mod transfer;

use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::io::{self, ErrorKind};
use std::mem;

/// What one read asks for, at first.
const FIRST_READ: usize = 4 * 1024;
/// What one read asks for at most, however large the reads were before.
const LARGEST_READ: usize = 64 * 1024;
/// What one write takes at most, unless it is a message, which is never split.
pub(super) const LARGEST_WRITE: usize = 64 * 1024;

/// What is behind a handle.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// A pipe, and not some device that has operations like those of one.
    pub(super) pipe: bool,
    /// Each write is one message.
    pub(super) messages: bool,
    /// The end that outlives its clients: another one can connect.
    pub(super) server: bool,
}

/// What a pipe asks of the kernel.
pub(super) trait Kernel {
    /// Starts a read into the buffer. On `Ok` its packet will come.
    fn read(&mut self, buf: Vec<u8>) -> Result<(), (End, Vec<u8>)>;
    /// Starts a write of what follows the first `sent` bytes. On `Ok` its packet
    /// will come.
    fn write(&mut self, buf: Vec<u8>, sent: usize) -> Result<(), (io::Error, Vec<u8>)>;
    /// Starts to wait for a client.
    fn connect(&mut self) -> Connecting;
    /// Throws the client out; what is under way ends.
    fn disconnect(&mut self) -> io::Result<()>;
    /// Ends an operation sooner. Its packet comes all the same.
    fn cancel(&mut self, what: What);
    /// Has a packet come that belongs to no operation.
    fn post(&mut self) -> io::Result<()>;
}

/// An operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum What {
    Connect,
    Read,
    Write,
}

/// How an operation ended.
#[derive(Debug)]
pub(super) enum End {
    /// Well; also if a message has more bytes than there was room for.
    Bytes(usize),
    /// The other end is closed.
    Closed,
    /// There is no client yet.
    Listening,
    /// It was cancelled.
    Cancelled,
    Failed(io::Error),
}

/// What a call that waits for a client came to.
#[derive(Debug)]
pub(super) enum Connecting {
    /// A packet will come.
    Started,
    /// There is a client, or there was one; no packet comes.
    Connected,
    Failed(io::Error),
}

/// An event, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) token: Token,
    pub(super) readiness: Readiness,
    /// It is to be told again for as long as it is so: before the next sleep
    /// call [`Pipe::look_again`].
    pub(super) again: bool,
}

/// Waiting for a client.
#[derive(Debug)]
enum Connect {
    Idle,
    Pending,
    /// Disconnected while it was under way. `again`: and asked for anew since.
    Abandoned {
        again: bool,
    },
    Failed(io::Error),
}

/// The direction to us.
#[derive(Debug)]
enum Read {
    /// The buffer has no bytes.
    Idle(Vec<u8>),
    /// The kernel has the buffer.
    Pending(Fate),
    /// Bytes for the caller: what of `buf` is from `start` to `end`.
    Ready {
        buf: Vec<u8>,
        start: usize,
        end: usize,
    },
    /// There will be no more bytes, until another client connects.
    Closed(Vec<u8>),
    Failed(Vec<u8>, io::Error),
}

/// What becomes of an operation's result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    /// It was cancelled since nobody asks for it any more. What it got before
    /// that is kept.
    Cancelled,
    /// It belongs to a client that was thrown out.
    Discard,
}

/// The direction from us.
#[derive(Debug)]
enum Write {
    Idle(Vec<u8>),
    /// The kernel has the buffer.
    Pending(Fate),
    Failed(Vec<u8>, io::Error),
}

/// What is known of the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Link {
    /// Nothing yet: operations will tell.
    Unknown,
    Connected,
    /// A server without a client.
    Listening,
    /// A server that must first wait for a client again.
    Disconnected,
}

#[derive(Debug, Clone, Copy)]
struct Registration {
    token: Token,
    interest: Interest,
    /// Not so after the one event of a one-shot registration.
    armed: bool,
}

/// What has changed since it was last reported.
#[derive(Debug, Clone, Copy, Default)]
struct Changed {
    read: bool,
    write: bool,
}

/// A named pipe.
#[derive(Debug)]
pub(super) struct Pipe {
    registration: Option<Registration>,
    link: Link,
    connect: Connect,
    read: Read,
    write: Write,
    changed: Changed,
    /// Whether a packet that we posted is still to come.
    posted: bool,
    /// Whether `look_again` is still to be called.
    looking: bool,
    kind: Kind,
    /// What the next read asks for.
    read_size: usize,
    /// What it may grow to.
    largest_read: usize,
}

impl Pipe {
    pub(super) fn new(kind: Kind) -> Pipe {
        // A device may wait until it has as much as was asked for.
        let largest_read = if kind.pipe { LARGEST_READ } else { FIRST_READ };
        Pipe {
            registration: None,
            link: Link::Unknown,
            connect: Connect::Idle,
            read: Read::Idle(Vec::new()),
            write: Write::Idle(Vec::new()),
            changed: Changed::default(),
            posted: false,
            looking: false,
            kind,
            read_size: FIRST_READ,
            largest_read,
        }
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registration.is_some()
    }

    /// Whether bytes that were accepted are still on their way.
    pub(super) fn is_writing(&self) -> bool {
        matches!(self.write, Write::Pending(Fate::Keep))
    }

    /// Registers, or changes the registration; what is ready is reported anew.
    pub(super) fn register(
        &mut self,
        kernel: &mut impl Kernel,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let before = self.registration.replace(Registration {
            token,
            interest,
            armed: true,
        });
        self.changed = Changed {
            read: true,
            write: true,
        };
        self.start_read(kernel);
        if let Err(err) = self.settle(kernel) {
            self.registration = before;
            self.cancel_unasked_read(kernel);
            return Err(err);
        }
        self.cancel_unasked_read(kernel);
        Ok(())
    }

    /// Says nothing from now on, and reads nothing. Writes go on.
    pub(super) fn deregister(&mut self, kernel: &mut impl Kernel) {
        self.registration = None;
        self.changed = Changed::default();
        self.cancel_unasked_read(kernel);
    }

    /// The owner is gone: only a write goes on.
    pub(super) fn close(&mut self, kernel: &mut impl Kernel) {
        self.deregister(kernel);
        match &mut self.connect {
            Connect::Pending => kernel.cancel(What::Connect),
            Connect::Abandoned { again } => *again = false,
            Connect::Idle | Connect::Failed(_) => {}
        }
    }

    /// Waits for a client.
    pub(super) fn connect(&mut self, kernel: &mut impl Kernel) -> io::Result<()> {
        match &mut self.connect {
            Connect::Pending => return Err(would_block()),
            Connect::Abandoned { again } => {
                *again = true;
                return Err(would_block());
            }
            Connect::Idle | Connect::Failed(_) => {}
        }
        let connecting = kernel.connect();
        let result = self.connecting(kernel, connecting);
        self.settle_or_log(kernel);
        result
    }

    fn connecting(&mut self, kernel: &mut impl Kernel, connecting: Connecting) -> io::Result<()> {
        self.connect = Connect::Idle;
        match connecting {
            Connecting::Started => {
                self.connect = Connect::Pending;
                self.link = Link::Listening;
                Err(would_block())
            }
            Connecting::Connected => {
                if self.link != Link::Connected {
                    self.connected(kernel);
                }
                Ok(())
            }
            Connecting::Failed(err) => Err(err),
        }
    }

    fn connected(&mut self, kernel: &mut impl Kernel) {
        self.link = Link::Connected;
        self.changed.write = true;
        self.start_read(kernel);
    }

    /// Throws the client out, and forgets what came from it or was meant for it.
    pub(super) fn disconnect(&mut self, kernel: &mut impl Kernel) -> io::Result<()> {
        kernel.disconnect()?;
        self.link = Link::Disconnected;
        self.changed = Changed::default();
        match &self.connect {
            Connect::Pending => {
                self.connect = Connect::Abandoned { again: false };
                kernel.cancel(What::Connect);
            }
            Connect::Abandoned { .. } => self.connect = Connect::Abandoned { again: false },
            Connect::Idle | Connect::Failed(_) => self.connect = Connect::Idle,
        }
        self.read = match mem::replace(&mut self.read, Read::Pending(Fate::Discard)) {
            Read::Pending(_) => {
                kernel.cancel(What::Read);
                Read::Pending(Fate::Discard)
            }
            Read::Idle(buf)
            | Read::Ready { buf, .. }
            | Read::Closed(buf)
            | Read::Failed(buf, _) => Read::Idle(buf),
        };
        self.write = match mem::replace(&mut self.write, Write::Pending(Fate::Discard)) {
            Write::Pending(_) => {
                kernel.cancel(What::Write);
                Write::Pending(Fate::Discard)
            }
            Write::Idle(buf) | Write::Failed(buf, _) => Write::Idle(buf),
        };
        Ok(())
    }

    /// Takes a failure that no call has returned yet.
    pub(super) fn take_error(&mut self) -> Option<io::Error> {
        match mem::replace(&mut self.connect, Connect::Idle) {
            Connect::Failed(err) => return Some(err),
            other => self.connect = other,
        }
        self.take_write_error()
    }

    /// The packet of a connect was dequeued.
    pub(super) fn connect_ended(&mut self, kernel: &mut impl Kernel, end: End) {
        match mem::replace(&mut self.connect, Connect::Idle) {
            Connect::Abandoned { again: false } => {}
            Connect::Abandoned { again: true } => {
                let connecting = kernel.connect();
                match self.connecting(kernel, connecting) {
                    Err(err) if err.kind() != ErrorKind::WouldBlock => self.connect_failed(err),
                    Ok(()) | Err(_) => {}
                }
            }
            _ => match end {
                // A client that has come and gone has come: reads tell the rest.
                End::Bytes(_) | End::Closed => self.connected(kernel),
                End::Listening | End::Cancelled => self.connect_failed(cancelled()),
                End::Failed(err) => self.connect_failed(err),
            },
        }
    }

    fn connect_failed(&mut self, err: io::Error) {
        self.connect = Connect::Failed(err);
        self.changed.write = true;
    }

    /// The packet that was posted was dequeued.
    pub(super) fn posted_arrived(&mut self) {
        self.posted = false;
    }

    /// What was told is to be told again if it still holds: the poller is
    /// about to sleep.
    pub(super) fn look_again(&mut self, kernel: &mut impl Kernel) {
        self.looking = false;
        self.changed = Changed {
            read: true,
            write: true,
        };
        self.settle_or_log(kernel);
    }

    /// A packet of this pipe was dequeued, and is accounted for: the event that
    /// it makes.
    pub(super) fn take_event(&mut self) -> Option<Told> {
        let readiness = self.to_tell();
        self.changed = Changed::default();
        let registration = self.registration.as_mut()?;
        if readiness == Readiness::EMPTY {
            return None;
        }
        registration.armed = !registration.interest.is_oneshot();
        let again = registration.armed && registration.interest.is_level() && !self.looking;
        self.looking |= again;
        Some(Told {
            token: registration.token,
            readiness,
            again,
        })
    }

    /// Of what has changed, what is ready now and asked about.
    fn to_tell(&self) -> Readiness {
        let mut all = Readiness::EMPTY;
        let Some(registration) = &self.registration else {
            return all;
        };
        if !registration.armed {
            return all;
        }
        if self.changed.read {
            let readable = registration.interest.is_readable();
            all = all.or(self.read_readiness(readable));
        }
        if self.changed.write {
            let writable = registration.interest.is_writable();
            all = all.or(self.write_readiness(writable));
        }
        all
    }

    /// `readable` is only said if it was asked about; an end always is.
    fn read_readiness(&self, asked: bool) -> Readiness {
        let readable = Readiness::EMPTY.with(Readiness::READABLE, asked);
        match &self.read {
            Read::Idle(_) | Read::Pending(_) => Readiness::EMPTY,
            Read::Ready { .. } => readable,
            // What is closed is taken for closed for good, by tokio for one, and the
            // next client of a server would find it so.
            Read::Closed(_) if self.kind.server => readable,
            // Nobody is there any more to read what we write.
            Read::Closed(_) => readable
                .or(Readiness::READ_CLOSED)
                .or(Readiness::WRITE_CLOSED),
            Read::Failed(..) => readable.or(Readiness::ERROR),
        }
    }

    fn write_readiness(&self, asked: bool) -> Readiness {
        let writable = Readiness::EMPTY.with(Readiness::WRITABLE, asked);
        match (&self.connect, &self.write) {
            (Connect::Failed(_), _) => writable.or(Readiness::ERROR),
            (Connect::Pending | Connect::Abandoned { .. }, _) => Readiness::EMPTY,
            (Connect::Idle, Write::Pending(_)) => Readiness::EMPTY,
            (Connect::Idle, Write::Failed(_, err)) => {
                let for_good = err.kind() == ErrorKind::BrokenPipe && !self.kind.server;
                writable
                    .or(Readiness::ERROR)
                    .with(Readiness::WRITE_CLOSED, for_good)
            }
            (Connect::Idle, Write::Idle(_)) => match self.link {
                Link::Unknown | Link::Connected => writable,
                Link::Listening | Link::Disconnected => Readiness::EMPTY,
            },
        }
    }

    fn is_awaiting_nobody(&self) -> bool {
        matches!(self.connect, Connect::Idle | Connect::Failed(_))
    }

    /// Has a packet come if there is something to tell and none is on its way.
    fn settle(&mut self, kernel: &mut impl Kernel) -> io::Result<()> {
        if !self.posted && self.to_tell() != Readiness::EMPTY {
            kernel.post()?;
            self.posted = true;
        }
        Ok(())
    }

    /// As `settle`, for calls whose result is another one. What is to be told
    /// stays, and the next packet or call tells it.
    fn settle_or_log(&mut self, kernel: &mut impl Kernel) {
        if let Err(err) = self.settle(kernel) {
            error!("posting the readiness of a named pipe: {err}");
        }
    }
}

fn would_block() -> io::Error {
    ErrorKind::WouldBlock.into()
}

fn cancelled() -> io::Error {
    let text = "the operation was cancelled through another handle of the pipe";
    io::Error::new(ErrorKind::Other, text)
}

#[cfg(test)]
mod tests;
