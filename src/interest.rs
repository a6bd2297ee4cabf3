use std::fmt;
use std::num::NonZeroU16;
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
/// # Modes
///
/// An interest also says *when* to report, for the registration as a whole:
///
/// | mode | a ready source is reported |
/// |---|---|
/// | [`edge`] (default) | when it becomes ready; then again once an operation said `WouldBlock` |
/// | [`level`] | by every poll for as long as it is ready |
/// | [`oneshot`] | once; then not before [`Registry::reregister`] |
#[cfg_attr(
    any(target_os = "linux", target_os = "android"),
    doc = "| [`exclusive`](Interest::exclusive) | to one of the `Poll`s that watch it, not to all |"
)]
///
/// `a | b` has the modes of both: it is level-triggered if either is. The mode
/// rides along wherever an interest is passed on, so that every
/// [`Source`](crate::event::Source) supports it.
///
/// ```
/// use mio::Interest;
///
/// let interest = Interest::READABLE.level() | Interest::WRITABLE;
/// assert!(interest.is_level());
/// assert_eq!(format!("{interest:?}"), "READABLE | WRITABLE | LEVEL");
/// ```
///
/// [`edge`]: Interest::edge
/// [`level`]: Interest::level
/// [`oneshot`]: Interest::oneshot
/// [`add`]: Interest::add
/// [`Registry::register`]: crate::Registry::register
/// [`Registry::reregister`]: crate::Registry::reregister
#[derive(Copy, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Interest(NonZeroU16);

const READABLE: u16 = 1 << 0;
const WRITABLE: u16 = 1 << 1;
const AIO: u16 = 1 << 2;
const LIO: u16 = 1 << 3;
const PRIORITY: u16 = 1 << 4;
const CLOSED: u16 = 1 << 5;
/// What is asked; the bits above say how.
const INTERESTS: u16 = 0xff;
const LEVEL: u16 = 1 << 8;
const ONESHOT: u16 = 1 << 9;
const EXCLUSIVE: u16 = 1 << 10;

