//! The bits that every kernel's event is translated into.

/// What one event tells, in bits that mean the same on every system.
///
/// A backend translates its own event into this; `Event` asks single bits of
/// it. Everything is inlined, so that asking one bit compiles to the mask test
/// on the kernel's own field.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Readiness(u8);

impl Readiness {
    pub(crate) const EMPTY: Readiness = Readiness(0);
    pub(crate) const READABLE: Readiness = Readiness(1 << 0);
    pub(crate) const WRITABLE: Readiness = Readiness(1 << 1);
    pub(crate) const ERROR: Readiness = Readiness(1 << 2);
    pub(crate) const READ_CLOSED: Readiness = Readiness(1 << 3);
    pub(crate) const WRITE_CLOSED: Readiness = Readiness(1 << 4);
    pub(crate) const PRIORITY: Readiness = Readiness(1 << 5);
    pub(crate) const AIO: Readiness = Readiness(1 << 6);
    pub(crate) const LIO: Readiness = Readiness(1 << 7);

    /// Whether any bit of `other` is set.
    #[inline]
    pub(crate) const fn intersects(self, other: Readiness) -> bool {
        self.0 & other.0 != 0
    }

    /// The union of both.
    #[inline]
    pub(crate) const fn or(self, other: Readiness) -> Readiness {
        Readiness(self.0 | other.0)
    }

    /// With the bits of `other` if `on`.
    #[inline]
    pub(crate) const fn with(self, other: Readiness, on: bool) -> Readiness {
        if on {
            self.or(other)
        } else {
            self
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Readiness as R;

    #[test]
    fn each_bit_is_one_of_its_own() {
        let (ends, rare) = ([R::READ_CLOSED, R::WRITE_CLOSED], [R::AIO, R::LIO]);
        let usual = [R::READABLE, R::WRITABLE, R::ERROR, R::PRIORITY];
        let all = [&usual[..], &ends, &rare].concat();
        for (at, one) in all.iter().enumerate() {
            assert_eq!(one.or(*one), *one);
            assert!(!one.intersects(R::EMPTY));
            for (of, other) in all.iter().enumerate() {
                assert_eq!(one.intersects(*other), at == of, "{one:?} {other:?}");
            }
        }
        assert_eq!(R::EMPTY.with(R::ERROR, true), R::ERROR);
        assert_eq!(R::ERROR.with(R::READABLE, false), R::ERROR);
    }
}
