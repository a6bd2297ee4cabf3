//! A listing of public items, and when two items are the same.
//!
//! One signature can be spelled in several ways: `Self` or the type, `Self::Item`
//! or what it stands for, `impl<'a> T for X<'a>` or `impl T for X<'_>`. Each item
//! is therefore brought into one spelling before it is compared.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Traits of the standard library's inner workings, which no program names.
const INTERNAL_TRAITS: &[&str] = &[
    "core::marker::Freeze",
    "core::marker::UnsafeUnpin",
    "core::marker::StructuralPartialEq",
];

/// Items by their one spelling, as the tool wrote them.
#[derive(Debug)]
pub(super) struct Listing {
    items: BTreeMap<String, String>,
}

impl Listing {
    pub(super) fn parse(text: &str) -> Listing {
        let lines = text
            .lines()
            .filter(|line| !INTERNAL_TRAITS.iter().any(|name| line.contains(name)));
        // `pub type Owner::Name = Type`, by `Owner::Name`.
        let types: BTreeMap<&str, &str> = lines
            .clone()
            .filter_map(|line| line.strip_prefix("pub type ")?.split_once(" = "))
            .collect();
        Listing {
            items: lines
                .map(|line| (spelling(line, &types), line.to_owned()))
                .collect(),
        }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    fn has(&self, spelling: &str) -> bool {
        self.items.contains_key(spelling)
    }
}

/// What only the older listing has, and what only ours has.
///
/// A function that became const can do all that it could.
pub(super) fn compare<'a>(older: &'a Listing, ours: &'a Listing) -> (Vec<&'a str>, Vec<&'a str>) {
    let as_const = |item: &str| item.replacen("pub fn ", "pub const fn ", 1);
    let as_plain = |item: &str| item.replacen("pub const fn ", "pub fn ", 1);
    let missing = older
        .items
        .iter()
        .filter(|(item, _)| !ours.has(item) && !ours.has(&as_const(item)));
    let added = ours
        .items
        .iter()
        .filter(|(item, _)| !older.has(item) && !older.has(&as_plain(item)));
    (
        missing.map(|(_, line)| line.as_str()).collect(),
        added.map(|(_, line)| line.as_str()).collect(),
    )
}

fn spelling(line: &str, types: &BTreeMap<&str, &str>) -> String {
    match owner_of_function(line) {
        Some(owner) => number_lifetimes(&without_self(line, owner, types)),
        None => number_lifetimes(line),
    }
}

/// The type or trait that a function belongs to: `Owner` in
/// `pub fn Owner::name<G>(..)`.
fn owner_of_function(line: &str) -> Option<&str> {
    let (_, head) = line.split_once("fn ")?;
    let mut depth = 0;
    let mut name_ends = None;
    let mut before = ' ';
    for (at, letter) in head.char_indices() {
        match letter {
            '<' => {
                if depth == 0 {
                    name_ends = Some(at);
                }
                depth += 1;
            }
            // The `>` of an arrow closes nothing.
            '>' if before != '-' => depth -= 1,
            // Generics that stand before `::` were the owner's.
            ':' if depth == 0 => name_ends = None,
            '(' if depth == 0 => {
                let name = &head[..name_ends.unwrap_or(at)];
                return name.rsplit_once("::").map(|(owner, _)| owner);
            }
            _ => {}
        }
        before = letter;
    }
    None
}

/// Puts `owner` for `Self`, and the associated types for their names.
fn without_self(line: &str, owner: &str, types: &BTreeMap<&str, &str>) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find("Self") {
        let (before, found) = rest.split_at(at);
        out.push_str(before);
        let after = &found["Self".len()..];
        if before.ends_with(is_word) || after.starts_with(is_word) {
            out.push_str("Self");
            rest = after;
            continue;
        }
        let name = after.strip_prefix("::").unwrap_or_default();
        let name = &name[..name.find(|letter| !is_word(letter)).unwrap_or(name.len())];
        match types.get(format!("{owner}::{name}").as_str()) {
            Some(named) => {
                out.push_str(named);
                rest = &after["::".len() + name.len()..];
            }
            None => {
                out.push_str(owner);
                rest = after;
            }
        }
    }
    out + rest
}

/// Names lifetimes by the order in which they come, `'_` always a new one, and
/// drops their declaration after `impl`, and the name of a reference's that is
/// named nowhere else.
fn number_lifetimes(line: &str) -> String {
    let line = elided(&without_declaration(line));
    let mut names: Vec<&str> = Vec::new();
    let mut pieces = line.split('\'');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|letter| !is_word(letter)).unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        if name == "static" {
            out.push_str("'static");
        } else {
            let known = names.iter().position(|other| *other == name && name != "_");
            let number = known.unwrap_or_else(|| {
                names.push(name);
                names.len() - 1
            });
            out.push_str(&format!("'{number}"));
        }
        out.push_str(rest);
    }
    out
}

