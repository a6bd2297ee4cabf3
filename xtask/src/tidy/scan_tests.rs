use super::{facts_of, tokens_of, Facts};

fn facts(text: &str) -> Facts {
    facts_of(&tokens_of(text).unwrap())
}

#[test]
fn cfgs_count_as_attributes_and_as_macro_also_inside_macros() {
    let text = "#![cfg_attr(docsrs, feature(doc_cfg))]\n\
                #[cfg(unix)] fn a() {}\n\
                fn b() -> bool { cfg!(windows) }\n\
                cfg_if! { if #[cfg(target_os = \"linux\")] { use a; } }\n\
                // #[cfg(unix)]\n\
                /// #[cfg(unix)]\n\
                fn cfg() {}\n";
    assert_eq!(facts(text).cfgs, [1, 2, 3, 4]);
    assert_eq!(facts(text).target_os, [4]);
}

#[test]
fn unsafe_blocks_and_impls_are_told_from_unsafe_functions() {
    let text = "unsafe fn f() {}\n\
                fn g() { unsafe { f() } }\n\
                unsafe impl Send for X {}\n\
                macro_rules! m { () => { unsafe { f() } } }\n\
                #![deny(unsafe_code)]\n";
    assert_eq!(facts(text).unsafe_blocks, [2, 4]);
    assert_eq!(facts(text).unsafe_impls, [3]);
}

#[test]
fn a_function_reaches_from_fn_to_its_last_brace() {
    let text = "trait T { fn none(&self); }\n\
                pub(crate) fn three(\n) -> fn(u8) {\n}\n\
                impl X {\n    fn one() {}\n}\n\
                macro_rules! m { () => { fn $made() {} } }\n";
    let found: Vec<(String, usize, usize)> = facts(text)
        .functions
        .into_iter()
        .map(|function| (function.name, function.line, function.lines))
        .collect();
    let expected = [("three", 2, 3), ("one", 6, 1), ("$made", 8, 1)];
    assert_eq!(
        found,
        expected.map(|(name, line, lines)| (name.to_owned(), line, lines))
    );
}

#[test]
fn code_lines_leave_out_comments_blanks_and_tests() {
    let text = "//! Header.\n\
                \n\
                /// Doc.\n\
                fn f() {\n\
                    // Why.\n\
                    g(\"a\n\
                       b\");\n\
                }\n\
                #[cfg(all(test, unix))]\n\
                mod tests {\n\
                    fn t() {}\n\
                }\n\
                const A: u8 = 0;\n";
    let facts = facts(text);
    assert_eq!(facts.code.into_iter().collect::<Vec<_>>(), [4, 6, 7, 8, 13]);
    assert_eq!(facts.code_and_tests.len(), 9);
}

#[test]
fn unwraps_count_outside_tests_only() {
    let text = "fn f() { a.unwrap(); a.unwrap_or(1); unwrap(); }\n\
                #[test]\n\
                fn t() { a.unwrap(); }\n\
                fn g() { a\n.expect(\"why\"); }\n\
                #[cfg(not(test))] fn h() { a.unwrap(); }\n\
                #[cfg(any(test, unix))] fn i() { a.unwrap(); }\n";
    assert_eq!(facts(text).unwraps, [1, 5, 6, 7]);
}

#[test]
fn dead_code_may_be_allowed_for_the_whole_crate_on_a_condition() {
    let text = "#![cfg_attr(not(unix), allow(dead_code, unused_imports))]\n\
                #[allow(unused, dead_code)] fn f() {}\n\
                #[allow(unsafe_code)] fn g() {}\n\
                #[cfg_attr(loom, allow(dead_code))] fn h() {}\n\
                mod m { #![allow(dead_code)] }\n";
    assert_eq!(facts(text).dead_code, [2, 4, 5]);
}

#[test]
fn sleeps_are_calls() {
    let text = "use std::thread::sleep;\n\
                fn f() { thread::sleep(d); }\n\
                fn g() { libc::usleep(1); }\n\
                fn h() { let sleep = 1; }\n";
    assert_eq!(facts(text).sleeps, [2, 3]);
}

#[test]
fn modules_for_tests_are_told_by_their_attribute() {
    let text = "#[cfg(test)]\nmod tests;\n#[cfg(all(test, unix, not(loom)))]\nmod conformance;\n\
                #[cfg(unix)]\nmod unix;\nmod plain;\n";
    assert_eq!(facts(text).test_modules, ["tests", "conformance"]);
}
