//! What tests under tools that see more than an assertion does, or that try to
//! break what the tests hold.
//!
//! Each is a job of its own; `proof` runs all of them, and `proof --quick` what
//! of them a CI run has time for.

pub(crate) mod coverage;
mod exceptions;
pub(crate) mod fuzz;
pub(crate) mod miri;
pub(crate) mod mutants;
mod native;
pub(crate) mod sanitize;
pub(crate) mod valgrind;

use std::time::Instant;

use anyhow::{bail, Result};

use self::sanitize::Sanitizer;
use crate::process::{cargo, run as run_command};
use crate::workspace::{Workspace, PACKAGE};
use crate::{loom, model, storms};

/// The compiler that has Miri and the sanitizers.
pub(crate) const NIGHTLY: &str = "nightly";

struct Part {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

const fn part(name: &'static str, run: fn(&Workspace) -> Result<()>) -> Part {
    Part { name, run }
}

const QUICK: &[Part] = &[
    part("loom", loom::run),
    part("model", |workspace| model(workspace, 100_000)),
    part("faults", faults),
    part("storms", few_storms),
    part("fuzz", fuzz::without_fuzzer),
    part("address", |workspace| {
        sanitize::run(workspace, Sanitizer::Address, true)
    }),
    part("thread", |workspace| {
        sanitize::run(workspace, Sanitizer::Thread, false)
    }),
    part("miri", |workspace| miri::run(workspace, false)),
];

const LONG: &[Part] = &[
    part("loom", loom::run),
    part("model", |workspace| model(workspace, 100_000_000)),
    part("faults", faults),
    part("storms", |workspace| {
        storms::run(workspace, &storms::Options::default())
    }),
    part("fuzz", |workspace| {
        fuzz::run(workspace, fuzz::USUAL_SECONDS)
    }),
    part("address", |workspace| {
        sanitize::run(workspace, Sanitizer::Address, true)
    }),
    part("thread", |workspace| {
        sanitize::run(workspace, Sanitizer::Thread, true)
    }),
    part("valgrind", valgrind::run),
    part("miri", |workspace| miri::run(workspace, true)),
    part("coverage", coverage::run),
    part("mutants", |workspace| {
        mutants::run(workspace, &mutants::Options::default())
    }),
];

/// Runs all parts, whatever the first ones say.
pub(crate) fn run(workspace: &Workspace, is_quick: bool) -> Result<()> {
    let parts = if is_quick { QUICK } else { LONG };
    let mut failed = Vec::new();
    let mut table = Vec::new();
    for part in parts {
        println!("\n--- {}", part.name);
        let start = Instant::now();
        if let Err(error) = (part.run)(workspace) {
            println!("--- {}: FAILED: {error:#}", part.name);
            failed.push(part.name);
        }
        table.push((part.name, start.elapsed()));
    }
    println!("\n{:<10} {:>8}", "proof", "seconds");
    for (name, took) in &table {
        println!("{name:<10} {:>8.1}", took.as_secs_f64());
    }
    if !failed.is_empty() {
        bail!("not proven: {}", failed.join(", "));
    }
    Ok(())
}

/// As a step of the CI run.
pub(crate) fn quick(workspace: &Workspace) -> Result<()> {
    run(workspace, true)
}

fn model(workspace: &Workspace, steps: u64) -> Result<()> {
    model::run(workspace, &model::Options::of(steps))
}

/// Every system call fails in turn.
fn faults(workspace: &Workspace) -> Result<()> {
    run_command(cargo(&workspace.root).args([
        "test",
        "--package",
        PACKAGE,
        "--all-features",
        "--test",
        "faults",
    ]))
}

/// Optimised, with the counts that `cargo test` has; and those in lockstep with
/// all their million of wakes.
fn few_storms(workspace: &Workspace) -> Result<()> {
    let storm = || {
        let mut test = cargo(&workspace.root);
        test.args(["test", "--package", PACKAGE, "--all-features", "--release"]);
        test.args(["--test", "waker_storm"]);
        test
    };
    run_command(storm().args(["--test", "storms"]))?;
    run_command(storm().arg("lockstep").env("MIO_STORM", "full"))
}
