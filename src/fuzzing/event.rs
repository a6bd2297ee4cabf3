//! What the masks of epoll and poll(2) tell, and those that an interest makes.

use super::{interest, Input};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::levels::{self, Asked, Mode};
use crate::sys::unix::epoll;
use std::io::ErrorKind;

/// The bits, which both kernels' interfaces have in common.
#[derive(Clone, Copy)]
struct Mask(u32);

impl Mask {
    fn has(self, bit: i16) -> bool {
        self.0 & bit as u16 as u32 != 0
    }

    /// What is the same for both: all but the closing of what is read.
    fn check(self, readiness: Readiness) {
        use libc::{POLLERR as ERR, POLLHUP as HUP, POLLIN as IN, POLLOUT as OUT, POLLPRI as PRI};
        let has = |bit| self.has(bit);
        let only_error = self.0 == ERR as u32;
        let expected = [
            (Readiness::READABLE, has(IN) || has(PRI)),
            (Readiness::WRITABLE, has(OUT)),
            (Readiness::ERROR, has(ERR)),
            (
                Readiness::WRITE_CLOSED,
                has(HUP) || (has(OUT) && has(ERR)) || only_error,
            ),
            (Readiness::PRIORITY, has(PRI)),
            (Readiness::AIO, false),
            (Readiness::LIO, false),
        ];
        for (bit, on) in expected {
            assert_eq!(readiness.intersects(bit), on, "{:#x}: {bit:?}", self.0);
        }
    }
}

pub(super) fn epoll(bytes: &[u8]) {
    let mut input = Input(bytes);
    let mask = Mask(input.u32());
    let readiness = epoll::readiness_of(mask.0);
    mask.check(readiness);
    let half_closed = mask.has(libc::POLLIN) && mask.has(libc::POLLRDHUP);
    let closed = mask.has(libc::POLLHUP) || half_closed;
    assert_eq!(readiness.intersects(Readiness::READ_CLOSED), closed);

    let interest = interest::any(&mut input);
    let is_refused = interest.is_exclusive()
        && (interest.is_priority() || interest.is_closed() || interest.is_oneshot());
    match epoll::mask_of(interest) {
        Ok(mask) => assert_eq!(mask, epoll_mask(interest), "{interest:?}"),
        Err(error) => assert_eq!(error.kind(), ErrorKind::InvalidInput),
    }
    assert_eq!(
        epoll::mask_of(interest).is_err(),
        is_refused,
        "{interest:?}"
    );
}

fn epoll_mask(interest: Interest) -> u32 {
    let bits = [
        (libc::EPOLLIN, interest.is_readable()),
        (
            libc::EPOLLRDHUP,
            interest.is_readable() && !interest.is_exclusive(),
        ),
        (libc::EPOLLOUT, interest.is_writable()),
        (libc::EPOLLPRI, interest.is_priority()),
        (libc::EPOLLET, !interest.is_level()),
        (libc::EPOLLONESHOT, interest.is_oneshot()),
        (libc::EPOLLEXCLUSIVE, interest.is_exclusive()),
    ];
    let chosen = bits.into_iter().filter(|(_, on)| *on);
    chosen.fold(0, |mask, (bit, _)| mask | bit as u32)
}

pub(super) fn poll(bytes: &[u8]) {
    let mut input = Input(bytes);
    let revents = input.u16();
    let mask = Mask(u32::from(revents));
    let readiness = levels::readiness_of(revents as i16);
    mask.check(readiness);
    let half_closed = mask.0 & u32::from(levels::HALF_CLOSE as u16) != 0;
    let closed = mask.has(libc::POLLHUP) || half_closed;
    assert_eq!(readiness.intersects(Readiness::READ_CLOSED), closed);

    let interest = interest::any(&mut input);
    let Ok(Asked { mask, mode }) = Asked::of(interest) else {
        assert!(interest.is_exclusive());
        return;
    };
    assert!(!interest.is_exclusive());
    assert_eq!(mask & libc::POLLIN != 0, interest.is_readable());
    assert_eq!(mask & libc::POLLOUT != 0, interest.is_writable());
    assert_eq!(mask & libc::POLLPRI != 0, interest.is_priority());
    let known = libc::POLLIN | libc::POLLOUT | libc::POLLPRI | levels::HALF_CLOSE;
    assert_eq!(mask & !known, 0, "{interest:?}");
    assert_eq!(mode == Mode::OneShot, interest.is_oneshot());
    let is_level = interest.is_level() && !interest.is_oneshot();
    assert_eq!(mode == Mode::Level, is_level);
}
