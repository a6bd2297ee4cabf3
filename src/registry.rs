//! `Registry` and `Source`: the two halves of one handshake.

use crate::association::QueueId;
use crate::interest::Interest;
use crate::sys;
use crate::token::Token;
use std::sync::Arc;
use std::{fmt, io};

/// Says which sources a [`Poll`] watches.
///
/// A registry belongs to a `Poll`, which lends it by [`Poll::registry`].
/// [`try_clone`](Registry::try_clone) makes one that can go to other threads:
/// sources can be registered while the `Poll` waits, and count for that wait.
///
/// # Mistakes
///
/// A source is registered with one `Poll` at a time. Registering it twice is
/// an [`AlreadyExists`] error; changing or ending a registration that does not
/// exist is a [`NotFound`] error. The first registration goes on as before.
/// Registering it with a *second* `Poll` is the same mistake. With epoll it is
/// found in builds with debug assertions only, elsewhere in all; that of a raw
/// descriptor is not found.
///
/// [`AlreadyExists`]: io::ErrorKind::AlreadyExists
/// [`NotFound`]: io::ErrorKind::NotFound
/// [`Poll`]: crate::Poll
/// [`Poll::registry`]: crate::Poll::registry
pub struct Registry {
    queue: Arc<sys::Queue>,
    id: QueueId,
}

impl Registry {
    #[cfg(feature = "os-poll")]
    #[inline]
    pub(crate) fn new() -> io::Result<Registry> {
        Ok(Registry {
            queue: Arc::new(sys::Queue::new()?),
            id: QueueId::new(),
        })
    }

    /// Starts to watch a source.
    ///
    /// From now on, events of the source carry `token`, and tell of `interests`.
    /// If the source is ready already, the next poll says so.
    ///
    /// Events are *edge-triggered*: after an event, the next one of that kind
    /// is promised only once an operation on the source failed with
    /// [`WouldBlock`], or after [`reregister`](Registry::reregister). So read,
    /// write or accept until that happens. The source must be in non-blocking
    /// mode; all types of this crate are, unless they were made from something
    /// that is not.
    ///
    /// # Errors
    ///
    /// [`AlreadyExists`] if the source is registered already; [`Unsupported`] if the
    /// system's queue has no such interest or mode; [`InvalidInput`] if these
    /// cannot go together; and what the operating system
    /// says, such as "operation not permitted" for a regular file on Linux. After
    /// an error the source is as it was, and can be registered again.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(all(feature = "os-poll", feature = "net")))]
    /// # fn main() {}
    /// # #[cfg(all(feature = "os-poll", feature = "net"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Interest, Poll, Token};
    ///
    /// let poll = Poll::new()?;
    /// let mut socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// poll.registry()
    ///     .register(&mut socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`AlreadyExists`]: io::ErrorKind::AlreadyExists
    /// [`InvalidInput`]: io::ErrorKind::InvalidInput
    /// [`Unsupported`]: io::ErrorKind::Unsupported
    /// [`WouldBlock`]: io::ErrorKind::WouldBlock
    #[inline]
    pub fn register<S>(&self, source: &mut S, token: Token, interests: Interest) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        if is_traced!() {
            trace_call("registering", token, interests);
        }
        source.register(self, token, interests)
    }

    /// Changes the token and the interests of a source that is registered.
    ///
    /// Both are replaced as a whole. The readiness of the source is looked at
    /// anew: what is ready is reported by the next poll, also if it was
    /// reported before. An event that the caller already has keeps the old
    /// token.
    ///
    /// # Errors
    ///
    /// [`NotFound`] if the source is not registered, [`AlreadyExists`] if it is
    /// registered with another `Poll` (`NotFound` where that mistake is not
    /// found, see [above](Registry#mistakes)), and what the operating system says.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(all(feature = "os-poll", feature = "net")))]
    /// # fn main() {}
    /// # #[cfg(all(feature = "os-poll", feature = "net"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Interest, Poll, Token};
    ///
    /// let poll = Poll::new()?;
    /// let mut socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// let registry = poll.registry();
    /// registry.register(&mut socket, Token(0), Interest::READABLE)?;
    /// // There is something to send: hear about room for it, too.
    /// registry.reregister(&mut socket, Token(0), Interest::READABLE | Interest::WRITABLE)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`AlreadyExists`]: io::ErrorKind::AlreadyExists
    /// [`NotFound`]: io::ErrorKind::NotFound
    #[inline]
    pub fn reregister<S>(&self, source: &mut S, token: Token, interests: Interest) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        if is_traced!() {
            trace_call("reregistering", token, interests);
        }
        source.reregister(self, token, interests)
    }

    /// Stops watching a source.
    ///
    /// A poll that begins after this returned never shows the token of the
    /// registration: it may be used again, and what it points to may be freed
    /// *once the events of earlier polls are no longer looked at*. A loop that
    /// deregisters a source while it handles one event can meet another event
    /// of that source later in the same batch, and must skip it.
    ///
    /// Deregister a source before closing it if its descriptor was duplicated
    /// or inherited by a child process: on Linux the kernel watches what the
    /// descriptor stands for, for as long as anyone has it open.
    ///
    /// # Errors
    ///
    /// [`NotFound`] if the source is not registered with this `Poll`, and what
    /// the operating system says.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(all(feature = "os-poll", feature = "net")))]
    /// # fn main() {}
    /// # #[cfg(all(feature = "os-poll", feature = "net"))]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{net::UdpSocket, Events, Interest, Poll, Token};
    /// use std::time::Duration;
    ///
    /// let mut poll = Poll::new()?;
    /// let mut socket = UdpSocket::bind(([127, 0, 0, 1], 0).into())?;
    /// poll.registry()
    ///     .register(&mut socket, Token(0), Interest::WRITABLE)?;
    /// poll.registry().deregister(&mut socket)?;
    ///
    /// let mut events = Events::with_capacity(8);
    /// poll.poll(&mut events, Some(Duration::ZERO))?;
    /// assert!(events.is_empty());
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// [`NotFound`]: io::ErrorKind::NotFound
    #[inline]
    pub fn deregister<S>(&self, source: &mut S) -> io::Result<()>
    where
        S: Source + ?Sized,
    {
        trace!("deregistering a source");
        source.deregister(self)
    }

    /// Makes another registry of the same [`Poll`](crate::Poll).
    ///
    /// Costs neither a system call nor a descriptor. The queue of the operating
    /// system lives until the `Poll` and all its registries are dropped.
    ///
    /// # Errors
    ///
    /// None today; the result leaves room for systems that must ask the kernel.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[cfg(not(feature = "os-poll"))]
    /// # fn main() {}
    /// # #[cfg(feature = "os-poll")]
    /// # fn main() -> std::io::Result<()> {
    /// use mio::{Poll, Token, Waker};
    ///
    /// let poll = Poll::new()?;
    /// let registry = poll.registry().try_clone()?;
    /// let thread = std::thread::spawn(move || Waker::new(&registry, Token(0)));
    /// # thread.join().expect("the thread ran")?;
    /// # Ok(())
    /// # }
    /// ```
    #[inline]
    pub fn try_clone(&self) -> io::Result<Registry> {
        Ok(Registry {
            queue: Arc::clone(&self.queue),
            id: self.id,
        })
    }

    #[inline]
    pub(crate) fn queue(&self) -> &Arc<sys::Queue> {
        &self.queue
    }

    #[inline]
    pub(crate) fn id(&self) -> QueueId {
        self.id
    }
}

