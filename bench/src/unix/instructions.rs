//! What each call costs in instructions of our own, under callgrind: figures
//! without noise, of what lies around the system calls.

use std::env;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::time::Duration;

use anyhow::{bail, Context, Result};
use rustix::event::{eventfd, EventfdFlags};

use crate::contender::*;

/// The operations, by the names that the child process gets. Those that hold a
/// write to an eventfd are shown without it.
const OPERATIONS: [(&str, &str); 11] = [
    ("poll-zero", "poll(0), no waker"),
    ("poll-zero-waker", "poll(0), a waker"),
    ("poll-none", "poll(None), 1 event, no waker"),
    ("poll-none-waker", "poll(None), 1 event, a waker"),
    ("wake", "wake, pending"),
    ("wake-poll-zero", "wake + poll(0)"),
    ("wake-poll-none", "wake + poll(None)"),
    ("register", "register + deregister, fd"),
    ("register-udp", "register + deregister, UdpSocket"),
    ("reregister", "reregister, fd"),
    ("echo", "write + read + read EAGAIN, unix"),
];
const WRITE: &str = "eventfd-write";
const CONTENDERS: [&str; 4] = [Ours::NAME, Mio::NAME, Polling::NAME, Raw::NAME];

/// Prints the table.
pub(crate) fn run() -> Result<()> {
    let write = per_operation(Raw::NAME, WRITE)?;
    println!("user instructions per operation (callgrind)");
    print!("{:34}", "");
    CONTENDERS.iter().for_each(|name| print!("{name:>9}"));
    println!("  ours/mio");
    let mut above = Vec::new();
    for (operation, title) in OPERATIONS {
        let mut figures = Vec::new();
        for contender in CONTENDERS {
            let own = per_operation(contender, operation)?;
            let holds_write = operation.starts_with("poll-none");
            figures.push(if holds_write { own - write } else { own });
        }
        print!("{title:34}");
        figures.iter().for_each(|figure| print!("{figure:9.1}"));
        println!("{:10.2}", figures[0] / figures[1]);
        if figures[0] > figures[1] {
            above.push(title);
        }
    }
    if above.is_empty() {
        println!("ours is nowhere above mio");
    } else {
        println!("ours is above mio in: {}", above.join("; "));
    }
    Ok(())
}

/// The difference of two runs, so that start-up and set-up do not count.
fn per_operation(contender: &str, operation: &str) -> Result<f64> {
    const FEW: u64 = 1_000;
    const MANY: u64 = 11_000;
    let few = total(contender, operation, FEW)?;
    let many = total(contender, operation, MANY)?;
    Ok((many as f64 - few as f64) / (MANY - FEW) as f64)
}

fn total(contender: &str, operation: &str, count: u64) -> Result<u64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(env::current_exe()?)
        .args(["repeat", contender, operation, &count.to_string()])
        .output()
        .context("cannot start valgrind: is it installed and in PATH?")?;
    let text = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("valgrind failed for {contender} {operation}: {text}");
    }
    let figure = text
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, figure)| figure.trim().parse().ok());
    figure.with_context(|| format!("valgrind printed no figure: {text}"))
}

/// The child process: does one operation many times.
pub(crate) fn repeat(contender: &str, operation: &str, count: u64) -> Result<()> {
    let done = match contender {
        Ours::NAME => repeat_with::<Ours>(operation, count),
        Mio::NAME => repeat_with::<Mio>(operation, count),
        Polling::NAME => repeat_with::<Polling>(operation, count),
        Raw::NAME => repeat_with::<Raw>(operation, count),
        unknown => bail!("there is no contender `{unknown}`"),
    };
    Ok(done?)
}

fn repeat_with<C: OnUnix>(operation: &str, count: u64) -> io::Result<()> {
    let (mut poll, mut events) = (C::poll()?, C::events(16));
    let eventfd = eventfd(0, EventfdFlags::NONBLOCK)?;
    let fd = eventfd.as_raw_fd();
    let write = || rustix::io::write(&eventfd, &1u64.to_ne_bytes());
    let (poll, events) = (&mut poll, &mut events);
    let waker = match operation {
        "poll-zero" | "poll-none" | "register" | "register-udp" | "reregister" => None,
        _ => Some(C::waker(poll, 1)?),
    };
    let wake = || waker.as_ref().map_or(Ok(()), C::wake);
    C::wait(poll, events, Some(Duration::ZERO))?;
    let repeat = |f: &mut dyn FnMut() -> io::Result<()>| (0..count).try_for_each(|_| f());
    match operation {
        WRITE => repeat(&mut || write().map(drop).map_err(Into::into)),
        "poll-zero" | "poll-zero-waker" => {
            repeat(&mut || C::wait(poll, events, Some(Duration::ZERO)))
        }
        "poll-none" | "poll-none-waker" => {
            C::add_fd(poll, fd, 0)?;
            repeat(&mut || {
                write()?;
                C::wait(poll, events, None)
            })
        }
        "wake" => repeat(&mut || wake()),
        "wake-poll-zero" => repeat(&mut || {
            wake()?;
            C::wait(poll, events, Some(Duration::ZERO))
        }),
        "wake-poll-none" => repeat(&mut || {
            wake()?;
            C::wait(poll, events, None)
        }),
        "register" => repeat(&mut || {
            C::add_fd(poll, fd, 0)?;
            C::remove_fd(poll, fd)
        }),
        "register-udp" => {
            let (mut socket, _) = C::bind_udp()?;
            repeat(&mut || {
                socket.add(poll, 0)?;
                socket.remove(poll)
            })
        }
        "reregister" => {
            C::add_fd(poll, fd, 0)?;
            repeat(&mut || C::change_fd(poll, fd, 0))
        }
        "echo" => {
            let (mut one, mut other) = unix_pair::<C>()?;
            repeat(&mut || exchange(&mut one, &mut other))
        }
        unknown => panic!("there is no operation `{unknown}`"),
    }
}

fn unix_pair<C: OnUnix>() -> io::Result<(C::Unix, C::Unix)> {
    let (one, other) = UnixStream::pair()?;
    one.set_nonblocking(true)?;
    other.set_nonblocking(true)?;
    Ok((C::Unix::adopt(one), C::Unix::adopt(other)))
}

fn exchange(one: &mut impl Write, other: &mut impl Read) -> io::Result<()> {
    let mut buf = [0; 64];
    one.write_all(&buf)?;
    other.read_exact(&mut buf)?;
    match other.read(&mut buf) {
        Err(err) if err.kind() == ErrorKind::WouldBlock => Ok(()),
        Err(err) => Err(err),
        Ok(_) => Err(ErrorKind::InvalidData.into()),
    }
}
