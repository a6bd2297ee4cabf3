//! Whether the changelog names what was added.

/// Members that come with a trait, so that naming the trait names them.
const MEMBERS: &[(&str, &str)] = &[
    ("Error", "TryFrom"),
    ("as_fd", "AsFd"),
    ("as_handle", "AsHandle"),
    ("from", "From"),
    ("hash", "Hash"),
    ("into_raw_handle", "IntoRawHandle"),
    ("try_from", "TryFrom"),
    ("wake", "Wake"),
    ("wake_by_ref", "Wake"),
];

/// The entries of the newest release.
#[derive(Debug)]
pub(super) struct Changelog {
    entries: Vec<String>,
}

impl Changelog {
    pub(super) fn parse(text: &str) -> Changelog {
        let newest = text.split("\n## ").nth(1).unwrap_or_default();
        let entries = newest.split("\n- ").map(str::to_owned);
        Changelog {
            entries: entries.collect(),
        }
    }

    /// Those of the added items that no entry names.
    pub(super) fn unnamed<'a>(&self, added: &[&'a str]) -> Vec<&'a str> {
        let new_types: Vec<&str> = added
            .iter()
            .filter_map(|item| {
                let name = ["struct ", "enum ", "trait "]
                    .iter()
                    .find_map(|kind| item.split_once("pub ")?.1.strip_prefix(kind))?;
                Some(last_name(name))
            })
            .filter(|name| self.has_entry(&[name]))
            .collect();
        let is_unnamed = |item: &&str| {
            let (owner, name) = owner_and_name(item);
            let (owner, name) = (owner.as_str(), name.as_str());
            let name_of_trait = MEMBERS.iter().find(|(member, _)| *member == name);
            let named = new_types.contains(&owner)
                || new_types.contains(&name)
                || self.has_entry(&[owner, name])
                || name_of_trait.is_some_and(|(_, of)| self.has_entry(&[owner, of]));
            !named
        };
        added.iter().copied().filter(is_unnamed).collect()
    }

    /// Whether an entry holds all of these words.
    fn has_entry(&self, words: &[&str]) -> bool {
        let has = |entry: &String, word: &&str| {
            entry
                .split(|letter: char| !is_word(letter))
                .any(|found| found == *word)
        };
        self.entries
            .iter()
            .any(|entry| words.iter().all(|word| has(entry, word)))
    }
}

/// The type, and the trait or member that it has.
fn owner_and_name(item: &str) -> (String, String) {
    match item.split_once(" for ") {
        Some((of_trait, owner)) if item.starts_with("impl") => {
            let of_trait = last_name(after_generics(of_trait));
            return (last_name(owner).to_owned(), of_trait.to_owned());
        }
        _ => {}
    }
    // `pub const fn mio::Owner<'a>::name<T>(..) -> Type`, `pub const mio::Owner::NAME: Type`.
    let head = item.split(['(', '=']).next().unwrap_or(item);
    let head = head.split(": ").next().unwrap_or(head);
    let path = match head.split_once("mio::") {
        Some((_, path)) => path,
        // A conversion into a type of std.
        None => head.rsplit(' ').next().unwrap_or(head),
    };
    let path = without_generics(path);
    let (owner, name) = path.trim().rsplit_once("::").unwrap_or(("", path.trim()));
    (last_name(owner).to_owned(), name.to_owned())
}

/// `Trait<X>` of `impl<'a> path::Trait<X>`.
fn after_generics(head: &str) -> &str {
    let rest = head.strip_prefix("impl").unwrap_or(head);
    match rest.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        Some((_, rest)) => rest.trim(),
        None => rest.trim(),
    }
}

/// The last name of the path that the text begins with.
fn last_name(path: &str) -> &str {
    let end = path
        .find(|letter: char| !is_word(letter) && letter != ':')
        .unwrap_or(path.len());
    path[..end].rsplit("::").next().unwrap_or_default()
}

fn without_generics(path: &str) -> String {
    let mut depth = 0;
    let mut plain = String::new();
    for letter in path.chars() {
        match letter {
            '<' => depth += 1,
            '>' => depth -= 1,
            _ if depth == 0 => plain.push(letter),
            _ => {}
        }
    }
    plain
}

fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "# Changelog\n\n## 2.0\n\nWords.\n\n- `Poll::deadline` waits.\n\
        - `TryFrom` for `UdpSocket` and others.\n- `unix::Borrowed` is new.\n- `Hash` for\n  \
        `Interest`.\n\n## 1.0\n\n- `Poll::old`.\n";

    fn is_named(item: &str) -> bool {
        let added = [item, "pub struct mio::unix::Borrowed<'fd>(pub u8)"];
        Changelog::parse(TEXT).unnamed(&added).is_empty()
    }

    #[test]
    fn members_and_impls_are_named_with_their_type() {
        assert!(is_named(
            "pub fn mio::Poll::deadline(&mut self, u8) -> mio::X"
        ));
        assert!(!is_named("pub fn mio::Poll::dead(&mut self)"));
        assert!(!is_named("pub fn mio::Events::deadline(&mut self)"));
        assert!(is_named("impl core::hash::Hash for mio::Interest"));
        assert!(is_named(
            "pub fn mio::Interest::hash<__H: core::hash::Hasher>(&self, &mut __H)"
        ));
        assert!(!is_named("impl core::hash::Hash for mio::Token"));
        assert!(is_named(
            "impl core::convert::TryFrom<std::net::udp::UdpSocket> for mio::net::UdpSocket"
        ));
        assert!(is_named(
            "pub type mio::net::UdpSocket::Error = std::io::error::Error"
        ));
        assert!(!is_named("pub const mio::Interest::CLOSED: mio::Interest"));
    }

    #[test]
    fn conversions_into_types_of_others_are_named_with_these() {
        let item = "pub fn std::os::fd::owned::OwnedFd::from(mio::Pipe) -> std::os::OwnedFd";
        let named = Changelog::parse("# C\n\n## 2.0\n\n- `From<Pipe>` for `OwnedFd`.\n");
        assert!(named.unnamed(&[item]).is_empty());
        assert!(!is_named(item));
    }

    #[test]
    fn a_new_type_is_named_with_all_that_it_has() {
        assert!(is_named(
            "impl<'fd> core::fmt::Debug for mio::unix::Borrowed<'fd>"
        ));
        assert!(is_named(
            "pub fn mio::unix::Borrowed<'fd>::from(u8) -> mio::unix::Borrowed<'fd>"
        ));
        assert!(!is_named("pub struct mio::unix::Other"));
    }

    #[test]
    fn older_releases_name_nothing_new() {
        assert!(!is_named("pub fn mio::Poll::old(&self)"));
    }
}
