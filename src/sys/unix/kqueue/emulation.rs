//! kqueue on Linux, for tests: `kevent(2)` over epoll.
//!
//! It lets the backend run where no BSD kernel is to be had. Each filter is an
//! epoll instance of its own inside an outer one, which is the queue's
//! descriptor: so that reading and writing are separate edges, and closing a
//! descriptor ends both. A user event is an eventfd, and a signal a signalfd.
//!
//! What is as on the real thing: receipts, the order of changes, `ENOENT` of a
//! filter that is not there, flags that stay as a filter was first added, `EINVAL` of an unknown filter and of a wait beyond
//! 10^8 seconds, a queue that can be watched for
//! reading only, and not by itself, edges (`EV_CLEAR`) and levels, `EV_EOF` with an error in
//! `fflags`, `EV_DISPATCH`, `EV_ENABLE` and `EV_DISABLE`, triggers from signal
//! handlers, a queue watched by another.
//!
//! What is not:
//!
//! | here | on a real kqueue |
//! |---|---|
//! | a duplicate of a closed descriptor goes on reporting | closing a descriptor ends its filters |
//! | a forked child has the queue | the child's is closed |
//! | a queue takes six descriptors, a user event and a signal another | one, and none |
//! | signals of a thread that blocks them | all signals of the process |
//! | regular files are refused (`EPERM`) | always ready |
//! | `fflags` is `EIO` for every error of a socket | the socket's own error |
//! | a local `shutdown` of writing is no `EV_EOF` of that filter | it is |
//! | a new TCP socket has hung up (`EV_EOF`) | it is silent |
//! | `data` is 0 | bytes to read, or room to write |
//! | events come filter by filter, taking turns | in the order of their arrival |
//! | a wait can end early, without events | it does not |
//! | other filters, `EV_ONESHOT`: `EINVAL` | timers, processes, files, completions |

use crate::sys::unix::emulation::{
    control, control_raw, epoll_create, eventfd, fail, signalfd, wait_readable, BlockedSignals,
};
use libc::{c_int, c_short, c_uint, c_ushort, c_void, epoll_event};
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Packed as Apple's is, with fields behind those that we know as FreeBSD's has.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
#[repr(C, packed(4))]
pub(super) struct kevent {
    pub(super) ident: usize,
    pub(super) filter: c_short,
    pub(super) flags: c_ushort,
    pub(super) fflags: c_uint,
    pub(super) data: i64,
    pub(super) udata: *mut c_void,
    pub(super) ext: [u64; 4],
}

pub(crate) const EVFILT_READ: i16 = -1;
pub(crate) const EVFILT_WRITE: i16 = -2;
pub(crate) const EVFILT_AIO: i16 = -3;
pub(crate) const EVFILT_SIGNAL: i16 = -6;
pub(crate) const EVFILT_LIO: i16 = -10;
pub(crate) const EVFILT_USER: i16 = -11;
pub(crate) const EVFILT_EXCEPT: i16 = -15;

pub(crate) const EV_ADD: u16 = 0x1;
pub(crate) const EV_DELETE: u16 = 0x2;
pub(crate) const EV_ENABLE: u16 = 0x4;
pub(crate) const EV_DISABLE: u16 = 0x8;
pub(crate) const EV_ONESHOT: u16 = 0x10;
pub(crate) const EV_CLEAR: u16 = 0x20;
pub(crate) const EV_RECEIPT: u16 = 0x40;
pub(crate) const EV_DISPATCH: u16 = 0x80;
pub(crate) const EV_ERROR: u16 = 0x4000;
pub(crate) const EV_EOF: u16 = 0x8000;

pub(crate) const NOTE_TRIGGER: u32 = 0x0100_0000;
pub(crate) const NOTE_OOB: u32 = 0x2;

const IN: u32 = libc::EPOLLIN as u32;
const OUT: u32 = libc::EPOLLOUT as u32;
const PRI: u32 = libc::EPOLLPRI as u32;
const ERR: u32 = libc::EPOLLERR as u32;
const HUP: u32 = libc::EPOLLHUP as u32;
const RDHUP: u32 = libc::EPOLLRDHUP as u32;

