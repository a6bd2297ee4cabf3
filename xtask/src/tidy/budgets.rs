//! Each budget: how its figure is made, and its limit.

use std::collections::BTreeSet;

use super::documents;
use super::files::TextFile;
use super::layers;
use super::notes;
use super::scan::{Facts, Function};
use super::{Budget, Source};

/// Where unsafe code may stand, test modules aside: paths below `src`, whole or
/// up to a `/`.
const UNSAFE_ROOMS: &[&str] = &[
    // What libc asks for.
    "sys/unix/syscall.rs",
    "sys/unix/syscall/",
    "sys/unix/sockaddr.rs",
    "sys/waker/eventfd.rs",
    // `mod kernel` at its foot.
    "sys/unix/epoll.rs",
    // Kernels that differ from system to system, and are emulated for tests.
    "sys/unix/kqueue/",
    "sys/unix/event_port/kernel.rs",
    "sys/unix/event_port/kernel/",
    "sys/unix/emulation.rs",
    "sys/poll/poll_fds.rs",
    "sys/small/",
    "sys/windows/afd.rs",
    "sys/windows/in_flight.rs",
    "sys/windows/iocp.rs",
    "sys/windows/net.rs",
    // The calls of pipes and waits; what they decide is safe, and elsewhere.
    "sys/windows/pipe/kernel.rs",
    "sys/windows/wait/kernel.rs",
    "windows/named_pipe.rs",
    // `FromRawFd` of every handle, in one macro.
    "handle.rs",
    // A kernel's event seen as ours, which is transparent over it.
    "event/event.rs",
];

/// What the published crate may depend on.
const DEPENDENCIES: &[&str] = &["libc", "log"];

/// Where text may name a registry: cargo wrote it.
const GENERATED_TEXT: &[&str] = &["Cargo.lock", "fuzz/Cargo.lock"];

const LONGEST_FUNCTION: usize = 70;
const LONGEST_FILE: usize = 500;
const LONGEST_TEST_FILE: usize = 299;

pub(super) fn of_sources(sources: &[Source<'_>]) -> Vec<Budget> {
    let src: Vec<&Source<'_>> = in_folder(sources, "src/");
    let tests: Vec<&Source<'_>> = in_folder(sources, "tests/");
    // An emulated kernel is part of the tests.
    let shipped: Vec<&Source<'_>> = src
        .iter()
        .filter(|source| !source.path.contains("emulation"))
        .copied()
        .collect();
    let src_and_tests: Vec<&Source<'_>> = src.iter().chain(&tests).copied().collect();
    vec![
        // Three families of systems and seven backends, three of which run here beside epoll,
        // two over emulated kernels. A third of them are of tests, since each machine that
        // knows no kernel has its own beside it. Six are for what ESP-IDF lacks; three keep from a
        // program over Linux what other kernels need.
        count("cfg attributes in src", 186, &src, |facts| &facts.cfgs),
        files_with_target_os(&src),
        // Windows has half of them: a call is a block, and clippy wants no two in one. A dozen
        // make the system calls of `inline-syscalls`.
        count("unsafe blocks in src", 212, &shipped, |facts| {
            &facts.unsafe_blocks
        }),
        without_safety_note(sources),
        outside_unsafe_rooms(&src),
        longest_function(sources),
        longest_file("longest file, in code lines", LONGEST_FILE, sources),
        longest_test_file(&tests),
        // One of them for a family whose kernel is not here, one for emulations.
        count("allow(dead_code) in src", 3, &src, |facts| &facts.dead_code),
        upward_imports(&src),
        unwraps(&src),
        sleeps(&src_and_tests),
    ]
}

fn in_folder<'a, 'b>(sources: &'a [Source<'b>], folder: &str) -> Vec<&'a Source<'b>> {
    sources
        .iter()
        .filter(|source| source.path.starts_with(folder))
        .collect()
}

