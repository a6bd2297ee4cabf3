//! Valgrind's memcheck over all test binaries, as `cargo test` makes them.

use anyhow::{Context, Result};

use super::exceptions::Tool;
use super::native;
use crate::process::{cargo, command, run as run_command};
use crate::setup;
use crate::test_binaries;
use crate::workspace::{Workspace, PACKAGE};

/// What valgrind exits with if it found something; no test does.
const FOUND: u8 = 9;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    setup::debian_package(workspace, "valgrind")?;
    let build = |subcommand: &str| {
        let mut build = cargo(&workspace.root);
        build.args([subcommand, "--package", PACKAGE, "--all-features"]);
        build
    };
    // The tests of the examples look for them beside their own program.
    run_command(build("build").arg("--examples"))?;
    let binaries = test_binaries::build(build("test").args(["--lib", "--tests"]))?;
    native::run(Tool::Valgrind, &binaries, |binary| {
        let mut valgrind = command("valgrind", &binary.package);
        // What std keeps of a thread that runs on is "possibly" lost.
        valgrind.args(["--quiet", "--leak-check=full"]);
        valgrind.args([
            "--show-leak-kinds=definite",
            "--errors-for-leak-kinds=definite",
        ]);
        // Else a thread that spins keeps all others from running.
        valgrind.arg("--fair-sched=yes");
        valgrind.arg(format!("--error-exitcode={FOUND}"));
        valgrind.arg(&binary.executable).arg("--test-threads=1");
        // It is some fifty times slower.
        valgrind.env("MIO_MODEL_STEPS", "5000");
        valgrind.env("MIO_STORM", "few");
        valgrind
    })
    .with_context(|| format!("valgrind found something where the exit status is {FOUND}"))
}
