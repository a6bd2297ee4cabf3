//! The test binaries linked for systems that cannot be run here: a check reads
//! declarations only, and the linker knows whether a system has what they name.
//!
//! Zig's compiler brings the C libraries of other systems along, as lists of
//! symbols.

use std::env;

use anyhow::{ensure, Context, Result};

use crate::process::{cargo, run as run_command};
use crate::python;
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

const TOOLS: &[&str] = &["ziglang==0.17.1", "cargo-zigbuild==0.24.1"];

const TARGETS: &[&str] = &["x86_64-unknown-freebsd", "aarch64-apple-darwin"];

pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<()> {
    let programs = python::environment(workspace, TOOLS)?;
    let path = env::var_os("PATH").unwrap_or_default();
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path)))?;
    let targets: Vec<&str> = match names.is_empty() {
        true => TARGETS.to_vec(),
        false => names.iter().map(String::as_str).collect(),
    };
    let installed = setup::targets(workspace, &targets)?;
    for target in &targets {
        ensure!(
            installed.contains(*target),
            "rustup must have the standard library of {target}"
        );
        let mut build = cargo(&workspace.root);
        build
            .args(["zigbuild", "--package", PACKAGE, "--all-features"])
            .args(["--lib", "--tests", "--examples", "--target", target])
            .arg("--target-dir")
            .arg(workspace.target_of("link"))
            .env("PATH", &path)
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0");
        run_command(&mut build).with_context(|| format!("linking for {target}"))?;
        println!("link: {target} ok");
    }
    Ok(())
}
