//! Event ports on Linux, for tests: their calls over epoll.
//!
//! It lets the backend run where no Solaris is to be had. An association is a
//! one-shot registration with an epoll instance, taken out when its event is
//! taken; this instance lies within an outer one, which is the port's descriptor.
//! Beside it lies an eventfd that is readable while events were sent, or there is
//! an alert.
//!
//! What is as on the real thing: associations that end with their event, that
//! replace each other, and that end when the file is closed; the errors of a
//! number that is no descriptor, and of what is not there; the one limit on
//! associations and sent events; each sent event being one; alert mode; a wait
//! that fails and leaves its count and its list as they were, or that fails and
//! has events; a port watched by another queue; signal handlers that send.
//!
//! What is not:
//!
//! | here | on a real port |
//! |---|---|
//! | a duplicate of a closed descriptor goes on reporting | closing a descriptor ends its association |
//! | a forked child has the port | a port is its process's own |
//! | a port takes three descriptors | one |
//! | regular files are refused (`EPERM`) | always ready |
//! | events come source by source, sent ones first every other time | in the order of their arrival |
//! | a wait can end early, without events | it does not |
//! | timers, completions, files, message queues: none | sources of events |
//! | masks are Linux's: a new TCP socket has hung up, an error is `POLLERR` | the system's own |

use crate::sys::unix::emulation::{
    control, control_raw, epoll_create, eventfd, fail, wait_readable, BlockedSignals,
};
use libc::{c_int, c_uint, c_ushort, c_void, epoll_event};
use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, MutexGuard, PoisonError};

#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(in super::super) struct port_event {
    pub(in super::super) portev_events: c_int,
    pub(in super::super) portev_source: c_ushort,
    pub(in super::super) portev_pad: c_ushort,
    pub(in super::super) portev_object: usize,
    pub(in super::super) portev_user: *mut c_void,
}

pub(in super::super) const PORT_SOURCE_USER: c_int = 3;
pub(in super::super) const PORT_SOURCE_FD: c_int = 4;
pub(in super::super) const PORT_SOURCE_ALERT: c_int = 5;
pub(in super::super) const PORT_ALERT_SET: c_int = 1;
pub(in super::super) const PORT_ALERT_UPDATE: c_int = 2;

/// How many associations and sent events a port holds.
pub(in super::super) const MAX_EVENTS: usize = 65536;

/// A port.
#[derive(Debug)]
pub(crate) struct Port {
    outer: OwnedFd,
    epoll: OwnedFd,
    /// Readable while there is something that no descriptor tells.
    sent: File,
    queue: Mutex<Queue>,
}

#[derive(Debug)]
struct Queue {
    associations: HashMap<c_int, Associated>,
    /// Tells an association from an earlier one of the same number.
    last: u32,
    sent: VecDeque<(c_int, usize)>,
    alert: Option<(c_int, usize)>,
    sent_first: bool,
}

#[derive(Debug)]
struct Associated {
    number: u32,
    user: usize,
}

impl AsFd for Port {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.outer.as_fd()
    }
}

pub(in super::super) fn port_create() -> io::Result<Port> {
    let (outer, epoll, sent) = (epoll_create()?, epoll_create()?, eventfd()?);
    for fd in [epoll.as_raw_fd(), sent.as_raw_fd()] {
        control(&outer, libc::EPOLL_CTL_ADD, fd, libc::EPOLLIN as u32, 0)?;
    }
    let queue = Queue {
        // Room enough that associating allocates nothing, as on a real one.
        associations: HashMap::with_capacity(1024),
        last: 0,
        sent: VecDeque::with_capacity(1024),
        alert: None,
        sent_first: false,
    };
    Ok(Port {
        outer,
        epoll,
        sent,
        queue: Mutex::new(queue),
    })
}

/// The library's call.
///
/// # Safety
///
/// None is needed: `user` is a number here.
pub(in super::super) unsafe fn port_associate(
    port: &Port,
    source: c_int,
    object: usize,
    events: c_int,
    user: *mut c_void,
) -> c_int {
    if source != PORT_SOURCE_FD {
        return fail(libc::EINVAL);
    }
    end(port
        .lock()
        .associate(object as c_int, events, user as usize))
}

