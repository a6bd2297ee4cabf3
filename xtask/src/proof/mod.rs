//! What tests under tools that see more than an assertion does, or that try to
//! break what the tests hold.
//!
//! Each is a job of its own; `proof` runs all of them, and `proof --quick` what
//! of them a CI run has time for.

mod coverage;
mod exceptions;
mod fuzz;
mod miri;
mod mutants;
mod native;
mod sanitize;
mod valgrind;

use std::time::Instant;

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use self::sanitize::Sanitizer;
use crate::process::{cargo, run as run_command};
use crate::workspace::{Workspace, PACKAGE};
use crate::{loom, model, no_more, storms};

/// The compiler that has Miri and the sanitizers.
pub(crate) const NIGHTLY: &str = "nightly";

/// Runs the job of that name, as `main` has it from the command line.
pub(crate) fn job(workspace: &Workspace, name: &str, mut args: Arguments) -> Result<()> {
    let is_quick = args.contains("--quick");
    match name {
        "sanitize" => {
            let name = args.subcommand()?;
            let name = name.context("which sanitizer? address or thread")?;
            no_more(args)?;
            sanitize::run(workspace, Sanitizer::from_name(&name)?, !is_quick)
        }
        "fuzz" => {
            let seconds = args.opt_value_from_str("--seconds")?;
            let targets: Vec<String> = args.values_from_str("--target")?;
            no_more(args)?;
            fuzz::run(workspace, seconds.unwrap_or(fuzz::USUAL_SECONDS), &targets)
        }
        "mutants" => {
            let options = mutants::Options::from_args(&mut args)?;
            no_more(args)?;
            mutants::run(workspace, &options)
        }
        name => {
            no_more(args)?;
            match name {
                "miri" => miri::run(workspace, !is_quick),
                "valgrind" => valgrind::run(workspace),
                "coverage" => coverage::run(workspace),
                "proof" => run(workspace, is_quick),
                other => bail!("`{other}` is no job of these"),
            }
        }
    }
}

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
        fuzz::run(workspace, fuzz::USUAL_SECONDS, &[])
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
fn run(workspace: &Workspace, is_quick: bool) -> Result<()> {
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
