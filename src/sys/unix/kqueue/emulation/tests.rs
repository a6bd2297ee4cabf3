//! That the emulation does what its table says it does.

use super::*;
use std::io::Read;
use std::os::unix::net::UnixStream;

const NOW: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
};

fn line(ident: usize, filter: i16, flags: u16) -> kevent {
    kevent {
        ident,
        filter,
        flags,
        fflags: 0,
        data: 0,
        udata: 7 as _,
        ext: [0; 4],
    }
}

/// Makes changes, and returns what was written in their place.
fn change<const N: usize>(kqueue: &Kqueue, mut list: [kevent; N]) -> Result<Vec<kevent>, i32> {
    let start = list.as_mut_ptr();
    // SAFETY: the list has so many entries.
    let ret = unsafe { kevent(kqueue, start, N as c_int, start, N as c_int, &NOW) };
    let written = usize::try_from(ret).map_err(|_| last_errno())?;
    Ok(list[..written].to_vec())
}

/// Adds a filter with these flags, or changes it.
fn set(kqueue: &Kqueue, fd: usize, filter: i16, flags: u16) {
    if flags & EV_ADD != 0 {
        let delete = line(fd, filter, EV_DELETE | EV_RECEIPT);
        change(kqueue, [delete]).unwrap();
    }
    let receipts = change(kqueue, [line(fd, filter, flags | EV_RECEIPT)]);
    assert_eq!(errnos(&receipts.unwrap()), [0]);
}

fn errnos(receipts: &[kevent]) -> Vec<i64> {
    assert!(receipts.iter().all(|line| line.flags & EV_ERROR != 0));
    receipts.iter().map(|line| line.data).collect()
}

/// What there is now: filters and flags, with room for so many.
fn look(kqueue: &Kqueue, room: usize) -> Vec<(i16, u16)> {
    let mut events = [line(0, 0, 0); 8];
    let room = room.min(events.len()) as c_int;
    // SAFETY: there is room for so many.
    let ret = unsafe { kevent(kqueue, ptr::null(), 0, events.as_mut_ptr(), room, &NOW) };
    let written = usize::try_from(ret).unwrap();
    let seen = events[..written].iter();
    seen.map(|event| (event.filter, event.flags & EV_EOF))
        .collect()
}

fn last_errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap()
}

fn pair() -> (UnixStream, UnixStream, usize) {
    let (one, other) = UnixStream::pair().unwrap();
    one.set_nonblocking(true).unwrap();
    let fd = one.as_raw_fd() as usize;
    (one, other, fd)
}

#[test]
fn each_change_has_its_receipt() {
    let queue = kqueue().unwrap();
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    let (add, delete) = (EV_ADD | EV_CLEAR | EV_RECEIPT, EV_DELETE | EV_RECEIPT);
    let receipts = change(
        &queue,
        [
            line(fd, EVFILT_READ, add),
            line(fd, EVFILT_WRITE, delete),
            line(usize::MAX, EVFILT_READ, add),
            line(fd, -4, add),
            line(fd, EVFILT_READ, add),
        ],
    );
    let (enoent, ebadf, einval) = (libc::ENOENT, libc::EBADF, libc::EINVAL);
    let expected = [0, enoent, ebadf, einval, 0].map(i64::from);
    assert_eq!(errnos(&receipts.unwrap()), expected);
    // They took no event.
    assert_eq!(look(&queue, 8), [(EVFILT_READ, 0)]);
}

#[test]
fn without_receipts_only_errors_come() {
    let queue = kqueue().unwrap();
    let (_one, _other, fd) = pair();
    let add = EV_ADD | EV_CLEAR;
    let both = [line(fd, EVFILT_READ, add), line(fd, EVFILT_READ, EV_DELETE)];
    assert!(change(&queue, both).unwrap().is_empty());
    let gone = change(&queue, [line(fd, EVFILT_READ, EV_DELETE)]).unwrap();
    assert_eq!(errnos(&gone), [i64::from(libc::ENOENT)]);
    let one = line(fd, EVFILT_READ, EV_DELETE);
    // SAFETY: there is one change, and no room.
    let ret = unsafe { kevent(&queue, &one, 1, ptr::null_mut(), 0, ptr::null()) };
    assert_eq!((ret, last_errno()), (-1, libc::ENOENT));
}

#[test]
fn edges_levels_and_dispatch() {
    let queue = kqueue().unwrap();
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    set(&queue, fd, EVFILT_READ, EV_ADD);
    assert_eq!(look(&queue, 8).len(), 1);
    let receipts = change(
        &queue,
        [line(fd, EVFILT_READ, EV_ADD | EV_CLEAR | EV_RECEIPT)],
    );
    assert_eq!(errnos(&receipts.unwrap()), [0]);
    for _ in 0..3 {
        assert_eq!(look(&queue, 8).len(), 1, "a level, as first added");
    }
    set(&queue, fd, EVFILT_READ, EV_ADD | EV_CLEAR);
    assert_eq!(look(&queue, 8).len(), 1);
    assert_eq!(look(&queue, 8).len(), 0, "an edge");
    set(&queue, fd, EVFILT_READ, EV_ADD | EV_DISPATCH);
    assert_eq!(look(&queue, 8).len(), 1);
    other.write_all(b"x").unwrap();
    assert_eq!(look(&queue, 8).len(), 0, "disabled by its event");
    set(&queue, fd, EVFILT_READ, EV_ENABLE);
    assert_eq!(look(&queue, 8).len(), 1);
}

#[test]
fn ends_are_told_by_filter() {
    let queue = kqueue().unwrap();
    let (mut one, other, fd) = pair();
    let add = EV_ADD | EV_CLEAR;
    set(&queue, fd, EVFILT_READ, add);
    set(&queue, fd, EVFILT_WRITE, add);
    assert_eq!(look(&queue, 8), [(EVFILT_WRITE, 0)]);
    other.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(look(&queue, 8).contains(&(EVFILT_READ, EV_EOF)));
    drop(other);
    assert!(look(&queue, 8).contains(&(EVFILT_WRITE, EV_EOF)));
    assert_eq!(one.read(&mut [0; 1]).unwrap(), 0);
}

#[test]
fn filters_take_turns_and_waits_have_a_limit() {
    let queue = kqueue().unwrap();
    let (_one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    set(&queue, fd, EVFILT_READ, EV_ADD);
    set(&queue, fd, EVFILT_WRITE, EV_ADD);
    let mut seen: Vec<_> = (0..FILTERS.len()).flat_map(|_| look(&queue, 1)).collect();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, [(EVFILT_WRITE, 0), (EVFILT_READ, 0)]);

    let too_long = libc::timespec {
        tv_sec: (LONGEST_SECS + 1).into(),
        tv_nsec: 0,
    };
    let mut event = line(0, 0, 0);
    // SAFETY: there is room for one.
    let ret = unsafe { kevent(&queue, ptr::null(), 0, &mut event, 1, &too_long) };
    assert_eq!((ret, last_errno()), (-1, libc::EINVAL));
}