/// The library's call.
///
/// # Safety
///
/// None is needed.
pub(in super::super) unsafe fn port_dissociate(port: &Port, source: c_int, object: usize) -> c_int {
    if source != PORT_SOURCE_FD {
        return fail(libc::EINVAL);
    }
    if port.lock().dissociate(object as c_int) {
        0
    } else if !is_open(object as c_int) {
        fail(libc::EBADFD)
    } else {
        fail(libc::ENOENT)
    }
}

/// The library's call.
///
/// # Safety
///
/// None is needed: `user` is a number here.
pub(in super::super) unsafe fn port_send(port: &Port, events: c_int, user: *mut c_void) -> c_int {
    let mut locked = port.lock();
    if locked.queue.associations.len() + locked.queue.sent.len() >= MAX_EVENTS {
        return fail(libc::EAGAIN);
    }
    locked.queue.sent.push_back((events, user as usize));
    end(locked.mark())
}

/// The library's call.
///
/// # Safety
///
/// None is needed: `user` is a number here.
pub(in super::super) unsafe fn port_alert(
    port: &Port,
    flags: c_int,
    events: c_int,
    user: *mut c_void,
) -> c_int {
    let mut locked = port.lock();
    let alert = (events != 0).then_some((events, user as usize));
    match flags {
        PORT_ALERT_SET if alert.is_some() && locked.queue.alert.is_some() => {
            return fail(libc::EBUSY)
        }
        PORT_ALERT_SET | PORT_ALERT_UPDATE => locked.queue.alert = alert,
        _ => return fail(libc::EINVAL),
    }
    end(locked.mark())
}

/// The library's call.
///
/// # Safety
///
/// `list` has room for `max` events, `count` is valid, `timeout` too or null.
pub(in super::super) unsafe fn port_getn(
    port: &Port,
    list: *mut port_event,
    max: c_uint,
    count: *mut c_uint,
    timeout: *mut libc::timespec,
) -> c_int {
    // Neither the count nor the list is written when there is nothing.
    match wait_readable(&port.outer, timeout) {
        0 => return fail(libc::ETIME),
        1 => {}
        error => return error,
    }
    // SAFETY: the caller promises room for so many.
    let list = unsafe { std::slice::from_raw_parts_mut(list.cast(), max as usize) };
    match port.lock().harvest(list) {
        0 => fail(libc::ETIME),
        written => {
            // SAFETY: the caller promises that it is valid.
            unsafe { *count = written as c_uint };
            // As if a signal had come while it waited for a list that is full.
            match timeout.is_null() || written == list.len() {
                true => 0,
                false => fail(libc::EINTR),
            }
        }
    }
}

fn is_open(fd: c_int) -> bool {
    // SAFETY: F_GETFD takes no pointers.
    unsafe { libc::fcntl(fd, libc::F_GETFD) != -1 }
}

fn end(result: io::Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(err) => fail(err.raw_os_error().unwrap_or(libc::EIO)),
    }
}

impl Port {
    fn lock(&self) -> Locked<'_> {
        let signals = BlockedSignals::new();
        Locked {
            port: self,
            queue: self.queue.lock().unwrap_or_else(PoisonError::into_inner),
            _signals: signals,
        }
    }
}

/// The fields are dropped in this order.
struct Locked<'a> {
    port: &'a Port,
    queue: MutexGuard<'a, Queue>,
    _signals: BlockedSignals,
}