/// The filters, in the order of their epoll instances, and the masks of these.
const FILTERS: [(i16, u32); 5] = [
    (EVFILT_READ, IN | RDHUP),
    (EVFILT_WRITE, OUT),
    (EVFILT_EXCEPT, PRI),
    (EVFILT_USER, IN),
    (EVFILT_SIGNAL, IN),
];

/// The longest wait, as Apple's kernels have it.
const LONGEST_SECS: i32 = 100_000_000;

/// A queue.
#[derive(Debug)]
pub(crate) struct Kqueue {
    outer: OwnedFd,
    /// One for each of `FILTERS`.
    inner: [OwnedFd; FILTERS.len()],
    knotes: Mutex<Knotes>,
    /// Which filter is harvested first.
    turn: AtomicUsize,
}

/// By the index of the filter, and the ident.
type Knotes = HashMap<(usize, usize), Knote>;

#[derive(Debug)]
struct Knote {
    flags: u16,
    udata: usize,
    enabled: bool,
    /// What a user event or a signal is made of.
    own: Option<File>,
}

impl AsFd for Kqueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.outer.as_fd()
    }
}

pub(super) fn kqueue() -> io::Result<Kqueue> {
    let outer = epoll_create()?;
    let inner = [
        epoll_create()?,
        epoll_create()?,
        epoll_create()?,
        epoll_create()?,
        epoll_create()?,
    ];
    for epoll in &inner {
        control(&outer, libc::EPOLL_CTL_ADD, epoll.as_raw_fd(), IN, 0)?;
    }
    Ok(Kqueue {
        outer,
        inner,
        // Room enough that registering allocates nothing, as on a real one.
        knotes: Mutex::new(HashMap::with_capacity(1024)),
        turn: AtomicUsize::new(0),
    })
}

/// The system call.
///
/// # Safety
///
/// `changes` and `events` are valid for so many entries, or the numbers are
/// zero. Both may be one list. `timeout` is null or valid.
pub(super) unsafe fn kevent(
    kqueue: &Kqueue,
    changes: *const kevent,
    change_count: c_int,
    events: *mut kevent,
    event_count: c_int,
    timeout: *const libc::timespec,
) -> c_int {
    let room = event_count as usize;
    let mut written = 0;
    for index in 0..change_count as usize {
        // SAFETY: the caller promises so many changes.
        let place = unsafe { changes.add(index) };
        // SAFETY: as above.
        let mut change = unsafe { ptr::read(place) };
        let errno = match kqueue.lock().change(&change) {
            Ok(()) => 0,
            Err(err) => err.raw_os_error().unwrap_or(libc::EIO),
        };
        if errno == 0 && change.flags & EV_RECEIPT == 0 {
            continue;
        }
        if written == room {
            if errno == 0 {
                continue;
            }
            return fail(errno);
        }
        change.flags |= EV_ERROR;
        change.data = i64::from(errno);
        // SAFETY: there is room for one more.
        let place = unsafe { events.add(written) };
        // SAFETY: as above; if it is a change's place, that was read.
        unsafe { ptr::write(place, change) };
        written += 1;
    }
    if written > 0 || room == 0 {
        return written as c_int;
    }
    // SAFETY: the caller promises a timeout or null.
    if let Some(timeout) = unsafe { timeout.as_ref() } {
        if timeout.tv_sec > LONGEST_SECS.into() || !(0..1_000_000_000).contains(&timeout.tv_nsec) {
            return fail(libc::EINVAL);
        }
    }
    match wait_readable(&kqueue.outer, timeout) {
        1 => {}
        nothing_or_error => return nothing_or_error,
    }
    // SAFETY: the caller promises room for so many.
    let events = unsafe { std::slice::from_raw_parts_mut(events.cast(), room) };
    kqueue.lock().harvest(events) as c_int
}

