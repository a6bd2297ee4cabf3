//! Published packages, as the package registry has them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::process::{cargo, command, read};

/// Downloads a release by a project below `scratch` that depends on it, and
/// copies its sources to `copy`: nothing is to be built inside cargo's own
/// directories.
pub(crate) fn fetch(scratch: &Path, name: &str, version: &str, copy: &Path) -> Result<()> {
    let source = download(scratch, name, version)
        .with_context(|| format!("{name} {version} must be had from the package registry"))?;
    read(command("cp", scratch).arg("-R").arg(&source).arg(copy)).map(drop)
}

fn download(scratch: &Path, name: &str, version: &str) -> Result<PathBuf> {
    let project = scratch.join(format!("fetch-{name}"));
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"project\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [dependencies]\n{name} = \"={version}\"\n[workspace]\n"
    );
    fs::write(project.join("Cargo.toml"), manifest)?;
    let text = read(cargo(&project).args(["metadata", "--format-version", "1"]))?;
    let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|all| all.iter().find(|package| package["name"] == name))
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo metadata does not say where the download is")?;
    let source = Path::new(manifest).parent();
    Ok(source.context("a manifest without a directory")?.to_owned())
}
