//! What became of each mutant, over all runs.
//!
//! The tool's own record of earlier runs does not tell those that a test caught
//! from those that did not compile.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{bail, Context, Result};

/// Each mutant by the line that the tool prints for it.
#[derive(Debug)]
pub(super) struct Ledger {
    scratch: PathBuf,
    caught: BTreeSet<String>,
    unviable: BTreeSet<String>,
    missed: BTreeSet<String>,
}

/// The figures of one file, or of all.
#[derive(Debug, Default, PartialEq)]
struct Figures {
    caught: usize,
    missed: usize,
    untried: usize,
}

impl Ledger {
    /// With what a run told that was stopped.
    pub(super) fn open(scratch: &Path) -> Result<Ledger> {
        let mut ledger = Ledger {
            caught: lines(&scratch.join("caught.txt")),
            unviable: lines(&scratch.join("unviable.txt")),
            missed: lines(&scratch.join("missed.txt")),
            scratch: scratch.to_owned(),
        };
        ledger.add_last_run()?;
        Ok(ledger)
    }

    pub(super) fn add_last_run(&mut self) -> Result<()> {
        let last = self.scratch.join("mutants.out");
        self.caught.extend(lines(&last.join("caught.txt")));
        self.caught.extend(lines(&last.join("timeout.txt")));
        self.unviable.extend(lines(&last.join("unviable.txt")));
        self.missed.extend(lines(&last.join("missed.txt")));
        for (name, mutants) in [
            ("caught.txt", &self.caught),
            ("unviable.txt", &self.unviable),
            ("missed.txt", &self.missed),
        ] {
            let mut text = String::new();
            for mutant in mutants {
                text.push_str(mutant);
                text.push('\n');
            }
            let path = self.scratch.join(name);
            fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        }
        Ok(())
    }

    /// Those that live, and the figures of each file. What is not listed any more
    /// has become another mutant since, at another line.
    pub(super) fn report(&self, listed: &str) -> Result<()> {
        for mutant in listed.lines().filter(|mutant| self.lives(mutant)) {
            println!("lives: {mutant}");
        }
        let files = self.figures(listed);
        let mut all = Figures::default();
        println!(
            "{:<40} {:>6} {:>6} {:>8}",
            "mutants", "caught", "live", "untried"
        );
        for (file, figures) in &files {
            let Figures {
                caught,
                missed,
                untried,
            } = figures;
            println!("{file:<40} {caught:>6} {missed:>6} {untried:>8}");
            all.caught += caught;
            all.missed += missed;
            all.untried += untried;
        }
        let viable = all.caught + all.missed;
        if viable == 0 {
            bail!("no mutant was tried");
        }
        println!(
            "mutants: {} of {viable} that compile caught ({:.1} %); {} not tried",
            all.caught,
            100.0 * all.caught as f64 / viable as f64,
            all.untried
        );
        Ok(())
    }

    fn lives(&self, mutant: &str) -> bool {
        self.missed.contains(mutant) && !self.caught.contains(mutant)
    }

    fn figures<'a>(&self, listed: &'a str) -> BTreeMap<&'a str, Figures> {
        let mut files: BTreeMap<&str, Figures> = BTreeMap::new();
        for mutant in listed.lines() {
            let (file, _) = mutant.split_once(':').unwrap_or((mutant, ""));
            let figures = files.entry(file).or_default();
            if self.caught.contains(mutant) {
                figures.caught += 1;
            } else if self.missed.contains(mutant) {
                figures.missed += 1;
            } else if !self.unviable.contains(mutant) {
                figures.untried += 1;
            }
        }
        files
    }
}

/// Of a file that may not be there yet.
fn lines(path: &Path) -> BTreeSet<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(mutants: &[&str]) -> BTreeSet<String> {
        mutants.iter().map(|mutant| (*mutant).to_owned()).collect()
    }

    #[test]
    fn caught_by_a_later_run_is_caught() {
        let ledger = Ledger {
            scratch: PathBuf::new(),
            caught: set(&["a.rs:1:1: one", "a.rs:2:1: two", "gone.rs:1:1: gone"]),
            unviable: set(&["a.rs:3:1: three"]),
            missed: set(&["a.rs:2:1: two", "b.rs:1:1: four"]),
        };
        let listed =
            "a.rs:1:1: one\na.rs:2:1: two\na.rs:3:1: three\nb.rs:1:1: four\nb.rs:2:1: five";
        let figures = |caught, missed, untried| Figures {
            caught,
            missed,
            untried,
        };
        let expected = [("a.rs", figures(2, 0, 0)), ("b.rs", figures(0, 1, 1))];
        assert_eq!(ledger.figures(listed), BTreeMap::from(expected));
        assert!(ledger.lives("b.rs:1:1: four") && !ledger.lives("a.rs:2:1: two"));
    }

    #[test]
    fn an_interrupted_run_is_not_forgotten() -> Result<()> {
        let scratch = tempfile::tempdir()?;
        let last = scratch.path().join("mutants.out");
        fs::create_dir(&last)?;
        fs::write(last.join("timeout.txt"), "a.rs:1:1: one\n")?;
        drop(Ledger::open(scratch.path())?);
        fs::remove_dir_all(&last)?;
        assert_eq!(
            Ledger::open(scratch.path())?.caught,
            set(&["a.rs:1:1: one"])
        );
        Ok(())
    }
}
