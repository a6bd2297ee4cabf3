//! Waits for the end of a child process in the same loop as for everything else.
//!
//! ```text
//! cargo run --release --all-features --example child_exit [COMMAND [ARGUMENT...]]
//! ```
//!
//! Linux has descriptors that mean a process, `pidfd_open(2)`: one is readable when its process has
//! ended. No signal is needed, and none of another child can be mistaken for it. The example ends
//! as the child does (`sh -c "exit 3"` unless told otherwise).

#[cfg(any(target_os = "linux", target_os = "android"))]
fn main() -> std::io::Result<()> {
    use std::os::fd::AsRawFd;
    use std::process::Command;
    use std::{env, io, process};

    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Token};
    use rustix::process::{pidfd_open, Pid, PidfdFlags};

    const CHILD: Token = Token(0);

    let mut command: Vec<String> = env::args().skip(1).collect();
    if command.is_empty() {
        command = ["sh", "-c", "exit 3"].map(String::from).to_vec();
    }
    let mut child = Command::new(&command[0]).args(&command[1..]).spawn()?;

    // Until it is waited for, the child's number is no other process's.
    let process = pidfd_open(Pid::from_child(&child), PidfdFlags::NONBLOCK)?;
    let mut poll = Poll::new()?;
    let fd = process.as_raw_fd();
    poll.registry()
        .register(&mut SourceFd(&fd), CHILD, Interest::READABLE)?;

    let mut events = Events::with_capacity(8);
    let status = loop {
        if let Err(err) = poll.poll(&mut events, None) {
            if err.kind() == io::ErrorKind::Interrupted {
                continue;
            }
            return Err(err);
        }
        if events.iter().any(|event| event.token() == CHILD) {
            // It has ended, so that this does not wait.
            if let Some(status) = child.try_wait()? {
                break status;
            }
        }
    };
    poll.registry().deregister(&mut SourceFd(&fd))?;
    println!("the child has ended: {status}");
    process::exit(status.code().unwrap_or(1));
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn main() {
    println!("descriptors of processes are Linux's");
}
