//! The calls that this backend makes, and the table of what differs from one
//! system's kqueue to another's.

use super::Event;
use crate::sys::unix::syscall::check;
use std::io;
use std::time::Duration;

// Who has the kernel's struct, its constants and its calls?
cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        pub(crate) use super::emulation as os;
        pub(super) use os::Kqueue;

        pub(super) fn kqueue() -> io::Result<Kqueue> {
            os::kqueue()
        }

        fn handle(kqueue: &Kqueue) -> &Kqueue {
            kqueue
        }
    } else {
        pub(crate) use libc as os;
        pub(super) use std::os::fd::OwnedFd as Kqueue;

        fn handle(kqueue: &Kqueue) -> libc::c_int {
            std::os::fd::AsRawFd::as_raw_fd(kqueue)
        }
    }
}
pub(super) use os::kevent;

// Can a queue be made that is closed on exec from its first moment?
cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android"))] {
        // The emulation made it, above.
    } else if #[cfg(target_os = "netbsd")] {
        pub(super) fn kqueue() -> io::Result<Kqueue> {
            // SAFETY: the call takes no pointers.
            owned(unsafe { libc::kqueue1(libc::O_CLOEXEC) })
        }
    } else if #[cfg(any(target_os = "freebsd", target_os = "openbsd"))] {
        /// Since FreeBSD 14 and OpenBSD 7.3. Programs that were built for them
        /// run on older systems, too: it is looked up by its name.
        pub(super) fn kqueue() -> io::Result<Kqueue> {
            type Kqueue1 = unsafe extern "C" fn(libc::c_int) -> libc::c_int;
            let name = b"kqueue1\0".as_ptr().cast();
            // SAFETY: the name is terminated, and the call only reads it.
            let symbol = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name) };
            if symbol.is_null() {
                return kqueue_in_two_steps();
            }
            // SAFETY: the C library's function of that name has this type.
            let kqueue1: Kqueue1 = unsafe { std::mem::transmute(symbol) };
            // SAFETY: the call takes no pointers.
            owned(unsafe { kqueue1(libc::O_CLOEXEC) })
        }
    } else {
        pub(super) fn kqueue() -> io::Result<Kqueue> {
            kqueue_in_two_steps()
        }
    }
}

cfg_if! {
    if #[cfg(any(target_os = "linux", target_os = "android", target_os = "netbsd"))] {
        // Nobody needs it.
    } else {
        /// A fork and exec of another thread in between leaves the descriptor
        /// number open in the new program; the queue itself is never inherited.
        fn kqueue_in_two_steps() -> io::Result<Kqueue> {
            use std::os::fd::AsRawFd;
            // SAFETY: the call takes no pointers.
            let kqueue = owned(unsafe { libc::kqueue() })?;
            // SAFETY: F_SETFD takes an integer and touches no memory of ours.
            check(unsafe { libc::fcntl(kqueue.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
            Ok(kqueue)
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn owned(ret: libc::c_int) -> io::Result<Kqueue> {
    let fd = check(ret)?;
    // SAFETY: the kernel just made `fd`, and nobody else knows of it.
    Ok(unsafe { std::os::fd::FromRawFd::from_raw_fd(fd) })
}

// How wide are filters and flags?
cfg_if! {
    if #[cfg(target_os = "netbsd")] {
        pub(crate) type FilterId = u32;
        pub(crate) type Flags = u32;
    } else {
        pub(crate) type FilterId = i16;
        pub(crate) type Flags = u16;
    }
}

// Which filter tells of out-of-band data?
cfg_if! {
    if #[cfg(any(
        target_vendor = "apple",
        target_os = "android",
        target_os = "dragonfly",
        target_os = "linux",
        target_os = "openbsd",
    ))] {
        pub(crate) const PRIORITY: Option<(FilterId, u32)> = Some((os::EVFILT_EXCEPT, os::NOTE_OOB));
    } else {
        pub(crate) const PRIORITY: Option<(FilterId, u32)> = None;
    }
}

// Which filters tell of completions of asynchronous I/O?
cfg_if! {
    if #[cfg(any(target_os = "android", target_os = "freebsd", target_os = "linux"))] {
        pub(crate) const AIO: Option<FilterId> = Some(os::EVFILT_AIO);
        pub(crate) const LIO: Option<FilterId> = Some(os::EVFILT_LIO);
    } else if #[cfg(any(target_vendor = "apple", target_os = "dragonfly"))] {
        pub(crate) const AIO: Option<FilterId> = Some(os::EVFILT_AIO);
        pub(crate) const LIO: Option<FilterId> = None;
    } else {
        pub(crate) const AIO: Option<FilterId> = None;
        pub(crate) const LIO: Option<FilterId> = None;
    }
}

