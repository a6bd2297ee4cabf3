//! What is told through the crate `log`. Its logger is of the process: one test.
#![cfg(all(unix, feature = "log", feature = "os-poll", feature = "net"))]

mod support;

use std::sync::Mutex;

use log::{LevelFilter, Log, Metadata, Record};
use mio::{Interest, Token};
use support::{poll_and_events, stream_pair};

/// No other test has it.
const TOKEN: Token = Token(31_415);

static LINES: Mutex<Vec<String>> = Mutex::new(Vec::new());

struct Lines;

impl Log for Lines {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let line = format!("{} {}", record.level(), record.args());
        if line.contains("31415") {
            LINES.lock().unwrap().push(line);
        }
    }

    fn flush(&self) {}
}

#[test]
fn registrations_are_traced_if_somebody_listens() {
    log::set_logger(&Lines).unwrap();
    let (poll, _) = poll_and_events();
    let (mut own, _peer) = stream_pair();
    let mut lines_at = |level| {
        log::set_max_level(level);
        poll.registry()
            .register(&mut own, TOKEN, Interest::READABLE)
            .unwrap();
        poll.registry()
            .reregister(&mut own, TOKEN, Interest::WRITABLE)
            .unwrap();
        poll.registry().deregister(&mut own).unwrap();
        std::mem::take(&mut *LINES.lock().unwrap())
    };
    assert_eq!(lines_at(LevelFilter::Debug), [""; 0]);
    assert_eq!(
        lines_at(LevelFilter::Trace),
        [
            "TRACE registering a source with Token(31415) for READABLE",
            "TRACE reregistering a source with Token(31415) for WRITABLE",
        ]
    );
}
