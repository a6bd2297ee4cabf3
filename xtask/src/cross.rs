//! The test suite on what this machine is not: another C library, 32 bits,
//! another order of bytes.
//!
//! Programs of the same family of processors run as they are, those of others in
//! qemu's emulation of user space, whose kernel is this machine's.

use std::process::Command;

use anyhow::{bail, ensure, Context, Result};

use crate::process::{cargo, run as run_command};
use crate::setup;
use crate::tally::{self, LeftOut, Tally};
use crate::workspace::{Workspace, PACKAGE};

#[derive(Debug)]
struct Machine {
    target: &'static str,
    /// Whether the CI run has time for it.
    usual: bool,
    /// The compiler that links for it, none for the usual one.
    linker: Option<&'static str>,
    /// The program that runs its programs, with options.
    emulator: Option<&'static str>,
    flags: &'static str,
    /// Where Debian has linker, emulator and C library.
    packages: &'static [&'static str],
}

const MACHINES: &[Machine] = &[
    // Rustup's library brings musl along, and links statically.
    Machine {
        target: "x86_64-unknown-linux-musl",
        usual: true,
        linker: None,
        emulator: None,
        flags: "",
        packages: &[],
    },
    Machine {
        target: "s390x-unknown-linux-gnu",
        usual: true,
        linker: Some("s390x-linux-gnu-gcc"),
        emulator: Some("qemu-s390x-static -L /usr/s390x-linux-gnu"),
        flags: "",
        packages: &[
            "gcc-s390x-linux-gnu",
            "libc6-dev-s390x-cross",
            "qemu-user-static",
        ],
    },
    Machine {
        target: "aarch64-unknown-linux-gnu",
        usual: false,
        linker: Some("aarch64-linux-gnu-gcc"),
        emulator: Some("qemu-aarch64-static -L /usr/aarch64-linux-gnu"),
        flags: "",
        packages: &[
            "gcc-aarch64-linux-gnu",
            "libc6-dev-arm64-cross",
            "qemu-user-static",
        ],
    },
    Machine {
        target: "armv7-unknown-linux-gnueabihf",
        usual: false,
        linker: Some("arm-linux-gnueabihf-gcc"),
        emulator: Some("qemu-arm-static -L /usr/arm-linux-gnueabihf"),
        flags: "",
        packages: &[
            "gcc-arm-linux-gnueabihf",
            "libc6-dev-armhf-cross",
            "qemu-user-static",
        ],
    },
    // The processor runs it, with the loader and the C library for compilers.
    Machine {
        target: "i686-unknown-linux-gnu",
        usual: false,
        linker: Some("i686-linux-gnu-gcc"),
        emulator: None,
        flags: "-Clink-arg=-Wl,--dynamic-linker=/usr/i686-linux-gnu/lib/ld-linux.so.2 \
                -Clink-arg=-Wl,-rpath,/usr/i686-linux-gnu/lib",
        packages: &["gcc-i686-linux-gnu", "libc6-dev-i386-cross"],
    },
];

