//! Python environments: some tools come as wheels, and need no root to install.

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::cache;
use crate::process::command;
use crate::setup;
use crate::workspace::Workspace;

/// The directory of the programs of an environment that has exactly these
/// packages, each with its version.
pub(crate) fn environment(workspace: &Workspace, packages: &[&str]) -> Result<PathBuf> {
    let name = packages.join("+").replace("==", "-");
    let environment = cache::directory(workspace, "python")?.join(name);
    let programs = environment.join("bin");
    // Written last, so that what was interrupted is done anew.
    let complete = environment.join("complete");
    if complete.exists() {
        return Ok(programs);
    }
    let mut make = command("python3", &workspace.root);
    make.args(["-m", "venv", "--clear"]).arg(&environment);
    setup::attempt(&mut make).context("python3 and its module venv are needed")?;
    let pip = programs.join("pip");
    let mut install = command(&pip.to_string_lossy(), &workspace.root);
    install
        .args(["install", "--quiet", "--disable-pip-version-check"])
        .args(packages);
    setup::attempt(&mut install)
        .with_context(|| format!("pip must install {}", packages.join(", ")))?;
    fs::write(&complete, "")?;
    Ok(programs)
}