/// Turns the bits of a constant into an interest; a zero does not compile.
#[inline]
const fn interest(bits: u16) -> Interest {
    match NonZeroU16::new(bits) {
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
    /// `EPOLLPRI` in [`epoll_ctl(2)`]. Of the systems with kqueue, those have
    /// it that have a filter for out-of-band data, and it tells of nothing else.
    /// On Windows, too, it is out-of-band data of a socket.
    ///
    /// [`epoll_ctl(2)`]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
    #[cfg(any(
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "linux",
        target_os = "openbsd",
        windows,
    ))]
    pub const PRIORITY: Interest = interest(PRIORITY);

    /// Interest in nothing but the end: errors, and a hang-up of both
    /// directions. Neither data nor a half close is reported.
    ///
    /// # Platform-specific behavior
    ///
    /// Alone it is an `Unsupported` error of the registration with kqueue and on
    /// WASI. Sockets of Windows then report a reset or a failed connect, but not an
    /// end in good order; named pipes a failed write, but not a peer that left.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(all(unix, feature = "os-poll", feature = "net")))]
    /// # fn main() {}
    /// # #[cfg(all(unix, feature = "os-poll", feature = "net"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UnixStream, Events, Interest, Poll, Token};
    /// use std::{io::Write, time::Duration};
    ///
    /// let mut poll = Poll::new()?;
    /// let mut events = Events::with_capacity(8);
    /// let (mut client, mut peer) = UnixStream::pair()?;
    /// poll.registry()
    ///     .register(&mut client, Token(0), Interest::CLOSED)?;
    ///
    /// peer.write_all(b"nobody asked")?;
    /// poll.poll(&mut events, Some(Duration::ZERO))?;
    /// assert!(events.is_empty());
    ///
    /// drop(peer);
    /// poll.poll(&mut events, None)?;
    /// assert!(events.iter().all(|event| event.is_read_closed()));
    /// # Ok(())
    /// # }
    /// ```
    pub const CLOSED: Interest = interest(CLOSED);

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
    #[inline]
    pub const fn add(self, other: Interest) -> Interest {
        interest(self.0.get() | other.0.get())
    }

    /// Takes interests away, but no modes. `None` if no interest would be left.
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
    #[inline]
    pub const fn remove(self, other: Interest) -> Option<Interest> {
        let bits = self.0.get() & !(other.0.get() & INTERESTS);
        if bits & INTERESTS == 0 {
            return None;
        }
        Some(interest(bits))
    }

    /// Reports when the source becomes ready: the default, which undoes
    /// [`level`](Interest::level).
    #[must_use = "this returns the interest with the mode"]
    #[inline]
    pub const fn edge(self) -> Interest {
        interest(self.0.get() & !LEVEL)
    }

    /// Reports in every poll for as long as the source is ready.
    ///
    /// Nothing need be drained, but a source that is ready and left alone keeps
    /// every poll from waiting: take `WRITABLE` away when there is nothing to
    /// write.
    #[must_use = "this returns the interest with the mode"]
    #[inline]
    pub const fn level(self) -> Interest {
        interest(self.0.get() | LEVEL)
    }

    /// Reports once, and then nothing of any kind before
    /// [`Registry::reregister`](crate::Registry::reregister).
    #[must_use = "this returns the interest with the mode"]
    #[inline]
    pub const fn oneshot(self) -> Interest {
        interest(self.0.get() | ONESHOT)
    }

    /// Of several `Poll`s that watch the same source, wakes one and not all.
    ///
    /// Meant for a listener that several threads accept from; see
    /// `EPOLLEXCLUSIVE` in [`epoll_ctl(2)`]. Only together with `READABLE` and
    /// `WRITABLE`, and not with [`oneshot`](Interest::oneshot): everything else
    /// is an `InvalidInput` error of the registration. A half close of the peer
    /// is not reported.
    ///
    /// The kernel cannot change such a registration, so that reregistering
    /// ends it and makes a new one. Should that fail, the error is `NotFound`,
    /// and the source is no longer registered.
    ///
    /// [`epoll_ctl(2)`]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
    #[cfg(any(target_os = "linux", target_os = "android"))]
    #[must_use = "this returns the interest with the mode"]
    #[inline]
    pub const fn exclusive(self) -> Interest {
        interest(self.0.get() | EXCLUSIVE)
    }

    /// Whether this contains [`READABLE`](Interest::READABLE).
    #[inline]
    pub const fn is_readable(self) -> bool {
        self.0.get() & READABLE != 0
    }

    /// Whether this contains [`WRITABLE`](Interest::WRITABLE).
    #[inline]
    pub const fn is_writable(self) -> bool {
        self.0.get() & WRITABLE != 0
    }

    /// Whether this contains `AIO`; false on systems without that constant.
    #[inline]
    pub const fn is_aio(self) -> bool {
        self.0.get() & AIO != 0
    }

    /// Whether this contains `LIO`; false on systems without that constant.
    #[inline]
    pub const fn is_lio(self) -> bool {
        self.0.get() & LIO != 0
    }

    /// Whether this contains `PRIORITY`; false on systems without that
    /// constant.
    #[inline]
    pub const fn is_priority(self) -> bool {
        self.0.get() & PRIORITY != 0
    }

    /// Whether this contains [`CLOSED`](Interest::CLOSED).
    #[inline]
    pub const fn is_closed(self) -> bool {
        self.0.get() & CLOSED != 0
    }

    /// Whether the mode is [`level`](Interest::level) and not
    /// [`edge`](Interest::edge).
    #[inline]
    pub const fn is_level(self) -> bool {
        self.0.get() & LEVEL != 0
    }

    /// Whether the mode is [`oneshot`](Interest::oneshot).
    #[inline]
    pub const fn is_oneshot(self) -> bool {
        self.0.get() & ONESHOT != 0
    }

    /// Whether the mode is `exclusive`; false on systems without it.
    #[inline]
    pub const fn is_exclusive(self) -> bool {
        self.0.get() & EXCLUSIVE != 0
    }

    /// Whether there is any mode but the default: most registrations have none.
    #[inline]
    pub(crate) const fn has_mode(self) -> bool {
        self.0.get() & !INTERESTS != 0
    }
}

/// What can be asked also where no constant names it.
#[cfg(any(test, mio_fuzzing))]
impl Interest {
    pub(crate) const COMPLETIONS: Interest = interest(AIO | LIO);
    pub(crate) const URGENT: Interest = interest(PRIORITY);
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
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const NAMES: [(u16, &str); 9] = [
            (READABLE, "READABLE"),
            (WRITABLE, "WRITABLE"),
            (AIO, "AIO"),
            (LIO, "LIO"),
            (PRIORITY, "PRIORITY"),
            (CLOSED, "CLOSED"),
            (LEVEL, "LEVEL"),
            (ONESHOT, "ONESHOT"),
            (EXCLUSIVE, "EXCLUSIVE"),
        ];
        let mut separator = "";
        for (bit, name) in &NAMES {
            if self.0.get() & bit != 0 {
                f.write_str(separator)?;
                f.write_str(name)?;
                separator = " | ";
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// On most systems no constant has these bits.
    #[test]
    fn completions_are_two_interests() {
        let completions = Interest::COMPLETIONS;
        assert!(completions.is_aio() && completions.is_lio());
        assert!(!completions.is_priority() && !completions.is_closed());
        assert!(!Interest::CLOSED.is_aio() && !Interest::CLOSED.is_lio());
        assert_eq!(format!("{completions:?}"), "AIO | LIO");
        assert_eq!(format!("{:?}", interest(AIO)), "AIO");
    }
}
