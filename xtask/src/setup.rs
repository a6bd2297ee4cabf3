//! What the jobs need beside cargo: asked for first, installed when missing.
//!
//! Each job calls what it needs itself, so that it can be run alone; the CI run
//! calls all at its start, so that a missing tool shows in seconds and not at
//! the end.

use std::process::Command;

use anyhow::{Context, Result};

use crate::msrv;
use crate::process::{self, cargo, command, succeeds};
use crate::wine;
use crate::workspace::Workspace;

/// Registries and mirrors fail for a moment now and then; that is no verdict
/// about the code.
const ATTEMPTS: u32 = 3;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    component(workspace, "fmt", "rustfmt")?;
    component(workspace, "clippy", "clippy")?;
    toolchain(workspace, msrv::TOOLCHAIN)?;
    // The tests that count system calls trace a child with it.
    debian_package(workspace, "strace", &["--version"])?;
    // The tests for Windows are linked by the one, and run by the other.
    rustup_target(workspace, wine::TARGET)?;
    if wine::Tools::find().is_err() {
        install_debian(workspace, wine::PACKAGES)?;
    }
    Ok(())
}

fn component(workspace: &Workspace, subcommand: &str, component: &str) -> Result<()> {
    if succeeds(cargo(&workspace.root).args([subcommand, "--version"])) {
        return present(component);
    }
    attempt(command("rustup", &workspace.root).args(["component", "add", component])).with_context(
        || format!("`cargo {subcommand}` is missing: install rustup's component {component}"),
    )
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
    install_debian(workspace, &[name])
}

fn install_debian(workspace: &Workspace, names: &[&str]) -> Result<()> {
    let apt = || {
        let mut apt = command("apt-get", &workspace.root);
        apt.env("DEBIAN_FRONTEND", "noninteractive");
        apt
    };
    let mut install = apt();
    install.args(["install", "--yes", "--no-install-recommends"]);
    install.args(names);
    attempt(apt().args(["update", "--quiet"]))
        .and_then(|()| attempt(&mut install))
        .with_context(|| {
            format!(
                "{names:?} missing: install by the system's package manager (apt-get needs root)"
            )
        })
}

/// Installs the standard library of a target unless it is there.
fn rustup_target(workspace: &Workspace, target: &str) -> Result<()> {
    attempt(command("rustup", &workspace.root).args(["target", "add", target]))
        .with_context(|| format!("`rustup target add {target}` must work"))
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
