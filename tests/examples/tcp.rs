//! `tcp_server`: many clients, long echoes and clients that do as they like.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::thread;

use crate::example::{connect, Example, ANY_PORT};

fn assert_echoes(mut stream: &TcpStream, text: &[u8]) {
    stream.write_all(text).unwrap();
    assert_echoed(stream, text);
}

fn assert_echoed(mut stream: &TcpStream, text: &[u8]) {
    let mut echo = vec![0; text.len()];
    stream.read_exact(&mut echo).unwrap();
    assert_eq!(echo, text);
}

#[test]
fn tcp_server_echoes_for_a_thousand_clients_at_once() {
    allow_descriptors(2048);
    let server = Example::run("tcp_server", &[ANY_PORT]);
    let address = server.address();

    let clients: Vec<TcpStream> = (0..1000).map(|_| connect(address)).collect();
    for round in 0..3 {
        for (number, mut client) in clients.iter().enumerate() {
            writeln!(client, "client {number}, round {round}").unwrap();
        }
        for (number, client) in clients.iter().enumerate() {
            assert_echoed(
                client,
                format!("client {number}, round {round}\n").as_bytes(),
            );
        }
    }
    drop(clients);
    assert_echoes(&connect(address), b"still there");
}

/// Raises the soft limit of open files, for this process and the examples that it starts: many
/// systems set it to 1024, some to 256.
#[cfg(unix)]
#[allow(unsafe_code)]
fn allow_descriptors(count: libc::rlim_t) {
    let mut limit = libc::rlimit {
        rlim_cur: 0,
        rlim_max: 0,
    };
    // SAFETY: `limit` is a valid place to write to, and ours.
    let result = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    assert_eq!(result, 0);
    limit.rlim_cur = limit.rlim_cur.max(count.min(limit.rlim_max));
    // SAFETY: `limit` is initialised, and only read.
    let result = unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) };
    assert_eq!(result, 0);
}

#[cfg(not(unix))]
fn allow_descriptors(_: usize) {}

#[test]
fn tcp_server_keeps_every_byte_of_a_long_echo() {
    const LEN: usize = 32 * 1024 * 1024;
    let server = Example::run("tcp_server", &[ANY_PORT]);
    let stream = connect(server.address());
    // The period is odd: a piece that is lost, doubled or moved does not fit.
    let text: Vec<u8> = (0..=250).cycle().take(LEN).collect();

    thread::scope(|scope| {
        scope.spawn(|| {
            (&stream).write_all(&text).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        });
        // The reader lags behind by as much as all buffers hold, so the server has to wait.
        let mut echo = Vec::with_capacity(LEN);
        (&stream).read_to_end(&mut echo).unwrap();
        assert!(echo == text, "{} of {LEN} bytes, or other ones", echo.len());
    });
}

#[test]
fn tcp_server_survives_rude_clients() {
    let server = Example::run("tcp_server", &[ANY_PORT]);
    let address = server.address();
    let polite = connect(address);

    for _ in 0..50 {
        drop(connect(address)); // Comes and goes.

        let mut half = connect(address); // Says it has finished, and reads on.
        half.write_all(b"half").unwrap();
        half.shutdown(Shutdown::Write).unwrap();
        let mut echo = String::new();
        half.read_to_string(&mut echo).unwrap();
        assert_eq!(echo, "half");

        let mut rude = connect(address); // Closes with bytes unread: a reset, on most systems.
        rude.write_all(&[7; 4096]).unwrap();
        rude.read_exact(&mut [0]).unwrap();
        drop(rude);
    }
    assert_echoes(&polite, b"and now to something completely different");
}
