//! Timeouts, as each kernel wants them: rounded up, saturating, never early.

use std::time::{Duration, Instant};

/// A timeout in whole milliseconds for interfaces that take a C `int`.
///
/// `None` is -1: wait for ever. A part of a millisecond counts as a whole one,
/// so that no wait ends early and none but zero becomes a busy poll. What does
/// not fit is the longest wait that does; the caller then waits again.
#[inline]
pub(crate) fn as_millis(timeout: Option<Duration>) -> i32 {
    match timeout {
        None => -1,
        Some(Duration::ZERO) => 0,
        Some(timeout) => {
            let up = timeout.as_millis() + u128::from(has_sub_millis(timeout));
            i32::try_from(up).unwrap_or(i32::MAX)
        }
    }
}

/// Whether a timeout asks for more than millisecond precision.
#[inline]
pub(crate) const fn has_sub_millis(timeout: Duration) -> bool {
    timeout.subsec_nanos() % 1_000_000 != 0
}

/// When a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Deadline {
    /// It does not sleep.
    Now,
    /// At this instant. `whole_millis`: the timeout had no finer part, so what
    /// remains of it is rounded up to milliseconds and needs no finer call.
    At {
        instant: Instant,
        whole_millis: bool,
    },
    /// It sleeps until something happens.
    Never,
}

impl Deadline {
    /// The end of a wait that begins now. An end beyond what the clock can
    /// express never comes.
    pub(crate) fn after(timeout: Option<Duration>) -> Deadline {
        let Some(timeout) = timeout else {
            return Deadline::Never;
        };
        if timeout.is_zero() {
            return Deadline::Now;
        }
        match Instant::now().checked_add(timeout) {
            Some(instant) => Deadline::At {
                instant,
                whole_millis: !has_sub_millis(timeout),
            },
            None => Deadline::Never,
        }
    }

    /// How long is left at `now`: zero once it has passed, `None` for ever.
    pub(crate) fn left_at(self, now: Instant) -> Option<Duration> {
        match self {
            Deadline::Now => Some(Duration::ZERO),
            Deadline::Never => None,
            Deadline::At {
                instant,
                whole_millis,
            } => {
                let left = instant.saturating_duration_since(now);
                if whole_millis && has_sub_millis(left) {
                    let millis = u64::try_from(left.as_millis()).unwrap_or(u64::MAX - 1);
                    Some(Duration::from_millis(millis + 1))
                } else {
                    Some(left)
                }
            }
        }
    }

    /// How long is left now.
    pub(crate) fn left(self) -> Option<Duration> {
        match self {
            Deadline::At { .. } => self.left_at(Instant::now()),
            // The clock need not be read.
            Deadline::Now => Some(Duration::ZERO),
            Deadline::Never => None,
        }
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    #[test]
    fn milliseconds_round_up_and_saturate() {
        let cases = [
            (None, -1),
            (Some(Duration::ZERO), 0),
            (Some(Duration::from_nanos(1)), 1),
            (Some(Duration::from_nanos(999_999)), 1),
            (Some(Duration::from_nanos(1_000_000)), 1),
            (Some(Duration::from_nanos(1_000_001)), 2),
            (Some(Duration::from_micros(1_500)), 2),
            (
                Some(Duration::from_millis(i32::MAX as u64 - 1)),
                i32::MAX - 1,
            ),
            (Some(Duration::from_millis(i32::MAX as u64)), i32::MAX),
            (Some(Duration::from_millis(i32::MAX as u64 + 1)), i32::MAX),
            (Some(Duration::from_millis(1 << 32)), i32::MAX),
            (Some(Duration::MAX), i32::MAX),
        ];
        for (timeout, millis) in cases {
            assert_eq!(as_millis(timeout), millis, "{timeout:?}");
        }
    }

    #[test]
    fn finer_than_a_millisecond() {
        let cases = [
            (Duration::ZERO, false),
            (Duration::from_nanos(1), true),
            (Duration::from_millis(1), false),
            (Duration::from_micros(1_001), true),
            (Duration::from_secs(3), false),
            (Duration::MAX, true),
        ];
        for (timeout, finer) in cases {
            assert_eq!(has_sub_millis(timeout), finer, "{timeout:?}");
        }
    }

    #[test]
    fn a_deadline_that_overflows_never_comes() {
        assert_eq!(Deadline::after(Some(Duration::MAX)), Deadline::Never);
        assert_eq!(Deadline::after(None), Deadline::Never);
        assert_eq!(Deadline::after(Some(Duration::ZERO)), Deadline::Now);
        assert_eq!(Deadline::Never.left(), None);
        assert_eq!(Deadline::Now.left(), Some(Duration::ZERO));
    }

    #[test]
    fn what_is_left_never_exceeds_the_resolution_that_was_asked() {
        let start = Instant::now();
        let at = |nanos, whole_millis| Deadline::At {
            instant: start + Duration::from_nanos(nanos),
            whole_millis,
        };
        let cases = [
            (at(1_500_000, false), Duration::from_nanos(1_500_000)),
            (at(1_500_000, true), Duration::from_millis(2)),
            (at(2_000_000, true), Duration::from_millis(2)),
            (at(1, true), Duration::from_millis(1)),
            (at(0, true), Duration::ZERO),
            (at(0, false), Duration::ZERO),
        ];
        for (deadline, left) in cases {
            assert_eq!(deadline.left_at(start), Some(left), "{deadline:?}");
        }
        let later = start + Duration::from_secs(1);
        assert_eq!(at(5, true).left_at(later), Some(Duration::ZERO));
        // More milliseconds than have a number; some clocks do not go so far.
        let Some(instant) = start.checked_add(Duration::from_secs(1 << 60)) else {
            return;
        };
        let far = Deadline::At {
            instant,
            whole_millis: true,
        };
        let soon = start + Duration::from_nanos(1);
        assert_eq!(far.left_at(soon), Some(Duration::from_millis(u64::MAX)));
    }

    #[test]
    fn a_deadline_remembers_the_resolution() {
        let cases = [(2_000_000, true), (1_500_000, false)];
        for (nanos, whole) in cases {
            let deadline = Deadline::after(Some(Duration::from_nanos(nanos)));
            let Deadline::At { whole_millis, .. } = deadline else {
                panic!("{deadline:?}");
            };
            assert_eq!(whole_millis, whole, "{nanos} ns");
        }
    }
}
