//! Backend: [`epoll(7)`], for Linux and Android.
//!
//! **The kernel object** is an epoll instance: a set of descriptors with their
//! masks, and a list of those that are ready. The token travels in the `data`
//! field and comes back in the kernel's own struct, which *is* our event. No
//! table stands beside the kernel's.
//!
//! **Edges** are the kernel's, and so are the other modes. The mask
//! of an event is the complete state at the time of the wait, not only what
//! changed. `EPOLL_CTL_MOD` looks at the state anew, which is what makes a
//! reregistration report what is ready.
//!
//! **The signal** is an eventfd or a pipe, registered edge-triggered and never read. Its
//! events carry the `COOKIE`, see there, and are taken out of each batch.
//!
//! **Waiting**: `epoll_wait` takes milliseconds. A timeout with a finer part goes
//! through `epoll_pwait2`, which Linux has since 5.11. Once the kernel or a sandbox
//! has refused it, all timeouts go through `epoll_wait`, rounded up.
//! Android kills a process for a call that is not on its list, so it is never
//! tried there; `--cfg mio_no_epoll_pwait2` does the same for other sandboxes.
//!
//! **Limits**: regular files cannot be registered (`EPERM`). The registration
//! belongs to descriptor number *and* open file: a descriptor that is closed
//! while a duplicate lives keeps reporting, and can no longer be deregistered.
//!
//! [`epoll(7)`]: https://man7.org/linux/man-pages/man7/epoll.7.html

use super::super::{flags, timeout, Backend, RawEvent};
use super::RawSource;
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::edges::KernelEdges;
use crate::sys::waker::Wakeup;
use crate::token::Token;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use std::{fmt, io};

/// An epoll instance.
#[derive(Debug)]
pub(crate) struct Selector {
    epoll: OwnedFd,
    /// Whether a token of the caller's was ever the cookie. Its address, which
    /// stays while the selector lives, is the cookie.
    cookie_is_taken: Box<AtomicBool>,
}

impl Selector {
    /// What the `data` of the signal's events is.
    ///
    /// It must not be the token of a source. Where tokens are narrower than
    /// `data`, it is a value beyond them. Where they are as wide, it is the
    /// address of something that we own: no token made of a pointer can equal
    /// it. An integer can, by chance; then the signal's events are no longer
    /// hidden, and come to the caller as spurious events of that token.
    fn cookie(&self) -> u64 {
        if cfg!(target_pointer_width = "64") {
            let address: *const AtomicBool = &*self.cookie_is_taken;
            address as usize as u64
        } else {
            1 << 32
        }
    }

    #[inline]
    fn control(
        &self,
        operation: libc::c_int,
        source: RawSource,
        token: Token,
        mask: u32,
    ) -> io::Result<()> {
        let data = token.0 as u64;
        if data == self.cookie() {
            self.cookie_is_taken.store(true, Ordering::Release);
        }
        kernel::epoll_ctl(self.epoll.as_fd(), operation, source, mask, data)
    }
}

impl Selector {
    /// Ends a registration and makes another, since the kernel modifies none
    /// that is exclusive, and makes none exclusive.
    #[cold]
    #[inline]
    fn replace(&self, source: RawSource, token: Token, mask: u32) -> io::Result<()> {
        self.deregister(source, &())?;
        self.control(libc::EPOLL_CTL_ADD, source, token, mask)
            .map_err(|err| {
                io::Error::new(
                    io::ErrorKind::NotFound,
                    format!("the source is no longer registered: {err}"),
                )
            })
    }
}

impl Backend for Selector {
    type Event = Event;
    type Registration = KernelEdges;
    type Signal = Wakeup;
    type Handle = ();

    fn new() -> io::Result<Selector> {
        Ok(Selector {
            epoll: kernel::epoll_create()?,
            cookie_is_taken: Box::new(AtomicBool::new(false)),
        })
    }

    #[inline]
    fn select(
        &self,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        let epoll = self.epoll.as_fd();
        match timeout {
            Some(precise) if timeout::has_sub_millis(precise) => {
                kernel::epoll_wait_precise(epoll, events, room, precise)
            }
            _ => kernel::epoll_wait(epoll, events, room, timeout::as_millis(timeout)),
        }
    }

