//! Mutants: the code made wrong in one place at a time, to see a test fail.
//!
//! The tool copies the tree, and so do we before it, to make it fit: see `tree`.
//!
//! Runs go on where an earlier one stopped: mutants that were caught are not
//! tried again. `ledger` adds up the figures of all runs.

mod ledger;
mod tree;

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use self::ledger::Ledger;
use crate::process::{cargo, read, run as run_command, rustflags, succeeds};
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

const TOOL: &str = "cargo-mutants";
const TOOL_VERSION: &str = "27.1.0";

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
    "src/windows/**",
];

/// Where files need no disk: a mutant is a compilation, and little else.
const MEMORY: &str = "/dev/shm";

/// One pass over some files with some tests. What a pass leaves is tried by
/// those after it that have its file.
struct Pass {
    files: &'static [&'static str],
    tests: &'static [&'static str],
    skip: &'static [&'static str],
    flags: &'static str,
}

const LIBRARY: &[&str] = &["--lib"];
/// What sees each system call, makes each fail, or counts what is left behind.
const FROM_OUTSIDE: &[&str] = &[
    "--test=cloexec",
    "--test=faults",
    "--test=fd_leaks",
    "--test=syscalls",
    "--test=syscalls_waker",
];
/// The library's tests of other systems, which take longer than all others.
const OTHERS: &[&str] = &["event_port", "kqueue", "sys::windows"];
/// Tests that take as long as all others together, and see little that these do not.
const LONG: &[&str] = &[
    "many::",
    "signals_by_the_thousand",
    "never_heard_again_with_room_for_one",
];
/// A race for which a thread must wait.
const SLOW: &str = "no_wake_is_lost_among_changes";
/// The integration tests, which `tree` makes one program of.
const TOGETHER: &[&str] = &["--test=together"];

const PASSES: &[Pass] = &[
    // Most die by the library's own tests, which are the fewest lines to build.
    Pass {
        files: &["src/sys/", "src/interest.rs", "src/readiness.rs"],
        tests: LIBRARY,
        skip: OTHERS,
        flags: "",
    },
    Pass {
        files: &["src/"],
        tests: TOGETHER,
        skip: LONG,
        flags: "",
    },
    Pass {
        files: &[
            "src/io_source.rs",
            "src/sys/edges.rs",
            "src/sys/edges/",
            "src/sys/levels.rs",
            "src/sys/poll.rs",
            "src/sys/poll/",
        ],
        tests: TOGETHER,
        skip: LONG,
        flags: "--cfg mio_unsupported_force_poll_poll",
    },
    // Emulated kernels drive the same loop.
    Pass {
        files: &["src/sys/"],
        tests: LIBRARY,
        skip: &[],
        flags: "",
    },
    Pass {
        files: &["src/"],
        tests: FROM_OUTSIDE,
        skip: &[],
        flags: "",
    },
];

#[derive(Debug, Default)]
pub(crate) struct Options {
    shard: Option<String>,
    jobs: Option<u32>,
    files: Vec<String>,
}

impl Options {
    pub(crate) fn from_args(args: &mut Arguments) -> Result<Options> {
        Ok(Options {
            shard: args.opt_value_from_str("--shard")?,
            jobs: args.opt_value_from_str("--jobs")?,
            files: args.values_from_str("--file")?,
        })
    }
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    install(workspace)?;
    let scratch = workspace.target_of("mutants");
    let tree = scratch.join("tree");
    tree::copy(workspace, &tree)?;
    let mut ledger = Ledger::open(&scratch)?;
    for pass in PASSES {
        let files = files_of(pass, &options.files);
        if files.is_empty() {
            continue;
        }
        println!("mutants of {files:?} by {:?} {}", pass.tests, pass.flags);
        baseline(&tree, pass)?;
        let mut mutants = mutants(&tree, &scratch, pass, &files, options);
        // Its exit status tells of mutants that live, which the figures tell too.
        let status = mutants
            .status()
            .with_context(|| format!("cannot start {TOOL}"))?;
        // 2: some live; 3: some hang.
        if !matches!(status.code(), Some(0 | 2 | 3)) {
            bail!("{TOOL} failed: {status}");
        }
        ledger.add_last_run()?;
    }
    let listed = read(excluded(cargo(&tree).args([
        "mutants",
        "--package",
        PACKAGE,
        "--list",
    ])))?;
    ledger.report(&listed)
}

