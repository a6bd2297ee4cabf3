//! Every combination of the features, warnings denied.
//!
//! Features gate doors and not walls, so each combination must compile, and
//! none may leave code behind that only another one uses.

use std::collections::BTreeSet;

use anyhow::{bail, Context, Result};

use crate::process::{self, cargo, rustflags};
use crate::workspace::{Workspace, PACKAGE};

const FEATURES: &[&str] = &["os-poll", "os-ext", "net", "log", "inline-syscalls"];

/// Names that earlier releases gave to the features above: each need only work
/// once, for it does nothing but turn on what the powerset covers.
const ALIASES: &[&str] = &["tcp", "udp", "uds", "os-util", "pipe"];

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    manifest_agrees(workspace)?;
    let mut sets: Vec<String> = subsets(FEATURES).iter().map(|set| set.join(",")).collect();
    sets.extend(ALIASES.iter().map(|&alias| alias.to_owned()));
    for set in &sets {
        let mut check = cargo(&workspace.root);
        check
            .args(["check", "--quiet", "--package", PACKAGE])
            .args(["--no-default-features", "--features", set])
            .arg("--target-dir")
            .arg(workspace.target_of("powerset"));
        process::run(rustflags(&mut check, "-D warnings"))
            .with_context(|| format!("the crate must compile with the features [{set}]"))?;
    }
    println!("powerset: {} sets of features checked", sets.len());
    Ok(())
}

/// A feature that is missing here would never be checked.
fn manifest_agrees(workspace: &Workspace) -> Result<()> {
    let known: BTreeSet<&str> = FEATURES.iter().chain(ALIASES).copied().collect();
    let declared: BTreeSet<&str> = workspace.features.iter().map(String::as_str).collect();
    if known != declared {
        bail!(
            "Cargo.toml declares the features {declared:?}, and xtask/src/powerset.rs \
             knows {known:?}: make them agree"
        );
    }
    Ok(())
}

/// All subsets, the empty one first: bit `i` of the count says whether item `i`
/// is in.
fn subsets<'a>(items: &[&'a str]) -> Vec<Vec<&'a str>> {
    (0..1usize << items.len())
        .map(|bits| {
            let chosen = items.iter().enumerate().filter(|(i, _)| bits >> i & 1 == 1);
            chosen.map(|(_, item)| *item).collect()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_two_to_the_n_distinct_subsets() {
        let all: BTreeSet<Vec<&str>> = subsets(FEATURES).into_iter().collect();
        assert_eq!(all.len(), 1 << FEATURES.len());
        assert!(all.contains(&vec![]));
        assert!(all.contains(FEATURES));
    }
}
