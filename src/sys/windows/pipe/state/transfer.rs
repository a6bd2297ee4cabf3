//! The two directions of a pipe: what a caller reads and writes, and how it comes
//! and goes.

use super::{
    cancelled, would_block, End, Fate, Kernel, Link, Pipe, Read, What, Write, FIRST_READ,
    LARGEST_WRITE,
};
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::mem;

impl Pipe {
    /// Gives bytes that a read of ours has got.
    pub(in super::super) fn read(
        &mut self,
        kernel: &mut impl Kernel,
        bufs: &mut [IoSliceMut<'_>],
    ) -> io::Result<usize> {
        if bufs.iter().all(|buf| buf.is_empty()) {
            return Ok(0);
        }
        let result = match mem::replace(&mut self.read, Read::Pending(Fate::Keep)) {
            Read::Ready { buf, start, end } => {
                let count = copy(&buf[start..end], bufs);
                if start + count == end {
                    self.read = Read::Idle(buf);
                } else {
                    let start = start + count;
                    self.read = Read::Ready { buf, start, end };
                }
                Ok(count)
            }
            Read::Closed(buf) => {
                self.read = Read::Closed(buf);
                return Ok(0);
            }
            Read::Failed(buf, err) => {
                self.read = Read::Idle(buf);
                Err(err)
            }
            other => {
                self.read = other;
                Err(would_block())
            }
        };
        if self.link == Link::Listening && self.is_awaiting_nobody() {
            // A client may have come that nobody waited for.
            self.link = Link::Unknown;
        }
        self.start_read(kernel);
        self.settle_or_log(kernel);
        result
    }

    /// Accepts bytes for one write, unless there is one under way.
    pub(in super::super) fn write(
        &mut self,
        kernel: &mut impl Kernel,
        bufs: &[IoSlice<'_>],
    ) -> io::Result<usize> {
        if !self.is_awaiting_nobody() {
            // When a client has connected, that is a writable event.
            return Err(would_block());
        }
        if let Some(err) = self.take_write_error() {
            return Err(err);
        }
        let Write::Idle(buf) = &mut self.write else {
            return Err(would_block());
        };
        let mut buf = mem::take(buf);
        buf.clear();
        let mut room = if self.kind.messages {
            usize::MAX
        } else {
            LARGEST_WRITE
        };
        for part in bufs {
            let count = part.len().min(room);
            buf.extend_from_slice(&part[..count]);
            room -= count;
        }
        let count = buf.len();
        if count == 0 && !self.kind.messages {
            self.write = Write::Idle(buf);
            return Ok(0);
        }
        match kernel.write(buf, 0) {
            Ok(()) => {
                self.write = Write::Pending(Fate::Keep);
                if self.link == Link::Listening {
                    // A client has come that nobody waited for.
                    self.link = Link::Connected;
                    self.start_read(kernel);
                    self.settle_or_log(kernel);
                }
                Ok(count)
            }
            Err((err, buf)) => {
                self.write = Write::Idle(buf);
                Err(err)
            }
        }
    }

    /// Takes the failure of a write that was accepted before.
    pub(in super::super) fn take_write_error(&mut self) -> Option<io::Error> {
        match mem::replace(&mut self.write, Write::Pending(Fate::Keep)) {
            Write::Failed(buf, err) => {
                self.write = Write::Idle(buf);
                Some(err)
            }
            other => {
                self.write = other;
                None
            }
        }
    }

    /// The packet of a read was dequeued.
    pub(in super::super) fn read_ended(
        &mut self,
        kernel: &mut impl Kernel,
        buf: Vec<u8>,
        end: End,
    ) {
        let discard = matches!(self.read, Read::Pending(Fate::Discard));
        self.read = match end {
            _ if discard => Read::Idle(buf),
            End::Bytes(count) => {
                let end = count.min(buf.len());
                if end == buf.len() {
                    self.read_size = (buf.len() * 2).clamp(FIRST_READ, self.largest_read);
                }
                Read::Ready { buf, start: 0, end }
            }
            End::Closed => Read::Closed(buf),
            End::Listening => {
                self.link = Link::Listening;
                self.read = Read::Idle(buf);
                return;
            }
            End::Cancelled => Read::Idle(buf),
            End::Failed(err) => Read::Failed(buf, err),
        };
        self.changed.read = true;
        self.start_read(kernel);
    }

    /// The packet of a write was dequeued, of which `sent` bytes had gone before.
    pub(in super::super) fn write_ended(
        &mut self,
        kernel: &mut impl Kernel,
        buf: Vec<u8>,
        sent: usize,
        end: End,
    ) {
        let discard = matches!(self.write, Write::Pending(Fate::Discard));
        let err = match end {
            _ if discard => None,
            End::Bytes(0) if sent < buf.len() => Some(ErrorKind::WriteZero.into()),
            // Not of a pipe; but of a device that took a part.
            End::Bytes(count) if sent + count < buf.len() => {
                match kernel.write(buf, sent + count) {
                    Ok(()) => return,
                    Err((err, buf)) => return self.wrote(buf, Some(err)),
                }
            }
            End::Bytes(_) => None,
            End::Closed => Some(ErrorKind::BrokenPipe.into()),
            End::Listening => Some(ErrorKind::NotConnected.into()),
            End::Cancelled => Some(cancelled()),
            End::Failed(err) => Some(err),
        };
        self.wrote(buf, err);
    }

    fn wrote(&mut self, mut buf: Vec<u8>, err: Option<io::Error>) {
        if buf.capacity() > 2 * LARGEST_WRITE {
            // One huge message is no reason to keep its memory.
            buf = Vec::new();
        }
        self.changed.write = true;
        self.write = match err {
            None => Write::Idle(buf),
            Some(err) => Write::Failed(buf, err),
        };
    }

    /// Starts a read if one is asked for and can succeed.
    pub(super) fn start_read(&mut self, kernel: &mut impl Kernel) {
        let can = match self.link {
            Link::Unknown | Link::Connected => self.is_awaiting_nobody(),
            Link::Listening | Link::Disconnected => false,
        };
        if !can || !self.is_reading_asked() {
            return;
        }
        let Read::Idle(buf) = &mut self.read else {
            return;
        };
        let mut buf = mem::take(buf);
        buf.resize(self.read_size, 0);
        match kernel.read(buf) {
            Ok(()) => self.read = Read::Pending(Fate::Keep),
            Err((End::Cancelled, buf)) => self.read_failed(buf, cancelled()),
            Err((end, buf)) => self.read_ended(kernel, buf, end),
        }
    }

    fn read_failed(&mut self, buf: Vec<u8>, err: io::Error) {
        self.read = Read::Failed(buf, err);
        self.changed.read = true;
    }

    /// A read that nobody asks for must not take bytes.
    pub(super) fn cancel_unasked_read(&mut self, kernel: &mut impl Kernel) {
        if self.read_is(Fate::Keep) && !self.is_reading_asked() {
            self.read = Read::Pending(Fate::Cancelled);
            kernel.cancel(What::Read);
        }
    }

    fn read_is(&self, fate: Fate) -> bool {
        matches!(self.read, Read::Pending(now) if now == fate)
    }

    fn is_reading_asked(&self) -> bool {
        let registration = self.registration.as_ref();
        registration.is_some_and(|registration| registration.interest.is_readable())
    }
}

/// Copies into one buffer after the other; how many bytes.
fn copy(mut from: &[u8], bufs: &mut [IoSliceMut<'_>]) -> usize {
    let before = from.len();
    for buf in bufs {
        let count = from.len().min(buf.len());
        buf[..count].copy_from_slice(&from[..count]);
        from = &from[count..];
    }
    before - from.len()
}
