//! The test suite over a backend of another system, on Linux: its kernel is
//! emulated.
//!
//! What an emulation cannot model stands in its own documentation, beside the
//! backend. Which tests must not run over it, and why, stands in `skipped`, so that
//! nothing is left out in silence.

mod skipped;

use anyhow::{bail, Result};

use crate::process::{cargo, run as run_command, run_and_read, rustflags};
use crate::tally::Tally;
use crate::workspace::Workspace;
use skipped::{Over, Skipped, Why, SKIPPED};

/// A backend whose kernel is emulated.
struct Emulated {
    /// As the job is called.
    name: &'static str,
    /// What makes it the queue of the whole crate.
    flags: &'static str,
    /// What it is called in the table of what is left out.
    over: Over,
    /// Further runs of tests that wake: what they are called, and their flags.
    variants: &'static [(&'static str, &'static str)],
}

/// What runs in a variant.
const WAKER_TESTS: &[&str] = &[
    "nested",
    "waker",
    "waker_fairness",
    "waker_signal",
    "waker_storm",
];

/// Its emulation is `src/sys/unix/kqueue/emulation.rs`.
const KQUEUE: Emulated = Emulated {
    name: "kqueue",
    flags: "--cfg mio_kqueue_emulation",
    over: Over::Kqueue,
    variants: &[(
        "a pipe as the waker",
        "--cfg mio_unsupported_force_waker_pipe",
    )],
};

/// Their emulation is `src/sys/unix/event_port/kernel/emulation.rs`.
const PORTS: Emulated = Emulated {
    name: "ports",
    flags: "--cfg mio_ports_emulation",
    over: Over::Ports,
    variants: &[],
};

pub(crate) fn kqueue(workspace: &Workspace) -> Result<()> {
    KQUEUE.run(workspace)
}

pub(crate) fn ports(workspace: &Workspace) -> Result<()> {
    PORTS.run(workspace)
}

impl Emulated {
    fn skipped(&self) -> impl Iterator<Item = &'static Skipped> {
        let over = [self.over, Over::Both];
        SKIPPED.iter().filter(move |row| over.contains(&row.over))
    }

    fn run(&self, workspace: &Workspace) -> Result<()> {
        // The tests of the examples look for them beside their own program.
        let target = workspace.target_of(self.name);
        let mut examples = cargo(&workspace.root);
        examples.args(["build", "--all-features", "--examples"]);
        examples.arg("--target-dir").arg(&target);
        run_command(rustflags(&mut examples, self.flags))?;

        let mut test = cargo(&workspace.root);
        test.args([
            "test",
            "--all-features",
            "--no-fail-fast",
            "--lib",
            "--tests",
        ]);
        test.arg("--target-dir").arg(&target);
        test.args(["--", "--exact"]);
        for row in self.skipped() {
            test.args(["--skip", row.name]);
        }
        let all = Tally::of(&run_and_read(rustflags(&mut test, self.flags))?)?;
        let mut variants = String::new();
        for (name, flags) in self.variants {
            let passed = self.run_variant(workspace, flags)?.passed;
            variants += &format!("; {passed} passed with {name}");
        }
        self.print_skipped();
        let listed = self.skipped().count();
        if all.filtered != listed {
            bail!(
                "{} tests were left out, and {listed} are listed: names must match",
                all.filtered
            );
        }
        println!(
            "{}: {} tests passed, {} left out{variants}",
            self.name, all.passed, all.filtered
        );
        Ok(())
    }

    fn run_variant(&self, workspace: &Workspace, flags: &str) -> Result<Tally> {
        let mut test = cargo(&workspace.root);
        test.args(["test", "--all-features", "--lib"]);
        for name in WAKER_TESTS {
            test.args(["--test", name]);
        }
        let target = format!("{}-pipe", self.name);
        test.arg("--target-dir").arg(workspace.target_of(&target));
        let flags = format!("{} {flags}", self.flags);
        Tally::of(&run_and_read(rustflags(&mut test, &flags))?)
    }

    fn print_skipped(&self) {
        for why in Why::ALL {
            let theirs = self.skipped().filter(|row| row.why == why);
            for (at, Skipped { file, name, .. }) in theirs.enumerate() {
                if at == 0 {
                    println!("left out, {}:", why.text());
                }
                println!("  {file}::{name}");
            }
        }
    }
}
