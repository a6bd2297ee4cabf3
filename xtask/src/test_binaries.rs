//! The test binaries that cargo built, for jobs that run them by themselves.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{bail, Context, Result};
use serde_json::Value;

use crate::process::read;

#[derive(Debug)]
pub(crate) struct Binary {
    /// Of the target: the name of a test file, or `mio:lib`.
    pub(crate) name: String,
    pub(crate) executable: PathBuf,
    /// Where the package is, which is where its tests expect to be run.
    pub(crate) package: PathBuf,
}

impl Binary {
    /// Whether these are the tests of the library itself.
    pub(crate) fn is_library(&self) -> bool {
        self.name.ends_with(LIBRARY)
    }
}

/// What follows the name of a package where there is no name of a file.
const LIBRARY: &str = ":lib";

/// Builds by `cargo test` with the arguments that it has so far, and returns the
/// binaries in the order of their names.
pub(crate) fn build(test: &mut Command) -> Result<Vec<Binary>> {
    test.args(["--no-run", "--message-format=json-render-diagnostics"]);
    // Cargo tells of them in the order in which they were ready.
    let mut binaries = of_messages(&read(test)?)?;
    binaries.sort_by(|a, b| a.name.cmp(&b.name));
    if binaries.is_empty() {
        bail!("cargo built no test binary");
    }
    Ok(binaries)
}

fn of_messages(messages: &str) -> Result<Vec<Binary>> {
    let mut binaries = Vec::new();
    for line in messages.lines() {
        let message: Value = serde_json::from_str(line).context("cargo's message is not JSON")?;
        let is_test = message["profile"]["test"] == true;
        let (Some(executable), true) = (message["executable"].as_str(), is_test) else {
            continue;
        };
        let target = &message["target"];
        let name = target["name"].as_str().context("a target has no name")?;
        let manifest = message["manifest_path"].as_str();
        let package = manifest.and_then(|path| Path::new(path).parent());
        let is_library = target["kind"]
            .as_array()
            .is_some_and(|kinds| kinds.iter().any(|kind| kind != "test"));
        binaries.push(Binary {
            name: match is_library {
                true => format!("{name}{LIBRARY}"),
                false => name.to_owned(),
            },
            executable: executable.into(),
            package: package.context("a target has no manifest")?.to_owned(),
        });
    }
    Ok(binaries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_tell_what_was_built() -> Result<()> {
        let messages = r#"{"reason":"build-finished","success":true}
{"executable":"/t/poll-1","profile":{"test":true},"target":{"name":"poll","kind":["test"]},"manifest_path":"/p/Cargo.toml"}
{"executable":"/t/mio-1","profile":{"test":true},"target":{"name":"mio","kind":["lib"]},"manifest_path":"/p/Cargo.toml"}
{"executable":"/t/chat","profile":{"test":false},"target":{"name":"chat","kind":["example"]},"manifest_path":"/p/Cargo.toml"}"#;
        let binaries = of_messages(messages)?;
        let names: Vec<&str> = binaries.iter().map(|binary| binary.name.as_str()).collect();
        assert_eq!(names, ["poll", "mio:lib"]);
        assert_eq!(binaries[0].executable, Path::new("/t/poll-1"));
        assert_eq!(binaries[0].package, Path::new("/p"));
        Ok(())
    }
}
