/// The name under which a caller knows a source.
///
/// A token is chosen by the caller at [`Registry::register`] and comes back
/// in every [`Event`] of that source; the queue never interprets it. The
/// usual choices are an index into a slab, a key of a map, or a few constants:
///
/// ```
/// use mio::Token;
///
/// const LISTENER: Token = Token(0);
/// const FIRST_CLIENT: Token = Token(1);
///
/// let next = Token(FIRST_CLIENT.0 + 1);
/// assert_ne!(next, LISTENER);
/// assert_eq!(usize::from(next), 2);
/// ```
///
/// All values are allowed, on every platform with all their bits, also
/// `usize::MAX` and pointers turned into integers. Two sources may share a
/// token; their events can then not be told apart.
///
/// # Which tokens an event can carry
///
/// Once [`Registry::deregister`] has returned, no later call of
/// [`Poll::poll`] returns an event with the token of that registration.
/// Events that an *earlier* call already stored in [`Events`] stay there, so
/// a loop over a batch can still meet the token of a source that it
/// deregistered while handling an earlier event of the same batch. Look the
/// token up, and skip an event whose source is gone.
///
/// # Examples
///
/// A server keeps its clients in a map and finds them by token.
///
/// ```
/// # #[cfg(not(all(feature = "os-poll", feature = "net")))]
/// # fn main() {}
/// # #[cfg(all(feature = "os-poll", feature = "net"))]
/// # fn main() -> std::io::Result<()> {
/// use mio::net::{TcpListener, TcpStream};
/// use mio::{Events, Interest, Poll, Token};
/// use std::collections::HashMap;
/// use std::io::Read;
///
/// const LISTENER: Token = Token(0);
///
/// let mut poll = Poll::new()?;
/// let mut listener = TcpListener::bind(([127, 0, 0, 1], 0).into())?;
/// poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
///
/// let mut clients: HashMap<Token, TcpStream> = HashMap::new();
/// let mut next = LISTENER.0;
/// # let peer = std::net::TcpStream::connect(listener.local_addr()?)?;
/// # drop(peer);
///
/// let mut events = Events::with_capacity(64);
/// let mut gone = 0;
/// while gone == 0 {
///     poll.poll(&mut events, None)?;
///     for event in &events {
///         if event.token() == LISTENER {
///             while let Ok((mut client, _)) = listener.accept() {
///                 next += 1;
///                 let token = Token(next);
///                 poll.registry().register(&mut client, token, Interest::READABLE)?;
///                 clients.insert(token, client);
///             }
///         } else if let Some(client) = clients.get_mut(&event.token()) {
///             if let Ok(0) = client.read(&mut [0; 64]) {
///                 clients.remove(&event.token());
///                 gone += 1;
///             }
///         }
///     }
/// }
/// # Ok(())
/// # }
/// ```
///
/// [`Event`]: crate::event::Event
/// [`Events`]: crate::event::Events
/// [`Poll::poll`]: crate::Poll::poll
/// [`Registry::deregister`]: crate::Registry::deregister
/// [`Registry::register`]: crate::Registry::register
#[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token(pub usize);

impl From<Token> for usize {
    #[inline]
    fn from(token: Token) -> usize {
        token.0
    }
}
