//! AddressSanitizer with its search for leaks, and ThreadSanitizer, over all
//! test binaries.
//!
//! ThreadSanitizer gets a standard library that is instrumented too. With the
//! one that comes with the compiler it sees neither the locks of std nor the
//! fence of an `Arc`, and takes each use of a mutex for a race.

use std::process::Command;

use anyhow::{bail, Result};

use super::exceptions::Tool;
use super::native;
use super::NIGHTLY;
use crate::process::{cargo, command, run as run_command, rustflags};
use crate::setup;
use crate::test_binaries;
use crate::workspace::{Workspace, PACKAGE};

/// The sanitizers' libraries come with the compiler for this target.
const TARGET: &str = "x86_64-unknown-linux-gnu";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sanitizer {
    Address,
    Thread,
}

impl Sanitizer {
    pub(crate) fn from_name(name: &str) -> Result<Sanitizer> {
        match name {
            "address" => Ok(Sanitizer::Address),
            "thread" => Ok(Sanitizer::Thread),
            other => bail!("there is no sanitizer `{other}`: there are address and thread"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Sanitizer::Address => "address",
            Sanitizer::Thread => "thread",
        }
    }

    fn tool(self) -> Tool {
        match self {
            Sanitizer::Address => Tool::Address,
            Sanitizer::Thread => Tool::Thread,
        }
    }
}

/// Runs the library's own tests, and with `all` those of `tests/` too.
pub(crate) fn run(workspace: &Workspace, sanitizer: Sanitizer, all: bool) -> Result<()> {
    setup::toolchain(workspace, NIGHTLY)?;
    if sanitizer == Sanitizer::Thread {
        setup::nightly_component(workspace, "rust-src")?;
    }
    let build = |subcommand: &str| {
        let mut build = cargo(&workspace.root);
        build.args([&format!("+{NIGHTLY}"), subcommand, "--package", PACKAGE]);
        build.args(["--all-features", "--target", TARGET]);
        build
            .arg("--target-dir")
            .arg(workspace.target_of(sanitizer.name()));
        // Reports are to name lines; more than those is not read.
        build.env("CARGO_PROFILE_DEV_DEBUG", "1");
        if sanitizer == Sanitizer::Thread {
            build.arg("-Zbuild-std");
        }
        let flags = format!("-Zsanitizer={}", sanitizer.name());
        rustflags(&mut build, &flags);
        build
    };
    let mut test = build("test");
    test.arg("--lib");
    if all {
        test.arg("--tests");
        // The tests of the examples look for them beside their own program.
        run_command(build("build").arg("--examples"))?;
    }
    let binaries = test_binaries::build(&mut test)?;
    native::run(sanitizer.tool(), &binaries, |binary| -> Command {
        command(&binary.executable.to_string_lossy(), &binary.package)
    })?;
    println!("no report of the {} sanitizer", sanitizer.name());
    Ok(())
}
