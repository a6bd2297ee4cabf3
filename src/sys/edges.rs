//! Edge triggering: where edges come from.
//!
//! The contract with callers is edge-like: after an event, the next one is
//! only promised once an operation said `WouldBlock` (or the source was
//! registered anew). Kernels that report edges themselves need nothing more
//! from us: [`KernelEdges`], or [`CheckedEdges`] where the kernel does not find
//! mistakes of registration. Queues that report levels, or report once, become
//! edge-like by [`EmulatedEdges`]: the backend reports a readiness once and
//! holds it back, and the `WouldBlock` of an operation arms it again. Since
//! arming looks at the level anew, what arrived in between is not lost.

use super::queue::Queue;
use super::{Backend, RawSource, Rearm, Registration};
use crate::interest::Interest;
use crate::token::Token;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Weak};
use std::{fmt, io};

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

/// The kernel reports each edge, but takes a second registration of a source
/// for a change of the first, the change of none for a first one, and the end of
/// none for done: the source remembers its queue. Weakly, for it keeps no queue
/// open, and can be registered with another once its own is gone.
#[derive(Debug)]
pub(crate) struct CheckedEdges<B: Backend>(Option<Weak<Queue<B>>>);

impl<B: Backend> Default for CheckedEdges<B> {
    fn default() -> CheckedEdges<B> {
        CheckedEdges(None)
    }
}

impl<B: Backend> CheckedEdges<B> {
    /// Fails unless it is registered with `queue`.
    fn check(&self, queue: &Arc<Queue<B>>) -> io::Result<()> {
        match &self.0 {
            Some(with) if with.as_ptr() == Arc::as_ptr(queue) => Ok(()),
            Some(with) if with.strong_count() > 0 => Err(registered_elsewhere()),
            _ => Err(not_registered()),
        }
    }
}

impl<B: Backend<Handle = ()>> Registration<B> for CheckedEdges<B> {
    const REARMS: bool = false;

    fn register(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        if matches!(&self.0, Some(with) if with.strong_count() > 0) {
            return Err(registered_already());
        }
        queue.selector().register(source, token, interest)?;
        self.0 = Some(Arc::downgrade(queue));
        Ok(())
    }

    fn reregister(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.check(queue)?;
        let changed = queue.selector().reregister(source, &(), token, interest);
        if matches!(&changed, Err(err) if err.kind() == io::ErrorKind::NotFound) {
            self.0 = None;
        }
        changed
    }

    fn deregister(&mut self, queue: &Arc<Queue<B>>, source: RawSource) -> io::Result<()> {
        self.check(queue)?;
        queue.selector().deregister(source, &())?;
        self.0 = None;
        Ok(())
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

/// The queue reports a readiness once; the source asks again.
///
/// What it takes to ask stands here and not behind a pointer: then only the queue
/// allocates at a registration.
pub(crate) struct EmulatedEdges<B: Rearm>(Option<Armed<B>>);

/// What it takes to ask again.
#[derive(Debug)]
struct Armed<B: Rearm> {
    queue: Arc<Queue<B>>,
    source: RawSource,
    handle: B::Handle,
}

impl<B: Rearm> Default for EmulatedEdges<B> {
    fn default() -> EmulatedEdges<B> {
        EmulatedEdges(None)
    }
}

impl<B: Rearm> EmulatedEdges<B> {
    /// The registration, if it is one with `queue`.
    fn with(&self, queue: &Arc<Queue<B>>) -> io::Result<&Armed<B>> {
        match &self.0 {
            Some(armed) if Arc::ptr_eq(&armed.queue, queue) => Ok(armed),
            Some(_) => Err(registered_elsewhere()),
            None => Err(not_registered()),
        }
    }
}

impl<B: Rearm> Registration<B> for EmulatedEdges<B> {
    const REARMS: bool = true;

    fn register(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        if self.0.is_some() {
            return Err(registered_already());
        }
        let handle = queue.selector().register(source, token, interest)?;
        self.0 = Some(Armed {
            queue: Arc::clone(queue),
            source,
            handle,
        });
        Ok(())
    }

    fn reregister(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let armed = self.with(queue)?;
        let selector = queue.selector();
        selector.reregister(source, &armed.handle, token, interest)
    }

    fn deregister(&mut self, queue: &Arc<Queue<B>>, source: RawSource) -> io::Result<()> {
        let armed = self.with(queue)?;
        queue.selector().deregister(source, &armed.handle)?;
        // Its `Drop` finds nothing to do.
        self.0 = None;
        Ok(())
    }

    #[inline]
    fn would_block(&self) {
        if let Some(armed) = &self.0 {
            armed.queue.selector().rearm(armed.source, &armed.handle);
        }
    }
}

// What a source shares with its queue can be seen after a panic, and is whole: each
// backend takes its locks whether or not they are poisoned, and changes what they guard
// by steps that cannot panic half-way. The compiler cannot tell, since the kernel's
// part of a queue lies in cells and behind trait objects.
impl<B: Backend> UnwindSafe for CheckedEdges<B> {}
impl<B: Backend> RefUnwindSafe for CheckedEdges<B> {}
impl<B: Rearm> UnwindSafe for EmulatedEdges<B> {}
impl<B: Rearm> RefUnwindSafe for EmulatedEdges<B> {}

impl<B: Rearm> Drop for Armed<B> {
    /// The queue forgets a source before its handle closes. It has forgotten
    /// it already after a deregistration, which is no harm.
    fn drop(&mut self) {
        let _ = self.queue.selector().deregister(self.source, &self.handle);
    }
}

impl<B: Rearm> fmt::Debug for EmulatedEdges<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = if self.0.is_some() {
            "registered"
        } else {
            "none"
        };
        f.write_str(text)
    }
}
