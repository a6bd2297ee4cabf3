//! Mutants: the code made wrong in one place at a time, to see a test fail.
//!
//! The tool copies the tree, and so do we before it, for two reasons. It finds
//! files by their `mod` lines, and those in the tables of systems stand inside a
//! macro: the copy names them once more, where no compiler looks. And a mutant
//! that waits for what never comes waits as long as tests take a hang to be: in
//! the copy that is short.
//!
//! Runs go on where an earlier one stopped: mutants that were caught are not
//! tried again.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use crate::process::{cargo, command, read, rustflags, succeeds};
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

const TOOL: &str = "cargo-mutants";
const TOOL_VERSION: &str = "27.1.0";

/// What Linux picks from the tables.
const IN_TABLES: &[&str] = &[
    "sys/unix/mod.rs",
    "sys/unix/epoll.rs",
    "sys/unix/syscall/accept4.rs",
    "sys/unix/syscall/atomic.rs",
    "sys/waker/eventfd.rs",
];

/// What is not mutated: tests, and what Linux compiles for tests alone.
const EXCLUDED: &[&str] = &[
    "**/tests.rs",
    "**/tests/**",
    "**/loom_tests.rs",
    "src/fuzzing.rs",
    "src/fuzzing/**",
    "src/sys/conformance.rs",
    "src/sys/conformance/**",
    "src/sys/none.rs",
    "src/sys/unix/emulation.rs",
    "src/sys/unix/event_port/**",
    "src/sys/unix/kqueue/**",
    "src/sys/windows/**",
];

/// Lines of tests that say how long a hang is, and what the copy says instead.
const GUARDS: &[(&str, &str, &str)] = &[
    (
        "src/sys/conformance.rs",
        "HANG: Duration = Duration::from_secs(20)",
        "HANG: Duration = Duration::from_secs(5)",
    ),
    (
        "src/sys/poll/tests/under_way.rs",
        "HANG: Duration = Duration::from_secs(60)",
        "HANG: Duration = Duration::from_secs(8)",
    ),
    (
        "tests/support/expect.rs",
        "HANG_GUARD: Duration = Duration::from_secs(60)",
        "HANG_GUARD: Duration = Duration::from_secs(8)",
    ),
];

/// One pass over some files with some tests. What a pass leaves is tried by
/// those after it that have its file.
struct Pass {
    files: &'static [&'static str],
    tests: &'static [&'static str],
    flags: &'static str,
}

/// The files of tests that take no second.
const FAST: &[&str] = &[
    "--lib",
    "--test=accept_connect",
    "--test=additions",
    "--test=additions_net",
    "--test=bad_input",
    "--test=closing",
    "--test=datagram",
    "--test=drop",
    "--test=events",
    "--test=interest",
    "--test=modes",
    "--test=nested",
    "--test=pipe",
    "--test=poll",
    "--test=register",
    "--test=regressions",
    "--test=regressions_addr",
    "--test=regressions_queue",
    "--test=reregister",
    "--test=std_conversions",
    "--test=timeout",
    "--test=timeouts_kernel",
    "--test=token",
    "--test=udp_options",
    "--test=unix_addr",
    "--test=waker",
    "--test=waker_fairness",
];

const PASSES: &[Pass] = &[
    // Most die by the library's own tests, which are one binary to build.
    Pass {
        files: &["src/sys/**", "src/interest.rs", "src/readiness.rs"],
        tests: &["--lib"],
        flags: "",
    },
    Pass {
        files: &["src/**"],
        tests: FAST,
        flags: "",
    },
    Pass {
        files: &[
            "src/sys/edges.rs",
            "src/sys/levels.rs",
            "src/sys/poll.rs",
            "src/sys/poll/**",
        ],
        tests: FAST,
        flags: "--cfg mio_unsupported_force_poll_poll",
    },
];

#[derive(Debug, Default)]
pub(crate) struct Options {
    shard: Option<String>,
    files: Vec<String>,
}

