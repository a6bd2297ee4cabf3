//! What cargo knows about the repository.

use std::env;
use std::path::PathBuf;

use anyhow::{bail, Context, Result};
use serde_json::Value;

use crate::process;

/// The published package.
pub(crate) const PACKAGE: &str = "mio";

/// The sets of features that tell the doors apart, by the arguments that choose
/// them. The first has all of them.
pub(crate) const FEATURE_SETS: &[(&str, &[&str])] = &[
    ("all features", &["--all-features"]),
    ("no feature", &["--no-default-features"]),
    ("os-poll", &["--no-default-features", "--features=os-poll"]),
    ("os-ext", &["--no-default-features", "--features=os-ext"]),
    ("net", &["--no-default-features", "--features=net"]),
    (
        "os-poll, net",
        &["--no-default-features", "--features=os-poll,net"],
    ),
];

#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    target: PathBuf,
    /// The names in the package's `[features]`, sorted, `default` aside.
    pub(crate) features: Vec<String>,
    pub(crate) version: String,
    pub(crate) rust_version: String,
}

impl Workspace {
    /// Asks cargo, so that any directory of the repository will do.
    pub(crate) fn find() -> Result<Workspace> {
        let here = env::current_dir().context("the current directory cannot be read")?;
        let text = process::read(process::cargo(&here).args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
        ]))?;
        let metadata: Value = serde_json::from_str(&text).context("cargo metadata is not JSON")?;
        let package = metadata["packages"]
            .as_array()
            .and_then(|all| all.iter().find(|package| package["name"] == PACKAGE))
            .with_context(|| format!("this workspace has no package `{PACKAGE}`"))?;
        let Some(features) = package["features"].as_object() else {
            bail!("cargo metadata names no features of `{PACKAGE}`");
        };
        let mut features: Vec<String> = features.keys().cloned().collect();
        features.retain(|name| name != "default");
        features.sort();
        Ok(Workspace {
            root: text_of(&metadata, "workspace_root")?.into(),
            target: text_of(&metadata, "target_directory")?.into(),
            features,
            version: text_of(package, "version")?,
            rust_version: text_of(package, "rust_version")?,
        })
    }

    /// A target directory of a job's own: other flags, or another compiler,
    /// would otherwise rebuild what the everyday one holds.
    pub(crate) fn target_of(&self, job: &str) -> PathBuf {
        self.target.join("xtask").join(job)
    }
}

fn text_of(value: &Value, key: &str) -> Result<String> {
    let text = value[key].as_str();
    Ok(text
        .with_context(|| format!("cargo metadata has no `{key}`"))?
        .to_owned())
}
