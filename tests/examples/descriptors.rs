//! Examples of what can be watched because it has a descriptor.

use std::process::Command;

use crate::example::Example;

fn send_signal(process: &str, signal: &str) {
    let status = Command::new("kill").args(["-s", signal, process]).status();
    assert!(status.unwrap().success());
}

#[test]
fn signals_are_told_by_name() {
    let example = Example::run("signals", &[]);
    let line = example.line();
    let process = line.strip_prefix("process ").unwrap();
    for _ in 0..3 {
        send_signal(process, "USR1");
        assert_eq!(example.line(), "SIGUSR1");
    }
    send_signal(process, "TERM");
    let (lines, status) = example.finish();
    assert!(status.success(), "{status}");
    assert_eq!(lines, ["SIGTERM"]);
}

#[test]
fn fd_passing_reads_from_what_it_was_passed() {
    let (lines, status) = Example::run("fd_passing", &[]).finish();
    assert!(status.success(), "{status}");
    assert_eq!(
        lines,
        ["received a pipe", "words through the passed descriptor"]
    );
}

#[cfg(target_os = "linux")]
#[test]
fn child_exit_ends_as_the_child_does() {
    for code in [0, 3] {
        let exit = format!("exit {code}");
        let (lines, status) = Example::run("child_exit", &["sh", "-c", &exit]).finish();
        assert_eq!(status.code(), Some(code));
        assert_eq!(lines, [format!("the child has ended: exit status: {code}")]);
    }
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "aarch64", target_arch = "x86_64")
))]
#[test]
fn io_uring_reads_a_file() {
    let (lines, status) = Example::run("io_uring", &[]).finish();
    if status.code() == Some(2) {
        // Not by a macro: the harness would swallow it in a test that passes.
        let text = format!("\nNOT TESTED: io_uring in Poll: {}\n", lines.join("\n"));
        std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes()).unwrap();
        return;
    }
    assert!(status.success(), "{status}");
    assert_eq!(lines, ["4 reads, an ELF file"]);
}

#[test]
fn udp_segments_all_arrive() {
    let (lines, status) = Example::run("udp_segments", &[]).finish();
    assert!(status.success(), "{status}");
    assert!(lines[0].starts_with("20 datagrams: "), "{lines:?}");
}
