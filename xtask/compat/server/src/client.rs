//! The questions to the server, asked with blocking sockets of std: what is
//! judged must not stand on what is under test.

use std::error::Error;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;
use std::thread;

type Outcome = Result<(), Box<dyn Error>>;

const BLOB: usize = 16 << 20;
const IDLE: usize = 2000;
/// Idle connections that live when the server is told to stop.
const IDLE_AT_THE_END: usize = 100;

pub(crate) fn check(name: &str, address: &str, socket: &str, pid: &str) -> Outcome {
    match name {
        "blobs" => blobs(address),
        "idle" => idle(address),
        "unix" => unix(socket),
        "terminate" => terminate(address, pid),
        unknown => Err(format!("no check `{unknown}`").into()),
    }
}

/// Four clients at once, each of which gets back what it sent.
fn blobs(address: &str) -> Outcome {
    thread::scope(|scope| {
        let clients: Vec<_> = (1..=4)
            .map(|name| scope.spawn(move || blob(address, name).map_err(|err| err.to_string())))
            .collect();
        for client in clients {
            client.join().map_err(|_| "a client panicked")??;
        }
        Ok(())
    })
}

fn blob(address: &str, name: u32) -> Outcome {
    let sent = noise(name);
    let mut stream = TcpStream::connect(address)?;
    let head = format!("PUT /blob/{name} HTTP/1.1\r\nhost: x\r\ncontent-length: {BLOB}\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&sent)?;
    expect(&mut stream, 204)?;
    let got = get(&mut stream, &format!("/blob/{name}"))?;
    match sent.iter().zip(&got).position(|(a, b)| a != b) {
        Some(at) => Err(format!("blob {name} differs from byte {at}").into()),
        None if got.len() != BLOB => Err(format!("blob {name} has {} bytes", got.len()).into()),
        None => Ok(()),
    }
}

/// Bytes without a pattern that a misplaced piece could fit into.
fn noise(seed: u32) -> Vec<u8> {
    let mut state = u64::from(seed) | 1 << 40;
    (0..BLOB)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state >> 24) as u8
        })
        .collect()
}

/// Each of many connections lies idle while the others are used.
fn idle(address: &str) -> Outcome {
    let mut streams = connect(address, IDLE)?;
    for _ in 0..2 {
        for stream in &mut streams {
            hello(stream)?;
        }
    }
    Ok(())
}

fn unix(socket: &str) -> Outcome {
    let mut streams = Vec::new();
    for _ in 0..100 {
        streams.push(UnixStream::connect(socket)?);
    }
    for stream in &mut streams {
        hello(stream)?;
    }
    Ok(())
}

/// A request that is under way when SIGTERM comes is answered; who comes after
/// it is refused, and idle connections do not keep the server up.
fn terminate(address: &str, pid: &str) -> Outcome {
    let mut idle = connect(address, IDLE_AT_THE_END)?;
    for stream in &mut idle {
        hello(stream)?;
    }
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(
        b"PUT /blob/0 HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\nexpect: 100-continue\r\n\r\n",
    )?;
    // Its handler waits for the body now.
    expect(&mut stream, 100)?;
    if !Command::new("kill")
        .args(["-TERM", pid])
        .status()?
        .success()
    {
        return Err("the server could not be signalled".into());
    }
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    stream.write_all(b"late")?;
    expect(&mut stream, 204)?;
    for stream in &mut idle {
        if stream.read(&mut [0])? != 0 {
            return Err("an idle connection was sent something".into());
        }
    }
    Ok(())
}

fn connect(address: &str, count: usize) -> io::Result<Vec<TcpStream>> {
    (0..count).map(|_| TcpStream::connect(address)).collect()
}

fn hello<S: Read + Write>(stream: &mut S) -> Outcome {
    match get(stream, "/")?.as_slice() {
        b"hello\n" => Ok(()),
        other => Err(format!("not the greeting: {other:?}").into()),
    }
}

fn get<S: Read + Write>(stream: &mut S, path: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    // In one piece: TCP would hold back the second until the first is confirmed.
    let head = format!("GET {path} HTTP/1.1\r\nhost: x\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    expect(stream, 200)
}

/// Reads an answer and returns its body.
fn expect<S: Read>(stream: &mut S, status: u32) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8(head)?.to_ascii_lowercase();
    if !head.starts_with(&format!("http/1.1 {status} ")) {
        return Err(format!("not a {status}: {head}").into());
    }
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(Ok(0), str::parse)?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}
