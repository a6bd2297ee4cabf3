//! Waits for a child process in an event loop, beside whatever else the loop does.
//!
//! ```text
//! cargo run --release --all-features --example child_exit [COMMAND [ARGUMENT...]]
//! ```
//!
//! The child is `cmd /C exit 3` unless told otherwise. The process ends with the child's exit code.

#[cfg(windows)]
fn main() -> std::io::Result<()> {
    windows::main()
}

#[cfg(not(windows))]
fn main() {
    println!("handles of processes can be polled on Windows; on Linux see pidfd_open(2)");
}

#[cfg(windows)]
mod windows {
    use std::env;
    use std::io;
    use std::os::windows::io::AsRawHandle;
    use std::process::{self, Command};

    use mio::windows::SourceHandle;
    use mio::{Events, Interest, Poll, Token};

    const CHILD: Token = Token(0);

    pub(crate) fn main() -> io::Result<()> {
        let mut command: Vec<String> = env::args().skip(1).collect();
        if command.is_empty() {
            command = ["cmd", "/C", "exit 3"].map(String::from).to_vec();
        }
        let mut child = Command::new(&command[0]).args(&command[1..]).spawn()?;

        let mut poll = Poll::new()?;
        let mut events = Events::with_capacity(8);
        let handle = child.as_raw_handle();
        let mut source = SourceHandle(&handle);
        poll.registry()
            .register(&mut source, CHILD, Interest::READABLE)?;

        loop {
            poll.poll(&mut events, None)?;
            if events.iter().any(|event| event.token() == CHILD) {
                break;
            }
        }
        poll.registry().deregister(&mut source)?;

        // It has exited, so this does not wait.
        let status = child.wait()?;
        println!("{status}");
        process::exit(status.code().unwrap_or(1));
    }
}
