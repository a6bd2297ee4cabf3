//! The CI run: what must pass before a change lands, cheap checks first.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{bail, Context, Result};
use pico_args::Arguments;

use crate::process::{cargo, run as run_command};
use crate::workspace::{Workspace, PACKAGE};
use crate::{
    cross, emulated, forced, model, msrv, powerset, proof, setup, targets, tidy, wasi, wine,
};

struct Step {
    name: &'static str,
    run: fn(&Workspace) -> Result<()>,
}

const STEPS: &[Step] = &[
    step("setup", setup::run),
    step("fmt", fmt),
    step("tidy", tidy::run),
    step("xtask", xtask),
    step("clippy", clippy),
    step("powerset", powerset::run),
    step("docs", docs),
    step("test", test),
    step("test-libc", test_libc),
    step("test-none", test_none),
    step("test-release", test_release),
    step("forced", forced::run),
    step("kqueue", emulated::kqueue),
    step("ports", emulated::ports),
    step("model", model::ci),
    step("wine", wine::run),
    step("targets", targets::usual),
    step("cross", cross::usual),
    step("wasi", wasi::run),
    step("msrv", msrv::run),
    step("publish", publish),
    // Loom is a part of it.
    step("proof", proof::quick),
];

const fn step(name: &'static str, run: fn(&Workspace) -> Result<()>) -> Step {
    Step { name, run }
}

/// The command that the README tells its readers.
const TEST_COMMAND: &str = "cargo test --all-features";

/// Integration tests that also run optimised: what they assert (sizes, counts)
/// differs without debug assertions, or can break by optimisation alone.
const RELEASE_TESTS: &[&str] = &[
    "alloc",
    "bad_input",
    "mistakes",
    "register",
    "regressions",
    "regressions_queue",
    "reregister",
    "std_conversions",
    "syscalls",
    "syscalls_waker",
    "timeouts_kernel",
];

/// Which of the steps to run.
#[derive(Debug, Default)]
pub(crate) struct Selection {
    only: Option<Vec<String>>,
    from: Option<String>,
    list: bool,
}

impl Selection {
    pub(crate) fn from_args(args: &mut Arguments) -> Result<Selection> {
        let only: Option<String> = args.opt_value_from_str("--only")?;
        Ok(Selection {
            only: only.map(|names| names.split(',').map(str::to_owned).collect()),
            from: args.opt_value_from_str("--from")?,
            list: args.contains("--list"),
        })
    }

    fn steps(&self) -> Result<Vec<&'static Step>> {
        let names = self.only.iter().flatten().chain(&self.from);
        for name in names {
            if !STEPS.iter().any(|step| step.name == name) {
                bail!("there is no step `{name}`: `cargo xtask ci --list` names them");
            }
        }
        let from = STEPS
            .iter()
            .position(|step| Some(step.name) == self.from.as_deref())
            .unwrap_or(0);
        let is_chosen = |step: &&Step| match &self.only {
            Some(names) => names.iter().any(|name| name == step.name),
            None => true,
        };
        let chosen: Vec<&Step> = STEPS[from..].iter().filter(is_chosen).collect();
        if chosen.is_empty() {
            bail!("these options leave no step to run");
        }
        Ok(chosen)
    }
}

/// Runs the chosen steps up to the first that fails.
pub(crate) fn run(workspace: &Workspace, selection: &Selection) -> Result<()> {
    let steps = selection.steps()?;
    if selection.list {
        steps.iter().for_each(|step| println!("{}", step.name));
        return Ok(());
    }
    let mut table: Vec<(&str, Duration)> = Vec::new();
    let mut verdict = Ok(());
    for (at, step) in steps.iter().enumerate() {
        println!("\n=== {} ({} of {})", step.name, at + 1, steps.len());
        let start = Instant::now();
        verdict = (step.run)(workspace);
        let took = start.elapsed();
        table.push((step.name, took));
        if verdict.is_err() {
            println!(
                "=== {}: FAILED after {:.1} s",
                step.name,
                took.as_secs_f64()
            );
            verdict = verdict.with_context(|| {
                let name = step.name;
                format!("step {name} failed (alone: `cargo xtask ci --only {name}`)")
            });
            break;
        }
        println!("=== {}: ok, {:.1} s", step.name, took.as_secs_f64());
    }
    print_table(&table, verdict.is_ok());
    verdict
}

fn print_table(table: &[(&str, Duration)], passed: bool) {
    println!("\n{:<14} {:>8}", "step", "seconds");
    for (name, took) in table {
        println!("{name:<14} {:>8.1}", took.as_secs_f64());
    }
    let total: Duration = table.iter().map(|(_, took)| *took).sum();
    println!("{:<14} {:>8.1}", "total", total.as_secs_f64());
    println!("{}", if passed { "all steps passed" } else { "FAILED" });
}