/// Tests, by file and name, that do not hold on some of the machines.
const SKIPPED: &[(&str, &str, Why)] = &[
    (
        "examples",
        "descriptors::udp_segments_all_arrive",
        Why::Segments,
    ),
    ("eintr", "an_interrupted_connect_goes_on", Why::Strace),
    ("faults", "every_call_fails_in_turn", Why::Seccomp),
    // They need strace, and stand in a file that needs filters.
    (
        "faults",
        "nth::a_wake_that_is_interrupted_is_made_again",
        Why::Seccomp,
    ),
    (
        "faults",
        "nth::a_wake_without_room_makes_some",
        Why::Seccomp,
    ),
    (
        "fd_leaks",
        "each_later_call_of_a_constructor_fails",
        Why::Seccomp,
    ),
    (
        "regressions",
        "interrupted_connect_is_under_way",
        Why::Seccomp,
    ),
    ("seccomp", "a_filter_for_mio_lets_all_pass", Why::Seccomp),
    ("seccomp", "a_forbidden_pwait2_is_replaced", Why::Seccomp),
    ("seccomp", "an_unknown_pwait2_is_replaced", Why::Seccomp),
    (
        "seccomp",
        "whole_milliseconds_never_try_pwait2",
        Why::Seccomp,
    ),
    ("syscalls", "datagrams_and_unix", Why::Strace),
    ("syscalls", "queue_and_registration", Why::Strace),
    ("syscalls", "tcp", Why::Strace),
    ("syscalls_waker", "wakers", Why::Strace),
    (
        "timeouts_kernel",
        "a_long_timeout_waits_and_can_be_woken",
        Why::Strace,
    ),
    (
        "timeouts_kernel",
        "the_kernel_is_told_the_exact_timeout",
        Why::Strace,
    ),
    (
        "timeouts_kernel",
        "the_kernels_longest_wait_is_followed_by_another",
        Why::Strace,
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
    /// Strace starts programs of this machine only, and would see the calls of
    /// the emulator.
    Strace,
    /// Qemu knows no filters of system calls, and refuses them.
    Seccomp,
    /// Qemu drops the ancillary messages that tell where to cut.
    Segments,
}

impl Why {
    fn holds_on(self, machine: &Machine) -> bool {
        match self {
            Why::Strace | Why::Segments => machine.emulator.is_some(),
            // For other processors these tests are not compiled: the crate that
            // makes the filters does not know them.
            Why::Seccomp => machine.emulator.is_some() && machine.target.starts_with("aarch64"),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Why::Strace => "strace sees the system calls of the emulator, and not the program's",
            Why::Seccomp => "qemu refuses filters of system calls",
            Why::Segments => "qemu drops the messages that cut a buffer into datagrams",
        }
    }
}

/// What the CI run needs of it.
pub(crate) fn install(workspace: &Workspace) -> Result<()> {
    let mut usual = MACHINES.iter().filter(|machine| machine.usual);
    usual.try_for_each(|machine| prepare(workspace, machine))
}

/// On the machines that the CI run has time for.
pub(crate) fn usual(workspace: &Workspace) -> Result<()> {
    run_on(workspace, MACHINES.iter().filter(|machine| machine.usual))
}

/// On the named machines, or on all.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<()> {
    let known = |name: &String| MACHINES.iter().any(|machine| machine.target == name);
    if let Some(unknown) = names.iter().find(|name| !known(name)) {
        let targets: Vec<&str> = MACHINES.iter().map(|machine| machine.target).collect();
        bail!("{unknown} is none of {}", targets.join(", "));
    }
    let is_chosen =
        |machine: &&Machine| names.is_empty() || names.iter().any(|name| name == machine.target);
    run_on(workspace, MACHINES.iter().filter(is_chosen))
}

fn run_on<'a>(workspace: &Workspace, machines: impl Iterator<Item = &'a Machine>) -> Result<()> {
    let mut lines = Vec::new();
    for machine in machines {
        prepare(workspace, machine)?;
        let tally = test(workspace, machine)
            .with_context(|| format!("the test suite for {}", machine.target))?;
        lines.push(format!(
            "{:<32} {} passed, {} left out",
            machine.target, tally.passed, tally.filtered
        ));
    }
    println!("\n{}", lines.join("\n"));
    Ok(())
}

fn prepare(workspace: &Workspace, machine: &Machine) -> Result<()> {
    let installed = setup::targets(workspace, &[machine.target])?;
    ensure!(
        installed.contains(machine.target),
        "rustup must have the standard library of {}",
        machine.target
    );
    let emulator = machine.emulator.and_then(|line| line.split(' ').next());
    let programs: Vec<&str> = machine.linker.into_iter().chain(emulator).collect();
    setup::debian_packages(workspace, &programs, machine.packages)
}

fn test(workspace: &Workspace, machine: &Machine) -> Result<Tally> {
    // The tests of the examples look for them beside their own program.
    let mut examples = on(workspace, machine, "build");
    run_command(examples.arg("--examples"))?;

    let left_out: Vec<LeftOut> = SKIPPED
        .iter()
        .filter(|(_, _, why)| why.holds_on(machine))
        .map(|(file, name, why)| LeftOut {
            file,
            name,
            why: why.text(),
        })
        .collect();
    let mut test = on(workspace, machine, "test");
    test.args(["--no-fail-fast", "--lib", "--tests"]);
    tally::run_without(&mut test, &left_out, "xtask/src/cross.rs")
}

/// A cargo command for all features of the crate on that machine.
fn on(workspace: &Workspace, machine: &Machine, subcommand: &str) -> Command {
    let variable = |name: &str| {
        let target = machine.target.to_uppercase().replace('-', "_");
        format!("CARGO_TARGET_{target}_{name}")
    };
    let mut command = cargo(&workspace.root);
    command
        .args([subcommand, "--package", PACKAGE, "--all-features"])
        .args(["--target", machine.target, "--target-dir"])
        .arg(workspace.target_of("cross"))
        // These would go before the flags of a target.
        .env_remove("RUSTFLAGS")
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env("CARGO_INCREMENTAL", "0")
        .env("CARGO_PROFILE_DEV_DEBUG", "0");
    if let Some(linker) = machine.linker {
        command.env(variable("LINKER"), linker);
    }
    if let Some(emulator) = machine.emulator {
        command.env(variable("RUNNER"), emulator);
        // For the programs that the tests start: tests/support/program.rs.
        command.env("MIO_TEST_EMULATOR", emulator);
    }
    if !machine.flags.is_empty() {
        command.env(variable("RUSTFLAGS"), machine.flags);
    }
    command
}
