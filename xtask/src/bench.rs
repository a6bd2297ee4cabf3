//! The benches, which are a program of their own: see `bench/README.md`.

use std::ffi::OsString;
use std::io;

use anyhow::Result;

use crate::process::{cargo, run, rustflags};
use crate::wine;
use crate::workspace::Workspace;

/// Everything behind `bench` is for that program to understand, but for what
/// says how it is built.
pub(crate) fn start(workspace: &Workspace, mut args: Vec<OsString>) -> Result<()> {
    // A reader who is at a terminal gets the progress bar: it needs nothing
    // but our stderr, which a child has anyway.
    io::Write::flush(&mut io::stdout())?;
    if take(&mut args, "--wine") {
        return wine::run_program(workspace, "bench", &args);
    }
    let mut bench = cargo(&workspace.root);
    bench.args(["run", "--release", "--quiet", "--package", "bench"]);
    if take(&mut args, "--inline-syscalls") {
        bench.args(["--features", "inline-syscalls"]);
    }
    if take(&mut args, "--poll") {
        bench
            .arg("--target-dir")
            .arg(workspace.target_of("bench-poll"));
        rustflags(&mut bench, "--cfg mio_unsupported_force_poll_poll");
    }
    run(bench.arg("--").args(args))
}

fn take(args: &mut Vec<OsString>, option: &str) -> bool {
    let before = args.len();
    args.retain(|arg| arg != option);
    args.len() < before
}
