//! Other people's programs over this crate, judged by what the same programs do
//! over the mio release that it stands in for.
//!
//! A suite runs over both, or its figures over the older release were recorded
//! by an earlier run: building tokio's tests twice takes the better part of an
//! hour. Sources come from the package registry into a cache directory outside
//! the repository; nothing of them is committed.

mod baseline;
mod defects;
mod graph;
mod lab;
mod published;
mod semver;
mod server;
mod tally;
mod timed;
mod tokio;

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use self::baseline::Baseline;
use self::lab::{Lab, Over};
use self::tally::Tally;
use crate::api::{self, REFERENCE};
use crate::workspace::Workspace;

struct Suite {
    name: &'static str,
    judge: Judge,
}

enum Judge {
    /// Runs over both crates, and returns ours and the older one's.
    SameRun(fn(&Lab<'_>) -> Result<(Tally, Tally)>),
    /// Runs over one crate; the older one's figures are on record.
    Recorded {
        run: fn(&Lab<'_>, Over) -> Result<Tally>,
        /// What the figures depend on.
        versions: fn() -> String,
    },
}

/// The cheap ones first.
const SUITES: &[Suite] = &[
    Suite {
        name: "semver",
        judge: Judge::SameRun(semver::run),
    },
    Suite {
        name: "api",
        judge: Judge::SameRun(listing),
    },
    Suite {
        name: "defects",
        judge: Judge::SameRun(defects::run),
    },
    Suite {
        name: "graph",
        judge: Judge::Recorded {
            run: graph::run,
            versions: graph::versions,
        },
    },
    Suite {
        name: "server",
        judge: Judge::SameRun(server::run),
    },
    Suite {
        name: "tokio",
        judge: Judge::Recorded {
            run: tokio::run,
            versions: tokio::versions,
        },
    },
];

/// Which of the suites, and whether to record instead of to judge.
#[derive(Debug)]
pub(crate) struct Selection {
    suite: Option<String>,
    record: bool,
}

impl Selection {
    pub(crate) fn from_args(args: &mut Arguments) -> Result<Selection> {
        Ok(Selection {
            record: args.contains("--record"),
            suite: args.subcommand()?,
        })
    }

    fn suites(&self) -> Result<Vec<&'static Suite>> {
        let chosen = SUITES
            .iter()
            .filter(|suite| self.suite.as_deref().is_none_or(|name| name == suite.name));
        let chosen: Vec<&Suite> = chosen.collect();
        if chosen.is_empty() {
            let names: Vec<&str> = SUITES.iter().map(|suite| suite.name).collect();
            bail!("there is no such suite: there are {}", names.join(", "));
        }
        Ok(chosen)
    }
}

/// Runs all chosen suites, whatever the first ones say.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<()> {
    let lab = Lab::new(workspace)?;
    let suites = selection.suites()?;
    if selection.record {
        return suites.iter().try_for_each(|suite| record(&lab, suite));
    }
    let mut verdicts = Vec::new();
    let mut regressions = Vec::new();
    for suite in suites {
        println!("\n=== {}", suite.name);
        let verdict = match judge(&lab, suite) {
            Ok((line, true)) => line,
            Ok((line, false)) => {
                regressions.push(suite.name);
                line
            }
            Err(error) => {
                regressions.push(suite.name);
                format!("{}: did not run: {error:#}", suite.name)
            }
        };
        println!("{verdict}");
        verdicts.push(verdict);
    }
    if verdicts.len() > 1 {
        println!("\n{}", verdicts.join("\n"));
    }
    if !regressions.is_empty() {
        bail!("worse than mio {REFERENCE}: {}", regressions.join(", "));
    }
    Ok(())
}

/// The last line of a suite, and whether it is no worse than the older release.
fn judge(lab: &Lab<'_>, suite: &Suite) -> Result<(String, bool)> {
    let (ours, reference) = match &suite.judge {
        Judge::SameRun(run) => run(lab)?,
        Judge::Recorded { run, versions } => {
            let recorded = Baseline::read(lab.workspace, suite.name)?;
            if recorded.versions != versions() {
                bail!(
                    "the record is of {}: `cargo xtask compat {} --record`",
                    recorded.versions,
                    suite.name
                );
            }
            (run(lab, Over::Ours)?, recorded.tally)
        }
    };
    let worse = ours.regressions(&reference);
    for failure in &ours.failed {
        let also = if reference.failed.contains(failure) {
            "also fails"
        } else {
            "does not fail"
        };
        println!("failed: {failure} ({also} over mio {REFERENCE})");
    }
    for complaint in &worse {
        println!("regression: {complaint}");
    }
    let line = format!(
        "{}: {} passed, {} failed (mio {REFERENCE}: {}/{})",
        suite.name,
        ours.passed,
        ours.failed.len(),
        reference.passed,
        reference.failed.len()
    );
    Ok((line, worse.is_empty()))
}

fn record(lab: &Lab<'_>, suite: &Suite) -> Result<()> {
    let Judge::Recorded { run, versions } = &suite.judge else {
        println!(
            "{}: both sides run each time, nothing to record",
            suite.name
        );
        return Ok(());
    };
    let tally = run(lab, Over::Reference)?;
    println!(
        "{}: {} passed, {} failed over mio {REFERENCE}",
        suite.name,
        tally.passed,
        tally.failed.len()
    );
    Baseline {
        versions: versions(),
        tally,
    }
    .write(lab.workspace, suite.name)
    .with_context(|| format!("the figures of {} could not be recorded", suite.name))
}

/// The public items: each of the older release's is here, or is not.
fn listing(lab: &Lab<'_>) -> Result<(Tally, Tally)> {
    let outcome = api::check_all(lab.workspace)?;
    let missing = (0..outcome.missing).map(|n| format!("missing item {n}"));
    let unnamed = outcome.unnamed.iter();
    let ours = Tally {
        passed: outcome.all - outcome.missing,
        failed: missing
            .chain(unnamed.map(|item| format!("not in the changelog: {item}")))
            .collect(),
    };
    let reference = Tally {
        passed: outcome.all,
        ..Tally::default()
    };
    Ok((ours, reference))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn select(suite: Option<&str>) -> Selection {
        Selection {
            suite: suite.map(str::to_owned),
            record: false,
        }
    }

    #[test]
    fn one_suite_or_all() -> Result<()> {
        assert_eq!(select(None).suites()?.len(), SUITES.len());
        assert_eq!(select(Some("tokio")).suites()?.len(), 1);
        assert!(select(Some("nothing")).suites().is_err());
        Ok(())
    }
}