    #[inline]
    fn register(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        self.control(libc::EPOLL_CTL_ADD, source, token, mask_of(interest)?)
    }

    #[inline]
    fn reregister(
        &self,
        source: RawSource,
        _: &(),
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let mask = mask_of(interest)?;
        if !interest.is_exclusive() {
            let modified = self.control(libc::EPOLL_CTL_MOD, source, token, mask);
            match &modified {
                // Most likely it is exclusive: those cannot be modified.
                Err(err) if err.raw_os_error() == Some(libc::EINVAL) => {}
                _ => return modified,
            }
        }
        self.replace(source, token, mask)
    }

    #[inline]
    fn deregister(&self, source: RawSource, _: &()) -> io::Result<()> {
        kernel::epoll_del(self.epoll.as_fd(), source)
    }

    #[inline]
    fn register_raw(&self, source: RawSource, token: Token, interest: Interest) -> io::Result<()> {
        self.register(source, token, interest)
    }

    #[inline]
    fn reregister_raw(
        &self,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.reregister(source, &(), token, interest)
    }

    #[inline]
    fn deregister_raw(&self, source: RawSource) -> io::Result<()> {
        self.deregister(source, &())
    }

    fn add_signal(&self) -> io::Result<Wakeup> {
        let signal = Wakeup::new(true)?;
        kernel::epoll_ctl(
            self.epoll.as_fd(),
            libc::EPOLL_CTL_ADD,
            signal.source(),
            (libc::EPOLLIN | libc::EPOLLET) as u32,
            self.cookie(),
        )?;
        Ok(signal)
    }

    #[inline]
    fn is_signal(&self, event: &Event) -> bool {
        event.data() == self.cookie() && !self.cookie_is_taken.load(Ordering::Acquire)
    }

    #[inline]
    fn woken(&self, token: Token) -> Event {
        Event(kernel::event(libc::EPOLLIN as u32, token.0 as u64))
    }
}

impl AsFd for Selector {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// The mask that the kernel gets for an interest. Errors and hang-ups are
/// reported without being asked for.
#[inline]
pub(crate) fn mask_of(interest: Interest) -> io::Result<u32> {
    if interest.has_mode() {
        return mask_with_mode(interest);
    }
    Ok(mask_of_interests(interest) | libc::EPOLLET as u32)
}

/// With a mode that is not the default.
#[cold]
fn mask_with_mode(interest: Interest) -> io::Result<u32> {
    let mut mask = mask_of_interests(interest);
    if !interest.is_level() {
        mask |= libc::EPOLLET as u32;
    }
    if interest.is_oneshot() {
        mask |= libc::EPOLLONESHOT as u32;
    }
    if interest.is_exclusive() {
        let others = interest.is_priority() || interest.is_closed();
        if others || interest.is_oneshot() {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "an exclusive interest goes with READABLE and WRITABLE only, and not with one-shot",
            ));
        }
        // The kernel takes no other bit beside this one.
        mask &= !(libc::EPOLLRDHUP as u32);
        mask |= libc::EPOLLEXCLUSIVE as u32;
    }
    Ok(mask)
}

#[inline]
fn mask_of_interests(interest: Interest) -> u32 {
    let mut mask = 0;
    if interest.is_readable() {
        mask |= libc::EPOLLIN | libc::EPOLLRDHUP;
    }
    if interest.is_writable() {
        mask |= libc::EPOLLOUT;
    }
    if interest.is_priority() {
        mask |= libc::EPOLLPRI;
    }
    mask as u32
}

