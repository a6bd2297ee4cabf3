//! Edge triggering: where edges come from.
//!
//! The contract with callers is edge-like: after an event, the next one is
//! only promised once an operation said `WouldBlock` (or the source was
//! registered anew). Kernels that report edges themselves need nothing more
//! from us: [`KernelEdges`], or `CheckedEdges` where the kernel does not find
//! mistakes of registration. Queues that report levels, or report once, become
//! edge-like by `EmulatedEdges`: the backend reports a readiness once and
//! holds it back, and the `WouldBlock` of an operation arms it again. Since
//! arming looks at the level anew, what arrived in between is not lost.

use super::queue::Queue;
use super::{Backend, RawSource, Registration};
use crate::interest::Interest;
use crate::token::Token;
use std::io;
use std::sync::Arc;

// Linux's kernel reports edges and finds mistakes, so that a program over it would compile
// the others for nothing.
cfg_if! {
    if #[cfg(any(
        test,
        mio_fuzzing,
        mio_kqueue_emulation,
        mio_ports_emulation,
        mio_unsupported_force_poll_poll,
        not(any(target_os = "android", target_os = "linux")),
    ))] {
        mod checked;
        mod emulated;
        pub(crate) use checked::CheckedEdges;
        pub(crate) use emulated::{EmulatedEdges, Rearm};
    } else {}
}

/// The kernel reports each edge and knows the source by its descriptor: there
/// is nothing to remember, so a source is as large as its descriptor.
#[derive(Debug, Default)]
pub(crate) struct KernelEdges;

impl<B: Backend<Handle = ()>> Registration<B> for KernelEdges {
    const REARMS: bool = false;

    #[inline]
    fn register(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        queue.selector().register(source, token, interest)
    }

    #[inline]
    fn reregister(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        queue.selector().reregister(source, &(), token, interest)
    }

    #[inline]
    fn deregister(&mut self, queue: &Arc<Queue<B>>, source: RawSource) -> io::Result<()> {
        queue.selector().deregister(source, &())
    }

    #[inline]
    fn would_block(&self) {}
}

/// The mistake of a source that is registered twice.
pub(crate) fn registered_already() -> io::Error {
    let text = "I/O source already registered with a `Registry`";
    io::Error::new(io::ErrorKind::AlreadyExists, text)
}

/// The mistake of a source that is registered with another queue.
pub(crate) fn registered_elsewhere() -> io::Error {
    let text = "I/O source already registered with a different `Registry`";
    io::Error::new(io::ErrorKind::AlreadyExists, text)
}

/// The mistake of a source that is not registered.
pub(crate) fn not_registered() -> io::Error {
    let text = "I/O source not registered with `Registry`";
    io::Error::new(io::ErrorKind::NotFound, text)
}
