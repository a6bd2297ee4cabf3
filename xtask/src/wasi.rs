//! The tests of WASI, run by wasmtime.
//!
//! WASI has no threads and no child processes: a test that needs them is not
//! compiled for it. A program that panics is stopped, so that the first failure
//! is the only one that is told.

use anyhow::{ensure, Context, Result};

use crate::process::cargo;
use crate::python;
use crate::setup;
use crate::tally::{self, LeftOut};
use crate::workspace::{Workspace, PACKAGE};

/// Later ones give programs that are started from Python no sockets.
const WASMTIME: &str = "wasmtime==47.0.1";

/// A preview of WASI, and what is run of it.
#[derive(Debug)]
struct Preview {
    target: &'static str,
    tests: &'static [&'static str],
    /// What wasmtime cannot do.
    left_out: &'static [LeftOut],
}

const PREVIEWS: &[Preview] = &[
    // Sockets cannot be made there, only be handed over: the unit tests and the
    // contract are what can run.
    Preview {
        target: "wasm32-wasip1",
        tests: &["--lib", "--test", "wasi"],
        left_out: &[],
    },
    Preview {
        target: "wasm32-wasip2",
        tests: &["--lib", "--tests"],
        left_out: &[],
    },
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let programs = python::environment(workspace, &[WASMTIME])?;
    let script = workspace.root.join("xtask/wasi/run.py");
    let runner = format!("{} {}", programs.join("python").display(), script.display());
    let targets: Vec<&str> = PREVIEWS.iter().map(|preview| preview.target).collect();
    let installed = setup::targets(workspace, &targets)?;
    let mut lines = Vec::new();
    for preview in PREVIEWS {
        let target = preview.target;
        ensure!(
            installed.contains(target),
            "rustup must have the standard library of {target}"
        );
        let variable = target.to_uppercase().replace('-', "_");
        let mut test = cargo(&workspace.root);
        test.args(["test", "--package", PACKAGE, "--all-features"])
            .arg("--no-fail-fast")
            .args(preview.tests)
            .args(["--target", target, "--target-dir"])
            .arg(workspace.target_of("wasi"))
            .env(format!("CARGO_TARGET_{variable}_RUNNER"), &runner)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        let tally = tally::run_without(&mut test, preview.left_out, "xtask/src/wasi.rs")
            .with_context(|| format!("the tests for {target}"))?;
        ensure!(tally.passed > 0, "no test ran for {target}");
        lines.push(format!(
            "{target:<16} {} passed, {} left out",
            tally.passed, tally.filtered
        ));
    }
    println!("\n{}", lines.join("\n"));
    Ok(())
}
