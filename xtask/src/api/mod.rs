//! The public API beside that of the mio release that this crate stands in for.
//!
//! Both listings are made in the same run, by the same tool and compiler, for
//! every feature set that matters: nothing of the older crate may be missing,
//! signature by signature.

mod listing;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};
use serde_json::Value;

use self::listing::Listing;
use crate::process::{cargo, command, read, succeeds};
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

/// The release to compare with.
const REFERENCE: &str = "1.2.5";
/// The listing is made from rustdoc's JSON, which is nightly's.
const TOOLCHAIN: &str = "nightly";
const TOOL: &str = "cargo-public-api";
const TOOL_VERSION: &str = "0.52.0";

/// Feature sets by the arguments that choose them.
const FEATURE_SETS: &[(&str, &[&str])] = &[
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

pub(crate) fn run(workspace: &Workspace, target: Option<&str>) -> Result<()> {
    install(workspace, target)?;
    let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
    let reference = fetch_reference(scratch.path())?;
    let build = workspace.target_of("api");
    let mut all_missing = 0;
    // The first set has all features: what it adds need not be said again.
    let mut told = BTreeSet::new();
    for (name, features) in FEATURE_SETS {
        let older = listing(&reference, &build, features, target)?;
        let ours = listing(&workspace.root, &build, features, target)?;
        let (missing, added) = listing::compare(&older, &ours);
        println!(
            "\n{name}: {} items in mio {REFERENCE}, {} here, {} missing, {} added",
            older.len(),
            ours.len(),
            missing.len(),
            added.len()
        );
        for item in &missing {
            println!("  missing: {item}");
        }
        for item in added {
            if told.insert(item.to_owned()) {
                println!("  added:   {item}");
            }
        }
        all_missing += missing.len();
    }
    if all_missing > 0 {
        bail!("{all_missing} items of mio {REFERENCE} are missing, or differ in signature");
    }
    println!("\nnothing of mio {REFERENCE} is missing");
    Ok(())
}

fn install(workspace: &Workspace, target: Option<&str>) -> Result<()> {
    setup::toolchain(workspace, TOOLCHAIN)?;
    if let Some(target) = target {
        let mut add = command("rustup", &workspace.root);
        add.args(["target", "add", "--toolchain", TOOLCHAIN, target]);
        setup::attempt(&mut add)
            .with_context(|| format!("rustup must have the standard library of {target}"))?;
    }
    if !succeeds(command(TOOL, &workspace.root).arg("--version")) {
        println!("installing {TOOL}: some minutes, once");
        let version = format!("{TOOL}@{TOOL_VERSION}");
        setup::attempt(cargo(&workspace.root).args(["install", "--locked", &version]))?;
    }
    Ok(())
}

/// Downloads the older release by a project that depends on it, and copies its
/// sources: nothing is to be built inside cargo's own directories.
fn fetch_reference(scratch: &Path) -> Result<PathBuf> {
    let project = scratch.join("project");
    fs::create_dir_all(project.join("src"))?;
    fs::write(project.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"project\"\nversion = \"0.0.0\"\nedition = \"2021\"\n\
         [dependencies]\n{PACKAGE} = \"={REFERENCE}\"\n[workspace]\n"
    );
    fs::write(project.join("Cargo.toml"), manifest)?;
    let text = read(cargo(&project).args(["metadata", "--format-version", "1"]))
        .with_context(|| format!("mio {REFERENCE} must be had from the package registry"))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let manifest = metadata["packages"]
        .as_array()
        .and_then(|all| all.iter().find(|package| package["name"] == PACKAGE))
        .and_then(|package| package["manifest_path"].as_str())
        .context("cargo metadata does not say where the download is")?;
    let source = Path::new(manifest)
        .parent()
        .context("a manifest without a directory")?;
    let copy = scratch.join("reference");
    read(command("cp", scratch).arg("-R").arg(source).arg(&copy))?;
    Ok(copy)
}

/// Blanket impls are left out, which every type has; derived and auto traits
/// stay, for programs rely on them.
fn listing(
    package: &Path,
    build: &Path,
    features: &[&str],
    target: Option<&str>,
) -> Result<Listing> {
    let mut list = cargo(package);
    list.arg(format!("+{TOOLCHAIN}"))
        .args(["public-api", "--package", PACKAGE])
        .args(["--omit", "blanket-impls", "--color", "never"])
        .args(features)
        // What rustdoc has to say about the text is the docs step's affair.
        .env("RUSTDOCFLAGS", "--cap-lints=allow")
        .env("CARGO_TARGET_DIR", build);
    if let Some(target) = target {
        list.args(["--target", target]);
    }
    let listing = Listing::parse(&read(&mut list)?);
    if listing.len() == 0 {
        bail!("the listing of {} is empty", package.display());
    }
    Ok(listing)
}