// SAFETY: the pointer in it is a token: nobody follows it.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

/// Apple's kernels refuse to wait for longer.
const LONGEST: Duration = Duration::from_secs(100_000_000);

/// A token as the kernel carries it: a pointer that nobody follows.
pub(super) fn udata_of(token: usize) -> *mut libc::c_void {
    std::ptr::null_mut::<u8>().wrapping_add(token).cast()
}

/// Where to begin: systems have fields of their own behind those that we know.
pub(super) fn zeroed() -> kevent {
    // SAFETY: a kevent is integers and a pointer, all of which may be zero.
    unsafe { std::mem::zeroed() }
}

/// Makes the changes, and overwrites each with its receipt. All must ask for
/// one: else the call would take events.
pub(super) fn change(kqueue: &Kqueue, list: &mut [kevent]) -> io::Result<()> {
    let len = list.len();
    let (start, no_timeout) = (list.as_mut_ptr(), std::ptr::null());
    // SAFETY: the kernel reads and writes `len` entries of the slice, an entry
    // not before it was read.
    check(unsafe { os::kevent(handle(kqueue), start, len as _, start, len as _, no_timeout) })?;
    Ok(())
}

/// The errno of a receipt; 0 if the change was made.
pub(super) fn receipt(kevent: &kevent) -> i32 {
    if kevent.flags & os::EV_ERROR != 0 {
        kevent.data as i32
    } else {
        0
    }
}

/// Triggers the knote of a signal. Safe in a signal handler.
pub(super) fn trigger(kqueue: &Kqueue, ident: usize) -> io::Result<()> {
    let mut kevent = zeroed();
    kevent.ident = ident as _;
    kevent.filter = os::EVFILT_USER;
    kevent.fflags = os::NOTE_TRIGGER;
    let (no_events, no_timeout) = (std::ptr::null_mut(), std::ptr::null());
    loop {
        // SAFETY: the kernel reads the one change, and has no room to write.
        let ret = unsafe { os::kevent(handle(kqueue), &kevent, 1, no_events, 0, no_timeout) };
        match check(ret) {
            // To trigger it twice is to trigger it once.
            Err(err) if err.kind() == io::ErrorKind::Interrupted => {}
            result => return result.map(drop),
        }
    }
}

/// Waits, and appends at most `room` events.
#[inline]
pub(super) fn wait(
    kqueue: &Kqueue,
    events: &mut Vec<Event>,
    room: usize,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let timeout = timeout.map(timespec_of);
    let timeout: *const libc::timespec = match &timeout {
        Some(timeout) => timeout,
        None => std::ptr::null(),
    };
    let spare = events.spare_capacity_mut();
    let room = room.min(spare.len()).min(libc::c_int::MAX as usize);
    let buffer: *mut kevent = spare.as_mut_ptr().cast();
    let no_changes = std::ptr::null();
    // SAFETY: `buffer` has room for `room` events, of which `Event` is a
    // transparent wrapper; `timeout` is null or outlives the call.
    let ret = unsafe { os::kevent(handle(kqueue), no_changes, 0, buffer, room as _, timeout) };
    let len = events.len() + check(ret)? as usize;
    // SAFETY: the kernel says that it wrote so many behind the first ones.
    unsafe { events.set_len(len) };
    Ok(())
}

pub(super) fn timespec_of(timeout: Duration) -> libc::timespec {
    let timeout = timeout.min(LONGEST);
    libc::timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    }
}
