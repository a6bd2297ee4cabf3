//! Tokio's published tests: the library's own, and those of all that stands on
//! the queue.

use std::path::PathBuf;

use anyhow::Result;

use super::lab::{Lab, Over};
use super::published;
use super::tally::Tally;

const NAME: &str = "tokio";
const VERSION: &str = "1.54.1";

/// Files of tests, as patterns.
const TESTS: &[&str] = &[
    "buffered",
    "coop_budget",
    "io_async_fd*",
    "io_copy_bidirectional",
    "io_driver*",
    "io_panic",
    "net_*",
    "no_rt",
    "process_*",
    "rt_*",
    "signal_*",
    "tcp_*",
    "time_*",
    "udp*",
    "uds_*",
    "unix_*",
];

pub(super) fn versions() -> String {
    format!("{NAME} {VERSION}: lib {}", TESTS.join(" "))
}

pub(super) fn run(lab: &Lab<'_>, over: Over) -> Result<Tally> {
    let package = prepare(lab, over)?;
    let mut arguments = vec!["--features", "full,test-util", "--lib"];
    for test in TESTS {
        arguments.extend(["--test", test]);
    }
    published::run(lab, over, &package, &arguments, &[])
}

fn prepare(lab: &Lab<'_>, over: Over) -> Result<PathBuf> {
    let directory = lab.directory(over, NAME)?;
    // The crates that help its tests depend on it too, and shall get this copy.
    let patches = lab.patches(over, &format!("{NAME} = {{ path = \".\" }}\n"));
    let tail = format!("\n[workspace]\n{patches}");
    let package = lab.unpack(&directory, NAME, VERSION, &tail)?;
    lab.pin(&package, NAME, VERSION, false)?;
    lab.choose(over, &package)?;
    Ok(package)
}
