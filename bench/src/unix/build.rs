//! What a dependency costs before it runs: clean release builds of one small
//! event loop over each library.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};
use serde_json::Value;

const ROUNDS: usize = 3;

struct Hello {
    name: &'static str,
    dependency: String,
    program: &'static str,
}

const EMPTY: &str = "fn main() {}\n";

/// A queue with a waker that ends the loop; the same for both mios.
const MIO: &str = r#"use mio::{net::TcpListener, Events, Interest, Poll, Token, Waker};

fn main() -> std::io::Result<()> {
    let mut poll = Poll::new()?;
    let mut events = Events::with_capacity(64);
    let waker = Waker::new(poll.registry(), Token(1))?;
    let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
    poll.registry().register(&mut listener, Token(0), Interest::READABLE)?;
    waker.wake()?;
    loop {
        poll.poll(&mut events, None)?;
        for event in &events {
            match event.token() {
                Token(0) => drop(listener.accept()?),
                _ => return Ok(()),
            }
        }
    }
}
"#;

const POLLING: &str = r#"use polling::{Event, Events, Poller};
use std::net::TcpListener;

fn main() -> std::io::Result<()> {
    let poller = Poller::new()?;
    let mut events = Events::new();
    let listener = TcpListener::bind("127.0.0.1:0")?;
    listener.set_nonblocking(true)?;
    unsafe { poller.add(&listener, Event::readable(0))? };
    poller.notify()?;
    loop {
        events.clear();
        poller.wait(&mut events, None)?;
        if events.is_empty() {
            return Ok(());
        }
        for _ in events.iter() {
            drop(listener.accept()?);
        }
    }
}
"#;

fn hellos() -> Vec<Hello> {
    let features = "default-features = false, features = ['os-poll', 'os-ext', 'net']";
    let all_features = "features = ['os-poll', 'os-ext', 'net']";
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let ours = here.parent().unwrap_or(here).display().to_string();
    let hello = |name, dependency, program| Hello {
        name,
        dependency,
        program,
    };
    vec![
        hello("empty main", String::new(), EMPTY),
        hello(
            "ours",
            format!("mio = {{ path = {ours:?}, {all_features} }}"),
            MIO,
        ),
        hello(
            "mio",
            format!("mio = {{ version = '=1.2.5', {all_features} }}"),
            MIO,
        ),
        hello(
            "ours, no log",
            format!("mio = {{ path = {ours:?}, {features} }}"),
            MIO,
        ),
        hello(
            "mio, no log",
            format!("mio = {{ version = '=1.2.5', {features} }}"),
            MIO,
        ),
        hello("polling", "polling = '=3.11.0'".to_owned(), POLLING),
    ]
}

#[derive(Debug, Default)]
struct Weight {
    cpu_seconds: Vec<f64>,
    crates: usize,
    bytes: u64,
}

/// Prints the table.
pub(crate) fn run() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hellos = hellos();
    let mut weights: Vec<Weight> = hellos.iter().map(|_| Weight::default()).collect();
    for (index, hello) in hellos.iter().enumerate() {
        lay_out(&folder.path().join(index.to_string()), hello)?;
    }
    for round in 0..ROUNDS {
        eprintln!("round {} of {ROUNDS}", round + 1);
        for (index, weight) in weights.iter_mut().enumerate() {
            build(&folder.path().join(index.to_string()), weight)?;
        }
    }
    println!(
        "{:14} {:>6} {:>12} {:>10}",
        "hello over", "crates", "CPU s", "binary KB"
    );
    for (hello, weight) in hellos.iter().zip(&mut weights) {
        weight.cpu_seconds.sort_by(f64::total_cmp);
        println!(
            "{:14} {:6} {:12.2} {:10.1}",
            hello.name,
            weight.crates,
            weight.cpu_seconds[ROUNDS / 2],
            weight.bytes as f64 / 1024.0
        );
    }
    Ok(())
}

fn lay_out(folder: &Path, hello: &Hello) -> Result<()> {
    fs::create_dir_all(folder.join("src"))?;
    let manifest = format!(
        "[package]\nname = 'hello'\nversion = '0.0.0'\nedition = '2021'\n\
         [dependencies]\n{}\n[profile.release]\nstrip = true\n[workspace]\n",
        hello.dependency
    );
    fs::write(folder.join("Cargo.toml"), manifest)?;
    fs::write(folder.join("src/main.rs"), hello.program)?;
    // Downloads are no part of a build.
    run_cargo(folder, &["fetch"]).map(drop)
}

fn build(folder: &Path, weight: &mut Weight) -> Result<()> {
    let target = folder.join("target");
    if target.exists() {
        fs::remove_dir_all(&target)?;
    }
    let before = children_cpu_seconds()?;
    let messages = run_cargo(
        folder,
        &[
            "build",
            "--release",
            "--offline",
            "--quiet",
            "--message-format",
            "json",
        ],
    )?;
    weight.cpu_seconds.push(children_cpu_seconds()? - before);
    let mut crates: Vec<String> = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter_map(|message| Some(message["package_id"].as_str()?.to_owned()))
        .collect();
    crates.sort();
    crates.dedup();
    weight.crates = crates.len();
    let binary = target.join("release/hello");
    weight.bytes = fs::metadata(&binary)?.len();
    let status = Command::new(&binary).status()?;
    if !status.success() {
        bail!("the hello of {} failed: {status}", folder.display());
    }
    Ok(())
}

fn run_cargo(folder: &Path, args: &[&str]) -> Result<String> {
    let output = Command::new("cargo")
        .args(args)
        .current_dir(folder)
        // A folder of our own, always: another one may hold built crates.
        .env("CARGO_TARGET_DIR", folder.join("target"))
        // As it is for whoever depends on the crates: lints are looked for in packages that
        // come by a path, as ours does here, and in none from a registry.
        .env("RUSTFLAGS", "--cap-lints allow")
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .context("cannot start cargo")?;
    if !output.status.success() {
        bail!("cargo {args:?} failed: {}", output.status);
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// What the children of this process have used so far.
fn children_cpu_seconds() -> Result<f64> {
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // SAFETY: the call fills the struct in, which is plain data and all zeros
    // if it fails.
    #[allow(unsafe_code)]
    let usage = unsafe {
        libc::getrusage(libc::RUSAGE_CHILDREN, usage.as_mut_ptr());
        usage.assume_init()
    };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    Ok(seconds(usage.ru_utime) + seconds(usage.ru_stime))
}
