use std::fmt;
use std::num::NonZeroU8;
use std::ops::{BitOr, BitOrAssign};

/// What a caller wants to hear about a source.
///
/// An interest is given at [`Registry::register`] and can be changed by
/// [`Registry::reregister`]. It is never empty: a source that is registered
/// is registered for something.
///
/// Interests are united by `|`, or by [`add`] where a `const` is wanted:
///
/// ```
/// use mio::Interest;
///
/// const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
///
/// assert_eq!(BOTH, Interest::READABLE | Interest::WRITABLE);
/// assert!(BOTH.is_readable() && BOTH.is_writable());
/// ```
///
/// An interest says what is *asked*. The events that come may tell more:
/// errors and hang-ups are reported on most systems whether or not they were
/// asked for.
///
/// [`add`]: Interest::add
/// [`Registry::register`]: crate::Registry::register
/// [`Registry::reregister`]: crate::Registry::reregister
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interest(NonZeroU8);

const READABLE: u8 = 1 << 0;
const WRITABLE: u8 = 1 << 1;
const AIO: u8 = 1 << 2;
const LIO: u8 = 1 << 3;
const PRIORITY: u8 = 1 << 4;

/// Turns the bits of a constant into an interest; a zero does not compile.
const fn interest(bits: u8) -> Interest {
    match NonZeroU8::new(bits) {
        Some(bits) => Interest(bits),
        None => panic!("an interest is never empty"),
    }
}

impl Interest {
    /// Interest in data to read, connections to accept, and the peer's
    /// closing of its sending half.
    pub const READABLE: Interest = interest(READABLE);

    /// Interest in room to write, and in the end of a connection attempt.
    pub const WRITABLE: Interest = interest(WRITABLE);

    /// Interest in completions of POSIX asynchronous I/O.
    ///
    /// Such completions are bound to a queue by the `aiocb` itself; this
    /// interest is what sources of that kind pass along.
    #[cfg(any(
        target_vendor = "apple",
        target_os = "freebsd",
        target_os = "dragonfly"
    ))]
    pub const AIO: Interest = interest(AIO);

    /// Interest in completions of `lio_listio(2)`.
    #[cfg(target_os = "freebsd")]
    pub const LIO: Interest = interest(LIO);

    /// Interest in exceptional conditions: out-of-band data of a TCP socket,
    /// a change of a file in `sysfs` or `cgroupfs`, and the like; see
    /// `EPOLLPRI` in [`epoll_ctl(2)`].
    ///
    /// [`epoll_ctl(2)`]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub const PRIORITY: Interest = interest(PRIORITY);

    /// What is asked of asynchronous I/O, also where no constant names it.
    #[cfg(test)]
    pub(crate) const COMPLETIONS: Interest = interest(AIO | LIO);

    /// Unites two interests.
    ///
    /// The same as `self | other`, and usable in a `const`.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// const INTERESTS: Interest = Interest::READABLE.add(Interest::WRITABLE);
    /// # assert!(INTERESTS.is_readable() && INTERESTS.is_writable());
    /// ```
    #[allow(clippy::should_implement_trait)]
    #[must_use = "this returns the union and leaves `self` unchanged"]
    pub const fn add(self, other: Interest) -> Interest {
        interest(self.0.get() | other.0.get())
    }

    /// Takes interests away. `None` if nothing would be left.
    ///
    /// # Examples
    ///
    /// ```
    /// use mio::Interest;
    ///
    /// const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
    ///
    /// assert_eq!(BOTH.remove(Interest::READABLE), Some(Interest::WRITABLE));
    /// assert_eq!(BOTH.remove(BOTH), None);
    /// ```
    #[must_use = "this returns what is left and leaves `self` unchanged"]
    pub const fn remove(self, other: Interest) -> Option<Interest> {
        match NonZeroU8::new(self.0.get() & !other.0.get()) {
            Some(bits) => Some(Interest(bits)),
            None => None,
        }
    }

    /// Whether this contains [`READABLE`](Interest::READABLE).
    pub const fn is_readable(self) -> bool {
        self.0.get() & READABLE != 0
    }

    /// Whether this contains [`WRITABLE`](Interest::WRITABLE).
    pub const fn is_writable(self) -> bool {
        self.0.get() & WRITABLE != 0
    }

    /// Whether this contains `AIO`; false on systems without that constant.
    pub const fn is_aio(self) -> bool {
        self.0.get() & AIO != 0
    }

    /// Whether this contains `LIO`; false on systems without that constant.
    pub const fn is_lio(self) -> bool {
        self.0.get() & LIO != 0
    }

    /// Whether this contains `PRIORITY`; false on systems without that
    /// constant.
    pub const fn is_priority(self) -> bool {
        self.0.get() & PRIORITY != 0
    }
}

impl BitOr for Interest {
    type Output = Interest;

    #[inline]
    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl BitOrAssign for Interest {
    #[inline]
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u8, &str); 5] = [
            (READABLE, "READABLE"),
            (WRITABLE, "WRITABLE"),
            (AIO, "AIO"),
            (LIO, "LIO"),
            (PRIORITY, "PRIORITY"),
        ];
        let mut separator = "";
        for (bit, name) in NAMES {
            if self.0.get() & bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        Ok(())
    }
}