impl Options {
    pub(crate) fn from_args(args: &mut Arguments) -> Result<Options> {
        let shard = args.opt_value_from_str("--shard")?;
        let files = args.values_from_str("--file")?;
        Ok(Options { shard, files })
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    install(workspace)?;
    let scratch = workspace.target_of("mutants");
    let tree = scratch.join("tree");
    copy(workspace, &tree)?;
    for pass in PASSES {
        let mut mutants = mutants(&tree, &scratch, pass, options);
        println!("mutants of {:?} by {:?}", pass.files, pass.tests);
        // Its exit status tells of mutants that live, which the figures tell too.
        let status = rustflags(&mut mutants, pass.flags)
            .status()
            .with_context(|| format!("cannot start {TOOL}"))?;
        // 2: some live; 3: some hang.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            bail!("{TOOL} failed: {status}");
        }
    }
    report(&scratch)
}

fn mutants(tree: &Path, scratch: &Path, pass: &Pass, options: &Options) -> Command {
    let mut mutants = cargo(tree);
    mutants.args(["mutants", "--package", PACKAGE, "--iterate"]);
    mutants.args(["--baseline=skip", "--timeout=60", "--build-timeout=600"]);
    mutants.arg("--output").arg(scratch);
    for file in EXCLUDED {
        mutants.args(["--exclude", file]);
    }
    let files = options.files.iter().map(String::as_str);
    match options.files.is_empty() {
        true => mutants.args(pass.files.iter().flat_map(|file| ["--file", file])),
        false => mutants.args(files.flat_map(|file| ["--file", file])),
    };
    if let Some(shard) = &options.shard {
        mutants.args(["--shard", shard, "--sharding=round-robin"]);
    }
    mutants.args(["--", "--all-features"]).args(pass.tests);
    // One that fails is enough, and nobody reads a debugger's lines.
    mutants.args(["--", "-Zunstable-options", "--fail-fast"]);
    mutants.args(["--skip", "no_wake_is_lost_among_changes"]);
    mutants.env("RUSTC_BOOTSTRAP", "1");
    mutants.env("RUST_TEST_THREADS", "8");
    mutants.env("CARGO_PROFILE_DEV_DEBUG", "0");
    mutants.env("CARGO_PROFILE_TEST_DEBUG", "0");
    mutants.env_remove("CARGO_TARGET_DIR");
    mutants
}

/// Copies what git knows of, or would add.
fn copy(workspace: &Workspace, tree: &Path) -> Result<()> {
    let mut list = command("git", &workspace.root);
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    for name in read(&mut list)?.lines() {
        let (from, to) = (workspace.root.join(name), tree.join(name));
        let Ok(bytes) = fs::read(&from) else {
            // Removed, and not yet in the index.
            continue;
        };
        let text = String::from_utf8(bytes).map(|text| adapted(name, text));
        let bytes = match text {
            Ok(text) => text.into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        if fs::read(&to).is_ok_and(|present| present == bytes) {
            continue;
        }
        if let Some(parent) = to.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&to, bytes).with_context(|| format!("cannot write {}", to.display()))?;
    }
    Ok(())
}

fn adapted(name: &str, mut text: String) -> String {
    for (file, long, short) in GUARDS {
        if name == *file {
            text = text.replace(long, short);
        }
    }
    if name == "src/lib.rs" {
        for (at, file) in IN_TABLES.iter().enumerate() {
            text.push_str(&format!(
                "#[cfg(any())]\n#[path = {file:?}]\nmod in_table_{at};\n"
            ));
        }
    }
    text
}

/// The figures over all runs, and those that live.
fn report(scratch: &Path) -> Result<()> {
    let lines = |name: &str| -> Vec<String> {
        let path: PathBuf = scratch.join("mutants.out").join(name);
        let text = fs::read_to_string(path).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    };
    let missed = lines("missed.txt");
    let caught = lines("caught.txt").len()
        + lines("previously_caught.txt").len()
        + lines("timeout.txt").len();
    for mutant in &missed {
        println!("lives: {mutant}");
    }
    let viable = caught + missed.len();
    if viable == 0 {
        bail!("no mutant was tried");
    }
    println!(
        "mutants: {caught} of {viable} caught ({:.1} %), among them those of earlier runs that \
         did not compile",
        100.0 * caught as f64 / viable as f64
    );
    Ok(())
}

fn install(workspace: &Workspace) -> Result<()> {
    if succeeds(cargo(&workspace.root).args(["mutants", "--version"])) {
        return Ok(());
    }
    println!("installing {TOOL}: three minutes, once");
    let version = format!("{TOOL}@{TOOL_VERSION}");
    setup::attempt(cargo(&workspace.root).args(["install", "--locked", &version]))
}
