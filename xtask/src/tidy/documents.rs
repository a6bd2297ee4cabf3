//! The tests that documents name as their witnesses must be there.

use super::files::TextFile;

/// The documents whose rows name tests.
const DOCUMENTS: &[&str] = &[
    "docs/defects.md",
    "docs/differences.md",
    "docs/portability.md",
];

/// The name of no file: how the documents explain their notation.
const NOTATION: &str = "name";

/// A test as a document names it.
#[derive(Debug, PartialEq)]
struct Named<'a> {
    line: usize,
    /// `tests/file.rs`, or the end of a path in `src`.
    file: String,
    test: &'a str,
}

/// Where a document names a test that its file does not have.
pub(super) fn missing_tests(files: &[TextFile]) -> Vec<String> {
    let documents = files
        .iter()
        .filter(|file| DOCUMENTS.contains(&file.path.as_str()));
    let mut missing = Vec::new();
    for document in documents {
        for Named { line, file, test } in named(&document.text) {
            let mut of_that_name = files.iter().filter(|other| is_meant(&other.path, &file));
            if !of_that_name.any(|other| has_word(&other.text, test)) {
                missing.push(format!("{}:{line}: no `{test}` in {file}", document.path));
            }
        }
    }
    missing
}

/// All of `file::test`, and of "`path.rs`: `test`, `test`".
fn named(text: &str) -> Vec<Named<'_>> {
    let mut all = Vec::new();
    for (index, text) in text.lines().enumerate() {
        let line = index + 1;
        let mut path = None;
        // Between the spans of code stands what is none.
        let mut before = "";
        for (index, part) in text.split('`').enumerate() {
            if index % 2 == 0 {
                before = part;
                continue;
            }
            if !matches!(before, ": " | ", ") {
                path = None;
            }
            if part.ends_with(".rs") {
                path = Some(part.to_owned());
            } else if let Some((file, test)) = part.split_once("::") {
                let test = test.rsplit("::").next().unwrap_or(test);
                if is_snake(file) && is_snake(test) && file != NOTATION {
                    let file = format!("tests/{file}.rs");
                    all.push(Named { line, file, test });
                }
            } else if let (Some(file), true) = (&path, is_snake(part)) {
                let file = file.clone();
                all.push(Named {
                    line,
                    file,
                    test: part,
                });
            }
        }
    }
    all
}

/// What has grown stands in several files, and the contract's cases are not in `tests`.
fn is_meant(path: &str, file: &str) -> bool {
    let Some(name) = file.strip_prefix("tests/") else {
        return path.ends_with(file);
    };
    let name = name.trim_end_matches(".rs");
    let folder = match name {
        "conformance" => "src/sys/",
        _ => "tests/",
    };
    let below = path.strip_prefix(folder);
    let rest = below.and_then(|path| path.strip_prefix(name));
    rest.is_some_and(|rest| rest == ".rs" || rest.starts_with('/'))
}

fn is_snake(name: &str) -> bool {
    let of_a_name = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    !name.is_empty() && name.bytes().all(of_a_name)
}

fn has_word(text: &str, word: &str) -> bool {
    let mut words = text.split(|letter: char| letter != '_' && !letter.is_alphanumeric());
    words.any(|other| other == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> TextFile {
        TextFile {
            path: path.to_owned(),
            text: text.to_owned(),
        }
    }

    #[test]
    fn both_notations_are_read() {
        let text = "`a::b_c`, `Poll::new`, `name::test`\n`x/y.rs`: `one`, `two` and `three`";
        let named: Vec<(usize, String, &str)> = named(text)
            .into_iter()
            .map(|Named { line, file, test }| (line, file, test))
            .collect();
        let expected = [
            (1, "tests/a.rs".to_owned(), "b_c"),
            (2, "x/y.rs".to_owned(), "one"),
            (2, "x/y.rs".to_owned(), "two"),
        ];
        assert_eq!(named, expected);
    }

    #[test]
    fn a_test_that_was_moved_is_missed() {
        let text =
            "`here::a`, `here::b`, `conformance::c`, `wasi::sockets::d`\n`sys/e.rs`: `f`, `g`";
        let files = [
            file("docs/portability.md", text),
            file("tests/here.rs", "fn a() {} fn b_other() {}"),
            file("tests/there.rs", "fn b() {}"),
            file("tests/wasi/sockets.rs", "fn d() {}"),
            file("src/sys/conformance/cases.rs", "fn c() {}"),
            file("src/sys/e.rs", "fn f() {}"),
        ];
        let missing = [
            "docs/portability.md:1: no `b` in tests/here.rs",
            "docs/portability.md:2: no `g` in sys/e.rs",
        ];
        assert_eq!(missing_tests(&files), missing);
    }
}