/// Without the `<'a>` of an `impl<'a>` that declares one lifetime and nothing
/// else.
fn without_declaration(line: &str) -> Cow<'_, str> {
    let declared = line.strip_prefix("impl<'");
    match declared.and_then(|rest| rest.split_once('>')) {
        Some((name, rest)) if name.chars().all(is_word) => Cow::Owned(format!("impl{rest}")),
        _ => Cow::Borrowed(line),
    }
}

/// Without the `'a` of a `&'a` that stands alone.
fn elided(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once("&'") {
        let end = after.find(|letter| !is_word(letter));
        let (name, following) = after.split_at(end.unwrap_or(after.len()));
        let named = format!("'{name}");
        let uses = line.match_indices(&named).filter(|(at, _)| {
            let next = line[at + named.len()..].chars().next();
            !next.is_some_and(is_word)
        });
        out.push_str(before);
        out.push('&');
        if name == "static" || uses.count() > 1 {
            out.push_str(&named);
            rest = following;
        } else {
            rest = following.trim_start();
        }
    }
    out + rest
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(older: &str, ours: &str) -> (Vec<String>, Vec<String>) {
        let (older, ours) = (Listing::parse(older), Listing::parse(ours));
        let (missing, added) = compare(&older, &ours);
        let owned = |items: Vec<&str>| items.into_iter().map(str::to_owned).collect();
        (owned(missing), owned(added))
    }

    fn same(older: &str, ours: &str) {
        assert_eq!(compared(older, ours), (vec![], vec![]), "{older} | {ours}");
    }

    fn differ(older: &str, ours: &str) {
        let (missing, added) = compared(older, ours);
        assert_eq!((missing.len(), added.len()), (1, 1), "{older} | {ours}");
    }

    #[test]
    fn the_lifetime_of_a_reference_need_not_be_named() {
        same("impl<'a> m::T for &'a m::A", "impl m::T for &m::A");
        same(
            "pub fn &'a m::A::f(&mut self)",
            "pub fn &m::A::f(&mut self)",
        );
        differ("pub fn m::A::f(&'static u8)", "pub fn m::A::f(&u8)");
        differ(
            "pub fn m::f<'a>(&'a u8, &u8) -> &'a u8",
            "pub fn m::f<'a>(&u8, &'a u8) -> &'a u8",
        );
    }

    #[test]
    fn self_is_the_owner() {
        same(
            "pub fn m::A::f(self, Self) -> Self",
            "pub fn m::A::f(self, m::A) -> m::A",
        );
        same(
            "pub fn m::B<T>::f<F>(F) -> Self",
            "pub fn m::B<T>::f<F>(F) -> m::B<T>",
        );
        differ("pub fn m::A::f() -> Self", "pub fn m::A::f() -> m::B");
        differ("pub fn m::A::f() -> MySelf", "pub fn m::A::f() -> Mym::A");
    }

    #[test]
    fn an_associated_type_is_what_it_stands_for() {
        same(
            "pub type m::I<'a>::Item = &'a m::E\npub fn m::I<'a>::next(&mut self) -> Self::Item",
            "pub type m::I<'x>::Item = &'x m::E\npub fn m::I<'x>::next(&mut self) -> &'x m::E",
        );
    }

    #[test]
    fn lifetimes_are_told_by_their_places() {
        same("impl<'a> m::T for m::X<'a>", "impl m::T for m::X<'_>");
        same(
            "impl<'a> m::T<'a> for m::X<'a>",
            "impl<'b> m::T<'b> for m::X<'b>",
        );
        differ(
            "impl<'a> m::T<'a> for m::X<'a>",
            "impl m::T<'_> for m::X<'_>",
        );
        differ("impl m::T for m::X<'static>", "impl m::T for m::X<'_>");
    }

    #[test]
    fn becoming_const_is_a_gift_and_ceasing_to_be_is_a_loss() {
        same("pub fn m::A::f(self)", "pub const fn m::A::f(self)");
        differ("pub const fn m::A::f(self)", "pub fn m::A::f(self)");
        differ("pub fn m::A::f(u8)", "pub fn m::A::f(u16)");
    }

    #[test]
    fn the_owner_is_found_among_generics() {
        let owner = |line| owner_of_function(line);
        assert_eq!(owner("pub fn &'a m::E::into_iter(self)"), Some("&'a m::E"));
        assert_eq!(owner("pub fn m::B<T>::f(T)"), Some("m::B<T>"));
        assert_eq!(
            owner("pub fn m::A::g<F: Fn(u8) -> m::B<u8>>(F) -> u8"),
            Some("m::A")
        );
        assert_eq!(owner("pub mod m"), None);
    }
}
