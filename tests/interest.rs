//! The algebra of interests, its order and its texts.

use mio::Interest;

const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);

#[test]
fn each_constant_is_itself_only() {
    assert!(Interest::READABLE.is_readable() && !Interest::READABLE.is_writable());
    assert!(Interest::WRITABLE.is_writable() && !Interest::WRITABLE.is_readable());
    for interest in [Interest::READABLE, Interest::WRITABLE, BOTH] {
        assert!(!interest.is_aio() && !interest.is_lio() && !interest.is_priority());
    }
}

#[test]
fn union_is_commutative_and_idempotent() {
    assert!(BOTH.is_readable() && BOTH.is_writable());
    assert_eq!(Interest::WRITABLE | Interest::READABLE, BOTH);
    assert_eq!(
        Interest::READABLE.add(Interest::READABLE),
        Interest::READABLE
    );
    assert_eq!(BOTH | Interest::READABLE, BOTH);
    let mut interest = Interest::READABLE;
    interest |= Interest::WRITABLE;
    assert_eq!(interest, BOTH);
}

#[test]
fn removal_leaves_the_rest_or_nothing() {
    assert_eq!(BOTH.remove(Interest::READABLE), Some(Interest::WRITABLE));
    assert_eq!(BOTH.remove(Interest::WRITABLE), Some(Interest::READABLE));
    assert_eq!(BOTH.remove(BOTH), None);
    assert_eq!(Interest::READABLE.remove(Interest::READABLE), None);
    assert_eq!(Interest::READABLE.remove(BOTH), None);
    assert_eq!(
        Interest::READABLE.remove(Interest::WRITABLE),
        Some(Interest::READABLE)
    );
}

#[test]
fn constants_are_patterns_and_constant_expressions() {
    const UNION: Interest = Interest::WRITABLE.add(Interest::READABLE);
    const _: () = assert!(UNION.is_readable() && !UNION.is_priority());
    let name = match Interest::WRITABLE {
        Interest::READABLE => "readable",
        Interest::WRITABLE => "writable",
        _ => "other",
    };
    assert_eq!(name, "writable");
}

#[test]
fn order_follows_the_constants() {
    assert!(Interest::READABLE < Interest::WRITABLE);
    assert!(Interest::WRITABLE < BOTH);
    let mut interests = [BOTH, Interest::WRITABLE, Interest::READABLE];
    interests.sort();
    assert_eq!(interests, [Interest::READABLE, Interest::WRITABLE, BOTH]);
}

#[test]
fn texts() {
    assert_eq!(format!("{:?}", Interest::READABLE), "READABLE");
    assert_eq!(format!("{:?}", Interest::WRITABLE), "WRITABLE");
    assert_eq!(format!("{BOTH:?}"), "READABLE | WRITABLE");
}

#[test]
fn none_costs_no_room() {
    use std::mem::size_of;
    assert_eq!(size_of::<Option<Interest>>(), size_of::<Interest>());
}

#[cfg(any(target_os = "linux", target_os = "android"))]
mod priority {
    use super::{Interest, BOTH};

    const ALL: Interest = BOTH.add(Interest::PRIORITY);

    #[test]
    fn is_one_more_interest() {
        assert!(Interest::PRIORITY.is_priority());
        assert!(!Interest::PRIORITY.is_readable() && !Interest::PRIORITY.is_writable());
        assert!(ALL.is_priority() && ALL.is_readable() && ALL.is_writable());
        assert_eq!(ALL.remove(BOTH), Some(Interest::PRIORITY));
        assert_eq!(ALL.remove(Interest::PRIORITY), Some(BOTH));
        assert!(BOTH < Interest::PRIORITY);
    }

    #[test]
    fn texts_keep_one_order() {
        assert_eq!(format!("{:?}", Interest::PRIORITY), "PRIORITY");
        assert_eq!(format!("{ALL:?}"), "READABLE | WRITABLE | PRIORITY");
        let turned = Interest::PRIORITY | Interest::WRITABLE;
        assert_eq!(format!("{turned:?}"), "WRITABLE | PRIORITY");
    }
}
