//! Where the kernel reports edges, and does not find mistakes of registration.

use super::{not_registered, registered_already, registered_elsewhere};
use crate::interest::Interest;
use crate::sys::queue::Queue;
use crate::sys::{Backend, RawSource, Registration};
use crate::token::Token;
use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::{Arc, Weak};

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

// See the note at `EmulatedEdges`: what is shared with a queue is whole after a panic.
impl<B: Backend> UnwindSafe for CheckedEdges<B> {}
impl<B: Backend> RefUnwindSafe for CheckedEdges<B> {}
