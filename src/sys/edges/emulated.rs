//! Where the queue reports a readiness once, until it is asked again.

use super::{not_registered, registered_already, registered_elsewhere};
use crate::interest::Interest;
use crate::sys::queue::Queue;
use crate::sys::{Backend, RawSource, Registration};
use crate::token::Token;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::{fmt, io};

/// A queue that reports a readiness once, until it is asked again.
pub(crate) trait Rearm: Backend {
    /// An operation would have blocked: reports the next readiness of the
    /// source, or one that it has by now. What goes wrong becomes an error
    /// event of the source.
    fn rearm(&self, source: RawSource, handle: &Self::Handle);
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
