use super::*;
use crate::sys::levels::Mode;
use std::cell::RefCell;

const IN: c_short = libc::POLLIN;
const OUT: c_short = libc::POLLOUT;

fn edge(mask: c_short) -> Asked {
    let mode = Mode::Edge;
    Asked { mask, mode }
}

/// A port that keeps what it is told, and refuses as it is told.
#[derive(Default)]
struct Port {
    associations: RefCell<HashMap<RawSource, Association>>,
    refuses: RefCell<Option<i32>>,
}

impl Associate for Port {
    fn associate(&self, association: Association) -> io::Result<()> {
        if let Some(errno) = *self.refuses.borrow() {
            return Err(io::Error::from_raw_os_error(errno));
        }
        let mut all = self.associations.borrow_mut();
        all.insert(association.fd, association);
        Ok(())
    }

    fn dissociate(&self, fd: RawSource) -> io::Result<bool> {
        Ok(self.associations.borrow_mut().remove(&fd).is_some())
    }
}

#[derive(Default)]
struct Model {
    port: Port,
    table: Table,
}

impl Model {
    fn add(&mut self, fd: RawSource, token: usize, mask: c_short) -> Handle {
        self.add_as(fd, token, edge(mask), false).unwrap()
    }

    fn add_as(
        &mut self,
        fd: RawSource,
        token: usize,
        asked: Asked,
        raw: bool,
    ) -> io::Result<Handle> {
        let (port, token) = (&self.port, Token(token));
        self.table.insert(port, fd, token, asked, raw)
    }

    /// What the port would look for.
    fn asked(&self, fd: RawSource) -> Option<c_short> {
        let all = self.port.associations.borrow();
        all.get(&fd).map(|association| association.mask)
    }

    /// The port takes an event of a descriptor out of its queue.
    fn take(&self, fd: RawSource) -> usize {
        let taken = self.port.associations.borrow_mut().remove(&fd);
        taken.unwrap().cookie
    }

    fn report(&mut self, fd: RawSource, revents: c_short) -> Option<usize> {
        let cookie = self.take(fd);
        let token = self.table.report(fd, cookie, revents);
        token.map(|token| token.0)
    }

    fn rearm(&mut self, fd: RawSource, handle: Handle) -> bool {
        self.table.rearm(&self.port, fd, handle)
    }

    fn wait(&mut self) {
        self.table.associate_loose(&self.port);
    }
}

#[test]
fn the_rest_is_asked_for_by_the_next_wait() {
    let mut model = Model::default();
    let handle = model.add(10, 1, IN | OUT);
    assert_eq!(model.asked(10), Some(IN | OUT));
    assert_eq!(model.report(10, OUT), Some(1));
    assert_eq!(model.asked(10), None);
    model.wait();
    assert_eq!(model.asked(10), Some(IN));
    assert_eq!(model.report(10, IN), Some(1));
    model.wait();
    assert_eq!(model.asked(10), Some(0), "only for its end");
    assert_eq!(model.report(10, libc::POLLHUP), Some(1));
    model.wait();
    assert_eq!(model.asked(10), None);
    assert!(!model.rearm(10, handle));
    assert_eq!(model.asked(10), Some(IN | OUT));
}

#[test]
fn an_owner_that_would_block_is_faster_than_the_next_wait() {
    let mut model = Model::default();
    let handle = model.add(10, 1, IN);
    model.report(10, IN);
    model.rearm(10, handle);
    // The wait has nothing left to do, which a port that refuses would show.
    *model.port.refuses.borrow_mut() = Some(libc::ENOMEM);
    model.wait();
    assert_eq!(model.table.take_fault(), None);
    assert_eq!(model.asked(10), Some(IN));
    // Nor has one that was not reported since.
    assert!(!model.rearm(10, handle));
}

#[test]
fn a_stale_event_is_dropped() {
    let mut model = Model::default();
    let first = model.add(10, 1, IN);
    let second = model.add(11, 2, IN);
    let (old_first, old_second) = (model.take(10), model.take(11));
    // While these are on their way: one is changed, of one the number is used again.
    let table = &mut model.table;
    table
        .change(&model.port, 10, first, Token(3), edge(IN))
        .unwrap();
    assert!(table.remove(&model.port, 11, second).unwrap());
    let third = model.add(11, 4, IN);
    assert_ne!(second, third);
    assert_eq!(model.table.report(10, old_first, IN), None);
    assert_eq!(model.table.report(11, old_second, IN), None);
    // Asked anew, nothing is lost.
    assert_eq!(model.report(10, IN), Some(3));
    assert_eq!(model.report(11, IN), Some(4));
    // An old handle names nothing.
    assert!(!model.rearm(11, second));
    assert!(!model.table.remove(&model.port, 11, second).unwrap());
    let changed = model
        .table
        .change(&model.port, 11, second, Token(5), edge(IN));
    assert_eq!(changed.unwrap_err().raw_os_error(), Some(libc::ENOENT));
    assert_eq!(model.table.report(99, 0, IN), None);
}

