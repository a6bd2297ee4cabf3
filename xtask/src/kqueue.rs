//! The test suite over the kqueue backend, on Linux: its kernel is emulated.
//!
//! What the emulation cannot model stands in its own documentation,
//! `src/sys/unix/kqueue/emulation.rs`. Which tests must not run, and why, stands
//! here, so that nothing is left out in silence.

use anyhow::{bail, Result};

use crate::process::{cargo, run as run_command, run_and_read, rustflags};
use crate::tally::Tally;
use crate::workspace::Workspace;

const EMULATION: &str = "--cfg mio_kqueue_emulation";
const WAKER_PIPE: &str = "--cfg mio_unsupported_force_waker_pipe";

/// What runs a second time, with the fallback of the waker.
const WAKER_TESTS: &[&str] = &[
    "nested",
    "waker",
    "waker_fairness",
    "waker_signal",
    "waker_storm",
];

/// Tests, by file and name, that do not hold over the emulation or over kqueue.
const SKIPPED: &[(&str, &str, Why)] = &[
    (
        "additions",
        "borrowed_descriptor_is_a_source",
        Why::Mistakes,
    ),
    (
        "additions",
        "hung_up_pipe_should_be_read_and_written",
        Why::Masks,
    ),
    (
        "bad_input",
        "a_raw_descriptor_gets_the_kernels_answers",
        Why::Mistakes,
    ),
    (
        "closing",
        "reset_is_an_error_that_is_taken_once",
        Why::Masks,
    ),
    ("datagram", "udp_refusal_is_the_next_error", Why::Masks),
    ("events", "event_text_names_every_answer", Why::Text),
    (
        "fd_leaks",
        "each_later_call_of_a_constructor_fails",
        Why::Calls,
    ),
    (
        "fd_leaks",
        "each_number_of_free_descriptors",
        Why::Descriptors,
    ),
    (
        "fd_leaks",
        "wakers_made_again_and_again_cost_no_more_than_one",
        Why::Descriptors,
    ),
    (
        "modes",
        "an_exclusive_interest_that_the_kernel_would_refuse_is_invalid",
        Why::Exclusive,
    ),
    (
        "modes",
        "an_exclusive_listener_reaches_each_poll_that_watches_it",
        Why::Exclusive,
    ),
    ("readiness", "tcp_listeners_and_udp", Why::Masks),
    ("readiness", "tcp_streams", Why::Masks),
    ("readiness_local", "kernel_objects", Why::Masks),
    ("readiness_local", "pipes", Why::Masks),
    ("readiness_local", "unix_sockets", Why::Masks),
    (
        "register",
        "raw_descriptors_get_the_systems_errors",
        Why::Mistakes,
    ),
    (
        "regressions",
        "failed_register_leaves_the_source_registrable",
        Why::Mistakes,
    ),
    ("seccomp", "a_filter_for_mio_lets_all_pass", Why::Calls),
    ("seccomp", "a_forbidden_pwait2_is_replaced", Why::Calls),
    ("seccomp", "an_unknown_pwait2_is_replaced", Why::Calls),
    ("seccomp", "whole_milliseconds_never_try_pwait2", Why::Calls),
    ("syscalls", "queue_and_registration", Why::Calls),
    ("syscalls_waker", "wakers", Why::Calls),
    (
        "timeouts_kernel",
        "a_long_timeout_waits_and_can_be_woken",
        Why::Calls,
    ),
    (
        "timeouts_kernel",
        "the_kernel_is_told_the_exact_timeout",
        Why::Calls,
    ),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Why {
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
}

impl Why {
    const ALL: [Why; 6] = [
        Why::Mistakes,
        Why::Exclusive,
        Why::Masks,
        Why::Text,
        Why::Calls,
        Why::Descriptors,
    ];

    fn text(self) -> &'static str {
        match self {
            Why::Mistakes => "a kqueue takes mistakes with raw descriptors for changes",
            Why::Exclusive => "of a mode that epoll alone has",
            Why::Masks => "expects epoll's whole mask in one event",
            Why::Text => "expects the text of epoll's event",
            Why::Calls => "counts or forbids epoll's system calls",
            Why::Descriptors => "counts descriptors, of which the emulation takes more",
        }
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    // The tests of the examples look for them beside their own program.
    let target = workspace.target_of("kqueue");
    let mut examples = cargo(&workspace.root);
    examples.args(["build", "--all-features", "--examples"]);
    examples.arg("--target-dir").arg(&target);
    run_command(rustflags(&mut examples, EMULATION))?;

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
    for (_, name, _) in SKIPPED {
        test.args(["--skip", name]);
    }
    let all = Tally::of(&run_and_read(rustflags(&mut test, EMULATION))?);

    let mut test = cargo(&workspace.root);
    test.args(["test", "--all-features", "--lib"]);
    for name in WAKER_TESTS {
        test.args(["--test", name]);
    }
    test.arg("--target-dir")
        .arg(workspace.target_of("kqueue-pipe"));
    let flags = format!("{EMULATION} {WAKER_PIPE}");
    let pipe = Tally::of(&run_and_read(rustflags(&mut test, &flags))?);

    for why in Why::ALL {
        println!("left out, {}:", why.text());
        let theirs = SKIPPED.iter().filter(|(_, _, other)| *other == why);
        theirs.for_each(|(file, name, _)| println!("  {file}::{name}"));
    }
    if all.filtered != SKIPPED.len() {
        bail!(
            "{} tests were left out, and {} are listed in xtask/src/kqueue.rs: names must match",
            all.filtered,
            SKIPPED.len()
        );
    }
    println!(
        "kqueue: {} tests passed, {} left out; {} passed with a pipe as the waker",
        all.passed, all.filtered, pipe.passed
    );
    Ok(())
}
