//! The loom tests: every interleaving of wakers, and of who changes a backend's
//! table while another thread polls.

use anyhow::{bail, Result};

use crate::process::{cargo, run_and_read, rustflags};
use crate::tally::Tally;
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
    match Tally::of(&report)?.passed {
        0 => bail!(
            "no loom test ran: their names must hold `{FILTER}`, and they must be compiled \
             under `--cfg loom`"
        ),
        count => println!("loom: {count} tests passed"),
    }
    Ok(())
}
