//! Which lines the tests reach: of what Linux compiles, over all three queues
//! and wakers that it can be made to use.

use std::env;
use std::fs;

use anyhow::{bail, Context, Result};
use serde_json::Value;

use crate::process::{cargo, command, read, run as run_command, rustflags, succeeds};
use crate::setup;
use crate::workspace::{Workspace, PACKAGE};

const TOOL: &str = "cargo-llvm-cov";
const TOOL_VERSION: &str = "0.9.1";

/// The figure that is asked for.
const GOAL: f64 = 95.0;

/// Flags of the library, whose runs add up.
const RUNS: &[&str] = &[
    "",
    "--cfg mio_unsupported_force_poll_poll",
    "--cfg mio_unsupported_force_waker_pipe",
];

/// Tests, and what Linux compiles for tests alone.
const NOT_COUNTED: &str = "(tests/|/tests\\.rs|loom_tests|fuzzing|conformance|emulation|\
    /kqueue|event_port|sys/windows|sys/small|sys/none|bench/|xtask/)";

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    install(workspace)?;
    let tool = |arguments: &[&str]| {
        let mut tool = cargo(&workspace.root);
        tool.args(["llvm-cov"]).args(arguments);
        tool.env("CARGO_TARGET_DIR", workspace.target_of("coverage"));
        tool
    };
    run_command(&mut tool(&["clean", "--workspace"]))?;
    for flags in RUNS {
        let mut test = tool(&["--no-report", "--package", PACKAGE, "--all-features"]);
        test.arg("--lib");
        for name in test_files(workspace)? {
            test.args(["--test", &name]);
        }
        run_command(rustflags(&mut test, flags))
            .with_context(|| format!("the tests with the flags `{flags}`"))?;
    }
    let json = ["report", "--json", "--ignore-filename-regex", NOT_COUNTED];
    let report: Value = serde_json::from_str(&read(&mut tool(&json))?)
        .context("the report of coverage is not JSON")?;
    let data = &report["data"][0];
    let files = data["files"].as_array().context("it has no files")?;
    println!(
        "{:<40} {:>6} {:>8} {:>8}",
        "file", "lines", "reached", "percent"
    );
    for file in files {
        let name = file["filename"].as_str().unwrap_or_default();
        let name = name.rsplit_once("/src/").map_or(name, |(_, name)| name);
        print_row(name, &file["summary"]["lines"])?;
    }
    let percent = print_row("all", &data["totals"]["lines"])?;
    let text = ["report", "--text", "--ignore-filename-regex", NOT_COUNTED];
    let listing = read(&mut tool(&text))?;
    println!("\nlines that no test reaches:\n{}", unreached(&listing));
    if percent < GOAL {
        bail!("{percent:.1} % of lines, and {GOAL} are asked for");
    }
    Ok(())
}

/// All but the tests of the examples, which are other programs: the tool does
/// not build those.
fn test_files(workspace: &Workspace) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(workspace.root.join("tests"))? {
        let path = entry?.path();
        let is_test = match path.is_dir() {
            true => path.join("main.rs").exists(),
            false => path.extension().is_some_and(|extension| extension == "rs"),
        };
        let name = path.file_stem().unwrap_or_default().to_string_lossy();
        if is_test && name != "examples" {
            names.push(name.into_owned());
        }
    }
    names.sort();
    Ok(names)
}

fn print_row(name: &str, lines: &Value) -> Result<f64> {
    let number = |key: &str| lines[key].as_f64().context("a figure is missing");
    let (count, covered, percent) = (number("count")?, number("covered")?, number("percent")?);
    println!("{name:<40} {count:>6} {covered:>8} {percent:>8.1}");
    Ok(percent)
}

/// The lines with a count of zero, file by file.
fn unreached(listing: &str) -> String {
    let mut text = String::new();
    let mut file = "";
    for line in listing.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| name.ends_with(".rs")) {
            file = name.rsplit_once("/src/").map_or(name, |(_, name)| name);
            continue;
        }
        let mut columns = line.splitn(3, '|').map(str::trim);
        if let (Some(number), Some("0"), Some(code)) =
            (columns.next(), columns.next(), columns.next())
        {
            text.push_str(&format!("{file}:{number}: {code}\n"));
        }
    }
    text
}

fn install(workspace: &Workspace) -> Result<()> {
    // Whoever names the tools has them.
    if env::var_os("LLVM_COV").is_none() {
        let rustup = ["component", "add", "llvm-tools"];
        setup::attempt(command("rustup", &workspace.root).args(rustup))
            .context("name LLVM's tools by LLVM_COV and LLVM_PROFDATA instead")?;
    }
    if succeeds(cargo(&workspace.root).args(["llvm-cov", "--version"])) {
        return Ok(());
    }
    println!("installing {TOOL}: a minute, once");
    let version = format!("{TOOL}@{TOOL_VERSION}");
    setup::attempt(cargo(&workspace.root).args(["install", "--locked", &version]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_were_not_reached_are_listed() {
        let listing = "/r/src/sys/edges.rs:\n    1|       |//! Edges.\n    2|      3|fn a() {\n    3|      0|    b()\n";
        assert_eq!(unreached(listing), "sys/edges.rs:3: b()\n");
    }
}
