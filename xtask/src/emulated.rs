//! The test suite over a backend of another system, on Linux: its kernel is
//! emulated.
//!
//! What an emulation cannot model stands in its own documentation, beside the
//! backend. Which tests must not run over it, and why, stands here, so that
//! nothing is left out in silence.

mod kqueue;
mod ports;

use anyhow::{bail, Result};

use crate::process::{cargo, run as run_command, run_and_read, rustflags};
use crate::tally::Tally;
use crate::workspace::Workspace;

/// A backend whose kernel is emulated.
struct Emulated {
    /// As the job is called.
    name: &'static str,
    /// What the file is called that has the table.
    table: &'static str,
    /// What makes it the queue of the whole crate.
    flags: &'static str,
    /// Tests, by file and name, that do not hold over the emulation or the backend.
    skipped: &'static [(&'static str, &'static str, Why)],
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

pub(crate) fn kqueue(workspace: &Workspace) -> Result<()> {
    kqueue::BACKEND.run(workspace)
}

pub(crate) fn ports(workspace: &Workspace) -> Result<()> {
    ports::BACKEND.run(workspace)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// A kqueue takes a second registration of a raw descriptor for a change.
    Mistakes,
    /// The mode is epoll's alone.
    Exclusive,
    /// The test expects all of epoll's mask in one event, whatever was asked.
    Masks,
    /// The test expects the text of epoll's event.
    Text,
    /// The test counts or forbids system calls of epoll: the emulation makes others.
    Calls,
    /// The test counts descriptors: the emulation takes more.
    Descriptors,
    /// The test relies on an edge without a `WouldBlock`.
    Edges,
    /// The system does not tell of a half close: reading does.
    HalfClose,
    /// The test shows what a duplicate does to an epoll.
    Copies,
    /// A raw descriptor that was reported rests for a slice of time.
    Slices,
    /// No document says what the real system does.
    Unknown,
}

impl Why {
    const ALL: [Why; 11] = [
        Why::Mistakes,
        Why::Exclusive,
        Why::Masks,
        Why::Text,
        Why::Calls,
        Why::Descriptors,
        Why::Edges,
        Why::HalfClose,
        Why::Copies,
        Why::Slices,
        Why::Unknown,
    ];

    fn text(self) -> &'static str {
        match self {
            Why::Mistakes => "a kqueue takes mistakes with raw descriptors for changes",
            Why::Exclusive => "of a mode that epoll alone has",
            Why::Masks => "expects epoll's whole mask in one event",
            Why::Text => "expects the text of epoll's event",
            Why::Calls => "counts or forbids epoll's system calls",
            Why::Descriptors => "counts descriptors, of which the emulation takes more",
            Why::Edges => "relies on edges that no `WouldBlock` makes",
            Why::HalfClose => "expects that a half close is told before it is read",
            Why::Copies => "shows what a duplicate of a descriptor does to an epoll",
            Why::Slices => "looks again within the slice that a raw descriptor rests",
            Why::Unknown => "no document says what the real system does",
        }
    }
}

impl Emulated {
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
        for (_, name, _) in self.skipped {
            test.args(["--skip", name]);
        }
        let all = Tally::of(&run_and_read(rustflags(&mut test, self.flags))?)?;
        let mut variants = String::new();
        for (name, flags) in self.variants {
            let passed = self.run_variant(workspace, flags)?.passed;
            variants += &format!("; {passed} passed with {name}");
        }
        self.print_skipped();
        if all.filtered != self.skipped.len() {
            bail!(
                "{} tests were left out, and {} are listed in {}: names must match",
                all.filtered,
                self.skipped.len(),
                self.table
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
            let theirs = self.skipped.iter().filter(|(_, _, other)| *other == why);
            for (at, (file, name, _)) in theirs.enumerate() {
                if at == 0 {
                    println!("left out, {}:", why.text());
                }
                println!("  {file}::{name}");
            }
        }
    }
}
