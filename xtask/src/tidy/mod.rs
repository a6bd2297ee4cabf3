//! The budgets of the code: what keeps it readable, in figures.
//!
//! A budget that stands in the way of clear code is raised here, in the change
//! that says why.

mod budgets;
mod documents;
mod files;
mod layers;
mod notes;
mod scan;

use std::collections::BTreeSet;

use anyhow::{bail, Context, Result};
use proc_macro2::TokenTree;

use self::files::TextFile;
use self::scan::Facts;
use crate::process::{cargo, read};
use crate::workspace::{Workspace, PACKAGE};

/// One Rust file with what its tokens tell.
#[derive(Debug)]
struct Source<'a> {
    path: &'a str,
    text: &'a str,
    tokens: Vec<TokenTree>,
    facts: Facts,
    /// Compiled for tests only.
    is_test: bool,
}

/// One row of the table.
#[derive(Debug)]
struct Budget {
    name: &'static str,
    figure: usize,
    limit: usize,
    /// Where the figure comes from: shown when it is over the limit.
    places: Vec<String>,
}

pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let files = files::all(&workspace.root)?;
    let sources = sources(&files)?;
    let mut budgets = budgets::of_sources(&sources);
    budgets.push(budgets::of_text(&files));
    budgets.push(budgets::of_documents(&files));
    budgets.push(budgets::of_dependencies(&dependencies(workspace)?));

    println!("{:<48} {:>6} {:>6}", "budget", "figure", "limit");
    for budget in &budgets {
        println!(
            "{:<48} {:>6} {:>6}",
            budget.name, budget.figure, budget.limit
        );
    }
    let over: Vec<&Budget> = budgets
        .iter()
        .filter(|budget| budget.figure > budget.limit)
        .collect();
    for budget in &over {
        println!("\nover budget: {}", budget.name);
        for place in &budget.places {
            println!("  {place}");
        }
    }
    if !over.is_empty() {
        bail!(
            "{} of {} budgets are exceeded: see above; a budget is raised in xtask/src/tidy, \
             in the change that says why",
            over.len(),
            budgets.len()
        );
    }
    Ok(())
}

fn sources(files: &[TextFile]) -> Result<Vec<Source<'_>>> {
    let mut sources = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".rs")) {
        let tokens = scan::tokens_of(&file.text).with_context(|| file.path.clone())?;
        sources.push(Source {
            path: &file.path,
            text: &file.text,
            facts: scan::facts_of(&tokens),
            tokens,
            is_test: false,
        });
    }
    // A module that one target has for its tests alone can be another's in earnest.
    let in_earnest = modules(&sources, |facts| &facts.modules);
    let test_modules = modules(&sources, |facts| &facts.test_modules);
    let test_modules: BTreeSet<_> = test_modules.difference(&in_earnest).collect();
    for source in &mut sources {
        let module = layers::module_of(source.path);
        source.is_test = source.path.starts_with("tests/")
            || (1..=module.len()).any(|length| test_modules.contains(&module[..length].to_vec()));
    }
    Ok(sources)
}

/// The modules that `names` picks, by their paths.
fn modules(
    sources: &[Source<'_>],
    names: fn(&scan::Facts) -> &Vec<String>,
) -> BTreeSet<Vec<String>> {
    let of = |source: &Source<'_>| {
        let parent = layers::module_of(source.path);
        let children = names(&source.facts).iter();
        let path = |child: &String| [parent.as_slice(), std::slice::from_ref(child)].concat();
        children.map(path).collect::<Vec<_>>()
    };
    sources.iter().flat_map(of).collect()
}

/// What a program on Linux that uses the crate compiles beside it.
fn dependencies(workspace: &Workspace) -> Result<BTreeSet<String>> {
    let tree = read(
        cargo(&workspace.root)
            .args(["tree", "--package", PACKAGE, "--all-features"])
            .args(["--edges", "normal,build", "--prefix", "none"])
            .args(["--target", "x86_64-unknown-linux-gnu"]),
    )?;
    let names = tree.lines().filter_map(|line| line.split(' ').next());
    Ok(names
        .filter(|name| !name.is_empty() && *name != PACKAGE)
        .map(str::to_owned)
        .collect())
}
