//! A handle, and what its registration needs.

use crate::association::Association;
use crate::event::Source;
use crate::sys::{raw_source, AsRawSource, Registered, Registration, Selector};
use crate::{Interest, Registry, Token};
use std::ops::{Deref, DerefMut};
use std::{fmt, io};

/// A handle of the operating system that can be registered.
///
/// Every operation that can say `WouldBlock` goes through
/// [`do_io`](IoSource::do_io), since on kernels without edges that is where the
/// next edge comes from.
pub(crate) struct IoSource<T> {
    // Before the handle, and so dropped before it: a queue that does not forget
    // a handle by itself must forget it before it closes.
    registration: Registered,
    association: Association,
    io: T,
}

impl<T> IoSource<T> {
    #[inline]
    pub(crate) fn new(io: T) -> IoSource<T> {
        IoSource {
            registration: Registered::default(),
            association: Association::default(),
            io,
        }
    }

    /// Gives the handle back; a registration ends where the kernel does not
    /// keep it itself.
    #[inline]
    pub(crate) fn into_inner(self) -> T {
        self.io
    }

    /// Runs an operation, and arms the source again if it would block.
    #[inline]
    pub(crate) fn do_io<R>(&self, operation: impl FnOnce(&T) -> io::Result<R>) -> io::Result<R> {
        let result = operation(&self.io);
        if !<Registered as Registration<Selector>>::REARMS {
            return result;
        }
        if let Err(err) = &result {
            if err.kind() == io::ErrorKind::WouldBlock {
                Registration::<Selector>::would_block(&self.registration);
            }
        }
        result
    }
}

impl<T> Deref for IoSource<T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.io
    }
}

impl<T> DerefMut for IoSource<T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        &mut self.io
    }
}

impl<T: fmt::Debug> fmt::Debug for IoSource<T> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.io.fmt(f)
    }
}

impl<T: AsRawSource> Source for IoSource<T> {
    #[inline]
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let (registration, source) = (&mut self.registration, raw_source(&self.io));
        self.association.register(registry.id(), || {
            Registration::register(registration, registry.queue(), source, token, interests)
        })
    }

    #[inline]
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        let (registration, source) = (&mut self.registration, raw_source(&self.io));
        self.association.reregister(registry.id(), || {
            Registration::reregister(registration, registry.queue(), source, token, interests)
        })
    }

    #[inline]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        let (registration, source) = (&mut self.registration, raw_source(&self.io));
        self.association.deregister(registry.id(), || {
            Registration::deregister(registration, registry.queue(), source)
        })
    }
}
