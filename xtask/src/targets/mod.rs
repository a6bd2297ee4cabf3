//! The crate type-checked for every system that it has code for.
//!
//! A check needs no linker and no headers, but the metadata of a standard
//! library: see [`stdlib`]. Whether what compiles also works is the affair of
//! the jobs that run tests.

mod stdlib;
mod table;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Instant;

use anyhow::{bail, Result};
use serde_json::Value;

use self::stdlib::Std;
use self::table::{Target, TARGETS};
use crate::process::{self, cargo};
use crate::workspace::{Workspace, FEATURE_SETS, PACKAGE};

/// What the compiler must not even warn of: a type that is used on other
/// systems only is an import too many on this one.
const FLAGS: &str = "-D warnings";

/// Which of the targets to check.
#[derive(Debug)]
pub(crate) enum Selection {
    /// Those that the CI run has time for.
    Usual,
    All,
    Named(Vec<String>),
}

impl Selection {
    pub(crate) fn new(all: bool, names: Vec<String>) -> Result<Selection> {
        match (all, names.is_empty()) {
            (true, true) => Ok(Selection::All),
            (true, false) => bail!("either --all, or names of targets"),
            (false, true) => Ok(Selection::Usual),
            (false, false) => Ok(Selection::Named(names)),
        }
    }
}

pub(crate) fn usual(workspace: &Workspace) -> Result<()> {
    run(workspace, &Selection::Usual)
}

pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<()> {
    let chosen = chosen(selection)?;
    let start = Instant::now();
    let names: Vec<&str> = chosen.iter().map(|target| target.name).collect();
    let libraries = stdlib::of_targets(workspace, &names)?;
    println!("standard libraries: {:.0} s", start.elapsed().as_secs_f64());

    let mut report = Report::default();
    for (set, features) in FEATURE_SETS {
        check_set(workspace, &libraries, set, features, &mut report)?;
    }
    for target in chosen.iter().filter(|target| target.tests) {
        check_tests(workspace, &libraries, target.name, &mut report);
    }
    report.print(&chosen, &libraries);
    println!("{:.0} s in all", start.elapsed().as_secs_f64());
    report.verdict(&chosen, &libraries)
}

/// The rows to check, in the order of the table.
fn chosen(selection: &Selection) -> Result<Vec<&'static Target>> {
    let names = match selection {
        Selection::Usual => return Ok(TARGETS.iter().filter(|target| target.usual).collect()),
        Selection::All => return Ok(TARGETS.iter().collect()),
        Selection::Named(names) => names,
    };
    let known = |name: &String| TARGETS.iter().any(|target| target.name == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        bail!("{unknown} is no row of xtask/src/targets/table.rs");
    }
    let is_named = |target: &&Target| names.iter().any(|name| name == target.name);
    Ok(TARGETS.iter().filter(is_named).collect())
}

/// Checks one set of features for all targets at once: cargo has then something
/// for every core to do.
fn check_set(
    workspace: &Workspace,
    libraries: &BTreeMap<&str, Std>,
    set: &'static str,
    features: &[&str],
    report: &mut Report,
) -> Result<()> {
    let usable = || libraries.iter().filter(|(_, library)| library.is_usable());
    println!("checking with {set}");
    let mut check = check(workspace, libraries, usable().map(|(name, _)| *name));
    check.args(features).args(["--keep-going", "--quiet"]);
    check.arg("--message-format=json");
    let output = process::output(&mut check)?;
    let passed = checked(&String::from_utf8_lossy(&output.stdout));
    for (name, _) in usable() {
        if passed.contains(*name) {
            report
                .passed
                .entry((*name).to_owned())
                .or_default()
                .push(set);
            continue;
        }
        // Once more and alone, for what the compiler has to say.
        let mut alone = self::check(workspace, libraries, [*name]);
        match process::run(alone.args(features)) {
            Ok(()) => report
                .passed
                .entry((*name).to_owned())
                .or_default()
                .push(set),
            Err(_) => report.failed.push(format!("{name} with {set}")),
        }
    }
    Ok(())
}

/// The tests and examples too, where what they depend on compiles.
fn check_tests(
    workspace: &Workspace,
    libraries: &BTreeMap<&str, Std>,
    name: &str,
    report: &mut Report,
) {
    if !libraries.get(name).is_some_and(Std::is_usable) {
        return;
    }
    println!("checking the tests for {name}");
    let mut check = check(workspace, libraries, [name]);
    check.args(["--all-features", "--lib", "--tests", "--examples"]);
    match process::run(check.arg("--quiet")) {
        Ok(()) => {
            report.with_tests.insert(name.to_owned());
        }
        Err(_) => report.failed.push(format!("the tests for {name}")),
    }
}

