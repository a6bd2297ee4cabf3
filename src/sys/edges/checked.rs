//! Where the kernel reports edges, and does not find mistakes of registration.

use super::{not_registered, registered_already};
use crate::interest::Interest;
use crate::sys::queue::Queue;
use crate::sys::{Backend, RawSource, Registration};
use crate::token::Token;
use std::io;
use std::sync::Arc;

/// The kernel reports each edge, but takes a second registration of a source
/// for a change of the first, and the change of none for a first one: the
/// source remembers whether it is registered.
#[derive(Debug, Default)]
pub(crate) struct CheckedEdges {
    registered: bool,
}

impl CheckedEdges {
    fn check(&self) -> io::Result<()> {
        if self.registered {
            Ok(())
        } else {
            Err(not_registered())
        }
    }
}

impl<B: Backend<Handle = ()>> Registration<B> for CheckedEdges {
    const REARMS: bool = false;

    fn register(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        if self.registered {
            return Err(registered_already());
        }
        queue.selector().register(source, token, interest)?;
        self.registered = true;
        Ok(())
    }

    fn reregister(
        &mut self,
        queue: &Arc<Queue<B>>,
        source: RawSource,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.check()?;
        let changed = queue.selector().reregister(source, &(), token, interest);
        if matches!(&changed, Err(err) if err.kind() == io::ErrorKind::NotFound) {
            self.registered = false;
        }
        changed
    }

    fn deregister(&mut self, queue: &Arc<Queue<B>>, source: RawSource) -> io::Result<()> {
        self.check()?;
        queue.selector().deregister(source, &())?;
        self.registered = false;
        Ok(())
    }

    #[inline]
    fn would_block(&self) {}
}
