//! The truth table, and the life of a source.

use super::*;
use libc::{POLLERR as ERR, POLLHUP as HUP, POLLIN as IN, POLLOUT as OUT};

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

#[test]
fn masks_tell_what_the_table_says() {
    let bits = [IN, PRI, OUT, ERR, HUP, HALF_CLOSE];
    for choice in 0..1u32 << bits.len() {
        let chosen = bits.iter().enumerate();
        let mask = chosen.fold(0, |mask, (index, bit)| {
            mask | if choice >> index & 1 == 1 { *bit } else { 0 }
        });
        let has = |bit: c_short| bit != 0 && mask & bit == bit;
        let expected = [
            (Readiness::READABLE, has(IN) || has(PRI)),
            (Readiness::WRITABLE, has(OUT)),
            (Readiness::ERROR, has(ERR)),
            (Readiness::READ_CLOSED, has(HUP) || has(HALF_CLOSE)),
            (
                Readiness::WRITE_CLOSED,
                has(HUP) || (has(OUT) && has(ERR)) || mask == ERR,
            ),
            (Readiness::PRIORITY, has(PRI)),
            (Readiness::AIO, false),
            (Readiness::LIO, false),
        ];
        for (bit, on) in expected {
            assert_eq!(readiness_of(mask).intersects(bit), on, "{mask:#x}: {bit:?}");
        }
    }
}

#[test]
fn the_mask_of_each_interest() {
    let cases = [
        (Interest::READABLE, READ_BITS),
        (Interest::WRITABLE, libc::POLLOUT),
        (
            Interest::READABLE | Interest::WRITABLE,
            READ_BITS | libc::POLLOUT,
        ),
    ];
    for (interest, mask) in cases {
        let asked = Asked::of(interest).unwrap();
        assert_eq!((asked.mask, asked.mode), (mask, Mode::Edge));
    }
    let modes = [
        (BOTH.level(), Mode::Level),
        (BOTH.oneshot(), Mode::OneShot),
        (BOTH.level().oneshot(), Mode::OneShot),
    ];
    for (interest, mode) in modes {
        assert_eq!(Asked::of(interest).unwrap().mode, mode);
    }
    match Asked::of(Interest::CLOSED) {
        Ok(closed) => assert_eq!(closed.mask, 0),
        Err(_) if END_IS_TOLD_UNASKED => panic!("this system tells the end"),
        Err(err) => assert_eq!(err.kind(), io::ErrorKind::Unsupported),
    }
}

#[test]
fn what_was_reported_rests_until_it_is_armed() {
    let mut source = Armed::new(Asked::of(BOTH).unwrap(), false);
    assert_eq!(source.mask(), Some(READ_BITS | OUT));
    source.report(OUT);
    assert_eq!(source.mask(), Some(READ_BITS));
    source.report(IN);
    assert_eq!(source.mask(), Some(0), "only for its end");
    assert!(source.rests() && !source.is_parked());
    source.report(HUP);
    assert_eq!(source.mask(), None);
    source.arm();
    assert_eq!(source.mask(), Some(READ_BITS | OUT));
    assert!(!source.rests());
}

#[test]
fn time_arms_raw_sources_and_errors_while_more_is_awaited() {
    for (raw, reports, parked) in [
        (true, [0, IN], true),
        (true, [0, HUP], true),
        (false, [0, IN], false),
        (false, [0, ERR], true),
        (false, [0, IN | ERR], true),
        // Nobody reads, for one, before there is room to write.
        (false, [IN, ERR], true),
        (false, [0, OUT | ERR], true),
        (false, [0, IN | OUT | ERR], false),
        (false, [IN, OUT | ERR], false),
        (false, [0, ERR | HUP], false),
    ] {
        let mut source = Armed::new(Asked::of(BOTH).unwrap(), raw);
        for revents in reports {
            source.report(revents);
        }
        assert_eq!(source.is_parked(), parked, "{raw} {reports:#x?}");
        source.change(Asked::of(BOTH).unwrap());
        assert!(!source.is_parked() && source.is_raw() == raw);
    }
}

#[test]
fn levels_repeat_and_one_shot_is_the_last() {
    for raw in [false, true] {
        let mut level = Armed::new(Asked::of(BOTH.level()).unwrap(), raw);
        level.report(IN | HUP);
        assert_eq!(level.mask(), Some(READ_BITS | OUT));
        let mut once = Armed::new(Asked::of(BOTH.oneshot()).unwrap(), raw);
        once.report(OUT);
        assert_eq!(once.mask(), None);
        assert!(!level.rests() && !once.rests());
    }
}

#[test]
fn slices_grow_and_limit_a_sleep() {
    let mut slices = Slices::new();
    let hour = Duration::from_secs(3600);
    assert_eq!(slices.limit(true, None), (false, None));
    slices.slice = hour;
    slices.begin();
    let (due, timeout) = slices.limit(true, None);
    assert!(!due && timeout.is_some_and(|timeout| timeout <= hour));
    let short = Some(Duration::from_millis(3));
    assert_eq!(slices.limit(true, short), (false, short));
    // Nobody waits for it any more: the next is no longer for it.
    slices.restart();
    assert_eq!(slices.limit(false, short), (true, short));
    assert_eq!(slices.slice, Slices::MIN);
    slices.end = Some(Instant::now());
    assert_eq!(slices.limit(true, None), (true, None));
    assert_eq!(slices.slice, Slices::MIN * 2);
    assert_eq!(slices.limit(true, None), (false, None));
}
