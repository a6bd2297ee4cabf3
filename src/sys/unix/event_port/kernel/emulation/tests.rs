//! That the emulation does what its header says it does.

use super::*;
use std::os::unix::net::UnixStream;

const NOW: libc::timespec = libc::timespec {
    tv_sec: 0,
    tv_nsec: 0,
};
const IN: c_int = libc::POLLIN as c_int;
const OUT: c_int = libc::POLLOUT as c_int;

fn errno() -> i32 {
    io::Error::last_os_error().raw_os_error().unwrap()
}

fn pair() -> (UnixStream, UnixStream, usize) {
    let (one, other) = UnixStream::pair().unwrap();
    let fd = one.as_raw_fd() as usize;
    (one, other, fd)
}

fn associate(port: &Port, fd: usize, events: c_int, user: usize) -> Result<(), i32> {
    // SAFETY: the call needs nothing.
    match unsafe { port_associate(port, PORT_SOURCE_FD, fd, events, user as _) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

fn dissociate(port: &Port, fd: usize) -> Result<(), i32> {
    // SAFETY: the call needs nothing.
    match unsafe { port_dissociate(port, PORT_SOURCE_FD, fd) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

fn send(port: &Port, user: usize) -> Result<(), i32> {
    // SAFETY: the call needs nothing.
    match unsafe { port_send(port, IN, user as _) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

fn alert(port: &Port, flags: c_int, events: c_int) -> Result<(), i32> {
    // SAFETY: the call needs nothing.
    match unsafe { port_alert(port, flags, events, 9 as _) } {
        0 => Ok(()),
        _ => Err(errno()),
    }
}

/// What there is now: sources, events and users.
fn look(port: &Port, room: usize) -> Vec<(c_int, c_int, usize)> {
    let mut list = [event(0, 0, 0, 0); 8];
    let (mut count, mut now) = (1, NOW);
    let (max, start) = (room.min(list.len()) as c_uint, list.as_mut_ptr());
    // SAFETY: there is room for so many, and the rest outlives the call.
    if unsafe { port_getn(port, start, max, &mut count, &mut now) } != 0 {
        // Nothing but the list tells whether it has events all the same.
        if list[0].portev_source == 0 {
            assert_eq!((errno(), count), (libc::ETIME, 1));
            return Vec::new();
        }
        assert_eq!(errno(), libc::EINTR);
    }
    let seen = list[..count as usize].iter();
    seen.map(|event| {
        (
            c_int::from(event.portev_source),
            event.portev_events,
            event.portev_user as usize,
        )
    })
    .collect()
}

#[test]
fn an_association_ends_with_its_event() {
    let port = port_create().unwrap();
    let (_one, mut other, fd) = pair();
    associate(&port, fd, OUT, 1).unwrap();
    // The second replaces the first.
    associate(&port, fd, IN, 2).unwrap();
    assert_eq!(look(&port, 8), []);
    other.write_all(b"x").unwrap();
    assert_eq!(look(&port, 8), [(PORT_SOURCE_FD, IN, 2)]);
    other.write_all(b"x").unwrap();
    assert_eq!(look(&port, 8), []);
    assert_eq!(dissociate(&port, fd), Err(libc::ENOENT));
    // It looks at what there is.
    associate(&port, fd, IN | OUT, 3).unwrap();
    assert_eq!(look(&port, 8), [(PORT_SOURCE_FD, IN | OUT, 3)]);
    associate(&port, fd, IN, 4).unwrap();
    assert_eq!(dissociate(&port, fd), Ok(()));
    assert_eq!(look(&port, 8), []);
}

#[test]
fn it_ends_when_the_file_is_closed() {
    let port = port_create().unwrap();
    let (one, mut other, fd) = pair();
    other.write_all(b"x").unwrap();
    associate(&port, fd, IN, 1).unwrap();
    drop(one);
    assert_eq!(look(&port, 8), []);
    let closed = usize::MAX;
    assert_eq!(associate(&port, closed, IN, 1), Err(libc::EBADFD));
    assert_eq!(dissociate(&port, closed), Err(libc::EBADFD));
}

#[test]
fn with_no_bits_only_the_end_is_told() {
    let port = port_create().unwrap();
    let (_one, mut other, fd) = pair();
    associate(&port, fd, 0, 1).unwrap();
    other.write_all(b"x").unwrap();
    assert_eq!(look(&port, 8), []);
    drop(other);
    let hang_up = c_int::from(libc::POLLHUP);
    assert_eq!(look(&port, 8), [(PORT_SOURCE_FD, hang_up, 1)]);
}

#[test]
fn each_sent_event_is_one_and_takes_a_place() {
    let port = port_create().unwrap();
    let (_one, _other, fd) = pair();
    associate(&port, fd, IN, 1).unwrap();
    for user in 1..MAX_EVENTS {
        send(&port, user).unwrap();
    }
    assert_eq!(send(&port, 0), Err(libc::EAGAIN));
    assert_eq!(associate(&port, fd, OUT, 1), Ok(()), "it has its place");
    let (_one, _other, another) = pair();
    assert_eq!(associate(&port, another, IN, 1), Err(libc::EAGAIN));
    let mut seen = 0;
    while seen < MAX_EVENTS {
        seen += look(&port, 8).len();
    }
    assert_eq!(look(&port, 8), []);
}

#[test]
fn an_alert_comes_first_and_stays() {
    let port = port_create().unwrap();
    send(&port, 1).unwrap();
    alert(&port, PORT_ALERT_UPDATE, IN).unwrap();
    assert_eq!(alert(&port, PORT_ALERT_SET, IN), Err(libc::EBUSY));
    for _ in 0..3 {
        assert_eq!(look(&port, 8), [(PORT_SOURCE_ALERT, IN, 9)]);
    }
    alert(&port, PORT_ALERT_SET, 0).unwrap();
    assert_eq!(look(&port, 8), [(PORT_SOURCE_USER, IN, 1)]);
    assert_eq!(look(&port, 8), []);
}