#[test]
fn a_change_that_is_refused_changes_nothing() {
    let mut model = Model::default();
    let handle = model.add(10, 1, IN);
    *model.port.refuses.borrow_mut() = Some(libc::ENOMEM);
    let changed = model
        .table
        .change(&model.port, 10, handle, Token(2), edge(OUT));
    assert_eq!(changed.unwrap_err().raw_os_error(), Some(libc::ENOMEM));
    assert!(model.add_as(11, 3, edge(IN), false).is_err());
    *model.port.refuses.borrow_mut() = None;
    assert_eq!(model.report(10, IN), Some(1));
    assert_eq!(
        model.add_as(11, 3, edge(IN), false).ok().map(drop),
        Some(())
    );
}

#[test]
fn what_the_port_does_not_take_is_an_error_of_its_source() {
    let mut model = Model::default();
    let handle = model.add(10, 1, IN);
    let other = model.add(11, 2, IN);
    model.report(10, IN);
    model.report(11, IN);
    *model.port.refuses.borrow_mut() = Some(libc::EAGAIN);
    assert!(model.rearm(10, handle), "the poller must be told");
    model.wait();
    *model.port.refuses.borrow_mut() = None;
    // One was luckier the second time.
    model
        .table
        .change(&model.port, 11, other, Token(2), edge(IN))
        .unwrap();
    assert_eq!(model.table.take_fault(), Some((10, Token(1))));
    assert_eq!(model.table.take_fault(), None);
    // Time asks again, since an error is no end.
    assert!(model.table.has_parked());
    model.table.unpark(&model.port);
    assert_eq!(model.asked(10), Some(IN));
    // A closed one is forgotten, as an epoll does.
    model.report(10, IN);
    *model.port.refuses.borrow_mut() = Some(libc::EBADF);
    assert!(!model.rearm(10, handle));
    assert!(!model.table.remove(&model.port, 10, handle).unwrap());
    assert_eq!(model.table.take_fault(), None);
}

#[test]
fn raw_ones_are_armed_by_time() {
    let mut model = Model::default();
    let raw = model.add_as(10, 1, edge(IN | OUT), true).unwrap();
    assert_eq!(model.table.find_raw(10), Some(raw));
    model.add(11, 2, IN);
    assert_eq!(model.table.find_raw(11), None);
    model.report(11, IN);
    assert!(!model.table.has_parked());
    model.report(10, OUT);
    model.wait();
    assert_eq!(model.asked(10), Some(IN));
    assert!(model.table.has_parked());
    model.table.unpark(&model.port);
    assert!(!model.table.has_parked());
    assert_eq!(model.asked(10), Some(IN | OUT));
    // What waited for time, and is changed or removed, waits no more.
    model.report(10, IN);
    model
        .table
        .change(&model.port, 10, raw, Token(3), edge(IN))
        .unwrap();
    assert!(!model.table.has_parked());
    model.report(10, IN);
    assert!(model.table.remove(&model.port, 10, raw).unwrap());
    assert!(!model.table.has_parked());
    model.table.unpark(&model.port);
}

#[test]
fn a_number_can_be_registered_again_once_it_was_closed() {
    let exists = |result: io::Result<Handle>| result.unwrap_err().raw_os_error();
    let mut model = Model::default();
    model.add(10, 1, IN);
    assert_eq!(
        exists(model.add_as(10, 2, edge(IN), true)),
        Some(libc::EEXIST)
    );
    assert_eq!(
        exists(model.add_as(10, 2, edge(IN), false)),
        Some(libc::EEXIST)
    );
    model.add_as(11, 3, edge(IN), true).unwrap();
    assert_eq!(
        exists(model.add_as(11, 4, edge(OUT), true)),
        Some(libc::EEXIST)
    );
    assert_eq!(model.report(11, IN), Some(3), "the first goes on");
    // Its association ended when it was closed, or with its event: nobody knows.
    model.add_as(11, 4, edge(OUT), true).unwrap();
    model.port.associations.borrow_mut().remove(&11);
    model.add_as(11, 5, edge(IN), true).unwrap();
    assert_eq!(model.report(11, IN), Some(5));
}

#[test]
fn levels_repeat_one_shot_is_the_last_and_the_closed_are_forgotten() {
    let mut model = Model::default();
    let (level, once) = (Mode::Level, Mode::OneShot);
    let asked = |mask, mode| Asked { mask, mode };
    let level = model.add_as(10, 1, asked(IN, level), false).unwrap();
    let once = model.add_as(11, 2, asked(IN | OUT, once), false).unwrap();
    for _ in 0..2 {
        assert_eq!(model.report(10, IN | libc::POLLHUP), Some(1));
        assert!(!model.rearm(10, level));
        model.wait();
        assert_eq!(model.asked(10), Some(IN));
    }
    assert_eq!(model.report(11, OUT), Some(2));
    assert!(!model.rearm(11, once));
    model.wait();
    assert_eq!(model.asked(11), None);
    assert_eq!(model.report(10, libc::POLLNVAL), None);
    assert!(!model.table.remove(&model.port, 10, level).unwrap());
}