/// A budget of the lines that `lines` picks, over all `sources`.
fn count(
    name: &'static str,
    limit: usize,
    sources: &[&Source<'_>],
    lines: impl Fn(&Facts) -> &Vec<usize>,
) -> Budget {
    let places = sources.iter().flat_map(|source| {
        let lines = lines(&source.facts).iter();
        lines.map(|line| place(source, *line, "counts here"))
    });
    of_places(name, limit, places.collect())
}

fn of_places(name: &'static str, limit: usize, places: Vec<String>) -> Budget {
    Budget {
        name,
        figure: places.len(),
        limit,
        places,
    }
}

fn place(source: &Source<'_>, line: usize, what: &str) -> String {
    format!("{}:{line}: {what}", source.path)
}

fn files_with_target_os(src: &[&Source<'_>]) -> Budget {
    let named = src
        .iter()
        .filter_map(|source| Some(place(source, *source.facts.target_os.first()?, "first")));
    // The tables, and a fact or two in each backend. WASI and Hermit are no families to
    // `cfg`, so that doors which Unix has as well name them. Two files name those that start no
    // programs. Kinds of edges have a table as well, since Linux needs one of three.
    of_places("files naming a target_os", 23, named.collect())
}

fn without_safety_note(sources: &[Source<'_>]) -> Budget {
    let places = sources.iter().flat_map(|source| {
        let facts = &source.facts;
        let sites = facts.unsafe_blocks.iter().chain(&facts.unsafe_impls);
        sites
            .filter(|line| !notes::has_safety_note(source.text, **line))
            .map(|line| place(source, *line, "add `// SAFETY:` saying who guarantees it"))
    });
    of_places("unsafe code without a SAFETY note", 0, places.collect())
}

fn outside_unsafe_rooms(src: &[&Source<'_>]) -> Budget {
    let outside = src
        .iter()
        .filter(|source| !source.is_test && !is_unsafe_room(source.path));
    let places = outside.flat_map(|source| {
        let sites = source.facts.unsafe_blocks.iter();
        let sites = sites.chain(&source.facts.unsafe_impls);
        sites.map(|line| place(source, *line, "move it to one of UNSAFE_ROOMS"))
    });
    of_places("unsafe code outside its rooms", 0, places.collect())
}

fn is_unsafe_room(path: &str) -> bool {
    let path = path.strip_prefix("src/").unwrap_or(path);
    UNSAFE_ROOMS
        .iter()
        .any(|room| path == *room || (room.ends_with('/') && path.starts_with(room)))
}

fn longest_function(sources: &[Source<'_>]) -> Budget {
    let all = sources
        .iter()
        .flat_map(|source| source.facts.functions.iter().map(move |f| (source, f)));
    let over = |(source, function): (&Source<'_>, &Function)| {
        let what = format!("`{}` has {} lines", function.name, function.lines);
        (function.lines > LONGEST_FUNCTION).then(|| place(source, function.line, &what))
    };
    Budget {
        name: "longest function, in lines",
        figure: all.clone().map(|(_, f)| f.lines).max().unwrap_or(0),
        limit: LONGEST_FUNCTION,
        places: all.filter_map(over).collect(),
    }
}

/// Comments, blank lines and test items aside; a file of tests has its code
/// counted.
fn longest_file(name: &'static str, limit: usize, sources: &[Source<'_>]) -> Budget {
    let length = |source: &Source<'_>| match source.is_test {
        true => source.facts.code_and_tests.len(),
        false => source.facts.code.len(),
    };
    of_lengths(name, limit, sources.iter().map(|s| (s.path, length(s))))
}

fn longest_test_file(tests: &[&Source<'_>]) -> Budget {
    let lengths = tests.iter().map(|s| (s.path, s.text.lines().count()));
    of_lengths(
        "longest file in tests, in lines",
        LONGEST_TEST_FILE,
        lengths,
    )
}

fn of_lengths<'a>(
    name: &'static str,
    limit: usize,
    lengths: impl Iterator<Item = (&'a str, usize)> + Clone,
) -> Budget {
    let over = lengths.clone().filter(|(_, length)| *length > limit);
    Budget {
        name,
        figure: lengths.map(|(_, length)| length).max().unwrap_or(0),
        limit,
        places: over
            .map(|(path, length)| format!("{path}: {length} lines: split it by subject"))
            .collect(),
    }
}

fn upward_imports(src: &[&Source<'_>]) -> Budget {
    let reexports = src
        .iter()
        .find(|source| source.path == "src/lib.rs")
        .map(|lib| layers::reexports(&lib.tokens))
        .unwrap_or_default();
    let mut places = Vec::new();
    for source in src {
        let module = layers::module_of(source.path);
        for reference in layers::references(&source.tokens, &module) {
            if let Some(why) = layers::objection(&module, &reference, &reexports) {
                places.push(place(source, reference.line, &why));
            }
        }
    }
    of_places("upward imports", 0, places)
}

fn unwraps(src: &[&Source<'_>]) -> Budget {
    let places = src.iter().filter(|source| !source.is_test);
    let places = places.flat_map(|source| {
        let lines = source.facts.unwraps.iter();
        lines.map(|line| place(source, *line, "return the error, or match what cannot fail"))
    });
    of_places("unwrap and expect outside tests", 0, places.collect())
}

fn sleeps(sources: &[&Source<'_>]) -> Budget {
    let places = sources.iter().flat_map(|source| {
        let lines = source.facts.sleeps.iter();
        lines
            .filter(|line| !notes::has_sleep_note(source.text, **line))
            .map(|line| {
                let what = "wait for an event, or say `// tidy: allow sleep: <why>`";
                place(source, *line, what)
            })
    });
    of_places("sleeps without a reason", 0, places.collect())
}

pub(super) fn of_text(files: &[TextFile]) -> Budget {
    let ours = files
        .iter()
        .filter(|file| !GENERATED_TEXT.contains(&file.path.as_str()));
    let places = ours.flat_map(|file| {
        let found = notes::forbidden(&file.text).into_iter();
        found.map(|(line, word)| format!("{}:{line}: `{word}`: leave it out", file.path))
    });
    of_places("registry hosts and machine paths", 0, places.collect())
}

pub(super) fn of_documents(files: &[TextFile]) -> Budget {
    let missing = documents::missing_tests(files);
    of_places("tests that documents name and nobody has", 0, missing)
}

pub(super) fn of_dependencies(names: &BTreeSet<String>) -> Budget {
    Budget {
        name: "crates added on Linux",
        figure: names.len(),
        limit: DEPENDENCIES.len(),
        places: names
            .iter()
            .filter(|name| !DEPENDENCIES.contains(&name.as_str()))
            .map(|name| format!("{name}: the published crate needs libc and log alone"))
            .collect(),
    }
}
