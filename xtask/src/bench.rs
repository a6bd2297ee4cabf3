//! The benches, which are a program of their own: see `bench/README.md`.

use std::ffi::OsString;
use std::io;

use anyhow::Result;

use crate::process::{cargo, run};
use crate::workspace::Workspace;

/// Everything behind `bench` is for that program to understand.
pub(crate) fn start(workspace: &Workspace, args: Vec<OsString>) -> Result<()> {
    // A reader who is at a terminal gets the progress bar: it needs nothing
    // but our stderr, which a child has anyway.
    io::Write::flush(&mut io::stdout())?;
    run(cargo(&workspace.root)
        .args(["run", "--release", "--quiet", "--package", "bench", "--"])
        .args(args))
}
