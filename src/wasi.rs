//! What only WASI has: any descriptor as a source.

pub use crate::source_fd::{SourceBorrowedFd, SourceFd};
