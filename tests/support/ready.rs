//! Sources that are ready whenever a test wants it, each of one descriptor: eventfds.
//!
//! As receivers they are sources with operations, whose edges are exact on every backend.

#![allow(dead_code, unreachable_pub)] // Each program uses its part.

use std::io::{ErrorKind, Read};
use std::os::fd::AsRawFd;

use mio::unix::pipe::Receiver;

use super::kernel;

pub type Ready = Receiver;

/// One that is readable.
pub fn ready() -> Ready {
    Receiver::from(kernel::eventfd(1))
}

/// Makes it readable anew.
pub fn signal(source: &Ready) {
    kernel::signal(source.as_raw_fd());
}

/// Drains it, as every backend may demand, and makes it readable anew.
pub fn renew(source: &mut Ready) {
    source.read_exact(&mut [0; 8]).unwrap();
    let empty = source.read(&mut [0; 8]).unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::WouldBlock);
    signal(source);
}
