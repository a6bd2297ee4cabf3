//! What the jobs need beside cargo: asked for first, installed when missing.
//!
//! Each job calls what it needs itself, so that it can be run alone; the CI run
//! calls all at its start, so that a missing tool shows in seconds and not at
//! the end.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};

use crate::process::{self, cargo, command, read, succeeds};
use crate::workspace::Workspace;
use crate::{cross, msrv, proof, wine};

/// Registries and mirrors fail for a moment now and then; that is no verdict
/// about the code.
const ATTEMPTS: u32 = 3;

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    component(workspace, "fmt", "rustfmt")?;
    component(workspace, "clippy", "clippy")?;
    toolchain(workspace, msrv::TOOLCHAIN)?;
    // What sees more than tests assert is nightly's.
    toolchain(workspace, proof::NIGHTLY)?;
    for name in ["miri", "rust-src"] {
        nightly_component(workspace, name)?;
    }
    // The tests that count system calls trace a child with it.
    debian_package(workspace, "strace")?;
    // The tests for Windows are linked by the one, and run by the other.
    targets(workspace, &[wine::TARGET])?;
    if wine::Tools::find().is_err() {
        install_debian(workspace, wine::PACKAGES)?;
    }
    cross::install(workspace)
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
    let list = ["list", "--installed", "--toolchain", proof::NIGHTLY];
    let installed = process::read(rustup().args(list))?;
    // Most names are followed by the machine's.
    if installed.lines().any(|line| line.starts_with(name)) {
        return present(name);
    }
    attempt(rustup().args(["add", name, "--toolchain", proof::NIGHTLY])).with_context(|| {
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

/// Installs the compiled standard library of a target for a toolchain.
pub(crate) fn std_of(workspace: &Workspace, toolchain: &str, target: &str) -> Result<()> {
    attempt(command("rustup", &workspace.root).args([
        "target",
        "add",
        "--toolchain",
        toolchain,
        target,
    ]))
    .with_context(|| format!("`rustup target add --toolchain {toolchain} {target}` must work"))
}

/// Installs the compiled standard libraries of those targets that rustup has
/// them for, and returns of which targets they are there.
///
/// A library that cannot be had is left out, and the others are tried.
pub(crate) fn targets(workspace: &Workspace, names: &[&str]) -> Result<BTreeSet<String>> {
    let (offered, mut installed) = target_list(workspace)?;
    let mut missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| offered.contains(*name) && !installed.contains(*name))
        .collect();
    while !missing.is_empty() {
        let mut add = command("rustup", &workspace.root);
        let output = process::output(add.args(["target", "add"]).args(&missing))?;
        if output.status.success() {
            break;
        }
        let report = String::from_utf8_lossy(&output.stderr);
        let Some(refused) = refused(&report, &missing) else {
            bail!("`rustup target add` fails: {report}");
        };
        println!("rustup does not get the standard library of {refused}");
        missing.retain(|name| *name != refused);
    }
    (_, installed) = target_list(workspace)?;
    Ok(installed)
}

/// The targets that rustup has a standard library for, and those for which it
/// is installed.
fn target_list(workspace: &Workspace) -> Result<(BTreeSet<String>, BTreeSet<String>)> {
    let list = read(command("rustup", &workspace.root).args(["target", "list"]))
        .context("rustup is needed for the standard libraries of other targets")?;
    let words = || {
        list.lines()
            .map(|line| line.split_once(' ').unwrap_or((line, "")))
    };
    let offered = words().map(|(name, _)| name.to_owned());
    let installed = words().filter(|(_, note)| *note == "(installed)");
    Ok((
        offered.collect(),
        installed.map(|(name, _)| name.to_owned()).collect(),
    ))
}

/// The one among `names` whose download the report says to have failed.
fn refused<'a>(report: &str, names: &[&'a str]) -> Option<&'a str> {
    let failure = report.lines().find_map(|line| {
        let (_, component) = line.split_once("download failed for rust-std-")?;
        Some(component.trim())
    })?;
    names.iter().copied().find(|name| *name == failure)
}

/// Where the sources of the compiler's own standard library are.
pub(crate) fn library_sources(workspace: &Workspace) -> Result<PathBuf> {
    let sysroot = read(command("rustc", &workspace.root).args(["--print", "sysroot"]))?;
    let sources = Path::new(sysroot.trim()).join("lib/rustlib/src/rust/library");
    if !sources.join("Cargo.toml").exists() {
        attempt(command("rustup", &workspace.root).args(["component", "add", "rust-src"]))
            .context("the sources of the standard library are missing: rustup's rust-src")?;
    }
    Ok(sources)
}

/// Installs a Debian package whose program bears its name.
pub(crate) fn debian_package(workspace: &Workspace, name: &str) -> Result<()> {
    debian_packages(workspace, &[name], &[name])
}

/// Installs Debian packages unless all of these programs are there.
pub(crate) fn debian_packages(
    workspace: &Workspace,
    programs: &[&str],
    packages: &[&str],
) -> Result<()> {
    let look = "command -v \"$0\"";
    let is_present =
        |name: &&str| succeeds(command("sh", &workspace.root).args(["-c", look, name]));
    if programs.iter().all(is_present) {
        return present(&programs.join(", "));
    }
    install_debian(workspace, packages)
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
                "{} must be installed by the system's package manager (apt-get needs root)",
                names.join(", ")
            )
        })
}

fn present(what: &str) -> Result<()> {
    if !what.is_empty() {
        println!("{what}: present");
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_rustup_refuses_is_told_by_its_report() {
        let report = "info: rolling back changes\n\
            error: component download failed for rust-std-loongarch64-unknown-linux-gnu\n\
            Caused by:\n    1: 404\n";
        let names = ["powerpc-unknown-linux-gnu", "loongarch64-unknown-linux-gnu"];
        assert_eq!(refused(report, &names), Some(names[1]));
        assert_eq!(refused(report, &names[..1]), None);
        assert_eq!(refused("error: no space left", &names), None);
    }
}
