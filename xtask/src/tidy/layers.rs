//! The layers of the crate: a module names its own layer and those below it.

use std::collections::BTreeMap;

use proc_macro2::TokenTree;

use super::scan::{first_line, is_path_separator, is_punct, nested};

/// From the bottom to the top. `lib` is above all, and `handle` and `log` hold
/// nothing but macros, which have no layer.
const LAYERS: &[&[&str]] = &[
    &["token", "interest", "readiness"],
    &["sys"],
    &["registry", "association"],
    &["event", "poll", "io_source", "waker"],
    &["net", "source_fd", "hermit", "unix", "wasi", "windows"],
    // The door for fuzzers looks into all of it.
    &["lib", "fuzzing"],
];

const MACROS_ONLY: &[&str] = &["handle", "log"];

/// A path from the root of the crate, as far as it decides about layers.
#[derive(Debug, PartialEq)]
pub(super) struct Reference {
    pub(super) line: usize,
    /// The module, or the item re-exported by `lib.rs`, that stands at the root.
    pub(super) first: String,
}

/// The modules of a file below `src`: `src/sys/unix/mod.rs` is `[sys, unix]`.
pub(super) fn module_of(path: &str) -> Vec<String> {
    let path = path.strip_prefix("src/").unwrap_or(path);
    let path = path.strip_suffix(".rs").unwrap_or(path);
    let mut parts: Vec<String> = path.split('/').map(str::to_owned).collect();
    if matches!(parts.last().map(String::as_str), Some("mod" | "lib")) {
        parts.pop();
    }
    parts
}

/// Every `crate::..` and `super::..` of a file, resolved to the crate's root.
pub(super) fn references(tokens: &[TokenTree], module: &[String]) -> Vec<Reference> {
    let mut found = Vec::new();
    read(tokens, module, &mut found);
    found
}

fn read(tokens: &[TokenTree], module: &[String], found: &mut Vec<Reference>) {
    for at in 0..tokens.len() {
        let rest = &tokens[at..];
        match rest {
            [TokenTree::Ident(word), TokenTree::Ident(name), TokenTree::Group(body), ..]
                if word == "mod" =>
            {
                let inner = [module, &[name.to_string()]].concat();
                read(&nested(body), &inner, found);
            }
            [TokenTree::Group(body), ..] if !opens_module(tokens, at) => {
                read(&nested(body), module, found);
            }
            [TokenTree::Ident(word), ..] if is_path_separator(&rest[1..]) => {
                let base = match word.to_string().as_str() {
                    "crate" => Some(Vec::new()),
                    // Of several in a row the first one resolves them all.
                    "super" if !follows_super(tokens, at) => {
                        Some(module[..module.len().saturating_sub(1)].to_vec())
                    }
                    _ => None,
                };
                if let Some(base) = base {
                    resolve(&rest[3..], base, found);
                }
            }
            _ => {}
        }
    }
}

fn opens_module(tokens: &[TokenTree], at: usize) -> bool {
    at >= 2 && matches!(&tokens[at - 2], TokenTree::Ident(word) if word == "mod")
}

fn follows_super(tokens: &[TokenTree], at: usize) -> bool {
    at >= 3
        && is_path_separator(&tokens[at - 2..])
        && matches!(&tokens[at - 3], TokenTree::Ident(word) if word == "super")
}

/// Follows a path from the module `base`: what its first name at the root is.
fn resolve(path: &[TokenTree], mut base: Vec<String>, found: &mut Vec<Reference>) {
    match path {
        [TokenTree::Ident(word), ..] if word == "super" && is_path_separator(&path[1..]) => {
            base.pop();
            resolve(&path[3..], base, found);
        }
        [TokenTree::Ident(_), bang, ..] if is_punct(Some(bang), '!') => {}
        [TokenTree::Ident(name), ..] => {
            let first = base.first().cloned().unwrap_or_else(|| name.to_string());
            let line = first_line(&path[0]);
            found.push(Reference { line, first });
        }
        [TokenTree::Group(list), ..] => {
            for item in nested(list).split(|token| is_punct(Some(token), ',')) {
                resolve(item, base.clone(), found);
            }
        }
        _ => {}
    }
}

