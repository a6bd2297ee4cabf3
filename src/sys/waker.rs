//! What interrupts a sleeping queue where it is a descriptor, or nothing, and the
//! table that picks it.

use std::fs::File;
use std::io::{self, ErrorKind, Read};

cfg_if! {
    if #[cfg(all(
        any(
            target_os = "android",
            target_os = "espidf",
            target_os = "fuchsia",
            target_os = "hermit",
            target_os = "illumos",
            target_os = "linux",
            target_os = "nuttx",
        ),
        not(mio_unsupported_force_waker_pipe)
    ))] {
        #[allow(unsafe_code)]
        mod eventfd;
        #[cfg(test)]
        mod pipe;
        pub(crate) use eventfd::EventFd as Wakeup;
    } else if #[cfg(target_os = "wasi")] {
        mod still;
        pub(crate) use still::Still as Wakeup;
    } else {
        mod pipe;
        pub(crate) use pipe::Pipe as Wakeup;
    }
}

// One write: where the feature asks for it, without libc.
cfg_if! {
    if #[cfg(unix)] {
        fn write_once(file: &File, bytes: &[u8]) -> io::Result<usize> {
            super::unix::syscall::write(std::os::fd::AsFd::as_fd(file), bytes)
        }
    } else {
        fn write_once(mut file: &File, bytes: &[u8]) -> io::Result<usize> {
            io::Write::write(&mut file, bytes)
        }
    }
}

/// Writes until it is written, emptying `reader` when there is no room.
fn write(writer: &File, bytes: &[u8], reader: &File) -> io::Result<()> {
    loop {
        match write_once(writer, bytes) {
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

#[cfg(all(test, unix, not(loom)))]
mod tests;
