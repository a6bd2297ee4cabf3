//! A poll that sleeps while others act.

use std::io::{self, Write};
use std::sync::mpsc;
use std::thread;

use mio::net::UnixStream;
use mio::{Events, Interest, Poll, Registry, Token, Waker};

use super::kernel;

/// A thread without faults that sleeps in the poll of a queue of its own.
pub(crate) struct Sleeper {
    thread: libc::pid_t,
    registry: Registry,
    waker: Waker,
    /// Always ready; its peer is kept.
    source: UnixStream,
    _peer: UnixStream,
    heard: mpsc::Receiver<Token>,
}

const WOKEN: Token = Token(1);
const READY: Token = Token(2);

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        let mut poll = Poll::new().unwrap();
        let registry = poll.registry().try_clone().unwrap();
        let waker = Waker::new(&registry, WOKEN).unwrap();
        let (mut source, mut peer) = UnixStream::pair().unwrap();
        peer.write_all(b"m").unwrap();
        registry
            .register(&mut source, READY, Interest::READABLE)
            .unwrap();
        let (tell, heard) = mpsc::channel();
        let (name, named) = mpsc::channel();
        thread::spawn(move || {
            name.send(kernel::thread_id()).unwrap();
            let mut events = Events::with_capacity(8);
            loop {
                poll.poll(&mut events, None).unwrap();
                for event in &events {
                    if tell.send(event.token()).is_err() {
                        return;
                    }
                }
            }
        });
        let thread = named.recv().unwrap();
        assert_eq!(heard.recv(), Ok(READY));
        Sleeper {
            thread,
            registry,
            waker,
            source,
            _peer: peer,
            heard,
        }
    }

    pub(crate) fn wake(&self) -> io::Result<()> {
        kernel::wait_until_polling(self.thread);
        self.waker.wake()?;
        assert_eq!(self.heard.recv(), Ok(WOKEN));
        Ok(())
    }

    pub(crate) fn change(&mut self) -> io::Result<()> {
        kernel::wait_until_polling(self.thread);
        self.registry
            .reregister(&mut self.source, READY, Interest::READABLE)
    }

    /// After a change that perhaps nobody was told of, another one is heard of.
    pub(crate) fn change_again(&mut self) {
        self.change().unwrap();
        assert_eq!(self.heard.recv(), Ok(READY));
        // If the first was heard of as well, its event may still come.
        while self.heard.try_recv().is_ok() {}
    }
}
