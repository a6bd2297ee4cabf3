//! Child processes: shown before they run, never with a stdin, and an error
//! that names the command when they fail.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use anyhow::{bail, Context, Result};

/// `cargo` by its name and not by `$CARGO`: the name is rustup's proxy, which
/// alone understands `cargo +toolchain`.
pub(crate) fn cargo(directory: &Path) -> Command {
    command("cargo", directory)
}

pub(crate) fn command(program: &str, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).stdin(Stdio::null());
    command
}

/// Adds to the caller's RUSTFLAGS instead of replacing them.
pub(crate) fn rustflags<'a>(command: &'a mut Command, flags: &str) -> &'a mut Command {
    let inherited = env::var("RUSTFLAGS").unwrap_or_default();
    command.env("RUSTFLAGS", format!("{inherited} {flags}").trim())
}

/// Runs the command with our output streams.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    show(command);
    let status = command.status().with_context(|| cannot_start(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", describe(command));
    }
    Ok(())
}

/// Runs the command and returns what it wrote to stdout.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| cannot_start(command))?;
    if !output.status.success() {
        bail!("`{}` failed: {}", describe(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` did not write UTF-8", describe(command)))
}

/// Runs the command, passes its stdout on line by line and returns it too: for
/// a runner whose summary people want to see and we want to read.
pub(crate) fn run_and_read(command: &mut Command) -> Result<String> {
    show(command);
    let mut child = command
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| cannot_start(command))?;
    let mut text = String::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            let line = line.with_context(|| format!("reading from `{}`", describe(command)))?;
            println!("{line}");
            text.push_str(&line);
            text.push('\n');
        }
    }
    let status = child.wait()?;
    if !status.success() {
        let failures: Vec<&str> = text.lines().filter(|line| tells_failure(line)).collect();
        bail!(
            "`{}` failed: {status}\n{}",
            describe(command),
            failures.join("\n")
        );
    }
    Ok(text)
}

/// Whether the line is of a test that did not end well, or did not end.
fn tells_failure(line: &str) -> bool {
    let fine = line.starts_with("test result: ok.")
        || line.ends_with(" ok")
        || line.contains(" ... ignored");
    line.starts_with("test ") && !fine
}

/// Runs the command and returns both of its streams and its status, which is
/// for the caller to judge.
pub(crate) fn output(command: &mut Command) -> Result<Output> {
    show(command);
    command.output().with_context(|| cannot_start(command))
}

/// Whether the command can be started and succeeds; its output is of no
/// interest. For the question "is this tool here?".
pub(crate) fn succeeds(command: &mut Command) -> bool {
    command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

fn show(command: &Command) {
    println!("$ {}", describe(command));
}

fn cannot_start(command: &Command) -> String {
    format!(
        "cannot start `{}`: is it installed and in PATH?",
        describe(command)
    )
}

/// The command as one would type it, with the variables that it sets.
fn describe(command: &Command) -> String {
    let mut words = Vec::new();
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            words.push(format!("{}={value:?}", name.to_string_lossy()));
        }
    }
    words.push(command.get_program().to_string_lossy().into_owned());
    words.extend(command.get_args().map(|arg| match arg.to_string_lossy() {
        arg if arg.contains(' ') => format!("'{arg}'"),
        arg => arg.into_owned(),
    }));
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_that_did_not_end_well_are_told() {
        for fine in [
            "running 3 tests",
            "test a ... ok",
            "test a - should panic ... ok",
            "test a ... ignored, it is slow",
            "test result: ok. 3 passed; 0 failed; 0 ignored",
        ] {
            assert!(!tells_failure(fine), "{fine}");
        }
        for failed in [
            "test a ... FAILED",
            "test a ... ",
            "test result: FAILED. 2 passed; 1 failed; 0 ignored",
        ] {
            assert!(tells_failure(failed), "{failed}");
        }
    }
}
