//! Comments that a line of code must have beside it, and words that no text of
//! the repository may have in it.

/// Hosts of package registries and paths of one machine. Written in parts, or
/// this file would find itself.
const FORBIDDEN: &[&str] = &[
    concat!("crates", ".io"),
    concat!("static.rust-lang", ".org"),
    concat!("deb.debian", ".org"),
    concat!("pypi", ".org"),
    concat!("registry.npmjs", ".org"),
    concat!("proxy.golang", ".org"),
    concat!("/ro", "ot/"),
    concat!("/wo", "rk/"),
    concat!("/ho", "me/"),
    concat!("../sha", "red"),
];

/// Lines with a forbidden word, and the word.
pub(super) fn forbidden(text: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (at, line) in text.lines().enumerate() {
        for word in FORBIDDEN.iter().filter(|word| line.contains(**word)) {
            found.push((at + 1, *word));
        }
    }
    found
}

/// Whether the unsafe code on `line` has a note saying who guarantees it: on
/// the line itself, or in a comment above the statement that it is part of.
///
/// Clippy decides this exactly where it looks; here it is also seen in code
/// that this target does not compile.
pub(super) fn has_safety_note(text: &str, line: usize) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    if lines[line - 1].contains("SAFETY:") {
        return true;
    }
    for above in lines[..line - 1].iter().rev() {
        if is_comment(above) {
            if above.contains("SAFETY:") {
                return true;
            }
        } else if above.is_empty() || above.ends_with([';', '{', '}']) {
            return false;
        }
    }
    false
}

/// Whether a sleep on `line` is explained: `// tidy: allow sleep: <why>` on the
/// line itself or in the comment above it.
pub(super) fn has_sleep_note(text: &str, line: usize) -> bool {
    const NOTE: &str = "// tidy: allow sleep: ";
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_note = |text: &str| matches!(text.split_once(NOTE), Some((_, why)) if !why.is_empty());
    let above = lines[..line - 1].iter().rev();
    is_note(lines[line - 1])
        || above
            .take_while(|text| is_comment(text))
            .any(|text| is_note(text))
}

fn is_comment(line: &str) -> bool {
    line.starts_with("//")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safety_note_stands_above_the_statement() {
        let text = "// SAFETY: the caller says so,\n\
                    // and is believed.\n\
                    let x = g(\n\
                    unsafe { f() },\n\
                    );\n\
                    let y = unsafe { f() };\n\
                    a(); // SAFETY: here.\n\
                    unsafe { f() } // SAFETY: there.\n";
        assert!(has_safety_note(text, 4));
        assert!(!has_safety_note(text, 6));
        assert!(has_safety_note(text, 8));
        assert!(!has_safety_note("unsafe { f() }", 1));
        assert!(!has_safety_note("// SAFETY: far.\n\nunsafe { f() }", 3));
    }

    #[test]
    fn a_sleep_needs_a_reason() {
        assert!(!has_sleep_note("sleep(d);", 1));
        assert!(!has_sleep_note("// tidy: allow sleep: \nsleep(d);", 2));
        assert!(has_sleep_note(
            "// tidy: allow sleep: the clock is the test\n// of it.\nsleep(d);",
            3
        ));
        assert!(has_sleep_note("sleep(d); // tidy: allow sleep: load", 1));
    }

    #[test]
    fn hosts_and_machine_paths_are_found() {
        let text = format!("a\nsee https://{}\n[patch.crates-io]", FORBIDDEN[0]);
        assert_eq!(forbidden(&text), [(2, FORBIDDEN[0])]);
        assert_eq!(forbidden(&format!("cd {}x", FORBIDDEN[6])).len(), 1);
    }
}