/// What `lib.rs` re-exports: the name, and the module that it comes from.
pub(super) fn reexports(lib: &[TokenTree]) -> BTreeMap<String, String> {
    let mut names = BTreeMap::new();
    for at in 0..lib.len() {
        if let [TokenTree::Ident(word), TokenTree::Ident(module), rest @ ..] = &lib[at..] {
            if word == "use" && is_path_separator(rest) {
                for name in leaves(&rest[2..]) {
                    names.insert(name, module.to_string());
                }
            }
        }
    }
    names
}

/// The names that a use path brings in, up to the end of its item.
fn leaves(path: &[TokenTree]) -> Vec<String> {
    let mut names = Vec::new();
    let mut last = None;
    for token in path {
        match token {
            TokenTree::Ident(name) => last = Some(name.to_string()),
            TokenTree::Group(list) => names.extend(leaves(&nested(list))),
            token if is_punct(Some(token), ',') => names.extend(last.take()),
            token if is_punct(Some(token), ';') => break,
            _ => {}
        }
    }
    names.extend(last);
    names
}

/// Why `module` may not name `reference`; nothing if it may.
pub(super) fn objection(
    module: &[String],
    reference: &Reference,
    reexports: &BTreeMap<String, String>,
) -> Option<String> {
    let own = module.first().map_or("lib", String::as_str);
    let named = reexports
        .get(&reference.first)
        .unwrap_or(&reference.first)
        .as_str();
    if own == named || MACROS_ONLY.contains(&own) {
        return None;
    }
    match (layer(own), layer(named)) {
        (None, _) => Some(format!("`{own}` is in no layer: add it to {}", file!())),
        (_, None) => Some(format!(
            "`crate::{}` is in no layer: add its module to {}",
            reference.first,
            file!()
        )),
        (Some(own_layer), Some(layer)) if layer > own_layer => Some(format!(
            "`{own}` names `{named}`, which is a layer above it: move the shared part down"
        )),
        _ => None,
    }
}

fn layer(module: &str) -> Option<usize> {
    LAYERS.iter().position(|layer| layer.contains(&module))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::scan::tokens_of;

    fn firsts(text: &str, path: &str) -> Vec<(usize, String)> {
        references(&tokens_of(text).unwrap(), &module_of(path))
            .into_iter()
            .map(|reference| (reference.line, reference.first))
            .collect()
    }

    fn expect(found: Vec<(usize, String)>, expected: &[(usize, &str)]) {
        let expected: Vec<_> = expected.iter().map(|(l, n)| (*l, n.to_string())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_file_is_a_module() {
        assert_eq!(module_of("src/sys/unix/mod.rs"), ["sys", "unix"]);
        assert_eq!(module_of("src/sys/unix/epoll.rs"), ["sys", "unix", "epoll"]);
        assert_eq!(module_of("src/poll.rs"), ["poll"]);
        assert!(module_of("src/lib.rs").is_empty());
    }

    #[test]
    fn paths_are_resolved_to_the_root() {
        let text = "use crate::{token::Token, sys::{a, b}};\n\
                    use super::super::poll;\n\
                    use super::flags;\n\
                    fn f() { $crate::event::g() }\n\
                    crate::trace!(\"x\");\n\
                    mod kernel { use super::super::super::Registry; use super::x; }\n\
                    use std::io;\n";
        expect(
            firsts(text, "src/sys/edges.rs"),
            &[
                (1, "token"),
                (1, "sys"),
                (2, "poll"),
                (3, "sys"),
                (4, "event"),
                (6, "Registry"),
                (6, "sys"),
            ],
        );
    }

    #[test]
    fn upward_names_are_objected_to_also_behind_a_reexport() {
        let lib = "pub use registry::Registry;\npub use event::{Events, Source as S};\n";
        let reexports = reexports(&tokens_of(lib).unwrap());
        let objects = |path: &str, first: &str| {
            let reference = Reference {
                line: 1,
                first: first.to_owned(),
            };
            objection(&module_of(path), &reference, &reexports).is_some()
        };
        assert!(objects("src/sys/unix/epoll.rs", "registry"));
        assert!(objects("src/sys/unix/epoll.rs", "Registry"));
        assert!(objects("src/sys/unix/epoll.rs", "S"));
        assert!(objects("src/registry.rs", "Events"));
        assert!(objects("src/sys/mod.rs", "a_module_without_a_layer"));
        assert!(!objects("src/sys/mod.rs", "sys"));
        assert!(!objects("src/sys/mod.rs", "token"));
        assert!(!objects("src/net/udp.rs", "Registry"));
        assert!(!objects("src/poll.rs", "event"));
        assert!(!objects("src/lib.rs", "net"));
    }
}
