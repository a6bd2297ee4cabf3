//! A thread that sleeps in the poll while the test does something else.

use std::io;
use std::sync::mpsc::{channel, Receiver, Sender};
use std::thread;
use std::time::Duration;

use mio::{Events, Poll};

type Lent = (Poll, Events, Duration);
type Back = (Poll, Events, io::Result<()>);

/// The thread ends with this value.
#[derive(Debug)]
pub(crate) struct Sleeper {
    lent: Sender<Lent>,
    back: Receiver<Back>,
}

impl Sleeper {
    pub(crate) fn new() -> Sleeper {
        let (lend, lent) = channel::<Lent>();
        let (give, back) = channel();
        thread::spawn(move || {
            for (mut poll, mut events, timeout) in lent {
                let result = poll.poll(&mut events, Some(timeout));
                if give.send((poll, events, result)).is_err() {
                    return;
                }
            }
        });
        Sleeper { lent: lend, back }
    }

    pub(crate) fn lend(&self, poll: Poll, events: Events, timeout: Duration) {
        let lent = self.lent.send((poll, events, timeout));
        lent.expect("the thread lives");
    }

    /// The queue, and what the poll gave.
    pub(crate) fn wait(&self) -> Back {
        self.back.recv().expect("the poll did not panic")
    }
}
