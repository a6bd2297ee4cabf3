//! The truth table, which needs no kernel, and what does.

use super::*;

mod under_way;

#[test]
fn masks_tell_what_the_table_says() {
    use libc::{POLLERR as ERR, POLLHUP as HUP, POLLIN as IN, POLLOUT as OUT, POLLPRI as PRI};
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
        assert_eq!(mask_of(interest), mask, "{interest:?}");
    }
}
