//! An example as a process of its own.

use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;
use std::{env, fs};

#[path = "../support/program.rs"]
mod program;

/// Nothing here takes a second. A wait that takes so long has hung.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

pub(crate) const ANY_PORT: &str = "127.0.0.1:0";

/// A running example. It is killed when the test is done with it, also by a panic.
pub(crate) struct Example {
    child: Child,
    pub(crate) stdin: Option<ChildStdin>,
    lines: Receiver<String>,
}

impl Example {
    pub(crate) fn run(name: &str, arguments: &[&str]) -> Example {
        let path = built(name);
        let mut child = program::command(&path)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|err| panic!("{}: {err}", path.display()));

        // A thread reads, so that a silent example fails the test instead of hanging it, and one
        // that prints much never waits for us.
        let stdout = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = mpsc::channel();
        thread::spawn(move || {
            for line in stdout.lines() {
                if sender.send(line.unwrap()).is_err() {
                    return;
                }
            }
        });
        Example {
            stdin: child.stdin.take(),
            child,
            lines,
        }
    }

    pub(crate) fn line(&self) -> String {
        self.lines
            .recv_timeout(GUARD)
            .expect("the example prints another line")
    }

    /// The address in the first line.
    pub(crate) fn address(&self) -> SocketAddr {
        let line = self.line();
        let address = line
            .strip_prefix("listening on ")
            .expect("the first line tells the address");
        address.parse().unwrap()
    }

    /// Waits for the end, and returns what was printed since and how it ended.
    pub(crate) fn finish(mut self) -> (Vec<String>, ExitStatus) {
        self.stdin = None;
        let mut lines = Vec::new();
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) => lines.push(line),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("it does not end: {lines:?}"),
            }
        }
        (lines, self.child.wait().unwrap())
    }
}

/// The path of an example, which Cargo puts in `examples` beside the `deps` of this test.
///
/// `cargo test` builds the examples, but `cargo test --test NAME` does not. Then an old program
/// could pass for a new one, so this compares it with the sources that Cargo lists beside it.
fn built(name: &str) -> PathBuf {
    const ADVICE: &str = "run `cargo build --all-features --examples` first";
    let test = env::current_exe().unwrap();
    let target = test.parent().and_then(Path::parent).unwrap();
    let path = target.join("examples").join(name);
    let sources = fs::read_to_string(path.with_extension("d")).unwrap_or_default();
    let path = path.with_extension(env::consts::EXE_EXTENSION);
    assert!(path.exists(), "{} is missing: {ADVICE}", path.display());

    let modified = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    for source in sources.split_whitespace().skip(1).map(Path::new) {
        let is_old = modified(source) > modified(&path);
        assert!(
            !is_old,
            "{} is older than {}: {ADVICE}",
            path.display(),
            source.display()
        );
    }
    path
}

impl Drop for Example {
    fn drop(&mut self) {
        // Both fail only if it is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(GUARD)).unwrap();
    stream.set_write_timeout(Some(GUARD)).unwrap();
    stream
}