fn fmt(workspace: &Workspace) -> Result<()> {
    run_command(cargo(&workspace.root).args(["fmt", "--all", "--check"]))
        .context("`cargo fmt --all` formats the code")
}

/// The tests of these tools themselves.
fn xtask(workspace: &Workspace) -> Result<()> {
    run_command(cargo(&workspace.root).args(["test", "--package", "xtask"]))
}

fn clippy(workspace: &Workspace) -> Result<()> {
    let targets = [
        ["--workspace", "--all-targets", "--all-features"].as_slice(),
        &[
            "--package",
            PACKAGE,
            "--all-targets",
            "--no-default-features",
        ],
    ];
    for arguments in targets {
        run_command(
            cargo(&workspace.root)
                .arg("clippy")
                .args(arguments)
                .args(["--", "-D", "warnings"]),
        )?;
    }
    Ok(())
}

/// Also of what only Windows and WASI have.
fn docs(workspace: &Workspace) -> Result<()> {
    const WASI: &str = "wasm32-wasip1";
    setup::targets(workspace, &[wine::TARGET, WASI])?;
    let sets = [
        ["--all-features"].as_slice(),
        &["--no-default-features"],
        &["--all-features", "--target", wine::TARGET],
        &["--all-features", "--target", WASI],
    ];
    for set in sets {
        run_command(
            cargo(&workspace.root)
                .args(["doc", "--package", PACKAGE, "--no-deps"])
                .args(set)
                .env("RUSTDOCFLAGS", "-D warnings"),
        )?;
    }
    Ok(())
}

/// The README's own command, and that it is the README's.
fn test(workspace: &Workspace) -> Result<()> {
    let readme = workspace.root.join("README.md");
    let text =
        fs::read_to_string(&readme).with_context(|| format!("cannot read {}", readme.display()))?;
    if !text.lines().any(|line| line.trim() == TEST_COMMAND) {
        bail!("README.md must name the test command on a line of its own: {TEST_COMMAND}");
    }
    let arguments = TEST_COMMAND.split(' ').skip(1);
    run_command(cargo(&workspace.root).args(arguments))
}

/// By libc's calls, as the crate is without `inline-syscalls`, which the
/// README's command turns on with all else.
fn test_libc(workspace: &Workspace) -> Result<()> {
    run_command(cargo(&workspace.root).args([
        "test",
        "--package",
        PACKAGE,
        "--features",
        "os-poll,os-ext,net,log",
    ]))
}

/// Without features the types remain, and what can be said of them.
fn test_none(workspace: &Workspace) -> Result<()> {
    run_command(cargo(&workspace.root).args([
        "test",
        "--package",
        PACKAGE,
        "--no-default-features",
    ]))
}

/// The library's own tests and [`RELEASE_TESTS`], optimised.
fn test_release(workspace: &Workspace) -> Result<()> {
    let mut test = cargo(&workspace.root);
    test.args(["test", "--release", "--all-features", "--lib"]);
    for name in RELEASE_TESTS {
        test.args(["--test", name]);
    }
    run_command(&mut test)
}

/// Builds the package as the registry would get it, and uploads nothing.
fn publish(workspace: &Workspace) -> Result<()> {
    run_command(
        cargo(&workspace.root)
            .args(["publish", "--package", PACKAGE])
            .args(["--dry-run", "--allow-dirty", "--target-dir"])
            .arg(workspace.target_of("package")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(selection: &Selection) -> Vec<&'static str> {
        let steps = selection.steps().unwrap();
        steps.iter().map(|step| step.name).collect()
    }

    fn select(only: Option<&str>, from: Option<&str>) -> Selection {
        Selection {
            only: only.map(|names| names.split(',').map(str::to_owned).collect()),
            from: from.map(str::to_owned),
            list: false,
        }
    }

    #[test]
    fn all_steps_run_unless_told_otherwise() {
        assert_eq!(names(&Selection::default()).len(), STEPS.len());
    }

    #[test]
    fn the_order_is_that_of_the_full_run() {
        assert_eq!(names(&select(Some("docs,fmt"), None)), ["fmt", "docs"]);
        assert_eq!(
            names(&select(None, Some("msrv"))),
            ["msrv", "publish", "proof"]
        );
    }

    #[test]
    fn what_does_not_exist_is_an_error() {
        assert!(select(Some("fmt,nothing"), None).steps().is_err());
        assert!(select(None, Some("nothing")).steps().is_err());
        assert!(select(Some("fmt"), Some("msrv")).steps().is_err());
    }
}