impl Locked<'_> {
    fn associate(&mut self, fd: c_int, events: c_int, user: usize) -> io::Result<()> {
        let queue = &mut *self.queue;
        let is_new = !queue.associations.contains_key(&fd);
        if is_new && queue.associations.len() + queue.sent.len() >= MAX_EVENTS {
            return Err(io::Error::from_raw_os_error(libc::EAGAIN));
        }
        queue.last = queue.last.wrapping_add(1);
        let number = queue.last;
        let mask = events as u32 | libc::EPOLLONESHOT as u32;
        let data = u64::from(number) << 32 | u64::from(fd as u32);
        let set = |op| control(&self.port.epoll, op, fd, mask, data);
        // The kernel, and no table of ours, knows what was closed since.
        let added = match set(libc::EPOLL_CTL_ADD) {
            Err(err) if err.raw_os_error() == Some(libc::EEXIST) => set(libc::EPOLL_CTL_MOD),
            added => added,
        };
        match added {
            Err(err) if err.raw_os_error() == Some(libc::EBADF) => {
                queue.associations.remove(&fd);
                Err(io::Error::from_raw_os_error(libc::EBADFD))
            }
            Err(err) => Err(err),
            Ok(()) => {
                let associated = Associated { number, user };
                queue.associations.insert(fd, associated);
                Ok(())
            }
        }
    }

    /// Whether it was there, and not closed since.
    fn dissociate(&mut self, fd: c_int) -> bool {
        let epoll = self.port.epoll.as_raw_fd();
        self.queue.associations.remove(&fd).is_some()
            && control_raw(epoll, libc::EPOLL_CTL_DEL, fd, 0, 0).is_ok()
    }

    /// Shows by the eventfd whether something was sent.
    fn mark(&mut self) -> io::Result<()> {
        let mut sent: &File = &self.port.sent;
        if self.queue.sent.is_empty() && self.queue.alert.is_none() {
            // If it was not readable, it is not now.
            let _ = sent.read(&mut [0; 8]);
            Ok(())
        } else {
            sent.write_all(&1u64.to_ne_bytes())
        }
    }

    /// Writes what there is, at most as much as there is room for.
    fn harvest(&mut self, list: &mut [MaybeUninit<port_event>]) -> usize {
        if list.is_empty() {
            return 0;
        }
        if let Some((events, user)) = self.queue.alert {
            list[0].write(event(events, PORT_SOURCE_ALERT, 0, user));
            return 1;
        }
        self.queue.sent_first = !self.queue.sent_first;
        let mut written = 0;
        if self.queue.sent_first {
            written = self.harvest_sent(list);
        }
        written += self.harvest_associations(&mut list[written..]);
        written += self.harvest_sent(&mut list[written..]);
        // Which readable it is shows the next wait, whatever was in the counter.
        let _ = self.mark();
        written
    }

    fn harvest_sent(&mut self, list: &mut [MaybeUninit<port_event>]) -> usize {
        let count = list.len().min(self.queue.sent.len());
        for (place, (events, user)) in list.iter_mut().zip(self.queue.sent.drain(..count)) {
            place.write(event(events, PORT_SOURCE_USER, 0, user));
        }
        count
    }

    fn harvest_associations(&mut self, list: &mut [MaybeUninit<port_event>]) -> usize {
        const BATCH: usize = 32;
        let mut written = 0;
        while written < list.len() {
            let room = (list.len() - written).min(BATCH);
            let mut batch = [epoll_event { events: 0, u64: 0 }; BATCH];
            let (epoll, start) = (self.port.epoll.as_raw_fd(), batch.as_mut_ptr());
            // SAFETY: there is room for so many.
            let got = unsafe { libc::epoll_wait(epoll, start, room as c_int, 0) };
            let got = usize::try_from(got).unwrap_or(0);
            for ready in &batch[..got] {
                let (data, mask) = (ready.u64, ready.events);
                let (fd, number) = (data as u32 as c_int, (data >> 32) as u32);
                // Of a duplicate of what was closed, another association may stand there.
                match self.queue.associations.get(&fd) {
                    Some(associated) if associated.number == number => {
                        let user = associated.user;
                        self.dissociate(fd);
                        let fd = fd as usize;
                        list[written].write(event(mask as c_int, PORT_SOURCE_FD, fd, user));
                        written += 1;
                    }
                    _ => {}
                }
            }
            if got < room {
                break;
            }
        }
        written
    }
}

fn event(events: c_int, source: c_int, object: usize, user: usize) -> port_event {
    port_event {
        portev_events: events,
        portev_source: source as c_ushort,
        portev_pad: 0,
        portev_object: object,
        portev_user: user as *mut c_void,
    }
}

#[cfg(all(test, not(loom)))]
mod tests;
