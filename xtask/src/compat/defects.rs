//! The defects of the older release: the tests that show their absence here are
//! run over both crates, and must fail over the older one.
//!
//! The claims are those of `docs/defects.md`, row by row.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{bail, Context, Result};

use super::lab::{self, Lab, Over};
use super::tally::Tally;
use super::timed;
use crate::process::{command, rustflags};
use crate::test_binaries::{self, Binary};

const DOCUMENT: &str = "docs/defects.md";
const PROJECT: &str = "defects";

/// Over the older release some tests wait for what never comes.
const LIMIT_REFERENCE: Duration = Duration::from_secs(20);
const LIMIT_OURS: Duration = Duration::from_secs(120);

/// One test that is said to fail over the older release.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Claim {
    id: String,
    binary: String,
    test: String,
    /// Both crates are to use poll(2).
    is_forced: bool,
}

pub(super) fn run(lab: &Lab<'_>) -> Result<(Tally, Tally)> {
    let document = lab.workspace.root.join(DOCUMENT);
    let text = fs::read_to_string(&document)
        .with_context(|| format!("cannot read {}", document.display()))?;
    let claims = claims_of(&text)?;
    let mut ours = Tally::default();
    println!("{:<6} {:<70} {:>9} {:>6}", "defect", "test", "mio", "here");
    for is_forced in [false, true] {
        let claims: Vec<&Claim> = claims.iter().filter(|c| c.is_forced == is_forced).collect();
        let reference = build(lab, Over::Reference, &claims, is_forced)?;
        let own = build(lab, Over::Ours, &claims, is_forced)?;
        for claim in claims {
            let theirs = passes(lab, Over::Reference, claim, &reference)?;
            let here = passes(lab, Over::Ours, claim, &own)?;
            let queue = if is_forced { " [poll(2)]" } else { "" };
            let name = format!("{}::{}{queue}", claim.binary, claim.test);
            let word = |passes| if passes { "passes" } else { "fails" };
            println!(
                "{:<6} {name:<70} {:>9} {:>6}",
                claim.id,
                word(theirs),
                word(here)
            );
            ours.count(&name, here && !theirs);
        }
    }
    let all = Tally {
        passed: claims.len(),
        ..Tally::default()
    };
    Ok((ours, all))
}

/// Reads the rows of the tables: `| id | defect | tests | over mio |`. A row
/// whose last cell begins with "fails" is a claim for each test that it names.
fn claims_of(text: &str) -> Result<Vec<Claim>> {
    let mut claims = Vec::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let ["", id, _, tests, over, ""] = cells[..] else {
            continue;
        };
        if !over.starts_with("fails") {
            continue;
        }
        let before = claims.len();
        for name in tests.split('`').skip(1).step_by(2) {
            let Some((binary, test)) = name.split_once("::") else {
                bail!("{DOCUMENT}: {name} is not the name of a file and of a test in it");
            };
            claims.push(Claim {
                id: id.to_owned(),
                binary: binary.to_owned(),
                test: test.to_owned(),
                is_forced: over.contains("poll(2)"),
            });
        }
        if claims.len() == before {
            bail!("{DOCUMENT}: the row {id} claims a failure and names no test");
        }
    }
    if claims.is_empty() {
        bail!("{DOCUMENT} claims nothing");
    }
    Ok(claims)
}

fn build(lab: &Lab<'_>, over: Over, claims: &[&Claim], is_forced: bool) -> Result<Vec<Binary>> {
    let directory = project(lab, over)?;
    let mut build = lab.cargo(&directory);
    build.arg("test");
    let mut names: Vec<&str> = claims.iter().map(|claim| claim.binary.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    for name in names {
        build.args(["--test", name]);
    }
    if is_forced {
        // Other flags are another build.
        build.env("CARGO_TARGET_DIR", lab.target().join("force-poll"));
        rustflags(&mut build, "--cfg mio_unsupported_force_poll_poll");
    }
    test_binaries::build(&mut build)
        .with_context(|| format!("the tests must compile over {}", over.name()))
}

/// A package without code of its own that has this repository's tests.
fn project(lab: &Lab<'_>, over: Over) -> Result<PathBuf> {
    let directory = lab.directory(over, PROJECT)?;
    let manifest = format!(
        "[package]\nname = {PROJECT:?}\nversion = \"0.0.0\"\nedition = \"2021\"\n\n\
         [features]\ndefault = [\"os-poll\", \"os-ext\", \"net\"]\n\
         os-poll = []\nos-ext = []\nnet = []\n\n\
         [dependencies]\nmio = {{ version = \"1.2\", features = [\"os-ext\", \"net\"] }}\n\n\
         [dev-dependencies]\nlibc = \"0.2\"\nseccompiler = \"0.5\"\ntempfile = \"3\"\n\n\
         [lints.rust]\nunexpected_cfgs = \"allow\"\n\n\
         [workspace]\n{}",
        lab.patches(over, "")
    );
    lab::write(&directory.join("Cargo.toml"), &manifest)?;
    lab::write(&directory.join("src/lib.rs"), "")?;
    let tests = directory.join("tests");
    let theirs = lab.workspace.root.join("tests");
    if fs::read_link(&tests).ok().as_ref() != Some(&theirs) {
        // Of another checkout, or not there.
        let _ = fs::remove_file(&tests);
        symlink(&theirs, &tests).with_context(|| format!("cannot make {}", tests.display()))?;
    }
    lab.choose(over, &directory)?;
    Ok(directory)
}

fn passes(lab: &Lab<'_>, over: Over, claim: &Claim, binaries: &[Binary]) -> Result<bool> {
    let binary = binaries
        .iter()
        .find(|binary| binary.name == claim.binary)
        .with_context(|| format!("{} was not built", claim.binary))?;
    let log = lab.log(over, &format!("{}-{}", claim.binary, claim.test))?;
    let mut child = command(&binary.executable.to_string_lossy(), &binary.package);
    child.args(["--exact", &claim.test]);
    let limit = match over {
        Over::Ours => LIMIT_OURS,
        Over::Reference => LIMIT_REFERENCE,
    };
    let ended = timed::run(&mut child, &log, limit)?;
    if !ended.text.contains("running 1 test\n") {
        bail!(
            "{} has no test {}: {}",
            claim.binary,
            claim.test,
            ended.text
        );
    }
    if over == Over::Ours && !ended.is_success() {
        println!("{}", ended.text);
    }
    Ok(ended.is_success())
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROWS: &str = "\
| id | defect | shown by | over mio |\n\
|---|---|---|---|\n\
| U1 | a | `addr::one`, and `addr::two` | fails |\n\
| U2 | b | `poll::three` | fails, with poll(2) |\n\
| U3 | c | `poll::four` | not run: it would not compile |\n";

    #[test]
    fn rows_are_claims() -> Result<()> {
        let claims = claims_of(ROWS)?;
        let tests: Vec<&str> = claims.iter().map(|claim| claim.test.as_str()).collect();
        assert_eq!(tests, ["one", "two", "three"]);
        assert_eq!(claims[0].binary, "addr");
        assert!(!claims[1].is_forced && claims[2].is_forced);
        Ok(())
    }

    #[test]
    fn a_claim_without_a_test_is_an_error() {
        assert!(claims_of("| U1 | a | nothing | fails |").is_err());
        assert!(claims_of("| U1 | a | `nothing` | fails |").is_err());
        assert!(claims_of("").is_err());
    }
}
