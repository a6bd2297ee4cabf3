//! The facts of one Rust file, read from its tokens.
//!
//! Tokens and not a syntax tree, because much of what the budgets count stands
//! inside macro definitions and invocations, which a tree leaves as tokens
//! anyway. Comments and doc examples are no tokens: nothing in them counts.

use std::collections::BTreeSet;

use anyhow::{anyhow, Result};
use proc_macro2::{Delimiter, Group, Spacing, TokenStream, TokenTree};

/// Functions that let time pass, for whatever reason they are called.
const SLEEPS: &[&str] = &["sleep", "sleep_ms", "sleep_until", "usleep", "nanosleep"];

#[derive(Debug, Default, PartialEq)]
pub(super) struct Facts {
    /// Lines of `#[cfg]`, `#[cfg_attr]` and `cfg!`.
    pub(super) cfgs: Vec<usize>,
    /// Lines that name a `target_os`.
    pub(super) target_os: Vec<usize>,
    /// Lines where an unsafe block begins.
    pub(super) unsafe_blocks: Vec<usize>,
    /// Lines where an `unsafe impl` begins.
    pub(super) unsafe_impls: Vec<usize>,
    pub(super) functions: Vec<Function>,
    /// Lines that hold code, those of test items aside.
    pub(super) code: BTreeSet<usize>,
    /// The same with the test items.
    pub(super) code_and_tests: BTreeSet<usize>,
    /// Lines with an `allow(dead_code)`, those on the whole crate aside.
    pub(super) dead_code: Vec<usize>,
    /// Lines with an `unwrap()` or `expect()` outside tests.
    pub(super) unwraps: Vec<usize>,
    /// Lines that call a function of [`SLEEPS`].
    pub(super) sleeps: Vec<usize>,
    /// Modules whose file is compiled for tests only.
    pub(super) test_modules: Vec<String>,
    /// Likewise, those that are more than tests.
    pub(super) modules: Vec<String>,
}

#[derive(Debug, PartialEq)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) line: usize,
    pub(super) lines: usize,
}

pub(super) fn tokens_of(text: &str) -> Result<Vec<TokenTree>> {
    let stream: TokenStream = text
        .parse()
        .map_err(|error| anyhow!("does not lex as Rust: {error}"))?;
    Ok(stream.into_iter().collect())
}

pub(super) fn facts_of(tokens: &[TokenTree]) -> Facts {
    let mut facts = Facts::default();
    facts.read(tokens, false);
    facts
}

impl Facts {
    /// Reads one level of tokens and what is nested in it.
    fn read(&mut self, tokens: &[TokenTree], in_test: bool) {
        // From a test attribute to the end of the item that it stands on.
        let mut on_test_item = false;
        let mut at = 0;
        while at < tokens.len() {
            let rest = &tokens[at..];
            if let Some((attribute, length)) = attribute(rest) {
                on_test_item |= is_for_tests(attribute);
                self.read_attribute(rest, attribute, length, in_test || on_test_item);
                at += length;
                continue;
            }
            self.read_token(rest, in_test || on_test_item);
            note_module(
                rest,
                if in_test || on_test_item {
                    &mut self.test_modules
                } else {
                    &mut self.modules
                },
            );
            if on_test_item {
                on_test_item = !ends_item(&rest[0]);
            }
            at += 1;
        }
    }

    /// Notes what begins at the first of `rest`.
    fn read_token(&mut self, rest: &[TokenTree], in_test: bool) {
        let line = first_line(&rest[0]);
        self.note_code(&rest[0], in_test);
        match rest {
            [TokenTree::Ident(word), TokenTree::Group(body), ..]
                if word == "unsafe" && body.delimiter() == Delimiter::Brace =>
            {
                self.unsafe_blocks.push(line);
            }
            [TokenTree::Ident(word), TokenTree::Ident(next), ..]
                if word == "unsafe" && next == "impl" =>
            {
                self.unsafe_impls.push(line);
            }
            [TokenTree::Ident(word), TokenTree::Ident(name), ..] if word == "fn" => {
                self.note_function(line, name.to_string(), &rest[2..]);
            }
            // A macro that writes functions: `fn $name`.
            [TokenTree::Ident(word), TokenTree::Punct(dollar), TokenTree::Ident(name), ..]
                if word == "fn" && dollar.as_char() == '$' =>
            {
                self.note_function(line, format!("${name}"), &rest[3..]);
            }
            [TokenTree::Ident(word), TokenTree::Punct(bang), TokenTree::Group(_), ..]
                if word == "cfg" && bang.as_char() == '!' =>
            {
                self.cfgs.push(line);
            }
            [TokenTree::Punct(dot), TokenTree::Ident(method), TokenTree::Group(_), ..]
                if !in_test
                    && dot.as_char() == '.'
                    && (method == "unwrap" || method == "expect") =>
            {
                self.unwraps.push(method.span().start().line);
            }
            [TokenTree::Ident(word), TokenTree::Group(arguments), ..]
                if arguments.delimiter() == Delimiter::Parenthesis
                    && SLEEPS.iter().any(|sleep| word == sleep) =>
            {
                self.sleeps.push(line);
            }
            [TokenTree::Ident(word), ..] if word == "target_os" => self.target_os.push(line),
            _ => {}
        }
        if let TokenTree::Group(group) = &rest[0] {
            self.read(&nested(group), in_test);
        }
    }

