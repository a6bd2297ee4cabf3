//! The model test in its long form: more steps, and each backend that this machine runs.

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use crate::no_more;
use crate::process::{cargo, run as run_command, rustflags};
use crate::workspace::{Workspace, PACKAGE};

/// A backend, the flags that choose it, and the target directory that other
/// jobs keep for these flags.
const BACKENDS: &[(&str, &str, Option<&str>)] = &[
    ("epoll", "", None),
    (
        "poll",
        "--cfg mio_unsupported_force_poll_poll",
        Some("force-poll"),
    ),
    ("kqueue", "--cfg mio_kqueue_emulation", Some("kqueue")),
    ("ports", "--cfg mio_ports_emulation", Some("ports")),
];

const STEPS: u64 = 1_000_000;
/// From so many steps on an optimised build is worth its time.
const MANY: u64 = 5_000_000;

#[derive(Debug)]
pub(crate) struct Options {
    steps: u64,
    seed: Option<u64>,
    backend: Option<String>,
}

impl Options {
    fn from_args(args: &mut Arguments) -> Result<Options> {
        let backend: Option<String> = args.opt_value_from_str("--backend")?;
        if let Some(name) = &backend {
            if !BACKENDS.iter().any(|(known, ..)| known == name) {
                bail!("there is no backend `{name}` here: epoll, poll, kqueue, ports");
            }
        }
        Ok(Options {
            steps: args.opt_value_from_str("--steps")?.unwrap_or(STEPS),
            seed: args.opt_value_from_str("--seed")?,
            backend,
        })
    }
}

impl Options {
    pub(crate) fn of(steps: u64) -> Options {
        Options {
            steps,
            ..Options::default()
        }
    }
}

impl Default for Options {
    fn default() -> Options {
        Options {
            steps: STEPS,
            seed: None,
            backend: None,
        }
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
        let mut test = cargo(&workspace.root);
        test.args(["test", "--package", PACKAGE, "--all-features"])
            .args(["--test", "model"])
            .env("MIO_MODEL_STEPS", options.steps.to_string());
        if options.steps >= MANY {
            test.arg("--release");
        }
        if let Some(seed) = options.seed {
            test.env("MIO_MODEL_SEED", seed.to_string());
        }
        if let Some(target) = target {
            test.arg("--target-dir").arg(workspace.target_of(target));
            rustflags(&mut test, flags);
        }
        test.args(["--", "--nocapture"]);
        run_command(&mut test).with_context(|| format!("the model test on {name}"))?;
    }
    Ok(())
}

/// As a step of the CI run: where it is not enough to run what the suite has.
pub(crate) fn ci(workspace: &Workspace) -> Result<()> {
    for backend in ["epoll", "poll"] {
        let options = Options {
            backend: Some(backend.to_owned()),
            ..Options::default()
        };
        run(workspace, &options)?;
    }
    Ok(())
}
