//! kqueue; its emulation is `src/sys/unix/kqueue/emulation.rs`.

use super::{Emulated, Why};

pub(super) const BACKEND: Emulated = Emulated {
    name: "kqueue",
    table: file!(),
    flags: "--cfg mio_kqueue_emulation",
    skipped: SKIPPED,
    variants: &[(
        "a pipe as the waker",
        "--cfg mio_unsupported_force_waker_pipe",
    )],
};

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
