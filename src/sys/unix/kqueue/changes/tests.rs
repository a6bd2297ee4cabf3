use super::Change::{Add, Delete};
use super::Filter::{Priority, Read, Write};
use super::*;
use libc::{EBADF, EINVAL, ENOENT, EPERM, EPIPE};

const READABLE: Interest = Interest::READABLE;
const WRITABLE: Interest = Interest::WRITABLE;
const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

/// Receipts of a list of three.
fn six([one, two, three]: [i32; 3]) -> Receipts {
    [one, two, three, 0, 0, 0]
}

#[test]
fn a_registration_adds_what_is_asked() {
    let cases: [(Interest, &[Change]); 3] = [
        (READABLE, &[Add(Read)]),
        (WRITABLE, &[Add(Write)]),
        (BOTH, &[Add(Read), Add(Write)]),
    ];
    for has_priority in [false, true] {
        for (interest, changes) in cases {
            let made = Changes::register(interest, has_priority).unwrap();
            assert_eq!(made.as_slice(), changes, "{interest:?}");
        }
    }
}

#[test]
fn a_reregistration_deletes_what_is_not_asked() {
    let cases: [(Interest, bool, &[Change]); 5] = [
        (READABLE, false, &[Add(Read), Delete(Write)]),
        (WRITABLE, false, &[Delete(Read), Add(Write)]),
        (BOTH, false, &[Add(Read), Add(Write)]),
        (
            READABLE,
            true,
            &[Add(Read), Delete(Write), Delete(Priority)],
        ),
        (BOTH, true, &[Add(Read), Add(Write), Delete(Priority)]),
    ];
    for (interest, has_priority, changes) in cases {
        let made = Changes::reregister(interest, has_priority).unwrap();
        assert_eq!(made.as_slice(), changes, "{interest:?}");
    }
}

#[test]
fn a_deregistration_deletes_all() {
    let all = Changes::deregister(false);
    assert_eq!(all.as_slice(), [Delete(Read), Delete(Write)]);
    let all = Changes::deregister(true);
    assert_eq!(
        all.as_slice(),
        [Delete(Read), Delete(Write), Delete(Priority)]
    );
}

#[test]
fn priority_is_a_filter_or_an_error() {
    let interest = Interest::URGENT | READABLE;
    let made = Changes::register(interest, true).unwrap();
    assert_eq!(made.as_slice(), [Add(Read), Add(Priority)]);
    let made = Changes::reregister(Interest::URGENT, true).unwrap();
    assert_eq!(
        made.as_slice(),
        [Delete(Read), Delete(Write), Add(Priority)]
    );
    for refused in [
        Changes::register(interest, false),
        Changes::reregister(interest, false),
    ] {
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::Unsupported);
    }
}

#[test]
fn a_replacement_deletes_all_and_adds_what_is_asked() {
    let made = Changes::replace(WRITABLE, false).unwrap();
    let expected = [Delete(Read), Delete(Write), Add(Write)];
    assert_eq!(made.as_slice(), expected);
    // The deletion found nothing, and the addition failed: there is nothing to undo.
    let receipts = six([ENOENT, 0, EPERM]);
    assert_eq!(made.error(&receipts), Some(EPERM));
    assert!(made.undo(&receipts).as_slice().is_empty());
    let all = Changes::replace(BOTH, true).unwrap();
    assert_eq!(all.as_slice().len(), 5);
}

#[test]
fn what_a_kqueue_has_not_is_unsupported() {
    let closed = Interest::CLOSED;
    assert!(Changes::register(closed | READABLE, false).is_ok());
    assert!(Changes::replace(closed | WRITABLE.level(), false).is_ok());
    for refused in [closed, closed.level(), closed.oneshot()] {
        for made in [
            Changes::register(refused, true),
            Changes::reregister(refused, true),
            Changes::replace(refused, true),
        ] {
            assert_eq!(made.unwrap_err().kind(), io::ErrorKind::Unsupported);
        }
    }
}

#[test]
fn completions_need_no_change() {
    let none = Interest::COMPLETIONS;
    assert!(Changes::register(none, true).unwrap().as_slice().is_empty());
    let made = Changes::reregister(none, false).unwrap();
    assert_eq!(made.as_slice(), [Delete(Read), Delete(Write)]);
}

#[test]
fn errors_that_are_none() {
    let made = Changes::reregister(READABLE, true).unwrap();
    let cases = [
        ([0, 0, 0], None),
        ([0, ENOENT, ENOENT], None),
        ([EPIPE, ENOENT, 0], None),
        ([ENOENT, 0, 0], Some(ENOENT)),
        ([0, EPIPE, 0], Some(EPIPE)),
        ([EBADF, EBADF, EBADF], Some(EBADF)),
        ([0, ENOENT, EPERM], Some(EPERM)),
        // A kernel from before that filter.
        ([0, ENOENT, EINVAL], None),
        ([0, EINVAL, 0], Some(EINVAL)),
    ];
    for (receipts, error) in cases {
        assert_eq!(made.error(&six(receipts)), error, "{receipts:?}");
    }
    // Receipts behind the list are not looked at.
    let short = Changes::register(READABLE, true).unwrap();
    assert_eq!(short.error(&six([0, EBADF, EBADF])), None);
}

#[test]
fn the_half_that_was_added_is_deleted_again() {
    let made = Changes::register(BOTH, false).unwrap();
    let cases: [([i32; 2], &[Change]); 4] = [
        ([0, EPERM], &[Delete(Read)]),
        ([EPERM, 0], &[Delete(Write)]),
        ([EPERM, EPERM], &[]),
        ([EPERM, EPIPE], &[Delete(Write)]),
    ];
    for ([read, write], undo) in cases {
        let receipts = six([read, write, 0]);
        assert_eq!(made.error(&receipts), Some(EPERM));
        assert_eq!(made.undo(&receipts).as_slice(), undo, "{receipts:?}");
    }
}

#[test]
fn nothing_was_there_to_delete() {
    let all = Changes::deregister(false);
    assert!(all.found_nothing(&six([ENOENT, ENOENT, 0])));
    assert!(!all.found_nothing(&six([ENOENT, 0, 0])));
    assert!(!all.found_nothing(&six([0, ENOENT, ENOENT])));
    assert!(!all.found_nothing(&six([EBADF, EBADF, 0])));
    let all = Changes::deregister(true);
    assert!(all.found_nothing(&six([ENOENT, ENOENT, ENOENT])));
    assert!(all.found_nothing(&six([ENOENT, ENOENT, EINVAL])));
    assert!(!all.found_nothing(&six([ENOENT, ENOENT, 0])));
}
