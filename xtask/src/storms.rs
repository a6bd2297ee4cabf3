//! The storms with all their counts: `cargo test` runs them with fewer.

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use crate::no_more;
use crate::process::{cargo, run as run_command, rustflags};
use crate::workspace::{Workspace, PACKAGE};

/// The test binaries that read `MIO_STORM`.
const STORMS: &[&str] = &["waker_storm", "storms", "eintr"];
/// The storms of poll(2) on its own side of the interface.
const POLL_STORMS: &str = "no_wake_is_lost_among_changes";

const FULL: &str = "full";

const BACKENDS: &[(&str, &str, Option<&str>)] = &[
    ("epoll", "", None),
    (
        "poll",
        "--cfg mio_unsupported_force_poll_poll",
        Some("force-poll"),
    ),
];

#[derive(Debug, Default)]
pub(crate) struct Options {
    backend: Option<String>,
}

impl Options {
    fn from_args(args: &mut Arguments) -> Result<Options> {
        let backend: Option<String> = args.opt_value_from_str("--backend")?;
        if let Some(name) = &backend {
            if !BACKENDS.iter().any(|(known, ..)| known == name) {
                bail!("there is no backend `{name}` here: epoll, poll");
            }
        }
        Ok(Options { backend })
    }
}

/// With the options of the command line.
pub(crate) fn start(workspace: &Workspace, mut args: Arguments) -> Result<()> {
    let options = Options::from_args(&mut args)?;
    no_more(args)?;
    run(workspace, &options)
}

pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<()> {
    for (name, flags, target) in BACKENDS {
        if options.backend.as_ref().is_some_and(|only| only != name) {
            continue;
        }
        let command = || {
            let mut test = cargo(&workspace.root);
            test.args(["test", "--package", PACKAGE, "--all-features", "--release"])
                .env("MIO_STORM", FULL);
            if let Some(target) = target {
                test.arg("--target-dir").arg(workspace.target_of(target));
                rustflags(&mut test, flags);
            }
            test
        };
        let mut storms = command();
        for storm in STORMS {
            storms.args(["--test", storm]);
        }
        // One at a time: each has the machine for itself, and its time is its own.
        storms.args(["--", "--nocapture", "--test-threads=1"]);
        run_command(&mut storms).with_context(|| format!("the storms on {name}"))?;
        if *name == "poll" {
            let mut wakes = command();
            wakes.args(["--lib", POLL_STORMS, "--", "--nocapture"]);
            run_command(&mut wakes).context("the storm of wakes among changes")?;
        }
    }
    Ok(())
}
