//! The test suite for Windows, under Wine: built by rustup's standard library
//! and the linker of mingw-w64, and run without a display in a prefix (Wine's
//! idea of a computer) that is made for the run and removed after it.
//!
//! Which tests Wine cannot run, and why, stands here, so that nothing is left out
//! in silence.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{bail, Context, Result};

use crate::process::{cargo, command, run as run_command, run_and_read, succeeds};
use crate::tally::Tally;
use crate::workspace::Workspace;

pub(crate) const TARGET: &str = "x86_64-pc-windows-gnu";

/// The Debian packages that have what this needs.
pub(crate) const PACKAGES: &[&str] = &["gcc-mingw-w64-x86-64", "wine64"];

const LINKER: &str = "x86_64-w64-mingw32-gcc";

/// Debian's package puts it where PATH does not look.
const WINES: &[&str] = &["wine64", "/usr/lib/wine/wine64"];

/// One test binary that takes longer hangs.
const SECONDS_A_BINARY: u32 = 180;
const SECONDS_A_PROGRAM: u32 = 1_800;

/// Documentation tests, by part of their path: what only Windows has.
const DOCTESTS: &str = "windows";

/// Tests, by file and name, that Wine 8 cannot run.
const SKIPPED: &[(&str, &str, &str)] = &[];

/// The programs that a run needs.
pub(crate) struct Tools {
    wine: &'static str,
}

impl Tools {
    /// Looks for them, and says what is missing.
    pub(crate) fn find() -> Result<Tools> {
        let here = Path::new(".");
        let is_here = |program: &str| succeeds(command(program, here).arg("--version"));
        let wine = WINES.iter().find(|wine| is_here(wine));
        match wine {
            Some(wine) if is_here(LINKER) => Ok(Tools { wine }),
            _ => bail!(
                "the tests for Windows need {LINKER} and wine64: install {} (Debian's names), \
                 or let `cargo xtask setup` do it",
                PACKAGES.join(" and ")
            ),
        }
    }

    /// What cargo starts programs by, each for so many seconds at most.
    fn runner(&self, seconds: u32) -> String {
        format!("timeout --kill-after=5 {seconds} {}", self.wine)
    }
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    run_some(workspace, &[])
}

/// Runs the whole suite, or only the test files that are named.
pub(crate) fn run_some(workspace: &Workspace, files: &[OsString]) -> Result<()> {
    let tools = Tools::find()?;
    let target = workspace.target_of("wine");
    // First, so that a prefix does not wait for a build that fails.
    build(workspace, &target, files)?;
    let prefix = Prefix::make(&tools, target.join("prefix"))?;
    let mut test = cargo(&workspace.root);
    test.args(["test", "--all-features", "--no-fail-fast"]);
    select(&mut test, &target, files);
    let script = workspace.root.join("xtask/wine/run.sh");
    let runner = format!("sh {} {} {SECONDS_A_BINARY}", script.display(), tools.wine);
    prefix.adopt(&mut test, &runner);
    test.args(["--", "--exact"]);
    for (_, name, _) in SKIPPED {
        test.args(["--skip", name]);
    }
    let tests = match run_and_read(&mut test) {
        Ok(report) => Tally::of(&report)?,
        Err(error) => {
            prefix.stop_server(&tools);
            return Err(error);
        }
    };
    if files.is_empty() {
        let mut doctest = cargo(&workspace.root);
        doctest.args(["test", "--all-features", "--doc", "--target", TARGET]);
        doctest.arg("--target-dir").arg(&target);
        prefix.adopt(&mut doctest, &tools.runner(SECONDS_A_BINARY));
        doctest.args(["--", DOCTESTS]);
        let documents = Tally::of(&run_and_read(&mut doctest)?)?;
        summarise(&tests, &documents)?;
    }
    prefix.remove(&tools)
}

/// Runs the program of a package of the workspace.
pub(crate) fn run_program(workspace: &Workspace, package: &str, args: &[OsString]) -> Result<()> {
    let tools = Tools::find()?;
    let target = workspace.target_of("wine");
    add_target(workspace)?;
    let cargo_to = |verb| {
        let mut cargo = cargo(&workspace.root);
        cargo.args([verb, "--release", "--package", package, "--target", TARGET]);
        cargo.arg("--target-dir").arg(&target);
        cargo
    };
    run_command(&mut cargo_to("build"))?;
    let prefix = Prefix::make(&tools, target.join("prefix"))?;
    let mut run = cargo_to("run");
    prefix.adopt(&mut run, &tools.runner(SECONDS_A_PROGRAM));
    let done = run_command(run.arg("--").args(args));
    prefix.remove(&tools)?;
    done
}

fn summarise(tests: &Tally, documents: &Tally) -> Result<()> {
    for (file, name, why) in SKIPPED {
        println!("left out, {why}: {file}::{name}");
    }
    if tests.filtered != SKIPPED.len() {
        bail!(
            "{} tests were left out, and {} are listed in xtask/src/wine.rs: names must match",
            tests.filtered,
            SKIPPED.len()
        );
    }
    if tests.passed == 0 || documents.passed == 0 {
        bail!("no test ran: {tests:?}, {documents:?}");
    }
    println!(
        "wine: {} tests and {} documentation tests passed, {} left out",
        tests.passed, documents.passed, tests.filtered
    );
    Ok(())
}

