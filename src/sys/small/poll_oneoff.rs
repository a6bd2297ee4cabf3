//! [`poll_oneoff`] of the first WASI, in the bits of poll(2).
//!
//! [`poll_oneoff`]: https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md#poll_oneoff

use libc::pollfd;
use std::io;
use std::time::Duration;
use wasi::{Event, Subscription, SubscriptionClock, SubscriptionU, SubscriptionUU};

/// What marks the timeout among the indexes of entries.
const CLOCK: u64 = u64::MAX;

/// Fills in what each entry has to tell.
pub(super) fn poll(fds: &mut [pollfd], timeout: Option<Duration>) -> io::Result<usize> {
    let mut subscriptions = Vec::with_capacity(2 * fds.len() + 1);
    for (index, entry) in fds.iter_mut().enumerate() {
        entry.revents = 0;
        let file_descriptor = entry.fd as wasi::Fd;
        let readwrite = wasi::SubscriptionFdReadwrite { file_descriptor };
        if entry.events & libc::POLLIN != 0 {
            let u = SubscriptionUU { fd_read: readwrite };
            subscriptions.push(subscription(index as u64, wasi::EVENTTYPE_FD_READ, u));
        }
        if entry.events & libc::POLLOUT != 0 {
            let u = SubscriptionUU {
                fd_write: readwrite,
            };
            subscriptions.push(subscription(index as u64, wasi::EVENTTYPE_FD_WRITE, u));
        }
    }
    if let Some(timeout) = timeout {
        let clock = SubscriptionClock {
            id: wasi::CLOCKID_MONOTONIC,
            timeout: u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX),
            precision: 0,
            flags: 0,
        };
        subscriptions.push(subscription(
            CLOCK,
            wasi::EVENTTYPE_CLOCK,
            SubscriptionUU { clock },
        ));
    }
    for event in poll_oneoff(&subscriptions)? {
        if let Some(entry) = fds.get_mut(event.userdata as usize) {
            entry.revents |= revents_of(&event);
        }
    }
    Ok(fds.iter().filter(|entry| entry.revents != 0).count())
}

fn subscription(userdata: u64, kind: wasi::Eventtype, u: SubscriptionUU) -> Subscription {
    let tag = kind.raw();
    Subscription {
        userdata,
        u: SubscriptionU { tag, u },
    }
}

fn revents_of(event: &Event) -> libc::c_short {
    if event.error == wasi::ERRNO_BADF {
        return libc::POLLERR | libc::POLLNVAL;
    }
    if event.error != wasi::ERRNO_SUCCESS {
        return libc::POLLERR;
    }
    let ready = if event.type_ == wasi::EVENTTYPE_FD_WRITE {
        libc::POLLOUT
    } else {
        libc::POLLIN
    };
    match event.fd_readwrite.flags & wasi::EVENTRWFLAGS_FD_READWRITE_HANGUP {
        0 => ready,
        _ => ready | libc::POLLHUP,
    }
}

/// The call, with room for an answer to each subscription.
fn poll_oneoff(subscriptions: &[Subscription]) -> io::Result<Vec<Event>> {
    let mut events = Vec::with_capacity(subscriptions.len());
    let (asked, answers) = (subscriptions.as_ptr(), events.as_mut_ptr());
    // SAFETY: there are so many subscriptions, and room for as many events.
    let written = unsafe { wasi::poll_oneoff(asked, answers, subscriptions.len()) };
    let written = written.map_err(|errno| io::Error::from_raw_os_error(errno.raw().into()))?;
    // SAFETY: the host says that it wrote so many.
    unsafe { events.set_len(written) };
    Ok(events)
}
