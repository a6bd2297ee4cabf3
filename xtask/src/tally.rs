//! What libtest says at the end of a run.

/// How many tests passed, over all summary lines.
pub(crate) fn passed(report: &str) -> usize {
    report
        .lines()
        .filter_map(|line| line.strip_prefix("test result: ok. "))
        .filter_map(|rest| rest.split_once(" passed")?.0.parse::<usize>().ok())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passed_tests_are_read_from_the_summary() {
        let report = "running 3 tests\n\
                      test notify::loom::a ... ok\n\
                      test result: ok. 3 passed; 0 failed; 0 ignored\n\
                      test result: ok. 2 passed; 0 failed; 0 ignored\n";
        assert_eq!(passed(report), 5);
        assert_eq!(passed("test result: ok. 0 passed; 0 failed"), 0);
        assert_eq!(passed(""), 0);
    }
}
