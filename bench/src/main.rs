//! How fast this crate is: the same user code over it, over the mio that it
//! stands in for, over polling, and over bare epoll. See the README beside it.

mod cases;
mod chart;
mod clock;
mod contender;
mod measure;
mod progress;
mod record;
mod table;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use std::path::PathBuf;

use anyhow::{bail, Result};
use pico_args::Arguments;

use crate::measure::Case;
use crate::progress::Progress;
use crate::record::{Header, Record};
#[cfg(unix)]
use crate::unix as system;
#[cfg(windows)]
use crate::windows as system;

const HELP: &str = "\
cargo xtask bench [CASE..] [options]   the cases whose name holds one of these
    --list             the names of the cases
    --rounds N         rounds, 21 if not told, never fewer than 15
    --record NAME      keep the results as bench/record/DATE-NAME.jsonl
    --chart [FILE]     draw docs/*.svg from a record, the newest if not told;
                       with --record, run first and draw from that
    --inline-syscalls  measure this crate with its feature of that name
    --poll             measure the backends of poll(2), this crate's and mio's
    --wine             measure Windows under Wine, this crate's and mio's part of it;
                       elapsed time, and no record
cargo xtask bench instructions         user instructions per call, under callgrind
cargo xtask bench setup                system calls of what is done once, by strace
cargo xtask bench help                 this text
cargo xtask bench build                the weight of a clean release build
";

fn main() -> Result<()> {
    let mut args = Arguments::from_env();
    if args.contains("--list") {
        system::cases()
            .iter()
            .for_each(|case| println!("{}", case.name));
        return Ok(());
    }
    let name: Option<String> = args.opt_value_from_str("--record")?;
    let draws = args.contains("--chart");
    if draws && name.is_none() {
        let record: Option<PathBuf> = args.opt_free_from_str()?;
        let record = record.map_or_else(Record::newest, Ok)?;
        return chart::draw(&Record::load(&record)?);
    }
    let rounds: usize = args.opt_value_from_str("--rounds")?.unwrap_or(21);
    let words = args.finish();
    let words: Vec<&str> = words.iter().filter_map(|word| word.to_str()).collect();
    match words[..] {
        ["help"] => {
            print!("{HELP}");
            Ok(())
        }
        _ => system::job(&words)
            .unwrap_or_else(|| run_cases(&words, rounds.max(15), name.as_deref(), draws)),
    }
}

/// Cases, by the start of their names, that cannot run on mio's poll(2), and why.
const LEFT_OUT: &[(&str, &str)] = if cfg!(mio_unsupported_force_poll_poll) {
    const NO_SECOND_EDGE: &str =
        "a descriptor that nobody reads through the library has no second edge";
    const LOSES_WAKES: &str = "mio's poll(2) loses a wake that comes while it collects another";
    &[
        ("poll/one-event", NO_SECOND_EDGE),
        ("wake/storm", LOSES_WAKES),
        ("dispatch", NO_SECOND_EDGE),
        ("udp/segments", NO_SECOND_EDGE),
    ]
} else {
    &[]
};

fn run_cases(wanted: &[&str], rounds: usize, name: Option<&str>, draws: bool) -> Result<()> {
    system::allow_many_descriptors()?;
    let mut cases = system::cases();
    cases.retain(|case| wanted.is_empty() || wanted.iter().any(|word| case.name.contains(word)));
    cases.retain(|case| {
        let left_out = LEFT_OUT
            .iter()
            .find(|(start, _)| case.name.starts_with(start));
        if let Some((_, why)) = left_out {
            println!("left out: {}, as {why}", case.name);
        }
        left_out.is_none()
    });
    if cases.is_empty() {
        bail!("no case's name holds {wanted:?}: `--list` shows them");
    }
    let header = name.map(|_| Header::now()).transpose()?;
    let turns = |case: &Case| rounds.min(case.at_most) + 1;
    let progress = Progress::new(cases.iter().map(turns).sum());
    progress.line(&table::heading());
    let mut outcomes = Vec::new();
    for case in &cases {
        progress.begin(case.name);
        let outcome = case.run(rounds, || progress.tick())?;
        progress.line(&table::row(&outcome));
        outcomes.push(outcome);
    }
    progress.finish();
    if let (Some(name), Some(header)) = (name, header) {
        let path = Record { header, outcomes }.save(name)?;
        println!("kept in {}", path.display());
        if draws {
            chart::draw(&Record::load(&path)?)?;
        }
    }
    Ok(())
}