/// Those of the pass, as patterns, of which the caller wants all or some.
fn files_of(pass: &Pass, wanted: &[String]) -> Vec<String> {
    let is_of_pass = |file: &&String| pass.files.iter().any(|prefix| file.starts_with(prefix));
    if !wanted.is_empty() {
        return wanted.iter().filter(is_of_pass).cloned().collect();
    }
    let pattern = |prefix: &&str| match prefix.ends_with('/') {
        true => format!("{prefix}**"),
        false => (*prefix).to_owned(),
    };
    pass.files.iter().map(pattern).collect()
}

fn excluded(mutants: &mut Command) -> &mut Command {
    mutants.args(EXCLUDED.iter().flat_map(|file| ["--exclude", file]))
}

fn mutants(
    tree: &Path,
    scratch: &Path,
    pass: &Pass,
    files: &[String],
    options: &Options,
) -> Command {
    let mut mutants = cargo(tree);
    mutants.args(["mutants", "--package", PACKAGE, "--iterate"]);
    mutants.args(["--baseline=skip", "--timeout=40", "--build-timeout=600"]);
    mutants.arg("--output").arg(scratch);
    excluded(&mut mutants);
    mutants.args(files.iter().flat_map(|file| ["--file", file]));
    if let Some(shard) = &options.shard {
        mutants.args(["--shard", shard, "--sharding=round-robin"]);
    }
    if let Some(jobs) = &options.jobs {
        mutants.arg(format!("--jobs={jobs}"));
    }
    if env::var_os("TMPDIR").is_none() && Path::new(MEMORY).is_dir() {
        mutants.env("TMPDIR", MEMORY);
    }
    // What stands after the dashes does not count for the build.
    mutants.arg("--all-features");
    mutants.args(pass.tests.iter().map(|arg| format!("--cargo-arg={arg}")));
    harness(pass, mutants.arg("--"));
    mutants
}

/// The tests without a mutant, which must pass.
fn baseline(tree: &Path, pass: &Pass) -> Result<()> {
    let mut test = cargo(tree);
    test.args(["test", "--quiet", "--package", PACKAGE, "--all-features"]);
    harness(pass, test.args(pass.tests));
    run_command(&mut test).context("the tests fail without any mutant")
}

/// How the tests are built and run.
fn harness(pass: &Pass, command: &mut Command) {
    // One that fails is enough, and nobody reads a debugger's lines.
    command.args(["--", "-Zunstable-options", "--fail-fast", "--skip", SLOW]);
    command.args(pass.skip.iter().flat_map(|name| ["--skip", name]));
    command.env("RUSTC_BOOTSTRAP", "1");
    command.env("RUST_TEST_THREADS", "8");
    command.env("RUST_BACKTRACE", "0");
    command.env("CARGO_PROFILE_DEV_DEBUG", "0");
    command.env("CARGO_PROFILE_TEST_DEBUG", "0");
    // One line differs from the mutant before.
    command.env("CARGO_INCREMENTAL", "1");
    command.env_remove("CARGO_TARGET_DIR");
    rustflags(command, pass.flags);
}

fn install(workspace: &Workspace) -> Result<()> {
    if succeeds(cargo(&workspace.root).args(["mutants", "--version"])) {
        return Ok(());
    }
    println!("installing {TOOL}: three minutes, once");
    let version = format!("{TOOL}@{TOOL_VERSION}");
    setup::attempt(cargo(&workspace.root).args(["install", "--locked", &version]))
}
