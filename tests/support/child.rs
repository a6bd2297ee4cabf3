//! Tests that need a process of their own.

use std::env;
use std::io::Read;
use std::process::Stdio;
use std::thread;

use super::program;

/// Names the test whose body the child runs.
const CHILD_TEST: &str = "MIO_TEST_CHILD";

/// Runs `body` in a fresh process in which no other test runs.
///
/// `name` is the path of the calling test as `--list` prints it. The parent starts its own binary
/// again for this one test; there the same call runs `body` on the main thread, so that the count
/// of descriptors, limits, signal handlers and seccomp filters belong to this test alone.
///
/// Between its fork and its exec the child holds all descriptors of the parent open. So a test
/// that drops a descriptor and looks at once for the effect belongs in a binary that never calls
/// this, or inside such a child.
pub(crate) fn in_child(name: &str, body: impl FnOnce()) {
    if env::var_os(CHILD_TEST).is_some_and(|running| running == *name) {
        return body();
    }
    let mut child = program::command(&env::current_exe().expect("the path of this binary"))
        .args([name, "--exact", "--nocapture", "--test-threads=1"])
        .env(CHILD_TEST, name)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the test binary starts again");
    let stdout = drain(child.stdout.take().expect("piped"));
    let stderr = drain(child.stderr.take().expect("piped"));
    let status = child.wait().expect("the child can be waited for");
    let stdout = stdout.join().expect("reader");
    let stderr = stderr.join().expect("reader");
    // A name with a typing error would run no test at all and still succeed.
    assert!(
        status.success() && stdout.contains("1 passed"),
        "child of {name}: {status}\n--- stdout\n{stdout}\n--- stderr\n{stderr}"
    );
}

/// Reads a pipe to its end on a thread, so that neither pipe of the child can fill up.
fn drain(mut pipe: impl Read + Send + 'static) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("the child's output");
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
