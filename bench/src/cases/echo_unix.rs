//! The echo server over Unix sockets.

use std::io;
use std::os::unix::net::UnixStream;

use super::echo::{case, echo};
use super::*;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        case("echo/unix-1", everyone!(echo_unix(1, 1))),
        case("echo/unix-64", everyone!(echo_unix(64, 64))),
        case("echo/unix-1000", everyone!(echo_unix(1_000, 1_000))),
        case("echo/unix-1-of-100", everyone!(echo_unix(1, 100))),
    ]
}

fn echo_unix<C: OnUnix>(busy: usize, connections: usize) -> io::Result<Turn> {
    let pairs = (0..connections).map(|_| {
        let (client, server) = UnixStream::pair()?;
        server.set_nonblocking(true)?;
        Ok((client, server))
    });
    echo::<C, C::Unix, _>(pairs.collect::<io::Result<_>>()?, busy)
}
