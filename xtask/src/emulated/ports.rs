//! Event ports; their emulation is `src/sys/unix/event_port/kernel/emulation.rs`.

use super::{Emulated, Why};

pub(super) const BACKEND: Emulated = Emulated {
    name: "ports",
    table: file!(),
    flags: "--cfg mio_ports_emulation",
    skipped: SKIPPED,
    variants: &[],
};

const SKIPPED: &[(&str, &str, Why)] = &[
    (
        "drop",
        "duplicate_keeps_a_dropped_source_alive",
        Why::Copies,
    ),
    ("events", "event_text_names_every_answer", Why::Text),
    (
        "fd_leaks",
        "a_poll_without_room_for_a_waker_gets_one_later",
        Why::Descriptors,
    ),
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
    ("fork", "a_copy_keeps_the_registration", Why::Copies),
    ("fork", "a_forked_child_is_a_copy", Why::Copies),
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
    ("nested", "a_poll_cannot_hold_itself", Why::Unknown),
    ("nested", "an_outer_poll_sees_every_wake", Why::Slices),
    ("readiness", "tcp_streams", Why::HalfClose),
    ("readiness_local", "unix_sockets", Why::HalfClose),
    (
        "reregister",
        "kernel_edges::pipe::partial_read_then_new_data_is_a_new_edge",
        Why::Edges,
    ),
    (
        "reregister",
        "kernel_edges::pipe::undrained_reader_is_reported_for_each_arrival",
        Why::Edges,
    ),
    (
        "reregister",
        "kernel_edges::tcp::partial_read_then_new_data_is_a_new_edge",
        Why::Edges,
    ),
    (
        "reregister",
        "kernel_edges::tcp::undrained_reader_is_reported_for_each_arrival",
        Why::Edges,
    ),
    (
        "reregister",
        "kernel_edges::unix_stream::partial_read_then_new_data_is_a_new_edge",
        Why::Edges,
    ),
    (
        "reregister",
        "kernel_edges::unix_stream::undrained_reader_is_reported_for_each_arrival",
        Why::Edges,
    ),
    ("seccomp", "a_filter_for_mio_lets_all_pass", Why::Calls),
    ("seccomp", "a_forbidden_pwait2_is_replaced", Why::Calls),
    ("seccomp", "an_unknown_pwait2_is_replaced", Why::Calls),
    ("seccomp", "whole_milliseconds_never_try_pwait2", Why::Calls),
    ("syscalls", "queue_and_registration", Why::Calls),
    ("syscalls", "tcp", Why::Calls),
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
