//! Libraries on top of mio, in one dependency tree: compiled together, and
//! their published tests run.

use std::path::Path;

use anyhow::{Context, Result};

use super::lab::{self, Lab, Over};
use super::published;
use super::tally::Tally;
use crate::process::{command, run as run_command, succeeds};
use crate::setup;

struct Package {
    name: &'static str,
    version: &'static str,
    /// Those that bring mio in.
    features: &'static [&'static str],
    /// What `cargo test` is told, beside the package and its features.
    tests: &'static [&'static str],
    of_harness: &'static [&'static str],
    /// What its manifest lacks for its tests.
    tail: &'static str,
}

/// A helper of signal-hook's tests that was never published: it takes a lock.
/// We run them one at a time anyhow.
const SERIAL_TEST: &str = "serial_test";
const SERIAL_TEST_LIB: &str = "#[derive(Debug)]\npub struct Lock;\n\n\
    pub fn lock() -> Lock {\n    Lock\n}\n";

const PACKAGES: &[Package] = &[
    Package {
        name: "mio-serial",
        version: "5.0.7",
        features: &[],
        tests: &["--lib", "--test", "test_serialstream"],
        // Each test has socat make the same two ptys.
        of_harness: &["--test-threads=1"],
        tail: "",
    },
    Package {
        name: "signal-hook-mio",
        version: "0.3.0",
        features: &["support-v1_0"],
        // The other files are for older major versions of mio.
        tests: &["--lib", "--test", "mio_1_0"],
        // Signals are the process's, not a test's.
        of_harness: &["--test-threads=1"],
        tail: "\n[dev-dependencies.serial_test]\npath = \"../serial_test\"\n",
    },
    Package {
        name: "netlink-sys",
        version: "0.9.0",
        features: &["mio_socket"],
        tests: &["--lib"],
        of_harness: &[],
        tail: "",
    },
    Package {
        name: "crossterm",
        version: "0.29.0",
        features: &["events", "event-stream"],
        tests: &["--lib"],
        of_harness: &[],
        tail: "",
    },
    Package {
        name: "notify",
        version: "8.2.2",
        features: &[],
        tests: &["--lib"],
        of_harness: &[],
        tail: "",
    },
];

/// The package that depends on all of them.
const TOGETHER: &str = "together";

pub(super) fn versions() -> String {
    let each = PACKAGES
        .iter()
        .map(|package| format!("{} {}", package.name, package.version));
    each.collect::<Vec<_>>().join(", ")
}

pub(super) fn run(lab: &Lab<'_>, over: Over) -> Result<Tally> {
    if !succeeds(command("socat", &lab.workspace.root).arg("-V")) {
        setup::debian_package(lab.workspace, "socat")?;
    }
    let directory = lab.directory(over, "graph")?;
    prepare(lab, over, &directory)?;
    let mut tally = Tally::default();
    // Their own verdict is what the compiler says.
    run_command(lab.cargo(&directory).args(["build", "--package", TOGETHER]))
        .context("the libraries do not compile together")?;
    tally.count(TOGETHER, true);
    for package in PACKAGES {
        // Other versions may be in the tree too.
        let name = format!("{}@{}", package.name, package.version);
        let features = package.features.join(",");
        let mut arguments = vec!["--package", &name, "--features", &features];
        arguments.extend(package.tests);
        tally.add(published::run(
            lab,
            over,
            &directory,
            &arguments,
            package.of_harness,
        )?);
    }
    Ok(tally)
}

fn prepare(lab: &Lab<'_>, over: Over, directory: &Path) -> Result<()> {
    let mut members = vec![format!("{TOGETHER:?}"), format!("{SERIAL_TEST:?}")];
    let mut dependencies = String::new();
    for package in PACKAGES {
        lab.unpack(directory, package.name, package.version, package.tail)?;
        let path = format!("{}-{}", package.name, package.version);
        members.push(format!("{path:?}"));
        dependencies.push_str(&format!(
            "{} = {{ path = \"../{path}\", features = {:?} }}\n",
            package.name, package.features
        ));
    }
    let patches = lab.patches(over, "");
    let members = members.join(", ");
    lab::write(
        &directory.join("Cargo.toml"),
        &format!("[workspace]\nresolver = \"2\"\nmembers = [{members}]\n{patches}"),
    )?;
    let uses = PACKAGES
        .iter()
        .map(|package| format!("pub use {};\n", package.name.replace('-', "_")));
    library(
        directory,
        TOGETHER,
        &dependencies,
        &uses.collect::<String>(),
    )?;
    library(directory, SERIAL_TEST, "", SERIAL_TEST_LIB)?;
    lab.choose(over, directory)
}

fn library(directory: &Path, name: &str, dependencies: &str, text: &str) -> Result<()> {
    let package = directory.join(name);
    lab::write(
        &package.join("Cargo.toml"),
        &format!(
            "[package]\nname = {name:?}\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{dependencies}"
        ),
    )?;
    lab::write(&package.join("src/lib.rs"), text)
}
