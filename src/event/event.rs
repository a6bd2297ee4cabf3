use crate::readiness::Readiness;
use crate::sys::{self, RawEvent};
use crate::token::Token;
use std::fmt;

/// One report of a source's readiness.
///
/// An event says that an operation is *likely* not to block. It is a hint:
/// - An event may be spurious. Be ready for [`WouldBlock`].
/// - One source may be reported by one event or by several, in any order.
/// - [`is_readable`] and [`is_writable`] can be relied on everywhere. The other
///   questions have false negatives, some on every system; the table tells what
///   is asked of which kernel. The "closed" questions have no false positives,
///   but for those in the notes.
///
/// A loop that handles whatever may come asks [`should_read`] and
/// [`should_write`], which are also true of a source that has failed or hung
/// up: the operation then returns at once, and tells what happened.
///
/// # Platform-specific behavior
///
/// | question | epoll | kqueue | Windows (AFD) |
/// |---|---|---|---|
/// | [`is_readable`] | `EPOLLIN` or `EPOLLPRI` | `EVFILT_READ`, `EVFILT_USER` or `EVFILT_EXCEPT` | `RECEIVE`, `ACCEPT`, `DISCONNECT`, `ABORT` or `CONNECT_FAIL` |
/// | [`is_writable`] | `EPOLLOUT` | `EVFILT_WRITE` | `SEND`, `ABORT` or `CONNECT_FAIL` |
/// | [`is_error`] | `EPOLLERR` | `EV_ERROR`, or `EV_EOF` with an error in `fflags` | `CONNECT_FAIL`, or the socket cannot be polled |
/// | [`is_read_closed`] | `EPOLLHUP`, or `EPOLLIN` with `EPOLLRDHUP` | `EVFILT_READ` with `EV_EOF` | `DISCONNECT`, `ABORT` or `CONNECT_FAIL` |
/// | [`is_write_closed`] | `EPOLLHUP`, or `EPOLLOUT` with `EPOLLERR`, or `EPOLLERR` alone | `EVFILT_WRITE` with `EV_EOF` | `ABORT` or `CONNECT_FAIL` |
/// | [`is_priority`] | `EPOLLPRI` | `EVFILT_EXCEPT` | `RECEIVE_EXPEDITED` |
/// | [`is_aio`] | never | `EVFILT_AIO` | never |
/// | [`is_lio`] | never | `EVFILT_LIO` | never |
///
/// See [`epoll_ctl(2)`] and [`kqueue(2)`] for the flags. poll(2), event ports and WASI
/// answer as epoll does, by the bits `POLLIN` and so on, as far as they have them:
/// a half close has one on Linux and Android alone, and elsewhere reading tells of it. kqueue
/// reports reading and writing of one source by an event each. On Windows, an event
/// for `CLOSED` alone is neither readable nor writable, and a socket that cannot be
/// polled is readable, writable and an error. On Linux an error does not always end a
/// socket: a connected UDP socket whose peer was unreachable, and one with
/// messages in its error queue (`MSG_ZEROCOPY`, time stamps), answer
/// `is_write_closed` with true although they can go on.
///
/// # Examples
///
/// A pipe whose writer is gone is not readable on Linux, it has only hung up:
///
/// ```
/// # #[cfg(not(all(unix, feature = "os-ext")))]
/// # fn main() {}
/// # #[cfg(all(unix, feature = "os-ext"))]
/// # fn main() -> std::io::Result<()> {
/// use mio::{unix::pipe, Events, Interest, Poll, Token};
///
/// let mut poll = Poll::new()?;
/// let (sender, mut receiver) = pipe::new()?;
/// poll.registry()
///     .register(&mut receiver, Token(0), Interest::READABLE)?;
/// drop(sender);
///
/// let mut events = Events::with_capacity(8);
/// poll.poll(&mut events, None)?;
/// for event in &events {
///     assert!(event.should_read());
///     assert!(event.is_read_closed());
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`WouldBlock`]: std::io::ErrorKind::WouldBlock
/// [`epoll_ctl(2)`]: https://man7.org/linux/man-pages/man2/epoll_ctl.2.html
/// [`kqueue(2)`]: https://man.freebsd.org/cgi/man.cgi?query=kqueue&sektion=2
/// [`is_aio`]: Event::is_aio
/// [`is_error`]: Event::is_error
/// [`is_lio`]: Event::is_lio
/// [`is_priority`]: Event::is_priority
/// [`is_read_closed`]: Event::is_read_closed
/// [`is_readable`]: Event::is_readable
/// [`is_writable`]: Event::is_writable
/// [`is_write_closed`]: Event::is_write_closed
/// [`should_read`]: Event::should_read
/// [`should_write`]: Event::should_write
#[derive(Clone)]
#[repr(transparent)]
pub struct Event {
    raw: sys::Event,
}

