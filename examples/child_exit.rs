//! Waits for the end of a child process in the same loop as for everything else.
//!
//! ```text
//! cargo run --release --all-features --example child_exit [COMMAND [ARGUMENT...]]
//! ```
//!
//! Linux has descriptors that mean a process, `pidfd_open(2)`: one is readable when its process has
//! ended. On Windows every process has a handle, which is signalled then. No signal is needed, and
//! no child can be mistaken for another. The example ends as the child does, which is
//! `exit 3` in the system's shell unless told otherwise.

use std::process::{self, Command};
use std::{env, io};

#[cfg(any(target_os = "linux", target_os = "android"))]
use linux::wait_for;
#[cfg(windows)]
use windows::wait_for;

#[cfg(windows)]
const SHELL: [&str; 3] = ["cmd", "/C", "exit 3"];
#[cfg(not(windows))]
const SHELL: [&str; 3] = ["sh", "-c", "exit 3"];

fn main() -> io::Result<()> {
    let mut command: Vec<String> = env::args().skip(1).collect();
    if command.is_empty() {
        command = SHELL.map(String::from).to_vec();
    }
    let mut child = Command::new(&command[0]).args(&command[1..]).spawn()?;
    wait_for(&child)?;
    // It has ended, so that this does not wait.
    let status = child.wait()?;
    println!("the child has ended: {status}");
    process::exit(status.code().unwrap_or(1));
}

/// Polls until the one source that is registered is ready.
#[cfg(any(target_os = "linux", target_os = "android", windows))]
fn wait(mut poll: mio::Poll, child: mio::Token) -> io::Result<()> {
    let mut events = mio::Events::with_capacity(8);
    loop {
        match poll.poll(&mut events, None) {
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            polled => polled?,
        }
        if events.iter().any(|event| event.token() == child) {
            return Ok(());
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod linux {
    use std::io;
    use std::os::fd::AsRawFd;
    use std::process::Child;

    use mio::unix::SourceFd;
    use mio::{Interest, Poll, Token};
    use rustix::process::{pidfd_open, Pid, PidfdFlags};

    const CHILD: Token = Token(0);

    pub(crate) fn wait_for(child: &Child) -> io::Result<()> {
        // Until it is waited for, the child's number is no other process's.
        let process = pidfd_open(Pid::from_child(child), PidfdFlags::NONBLOCK)?;
        let poll = Poll::new()?;
        let fd = process.as_raw_fd();
        poll.registry()
            .register(&mut SourceFd(&fd), CHILD, Interest::READABLE)?;
        super::wait(poll, CHILD)
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::os::windows::io::AsRawHandle;
    use std::process::Child;

    use mio::windows::SourceHandle;
    use mio::{Interest, Poll, Token};

    const CHILD: Token = Token(0);

    pub(crate) fn wait_for(child: &Child) -> io::Result<()> {
        let poll = Poll::new()?;
        let handle = child.as_raw_handle();
        poll.registry()
            .register(&mut SourceHandle(&handle), CHILD, Interest::READABLE)?;
        super::wait(poll, CHILD)
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android", windows)))]
fn wait_for(_: &process::Child) -> io::Result<()> {
    let text = "this example knows how to wait on Linux and on Windows";
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}
