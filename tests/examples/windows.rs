//! The examples of what only Windows has.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::process;
use std::thread;
use std::time::Instant;

use crate::example::{Example, GUARD};

/// Opens the pipe; between two instances there may be none for a moment.
fn connect(name: &str) -> File {
    const ERROR_PIPE_BUSY: i32 = 231;
    let started = Instant::now();
    loop {
        match OpenOptions::new().read(true).write(true).open(name) {
            Ok(pipe) => return pipe,
            Err(err) => assert_eq!(err.raw_os_error(), Some(ERROR_PIPE_BUSY), "{err}"),
        }
        assert!(started.elapsed() < GUARD, "no instance of the pipe is free");
        thread::yield_now();
    }
}

#[test]
fn named_pipe_server_echoes_for_many_clients() {
    let name = format!(r"\\.\pipe\mio-test-example-{}", process::id());
    let server = Example::run("named_pipe_server", &[&name]);
    assert_eq!(server.line(), format!("listening on {name}"));
    for round in 0..3 {
        let mut clients: Vec<File> = (0..10).map(|_| connect(&name)).collect();
        for (number, client) in clients.iter_mut().enumerate() {
            write!(client, "client {number:04}, round {round}").unwrap();
        }
        for (number, client) in clients.iter_mut().enumerate() {
            let text = format!("client {number:04}, round {round}");
            let mut echo = vec![0; text.len()];
            client.read_exact(&mut echo).unwrap();
            assert_eq!(String::from_utf8_lossy(&echo), text);
        }
    }
}

#[test]
fn child_exit_ends_as_the_child_does() {
    let (lines, status) = Example::run("child_exit", &[]).finish();
    assert_eq!(status.code(), Some(3));
    assert_eq!(lines, ["the child has ended: exit code: 3"]);
}