    fn read_attribute(
        &mut self,
        tokens: &[TokenTree],
        attribute: &Group,
        length: usize,
        in_test: bool,
    ) {
        let inside = nested(attribute);
        let Some(TokenTree::Ident(name)) = inside.first() else {
            return;
        };
        // A doc comment is an attribute to the compiler, and no code.
        if name == "doc" && is_punct(inside.get(1), '=') {
            return;
        }
        let line = first_line(&tokens[0]);
        let on_the_whole_file = length == 3;
        if name == "cfg" || name == "cfg_attr" {
            self.cfgs.push(line);
        }
        if !(on_the_whole_file && name == "cfg_attr") && allows_dead_code(&inside) {
            self.dead_code.push(line);
        }
        for token in &tokens[..length] {
            self.note_code(token, in_test);
        }
        self.read(&inside, in_test);
    }

    fn note_code(&mut self, token: &TokenTree, in_test: bool) {
        let lines: Vec<usize> = match token {
            TokenTree::Group(group) => vec![
                group.span_open().start().line,
                group.span_close().end().line,
            ],
            token => (token.span().start().line..=token.span().end().line).collect(),
        };
        self.code_and_tests.extend(&lines);
        if !in_test {
            self.code.extend(&lines);
        }
    }

    /// A function with a body, from its `fn` to its last brace.
    fn note_function(&mut self, line: usize, name: String, rest: &[TokenTree]) {
        for token in rest {
            match token {
                TokenTree::Group(body) if body.delimiter() == Delimiter::Brace => {
                    let lines = body.span_close().end().line + 1 - line;
                    self.functions.push(Function { name, line, lines });
                    return;
                }
                TokenTree::Punct(end) if end.as_char() == ';' => return,
                _ => {}
            }
        }
    }
}

/// A module that has a file of its own.
fn note_module(rest: &[TokenTree], modules: &mut Vec<String>) {
    if let [TokenTree::Ident(word), TokenTree::Ident(name), end, ..] = rest {
        if word == "mod" && is_punct(Some(end), ';') {
            modules.push(name.to_string());
        }
    }
}

/// The brackets of the attribute that `tokens` begin with, and its length.
fn attribute(tokens: &[TokenTree]) -> Option<(&Group, usize)> {
    let (group, length) = match tokens {
        [hash, TokenTree::Group(group), ..] if is_punct(Some(hash), '#') => (group, 2),
        [hash, bang, TokenTree::Group(group), ..]
            if is_punct(Some(hash), '#') && is_punct(Some(bang), '!') =>
        {
            (group, 3)
        }
        _ => return None,
    };
    (group.delimiter() == Delimiter::Bracket).then_some((group, length))
}

/// `#[test]`, `#[cfg(test)]` and `#[cfg(all(.., test, ..))]`.
fn is_for_tests(attribute: &Group) -> bool {
    match &nested(attribute)[..] {
        [TokenTree::Ident(name)] => name == "test",
        [TokenTree::Ident(name), TokenTree::Group(condition)] if name == "cfg" => {
            needs_test(&nested(condition))
        }
        _ => false,
    }
}

fn needs_test(condition: &[TokenTree]) -> bool {
    condition.iter().enumerate().any(|(at, token)| match token {
        TokenTree::Ident(word) if word == "test" => true,
        TokenTree::Ident(word) if word == "all" => match condition.get(at + 1) {
            Some(TokenTree::Group(all)) => needs_test(&nested(all)),
            _ => false,
        },
        _ => false,
    })
}

/// `allow(dead_code)` or `expect(dead_code)`, alone or within a `cfg_attr`.
fn allows_dead_code(attribute: &[TokenTree]) -> bool {
    attribute.windows(2).any(|pair| match pair {
        [TokenTree::Ident(word), TokenTree::Group(list)] if word == "allow" || word == "expect" => {
            nested(list)
                .iter()
                .any(|lint| matches!(lint, TokenTree::Ident(name) if name == "dead_code"))
        }
        [_, TokenTree::Group(list)] => allows_dead_code(&nested(list)),
        _ => false,
    })
}

fn ends_item(token: &TokenTree) -> bool {
    match token {
        TokenTree::Group(group) => group.delimiter() == Delimiter::Brace,
        token => is_punct(Some(token), ';'),
    }
}

pub(super) fn is_punct(token: Option<&TokenTree>, wanted: char) -> bool {
    matches!(token, Some(TokenTree::Punct(punct)) if punct.as_char() == wanted)
}

/// Whether `tokens` begin with `::`.
pub(super) fn is_path_separator(tokens: &[TokenTree]) -> bool {
    matches!(tokens, [TokenTree::Punct(first), second, ..]
        if first.as_char() == ':'
            && first.spacing() == Spacing::Joint
            && is_punct(Some(second), ':'))
}

pub(super) fn nested(group: &Group) -> Vec<TokenTree> {
    group.stream().into_iter().collect()
}

pub(super) fn first_line(token: &TokenTree) -> usize {
    match token {
        TokenTree::Group(group) => group.span_open().start().line,
        token => token.span().start().line,
    }
}

#[cfg(test)]
#[path = "scan_tests.rs"]
mod tests;
