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

/// A switch that changes which system calls are made, and no more than that: the
/// tests that tell.
const WITHOUT_PWAIT2: &str = "mio_no_epoll_pwait2";
const TESTS_OF_CALLS: &[&str] = &["faults", "seccomp", "timeout"];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for (switch, target) in FORCED {
        let mut test = cargo(&workspace.root);
        test.args(["test", "--package", PACKAGE, "--all-features"])
            .arg("--target-dir")
            .arg(workspace.target_of(target));
        run_command(rustflags(&mut test, &format!("--cfg {switch}")))
            .with_context(|| format!("the test suite with `--cfg {switch}`"))?;
    }
    let mut test = cargo(&workspace.root);
    test.args(["test", "--package", PACKAGE, "--all-features"])
        .arg("--target-dir")
        .arg(workspace.target_of("no-pwait2"));
    for name in TESTS_OF_CALLS {
        test.args(["--test", name]);
    }
    run_command(rustflags(&mut test, &format!("--cfg {WITHOUT_PWAIT2}")))
        .with_context(|| format!("the tests of system calls with `--cfg {WITHOUT_PWAIT2}`"))
}
