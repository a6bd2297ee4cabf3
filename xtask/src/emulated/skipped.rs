//! What is left out of the test suite over an emulated kernel, and why.

/// Over which of them a test does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Over {
    Kqueue,
    Ports,
    Both,
}

/// A test that does not hold over an emulation, or the backend over it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Skipped {
    pub(super) file: &'static str,
    pub(super) name: &'static str,
    pub(super) over: Over,
    pub(super) why: Why,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
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
    pub(super) const ALL: [Why; 11] = [
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

    pub(super) fn text(self) -> &'static str {
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

/// A line a test: its file and name, over what it does not hold, and why.
macro_rules! skipped {
    ($($file:literal $name:literal $over:ident $why:ident;)*) => {
        &[$(Skipped { file: $file, name: $name, over: Over::$over, why: Why::$why }),*]
    };
}

pub(super) const SKIPPED: &[Skipped] = skipped! {
    "additions_unix" "borrowed_descriptor_is_a_source" Kqueue Mistakes;
    "additions_unix" "hung_up_pipe_should_be_read_and_written" Kqueue Masks;
    "bad_input" "a_raw_descriptor_gets_the_kernels_answers" Kqueue Mistakes;
    "bad_input" "a_registration_that_was_ended_by_its_descriptor_can_be_made_anew" Kqueue Mistakes;
    "closing" "reset_is_an_error_that_is_taken_once" Kqueue Masks;
    "datagram" "udp_refusal_is_the_next_error" Kqueue Masks;
    "drop" "duplicate_keeps_a_dropped_source_alive" Ports Copies;
    "events" "event_text_names_every_answer" Both Text;
    "fd_leaks" "a_poll_without_room_for_a_waker_gets_one_later" Ports Descriptors;
    "fd_leaks" "each_later_call_of_a_constructor_fails" Both Calls;
    "fd_leaks" "each_number_of_free_descriptors" Both Descriptors;
    "fd_leaks" "wakers_made_again_and_again_cost_no_more_than_one" Both Descriptors;
    "fork" "a_copy_keeps_the_registration" Ports Copies;
    "fork" "a_forked_child_is_a_copy" Ports Copies;
    "modes" "an_exclusive_interest_that_the_kernel_would_refuse_is_invalid" Both Exclusive;
    "modes" "an_exclusive_listener_reaches_each_poll_that_watches_it" Both Exclusive;
    "nested" "a_poll_cannot_hold_itself" Ports Unknown;
    "nested" "an_outer_poll_sees_every_wake" Ports Slices;
    "readiness" "tcp_listeners_and_udp" Kqueue Masks;
    "readiness" "tcp_streams" Ports HalfClose;
    "readiness" "tcp_streams" Kqueue Masks;
    "readiness_local" "kernel_objects" Kqueue Masks;
    "readiness_local" "pipes" Kqueue Masks;
    "readiness_local" "unix_sockets" Ports HalfClose;
    "readiness_local" "unix_sockets" Kqueue Masks;
    "register" "raw_descriptors_get_the_systems_errors" Kqueue Mistakes;
    "regressions" "failed_register_leaves_the_source_registrable" Kqueue Mistakes;
    "reregister" "kernel_edges::pipe::partial_read_then_new_data_is_a_new_edge" Ports Edges;
    "reregister" "kernel_edges::pipe::undrained_reader_is_reported_for_each_arrival" Ports Edges;
    "reregister" "kernel_edges::tcp::partial_read_then_new_data_is_a_new_edge" Ports Edges;
    "reregister" "kernel_edges::tcp::undrained_reader_is_reported_for_each_arrival" Ports Edges;
    "reregister" "kernel_edges::unix_stream::partial_read_then_new_data_is_a_new_edge" Ports Edges;
    "reregister" "kernel_edges::unix_stream::undrained_reader_is_reported_for_each_arrival" Ports Edges;
    "seccomp" "a_filter_for_mio_lets_all_pass" Both Calls;
    "seccomp" "a_forbidden_pwait2_is_replaced" Both Calls;
    "seccomp" "an_unknown_pwait2_is_replaced" Both Calls;
    "seccomp" "whole_milliseconds_never_try_pwait2" Both Calls;
    "syscalls" "queue_and_registration" Both Calls;
    "syscalls" "tcp" Ports Calls;
    "syscalls_waker" "wakers" Both Calls;
    "timeouts_kernel" "a_long_timeout_waits_and_can_be_woken" Both Calls;
    "timeouts_kernel" "the_kernel_is_told_the_exact_timeout" Both Calls;
};
