//! The benches, which are a program of their own: see `bench/README.md`.

use std::ffi::OsString;
use std::io;

use anyhow::Result;

use crate::process::{cargo, run};
use crate::workspace::Workspace;

/// Everything behind `bench` but `--inline-syscalls` is for that program to understand.
pub(crate) fn start(workspace: &Workspace, args: Vec<OsString>) -> Result<()> {
    // A reader who is at a terminal gets the progress bar: it needs nothing
    // but our stderr, which a child has anyway.
    io::Write::flush(&mut io::stdout())?;
    let mut bench = cargo(&workspace.root);
    bench.args(["run", "--release", "--quiet", "--package", "bench"]);
    // How it is built cannot be told to the program itself.
    let (features, args): (Vec<_>, Vec<_>) =
        args.into_iter().partition(|arg| arg == "--inline-syscalls");
    if !features.is_empty() {
        bench.args(["--features", "inline-syscalls"]);
    }
    run(bench.arg("--").args(args))
}
