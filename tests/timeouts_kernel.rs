//! A timeout is never early, and reaches the kernel as precisely as it can be said.

#![cfg(all(target_os = "linux", feature = "os-poll"))]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{mpsc, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token, Waker};

#[path = "support/kernel.rs"]
mod kernel;

const MAX_MS: u64 = i32::MAX as u64;

/// Polls a queue with `wakers` wakers that nobody wakes.
fn wait(wakers: usize, timeout: Duration) -> Duration {
    let mut poll = Poll::new().unwrap();
    let mut events = Events::with_capacity(4);
    let _wakers: Vec<_> = (0..wakers)
        .map(|token| Waker::new(poll.registry(), Token(token)).unwrap())
        .collect();
    let start = Instant::now();
    poll.poll(&mut events, Some(timeout)).unwrap();
    let elapsed = start.elapsed();
    assert!(events.is_empty());
    elapsed
}

#[test]
fn a_timeout_is_never_early() {
    let us = [
        1, 50, 99, 100, 500, 999, 1000, 1001, 1500, 1999, 2000, 5300, 10_000, 20_000,
    ];
    for timeout in us.map(Duration::from_micros) {
        for extra in [0, 1, 999].map(Duration::from_nanos) {
            for wakers in 0..2 {
                let timeout = timeout + extra;
                let elapsed = wait(wakers, timeout);
                assert!(elapsed >= timeout, "{timeout:?} ended after {elapsed:?}");
            }
        }
    }
}

/// How strace shows a wait: the call, and the text that its timeout is printed as.
struct Row(Duration, &'static [&'static str]);

/// The call that takes more than milliseconds.
const PRECISE: &str = if kernel::POLL_QUEUE {
    "ppoll("
} else {
    "epoll_pwait2("
};

/// Whole milliseconds go by the old call, whose timeout stands last; the rest by the new one.
fn table() -> Vec<Row> {
    let ms = Duration::from_millis;
    let ns = Duration::from_nanos;
    vec![
        Row(Duration::ZERO, &[", 0) = 0", ", 0, NULL, 8) = 0"]),
        Row(ms(1), &[", 1) = 0", ", 1, NULL, 8) = 0"]),
        Row(ms(7), &[", 7) = 0", ", 7, NULL, 8) = 0"]),
        Row(ns(1), &[PRECISE, "{tv_sec=0, tv_nsec=1}, NULL, 8)"]),
        Row(
            ns(999_999),
            &[PRECISE, "{tv_sec=0, tv_nsec=999999}, NULL, 8)"],
        ),
        Row(
            ns(1_000_001),
            &[PRECISE, "{tv_sec=0, tv_nsec=1000001}, NULL, 8)"],
        ),
        Row(
            ns(2_500_000),
            &[PRECISE, "{tv_sec=0, tv_nsec=2500000}, NULL, 8)"],
        ),
    ]
}

#[test]
fn the_kernel_is_told_the_exact_timeout() {
    let sections = kernel::strace(
        "the_kernel_is_told_the_exact_timeout",
        &["-s", "64"],
        || {
            let mut poll = Poll::new().unwrap();
            let mut events = Events::with_capacity(4);
            for (index, Row(timeout, _)) in table().into_iter().enumerate() {
                kernel::mark(&index.to_string());
                poll.poll(&mut events, Some(timeout)).unwrap();
                kernel::unmark();
            }
        },
    );
    for (index, Row(timeout, texts)) in table().into_iter().enumerate() {
        let section = &sections[index];
        assert_eq!(section.calls.len(), 1, "{timeout:?}: {section:?}");
        // strace aligns the results: one blank is as good as many.
        let words: Vec<_> = section.calls[0].line.split_whitespace().collect();
        let mut line = words.join(" ");
        // Of poll(2) strace says in words that nothing came.
        if let Some(without) = line.strip_suffix(" (Timeout)") {
            line = without.to_owned();
        }
        if texts[0] == PRECISE {
            assert!(
                texts.iter().all(|text| line.contains(text)),
                "{timeout:?}: {line}"
            );
        } else {
            assert!(!line.starts_with(PRECISE), "{timeout:?}: {line}");
            assert!(
                texts.iter().any(|text| line.ends_with(text)),
                "{timeout:?}: {line}"
            );
        }
    }
}

