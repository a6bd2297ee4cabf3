//! The fuzz targets, each for some seconds, with AddressSanitizer beside them.
//!
//! The committed corpus is read and never written: what a run finds to be of
//! interest it keeps below the target directory.

use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};

use super::NIGHTLY;
use crate::process::{cargo, command, run as run_command, rustflags, succeeds};
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

const TOOL: &str = "cargo-fuzz";
const TOOL_VERSION: &str = "0.13.2";
const TARGET: &str = "x86_64-unknown-linux-gnu";
/// Longer than all that the targets read.
const LONGEST_INPUT: u32 = 200;

pub(crate) const USUAL_SECONDS: u32 = 60;

/// So many take each target some seconds.
const RANDOM_INPUTS: &str = "2000000";

/// Runs every target for so many seconds, or those that are named.
pub(crate) fn run(workspace: &Workspace, seconds: u32, wanted: &[String]) -> Result<()> {
    setup::toolchain(workspace, NIGHTLY)?;
    install(workspace)?;
    let fuzz = workspace.root.join("fuzz");
    let scratch = workspace.target_of("fuzz");
    let mut targets = targets(&fuzz)?;
    if let Some(unknown) = wanted.iter().find(|name| !targets.contains(name)) {
        bail!(
            "`{unknown}` is no target; these are: {}",
            targets.join(", ")
        );
    }
    targets.retain(|target| wanted.is_empty() || wanted.contains(target));
    let mut build = cargo(&workspace.root);
    build.args([&format!("+{NIGHTLY}"), "fuzz", "build"]);
    build
        .args(["--target", TARGET, "--target-dir"])
        .arg(&scratch);
    run_command(rustflags(&mut build, "--cfg mio_fuzzing"))?;
    for target in &targets {
        let committed = fuzz.join("corpus").join(target);
        let found = scratch.join("corpus").join(target);
        fs::create_dir_all(&found).with_context(|| format!("cannot make {}", found.display()))?;
        let program = scratch.join(TARGET).join("release").join(target);
        let mut fuzzer = command(&program.to_string_lossy(), &workspace.root);
        fuzzer.arg(format!("-max_total_time={seconds}"));
        fuzzer.arg(format!("-max_len={LONGEST_INPUT}"));
        fuzzer.args(["-verbosity=0", "-print_final_stats=1"]);
        fuzzer.arg(format!("-artifact_prefix={}/", scratch.display()));
        // New inputs go to the first directory.
        run_command(fuzzer.arg(found).arg(committed))
            .with_context(|| format!("{target}: the input that broke it is named above"))?;
    }
    println!("fuzz: {} targets, {seconds} s each: clean", targets.len());
    Ok(())
}

/// The targets without a fuzzer: over the corpus, and over many random inputs.
pub(crate) fn without_fuzzer(workspace: &Workspace) -> Result<()> {
    let mut test = cargo(&workspace.root);
    test.args(["test", "--package", PACKAGE, "--all-features", "--release"]);
    test.args(["--lib", "fuzzing"]);
    run_command(test.env("MIO_FUZZ_INPUTS", RANDOM_INPUTS))
}

fn targets(fuzz: &Path) -> Result<Vec<String>> {
    let directory = fuzz.join("fuzz_targets");
    let mut targets = Vec::new();
    for entry in
        fs::read_dir(&directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        targets.push(name.into_owned());
    }
    targets.sort();
    if targets.is_empty() {
        bail!("there is no target in {}", directory.display());
    }
    Ok(targets)
}

fn install(workspace: &Workspace) -> Result<()> {
    if succeeds(cargo(&workspace.root).args(["fuzz", "--version"])) {
        return Ok(());
    }
    println!("installing {TOOL}: two minutes, once");
    let version = format!("{TOOL}@{TOOL_VERSION}");
    setup::attempt(cargo(&workspace.root).args(["install", "--locked", &version]))
}
