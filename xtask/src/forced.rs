//! The whole test suite over what this machine would not choose: the queue of
//! poll(2), and wakers made of pipes.

use anyhow::{Context, Result};

use crate::process::{cargo, run as run_command, rustflags};
use crate::workspace::{Workspace, PACKAGE};

/// A switch of the library, and the name of the target directory that it gets:
/// flags change every object, and would rebuild all of the usual one.
const FORCED: &[(&str, &str)] = &[
    ("mio_unsupported_force_poll_poll", "force-poll"),
    ("mio_unsupported_force_waker_pipe", "force-pipe"),
];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for (switch, target) in FORCED {
        let mut test = cargo(&workspace.root);
        test.args(["test", "--package", PACKAGE, "--all-features"])
            .arg("--target-dir")
            .arg(workspace.target_of(target));
        run_command(rustflags(&mut test, &format!("--cfg {switch}")))
            .with_context(|| format!("the test suite with `--cfg {switch}`"))?;
    }
    Ok(())
}
