//! What only Unix has: any file descriptor as a source, and pipes.
//!
//! - [`SourceFd`] and [`SourceBorrowedFd`] register a descriptor that belongs to
//!   somebody else: a timer, a signal descriptor, a terminal, the socket of
//!   another library.
//! - [`pipe`] has the two ends of a pipe, and takes over the pipes of a child
//!   process.

pub mod pipe;

pub use crate::source_fd::{SourceBorrowedFd, SourceFd};
