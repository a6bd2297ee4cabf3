//! What only Windows has: named pipes, and sockets of somebody else as sources.
//!
//! - [`NamedPipe`] is one end of a named pipe, made by [`NamedPipeOptions`].
//! - [`SourceSocket`] and [`SourceBorrowedSocket`] register a socket that belongs
//!   to somebody else, such as one of another library.

mod named_pipe;
mod source_socket;

pub use named_pipe::{NamedPipe, NamedPipeOptions};
pub use source_socket::{SourceBorrowedSocket, SourceSocket};
