//! Test binaries that are run one by one under a tool that changed them, or
//! that executes them.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{bail, Result};

use super::exceptions::{LeftOut, Tool};
use crate::process::{command, read, run_and_read};
use crate::tally::Tally;
use crate::test_binaries::Binary;

/// How many tests passed, and how many were left out.
#[derive(Debug, Default)]
pub(super) struct Count {
    pub(super) passed: usize,
    pub(super) left_out: usize,
}

/// Runs all binaries, whatever the first ones say. `wrap` makes the command out
/// of the path of one, to which the arguments for the harness are added.
pub(super) fn run(
    tool: Tool,
    binaries: &[Binary],
    mut wrap: impl FnMut(&Binary) -> Command,
) -> Result<()> {
    let mut count = Count::default();
    let mut failed = Vec::new();
    for binary in binaries {
        let names = names_of(binary)?;
        let left_out = LeftOut::of(tool, &binary.name);
        if let Some(why) = left_out.whole() {
            println!("left out: {} ({}): {why}", binary.name, names.len());
            count.left_out += names.len();
            continue;
        }
        count.left_out += left_out.tell(&names)?;
        match run_and_read(wrap(binary).args(left_out.arguments())) {
            Ok(report) => count.passed += Tally::of(&report)?.passed,
            Err(error) => {
                eprintln!("{}: {error:#}", binary.name);
                failed.push(binary.name.as_str());
            }
        }
    }
    if !failed.is_empty() {
        bail!("these are not clean: {}", failed.join(", "));
    }
    println!(
        "{} tests passed, {} left out by name",
        count.passed, count.left_out
    );
    Ok(())
}

pub(super) fn names_of(binary: &Binary) -> Result<BTreeSet<String>> {
    let executable = binary.executable.to_string_lossy();
    let listing = read(command(&executable, &binary.package).arg("--list"))?;
    Ok(names_in(&listing))
}

fn names_in(listing: &str) -> BTreeSet<String> {
    let names = listing
        .lines()
        .filter_map(|line| line.strip_suffix(": test"));
    names.map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_has_names() {
        let listing = "tcp::a: test\nb: test\n\n2 tests, 0 benchmarks\n";
        let names: Vec<String> = names_in(listing).into_iter().collect();
        assert_eq!(names, ["b", "tcp::a"]);
    }
}
