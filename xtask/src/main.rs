//! `cargo xtask`: the chores of this repository that plain cargo cannot do.
//!
//! Every job is a module with one `run`; `ci` strings them together. A job
//! either does all that it names or fails with a message that says what to do
//! about it: nothing is skipped in silence.

mod api;
mod bench;
mod cache;
mod ci;
mod compat;
mod cross;
mod emulated;
mod forced;
mod link;
mod loom;
mod model;
mod msrv;
mod powerset;
mod process;
mod proof;
mod python;
mod registry;
mod setup;
mod storms;
mod tally;
mod targets;
mod test_binaries;
mod tidy;
mod wasi;
mod wine;
mod workspace;

use std::process::ExitCode;

use anyhow::{bail, Result};
use pico_args::Arguments;

use crate::workspace::Workspace;

const HELP: &str = "\
cargo xtask <job> [options]

Jobs:
  ci                 all that must pass before a change lands, cheap checks first
      --only A,B     only these steps, in the order of the full run
      --from STEP    this step and all that follow
      --list         the names of the steps
  tidy               the budgets of the code: each with its figure and its limit
  msrv               check the packaged crate with the oldest supported compiler
  powerset           check every combination of features, and each alias once
  forced             the whole test suite over poll(2), and over wakers of pipes;
                     the tests of system calls without `epoll_pwait2`
  kqueue             run the tests over the kqueue backend, its kernel emulated
  ports              run the tests over event ports, their kernel emulated
  wine [FILE..]      run the tests for Windows under Wine, all or some files of them
  targets [T..]      type-check the crate for other systems, each set of features;
                     named targets, or those that the CI run has time for
      --all          all targets in the table
  cross [T..]        the test suite with musl, for 32 bits, and on other processors
                     by qemu's emulation
  wasi               the tests for WASI that need no threads, run by wasmtime
  link [T..]         link the test binaries for FreeBSD and macOS, or other targets
  loom               explore the interleavings of wakers, and of poll(2)'s table
  model              random histories against a model of edges, on epoll, poll(2) and
                     the emulated kqueue and event ports
      --steps N      of each; 1000000 if not given
      --backend B    on epoll, poll, kqueue or ports only
      --seed S       as a failure printed it
  storms             wakes, registrations, sources and connections by the million
      --backend B    on epoll or poll only
  miri [--quick]     interpret the tests, and judge every access of memory;
                     --quick: the library's own only, here and below
  sanitize S [--quick]
                     the tests under the sanitizer S: address (and leaks), thread
  valgrind           the tests under valgrind's memcheck
  fuzz [--seconds N] [--target T]..
                     every fuzz target, or some, for so many seconds (60)
  mutants [--shard I/N] [--jobs N] [--file F]..
                     make the code wrong, one place at a time, to see tests fail;
                     goes on where it stopped
  coverage           the lines that tests reach
  proof [--quick]    all of these: loom, model, storms, the faults, and the seven
                     jobs above; --quick: what of it the CI run has time for
  api                compare the public API with that of mio 1.2.5
      --target T     for the target T instead of this machine's
  compat [SUITE]     other people's programs over this crate and over mio 1.2.5:
                     semver, api, defects, graph, server, tokio, or all of them;
                     downloads and builds are kept in ~/.cache/mio-compat
      --record       record the figures of mio 1.2.5 that graph and tokio use
  bench [CASE..]     this crate against mio 1.2.5, polling and bare epoll;
                     `cargo xtask bench help` lists what it can do
  setup              install what the CI run needs and this machine lacks
  help               this text
";

fn main() -> ExitCode {
    match dispatch(Arguments::from_env()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(mut args: Arguments) -> Result<()> {
    if args.contains(["-h", "--help"]) {
        print!("{HELP}");
        return Ok(());
    }
    let job = args.subcommand()?.unwrap_or_else(|| "help".to_owned());
    if job == "help" {
        print!("{HELP}");
        return Ok(());
    }
    let workspace = Workspace::find()?;
    match job.as_str() {
        "ci" => {
            let selection = ci::Selection::from_args(&mut args)?;
            no_more(args)?;
            ci::run(&workspace, &selection)
        }
        "bench" => bench::start(&workspace, args.finish()),
        "api" => {
            let target: Option<String> = args.opt_value_from_str("--target")?;
            no_more(args)?;
            api::run(&workspace, target.as_deref())
        }
        "compat" => {
            let selection = compat::Selection::from_args(&mut args)?;
            no_more(args)?;
            compat::run(&workspace, &selection)
        }
        "miri" | "sanitize" | "valgrind" | "fuzz" | "mutants" | "coverage" | "proof" => {
            proof::job(&workspace, &job, args)
        }
        "model" => model::start(&workspace, args),
        "storms" => storms::start(&workspace, args),
        "targets" => {
            let all = args.contains("--all");
            targets::run(&workspace, &targets::Selection::new(all, names(args)?)?)
        }
        "cross" => cross::run(&workspace, &names(args)?),
        "link" => link::run(&workspace, &names(args)?),
        "wasi" => no_more(args).and_then(|()| wasi::run(&workspace)),
        "tidy" => no_more(args).and_then(|()| tidy::run(&workspace)),
        "msrv" => no_more(args).and_then(|()| msrv::run(&workspace)),
        "powerset" => no_more(args).and_then(|()| powerset::run(&workspace)),
        "forced" => no_more(args).and_then(|()| forced::run(&workspace)),
        "kqueue" => no_more(args).and_then(|()| emulated::kqueue(&workspace)),
        "ports" => no_more(args).and_then(|()| emulated::ports(&workspace)),
        "wine" => wine::run_some(&workspace, &args.finish()),
        "loom" => no_more(args).and_then(|()| loom::run(&workspace)),
        "setup" => no_more(args).and_then(|()| setup::run(&workspace)),
        unknown => bail!("there is no job `{unknown}`: `cargo xtask help` lists them"),
    }
}

/// What is left: names, and no option among them.
fn names(args: Arguments) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for word in args.finish() {
        match word.into_string() {
            Ok(name) if !name.starts_with('-') => names.push(name),
            other => {
                bail!("argument not understood: {other:?}; `cargo xtask help` lists what there is")
            }
        }
    }
    Ok(names)
}

/// A mistyped option must not be taken for its absence.
fn no_more(args: Arguments) -> Result<()> {
    let rest = args.finish();
    if !rest.is_empty() {
        bail!("arguments not understood: {rest:?}; `cargo xtask help` lists what there is");
    }
    Ok(())
}
