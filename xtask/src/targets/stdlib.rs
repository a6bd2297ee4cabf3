//! Standard libraries for other systems.
//!
//! Rustup has them compiled for many; those that it lacks, or that its server
//! refuses, are made here. A check reads metadata only, so that `cargo check` of
//! the library's sources, some twenty seconds, gives all that is needed: the
//! `.rmeta` files in the places of a sysroot. They are kept in the cache, by
//! compiler.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

use crate::cache;
use crate::process::{self, cargo, command, read};
use crate::setup;
use crate::workspace::Workspace;

#[derive(Debug)]
pub(super) enum Std {
    /// Among those of the toolchain.
    Installed,
    /// A sysroot of ours.
    Made(PathBuf),
    /// Its sources do not compile for this target.
    Broken,
}

impl Std {
    pub(super) fn is_usable(&self) -> bool {
        !matches!(self, Std::Broken)
    }

    pub(super) fn origin(&self) -> &'static str {
        match self {
            Std::Installed => "rustup",
            Std::Made(_) => "metadata",
            Std::Broken => "NONE",
        }
    }

    /// What the compiler must be told to find it.
    pub(super) fn flag(&self) -> Option<String> {
        match self {
            Std::Made(sysroot) => Some(format!("--sysroot={}", sysroot.display())),
            Std::Installed | Std::Broken => None,
        }
    }
}

/// A standard library for each of the targets, installed or made when missing.
pub(super) fn of_targets<'a>(
    workspace: &Workspace,
    names: &[&'a str],
) -> Result<BTreeMap<&'a str, Std>> {
    let installed = setup::targets(workspace, names)?;
    let rest: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !installed.contains(*name))
        .collect();
    let made = make(workspace, &rest)?;
    let of_target = |name: &&'a str| {
        let library = match made.get(*name) {
            Some(sysroot) => Std::Made(sysroot.clone()),
            None if installed.contains(*name) => Std::Installed,
            None => Std::Broken,
        };
        (*name, library)
    };
    Ok(names.iter().map(of_target).collect())
}

/// The sysroots of those targets whose library compiles.
fn make(workspace: &Workspace, names: &[&str]) -> Result<BTreeMap<String, PathBuf>> {
    let cache = cache::directory(workspace, "std")?.join(compiler(workspace)?);
    let sysroot = |name: &str| cache.join(name);
    let missing: Vec<&str> = names
        .iter()
        .copied()
        .filter(|name| !sysroot(name).exists())
        .collect();
    if !missing.is_empty() {
        let build = cache.join("build");
        compile(workspace, &missing, &build)?;
        for name in missing {
            // A library that does not compile is told in the table.
            if let Some(files) = compiled(&build.join(name).join("release/deps"))? {
                install(&files, name, &sysroot(name))?;
            }
        }
        fs::remove_dir_all(&build).with_context(|| format!("cannot remove {}", build.display()))?;
    }
    let made = names.iter().filter(|name| sysroot(name).exists());
    Ok(made
        .map(|name| ((*name).to_owned(), sysroot(name)))
        .collect())
}

/// The compiler by its release and commit: metadata of another one is useless.
fn compiler(workspace: &Workspace) -> Result<String> {
    let text = read(command("rustc", &workspace.root).arg("-vV"))?;
    let field = |name| text.lines().find_map(|line| line.strip_prefix(name));
    match (field("release: "), field("commit-hash: ")) {
        (Some(release), Some(hash)) => Ok(format!("{release}-{}", &hash[..hash.len().min(10)])),
        _ => bail!("`rustc -vV` names no release"),
    }
}

fn compile(workspace: &Workspace, names: &[&str], build: &Path) -> Result<()> {
    let sources = setup::library_sources(workspace)?;
    let mut check = cargo(&workspace.root);
    check
        .args(["check", "--release", "--locked", "--keep-going"])
        .args(["--package", "std", "--package", "test"])
        .args(["--features", "std/panic-unwind"])
        .arg("--manifest-path")
        .arg(sources.join("Cargo.toml"))
        .arg("--target-dir")
        .arg(build)
        // The library uses what is unstable for others, and says so of itself.
        .env("RUSTC_BOOTSTRAP", "1")
        .env(
            "RUSTFLAGS",
            "-Zforce-unstable-if-unmarked --cap-lints=warn -Awarnings",
        )
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("CARGO_TARGET_DIR")
        // The library has its own cfg-if, libc and so on: their symbols must
        // not be those of the crates that programs depend on.
        .env("__CARGO_DEFAULT_LIB_METADATA", "mio-xtask");
    for name in names {
        check.args(["--target", name]);
    }
    if let Err(error) = process::run(&mut check) {
        eprintln!("not all standard libraries compile: {error:#}");
    }
    Ok(())
}

/// The files of one target, unless something is missing.
fn compiled(directory: &Path) -> Result<Option<Vec<PathBuf>>> {
    if !directory.exists() {
        return Ok(None);
    }
    let mut files = Vec::new();
    for entry in
        fs::read_dir(directory).with_context(|| format!("cannot read {}", directory.display()))?
    {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "rmeta")
        {
            files.push(path);
        }
    }
    let names: BTreeSet<String> = files.iter().filter_map(|path| crate_of(path)).collect();
    let is_complete = ["core", "alloc", "std", "test"]
        .iter()
        .all(|name| names.contains(*name));
    Ok(is_complete.then_some(files))
}

/// `std` for `libstd-0123.rmeta`.
fn crate_of(path: &Path) -> Option<String> {
    let name = path.file_name()?.to_str()?.strip_prefix("lib")?;
    name.split_once('-').map(|(name, _)| name.to_owned())
}

fn install(files: &[PathBuf], name: &str, sysroot: &Path) -> Result<()> {
    // Renamed at the end, so that what was interrupted is done anew.
    let partial = sysroot.with_extension("partial");
    if partial.exists() {
        fs::remove_dir_all(&partial)?;
    }
    let library = partial.join("lib/rustlib").join(name).join("lib");
    fs::create_dir_all(&library)?;
    for file in files {
        let name = file.file_name().context("a file without a name")?;
        fs::copy(file, library.join(name))
            .with_context(|| format!("cannot copy {}", file.display()))?;
    }
    fs::rename(&partial, sysroot)
        .with_context(|| format!("cannot make the sysroot {}", sysroot.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_library_is_complete_or_none() -> Result<()> {
        let scratch = tempfile::tempdir()?;
        assert!(compiled(&scratch.path().join("none"))?.is_none());
        for name in [
            "libcore-1.rmeta",
            "liballoc-1.rmeta",
            "libstd-1.rmeta",
            "std-1.d",
        ] {
            fs::write(scratch.path().join(name), "")?;
        }
        assert!(compiled(scratch.path())?.is_none());
        fs::write(scratch.path().join("libtest-1.rmeta"), "")?;
        assert_eq!(compiled(scratch.path())?.map(|files| files.len()), Some(4));
        Ok(())
    }

    #[test]
    fn a_sysroot_has_the_shape_that_the_compiler_expects() -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let file = scratch.path().join("libcore-1.rmeta");
        fs::write(&file, "")?;
        let sysroot = scratch.path().join("t-v8.1");
        install(&[file], "t-v8.1", &sysroot)?;
        assert!(sysroot
            .join("lib/rustlib/t-v8.1/lib/libcore-1.rmeta")
            .exists());
        Ok(())
    }
}
