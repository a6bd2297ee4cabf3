//! Which tests a tool cannot run, each with the reason: the one table of all
//! tools, so that nothing is left out in silence.

use std::collections::BTreeSet;

use anyhow::{bail, Result};

/// What runs the tests, and sees more than they assert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Miri,
    Address,
    Thread,
    Valgrind,
}

use Tool::{Address, Miri, Thread};

/// Tests of one binary that hold what `test` says in their names; all of the
/// binary if it says nothing.
#[derive(Debug)]
struct Exception {
    under: &'static [Tool],
    binary: &'static str,
    test: &'static str,
    why: &'static str,
}

const fn exception(
    under: &'static [Tool],
    binary: &'static str,
    test: &'static str,
    why: &'static str,
) -> Exception {
    Exception {
        under,
        binary,
        test,
        why,
    }
}

const FORBIDDEN_CALLS: &str = "the tool's own run-time library makes calls that the filter forbids";
const LEVEL: &str = "Miri's epoll knows edges only: neither levels, nor one-shot, nor exclusive";
const POLL: &str = "Miri has no poll(2)";
const EMULATION: &str =
    "the emulation of kevent(2) asks epoll for levels, and duplicates descriptors";
const SOCKETS: &str = "Miri has streams of TCP and pairs of Unix streams, and no other sockets";
const CHILDREN: &str = "Miri starts no other process";
const NESTED: &str = "Miri's epoll watches no epoll";
const SIGNALS: &str = "Miri has no signals";
const ROUNDS: &str = "rounds by the thousand, which take an interpreter an hour";
const LOOKS: &str = "looks by /proc at what the kernel has of a thread, which is Miri's";
const VTABLES: &str = "compares wakers by their tables of functions, which Miri makes anew";
const ROTATION: &str = "Miri's epoll serves the first of many ready sources, and no other";
const STREAMS: &str = "Miri has no send(2) and recv(2) for pairs of Unix streams";
const OPTIONS: &str = "Miri does not know an option of sockets, or an address, that it asks for";
const FILES: &str = "Miri's epoll has no word for files";
const EDGES: &str = "Miri's epoll reports edges that Linux does not, or not those that it does";
const PIPES: &str = "Miri has no ioctl(2) for pipes and pairs of sockets";
const WRONG_END: &str = "Miri ends where a pipe is read from its end for writing";
const HALF_CLOSE: &str = "Miri shuts down no pair of sockets";