/// What the mask of an event tells.
///
/// A half-close of the peer comes with readability only. The last two cases of
/// `WRITE_CLOSED` are what a pipe or socket reports whose reader is gone:
/// writable with an error, and, if it was full, an error and nothing else.
#[inline]
pub(crate) const fn readiness_of(mask: u32) -> Readiness {
    const IN: u32 = libc::EPOLLIN as u32;
    const OUT: u32 = libc::EPOLLOUT as u32;
    const PRI: u32 = libc::EPOLLPRI as u32;
    const ERR: u32 = libc::EPOLLERR as u32;
    const HUP: u32 = libc::EPOLLHUP as u32;
    const RDHUP: u32 = libc::EPOLLRDHUP as u32;

    Readiness::EMPTY
        .with(Readiness::READABLE, mask & (IN | PRI) != 0)
        .with(Readiness::WRITABLE, mask & OUT != 0)
        .with(Readiness::ERROR, mask & ERR != 0)
        .with(
            Readiness::READ_CLOSED,
            mask & HUP != 0 || mask & (IN | RDHUP) == IN | RDHUP,
        )
        .with(
            Readiness::WRITE_CLOSED,
            mask & HUP != 0 || mask & (OUT | ERR) == OUT | ERR || mask == ERR,
        )
        .with(Readiness::PRIORITY, mask & PRI != 0)
}

/// An event as the kernel wrote it.
#[derive(Clone)]
#[repr(transparent)]
pub(crate) struct Event(libc::epoll_event);

impl Event {
    /// The struct is packed on some architectures: its fields are copied,
    /// never referred to.
    #[inline]
    fn data(&self) -> u64 {
        self.0.u64
    }
}

impl RawEvent for Event {
    #[inline]
    fn token(&self) -> Token {
        Token(self.data() as usize)
    }

    #[inline]
    fn readiness(&self) -> Readiness {
        readiness_of(self.0.events)
    }

    #[inline]
    fn fmt_raw(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        struct Mask(u32);
        impl fmt::Debug for Mask {
            #[inline]
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                const NAMES: [(u32, &str); 6] = [
                    (libc::EPOLLIN as u32, "EPOLLIN"),
                    (libc::EPOLLPRI as u32, "EPOLLPRI"),
                    (libc::EPOLLOUT as u32, "EPOLLOUT"),
                    (libc::EPOLLERR as u32, "EPOLLERR"),
                    (libc::EPOLLHUP as u32, "EPOLLHUP"),
                    (libc::EPOLLRDHUP as u32, "EPOLLRDHUP"),
                ];
                flags::fmt_flags(f, self.0, &NAMES)
            }
        }
        f.debug_struct("epoll_event")
            .field("events", &Mask(self.0.events))
            .field("u64", &self.data())
            .finish()
    }
}

/// The calls that this backend makes.
#[allow(unsafe_code)]
mod kernel {
    use super::super::syscall::{check, hot};
    use super::{timeout, Event};
    use std::io;
    use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
    use std::time::Duration;

