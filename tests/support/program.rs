//! Programs of the tests' own target, which the machine may need help to start.

#![allow(dead_code)] // Each program uses its part.

use std::env;
use std::path::Path;
use std::process::Command;

/// An emulator and its options, set by whoever runs the tests of another processor.
///
/// The kernel knows nothing of it: what a test starts by itself needs it again.
const EMULATOR: &str = "MIO_TEST_EMULATOR";

/// A command for a program that was compiled for the same target as this one.
pub(crate) fn command(path: &Path) -> Command {
    let emulator = emulator();
    let mut words = emulator.split_whitespace();
    let Some(program) = words.next() else {
        return Command::new(path);
    };
    let mut command = Command::new(program);
    command.args(words).arg(path);
    command
}

/// Whether this program runs in an emulator, so that the kernel is another processor's.
pub(crate) fn is_emulated() -> bool {
    !emulator().is_empty()
}

fn emulator() -> String {
    env::var(EMULATOR).unwrap_or_default()
}