const TABLE: &[Exception] = &[
    exception(
        &[Address, Thread],
        "seccomp",
        "a_filter_for_mio_lets_all_pass",
        FORBIDDEN_CALLS,
    ),
    exception(&[Miri], LIBRARY, "conformance::poll::", POLL),
    exception(&[Miri], LIBRARY, "poll::tests::", POLL),
    exception(&[Miri], LIBRARY, "conformance::event_port::", EMULATION),
    exception(&[Miri], LIBRARY, "unix::event_port::kernel::", EMULATION),
    exception(&[Miri], LIBRARY, "unix::event_port::tests::", EMULATION),
    exception(&[Miri], LIBRARY, "conformance::kqueue::", EMULATION),
    exception(&[Miri], LIBRARY, "unix::kqueue::emulation::", EMULATION),
    exception(&[Miri], LIBRARY, "unix::kqueue::tests::", EMULATION),
    exception(
        &[Miri],
        LIBRARY,
        "pipe::state::tests::every_interleaving",
        ROUNDS,
    ),
    exception(&[Miri], LIBRARY, "pipe::state::tests::long_random", ROUNDS),
    exception(
        &[Miri],
        LIBRARY,
        "pipe::state::tests::a_long_message",
        ROUNDS,
    ),
    exception(&[Miri], LIBRARY, "sock::tests::every_interleaving", ROUNDS),
    exception(
        &[Miri],
        LIBRARY,
        "wait::state::tests::every_interleaving",
        ROUNDS,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "waker::tests::what_cannot_be_is_an_error",
        WRONG_END,
    ),
    exception(&[Miri], LIBRARY, "unix::net::tests::", SOCKETS),
    exception(&[Miri], LIBRARY, "unix::syscall::tests::", SOCKETS),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::a_closed_interest_hears_of_the_end_only",
        HALF_CLOSE,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::a_half_close_closes_reading",
        HALF_CLOSE,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::a_level_source_and_a_waker_share_a_small_buffer",
        LEVEL,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::level_and_one_shot_go_together",
        LEVEL,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::level_repeats_while_it_is_ready",
        LEVEL,
    ),
    exception(&[Miri], LIBRARY, "epoll::one_shot_reports_once", LEVEL),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::reregistration_switches_the_mode",
        LEVEL,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::tests::a_replacement_that_fails",
        NESTED,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "an_exclusive_registration_can_be_replaced_in_both_directions",
        LEVEL,
    ),
    exception(
        &[Miri],
        LIBRARY,
        "epoll::wakers_and_sources_share_a_small_buffer",
        ROTATION,
    ),
    exception(
        &[Miri],
        "accept_connect",
        "listening_port_can_be_bound_again_at_once",
        OPTIONS,
    ),
    exception(
        &[Miri],
        "accept_connect",
        "refused_connect_is_reported_by_event_and_error",
        OPTIONS,
    ),
    exception(
        &[Miri],
        "closing",
        "reset_is_an_error_that_is_taken_once",
        OPTIONS,
    ),
    exception(
        &[Miri],
        "closing",
        "shutdown_of_an_unconnected_peer_is_the_systems_error",
        OPTIONS,
    ),
    exception(
        &[Miri],
        "closing",
        "unix_half_close_leaves_the_other_direction",
        STREAMS,
    ),
    exception(
        &[Miri],
        "closing",
        "unix_shutdown_of_both_directions",
        STREAMS,
    ),
    exception(&[Miri], "closing", "unix_stream::", STREAMS),
    exception(
        &[Miri],
        "drop",
        "borrowed_descriptor_is_not_closed",
        STREAMS,
    ),
    exception(
        &[Miri],
        "drop",
        "duplicate_keeps_a_dropped_source_alive",
        STREAMS,
    ),
    exception(&[Miri], "drop", "unix_stream::", STREAMS),
    exception(
        &[Miri],
        "register",
        "files_that_are_always_ready_are_refused",
        FILES,
    ),
    exception(
        &[Miri],
        "register",
        "pipe::interest_limits_what_is_reported",
        EDGES,
    ),
    exception(
        &[Miri],
        "register",
        "raw_descriptors_get_the_systems_errors",
        SOCKETS,
    ),
    exception(
        &[Miri],
        "register",
        "second_poll_is_refused_where_it_is_known",
        SOCKETS,
    ),
    exception(&[Miri], "register", "second_register_is_refused", STREAMS),
    exception(&[Miri], "register", "unix_stream::", STREAMS),
    exception(
        &[Miri],
        "reregister",
        "another_poll_cannot_reregister",
        STREAMS,
    ),
    exception(
        &[Miri],
        "reregister",
        "batch_in_hand_may_name_a_deregistered_source_but_no_later_poll_does",
        STREAMS,
    ),
    exception(
        &[Miri],
        "reregister",
        "tcp::partial_read_then_new_data_is_a_new_edge",
        EDGES,
    ),
    exception(
        &[Miri],
        "reregister",
        "tcp::undrained_reader_is_reported_for_each_arrival",
        EDGES,
    ),
    exception(&[Miri], "reregister", "pipe::interest_is_replaced", EDGES),
    exception(&[Miri], "reregister", "unix_stream::", STREAMS),
    exception(&[Miri], "accept_connect_local", "", SOCKETS),
    exception(
        &[Miri],
        "additions",
        "deadline_far_away_or_none_ends_with_an_event",
        STREAMS,
    ),
    exception(
        &[Miri],
        "additions",
        "should_read_and_should_write_follow_plain_readiness",
        STREAMS,
    ),
    exception(&[Miri], "additions_net", "", SOCKETS),
    exception(&[Miri], "additions_sockets", "", SOCKETS),
    exception(
        &[Miri],
        "bad_input",
        "a_failed_register_leaves_the_source_registrable",
        FILES,
    ),
    exception(
        &[Miri],
        "bad_input",
        "files_that_cannot_be_polled_are_refused",
        FILES,
    ),
    exception(
        &[Miri],
        "bad_input",
        "impossible_paths_are_invalid_input",
        SOCKETS,
    ),
    exception(&[Miri], "bad_input", "the_longest_path_fits", SOCKETS),
    exception(&[Miri], "bad_input", "ended_by_its_descriptor", SOCKETS),
    exception(
        &[Miri],
        "modes",
        "a_level_source_is_reported_until_it_is_drained",
        LEVEL,
    ),
    exception(&[Miri], "modes", "a_mode_rides_through_any_source", LEVEL),
    exception(
        &[Miri],
        "modes",
        "a_raw_descriptor_can_be_level_and_one_shot",
        LEVEL,
    ),
    exception(&[Miri], "modes", "exclusive", LEVEL),
    exception(
        &[Miri],
        "regressions",
        "interrupted_connect_is_under_way",
        CHILDREN,
    ),
    exception(
        &[Miri],
        "regressions",
        "registry_clone_costs_no_descriptor",
        CHILDREN,
    ),
    exception(
        &[Miri],
        "regressions",
        "vectored_write_to_a_closed_peer_raises_no_signal",
        CHILDREN,
    ),
    exception(
        &[Miri],
        "regressions",
        "burst_of_connects_completes_before_any_accept",
        ROUNDS,
    ),
    exception(&[Miri], "additions_unix", "", SOCKETS),
    exception(&[Miri], "cloexec", "", CHILDREN),
    exception(&[Miri], "datagram", "", SOCKETS),
    exception(&[Miri], "datagram_local", "", SOCKETS),
    exception(&[Miri], "drop_alone", "", CHILDREN),
    exception(&[Miri], "eintr", "", SIGNALS),
    exception(&[Miri], "examples", "", CHILDREN),
    exception(&[Miri], "faults", "", CHILDREN),
    exception(&[Miri], "fd_leaks", "", CHILDREN),
    exception(&[Miri], "fork", "", CHILDREN),
    exception(&[Miri], "many", "", ROUNDS),
    exception(&[Miri], "model", "", ROUNDS),
    exception(&[Miri], "nested", "", NESTED),
    exception(&[Miri], "poll", "a_large_buffer_is_filled", SOCKETS),
    exception(&[Miri], "vectored", "unix_stream::", STREAMS),
    exception(&[Miri], "pipe", "non_blocking_mode_can_be_changed", PIPES),
    exception(&[Miri], "pipe", "pipes_of_a_child_process", CHILDREN),
    exception(
        &[Miri],
        "poll",
        "capacity_one_serves_busy_sources_in_turn",
        STREAMS,
    ),
    exception(
        &[Miri],
        "poll",
        "one_descriptor_in_two_queues_wakes_both",
        STREAMS,
    ),
    exception(
        &[Miri],
        "poll",
        "readiness_of_both_directions_comes_together_or_apart",
        STREAMS,
    ),
    exception(
        &[Miri],
        "poll",
        "unix_stream::both_ends_in_one_queue",
        STREAMS,
    ),
    exception(&[Miri], "readiness", "", LEVEL),
    exception(&[Miri], "readiness_local", "", SOCKETS),
    exception(&[Miri], "regressions_addr", "", SOCKETS),
    exception(&[Miri], "regressions_poll", "", STREAMS),
    exception(&[Miri], "seccomp", "", CHILDREN),
    exception(&[Miri], "std_conversions", "udp_socket::", SOCKETS),
    exception(&[Miri], "std_conversions", "unix_datagram::", SOCKETS),
    exception(&[Miri], "std_conversions", "unix_listener::", SOCKETS),
    exception(
        &[Miri],
        "std_conversions",
        "unix_stream::into_std_stays_non_blocking",
        PIPES,
    ),
    exception(&[Miri], "storms", "", ROUNDS),
    exception(&[Miri], "syscalls", "", CHILDREN),
    exception(&[Miri], "syscalls_waker", "", CHILDREN),
    exception(
        &[Miri],
        "threads",
        "a_poll_moves_from_thread_to_thread",
        LOOKS,
    ),
    exception(
        &[Miri],
        "threads",
        "a_removed_source_is_never_heard_again",
        ROUNDS,
    ),
    exception(
        &[Miri],
        "timeout",
        "long_timeout_ends_with_readiness_from_another_thread",
        STREAMS,
    ),
    exception(&[Miri], "timeouts_kernel", "", CHILDREN),
    exception(&[Miri], "try_io", "", SOCKETS),
    exception(&[Miri], "udp_options", "", SOCKETS),
    exception(&[Miri], "unix_addr", "", SOCKETS),
    exception(
        &[Miri],
        "waker",
        "a_waker_made_while_another_thread_polls_wakes_it",
        LOOKS,
    ),
    exception(&[Miri], "waker_fairness", "", ROUNDS),
    exception(&[Miri], "waker_signal", "", SIGNALS),
    exception(&[Miri], "waker_storm", "", ROUNDS),
    exception(
        &[Miri],
        "waker_task",
        "a_task_waker_wakes_the_poll",
        VTABLES,
    ),
];

