//! An axum server on tokio under load, over this crate and over the older one.
//! Only errors are judged; what it serves a second is for people to read.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use super::lab::{self, Lab, Over};
use super::tally::Tally;
use super::timed;
use crate::process::{command, run as run_command, succeeds};
use crate::setup;

const NAME: &str = "server";
/// Its sources, in the repository.
const SOURCES: &str = "xtask/compat/server";
const FILES: &[&str] = &["src/main.rs", "src/client.rs"];

const LIMIT: Duration = Duration::from_secs(120);
/// How long a server that was told to stop may take to do so.
const GRACE: Duration = Duration::from_secs(30);

/// How often each load is put on each server.
const ROUNDS: usize = 3;
/// Connections of the load generator.
const LOADS: &[&str] = &["64", "1000"];
/// Ends with the one that ends the server.
const CHECKS: &[&str] = &["blobs", "idle", "unix", "terminate"];

/// More than the connections of any check, on both ends.
const DESCRIPTORS: &str = "ulimit -n 8192 && exec \"$@\"";

pub(super) fn run(lab: &Lab<'_>) -> Result<(Tally, Tally)> {
    let root = &lab.workspace.root;
    // It has no option that succeeds without a server.
    if !succeeds(command("sh", root).args(["-c", "command -v wrk"])) {
        setup::debian_package(lab.workspace, "wrk")?;
    }
    let ours = build(lab, Over::Ours)?;
    let reference = build(lab, Over::Reference)?;
    let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
    let mut ours = Bench::start(Over::Ours, &ours, scratch.path())?;
    let mut reference = Bench::start(Over::Reference, &reference, scratch.path())?;
    for connections in LOADS {
        // Each side in turn, so that a busy machine slows both.
        for _ in 0..ROUNDS {
            ours.load(lab, connections)?;
            reference.load(lab, connections)?;
        }
    }
    for bench in [&mut ours, &mut reference] {
        CHECKS.iter().try_for_each(|name| bench.check(lab, name))?;
        bench.stop();
    }
    Ok((ours.tally, reference.tally))
}

/// Builds the server and returns a copy of the executable: both would be built
/// to the same place.
fn build(lab: &Lab<'_>, over: Over) -> Result<PathBuf> {
    let directory = lab.directory(over, NAME)?;
    let sources = lab.workspace.root.join(SOURCES);
    for file in FILES {
        lab::write(
            &directory.join(file),
            &fs::read_to_string(sources.join(file))?,
        )?;
    }
    let manifest = fs::read_to_string(sources.join("Cargo.toml"))?;
    let patches = lab.patches(over, "");
    lab::write(
        &directory.join("Cargo.toml"),
        &format!("{manifest}{patches}"),
    )?;
    lab.choose(over, &directory)?;
    run_command(lab.cargo(&directory).args(["build", "--release"]))?;
    let copy = directory.join("executable");
    fs::copy(lab.target().join("release").join(NAME), &copy)
        .context("the server's executable is not where cargo should have put it")?;
    Ok(copy)
}

/// A server under test and what was found about it.
struct Bench {
    over: Over,
    executable: PathBuf,
    socket: PathBuf,
    server: Server,
    tally: Tally,
}

impl Bench {
    fn start(over: Over, executable: &Path, scratch: &Path) -> Result<Bench> {
        let socket = scratch.join(over.name());
        Ok(Bench {
            over,
            executable: executable.to_owned(),
            server: Server::start(executable, &socket)?,
            socket,
            tally: Tally::default(),
        })
    }

    fn load(&mut self, lab: &Lab<'_>, connections: &str) -> Result<()> {
        let log = lab.log(self.over, &format!("wrk-{connections}"))?;
        let mut wrk = command("wrk", &lab.workspace.root);
        wrk.args(["--threads", "1", "--connections", connections])
            .args(["--duration", "2s", "--timeout", "30s"])
            .arg(format!("http://{}/", self.server.address));
        let ended = timed::run(&mut wrk, &log, LIMIT)?;
        let (verdict, passed) = judge_load(&ended.text);
        self.report(
            &format!("{connections} connections"),
            &verdict,
            passed && ended.is_success(),
        );
        Ok(())
    }

