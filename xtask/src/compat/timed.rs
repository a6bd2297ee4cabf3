//! Children that may hang: killed, with all that they started, when their time
//! is over.

use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

#[derive(Debug)]
pub(super) struct Ended {
    /// None for a child that was killed because it took too long.
    pub(super) status: Option<ExitStatus>,
    /// Both of its streams.
    pub(super) text: String,
}

impl Ended {
    pub(super) fn is_success(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    pub(super) fn describe(&self, limit: Duration) -> String {
        match self.status {
            Some(status) => status.to_string(),
            None => format!("killed after {} s", limit.as_secs()),
        }
    }
}

/// Runs the command with its output in the file `log`.
///
/// A file and no pipe: what the child started may outlive it and keep a pipe
/// open, and reading would then never end.
pub(super) fn run(command: &mut Command, log: &Path, limit: Duration) -> Result<Ended> {
    let output = File::create(log).with_context(|| format!("cannot write {}", log.display()))?;
    let mut child = command
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output)
        // A group of its own, so that all of it can be killed at once.
        .process_group(0)
        .spawn()
        .with_context(|| format!("cannot start {:?}", command.get_program()))?;
    let group = child.id();
    let (sender, ended) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait();
        // Nobody listens any more once the time is over.
        let _ = sender.send(());
        status
    });
    let in_time = ended.recv_timeout(limit).is_ok();
    if !in_time {
        kill(group);
    }
    let status = match waiter.join() {
        Ok(status) => status.context("a child could not be waited for")?,
        Err(panic) => std::panic::resume_unwind(panic),
    };
    let bytes = fs::read(log).with_context(|| format!("cannot read {}", log.display()))?;
    Ok(Ended {
        status: in_time.then_some(status),
        text: String::from_utf8_lossy(&bytes).into_owned(),
    })
}

fn kill(group: u32) {
    // Failure means that the group has just ended by itself.
    let _ = Command::new("kill")
        .args(["-KILL", "--", &format!("-{group}")])
        .stderr(Stdio::null())
        .status();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str, limit: Duration) -> Result<Ended> {
        let log = tempfile::NamedTempFile::new()?;
        run(Command::new("sh").args(["-c", script]), log.path(), limit)
    }

    #[test]
    fn output_and_status_are_told() -> Result<()> {
        let ended = sh("echo out; echo err >&2; exit 3", Duration::from_secs(60))?;
        assert_eq!(ended.text, "out\nerr\n");
        assert_eq!(ended.status.and_then(|status| status.code()), Some(3));
        assert!(!ended.is_success());
        Ok(())
    }

    #[test]
    fn what_hangs_is_killed_with_its_children() -> Result<()> {
        let ended = sh("sleep 1000 & sleep 1000", Duration::from_millis(50))?;
        assert!(ended.status.is_none());
        assert!(!ended.is_success());
        Ok(())
    }
}
