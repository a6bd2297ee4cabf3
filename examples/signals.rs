//! Waits for signals in the same loop as for everything else, without a signal handler.
//!
//! ```text
//! cargo run --release --all-features --example signals
//! ```
//!
//! It prints its process number, then the name of each `SIGUSR1` that it is sent, and ends at
//! `SIGTERM`. Linux has a descriptor that signals are read from, `signalfd(2)`; a kqueue has a
//! filter for them, which is added to the queue beneath `Poll` and comes as an event.

#[cfg(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "macos"
))]
fn main() -> std::io::Result<()> {
    use mio::{Events, Poll};

    let mut poll = Poll::new()?;
    let signals = signals::Signals::new(&poll)?;
    println!("process {}", std::process::id());

    let mut events = Events::with_capacity(8);
    loop {
        if let Err(err) = poll.poll(&mut events, None) {
            if err.kind() == std::io::ErrorKind::Interrupted {
                continue;
            }
            return Err(err);
        }
        for event in &events {
            for signal in signals.taken(event)? {
                println!("{signal}");
                if signal == "SIGTERM" {
                    return Ok(());
                }
            }
        }
    }
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "android",
    target_os = "freebsd",
    target_os = "macos"
)))]
fn main() {
    println!("this example is of Linux, Android, FreeBSD and macOS");
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod signals {
    use std::io;
    use std::os::fd::{AsFd, AsRawFd};

    use mio::event::Event;
    use mio::unix::SourceFd;
    use mio::{Interest, Poll, Token};
    use nix::sys::signal::{SigSet, Signal};
    use nix::sys::signalfd::{SfdFlags, SignalFd};

    const SIGNALS: Token = Token(0);

    pub(crate) struct Signals(SignalFd);

    impl Signals {
        pub(crate) fn new(poll: &Poll) -> io::Result<Signals> {
            let mut set = SigSet::empty();
            set.add(Signal::SIGUSR1);
            set.add(Signal::SIGTERM);
            // A signal that is not blocked does what it always does, and is not there to be read.
            // Threads inherit this: block before the first one is started.
            set.thread_block()?;
            let signals =
                SignalFd::with_flags(&set, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
            let fd = signals.as_fd().as_raw_fd();
            poll.registry()
                .register(&mut SourceFd(&fd), SIGNALS, Interest::READABLE)?;
            Ok(Signals(signals))
        }

        /// Reads until there are no more: only the next signal makes the next event.
        pub(crate) fn taken(&self, event: &Event) -> io::Result<Vec<&'static str>> {
            let mut taken = Vec::new();
            while event.token() == SIGNALS {
                let Some(signal) = self.0.read_signal()? else {
                    break;
                };
                taken.push(Signal::try_from(signal.ssi_signo as i32)?.as_str());
            }
            Ok(taken)
        }
    }
}

#[cfg(any(target_os = "freebsd", target_os = "macos"))]
mod signals {
    use std::io;
    use std::os::fd::AsFd;

    use mio::event::Event;
    use mio::{Poll, Token};
    use nix::sys::signal::{signal, SigHandler, Signal};
    use rustix::event::kqueue::{self, EventFilter, EventFlags};

    /// The event of a filter of ours bears the token that we give it, as those of sources do.
    const SIGNALS: [(Token, Signal); 2] =
        [(Token(0), Signal::SIGUSR1), (Token(1), Signal::SIGTERM)];

    pub(crate) struct Signals(());

    impl Signals {
        pub(crate) fn new(poll: &Poll) -> io::Result<Signals> {
            for (Token(token), number) in SIGNALS {
                // What is ignored still comes to the queue, and no longer ends the process.
                // SAFETY: to ignore a signal runs no code.
                #[allow(unsafe_code)]
                unsafe { signal(number, SigHandler::SigIgn) }?;
                let filter = EventFilter::Signal {
                    signal: rustix::process::Signal::from_named_raw(number as i32)
                        .ok_or(io::ErrorKind::InvalidInput)?,
                    times: 0,
                };
                let mut no_events: [kqueue::Event; 0] = [];
                let change = kqueue::Event::new(filter, EventFlags::ADD, token as *mut _);
                // SAFETY: the filter names no descriptor that could be closed behind our back.
                #[allow(unsafe_code)]
                unsafe { kqueue::kevent(poll.as_fd(), &[change], &mut no_events[..], None) }?;
            }
            Ok(Signals(()))
        }

        /// The queue counts signals until they are told: one event, however many there were.
        pub(crate) fn taken(&self, event: &Event) -> io::Result<Vec<&'static str>> {
            let ours = SIGNALS.iter().filter(|(token, _)| *token == event.token());
            Ok(ours.map(|(_, signal)| signal.as_str()).collect())
        }
    }
}
