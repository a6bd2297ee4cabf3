//! Every system call that the crate makes fails in turn, with every error that is plausible: the
//! operation returns that error or copes as the table says, nothing leaks, and the same object
//! works again for a thread that may call the kernel.

// The crate that makes the filters knows no other architectures.
#![cfg(all(target_pointer_width = "64", target_endian = "little"))]
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]
#![cfg(not(any(mio_kqueue_emulation, mio_ports_emulation)))] // They make calls of their own.

use std::env::consts::ARCH;
use std::io;
use std::thread;

use seccompiler::{
    BpfProgram, SeccompAction, SeccompCmpArgLen, SeccompCmpOp, SeccompCondition, SeccompFilter,
    SeccompRule,
};

mod calls;
#[path = "../support/kernel.rs"]
mod kernel;
mod nth;
mod sleeper;
mod table;
mod world;

use calls::Call;
use table::{Expect, Fault, FAULTS};
use world::World;

/// All descriptors of the child are below this.
const LIMIT: i32 = 1024;

/// From now on the calling thread's `call` does nothing but answer `errno`.
fn fail(call: Call, errno: i32) {
    let mut rules = std::collections::BTreeMap::new();
    for number in call.numbers {
        let rule = call.argument.map(|(index, value)| {
            let (length, equal) = (SeccompCmpArgLen::Dword, SeccompCmpOp::Eq);
            let condition = SeccompCondition::new(index, length, equal, value).unwrap();
            SeccompRule::new(vec![condition]).unwrap()
        });
        rules.insert(*number, rule.into_iter().collect());
    }
    let answer = SeccompAction::Errno(errno.unsigned_abs());
    let arch = ARCH.try_into().unwrap();
    let filter = SeccompFilter::new(rules, SeccompAction::Allow, answer, arch).unwrap();
    let program: BpfProgram = filter.try_into().unwrap();
    seccompiler::apply_filter(&program).unwrap();
}

/// What is wrong with how the operation took the fault.
fn judge(expect: Expect, errno: i32, result: &io::Result<()>) -> Option<String> {
    let good = match (expect, result) {
        (Expect::TheError, Err(err)) => err.raw_os_error() == Some(errno),
        (Expect::Kind(kind), Err(err)) => err.kind() == kind,
        (Expect::Success, Ok(())) => true,
        _ => false,
    };
    (!good).then(|| format!("expected {expect:?}, got {result:?}"))
}

/// Lets one call fail on a thread that cannot make it any more, then does the same without fault.
fn inject(world: &mut World, fault: &Fault, errno: i32) -> Vec<String> {
    let mut wrong = Vec::new();
    let Fault { act, call, .. } = *fault;
    let before = kernel::count_fds(LIMIT);
    let result = thread::scope(|scope| {
        let filtered = scope.spawn(|| {
            fail(call, errno);
            (act.run)(world)
        });
        filtered.join()
    });
    let Ok(result) = result else {
        return vec!["a panic".to_owned()];
    };
    wrong.extend(judge(fault.expect, errno, &result));
    if result.is_ok() {
        (act.undo)(world);
    }
    let after = kernel::count_fds(LIMIT);
    if after != before {
        wrong.push(format!("{before} descriptors before, {after} after"));
    }
    if let Err(err) = (act.run)(world) {
        wrong.push(format!("without the fault: {err}"));
    }
    (act.undo)(world);
    wrong
}

#[test]
fn every_call_fails_in_turn() {
    kernel::in_child("every_call_fails_in_turn", || {
        let _watchdog = kernel::watchdog();
        let mut wrong = Vec::new();
        let mut pairs = 0;
        for fault in FAULTS {
            let mut world = World::new();
            for errno in fault.errnos {
                pairs += 1;
                let error = io::Error::from_raw_os_error(*errno);
                let Fault { act, call, .. } = fault;
                let pair = format!("{}, {} fails with `{error}`", act.name, call.name);
                // The last one names a hang.
                println!("{pair}");
                let found = inject(&mut world, fault, *errno);
                wrong.extend(found.into_iter().map(|what| format!("{pair}: {what}")));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        println!("{pairs} pairs of a call and an error");
    });
}
