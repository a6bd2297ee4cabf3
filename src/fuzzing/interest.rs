use super::Input;
use crate::interest::Interest;

/// The modes, in the order of their bits.
const MODES: [fn(Interest) -> Interest; 3] =
    [Interest::level, Interest::oneshot, Interest::exclusive];

/// An interest out of any bytes: all that public code can build.
pub(super) fn any(input: &mut Input<'_>) -> Interest {
    let interests = [
        Interest::READABLE,
        Interest::WRITABLE,
        Interest::CLOSED,
        Interest::URGENT,
        Interest::COMPLETIONS,
    ];
    let bits = input.u16();
    let chosen = |index: usize| bits >> index & 1 == 1;
    let asked = interests.into_iter().enumerate();
    let asked = asked.filter(|(index, _)| chosen(*index));
    let asked = asked.map(|(_, interest)| interest);
    let interest = asked.reduce(Interest::add).unwrap_or(Interest::READABLE);
    let modes = MODES.into_iter().enumerate();
    let modes = modes.filter(|(index, _)| chosen(8 + *index));
    modes.fold(interest, |interest, (_, mode)| mode(interest))
}

/// Every question in the order of the bits, modes last.
fn answers(interest: Interest) -> [bool; 9] {
    [
        interest.is_readable(),
        interest.is_writable(),
        interest.is_aio(),
        interest.is_lio(),
        interest.is_priority(),
        interest.is_closed(),
        interest.is_level(),
        interest.is_oneshot(),
        interest.is_exclusive(),
    ]
}

/// How many of the answers are about what is asked.
const ASKED: usize = 6;

const NAMES: [&str; 9] = [
    "READABLE",
    "WRITABLE",
    "AIO",
    "LIO",
    "PRIORITY",
    "CLOSED",
    "LEVEL",
    "ONESHOT",
    "EXCLUSIVE",
];

fn zip(one: [bool; 9], other: [bool; 9], with: impl Fn(bool, bool) -> bool) -> [bool; 9] {
    std::array::from_fn(|index| with(one[index], other[index]))
}

/// Interests are sets, modes a second set beside them that is never taken from.
pub(super) fn algebra(bytes: &[u8]) {
    let mut input = Input(bytes);
    let (one, other) = (any(&mut input), any(&mut input));
    let (mine, theirs) = (answers(one), answers(other));
    assert!(mine[..ASKED].contains(&true), "nothing asked: {one:?}");

    let union = one | other;
    assert_eq!(answers(union), zip(mine, theirs, |a, b| a | b));
    assert_eq!(union, one.add(other));
    assert_eq!(union, other | one);
    assert_eq!(union | one, union);
    let mut assigned = one;
    assigned |= other;
    assert_eq!(assigned, union);

    let mut expected = zip(mine, theirs, |a, b| a & !b);
    expected[ASKED..].copy_from_slice(&mine[ASKED..]);
    match one.remove(other) {
        Some(left) => assert_eq!(answers(left), expected),
        None => assert!(!expected[..ASKED].contains(&true), "{one:?} - {other:?}"),
    }

    let level = zip(mine, answers(one.level()), |a, b| a != b);
    assert!(one.level().is_level() && !level[..ASKED].contains(&true));
    assert!(!one.level().edge().is_level());
    assert_eq!(one.edge().level(), one.level());
    assert!(one.oneshot().is_oneshot());
    assert_eq!(one.has_mode(), mine[ASKED..].contains(&true));

    let named = NAMES.iter().zip(mine).filter(|(_, on)| *on);
    let text: Vec<&str> = named.map(|(name, _)| *name).collect();
    assert_eq!(format!("{one:?}"), text.join(" | "));
    assert_eq!(one == other, mine == theirs);
    assert_eq!(one.cmp(&other).is_eq(), mine == theirs);
}
