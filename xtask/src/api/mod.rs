//! The public API beside that of the mio release that this crate stands in for.
//!
//! Both listings are made in the same run, by the same tool and compiler, for
//! every feature set that matters: nothing of the older crate may be missing,
//! signature by signature.

mod listing;

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{bail, Context, Result};

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

pub(crate) fn run(workspace: &Workspace, target: Option<&str>) -> Result<()> {
    let (_, missing) = check(workspace, target)?;
    if missing > 0 {
        bail!("{missing} items of mio {REFERENCE} are missing, or differ in signature");
    }
    println!("\nnothing of mio {REFERENCE} is missing");
    Ok(())
}

/// How many items the older release has, over all feature sets, and how many of
/// these are missing here.
pub(crate) fn check(workspace: &Workspace, target: Option<&str>) -> Result<(usize, usize)> {
    install(workspace, target)?;
    let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
    let reference = scratch.path().join("reference");
    registry::fetch(scratch.path(), PACKAGE, REFERENCE, &reference)?;
    let build = workspace.target_of("api");
    let (mut all, mut all_missing) = (0, 0);
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
        all += older.len();
        all_missing += missing.len();
    }
    Ok((all, all_missing))
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
