//! The loom tests: every interleaving of the waker's state machine.

use anyhow::{bail, Result};

use crate::process::{cargo, run_and_read, rustflags};
use crate::workspace::{Workspace, PACKAGE};

/// Their names hold this word, by which they are picked out: under loom's
/// atomics no other test of the crate can run.
const FILTER: &str = "loom";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let mut test = cargo(&workspace.root);
    test.args(["test", "--package", PACKAGE])
        .args(["--lib", "--release", "--all-features"])
        .arg("--target-dir")
        .arg(workspace.target_of("loom"))
        .arg(FILTER);
    let report = run_and_read(rustflags(&mut test, "--cfg loom"))?;
    match passed(&report) {
        0 => bail!(
            "no loom test ran: their names must hold `{FILTER}`, and they must be compiled \
             under `--cfg loom`"
        ),
        count => println!("loom: {count} tests passed"),
    }
    Ok(())
}

/// The sum over the summary lines of libtest.
fn passed(report: &str) -> usize {
    report
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|rest| rest.split_once(" passed")?.0.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_read_from_the_summary() {
        let report = "running 3 tests\n\
                      test notify::loom::a ... ok\n\
                      test result: ok. 3 passed; 0 failed; 0 ignored\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored\n";
        assert_eq!(passed(report), 5);
        assert_eq!(passed("test result: ok. 0 passed; 0 failed"), 0);
        assert_eq!(passed(""), 0);
    }
}
