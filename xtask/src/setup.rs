//! What the jobs need beside cargo: asked for first, installed when missing.
//!
//! Each job calls what it needs itself, so that it can be run alone; the CI run
//! calls all at its start, so that a missing tool shows in seconds and not at
//! the end.

use std::process::Command;

use anyhow::{Context, Result};

use crate::msrv;
use crate::process::{self, cargo, command, succeeds};
use crate::workspace::Workspace;

/// Registries and mirrors fail for a moment now and then; that is no verdict
/// about the code.
const ATTEMPTS: u32 = 3;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    component(workspace, "fmt", "rustfmt")?;
    component(workspace, "clippy", "clippy")?;
    toolchain(workspace, msrv::TOOLCHAIN)?;
    // The tests that count system calls trace a child with it.
    debian_package(workspace, "strace", &["--version"])
}

fn component(workspace: &Workspace, subcommand: &str, component: &str) -> Result<()> {
    if succeeds(cargo(&workspace.root).args([subcommand, "--version"])) {
        return present(component);
    }
    attempt(command("rustup", &workspace.root).args(["component", "add", component])).with_context(
        || format!("`cargo {subcommand}` is missing: install rustup's component {component}"),
    )
}

/// Installs a component of the nightly compiler by rustup unless it is there.
pub(crate) fn nightly_component(workspace: &Workspace, name: &str) -> Result<()> {
    let rustup = || {
        let mut rustup = command("rustup", &workspace.root);
        rustup.args(["component"]);
        rustup
    };
    let list = ["list", "--installed", "--toolchain", "nightly"];
    let installed = process::read(rustup().args(list))?;
    // Most names are followed by the machine's.
    if installed.lines().any(|line| line.starts_with(name)) {
        return present(name);
    }
    attempt(rustup().args(["add", name, "--toolchain", "nightly"])).with_context(|| {
        format!("the nightly compiler's {name} is missing: `rustup component add` must work")
    })
}

/// Installs a toolchain by rustup unless it is there.
pub(crate) fn toolchain(workspace: &Workspace, name: &str) -> Result<()> {
    if succeeds(command("rustup", &workspace.root).args(["run", name, "rustc", "--version"])) {
        return present(&format!("toolchain {name}"));
    }
    attempt(command("rustup", &workspace.root).args([
        "toolchain",
        "install",
        name,
        "--profile",
        "minimal",
        "--no-self-update",
    ]))
    .with_context(|| {
        format!("the toolchain {name} is missing: `rustup toolchain install {name}` must work")
    })
}

/// Installs a Debian package whose program bears its name.
pub(crate) fn debian_package(workspace: &Workspace, name: &str, probe: &[&str]) -> Result<()> {
    if succeeds(command(name, &workspace.root).args(probe)) {
        return present(name);
    }
    let apt = || {
        let mut apt = command("apt-get", &workspace.root);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    attempt(apt().args(["update", "--quiet"]))
        .and_then(|()| {
            attempt(apt().args(["install", "--yes", "--no-install-recommends", name]))
        })
        .with_context(|| format!("`{name}` is missing: install it by the system's package manager (apt-get needs root)"))
}

fn present(what: &str) -> Result<()> {
    println!("{what}: present");
    Ok(())
}

pub(crate) fn attempt(command: &mut Command) -> Result<()> {
    let mut failures = 0;
    loop {
        match process::run(command) {
            Err(error) if failures + 1 < ATTEMPTS => {
                failures += 1;
                eprintln!("attempt {failures} of {ATTEMPTS}: {error:#}");
            }
            verdict => return verdict,
        }
    }
}