fn check<'a>(
    workspace: &Workspace,
    libraries: &BTreeMap<&str, Std>,
    names: impl IntoIterator<Item = &'a str>,
) -> Command {
    let mut check = cargo(&workspace.root);
    check
        .args(["check", "--package", PACKAGE, "--target-dir"])
        .arg(workspace.target_of("targets"))
        // These would go before the flags of a target.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    for name in names {
        let variable = name.to_uppercase().replace(['-', '.'], "_");
        let sysroot = libraries.get(name).and_then(Std::flag);
        check.args(["--target", name]).env(
            format!("CARGO_TARGET_{variable}_RUSTFLAGS"),
            format!("{FLAGS} {}", sysroot.unwrap_or_default()).trim(),
        );
    }
    check
}

/// The targets for which cargo's report says that the library was compiled.
fn checked(report: &str) -> BTreeSet<String> {
    let messages = report
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok());
    messages
        .filter_map(|message: Value| target_of_library(&message))
        .collect()
}

/// The report names no target, but the file: `target/T/debug/deps/libmio.rmeta`.
fn target_of_library(message: &Value) -> Option<String> {
    let is_ours = message["reason"] == "compiler-artifact" && message["target"]["name"] == PACKAGE;
    let file = message["filenames"][0].as_str().filter(|_| is_ours)?;
    let (before, _) = file.rsplit_once("/debug/")?;
    before.rsplit_once('/').map(|(_, target)| target.to_owned())
}

#[derive(Debug, Default)]
struct Report {
    /// The sets of features, by target.
    passed: BTreeMap<String, Vec<&'static str>>,
    with_tests: BTreeSet<String>,
    failed: Vec<String>,
}

impl Report {
    fn print(&self, chosen: &[&Target], libraries: &BTreeMap<&str, Std>) {
        println!(
            "\n{:<34} {:<12} {:<12} tests",
            "target", "std", "feature sets"
        );
        for target in chosen {
            let library = libraries.get(target.name).map_or("", Std::origin);
            let tests = match (target.tests, self.with_tests.contains(target.name)) {
                (false, _) => "-",
                (true, true) => "ok",
                (true, false) => "FAILED",
            };
            let passed = self.passed_of(target);
            let sets = format!("{passed} of {}", FEATURE_SETS.len());
            println!("{:<34} {library:<12} {sets:<12} {tests}", target.name);
        }
    }

    fn passed_of(&self, target: &Target) -> usize {
        self.passed.get(target.name).map_or(0, Vec::len)
    }

    fn verdict(&self, chosen: &[&Target], libraries: &BTreeMap<&str, Std>) -> Result<()> {
        let without = libraries.iter().filter(|(_, library)| !library.is_usable());
        let mut failed: Vec<String> = without
            .map(|(name, _)| format!("the standard library for {name}"))
            .collect();
        failed.extend(self.failed.iter().cloned());
        if !failed.is_empty() {
            bail!("what does not compile:\n  {}", failed.join("\n  "));
        }
        println!("targets: {} ok", chosen.len());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_report_of_cargo_tells_the_targets() {
        let line = |name: &str, target: &str| {
            format!(
                r#"{{"reason":"compiler-artifact","target":{{"name":"{name}"}},"filenames":["/w/target/xtask/targets/{target}/debug/deps/lib{name}-1.rmeta"]}}"#
            )
        };
        let report = [
            line("mio", "x86_64-unknown-freebsd"),
            line("libc", "x86_64-unknown-openbsd"),
            r#"{"reason":"build-finished","success":false}"#.to_owned(),
        ];
        let found: Vec<String> = checked(&report.join("\n")).into_iter().collect();
        assert_eq!(found, ["x86_64-unknown-freebsd"]);
    }

    #[test]
    fn targets_are_chosen_by_name_in_the_order_of_the_table() -> Result<()> {
        let named = |names: &[&str]| {
            chosen(&Selection::Named(
                names.iter().map(|&name| name.to_owned()).collect(),
            ))
        };
        let found = named(&["wasm32-wasip1", "x86_64-unknown-linux-gnu"])?;
        let names: Vec<&str> = found.iter().map(|target| target.name).collect();
        assert_eq!(names, ["x86_64-unknown-linux-gnu", "wasm32-wasip1"]);
        assert!(named(&["x86_64-unknown-nowhere"]).is_err());
        Ok(())
    }

    #[test]
    fn the_table_has_each_target_once_and_enough_of_them() {
        let names: BTreeSet<&str> = TARGETS.iter().map(|target| target.name).collect();
        assert_eq!(names.len(), TARGETS.len());
        assert!(names.len() >= 48);
        assert!(TARGETS.iter().filter(|target| target.usual).count() >= 30);
    }
}
