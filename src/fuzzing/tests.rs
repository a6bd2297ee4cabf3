//! The targets without a fuzzer: over the corpus, and over random bytes.

use super::{Input, TARGETS};
use std::path::Path;
use std::{env, fs};

/// How many random inputs each target gets, if not the usual number.
const INPUTS: &str = "MIO_FUZZ_INPUTS";
const USUAL: u64 = if cfg!(miri) { 10 } else { 2_000 };

#[test]
fn targets_hold_for_the_corpus() {
    let fuzz = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    if !fuzz.exists() {
        // The published package has the library alone.
        return;
    }
    for (name, target) in TARGETS {
        let corpus = fuzz.join("corpus").join(name);
        let mut count = 0;
        for entry in fs::read_dir(&corpus).unwrap() {
            target(&fs::read(entry.unwrap().path()).unwrap());
            count += 1;
        }
        assert!(count > 0, "{name} has no corpus");
    }
}

#[test]
fn targets_hold_for_random_bytes() {
    let inputs = match env::var(INPUTS) {
        Ok(number) => number.parse().expect("a number"),
        Err(_) => USUAL,
    };
    for (name, target) in TARGETS {
        let mut random = Random(name.len() as u64);
        for _ in 0..inputs {
            target(&random.bytes());
        }
    }
}

#[test]
fn inputs_end_in_zeros() {
    let mut input = Input(&[1, 2, 3, 4]);
    assert!(input.bool());
    assert_eq!(input.u16(), 0x0302);
    assert_eq!(input.u32(), 4);
    assert_eq!(input.u64(), 0);
    assert_eq!(input.bytes(9), []);
}

/// Splitmix64: the same inputs in each run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Of lengths that reach beyond every address; half of them with few bits
    /// set, since masks, lengths and flags are small.
    fn bytes(&mut self) -> Vec<u8> {
        let shape = self.next();
        let length = (shape % 160) as usize;
        let is_sparse = shape >> 32 & 1 == 1;
        let byte = |word: u64| {
            let byte = word as u8;
            let is_kept = !is_sparse || word >> 8 & 3 == 0;
            if is_kept {
                byte
            } else {
                0
            }
        };
        (0..length).map(|_| byte(self.next())).collect()
    }
}
