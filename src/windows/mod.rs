//! What only Windows has: sockets of somebody else as sources.
//!
//! - [`SourceSocket`] and [`SourceBorrowedSocket`] register a socket that belongs
//!   to somebody else, such as one of another library.

mod source_socket;

pub use source_socket::{SourceBorrowedSocket, SourceSocket};