/// The library's own tests.
const LIBRARY: &str = "mio:lib";

/// What a tool leaves out of one binary.
#[derive(Debug)]
pub(super) struct LeftOut {
    rows: Vec<&'static Exception>,
}

impl LeftOut {
    pub(super) fn of(tool: Tool, binary: &str) -> LeftOut {
        let rows = TABLE
            .iter()
            .filter(|row| row.under.contains(&tool) && row.binary == binary)
            .collect();
        LeftOut { rows }
    }

    /// Why the binary is not run at all.
    pub(super) fn whole(&self) -> Option<&'static str> {
        let whole = self.rows.iter().find(|row| row.test.is_empty());
        whole.map(|row| row.why)
    }

    /// What the harness is told.
    pub(super) fn arguments(&self) -> Vec<&'static str> {
        let rows = self.rows.iter();
        rows.flat_map(|row| ["--skip", row.test]).collect()
    }

    /// Tells of what is left out. Names are those that the binary lists: a row
    /// that fits none is out of date, and an error.
    pub(super) fn tell(&self, names: &BTreeSet<String>) -> Result<usize> {
        let mut left_out = BTreeSet::new();
        for row in &self.rows {
            let fitting: Vec<&String> = names
                .iter()
                .filter(|name| name.contains(row.test))
                .collect();
            if fitting.is_empty() {
                bail!(
                    "no test of {} has `{}` in its name: take the row out of \
                     xtask/src/proof/exceptions.rs, or correct it",
                    row.binary,
                    row.test
                );
            }
            println!(
                "left out of {}: {} ({}): {}",
                row.binary,
                row.test,
                fitting.len(),
                row.why
            );
            left_out.extend(fitting);
        }
        Ok(left_out.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_has_a_reason_and_a_tool() {
        for row in TABLE {
            assert!(!row.under.is_empty() && !row.why.is_empty(), "{row:?}");
        }
    }

    #[test]
    fn rows_that_fit_no_test_are_errors() -> Result<()> {
        let left_out = LeftOut::of(Address, "seccomp");
        assert_eq!(left_out.arguments()[0], "--skip");
        let name = left_out.arguments()[1].to_owned();
        assert_eq!(left_out.tell(&[name, "another".to_owned()].into())?, 1);
        assert!(left_out.tell(&["another".to_owned()].into()).is_err());
        assert!(LeftOut::of(Address, "poll").rows.is_empty());
        Ok(())
    }
}