/// Apart from the calls that it traces, so that these are compiled into their
/// callers and the interests, mostly constants, become masks there.
#[cold]
#[inline(never)]
fn trace_call(call: &str, token: Token, interests: Interest) {
    trace!("{call} a source with {token:?} for {interests:?}");
}

impl fmt::Debug for Registry {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish()
    }
}

#[cfg(unix)]
sys::queue_fd! {
    mod queue_fd {
        use super::Registry;
        use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};

        /// Lends the descriptor of the kernel's queue; see the notes on
        /// [`Poll`'s](struct.Poll.html#accessing-the-queue).
        impl AsFd for Registry {
            #[inline]
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.queue.expose();
                self.queue.selector().as_fd()
            }
        }

        /// The descriptor of the kernel's queue; see the notes on
        /// [`Poll`'s](struct.Poll.html#accessing-the-queue).
        impl AsRawFd for Registry {
            #[inline]
            fn as_raw_fd(&self) -> RawFd {
                self.as_fd().as_raw_fd()
            }
        }
    }
}

/// Something that can be registered with a [`Poll`](crate::Poll).
///
/// All sockets and pipes of this crate are sources. A type that contains a
/// source becomes one by passing the three calls on; a type that owns a raw
/// descriptor goes through `SourceFd`.
///
/// Callers use [`Registry::register`] and its siblings, never these methods.
///
/// # Implementing
///
/// The calls are passed on with all they are given. A source that combines
/// several may register them with the same token or derive others; it has to
/// undo what it did when a later part fails.
///
/// A source that is dropped ends its registration; kernels do that themselves
/// when the last descriptor is closed. Deregister before dropping where
/// duplicates of the descriptor may live on.
///
/// # Examples
///
/// ```
/// # #[cfg(not(feature = "net"))]
/// # fn main() {}
/// # #[cfg(feature = "net")]
/// # fn main() {
/// use mio::{event::Source, net::UdpSocket, Interest, Registry, Token};
/// use std::io;
///
/// struct Resolver {
///     socket: UdpSocket,
/// }
///
/// impl Source for Resolver {
///     fn register(
///         &mut self,
///         registry: &Registry,
///         token: Token,
///         interests: Interest,
///     ) -> io::Result<()> {
///         self.socket.register(registry, token, interests)
///     }
///
///     fn reregister(
///         &mut self,
///         registry: &Registry,
///         token: Token,
///         interests: Interest,
///     ) -> io::Result<()> {
///         self.socket.reregister(registry, token, interests)
///     }
///
///     fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
///         self.socket.deregister(registry)
///     }
/// }
/// # }
/// ```
pub trait Source {
    /// Starts to watch; see [`Registry::register`].
    ///
    /// # Errors
    ///
    /// As [`Registry::register`].
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()>;

    /// Changes token and interests; see [`Registry::reregister`].
    ///
    /// # Errors
    ///
    /// As [`Registry::reregister`].
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()>;

    /// Stops watching; see [`Registry::deregister`].
    ///
    /// # Errors
    ///
    /// As [`Registry::deregister`].
    fn deregister(&mut self, registry: &Registry) -> io::Result<()>;
}

impl<T> Source for Box<T>
where
    T: Source + ?Sized,
{
    #[inline]
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        (**self).register(registry, token, interests)
    }

    #[inline]
    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        (**self).reregister(registry, token, interests)
    }

    #[inline]
    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        (**self).deregister(registry)
    }
}
