//! No backend: all types exist, and no value of a queue can.
//!
//! For targets that have no event queue yet. `Poll::new` says `Unsupported`;
//! since there is no `Poll` then, there is no code that a call could reach.

use super::edges::KernelEdges;
use super::{Backend, RawEvent, RawSource, Signal};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::time::Duration;
use std::{fmt, io};

/// Sources of a family of systems without any: there is none.
pub(crate) mod family {
    pub(crate) type RawSource = std::convert::Infallible;

    /// What no type is.
    pub(crate) trait AsRawSource {
        fn as_raw_source(&self) -> RawSource;
    }

    pub(crate) fn raw_source(io: &impl AsRawSource) -> RawSource {
        io.as_raw_source()
    }
}

/// A queue of which there is none.
#[derive(Debug)]
pub(crate) enum Selector {}

/// An event of a queue of which there is none.
#[derive(Clone)]
pub(crate) enum Event {}

impl RawEvent for Event {
    fn token(&self) -> Token {
        match *self {}
    }

    fn readiness(&self) -> Readiness {
        match *self {}
    }

    fn fmt_raw(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

impl Signal for std::convert::Infallible {
    fn signal(&self) -> io::Result<()> {
        match *self {}
    }
}

impl Backend for Selector {
    type Event = Event;
    type Registration = KernelEdges;
    type Signal = std::convert::Infallible;
    type Handle = ();

    fn new() -> io::Result<Selector> {
        Err(io::Error::new(
            io::ErrorKind::Unsupported,
            "no event queue is supported on this platform",
        ))
    }

    fn select(&self, _: &mut Vec<Event>, _: usize, _: Option<Duration>) -> io::Result<()> {
        match *self {}
    }

    fn register(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    fn reregister(&self, _: RawSource, _: &(), _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    fn deregister(&self, _: RawSource, _: &()) -> io::Result<()> {
        match *self {}
    }

    fn register_raw(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    fn reregister_raw(&self, _: RawSource, _: Token, _: Interest) -> io::Result<()> {
        match *self {}
    }

    fn deregister_raw(&self, _: RawSource) -> io::Result<()> {
        match *self {}
    }

    fn add_signal(&self) -> io::Result<Self::Signal> {
        match *self {}
    }

    fn woken(&self, _: Token) -> Event {
        match *self {}
    }
}