impl Kqueue {
    /// A queue cannot be written, nor hold itself.
    fn refuses(&self, change: &kevent) -> bool {
        let fd = change.ident as c_int;
        // A queue, which does not hold this descriptor, says so; others do not
        // understand the question.
        let is_queue = || {
            let held = self.inner[0].as_raw_fd();
            let answer = control_raw(fd, libc::EPOLL_CTL_DEL, held, 0, 0);
            matches!(answer, Err(err) if err.raw_os_error() == Some(libc::ENOENT))
        };
        match change.filter {
            EVFILT_READ => fd == self.outer.as_raw_fd(),
            EVFILT_WRITE => fd == self.outer.as_raw_fd() || is_queue(),
            _ => false,
        }
    }

    /// A signal handler of this thread can trigger a user event, so none runs
    /// while the lock is held.
    fn lock(&self) -> Locked<'_> {
        let signals = BlockedSignals::new();
        Locked {
            kqueue: self,
            knotes: self.knotes.lock().unwrap_or_else(PoisonError::into_inner),
            _signals: signals,
        }
    }
}

/// The fields are dropped in this order.
struct Locked<'a> {
    kqueue: &'a Kqueue,
    knotes: MutexGuard<'a, Knotes>,
    _signals: BlockedSignals,
}

impl Locked<'_> {
    fn change(&mut self, change: &kevent) -> io::Result<()> {
        let filter = FILTERS
            .iter()
            .position(|(filter, _)| *filter == change.filter);
        let (Some(filter), 0) = (filter, change.flags & EV_ONESHOT) else {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        };
        let key = (filter, change.ident);
        if change.flags & EV_DELETE != 0 {
            return self.delete(key);
        }
        if self.kqueue.refuses(change) {
            return Err(io::Error::from_raw_os_error(libc::EINVAL));
        }
        if change.flags & EV_ADD != 0 {
            return self.add(key, change);
        }
        let kqueue = self.kqueue;
        let Some(knote) = self.knotes.get_mut(&key) else {
            return Err(io::Error::from_raw_os_error(libc::ENOENT));
        };
        knote.udata = change.udata as usize;
        if change.flags & (EV_ENABLE | EV_DISABLE) != 0 {
            knote.enabled = change.flags & EV_ENABLE != 0;
            let (fd, mask) = (knote.fd(key), FILTERS[filter].1 | knote.edge());
            let data = change.ident as u64;
            control(&kqueue.inner[filter], libc::EPOLL_CTL_MOD, fd, mask, data)?;
        }
        knote.trigger(change)
    }

    fn add(&mut self, key: (usize, usize), change: &kevent) -> io::Result<()> {
        let before = self.knotes.remove(&key);
        let own = match change.filter {
            EVFILT_USER if before.is_none() => Some(eventfd()?),
            EVFILT_SIGNAL if before.is_none() => Some(signalfd(change.ident as c_int)?),
            _ => None,
        };
        // Signals are counted until they are told, which is an edge.
        let edge = match change.filter {
            EVFILT_SIGNAL => EV_CLEAR,
            _ => 0,
        };
        let mut knote = Knote {
            flags: change.flags & (EV_CLEAR | EV_DISPATCH) | edge,
            udata: change.udata as usize,
            enabled: change.flags & EV_DISABLE == 0,
            own,
        };
        let epoll = &self.kqueue.inner[key.0];
        let set = |knote: &Knote, op| {
            let mask = FILTERS[key.0].1 | knote.edge();
            control(epoll, op, knote.fd(key), mask, key.1 as u64)
        };
        // What there is keeps its flags, and stays disabled unless told. The
        // kernel, and no table of ours, knows what was closed since.
        if let Some(before) = before {
            let mut kept = before;
            kept.udata = knote.udata;
            kept.enabled |= change.flags & EV_ENABLE != 0;
            match set(&kept, libc::EPOLL_CTL_MOD) {
                Err(err) if err.raw_os_error() == Some(libc::ENOENT) => {}
                Err(err) => return Err(err),
                Ok(()) => {
                    kept.trigger(change)?;
                    self.knotes.insert(key, kept);
                    return Ok(());
                }
            }
            knote.own = kept.own;
        }
        set(&knote, libc::EPOLL_CTL_ADD)?;
        knote.trigger(change)?;
        self.knotes.insert(key, knote);
        Ok(())
    }

    fn delete(&mut self, key: (usize, usize)) -> io::Result<()> {
        let fd = match self.knotes.remove(&key) {
            Some(knote) if knote.own.is_some() => return Ok(()), // It closes.
            _ => key.1 as c_int,
        };
        control(&self.kqueue.inner[key.0], libc::EPOLL_CTL_DEL, fd, 0, 0)
    }

    /// Writes what there is, at most as much as there is room for.
    fn harvest(&mut self, events: &mut [MaybeUninit<kevent>]) -> usize {
        const BATCH: usize = 32;
        let kqueue = self.kqueue;
        let mut written = 0;
        let first = kqueue.turn.fetch_add(1, Ordering::Relaxed);
        for step in 0..FILTERS.len() {
            let filter = (first + step) % FILTERS.len();
            loop {
                let room = (events.len() - written).min(BATCH);
                if room == 0 {
                    return written;
                }
                let mut batch = [epoll_event { events: 0, u64: 0 }; BATCH];
                let epoll = kqueue.inner[filter].as_raw_fd();
                // SAFETY: there is room for so many.
                let got = unsafe { libc::epoll_wait(epoll, batch.as_mut_ptr(), room as c_int, 0) };
                let got = usize::try_from(got).unwrap_or(0);
                for event in &batch[..got] {
                    let (ident, mask) = (event.u64 as usize, event.events);
                    let knote = self.knotes.get_mut(&(filter, ident));
                    if let Some(knote) = knote.filter(|knote| knote.sees(filter, mask)) {
                        events[written].write(knote.report(FILTERS[filter].0, ident, mask));
                        written += 1;
                    }
                }
                if got < room {
                    break;
                }
            }
        }
        written
    }
}

