//! Which `Poll` a source belongs to: checks that only debug builds make.
//!
//! A source that is registered twice, or deregistered with a `Poll` that does
//! not know it, is a mistake of the caller. The kernel finds most of
//! them, but not a source that is registered with two `Poll`s. Debug builds
//! remember the `Poll` in the source; release builds have no room for it: a
//! source is as large as its descriptor.
//!
//! **Invariant:** the association follows the kernel: it changes when an
//! operation succeeded, and ends when the kernel knows of no registration.

#[cfg(debug_assertions)]
pub(crate) use checked::{Association, QueueId};
#[cfg(not(debug_assertions))]
pub(crate) use unchecked::{Association, QueueId};

#[cfg(debug_assertions)]
mod checked {
    use crate::sys::edges::{not_registered, registered_already, registered_elsewhere};
    use std::io;
    use std::sync::atomic::{AtomicUsize, Ordering};

    /// The number of a `Poll`, never used again.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct QueueId(usize);

    impl QueueId {
        #[inline]
        pub(crate) fn new() -> QueueId {
            static NEXT: AtomicUsize = AtomicUsize::new(0);
            QueueId(NEXT.fetch_add(1, Ordering::Relaxed))
        }
    }

    /// The `Poll` that a source is registered with.
    #[derive(Debug, Default)]
    pub(crate) struct Association(Option<QueueId>);

    impl Association {
        #[inline]
        pub(crate) fn register(
            &mut self,
            queue: QueueId,
            register: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            if self.0.is_some() {
                return Err(registered_already());
            }
            register()?;
            self.0 = Some(queue);
            Ok(())
        }

        #[inline]
        pub(crate) fn reregister(
            &mut self,
            queue: QueueId,
            reregister: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            match self.0 {
                Some(with) if with == queue => {
                    let result = reregister();
                    self.end_if_gone(&result);
                    result
                }
                Some(_) => Err(registered_elsewhere()),
                None => Err(not_registered()),
            }
        }

        #[inline]
        pub(crate) fn deregister(
            &mut self,
            queue: QueueId,
            deregister: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            if self.0 != Some(queue) {
                return Err(not_registered());
            }
            let result = deregister();
            if result.is_ok() {
                self.0 = None;
            }
            self.end_if_gone(&result);
            result
        }

        /// The kernel knows of no registration, whoever ended it.
        #[inline]
        fn end_if_gone(&mut self, result: &io::Result<()>) {
            if matches!(result, Err(err) if err.kind() == io::ErrorKind::NotFound) {
                self.0 = None;
            }
        }
    }
}

#[cfg(not(debug_assertions))]
mod unchecked {
    use std::io;

    #[derive(Debug, Clone, Copy)]
    pub(crate) struct QueueId;

    impl QueueId {
        #[inline]
        pub(crate) fn new() -> QueueId {
            QueueId
        }
    }

    #[derive(Debug, Default)]
    pub(crate) struct Association;

    impl Association {
        #[inline]
        pub(crate) fn register(
            &mut self,
            _: QueueId,
            register: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            register()
        }

        #[inline]
        pub(crate) fn reregister(
            &mut self,
            _: QueueId,
            reregister: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            reregister()
        }

        #[inline]
        pub(crate) fn deregister(
            &mut self,
            _: QueueId,
            deregister: impl FnOnce() -> io::Result<()>,
        ) -> io::Result<()> {
            deregister()
        }
    }
}
