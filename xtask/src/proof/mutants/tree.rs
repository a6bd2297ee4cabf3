//! The copy of the repository that is mutated, and what differs in it.
//!
//! - The tool finds files by their `mod` lines, and those in the tables of
//!   systems stand inside a macro: the copy names them once more, where no
//!   compiler looks.
//! - A mutant that waits for what never comes waits as long as tests take a hang
//!   to be: in the copy that is short.
//! - Forty test programs are forty to link, for each mutant: in the copy those
//!   that can share a process are the modules of one.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::process::{command, read};
use crate::workspace::Workspace;

/// What Linux picks from the tables.
const IN_TABLES: &[&str] = &[
    "sys/levels.rs",
    "sys/poll.rs",
    "sys/poll/poll_fds.rs",
    "sys/unix/mod.rs",
    "sys/unix/epoll.rs",
    "sys/unix/syscall/accept4.rs",
    "sys/unix/syscall/atomic.rs",
    "sys/waker/eventfd.rs",
];

/// Lines of tests that say how long a hang is, and what the copy says instead.
const GUARDS: &[(&str, &str, &str)] = &[
    (
        "src/sys/conformance.rs",
        "HANG: Duration = Duration::from_secs(20)",
        "HANG: Duration = Duration::from_secs(5)",
    ),
    (
        "src/sys/poll/tests/under_way.rs",
        "HANG: Duration = Duration::from_secs(60)",
        "HANG: Duration = Duration::from_secs(8)",
    ),
    (
        "tests/support/expect.rs",
        "HANG_GUARD: Duration = Duration::from_secs(60)",
        "HANG_GUARD: Duration = Duration::from_secs(8)",
    ),
];

/// Tests that start themselves again must name themselves as the one program does.
const NAMES: &[(&str, &str, &str)] = &[
    (
        "tests/support/child.rs",
        ".args([name, ",
        ".args([thread::current().name().unwrap_or(name), ",
    ),
    (
        "tests/support/kernel.rs",
        ".args([\"--exact\", test, ",
        ".args([\"--exact\", std::thread::current().name().unwrap_or(test), ",
    ),
];

/// The program of the copy's integration tests.
const TOGETHER: &str = "together";

/// Its modules: files of `tests/` that take no second, and whose tests do not
/// mind what others do in their process.
const MODULES: &[&str] = &[
    "accept_connect",
    "accept_connect_local",
    "additions",
    "additions_net",
    "additions_sockets",
    "additions_unix",
    "bad_input",
    "closing",
    "datagram",
    "datagram_local",
    "drop",
    "eintr",
    "events",
    "interest",
    "logging",
    "many",
    "mistakes",
    "modes",
    "nested",
    "pipe",
    "poll",
    "readiness",
    "readiness_local",
    "register",
    "regressions",
    "regressions_addr",
    "regressions_poll",
    "regressions_queue",
    "reregister",
    "std_conversions",
    "threads",
    "timeout",
    "timeouts_kernel",
    "token",
    "try_io",
    "udp_options",
    "unix_addr",
    "vectored",
    "waker",
    "waker_fairness",
    "waker_task",
];

/// Copies what git knows of, or would add.
pub(super) fn copy(workspace: &Workspace, tree: &Path) -> Result<()> {
    let mut list = command("git", &workspace.root);
    list.args(["ls-files", "--cached", "--others", "--exclude-standard"]);
    for name in read(&mut list)?.lines() {
        let Ok(bytes) = fs::read(workspace.root.join(name)) else {
            // Removed, and not yet in the index.
            continue;
        };
        let text = String::from_utf8(bytes).map(|text| adapted(name, text));
        let bytes = match text {
            Ok(text) => text.into_bytes(),
            Err(binary) => binary.into_bytes(),
        };
        write(&tree.join(name), &bytes)?;
    }
    put_together(workspace, tree)
}

/// Writes what is not there yet, so that nothing is built again for its date.
fn write(to: &Path, bytes: &[u8]) -> Result<()> {
    if fs::read(to).is_ok_and(|present| present == bytes) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(to, bytes).with_context(|| format!("cannot write {}", to.display()))
}

fn adapted(name: &str, mut text: String) -> String {
    for (file, from, to) in GUARDS.iter().chain(NAMES) {
        if name == *file {
            text = text.replace(from, to);
        }
    }
    if name == "src/lib.rs" {
        for (at, file) in IN_TABLES.iter().enumerate() {
            text.push_str(&format!(
                "#[cfg(any())]\n#[path = {file:?}]\nmod in_table_{at};\n"
            ));
        }
    }
    text
}

fn put_together(workspace: &Workspace, tree: &Path) -> Result<()> {
    let directory = tree.join("tests").join(TOGETHER);
    let mut root =
        String::from("//! The modules.\n#[path = \"../support/mod.rs\"]\nmod support;\n");
    for name in MODULES {
        let file = workspace.root.join(format!("tests/{name}.rs"));
        let text =
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?;
        write(
            &directory.join(format!("{name}.rs")),
            as_module(&text).as_bytes(),
        )?;
        root.push_str(&format!("mod {name};\n"));
    }
    write(&directory.join("main.rs"), root.as_bytes())
}

/// The root has the harness, and lies a directory deeper.
fn as_module(text: &str) -> String {
    text.replace("\nmod support;", "\nuse crate::support;")
        .replace("path = \"support/", "path = \"../support/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_finds_the_harness() {
        let text = "//! A.\n\nmod support;\n#[path = \"support/kernel.rs\"]\nmod kernel;\n";
        assert_eq!(
            as_module(text),
            "//! A.\n\nuse crate::support;\n#[path = \"../support/kernel.rs\"]\nmod kernel;\n"
        );
    }

    #[test]
    fn only_the_root_names_what_is_in_tables() {
        assert_eq!(adapted("src/poll.rs", String::new()), "");
        assert!(adapted("src/lib.rs", String::new()).contains("#[path = \"sys/unix/epoll.rs\"]"));
    }
}
