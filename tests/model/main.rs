//! Random histories against a model of edges: no edge is lost, no token is stale, levels repeat,
//! and one shot is one.
//!
//! `MIO_MODEL_STEPS` sets how many steps are done, `MIO_MODEL_SEED` where the generator begins: a
//! failure prints the seed, and the shortest history that it found to fail.

#![cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]
#![cfg(any(not(unix), feature = "os-ext"))]

mod driver;
mod ends;
mod kinds;
mod model;
mod model_tests;
mod ops;
mod place;
mod race;
#[cfg(target_os = "linux")]
#[path = "../support/situations.rs"]
#[allow(dead_code)]
mod situations;
mod sleeper;
mod terms;

use std::cell::{Cell, RefCell};
use std::env;
use std::time::{Duration, Instant, SystemTime};

use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use driver::{Counts, Driver};
use sleeper::Sleeper;

/// Wine takes a hundred times as long for each.
const STEPS: u64 = if cfg!(windows) { 5_000 } else { 100_000 };
/// What does not come in this time is taken for lost.
const PATIENCE: Duration = Duration::from_secs(20);
/// The same while a failure is made smaller, which takes many attempts.
const PATIENCE_AFTERWARDS: Duration = Duration::from_millis(50);

fn number(variable: &str) -> Option<u64> {
    let text = env::var(variable).ok()?;
    Some(text.replace('_', "").parse().expect("a number"))
}

#[test]
fn random_histories_keep_the_contract() {
    let steps = number("MIO_MODEL_STEPS").unwrap_or(STEPS);
    let seed = number("MIO_MODEL_SEED").unwrap_or_else(|| {
        let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        since.expect("a clock after 1970").as_nanos() as u64
    });
    let start = Instant::now();
    let counts = run(steps, seed);
    println!(
        "model: {counts:?}, seed {seed}, {:.1} s",
        start.elapsed().as_secs_f64()
    );
    assert!(counts.steps >= steps);
    assert!(counts.owed > steps / 20, "few edges were owed: {counts:?}");
}

fn run(steps: u64, seed: u64) -> Counts {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let config = Config {
        // Half of the longest is the mean: with a quarter more, chance cannot make it too few.
        cases: u32::try_from(steps / (ops::LONGEST as u64 / 2) * 5 / 4 + 50).expect("fewer steps"),
        failure_persistence: None,
        max_shrink_iters: 20_000,
        max_shrink_time: 60_000,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let (sleeper, counts) = (
        RefCell::new(Sleeper::new()),
        RefCell::new(Counts::default()),
    );
    let patience = Cell::new(PATIENCE);
    let result = runner.run(&ops::case(), |case| {
        let mut sleeper = sleeper.borrow_mut();
        let mut counts = counts.borrow_mut();
        if counts.steps >= steps && patience.get() == PATIENCE {
            return Ok(());
        }
        let mut driver = Driver::new(&case, &sleeper, patience.get(), &mut counts);
        let verdict = driver.run(&case);
        if verdict.is_err() {
            patience.set(PATIENCE_AFTERWARDS);
            // A thread that still sleeps has the old queue.
            *sleeper = Sleeper::new();
        }
        verdict.map_err(TestCaseError::fail)
    });
    if let Err(failure) = result {
        panic!("MIO_MODEL_SEED={seed} fails: {failure}");
    }
    counts.into_inner()
}
