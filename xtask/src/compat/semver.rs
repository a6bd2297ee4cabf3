//! cargo-semver-checks: whether a minor release may look like this.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};

use super::lab::{Lab, Over};
use super::tally::Tally;
use super::timed;
use crate::api::REFERENCE;
use crate::process::{cargo, succeeds};
use crate::registry;
use crate::setup;
use crate::workspace::PACKAGE;

const TOOL: &str = "cargo-semver-checks";
const TOOL_VERSION: &str = "0.51.0";
/// Both crates' documentation is built; seconds as a rule.
const LIMIT: Duration = Duration::from_secs(600);

/// Feature sets by the arguments that choose them.
const FEATURE_SETS: &[(&str, &[&str])] = &[
    ("all", &["--all-features"]),
    ("default", &["--default-features"]),
    ("none", &["--only-explicit-features"]),
    (
        "os-poll",
        &["--only-explicit-features", "--features", "os-poll"],
    ),
    (
        "os-poll,net",
        &["--only-explicit-features", "--features", "os-poll,net"],
    ),
];

pub(super) fn run(lab: &Lab<'_>) -> Result<(Tally, Tally)> {
    install(lab)?;
    let scratch = tempfile::tempdir().context("no temporary directory could be made")?;
    // A copy, since the tool would write beside the original.
    let reference = scratch.path().join("reference");
    registry::fetch(scratch.path(), PACKAGE, REFERENCE, &reference)?;
    let ours = check(lab, Over::Ours, &lab.workspace.root)?;
    Ok((ours, check(lab, Over::Reference, &reference)?))
}

/// Checks a crate against the older release in each feature set.
fn check(lab: &Lab<'_>, over: Over, package: &Path) -> Result<Tally> {
    let mut tally = Tally::default();
    for (name, features) in FEATURE_SETS {
        let log = lab.log(over, &format!("semver-{name}"))?;
        let mut tool = cargo(package);
        tool.args(["semver-checks", "--package", PACKAGE, "--color", "never"])
            .args(["--baseline-version", REFERENCE])
            .args(["--release-type", "minor"])
            .args(*features)
            .env("CARGO_TARGET_DIR", lab.target());
        let ended = timed::run(&mut tool, &log, LIMIT)?;
        let summary = ended
            .text
            .lines()
            .find(|line| line.contains(" checks: "))
            .map_or("it gave no summary", str::trim);
        println!("{}, {name}: {summary}", over.name());
        if !ended.is_success() {
            println!("{}", ended.text);
        }
        tally.count(name, ended.is_success());
    }
    Ok(tally)
}

fn install(lab: &Lab<'_>) -> Result<()> {
    let root = &lab.workspace.root;
    if succeeds(cargo(root).args(["semver-checks", "--version"])) {
        return Ok(());
    }
    println!("installing {TOOL}: ten minutes, once");
    let version = format!("{TOOL}@{TOOL_VERSION}");
    setup::attempt(cargo(root).args(["install", "--locked", &version]))
}
