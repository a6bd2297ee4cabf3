use super::{interest, Input};
use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::sys::unix::kqueue::changes::{Change, Changes, Filter, Receipts, MOST};
use crate::sys::unix::kqueue::{kernel, readiness_of};
use std::io;

const ERRORS: [i32; 6] = [
    0,
    libc::ENOENT,
    libc::EPIPE,
    libc::EINVAL,
    libc::EBADF,
    libc::ENOMEM,
];

fn receipts(input: &mut Input<'_>) -> Receipts {
    let mut receipts = [0; MOST];
    for receipt in &mut receipts {
        let [choice] = input.array();
        *receipt = match ERRORS.get(usize::from(choice)) {
            Some(errno) => *errno,
            None => i32::from(choice),
        };
    }
    receipts
}

/// The filters that an interest asks for.
fn asked(interest: Interest) -> Vec<Filter> {
    let all = [
        (Filter::Read, interest.is_readable()),
        (Filter::Write, interest.is_writable()),
        (Filter::Priority, interest.is_priority()),
    ];
    let asked = all.into_iter().filter(|(_, on)| *on);
    asked.map(|(filter, _)| filter).collect()
}

fn known(has_priority: bool) -> Vec<Filter> {
    let mut known = vec![Filter::Read, Filter::Write];
    if has_priority {
        known.push(Filter::Priority);
    }
    known
}

/// What the lists of changes hold, and what their receipts mean.
pub(super) fn changes(bytes: &[u8]) {
    let mut input = Input(bytes);
    let interest = interest::any(&mut input);
    let has_priority = input.bool();
    let receipts = receipts(&mut input);
    let (asked, known) = (asked(interest), known(has_priority));
    let is_refused = (interest.is_priority() && !has_priority)
        || interest.is_exclusive()
        || (interest.is_closed() && asked.is_empty());

    let adds: Vec<Change> = asked.iter().copied().map(Change::Add).collect();
    let deletes: Vec<Change> = known.iter().copied().map(Change::Delete).collect();
    let either = |filter: &Filter| match asked.contains(filter) {
        true => Change::Add(*filter),
        false => Change::Delete(*filter),
    };
    let made = [
        (Changes::register(interest, has_priority), adds.clone()),
        (
            Changes::reregister(interest, has_priority),
            known.iter().map(either).collect(),
        ),
        (
            Changes::replace(interest, has_priority),
            [deletes.as_slice(), &adds].concat(),
        ),
    ];
    for (changes, expected) in made {
        match changes {
            Ok(changes) => {
                assert!(!is_refused, "{interest:?}");
                assert_eq!(changes.as_slice(), expected, "{interest:?}");
                judge(&changes, &receipts);
            }
            Err(error) => {
                assert!(is_refused, "{interest:?}");
                assert_eq!(error.kind(), io::ErrorKind::Unsupported);
            }
        }
    }
    let removed = Changes::deregister(has_priority);
    assert_eq!(removed.as_slice(), deletes);
    judge(&removed, &receipts);
    let nothing = known.iter().zip(&receipts).all(|(filter, errno)| {
        *errno == libc::ENOENT || (*filter == Filter::Priority && *errno == libc::EINVAL)
    });
    assert_eq!(removed.found_nothing(&receipts), nothing);
}

/// The first failure is the error, and what was added is undone, no more.
fn judge(changes: &Changes, receipts: &Receipts) {
    let is_fine = |change: &Change, errno: i32| match change {
        Change::Add(_) => errno == 0 || errno == libc::EPIPE,
        Change::Delete(Filter::Priority) | Change::Disable(Filter::Priority) => {
            [0, libc::ENOENT, libc::EINVAL].contains(&errno)
        }
        Change::Delete(_) | Change::Disable(_) => [0, libc::ENOENT].contains(&errno),
    };
    let mut first = None;
    let mut undo = Vec::new();
    for (change, errno) in changes.as_slice().iter().zip(receipts) {
        match (change, is_fine(change, *errno)) {
            (Change::Add(filter), true) => undo.push(Change::Delete(*filter)),
            (_, true) => {}
            (_, false) => first = first.or(Some(*errno)),
        }
    }
    assert_eq!(changes.error(receipts), first);
    assert_eq!(changes.undo(receipts).as_slice(), undo);
}

/// What an event of any filter tells.
pub(super) fn event(bytes: &[u8]) {
    let mut input = Input(bytes);
    let filter = input.u16() as i16 as kernel::FilterId;
    let flags = input.u16() as kernel::Flags;
    let notes = input.u32();
    let readiness = readiness_of(filter, flags, notes);
    let tells = |bit| readiness.intersects(bit);

    let is_read = filter == kernel::os::EVFILT_READ;
    let is_write = filter == kernel::os::EVFILT_WRITE;
    let ends = flags & kernel::os::EV_EOF != 0;
    assert_eq!(tells(Readiness::READ_CLOSED), is_read && ends);
    assert_eq!(tells(Readiness::WRITE_CLOSED), is_write && ends);
    assert_eq!(tells(Readiness::WRITABLE), is_write);
    if tells(Readiness::PRIORITY) {
        assert!(tells(Readiness::READABLE) && kernel::PRIORITY.is_some());
    }
    let kinds = [
        Readiness::READABLE,
        Readiness::WRITABLE,
        Readiness::AIO,
        Readiness::LIO,
    ];
    let of_known_filters = kinds.into_iter().filter(|bit| tells(*bit)).count();
    assert!(of_known_filters <= 1, "a filter has one meaning");
    if of_known_filters == 0 {
        assert_eq!(readiness, Readiness::EMPTY, "filter {filter}");
    } else {
        let failed = flags & kernel::os::EV_ERROR != 0;
        let with_error = (is_read || is_write) && ends && notes != 0;
        assert_eq!(tells(Readiness::ERROR), failed || with_error);
    }
}
