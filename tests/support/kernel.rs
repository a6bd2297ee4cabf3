//! What the kernel-facing tests share: child processes that run one test alone,
//! descriptor counts, limits, signals, and the system calls as strace sees them.

#![allow(dead_code, unreachable_pub, unused_imports, unsafe_code)]

use std::os::fd::{FromRawFd, OwnedFd, RawFd};
use std::process::{Command, Output};
use std::{env, fs, io, mem, thread};

#[path = "backend.rs"]
mod backend;
#[path = "program.rs"]
mod program;
#[path = "watchdog.rs"]
mod watchdog;

pub use watchdog::{storm, watchdog, Watchdog};

pub use backend::{wait_until_polling, POLL_QUEUE, QUEUE_FDS, WAKER_FDS};

/// Names the test that a child process was started for.
const CHILD: &str = "MIO_TEST_CHILD";

/// What a child prints last; a child that died early, or ran no test, lacks it.
const DONE: &str = "the child is done";

/// Runs `body` in a process of its own: this test binary, started again for `test` alone.
///
/// `test` is the name of the calling test function.
pub fn in_child(test: &str, body: impl FnOnce()) {
    if is_child(test) {
        body();
        finish_child();
    }
    check_child(test, child_command(test, &[]).output());
}

/// Whether this process was started for `test` alone.
pub fn is_child(test: &str) -> bool {
    env::var_os(CHILD).is_some_and(|name| name == test)
}

/// Ends a child without running the rest of the test harness, which a filter or a limit may hinder.
pub fn finish_child() -> ! {
    let line = format!("\n{DONE}\n");
    // SAFETY: the pointer and the length describe `line`.
    unsafe { libc::write(1, line.as_ptr().cast(), line.len()) };
    // SAFETY: _exit takes any status and has no other precondition.
    unsafe { libc::_exit(0) }
}

fn child_command(test: &str, wrapper: &[&str]) -> Command {
    let exe = env::current_exe().unwrap();
    let mut command = match wrapper.split_first() {
        Some((program, args)) => {
            let mut command = Command::new(program);
            command.args(args).arg(&exe);
            command
        }
        None => program::command(&exe),
    };
    command.args(["--exact", test, "--nocapture", "--test-threads=1"]);
    command.env(CHILD, test);
    command
}

fn check_child(test: &str, output: io::Result<Output>) {
    let output = output.unwrap();
    let stdout = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && stdout.contains(DONE),
        "the child for `{test}` ended with {}\n{stdout}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
    );
}

/// One system call as strace printed it.
#[derive(Debug, Clone)]
pub struct Call {
    pub name: String,
    pub line: String,
}

/// The system calls between two marks of one thread.
#[derive(Debug)]
pub struct Section {
    pub name: String,
    pub calls: Vec<Call>,
}

impl Section {
    pub fn names(&self) -> Vec<&str> {
        self.calls.iter().map(|call| &*call.name).collect()
    }
}

/// Begins a section of the calling thread in what [`strace`] returns.
pub fn mark(name: &str) {
    // SAFETY: the pointer and the length describe `name`; the descriptor is invalid on purpose.
    unsafe { libc::write(-1, name.as_ptr().cast(), name.len()) };
}

/// Ends the section of the calling thread.
pub fn unmark() {
    mark("");
}