/// The tests of the examples look for them beside their own program.
fn build(workspace: &Workspace, target: &Path, files: &[OsString]) -> Result<()> {
    add_target(workspace)?;
    let mut build = cargo(&workspace.root);
    build.args(["test", "--all-features", "--no-run"]);
    select(&mut build, target, files);
    run_command(&mut build)?;
    if files.is_empty() {
        let mut examples = cargo(&workspace.root);
        examples.args(["build", "--all-features", "--examples", "--target", TARGET]);
        run_command(examples.arg("--target-dir").arg(target))?;
    }
    Ok(())
}

fn add_target(workspace: &Workspace) -> Result<()> {
    if !succeeds(command("rustup", &workspace.root).args(["target", "add", TARGET])) {
        bail!("`rustup target add {TARGET}` must work");
    }
    Ok(())
}

fn select(cargo: &mut Command, target: &Path, files: &[OsString]) {
    cargo.args(["--target", TARGET, "--target-dir"]).arg(target);
    if files.is_empty() {
        cargo.args(["--lib", "--tests"]);
    }
    for file in files {
        match file.to_str() {
            Some("lib") => cargo.arg("--lib"),
            _ => cargo.arg("--test").arg(file),
        };
    }
}

/// A prefix of Wine's, in a folder of ours.
struct Prefix(PathBuf);

impl Prefix {
    fn make(tools: &Tools, folder: PathBuf) -> Result<Prefix> {
        let prefix = Prefix(folder);
        if prefix.0.exists() {
            fs::remove_dir_all(&prefix.0)
                .with_context(|| format!("removing the old {}", prefix.0.display()))?;
        }
        let Some(parent) = prefix.0.parent() else {
            bail!("a prefix is a folder in a folder");
        };
        fs::create_dir_all(parent)?;
        prefix.start_server(tools)?;
        let mut boot = command(tools.wine, parent);
        boot.args(["wineboot", "--init"]);
        boot.stdout(Stdio::null()).stderr(Stdio::null());
        prefix.set(&mut boot);
        run_command(&mut boot).context("Wine must make a prefix")?;
        prefix.add_random_numbers()?;
        Ok(prefix)
    }

    /// Starts Wine's server of this prefix, to stay until it is stopped. One that
    /// a test started would keep the output of that test open, and with it us.
    fn start_server(&self, tools: &Tools) -> Result<()> {
        fs::create_dir_all(&self.0)?;
        let mut start = self.server(tools);
        start.arg("--persistent");
        start.stdout(Stdio::null()).stderr(Stdio::null());
        run_command(&mut start)
    }

    fn stop_server(&self, tools: &Tools) {
        succeeds(self.server(tools).arg("--kill"));
    }

    fn server(&self, tools: &Tools) -> Command {
        let server = Path::new(tools.wine).with_file_name("wineserver");
        let mut server = command(&server.to_string_lossy(), Path::new("."));
        self.set(&mut server);
        server
    }

    /// Rust's standard library gets its random numbers from a library that Wine 8
    /// lacks, and a program that lacks a library does not start. Another library
    /// of Wine's has such numbers.
    fn add_random_numbers(&self) -> Result<()> {
        let library = self.0.join("drive_c/windows/system32/bcryptprimitives.dll");
        if library.exists() {
            return Ok(());
        }
        let source = self.0.join("random.c");
        fs::write(
            &source,
            "#include <windows.h>\n\
             BOOLEAN NTAPI SystemFunction036(PVOID, ULONG);\n\
             __declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE bytes, SIZE_T count)\n\
             { return SystemFunction036(bytes, (ULONG)count); }\n",
        )?;
        let mut compile = command(LINKER, &self.0);
        compile.args(["-O1", "-shared", "-o"]).arg(&library);
        run_command(compile.arg(&source).arg("-ladvapi32"))
    }

    /// Has cargo run programs in this prefix.
    fn adopt(&self, cargo: &mut Command, runner: &str) {
        cargo.env("CARGO_TARGET_X86_64_PC_WINDOWS_GNU_RUNNER", runner);
        self.set(cargo);
    }

    /// Without a display, without questions, without what no test needs.
    fn set(&self, command: &mut Command) {
        command
            .env("WINEPREFIX", &self.0)
            .env("WINEDEBUG", "-all")
            .env("WINEDLLOVERRIDES", "mscoree,mshtml=;winemenubuilder.exe=d")
            .env_remove("DISPLAY")
            .env_remove("WAYLAND_DISPLAY");
    }

    fn remove(self, tools: &Tools) -> Result<()> {
        self.stop_server(tools);
        fs::remove_dir_all(&self.0).with_context(|| format!("removing {}", self.0.display()))
    }
}
