//! What only Windows has: named pipes, and sockets and other handles of somebody
//! else as sources.
//!
//! - [`NamedPipe`] is one end of a named pipe, made by [`NamedPipeOptions`].
//! - [`SourceSocket`] and [`SourceBorrowedSocket`] register a socket that belongs
//!   to somebody else, such as one of another library.
//! - [`SourceHandle`] and [`SourceBorrowedHandle`] register what can be waited
//!   for: a process, an event, a semaphore, a timer.

mod named_pipe;
mod source_handle;
mod source_socket;

pub use named_pipe::{NamedPipe, NamedPipeOptions};
pub use source_handle::{SourceBorrowedHandle, SourceHandle};
pub use source_socket::{SourceBorrowedSocket, SourceSocket};
