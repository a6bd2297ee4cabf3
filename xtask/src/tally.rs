//! Runs of tests of which some are left out by name, and the summaries of
//! libtest, added up.

use std::process::Command;

use anyhow::{ensure, Result};

use crate::process::run_and_read;

/// A test that is left out: its file, its name, and the reason.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LeftOut {
    pub(crate) file: &'static str,
    pub(crate) name: &'static str,
    pub(crate) why: &'static str,
}

/// Runs the tests but for some, and says which these are.
///
/// `table` is the file that lists them: a name there that no test bears any more
/// would hide nothing today, and another test tomorrow.
pub(crate) fn run_without(test: &mut Command, left_out: &[LeftOut], table: &str) -> Result<Tally> {
    test.args(["--", "--exact"]);
    for test_of in left_out {
        test.args(["--skip", test_of.name]);
    }
    let tally = Tally::of(&run_and_read(test)?);
    for LeftOut { file, name, why } in left_out {
        println!("left out: {file}::{name}: {why}");
    }
    ensure!(
        tally.filtered == left_out.len(),
        "{} tests were left out, and {} are listed in {table}: names must match",
        tally.filtered,
        left_out.len()
    );
    Ok(tally)
}

/// The sums over the summary lines of a run.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    pub(crate) filtered: usize,
}

impl Tally {
    pub(crate) fn of(report: &str) -> Tally {
        let mut tally = Tally::default();
        let summaries = report
            .lines()
            .filter_map(|line| line.strip_prefix("test result: ok. "));
        for part in summaries.flat_map(|summary| summary.split("; ")) {
            match part.split_once(' ') {
                Some((count, "passed")) => tally.passed += count.parse().unwrap_or(0),
                Some((count, "filtered out")) => tally.filtered += count.parse().unwrap_or(0),
                _ => {}
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let report = "test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
             test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 2.00s\n";
        let sum = Tally {
            passed: 7,
            filtered: 3,
        };
        assert_eq!(Tally::of(report), sum);
        assert_eq!(Tally::of(""), Tally::default());
    }
}
