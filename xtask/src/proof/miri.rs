//! Miri: the tests interpreted, with every access of memory judged.
//!
//! It emulates epoll, eventfd, pipes, pairs of sockets and TCP. What it does not
//! know ends the whole run, and so stands in the table of exceptions.

use anyhow::{bail, Result};

use super::exceptions::{LeftOut, Tool};
use super::native::{names_of, Count};
use super::NIGHTLY;
use crate::process::{cargo, run_and_read};
use crate::setup;
use crate::tally::Tally;
use crate::test_binaries;
use crate::workspace::{Workspace, PACKAGE};

/// Pointers that were integers have no provenance; clock, files and sockets are
/// the machine's.
const FLAGS: &str = "-Zmiri-strict-provenance -Zmiri-disable-isolation";

/// Runs the library's own tests, and with `all` those of `tests/` too.
pub(crate) fn run(workspace: &Workspace, all: bool) -> Result<()> {
    setup::toolchain(workspace, NIGHTLY)?;
    setup::nightly_component(workspace, "miri")?;
    setup::nightly_component(workspace, "rust-src")?;
    let mut build = cargo(&workspace.root);
    build.args(["test", "--package", PACKAGE, "--all-features", "--lib"]);
    if all {
        build.arg("--tests");
    }
    let mut count = Count::default();
    let mut failed = Vec::new();
    // Built natively for their names alone.
    for binary in test_binaries::build(&mut build)? {
        let names = names_of(&binary)?;
        let left_out = LeftOut::of(Tool::Miri, &binary.name);
        if let Some(why) = left_out.whole() {
            println!("left out: {} ({}): {why}", binary.name, names.len());
            count.left_out += names.len();
            continue;
        }
        count.left_out += left_out.tell(&names)?;
        let mut test = cargo(&workspace.root);
        test.args([&format!("+{NIGHTLY}"), "miri", "test"]);
        test.args(["--package", PACKAGE, "--all-features"]);
        match binary.is_library() {
            true => test.arg("--lib"),
            false => test.args(["--test", &binary.name]),
        };
        test.arg("--target-dir").arg(workspace.target_of("miri"));
        test.env("MIRIFLAGS", FLAGS);
        test.arg("--").args(left_out.arguments());
        match run_and_read(&mut test) {
            Ok(report) => count.passed += Tally::of(&report)?.passed,
            Err(error) => {
                eprintln!("{}: {error:#}", binary.name);
                failed.push(binary.name);
            }
        }
    }
    if !failed.is_empty() {
        bail!("Miri does not pass: {}", failed.join(", "));
    }
    println!(
        "miri: {} tests passed, {} left out by name",
        count.passed, count.left_out
    );
    Ok(())
}