    fn check(&mut self, lab: &Lab<'_>, name: &str) -> Result<()> {
        let log = lab.log(self.over, &format!("server-{name}"))?;
        let mut client = limited(&self.executable, &lab.workspace.root);
        client
            .args(["check", name, &self.server.address])
            .arg(&self.socket)
            .arg(self.server.child.id().to_string());
        let ended = timed::run(&mut client, &log, LIMIT)?;
        let verdict = match ended.is_success() {
            true => "ok".to_owned(),
            false => format!("{}: {}", ended.describe(LIMIT), ended.text.trim()),
        };
        self.report(name, &verdict, ended.is_success());
        Ok(())
    }

    /// After the check that told the server to stop.
    fn stop(&mut self) {
        let stopped = self.server.stopped();
        let verdict = stopped.as_ref().map_or_else(String::as_str, |()| "ok");
        self.report("graceful stop", verdict, stopped.is_ok());
    }

    fn report(&mut self, name: &str, verdict: &str, passed: bool) {
        println!("{}, {name}: {verdict}", self.over.name());
        self.tally.count(name, passed);
    }
}

/// What the load generator says, and whether it met no error.
fn judge_load(text: &str) -> (String, bool) {
    let rate = text
        .lines()
        .find_map(|line| line.strip_prefix("Requests/sec:"))
        .map(str::trim);
    let errors: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.starts_with("Socket errors") || line.starts_with("Non-2xx"))
        .collect();
    match (rate, errors.as_slice()) {
        (Some(rate), []) => (format!("{rate} requests/s"), rate != "0.00"),
        (Some(rate), errors) => (format!("{rate} requests/s, {}", errors.join(", ")), false),
        (None, _) => (format!("no result: {}", text.trim()), false),
    }
}

/// The executable, with descriptors enough.
fn limited(executable: &Path, directory: &Path) -> Command {
    let mut shell = command("sh", directory);
    shell.args(["-c", DESCRIPTORS, "sh"]).arg(executable);
    shell
}

#[derive(Debug)]
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(executable: &Path, socket: &Path) -> Result<Server> {
        let directory = socket.parent().context("the socket has no directory")?;
        let mut child = limited(executable, directory)
            .arg("serve")
            .arg(socket)
            .stdout(Stdio::piped())
            .spawn()
            .context("the server cannot be started")?;
        let mut address = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout).read_line(&mut address)?;
        }
        let server = Server {
            child,
            address: address.trim().to_owned(),
        };
        if server.address.is_empty() {
            bail!("the server did not say where it listens");
        }
        Ok(server)
    }

    /// Whether it ends, by itself and successfully, within its time.
    fn stopped(&mut self) -> Result<(), String> {
        let (sender, late) = mpsc::channel::<()>();
        let pid = self.child.id().to_string();
        let watchdog = thread::spawn(move || {
            // The other end is dropped when the server has ended.
            let is_late = late.recv_timeout(GRACE) == Err(mpsc::RecvTimeoutError::Timeout);
            if is_late {
                let _ = Command::new("kill").args(["-KILL", &pid]).status();
            }
            is_late
        });
        let status = self.child.wait();
        drop(sender);
        match (status, watchdog.join()) {
            (_, Ok(true)) => Err(format!("it still ran after {} s", GRACE.as_secs())),
            (Ok(status), Ok(false)) if status.success() => Ok(()),
            (Ok(status), _) => Err(status.to_string()),
            (Err(err), _) => Err(err.to_string()),
        }
    }
}

impl Drop for Server {
    /// After an error the server must not outlive us; after `stopped`, this
    /// finds it ended.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_load_are_seen() {
        let good = "Running\nRequests/sec:  123.45\n";
        assert_eq!(judge_load(good), ("123.45 requests/s".to_owned(), true));
        let bad = format!("  Socket errors: connect 0, read 3, write 0, timeout 0\n{good}");
        assert!(!judge_load(&bad).1);
        assert!(!judge_load(&format!("  Non-2xx or 3xx responses: 1\n{good}")).1);
        assert!(!judge_load("unable to connect\n").1);
        assert!(!judge_load("Requests/sec:  0.00\n").1);
    }
}
