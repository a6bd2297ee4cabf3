//! What interrupts a sleeping queue on Unix, and the table that picks it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;

use super::syscall;

cfg_if! {
    if #[cfg(all(
        any(target_os = "linux", target_os = "android"),
        not(mio_unsupported_force_waker_pipe)
    ))] {
        #[allow(unsafe_code)]
        mod eventfd;
        #[cfg(test)]
        mod pipe;
        pub(crate) use eventfd::EventFd as Wakeup;
    } else {
        mod pipe;
        pub(crate) use pipe::Pipe as Wakeup;
    }
}

/// Writes until it is written, emptying `reader` when there is no room.
fn write(writer: &File, bytes: &[u8], reader: &File) -> io::Result<()> {
    loop {
        match syscall::write(writer.as_fd(), bytes) {
            Ok(_) => return Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => drain(reader)?,
            Err(err) => return Err(err),
        }
    }
}

/// Reads until nothing is left.
fn drain(mut reader: &File) -> io::Result<()> {
    let mut buffer = [0; 1024];
    loop {
        match reader.read(&mut buffer) {
            Ok(read) if read == buffer.len() => {}
            Ok(_) => return Ok(()),
            Err(err) if err.kind() == ErrorKind::Interrupted => {}
            Err(err) if err.kind() == ErrorKind::WouldBlock => return Ok(()),
            Err(err) => return Err(err),
        }
    }
}
