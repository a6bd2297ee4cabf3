//! Edge triggering: where edges come from.
//!
//! The contract with callers is edge-like: after an event, the next one is
//! only promised once an operation said `WouldBlock` (or the source was
//! registered anew). Kernels that report edges themselves need nothing more
//! from us: `KernelEdges`.

use super::queue::Queue;
use super::{Backend, RawSource, Registration};
use crate::interest::Interest;
use crate::token::Token;
use std::io;
use std::sync::Arc;

/// The kernel reports each edge and knows the source by its descriptor: there
/// is nothing to remember, so a source is as large as its descriptor.
#[derive(Debug, Default)]
pub(crate) struct KernelEdges;

impl<B: Backend<Handle = ()>> Registration<B> for KernelEdges {
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