/// Timeouts beyond what a C int of milliseconds holds, and some just below.
fn long_timeouts() -> [Duration; 8] {
    [
        Duration::from_millis(MAX_MS - 1),
        Duration::from_millis(MAX_MS),
        Duration::from_millis(MAX_MS + 1),
        Duration::from_millis(2 * MAX_MS + 3),
        Duration::from_millis(u64::from(u32::MAX) + 2),
        Duration::from_millis(MAX_MS) + Duration::from_nanos(1),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ]
}

#[test]
fn a_long_timeout_waits_and_can_be_woken() {
    let sections = kernel::strace("a_long_timeout_waits_and_can_be_woken", &[], || {
        let _watchdog = kernel::watchdog();
        for timeout in long_timeouts() {
            let mut poll = Poll::new().unwrap();
            let waker = Waker::new(poll.registry(), Token(0)).unwrap();
            let (ready, asleep) = mpsc::channel();
            let poller = thread::spawn(move || {
                let mut events = Events::with_capacity(4);
                // The first poll may take what the waker's set-up signalled.
                poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
                ready.send(kernel::thread_id()).unwrap();
                kernel::mark(&format!("{timeout:?}"));
                poll.poll(&mut events, Some(timeout)).unwrap();
                kernel::unmark();
                events.iter().map(|event| event.token()).collect::<Vec<_>>()
            });
            kernel::wait_until_polling(asleep.recv().unwrap());
            waker.wake().unwrap();
            assert_eq!(poller.join().unwrap(), [Token(0)], "{timeout:?}");
        }
    });
    assert_eq!(sections.len(), long_timeouts().len());
    for section in &sections {
        // The kernel was told no less than its longest wait, or about what was asked.
        // poll(2) reports levels: a wake is read, so that the next wait does not see it.
        let calls = 1 + usize::from(kernel::POLL_QUEUE);
        assert_eq!(section.calls.len(), calls, "{section:?}");
        let line = &section.calls[0].line;
        assert!(wait_ms(line) >= MAX_MS - 1, "{}: {line}", section.name);
    }
}

/// The timeout of a wait as strace shows it, infinite as the greatest number.
fn wait_ms(line: &str) -> u64 {
    if let Some((_, rest)) = line.split_once("tv_sec=") {
        let seconds: u64 = rest.split(',').next().unwrap().parse().unwrap();
        return seconds.saturating_add(1).saturating_mul(1000);
    }
    // strace aligns the results with blanks between the closing bracket and the sign.
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    let (call, _) = line.split_once(") = ").unwrap();
    let args: Vec<_> = call.split(", ").collect();
    let last = args.len()
        - if line.starts_with("epoll_pwait(") {
            3
        } else {
            1
        };
    let timeout_ms: i64 = args[last].parse().unwrap();
    u64::try_from(timeout_ms).unwrap_or(u64::MAX)
}

/// Wakes the poll at the second of the signals that strace sends with its answers.
extern "C" fn on_answer(_: libc::c_int) {
    if ANSWERS.fetch_add(1, Ordering::Relaxed) == 1 {
        WAKER.get().unwrap().wake().unwrap();
    }
}

static ANSWERS: AtomicUsize = AtomicUsize::new(0);
static WAKER: OnceLock<Waker> = OnceLock::new();

#[test]
fn the_kernels_longest_wait_is_followed_by_another() {
    // strace answers the first two waits at once with "nothing came", as the kernel does after its
    // longest wait. That is less than the timeout: the poll must go on, and hear the wake.
    let test = "the_kernels_longest_wait_is_followed_by_another";
    let answer = if kernel::POLL_QUEUE {
        // The first poll(2) of a process is std's, which looks at the standard streams.
        "inject=poll:retval=0:signal=USR1:when=2..3"
    } else if cfg!(any(mio_kqueue_emulation, mio_ports_emulation)) {
        // What an emulated kernel waits by.
        "inject=ppoll:retval=0:signal=USR1:when=1..2"
    } else {
        "inject=epoll_wait,epoll_pwait,epoll_pwait2:retval=0:signal=USR1:when=1..2"
    };
    kernel::strace(test, &["-e", answer], || {
        kernel::handle_signal(libc::SIGUSR1, 0, on_answer);
        let mut poll = Poll::new().unwrap();
        WAKER
            .set(Waker::new(poll.registry(), Token(3)).unwrap())
            .unwrap();
        let mut events = Events::with_capacity(4);
        poll.poll(&mut events, Some(Duration::from_millis(MAX_MS + 1)))
            .unwrap();
        assert_eq!(
            events.iter().map(|event| event.token()).collect::<Vec<_>>(),
            [Token(3)]
        );
        assert_eq!(ANSWERS.load(Ordering::Relaxed), 2);
    });
}
