//! The oldest supported compiler, on what users get: the packaged crate,
//! unpacked outside the workspace so that neither its lock file, its lints nor
//! its other members help or hinder.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::process::{self, cargo, command};
use crate::setup;
use crate::wine;
use crate::workspace::{Workspace, PACKAGE};

/// The last patch release of the manifest's `rust-version`.
pub(crate) const TOOLCHAIN: &str = "1.71.1";

/// Whose half of the crate the own system's check does not see.
const OTHERS: &[&str] = &[wine::TARGET];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    if !is_patch_of(TOOLCHAIN, &workspace.rust_version) {
        bail!(
            "Cargo.toml says rust-version {}, and xtask/src/msrv.rs checks with {TOOLCHAIN}: \
             make them agree",
            workspace.rust_version
        );
    }
    setup::toolchain(workspace, TOOLCHAIN)?;
    let outside = tempfile::tempdir().context("no temporary directory could be made")?;
    let package = unpack(workspace, outside.path())?;
    drop_unreadable_lock(&package)?;
    check(workspace, &package, &[])?;
    for target in OTHERS {
        setup::std_of(workspace, TOOLCHAIN, target)?;
        check(workspace, &package, &["--target", target])?;
    }
    Ok(())
}

fn check(workspace: &Workspace, package: &Path, target: &[&str]) -> Result<()> {
    for features in ["--all-features", "--no-default-features"] {
        process::run(
            cargo(package)
                .arg(format!("+{TOOLCHAIN}"))
                .args(["check", features])
                .args(target)
                .arg("--target-dir")
                .arg(workspace.target_of("msrv")),
        )
        .with_context(|| {
            format!("Rust {TOOLCHAIN} must compile the crate with {features} {target:?}")
        })?;
    }
    Ok(())
}

/// Packages the crate and unpacks it below `outside`.
fn unpack(workspace: &Workspace, outside: &Path) -> Result<PathBuf> {
    let target = workspace.target_of("package");
    process::run(
        cargo(&workspace.root)
            .args(["package", "--package", PACKAGE])
            .args(["--allow-dirty", "--no-verify", "--target-dir"])
            .arg(&target),
    )?;
    let name = format!("{PACKAGE}-{}", workspace.version);
    process::run(
        command("tar", outside)
            .arg("-xzf")
            .arg(target.join("package").join(format!("{name}.crate"))),
    )?;
    Ok(outside.join(name))
}

/// A lock file of version 4 came with Rust 1.78: an older cargo refuses it, and
/// resolves anew when there is none, as it does for every user of a library.
fn drop_unreadable_lock(package: &Path) -> Result<()> {
    let lock = package.join("Cargo.lock");
    let Ok(text) = fs::read_to_string(&lock) else {
        return Ok(());
    };
    if text.lines().any(|line| line == "version = 4") {
        println!("Cargo.lock has version 4, which {TOOLCHAIN} cannot read: removed");
        fs::remove_file(&lock).with_context(|| format!("cannot remove {}", lock.display()))?;
    }
    Ok(())
}

/// Whether `release` ("1.71.1") is `version` ("1.71") or a patch of it.
fn is_patch_of(release: &str, version: &str) -> bool {
    match release.strip_prefix(version) {
        Some(rest) => rest.is_empty() || rest.starts_with('.'),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patch_release_belongs_to_its_version() {
        assert!(is_patch_of("1.71.1", "1.71"));
        assert!(is_patch_of("1.71.1", "1.71.1"));
        assert!(!is_patch_of("1.71.1", "1.7"));
        assert!(!is_patch_of("1.71.1", "1.72"));
    }
}