impl Event {
    /// The token that the source was registered with.
    #[inline]
    pub fn token(&self) -> Token {
        self.raw.token()
    }

    /// Whether there is something to read: data, a connection to accept, the
    /// end of the stream. Also the event of a [`Waker`](crate::Waker).
    #[inline]
    pub fn is_readable(&self) -> bool {
        self.is(Readiness::READABLE)
    }

    /// Whether there is room to write, or a connection attempt has ended.
    #[inline]
    pub fn is_writable(&self) -> bool {
        self.is(Readiness::WRITABLE)
    }

    /// Whether the source has an error; `take_error` of a socket tells which.
    ///
    /// Most failed sources answer their next read or write with the error, too.
    #[inline]
    pub fn is_error(&self) -> bool {
        self.is(Readiness::ERROR)
    }

    /// Whether nothing more will arrive than what is already here.
    ///
    /// Read on until the end: data that arrived before may still be waiting.
    #[inline]
    pub fn is_read_closed(&self) -> bool {
        self.is(Readiness::READ_CLOSED)
    }

    /// Whether nothing can be written any more.
    #[inline]
    pub fn is_write_closed(&self) -> bool {
        self.is(Readiness::WRITE_CLOSED)
    }

    /// Whether there is an exceptional condition, such as out-of-band data;
    /// see `Interest::PRIORITY`, which not every system has.
    #[inline]
    pub fn is_priority(&self) -> bool {
        self.is(Readiness::PRIORITY)
    }

    /// Whether an asynchronous I/O operation has completed; see
    /// `Interest::AIO`, which not every system has.
    #[inline]
    pub fn is_aio(&self) -> bool {
        self.is(Readiness::AIO)
    }

    /// Whether a list of I/O operations has completed; see `Interest::LIO`,
    /// which not every system has.
    #[inline]
    pub fn is_lio(&self) -> bool {
        self.is(Readiness::LIO)
    }

    /// Whether to read (or accept, or receive) now: the source is readable, its
    /// reading side is closed, or it has an error.
    ///
    /// Where [`is_readable`](Event::is_readable) alone decides, a source that
    /// only hung up is never looked at.
    #[inline]
    pub fn should_read(&self) -> bool {
        self.is(Readiness::READABLE
            .or(Readiness::READ_CLOSED)
            .or(Readiness::ERROR))
    }

    /// Whether to write (or send, or look at a connection attempt) now: the
    /// source is writable, its writing side is closed, or it has an error.
    #[inline]
    pub fn should_write(&self) -> bool {
        self.is(Readiness::WRITABLE
            .or(Readiness::WRITE_CLOSED)
            .or(Readiness::ERROR))
    }

    #[inline]
    fn is(&self, any_of: Readiness) -> bool {
        self.raw.readiness().intersects(any_of)
    }

    /// The kernel's event as the caller sees it.
    #[inline]
    #[allow(unsafe_code)]
    pub(super) fn from_raw(raw: &sys::Event) -> &Event {
        let event: *const Event = <*const sys::Event>::cast(raw);
        // SAFETY: `Event` is a transparent wrapper of the kernel's event, and
        // the result lives no longer than `raw` is borrowed.
        unsafe { &*event }
    }
}

impl fmt::Debug for Event {
    /// What the event tells; with `{:#?}` also the kernel's own fields, whose
    /// form is not stable.
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Details<'a>(&'a sys::Event);
        impl fmt::Debug for Details<'_> {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt_raw(f)
            }
        }
        let alternate = f.alternate();
        let mut text = f.debug_struct("Event");
        text.field("token", &self.token())
            .field("readable", &self.is_readable())
            .field("writable", &self.is_writable())
            .field("error", &self.is_error())
            .field("read_closed", &self.is_read_closed())
            .field("write_closed", &self.is_write_closed())
            .field("priority", &self.is_priority())
            .field("aio", &self.is_aio())
            .field("lio", &self.is_lio());
        if alternate {
            text.field("details", &Details(&self.raw));
        }
        text.finish()
    }
}
