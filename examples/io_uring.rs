//! Waits for completions of an io_uring in the same loop as for sockets.
//!
//! ```text
//! cargo run --release --all-features --example io_uring
//! ```
//!
//! Regular files are always "ready", so that a queue of readiness cannot help with them. An
//! `io_uring(7)` reads them without blocking, and its descriptor is readable when completions wait:
//! that is all that `Poll` needs. The example reads its own program's first bytes that way. Where
//! the kernel has no io_uring, or a sandbox forbids it, it says so and exits with status 2.

#[cfg(all(
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
fn main() -> std::io::Result<()> {
    use std::fs::File;
    use std::os::fd::AsRawFd;
    use std::{env, io, process};

    use io_uring::{opcode, types, IoUring};
    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};

    const RING: Token = Token(0);
    const READS: usize = 4;
    const PIECE: usize = 16;

    let mut ring = match IoUring::new(READS as u32) {
        Ok(ring) => ring,
        Err(err) => {
            println!("no io_uring: {err}");
            process::exit(2);
        }
    };
    let mut poll = Poll::new()?;
    let fd = ring.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(&fd), RING, Interest::READABLE)?;

    let file = File::open(env::current_exe()?)?;
    let mut pieces = [[0; PIECE]; READS];
    for (index, piece) in pieces.iter_mut().enumerate() {
        let read = opcode::Read::new(
            types::Fd(file.as_raw_fd()),
            piece.as_mut_ptr(),
            PIECE as u32,
        )
        .offset((index * PIECE) as u64)
        .build()
        .user_data(index as u64);
        // SAFETY: file and buffers outlive the loop below, which ends with the last completion.
        #[allow(unsafe_code)]
        unsafe { ring.submission().push(&read) }
            .map_err(|err| io::Error::new(io::ErrorKind::Other, err))?;
    }
    ring.submit()?;

    let mut events = Events::with_capacity(8);
    let mut done = 0;
    while done < READS {
        if let Err(err) = poll.poll(&mut events, None) {
            if err.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(err);
        }
        if events.iter().any(|event| event.token() == RING) {
            // All of them: only the next completion makes the next event.
            for completion in ring.completion() {
                if completion.result() < 0 {
                    return Err(io::Error::from_raw_os_error(-completion.result()));
                }
                done += 1;
            }
        }
    }
    let magic = &pieces[0][1..4];
    println!("{done} reads, an {} file", String::from_utf8_lossy(magic));
    Ok(())
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86_64")
)))]
fn main() {
    println!("this example is of Linux, on AArch64 and x86-64");
}
