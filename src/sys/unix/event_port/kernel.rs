//! The calls that this backend makes, and whose kernel answers them.

use super::super::RawSource;
use super::table::{Associate, Association};
use super::Event;
use crate::sys::levels::HALF_CLOSE;
use crate::sys::unix::syscall::check;
use std::io;
use std::time::Duration;

// Who has the kernel's struct, its constants and its calls?
cfg_if! {
    if #[cfg(target_os = "solaris")] {
        pub(super) use libc as os;
        pub(super) use std::os::fd::OwnedFd as Port;

        pub(super) fn port_create() -> io::Result<Port> {
            use std::os::fd::{AsRawFd, FromRawFd};
            // SAFETY: the call takes no pointers.
            let fd = check(unsafe { libc::port_create() })?;
            // SAFETY: the kernel just made `fd`, and nobody else knows of it.
            let port = unsafe { Port::from_raw_fd(fd) };
            // A fork and exec of another thread in between leaves it open in the new program:
            // there is no call that does both.
            // SAFETY: F_SETFD takes an integer and touches no memory of ours.
            check(unsafe { libc::fcntl(port.as_raw_fd(), libc::F_SETFD, libc::FD_CLOEXEC) })?;
            Ok(port)
        }

        fn handle(port: &Port) -> libc::c_int {
            std::os::fd::AsRawFd::as_raw_fd(port)
        }
    } else {
        pub(super) mod emulation;
        pub(super) use emulation as os;
        pub(super) use emulation::{port_create, Port};

        fn handle(port: &Port) -> &Port {
            port
        }
    }
}
pub(super) use os::port_event;

// SAFETY: the pointer in it is a token, or a value of ours: nobody follows it.
unsafe impl Send for Event {}
// SAFETY: as above.
unsafe impl Sync for Event {}

/// No wait is longer; then the caller waits again.
const LONGEST: Duration = Duration::from_secs(100_000_000);

/// The value of no source of events.
const NO_SOURCE: libc::c_ushort = 0;

pub(super) fn zeroed() -> port_event {
    // SAFETY: a port_event is integers and a pointer, all of which may be zero.
    unsafe { std::mem::zeroed() }
}

impl Associate for Port {
    fn associate(&self, association: Association) -> io::Result<()> {
        let Association { fd, mask, cookie } = association;
        // Solaris has no bit for a half close, and so it is not in the mask there.
        let mask = libc::c_int::from(mask & !HALF_CLOSE);
        let (source, user) = (os::PORT_SOURCE_FD, cookie as *mut libc::c_void);
        // SAFETY: the kernel keeps `user` as a number, and follows it nowhere.
        let ret = unsafe { os::port_associate(handle(self), source, fd as _, mask, user) };
        check(ret).map(drop).map_err(usual)
    }

    fn dissociate(&self, fd: RawSource) -> io::Result<bool> {
        // SAFETY: the call takes no pointers.
        let ret = unsafe { os::port_dissociate(handle(self), os::PORT_SOURCE_FD, fd as _) };
        match check(ret) {
            Ok(_) => Ok(true),
            Err(err) if err.raw_os_error() == Some(libc::ENOENT) => Ok(false),
            Err(err) => Err(usual(err)),
        }
    }
}

/// What every other call says of a number that is no open descriptor.
fn usual(err: io::Error) -> io::Error {
    if err.raw_os_error() == Some(libc::EBADFD) {
        io::Error::from_raw_os_error(libc::EBADF)
    } else {
        err
    }
}

/// Puts an event into the queue of the port, or, when that is full, ends all
/// waits without one. Safe in a signal handler.
pub(super) fn signal(port: &Port, mark: usize) -> io::Result<()> {
    match send(port, mark) {
        Err(err) if err.raw_os_error() == Some(libc::EAGAIN) => {
            let (flags, events) = (os::PORT_ALERT_UPDATE, libc::c_int::from(libc::POLLIN));
            let user = mark as *mut libc::c_void;
            // SAFETY: the kernel keeps `user` as a number, and follows it nowhere.
            check(unsafe { os::port_alert(handle(port), flags, events, user) }).map(drop)
        }
        sent => sent,
    }
}

pub(super) fn send(port: &Port, user: usize) -> io::Result<()> {
    let (events, user) = (libc::c_int::from(libc::POLLIN), user as *mut libc::c_void);
    // SAFETY: the kernel keeps `user` as a number, and follows it nowhere.
    check(unsafe { os::port_send(handle(port), events, user) }).map(drop)
}

/// Lets the port be waited on again after an alert.
pub(super) fn end_alert(port: &Port) -> io::Result<()> {
    let (flags, nobody) = (os::PORT_ALERT_SET, std::ptr::null_mut());
    // SAFETY: the call takes no pointers but that, which nobody follows.
    check(unsafe { os::port_alert(handle(port), flags, 0, nobody) }).map(drop)
}

/// Waits, and appends at most `room` events. If there are any it succeeds.
pub(super) fn wait(
    port: &Port,
    events: &mut Vec<Event>,
    room: usize,
    timeout: Option<Duration>,
) -> io::Result<()> {
    let mut timeout = timeout.map(timespec_of);
    let timeout = timeout
        .as_mut()
        .map_or(std::ptr::null_mut(), |timeout| timeout);
    let spare = events.spare_capacity_mut();
    let room = room.min(spare.len()).min(libc::c_int::MAX as usize);
    let Some(first) = spare.first_mut() else {
        return Ok(());
    };
    // What the call did not write says so: its count may be left as it was when it fails, on
    // Solaris 11 and illumos alike (libuv, src/unix/sunos.c, looks at the list for the same
    // reason). That it is mended would show by a test of an error with a count.
    let mut blank = zeroed();
    blank.portev_source = NO_SOURCE;
    first.write(Event(blank));
    let list: *mut port_event = spare.as_mut_ptr().cast();
    let mut count: libc::c_uint = 1;
    // SAFETY: `list` has room for `room` events, of which `Event` is a transparent wrapper;
    // `count` and `timeout`, which may be null, outlive the call.
    let ret = unsafe { os::port_getn(handle(port), list, room as _, &mut count, timeout) };
    let result = check(ret);
    // SAFETY: the first one was written above, or by the call.
    let wrote_some = unsafe { (*list).portev_source } != NO_SOURCE;
    let written = if wrote_some { count as usize } else { 0 };
    let len = events.len() + written.min(room);
    // SAFETY: the kernel says that it wrote so many.
    unsafe { events.set_len(len) };
    match result {
        Err(err) if written == 0 && err.raw_os_error() != Some(libc::ETIME) => Err(err),
        // What it took out of its queue is ours, whatever else it says.
        _ => Ok(()),
    }
}

fn timespec_of(timeout: Duration) -> libc::timespec {
    let timeout = timeout.min(LONGEST);
    libc::timespec {
        tv_sec: timeout.as_secs() as _,
        tv_nsec: timeout.subsec_nanos() as _,
    }
}
