//! How many tests ran, as libtest says it.

/// The sums over the summary lines of libtest.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Tally {
    pub(crate) passed: usize,
    /// Left out by name.
    pub(crate) filtered: usize,
}

impl Tally {
    pub(crate) fn of(report: &str) -> Tally {
        let mut tally = Tally::default();
        let summaries = report
            .lines()
            .filter_map(|line| line.strip_prefix("test result: ok. "));
        for part in summaries.flat_map(|summary| summary.split("; ")) {
            match part.split_once(' ') {
                Some((count, "passed")) => tally.passed += count.parse().unwrap_or(0),
                Some((count, "filtered out")) => tally.filtered += count.parse().unwrap_or(0),
                _ => {}
            }
        }
        tally
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_are_added_up() {
        let report = "test a ... ok\n\
             test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured; 2 filtered out; finished in 0.01s\n\
             test result: ok. 4 passed; 0 failed; 0 ignored; 0 measured; 1 filtered out; finished in 2.00s\n";
        let sum = Tally {
            passed: 7,
            filtered: 3,
        };
        assert_eq!(Tally::of(report), sum);
        assert_eq!(Tally::of(""), Tally::default());
    }
}
