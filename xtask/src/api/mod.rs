//! The public API beside that of the mio release that this crate stands in for.
//!
//! Both listings are made in the same run, by the same tool and compiler, for
//! every feature set that matters: nothing of the older crate may be missing,
//! signature by signature.

mod changelog;
mod listing;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{bail, Context, Result};

use self::changelog::Changelog;
use self::listing::Listing;
use crate::process::{cargo, command, read, succeeds};
use crate::registry;
use crate::setup;
use crate::workspace::{Workspace, FEATURE_SETS, PACKAGE};

/// The release to compare with.
pub(crate) const REFERENCE: &str = "1.2.5";
/// The listing is made from rustdoc's JSON, which is nightly's.
const TOOLCHAIN: &str = "nightly";
const TOOL: &str = "cargo-public-api";
const TOOL_VERSION: &str = "0.52.0";

/// Other systems whose listing differs, since they have modules of their own.
const OTHER_TARGETS: &[&str] = &["x86_64-pc-windows-msvc", "aarch64-apple-darwin"];

/// For one target, or for this machine and the others.
pub(crate) fn run(workspace: &Workspace, target: Option<&str>) -> Result<()> {
    let outcome = match target {
        Some(target) => check(workspace, Some(target))?,
        None => check_all(workspace)?,
    };
    if !outcome.unnamed.is_empty() {
        bail!(
            "CHANGELOG.md does not name what was added:\n  {}",
            Vec::from_iter(outcome.unnamed).join("\n  ")
        );
    }
    if outcome.missing > 0 {
        bail!(
            "{} items of mio {REFERENCE} are missing, or differ in signature",
            outcome.missing
        );
    }
    println!("\nnothing of mio {REFERENCE} is missing, and the changelog names what was added");
    Ok(())
}

/// What comparisons found, over all feature sets.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// How many items the older release has.
    pub(crate) all: usize,
    /// How many of these are missing here.
    pub(crate) missing: usize,
    /// What was added, and is not in the changelog.
    pub(crate) unnamed: BTreeSet<String>,
}

/// For this machine and the other targets.
pub(crate) fn check_all(workspace: &Workspace) -> Result<Outcome> {
    let mut sum = check(workspace, None)?;
    for target in OTHER_TARGETS {
        let outcome = check(workspace, Some(target))?;
        sum.all += outcome.all;
        sum.missing += outcome.missing;
        sum.unnamed.extend(outcome.unnamed);
    }
    Ok(sum)
}

fn check(workspace: &Workspace, target: Option<&str>) -> Result<Outcome> {
    install(workspace, target)?;
    let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
    let reference = scratch.path().join("reference");
    registry::fetch(scratch.path(), PACKAGE, REFERENCE, &reference)?;
    let build = workspace.target_of("api");
    let path = workspace.root.join("CHANGELOG.md");
    let changelog =
        fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let changelog = Changelog::parse(&changelog);
    let mut outcome = Outcome::default();
    // The first set has all features: what it adds need not be said again.
    let mut told = BTreeSet::new();
    for (name, features) in FEATURE_SETS {
        let older = listing(&reference, &build, features, target)?;
        let ours = listing(&workspace.root, &build, features, target)?;
        let (missing, added) = listing::compare(&older, &ours);
        println!(
            "\n{}, {name}: {} items in mio {REFERENCE}, {} here, {} missing, {} added",
            target.unwrap_or("this machine"),
            older.len(),
            ours.len(),
            missing.len(),
            added.len()
        );
        for item in &missing {
            println!("  missing: {item}");
        }
        for item in &added {
            if told.insert((*item).to_owned()) {
                println!("  added:   {item}");
            }
        }
        outcome.all += older.len();
        outcome.missing += missing.len();
        let unnamed = changelog.unnamed(&added).into_iter();
        outcome.unnamed.extend(unnamed.map(str::to_owned));
    }
    Ok(outcome)
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
