//! As many sockets as the system grants, up to ten thousand: alone, for it takes them all.
#![cfg(all(windows, feature = "os-ext", feature = "net"))]

use std::time::Duration;

use mio::net::UdpSocket;
use mio::{Events, Interest, Poll, Token};

const SOCKETS: usize = 10_000;

#[test]
fn thousands_of_sockets_are_heard_once() {
    // Wine has a descriptor of Unix for each, and gives up early where these are few.
    let mut sockets: Vec<_> = (0..SOCKETS)
        .map_while(|_| UdpSocket::bind(([127, 0, 0, 1], 0).into()).ok())
        .collect();
    // The queue needs a handle for each 32 of them.
    sockets.truncate(sockets.len() - sockets.len() / 16);
    println!("{} sockets", sockets.len());
    assert!(sockets.len() > 200);

    // One-shot, since cancelling takes Wine a look at all operations there are.
    let mut poll = Poll::new().unwrap();
    for (token, socket) in sockets.iter_mut().enumerate() {
        poll.registry()
            .register(socket, Token(token), Interest::WRITABLE.oneshot())
            .unwrap();
    }
    for capacity in [1024, 2 * SOCKETS] {
        let mut events = Events::with_capacity(capacity);
        let mut seen = vec![0; sockets.len()];
        // A poll leaves room unused only when nothing more is ready.
        for _ in 0..sockets.len().div_ceil(capacity) {
            poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
            events.iter().for_each(|event| seen[event.token().0] += 1);
        }
        let wrong: Vec<_> = seen.iter().filter(|&&times| times != 1).collect();
        assert!(wrong.is_empty(), "capacity {capacity}: {wrong:?}");
        poll.poll(&mut events, Some(Duration::ZERO)).unwrap();
        assert!(events.is_empty());
        for (token, socket) in sockets.iter_mut().enumerate() {
            poll.registry()
                .reregister(socket, Token(token), Interest::WRITABLE.oneshot())
                .unwrap();
        }
    }
}
