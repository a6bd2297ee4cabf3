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
    let tally = Tally::of(&run_and_read(test)?)?;
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
    /// What a run tells that succeeded. A program that ended amid its tests is an
    /// error, whatever it said to the system: emulators swallow crashes.
    pub(crate) fn of(report: &str) -> Result<Tally> {
        let mut tally = Tally::default();
        let (mut announced, mut ignored) = (0, 0);
        for line in report.lines() {
            if let Some(rest) = line.strip_prefix("running ") {
                announced += number(rest.strip_suffix(" test"));
                announced += number(rest.strip_suffix(" tests"));
            }
            let summary = line.strip_prefix("test result: ok. ").unwrap_or_default();
            for part in summary.split("; ") {
                tally.passed += number(part.strip_suffix(" passed"));
                tally.filtered += number(part.strip_suffix(" filtered out"));
                ignored += number(part.strip_suffix(" ignored"));
            }
        }
        ensure!(
            announced == tally.passed + ignored,
            "{announced} tests were to run, and {} passed: a program has crashed",
            tally.passed
        );
        Ok(tally)
    }
}

fn number(text: Option<&str>) -> usize {
    text.and_then(|text| text.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let report = "running 3 tests\n\
             test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
             running 1 test\n\
             test result: ok. 0 passed; 0 failed; 1 ignored; 0 measured; 1 filtered out; finished in 2.00s\n";
        let sum = Tally {
            passed: 3,
            filtered: 3,
        };
        assert_eq!(Tally::of(report).unwrap(), sum);
        assert_eq!(Tally::of("").unwrap(), Tally::default());
    }

    #[test]
    fn a_program_that_ended_amid_its_tests_is_an_error() {
        let report = "running 2 tests\ntest a ... ok\n";
        assert!(Tally::of(report).is_err());
    }
}
