//! The figures of the older release that are on record, one small file a suite.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::tally::Tally;
use crate::api::REFERENCE;
use crate::process::{command, read};
use crate::workspace::Workspace;

#[derive(Debug, PartialEq)]
pub(super) struct Baseline {
    /// What was run: figures of something else compare to nothing.
    pub(super) versions: String,
    pub(super) tally: Tally,
}

impl Baseline {
    pub(super) fn read(workspace: &Workspace, suite: &str) -> Result<Baseline> {
        let path = path(workspace, suite);
        let text = fs::read_to_string(&path).with_context(|| {
            format!(
                "no figures of mio {REFERENCE} at {}: `cargo xtask compat {suite} --record`",
                path.display()
            )
        })?;
        Baseline::parse(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    pub(super) fn write(&self, workspace: &Workspace, suite: &str) -> Result<()> {
        let date = read(command("date", &workspace.root).args(["-u", "+%F"]))?;
        let rustc = read(command("rustc", &workspace.root).arg("--version"))?;
        let text = self.text(suite, date.trim(), rustc.trim());
        let path = path(workspace, suite);
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    fn text(&self, suite: &str, date: &str, rustc: &str) -> String {
        let mut text = format!(
            "suite: {suite}\nover: mio {REFERENCE}\ndate: {date}\nrustc: {rustc}\n\
             versions: {}\npassed: {}\nfailed: {}\n",
            self.versions,
            self.tally.passed,
            self.tally.failed.len()
        );
        for name in &self.tally.failed {
            text.push_str(&format!("failure: {name}\n"));
        }
        text
    }

    fn parse(text: &str) -> Result<Baseline> {
        let field = |name: &str| {
            text.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
                .with_context(|| format!("it has no `{name}`"))
        };
        let failed: BTreeSet<String> = text
            .lines()
            .filter_map(|line| Some(line.strip_prefix("failure: ")?.to_owned()))
            .collect();
        let count: usize = field("failed")?.parse()?;
        anyhow::ensure!(
            count == failed.len(),
            "it names {} of {count}",
            failed.len()
        );
        Ok(Baseline {
            versions: field("versions")?.to_owned(),
            tally: Tally {
                passed: field("passed")?.parse()?,
                failed,
            },
        })
    }
}

fn path(workspace: &Workspace, suite: &str) -> PathBuf {
    let directory = workspace.root.join("xtask/compat/baseline");
    directory.join(format!("{suite}.txt"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() -> Result<()> {
        let baseline = Baseline {
            versions: "tokio 1.0.0".to_owned(),
            tally: Tally {
                passed: 7,
                failed: ["tcp::a".to_owned(), "tcp::b".to_owned()].into(),
            },
        };
        let text = baseline.text("tokio", "2026-01-01", "rustc 1");
        assert_eq!(Baseline::parse(&text)?, baseline);
        assert!(Baseline::parse(&text.replace("failed: 2", "failed: 3")).is_err());
        assert!(Baseline::parse("").is_err());
        Ok(())
    }
}