impl Knote {
    fn fd(&self, key: (usize, usize)) -> c_int {
        match &self.own {
            Some(own) => own.as_raw_fd(),
            None => key.1 as c_int,
        }
    }

    fn edge(&self) -> u32 {
        if self.flags & EV_CLEAR != 0 {
            libc::EPOLLET as u32
        } else {
            0
        }
    }

    /// Whether a mask is an event: epoll reports errors and hang-ups to all.
    fn sees(&self, filter: usize, mask: u32) -> bool {
        self.enabled && (FILTERS[filter].0 != EVFILT_EXCEPT || mask & PRI != 0)
    }

    fn trigger(&self, change: &kevent) -> io::Result<()> {
        match &self.own {
            Some(eventfd) if change.filter == EVFILT_USER && change.fflags & NOTE_TRIGGER != 0 => {
                let mut eventfd: &File = eventfd;
                eventfd.write_all(&1u64.to_ne_bytes())
            }
            _ => Ok(()),
        }
    }

    /// The event that a mask stands for.
    fn report(&mut self, filter: i16, ident: usize, mask: u32) -> kevent {
        if self.flags & EV_DISPATCH != 0 {
            self.enabled = false;
        }
        let is_socket = self.own.is_none() && is_socket(ident as c_int);
        let has_ended = match filter {
            EVFILT_READ => mask & (HUP | RDHUP) != 0,
            // A pipe without reader has an error and has not hung up.
            EVFILT_WRITE => mask & HUP != 0 || (mask & ERR != 0 && !is_socket),
            _ => false,
        };
        let has_failed = has_ended && is_socket && mask & ERR != 0;
        kevent {
            ident,
            filter,
            flags: self.flags | if has_ended { EV_EOF } else { 0 },
            fflags: match (filter, has_failed) {
                (EVFILT_EXCEPT, _) => NOTE_OOB,
                (_, true) => libc::EIO as u32,
                _ => 0,
            },
            data: 0,
            udata: super::kernel::udata_of(self.udata),
            ext: [0; 4],
        }
    }
}

fn is_socket(fd: c_int) -> bool {
    let mut stat = MaybeUninit::<libc::stat>::uninit();
    // SAFETY: there is room for the answer.
    if unsafe { libc::fstat(fd, stat.as_mut_ptr()) } != 0 {
        return false;
    }
    // SAFETY: the call succeeded, and filled it in.
    let mode = unsafe { stat.assume_init_ref() }.st_mode;
    mode & libc::S_IFMT == libc::S_IFSOCK
}

#[cfg(all(test, not(loom)))]
mod tests;
