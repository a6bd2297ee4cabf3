//! The tests that come with a published crate: built by cargo, run by us, one
//! binary at a time, so that one that hangs takes no other with it.

use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::lab::{Lab, Over};
use super::tally::Tally;
use super::timed;
use crate::process::command;
use crate::test_binaries::{self, Binary};

/// No binary of these takes a minute on a quiet machine.
const LIMIT: Duration = Duration::from_secs(300);

/// Builds the tests that `arguments` of `cargo test` choose, and runs them.
pub(super) fn run(
    lab: &Lab<'_>,
    over: Over,
    directory: &Path,
    arguments: &[&str],
    of_harness: &[&str],
) -> Result<Tally> {
    let mut build = lab.cargo(directory);
    build.arg("test").args(arguments);
    println!(
        "building in {}: cargo test {}",
        directory.display(),
        arguments.join(" ")
    );
    let mut tally = Tally::default();
    for binary in &test_binaries::build(&mut build)? {
        let found = run_one(lab, over, binary, of_harness)?;
        println!(
            "{}: {} passed, {} failed",
            binary.name,
            found.passed,
            found.failed.len()
        );
        tally.add(found);
    }
    Ok(tally)
}

fn run_one(lab: &Lab<'_>, over: Over, binary: &Binary, arguments: &[&str]) -> Result<Tally> {
    let log = lab.log(over, &binary.name.replace(':', "-"))?;
    let executable = binary.executable.to_string_lossy();
    let mut child = command(&executable, &binary.package);
    child
        .args(arguments)
        .env("CARGO_MANIFEST_DIR", &binary.package)
        // Snapshots are compared, never renewed.
        .env("INSTA_UPDATE", "no");
    let ended = timed::run(&mut child, &log, LIMIT)?;
    let mut tally = count(&binary.name, &ended.text);
    if !ended.is_success() {
        println!(
            "--- {}: {}; its output:",
            binary.name,
            ended.describe(LIMIT)
        );
        println!("{}", ended.text);
        // What dies without naming a test has failed as a whole.
        if tally.failed.is_empty() {
            tally.count(&binary.name, false);
        }
    }
    Ok(tally)
}

/// The harness's own summary: the lines of single tests are torn apart by what
/// children of the tests write.
fn count(binary: &str, text: &str) -> Tally {
    let mut tally = Tally::default();
    let mut in_failures = false;
    for line in text.lines() {
        if let Some(summary) = line.strip_prefix("test result: ") {
            tally.passed += number_before(summary, " passed");
            in_failures = false;
        } else if line == "failures:" {
            in_failures = true;
        } else if in_failures {
            // Before the list of names come the outputs, under the same
            // heading, with no indent of their own.
            if let Some(name) = line.strip_prefix("    ").filter(|name| is_path(name)) {
                tally.count(&format!("{binary}::{name}"), false);
            }
        }
    }
    tally
}

fn number_before(text: &str, word: &str) -> usize {
    let before = text.split_once(word).map_or("", |(before, _)| before);
    let digits = before.rsplit(' ').next().unwrap_or("");
    digits.parse().unwrap_or(0)
}

fn is_path(name: &str) -> bool {
    !name.is_empty()
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || c == '_' || c == ':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_counted() {
        let text = "running 3 tests\ntest a ... ok\ntest b::c ... torn FAILED\n\n\
            failures:\n\n---- b::c stdout ----\n  left: 1\n   0: __rustc::frame\n\n\n\
            failures:\n    b::c\n\n\
            test result: FAILED. 2 passed; 1 failed; 0 ignored; finished in 0.1s\n";
        let tally = count("tcp", text);
        assert_eq!(tally.passed, 2);
        assert_eq!(tally.failed, ["tcp::b::c".to_owned()].into());
    }

    #[test]
    fn what_died_before_its_summary_has_passed_nothing() {
        assert_eq!(
            count("tcp", "running 3 tests\ntest a ... ok\n"),
            Tally::default()
        );
    }
}
