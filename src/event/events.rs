use super::Event;
use crate::sys;
use std::iter::FusedIterator;
use std::{fmt, slice};

/// Where [`Poll::poll`] puts the events of one call.
///
/// Made once and used again for every poll: the kernel writes into it, and
/// nothing is allocated or copied.
///
/// The capacity is how many events one poll returns at most. With more sources
/// ready than that, the rest is returned by the polls that follow, in
/// turns, so that no source starves. Some hundreds are a good choice for a
/// server; few are wrong only in that they cost more polls.
///
/// # Examples
///
/// ```
/// # #[cfg(not(feature = "os-poll"))]
/// # fn main() {}
/// # #[cfg(feature = "os-poll")]
/// # fn main() -> std::io::Result<()> {
/// use mio::{Events, Poll, Token, Waker};
/// use std::time::Duration;
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(256);
/// let waker = Waker::new(poll.registry(), Token(7))?;
/// waker.wake()?;
///
/// poll.poll(&mut events, Some(Duration::from_millis(100)))?;
/// assert_eq!(events.len(), 1);
/// for event in &events {
///     println!("{:?} is ready", event.token());
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Poll::poll`]: crate::Poll::poll
pub struct Events {
    /// Room for `capacity` events, and for at least one.
    raw: Vec<sys::Event>,
    capacity: usize,
    /// How many events a poll may return, which `raw` has room for.
    room: usize,
}

impl Events {
    /// Makes room for `capacity` events.
    ///
    /// With a capacity of zero there is still room for one: a poll must be able
    /// to say that something is ready.
    #[inline]
    pub fn with_capacity(capacity: usize) -> Events {
        Events {
            raw: Vec::with_capacity(capacity.max(1)),
            capacity,
            room: capacity.clamp(1, sys::MAX_EVENTS),
        }
    }

    /// The capacity that was asked for.
    #[inline]
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many events the last poll returned.
    #[inline]
    pub fn len(&self) -> usize {
        self.raw.len()
    }

    /// Whether the last poll returned no event: its timeout was over.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.raw.is_empty()
    }

    /// Whether the last poll returned as many events as there is room for.
    ///
    /// More sources may be ready then, and a program that sees this often gains
    /// by a larger capacity. False is no promise that nothing else is ready:
    /// only a poll that returns no event is.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.raw.len() >= self.room()
    }

    /// The event at `index`, in the order of [`iter`](Events::iter).
    #[inline]
    pub fn get(&self, index: usize) -> Option<&Event> {
        self.raw.get(index).map(Event::from_raw)
    }

    /// Iterates over the events of the last poll.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter {
            raw: self.raw.iter(),
        }
    }

    /// Forgets all events. Every poll does this first; there is no need to.
    #[inline]
    pub fn clear(&mut self) {
        self.raw.clear();
    }

    /// How many events a poll may write.
    #[inline]
    pub(crate) fn room(&self) -> usize {
        self.room
    }

    #[inline]
    pub(crate) fn raw_mut(&mut self) -> &mut Vec<sys::Event> {
        &mut self.raw
    }
}

impl<'a> IntoIterator for &'a Events {
    type Item = &'a Event;
    type IntoIter = Iter<'a>;

    #[inline]
    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for Events {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self).finish()
    }
}

/// An iterator over [`Events`], made by [`Events::iter`].
#[derive(Clone)]
pub struct Iter<'a> {
    raw: slice::Iter<'a, sys::Event>,
}

impl<'a> Iterator for Iter<'a> {
    type Item = &'a Event;

    #[inline]
    fn next(&mut self) -> Option<&'a Event> {
        self.raw.next().map(Event::from_raw)
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        self.raw.size_hint()
    }

    #[inline]
    fn count(self) -> usize {
        self.raw.len()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl FusedIterator for Iter<'_> {}

impl fmt::Debug for Iter<'_> {
    #[inline]
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.clone()).finish()
    }
}
