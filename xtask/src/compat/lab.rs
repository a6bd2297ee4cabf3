//! Where suites are unpacked and built, and how a dependency tree gets this
//! crate or the older one.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};

use crate::api::REFERENCE;
use crate::cache;
use crate::process::{self, cargo};
use crate::registry;
use crate::workspace::{Workspace, PACKAGE};

/// Names another directory for downloads and builds.
const CACHE: &str = "MIO_COMPAT_CACHE";

/// What the programs run over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Over {
    Ours,
    Reference,
}

impl Over {
    pub(super) fn name(self) -> &'static str {
        match self {
            Over::Ours => "ours",
            Over::Reference => "reference",
        }
    }
}

#[derive(Debug)]
pub(super) struct Lab<'a> {
    pub(super) workspace: &'a Workspace,
    cache: PathBuf,
}

impl<'a> Lab<'a> {
    pub(super) fn new(workspace: &'a Workspace) -> Result<Lab<'a>> {
        let cache = match env::var_os(CACHE) {
            Some(path) => PathBuf::from(path),
            None => cache::of_user()
                .with_context(|| format!("{CACHE} is not set either"))?
                .join("mio-compat"),
        };
        // Cargo would take what is built there for members of our workspace.
        if cache.starts_with(&workspace.root) {
            bail!("{CACHE} must not be inside of the repository");
        }
        fs::create_dir_all(&cache)
            .with_context(|| format!("cannot make the cache {}", cache.display()))?;
        Ok(Lab { workspace, cache })
    }

    /// Where a suite's sources are; one directory for each crate that it runs
    /// over, since the lock files differ.
    pub(super) fn directory(&self, over: Over, suite: &str) -> Result<PathBuf> {
        let directory = self.cache.join(over.name()).join(suite);
        fs::create_dir_all(&directory)
            .with_context(|| format!("cannot make {}", directory.display()))?;
        Ok(directory)
    }

    pub(super) fn log(&self, over: Over, name: &str) -> Result<PathBuf> {
        let logs = self.directory(over, "logs")?;
        Ok(logs.join(format!("{name}.log")))
    }

    /// Where everything is built: both trees have most crates in common, and
    /// only what depends on mio is built twice.
    pub(super) fn target(&self) -> PathBuf {
        self.cache.join("target")
    }

    /// Cargo with the settings that make for the least to build.
    pub(super) fn cargo(&self, directory: &Path) -> Command {
        let mut command = cargo(directory);
        command
            .env("CARGO_TARGET_DIR", self.target())
            .env("CARGO_INCREMENTAL", "0")
            .env("CARGO_PROFILE_DEV_DEBUG", "0")
            .env("CARGO_PROFILE_TEST_DEBUG", "0");
        command
    }

    /// Unpacks a release into `directory`, unless it is there, and adds `tail`
    /// to its manifest. Returns where it is.
    pub(super) fn unpack(
        &self,
        directory: &Path,
        name: &str,
        version: &str,
        tail: &str,
    ) -> Result<PathBuf> {
        let package = directory.join(format!("{name}-{version}"));
        let published = package.join("Cargo.toml.published");
        if !published.exists() {
            if package.exists() {
                fs::remove_dir_all(&package)
                    .with_context(|| format!("cannot remove {}", package.display()))?;
            }
            let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
            registry::fetch(scratch.path(), name, version, &package)?;
            // Last, so that what was interrupted is done anew.
            fs::copy(package.join("Cargo.toml"), &published)?;
        }
        let manifest = fs::read_to_string(&published)?;
        write(&package.join("Cargo.toml"), &format!("{manifest}{tail}"))?;
        Ok(package)
    }

    /// The end of a manifest of a workspace's root, with further lines for its
    /// patches.
    pub(super) fn patches(&self, over: Over, further: &str) -> String {
        let ours = match over {
            Over::Ours => format!("{PACKAGE} = {{ path = {:?} }}\n", self.workspace.root),
            Over::Reference => String::new(),
        };
        if ours.is_empty() && further.is_empty() {
            return String::new();
        }
        format!("\n[patch.crates-io]\n{ours}{further}")
    }

    /// Makes the lock file choose the crate that `over` asks for, and checks
    /// that it did: a patch that does not fit is only a warning to cargo.
    pub(super) fn choose(&self, over: Over, directory: &Path) -> Result<()> {
        let (version, from_registry) = match over {
            Over::Ours => (self.workspace.version.as_str(), false),
            Over::Reference => (REFERENCE, true),
        };
        self.pin(directory, PACKAGE, version, from_registry)?;
        let chosen = locked(directory, PACKAGE)?;
        let wanted = [(version.to_owned(), from_registry)];
        if chosen != wanted {
            bail!(
                "{} locks {PACKAGE} {chosen:?}, not {version}",
                directory.display()
            );
        }
        Ok(())
    }

    /// Makes the lock file hold exactly this version, of all that are as
    /// compatible.
    pub(super) fn pin(
        &self,
        directory: &Path,
        name: &str,
        version: &str,
        from_registry: bool,
    ) -> Result<()> {
        if !directory.join("Cargo.lock").exists() {
            process::run(self.cargo(directory).arg("generate-lockfile"))?;
        }
        for (other, _) in locked(directory, name)? {
            if other == version {
                continue;
            }
            let mut update = self.cargo(directory);
            update.args(["update", "--package", &format!("{name}@{other}")]);
            if from_registry {
                update.args(["--precise", version]);
            }
            process::run(&mut update)?;
        }
        Ok(())
    }
}

/// The versions of a package in a lock file, those before 1.0 aside, which can
/// stand beside any other; and whether each is the registry's.
fn locked(directory: &Path, name: &str) -> Result<Vec<(String, bool)>> {
    let path = directory.join("Cargo.lock");
    let text =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(locked_in(&text, name))
}

fn locked_in(lock: &str, name: &str) -> Vec<(String, bool)> {
    let named = format!("name = \"{name}\"");
    // After the packages come the patches that are not used, which look alike.
    lock.split("[[")
        .filter_map(|table| table.strip_prefix("package]]"))
        .filter(|package| package.lines().any(|line| line == named))
        .filter_map(|package| {
            let version = package
                .lines()
                .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))?;
            let from_registry = package.lines().any(|line| line.starts_with("source = "));
            Some((version.to_owned(), from_registry))
        })
        .filter(|(version, _)| !version.starts_with("0."))
        .collect()
}

/// Writes a file unless it has that content: cargo goes by its time.
pub(super) fn write(path: &Path, text: &str) -> Result<()> {
    if fs::read_to_string(path).is_ok_and(|present| present == text) {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_tells_what_is_chosen() {
        let lock = "version = 4\n\n\
            [[package]]\nname = \"mio\"\nversion = \"0.7.1\"\nsource = \"registry+x\"\n\n\
            [[package]]\nname = \"mio\"\nversion = \"1.3.0\"\n\n\
            [[package]]\nname = \"mio-serial\"\nversion = \"5.0.7\"\nsource = \"registry+x\"\n\n\
            [[patch.unused]]\nname = \"mio\"\nversion = \"1.3.0\"\n";
        assert_eq!(locked_in(lock, "mio"), [("1.3.0".to_owned(), false)]);
        assert_eq!(locked_in(lock, "mio-serial"), [("5.0.7".to_owned(), true)]);
        assert!(locked_in(lock, "tokio").is_empty());
    }
}