    pub(super) fn epoll_create() -> io::Result<OwnedFd> {
        // SAFETY: the call takes no pointers.
        let fd = check(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) })?;
        // SAFETY: the kernel just made `fd`, and nobody else knows of it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    /// Redox has padding of its own in it.
    #[inline]
    pub(super) fn event(events: u32, data: u64) -> libc::epoll_event {
        // SAFETY: an epoll_event is integers, all of which may be zero.
        let mut event: libc::epoll_event = unsafe { std::mem::zeroed() };
        event.events = events;
        event.u64 = data;
        event
    }

    #[inline]
    pub(super) fn epoll_ctl(
        epoll: BorrowedFd<'_>,
        operation: libc::c_int,
        source: RawFd,
        mask: u32,
        data: u64,
    ) -> io::Result<()> {
        let mut event = event(mask, data);
        // SAFETY: `event` lives through the call, which only reads it. That
        // `source` may be no open descriptor is an error, not a fault.
        check(unsafe { hot::epoll_ctl(epoll.as_raw_fd(), operation, source, &mut event) })?;
        Ok(())
    }

    #[inline]
    pub(super) fn epoll_del(epoll: BorrowedFd<'_>, source: RawFd) -> io::Result<()> {
        let no_event = std::ptr::null_mut();
        // SAFETY: to delete takes no event, since Linux 2.6.9. That `source` may
        // be no open descriptor is an error, not a fault.
        check(unsafe { hot::epoll_ctl(epoll.as_raw_fd(), libc::EPOLL_CTL_DEL, source, no_event) })?;
        Ok(())
    }

    /// Appends what `wait` writes into the spare capacity, at most `room`.
    #[inline]
    fn append(
        events: &mut Vec<Event>,
        room: usize,
        wait: impl FnOnce(*mut libc::epoll_event, libc::c_int) -> io::Result<libc::c_int>,
    ) -> io::Result<()> {
        let spare = events.spare_capacity_mut();
        let room = room.min(spare.len());
        // The kernel writes its struct, of which `Event` is a transparent
        // wrapper.
        let written = wait(spare.as_mut_ptr().cast(), room as libc::c_int)?;
        let len = events.len() + written as usize;
        // SAFETY: the kernel, which was given room for `room` events behind
        // the first `events.len()`, says that it wrote `written` of them.
        unsafe { events.set_len(len) };
        Ok(())
    }

    #[inline]
    pub(super) fn epoll_wait(
        epoll: BorrowedFd<'_>,
        events: &mut Vec<Event>,
        room: usize,
        timeout_ms: libc::c_int,
    ) -> io::Result<()> {
        append(events, room, |buffer, max| {
            // SAFETY: `append` says that `buffer` has room for `max` events.
            check(unsafe { hot::epoll_wait(epoll.as_raw_fd(), buffer, max, timeout_ms) })
        })
    }

    /// Waits with more than millisecond precision, where that can be had.
    pub(super) fn epoll_wait_precise(
        epoll: BorrowedFd<'_>,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Duration,
    ) -> io::Result<()> {
        match epoll_pwait2(epoll, events, room, timeout) {
            Some(result) => result,
            None => epoll_wait(epoll, events, room, timeout::as_millis(Some(timeout))),
        }
    }

    /// Waits by [`epoll_pwait2(2)`]; `None` if the kernel or a sandbox does not
    /// let us, which is asked once a process.
    ///
    /// The call is made by its number: C libraries lack it, or take another
    /// `timespec` on 32-bit systems.
    ///
    /// [`epoll_pwait2(2)`]: https://man7.org/linux/man-pages/man2/epoll_wait.2.html
    #[cfg(all(target_os = "linux", not(miri), not(mio_no_epoll_pwait2)))]
    fn epoll_pwait2(
        epoll: BorrowedFd<'_>,
        events: &mut Vec<Event>,
        room: usize,
        timeout: Duration,
    ) -> Option<io::Result<()>> {
        use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
        static REFUSED: AtomicBool = AtomicBool::new(false);

        /// The kernel's `__kernel_timespec`: 64 bits on every architecture.
        #[repr(C)]
        struct Timespec {
            sec: i64,
            nsec: i64,
        }

        if REFUSED.load(Relaxed) {
            return None;
        }
        let timespec = Timespec {
            sec: i64::try_from(timeout.as_secs()).unwrap_or(i64::MAX),
            nsec: i64::from(timeout.subsec_nanos()),
        };
        let result = append(events, room, |buffer, max| {
            let (epoll, timespec): (_, *const Timespec) = (epoll.as_raw_fd(), &timespec);
            let sigmask: *const libc::sigset_t = std::ptr::null();
            let sigmask_size = 8_usize;
            let number = libc::SYS_epoll_pwait2;
            // SAFETY: `append` says that `buffer` has room for `max` events;
            // `timespec` lives through the call; no signal mask is given.
            let ret = unsafe {
                libc::syscall(number, epoll, buffer, max, timespec, sigmask, sigmask_size)
            };
            check(ret as libc::c_int)
        });
        let errno = result.as_ref().err().and_then(io::Error::raw_os_error);
        if errno.is_some_and(is_refusal) {
            REFUSED.store(true, Relaxed);
            return None;
        }
        Some(result)
    }

    /// Whether a kernel, or a sandbox, that does not know a call answers so.
    /// The call itself fails with none of these.
    #[cfg(any(test, all(target_os = "linux", not(miri), not(mio_no_epoll_pwait2))))]
    pub(super) fn is_refusal(errno: i32) -> bool {
        matches!(
            errno,
            libc::ENOSYS | libc::EPERM | libc::EACCES | libc::EOPNOTSUPP
        )
    }

    #[cfg(not(all(target_os = "linux", not(miri), not(mio_no_epoll_pwait2))))]
    fn epoll_pwait2(
        _: BorrowedFd<'_>,
        _: &mut Vec<Event>,
        _: usize,
        _: Duration,
    ) -> Option<io::Result<()>> {
        None
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
