//! What a suite counted.

use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Tally {
    pub(super) passed: usize,
    /// By name: a count alone would let one failure hide behind another's cure.
    pub(super) failed: BTreeSet<String>,
}

impl Tally {
    pub(super) fn count(&mut self, name: &str, passed: bool) {
        if passed {
            self.passed += 1;
        } else {
            self.failed.insert(name.to_owned());
        }
    }

    pub(super) fn add(&mut self, other: Tally) {
        self.passed += other.passed;
        self.failed.extend(other.failed);
    }

    /// In what these figures are worse than the others; nothing if they are not.
    ///
    /// A test that is missing counts like one that fails: it may have died with
    /// its process.
    pub(super) fn regressions(&self, reference: &Tally) -> Vec<String> {
        let mut worse: Vec<String> = self
            .failed
            .difference(&reference.failed)
            .map(|name| format!("{name} fails"))
            .collect();
        let (ours, theirs) = (self.total(), reference.total());
        if ours < theirs {
            worse.push(format!("only {ours} of {theirs} ran"));
        }
        worse
    }

    fn total(&self) -> usize {
        self.passed + self.failed.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(passed: usize, failed: &[&str]) -> Tally {
        Tally {
            passed,
            failed: failed.iter().map(|&name| name.to_owned()).collect(),
        }
    }

    #[test]
    fn the_same_or_better_is_no_regression() {
        assert!(tally(2, &[]).regressions(&tally(2, &[])).is_empty());
        assert!(tally(2, &["a"]).regressions(&tally(2, &["a"])).is_empty());
        assert!(tally(3, &[]).regressions(&tally(2, &["a"])).is_empty());
    }

    #[test]
    fn a_new_failure_is_one_even_if_the_count_is_the_same() {
        assert_eq!(tally(2, &["b"]).regressions(&tally(2, &["a"])).len(), 1);
    }

    #[test]
    fn so_is_a_test_that_did_not_run() {
        assert_eq!(tally(1, &[]).regressions(&tally(2, &[])).len(), 1);
    }
}
