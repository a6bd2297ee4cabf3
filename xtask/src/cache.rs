//! Where jobs keep what is dear to make and belongs to no build of this
//! repository: compiled standard libraries, Python environments.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::workspace::Workspace;

/// Names another directory than `~/.cache/mio-xtask`.
const CACHE: &str = "MIO_XTASK_CACHE";

/// The directory of one job, made if it is missing.
pub(crate) fn directory(workspace: &Workspace, job: &str) -> Result<PathBuf> {
    let all = match env::var_os(CACHE) {
        Some(path) => PathBuf::from(path),
        None => of_user()
            .with_context(|| format!("{CACHE} is not set either"))?
            .join("mio-xtask"),
    };
    // Cargo would take what is built there for members of our workspace.
    if all.starts_with(&workspace.root) {
        bail!("{CACHE} must not be inside of the repository");
    }
    let directory = all.join(job);
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make the cache {}", directory.display()))?;
    Ok(directory)
}

/// What the user's programs keep, each in a directory of its own.
pub(crate) fn of_user() -> Result<PathBuf> {
    if let Some(path) = env::var_os("XDG_CACHE_HOME") {
        return Ok(path.into());
    }
    let home = env::var_os("HOME").context("neither XDG_CACHE_HOME nor HOME is set")?;
    Ok(Path::new(&home).join(".cache"))
}
