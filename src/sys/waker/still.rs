//! Where nothing interrupts a sleep.
//!
//! A program without threads wakes itself only between two polls, and the next one
//! finds the wake in the word of `notify`. Where there are threads (WASI with
//! shared memory) the sleep is cut into slices; see `sys/small`.

use crate::sys::{RawSource, Signal};
use std::io;

#[derive(Debug)]
pub(crate) struct Still;

impl Still {
    pub(crate) fn new(_signalled: bool) -> io::Result<Still> {
        Ok(Still)
    }

    /// No descriptor: it is skipped.
    pub(crate) fn source(&self) -> RawSource {
        -1
    }

    pub(crate) fn drain(&self) -> io::Result<()> {
        Ok(())
    }
}

impl Signal for Still {
    fn signal(&self) -> io::Result<()> {
        Ok(())
    }
}
