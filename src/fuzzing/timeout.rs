use super::Input;
use crate::sys::timeout::{as_millis, has_sub_millis, Deadline};
use std::time::{Duration, Instant};

const MILLI: Duration = Duration::from_millis(1);

/// Never early, less than a millisecond late, and saturating.
pub(super) fn rounding(bytes: &[u8]) {
    let mut input = Input(bytes);
    let timeout = Duration::new(input.u64(), input.u32() % 1_000_000_000);
    let millis = as_millis(Some(timeout));
    let longest = Duration::from_millis(i32::MAX as u64);
    if timeout > longest {
        assert_eq!(millis, i32::MAX);
    } else {
        let told = Duration::from_millis(millis as u64);
        assert!(told >= timeout && told - timeout < MILLI, "{timeout:?}");
        let is_rounded = told != timeout;
        assert_eq!(is_rounded, has_sub_millis(timeout));
    }
    assert_eq!(millis == 0, timeout.is_zero());
    remaining(timeout, Duration::from_nanos(input.u64()));
}

/// What is left of a wait, after some time of it: what is missing, rounded up
/// if the timeout asked for no finer part.
fn remaining(timeout: Duration, passed: Duration) {
    // The clock must be able to express all that follows.
    let (timeout, passed) = (timeout.min(HOUR), passed.min(2 * HOUR));
    let start = Instant::now();
    let whole_millis = !has_sub_millis(timeout);
    let deadline = Deadline::At {
        instant: start + timeout,
        whole_millis,
    };
    let missing = timeout.saturating_sub(passed);
    let Some(left) = deadline.left_at(start + passed) else {
        panic!("{timeout:?} has an end");
    };
    if whole_millis {
        assert!(!has_sub_millis(left), "{timeout:?} less {passed:?}");
    } else {
        assert_eq!(left, missing);
    }
    assert!(left >= missing && left - missing < MILLI);
}

const HOUR: Duration = Duration::from_secs(3_600);