/// An operation and its calls; `a|b` allows either.
pub type Row = (&'static str, &'static [&'static str]);

/// Runs `operation` between marks, and hands on what it returns.
pub fn step<T>(name: &str, operation: impl FnOnce() -> T) -> T {
    mark(name);
    let result = operation();
    unmark();
    result
}

/// Compares what strace saw with the table, row by row.
pub fn check(sections: &[Section], table: &[Row]) {
    let mut wrong = Vec::new();
    for (name, expected) in table {
        let Some(section) = sections.iter().find(|section| section.name == *name) else {
            wrong.push(format!("{name}: not run"));
            continue;
        };
        let calls = section.names();
        let matches = calls.len() == expected.len()
            && calls
                .iter()
                .zip(*expected)
                .all(|(call, names)| names.split('|').any(|n| n == *call));
        if !matches {
            let lines: Vec<_> = section
                .calls
                .iter()
                .take(9)
                .map(|call| &call.line)
                .collect();
            wrong.push(format!(
                "{name}: expected {:?}, saw {}: {lines:#?}",
                &expected[..expected.len().min(9)],
                calls.len()
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(
        sections.len(),
        table.len(),
        "a step is missing from the table"
    );
}

/// Runs `body` in a child under strace with `options`, and returns the sections that it marked.
///
/// Calls that only serve memory are left out, and the check whether a descriptor is open that std
/// makes before each close in debug builds. In the child this function does not return.
pub fn strace(test: &str, options: &[&str], body: impl FnOnce()) -> Vec<Section> {
    if is_child(test) {
        body();
        finish_child();
    }
    let dir = tempfile::tempdir().unwrap();
    let prefix = dir.path().join("trace");
    let mut wrapper = vec!["strace", "-ff", "-qq", "-o", prefix.to_str().unwrap()];
    wrapper.extend_from_slice(options);
    let output = child_command(test, &wrapper).output();
    let output = output.expect("these tests need strace: install it");
    check_child(test, Ok(output));

    let mut sections = Vec::new();
    for entry in fs::read_dir(dir.path()).unwrap() {
        let text = fs::read_to_string(entry.unwrap().path()).unwrap();
        sections.extend(sections_of(&text));
    }
    sections
}

fn sections_of(trace: &str) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    let mut open = false;
    for line in trace.lines() {
        if let Some(rest) = line.strip_prefix("write(-1, \"") {
            let name = rest.split('"').next().unwrap();
            open = !name.is_empty();
            if open {
                let (name, calls) = (name.to_owned(), Vec::new());
                sections.push(Section { name, calls });
            }
        } else if let (true, Some((name, _))) = (open, line.split_once('(')) {
            let name = usual_name(name);
            let memory = ["brk", "mmap", "munmap", "mremap", "madvise", "mprotect"];
            let checked = name == "fcntl" && line.contains("F_GETFD)");
            if !memory.contains(&name) && !checked && !line.starts_with(['-', '+']) {
                let (name, line) = (name.to_owned(), line.to_owned());
                sections.last_mut().unwrap().calls.push(Call { name, line });
            }
        }
    }
    sections
}

/// What 64-bit systems call a system call of 32-bit x86.
fn usual_name(name: &str) -> &str {
    match name {
        "fcntl64" => "fcntl",
        "recv" => "recvfrom",
        "send" => "sendto",
        other => other,
    }
}

/// The kernel's number of the calling thread.
pub fn thread_id() -> libc::pid_t {
    // SAFETY: gettid takes no arguments and cannot fail.
    unsafe { libc::syscall(libc::SYS_gettid) as libc::pid_t }
}

/// The number of open descriptors below `limit`; opens none itself.
pub fn count_fds(limit: RawFd) -> usize {
    // SAFETY: F_GETFD only asks whether the descriptor is open.
    (0..limit)
        .filter(|&fd| unsafe { libc::fcntl(fd, libc::F_GETFD) } != -1)
        .count()
}

/// Sets the soft limit of open descriptors and returns the hard one.
pub fn limit_fds(soft: impl FnOnce(libc::rlim_t) -> libc::rlim_t) -> libc::rlim_t {
    // SAFETY: all-zero is a valid rlimit.
    let mut limit: libc::rlimit = unsafe { mem::zeroed() };
    // SAFETY: the pointer is to a live rlimit, which the kernel fills.
    let done = unsafe { libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) };
    assert_eq!(done, 0);
    limit.rlim_cur = soft(limit.rlim_max);
    // SAFETY: the pointer is to a live rlimit, which the kernel reads.
    assert_eq!(unsafe { libc::setrlimit(libc::RLIMIT_NOFILE, &limit) }, 0);
    limit.rlim_max
}

/// A non-blocking eventfd that holds `value`: readable when that is not zero.
pub fn eventfd(value: u32) -> OwnedFd {
    // SAFETY: eventfd takes any initial value.
    let fd = unsafe { libc::eventfd(value, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
    assert_ne!(fd, -1, "eventfd: {}", io::Error::last_os_error());
    // SAFETY: the kernel has just returned this descriptor to us.
    unsafe { OwnedFd::from_raw_fd(fd) }
}

/// Adds one to an eventfd, which makes it readable anew.
pub fn signal(fd: RawFd) {
    let one = 1_u64.to_ne_bytes();
    // SAFETY: the pointer and the length describe `one`.
    let written = unsafe { libc::write(fd, one.as_ptr().cast(), one.len()) };
    assert_eq!(written, 8, "write: {}", io::Error::last_os_error());
}

/// Installs `handler` for `signal` with `flags` such as `SA_RESTART`.
pub fn handle_signal(signal: libc::c_int, flags: libc::c_int, handler: extern "C" fn(libc::c_int)) {
    // SAFETY: all-zero is a valid sigaction.
    let mut action: libc::sigaction = unsafe { mem::zeroed() };
    action.sa_sigaction = handler as *const () as usize;
    action.sa_flags = flags;
    // SAFETY: `action` is complete and its handler has the signature that `flags` ask for.
    let done = unsafe { libc::sigaction(signal, &action, std::ptr::null_mut()) };
    assert_eq!(done, 0);
}

/// Sends `signal` to one thread of this process.
pub fn send_signal(thread: libc::pid_t, signal: libc::c_int) {
    let process = std::process::id() as libc::pid_t;
    // SAFETY: tgkill takes integers only and checks them.
    let done = unsafe { libc::syscall(libc::SYS_tgkill, process, thread, signal) };
    assert_eq!(done, 0);
}
