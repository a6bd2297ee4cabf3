//! Results as lines of JSON: a header that says where they come from, and one
//! line for each case.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::measure::Outcome;

/// How this crate is built where it is not by its defaults.
const FEATURES: &str = if cfg!(mio_unsupported_force_poll_poll) {
    ", both over poll(2)"
} else if cfg!(feature = "inline-syscalls") {
    ", with inline-syscalls"
} else {
    ""
};

/// Where and when.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Header {
    pub(crate) date: String,
    pub(crate) cpu: String,
    pub(crate) cores: usize,
    pub(crate) kernel: String,
    pub(crate) rustc: String,
    /// What else ran: the load average when the run began.
    pub(crate) load: String,
    pub(crate) ours: String,
    pub(crate) reference: String,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) header: Header,
    pub(crate) outcomes: Vec<Outcome>,
}

impl Header {
    pub(crate) fn now() -> Result<Header> {
        let cpuinfo = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let cpu = cpuinfo
            .lines()
            .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
            .map_or("unknown", |(_, name)| name);
        let one_line = |path| {
            fs::read_to_string(path)
                .unwrap_or_default()
                .trim()
                .to_owned()
        };
        let date = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        Ok(Header {
            date,
            cpu: cpu.to_owned(),
            cores: std::thread::available_parallelism()?.get(),
            kernel: one_line("/proc/sys/kernel/osrelease"),
            rustc: version_of("rustc")?,
            load: one_line("/proc/loadavg"),
            ours: version_of("git").and_then(|_| commit())? + FEATURES,
            reference: "mio 1.2.5".to_owned(),
        })
    }
}

fn version_of(program: &str) -> Result<String> {
    let output = Command::new(program)
        .arg("--version")
        .output()
        .with_context(|| format!("cannot start {program}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The commit that was measured, with a `+` if the tree has more.
fn commit() -> Result<String> {
    let output = Command::new("git")
        .args(["describe", "--always", "--dirty=+"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()?;
    let commit = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    Ok(format!("mio 1.3.0 ({commit})"))
}

/// Where records are kept.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("record")
}

impl Record {
    /// Writes `DATE-NAME.jsonl`.
    pub(crate) fn save(&self, name: &str) -> Result<PathBuf> {
        let day = self.header.date.get(..10).unwrap_or("undated");
        let path = folder().join(format!("{day}-{name}.jsonl"));
        let mut text = serde_json::to_string(&self.header)? + "\n";
        for outcome in &self.outcomes {
            text += &(serde_json::to_string(outcome)? + "\n");
        }
        fs::create_dir_all(folder())?;
        fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))?;
        Ok(path)
    }

    pub(crate) fn load(path: &Path) -> Result<Record> {
        let text =
            fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        let header = lines.next().context("an empty record")?;
        let outcomes = lines.map(serde_json::from_str);
        Ok(Record {
            header: serde_json::from_str(header)?,
            outcomes: outcomes.collect::<Result<_, _>>()?,
        })
    }

    /// The one whose name, and so whose date, is the last.
    pub(crate) fn newest() -> Result<PathBuf> {
        let files = fs::read_dir(folder()).context("there are no records yet")?;
        let paths = files.filter_map(|entry| Some(entry.ok()?.path()));
        paths
            .filter(|path| path.extension().is_some_and(|end| end == "jsonl"))
            .max()
            .context("there are no records yet: run `cargo xtask bench --record NAME`")
    }
}
