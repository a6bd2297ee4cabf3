//! What is done once: counted in system calls, which do not jitter.

use std::env;
use std::fs;
use std::io;
use std::process::Command;

use anyhow::{bail, Context, Result};

/// Marks in the trace where an operation begins: writes to a descriptor that
/// cannot be open, which nobody else makes.
const NO_FD: i32 = -1;

macro_rules! set_up {
    ($name:ident, $krate:ident) => {
        fn $name() -> io::Result<()> {
            use std::net::SocketAddr;
            use $krate::{net, Interest, Poll, Token, Waker};
            let any_port = SocketAddr::from(([127, 0, 0, 1], 0));

            mark("Poll::new");
            let poll = Poll::new()?;
            mark("Waker::new");
            let _waker = Waker::new(poll.registry(), Token(0))?;
            mark("a second Waker::new");
            // The reference allows one only, and says so in debug builds.
            if cfg!(not(debug_assertions)) {
                let _second = Waker::new(poll.registry(), Token(1))?;
            }
            mark("Registry::try_clone");
            let _registry = poll.registry().try_clone()?;
            mark("TcpListener::bind");
            let mut listener = net::TcpListener::bind(any_port)?;
            mark("register");
            poll.registry()
                .register(&mut listener, Token(2), Interest::READABLE)?;
            mark("-");
            let addr = listener.local_addr()?;
            mark("TcpStream::connect");
            let _client = net::TcpStream::connect(addr)?;
            mark("accept");
            let _server = listener.accept()?;
            mark("UdpSocket::bind");
            let _udp = net::UdpSocket::bind(any_port)?;
            mark("UnixStream::pair");
            let _pair = net::UnixStream::pair()?;
            mark("pipe::new");
            let _pipe = $krate::unix::pipe::new()?;
            mark("-");
            Ok(())
        }
    };
}

set_up!(set_up_ours, mio);
set_up!(set_up_mio, mio_reference);

fn mark(operation: &str) {
    // SAFETY: the kernel looks at the descriptor first, which is none.
    #[allow(unsafe_code)]
    unsafe {
        libc::write(NO_FD, operation.as_ptr().cast(), operation.len());
    }
}

/// The process that is traced.
pub(crate) fn set_up(contender: &str) -> Result<()> {
    match contender {
        "ours" => Ok(set_up_ours()?),
        "mio" => Ok(set_up_mio()?),
        unknown => bail!("there is no contender `{unknown}`"),
    }
}

/// Prints the table.
pub(crate) fn run() -> Result<()> {
    let (ours, mio) = (trace("ours")?, trace("mio")?);
    println!(
        "{:22} {:>5} {:>5}  the calls of ours",
        "system calls", "ours", "mio"
    );
    for ((operation, ours), (_, mio)) in ours.iter().zip(&mio) {
        println!(
            "{operation:22} {:5} {:5}  {}",
            ours.len(),
            mio.len(),
            ours.join(", ")
        );
    }
    Ok(())
}

/// Each operation with the names of its system calls.
fn trace(contender: &str) -> Result<Vec<(String, Vec<String>)>> {
    let folder = tempfile::tempdir()?;
    let log = folder.path().join("trace");
    let status = Command::new("strace")
        .arg("-o")
        .arg(&log)
        .arg(env::current_exe()?)
        .args(["set-up", contender])
        .status()
        .context("cannot start strace: is it installed and in PATH?")?;
    if !status.success() {
        bail!("strace failed: {status}");
    }
    Ok(parse(&fs::read_to_string(log)?))
}

fn parse(trace: &str) -> Vec<(String, Vec<String>)> {
    let mut operations: Vec<(String, Vec<String>)> = Vec::new();
    for line in trace.lines() {
        let Some((call, arguments)) = line.split_once('(') else {
            continue;
        };
        let mark = arguments.strip_prefix("-1, \"");
        if let (Some(rest), "write") = (mark, call) {
            let name = rest.split('"').next().unwrap_or_default();
            operations.push((name.to_owned(), Vec::new()));
        } else if let Some((_, calls)) = operations.last_mut() {
            calls.push(call.to_owned());
        }
    }
    operations.retain(|(name, _)| name != "-");
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_between_marks() {
        let trace = "brk(NULL) = 0\n\
                     write(-1, \"Poll::new\", 9) = -1 EBADF\n\
                     epoll_create1(EPOLL_CLOEXEC) = 3\n\
                     write(-1, \"-\", 1) = -1 EBADF\n\
                     close(3) = 0\n\
                     +++ exited with 0 +++\n";
        assert_eq!(
            parse(trace),
            [("Poll::new".to_owned(), vec!["epoll_create1".to_owned()])]
        );
    }
}
