//! Named pipes: their operations, started and brought to the port.
//!
//! What a pipe does next, and what it reports, decides the machine in `state`.
//! Here are the calls that it asks for, and the way of an ended operation back
//! to it. Each of the four kinds of packets has a place of its own in
//! [`Shared`]: connect, read, write, and the one that is posted.
//!
//! Everything happens under the lock of the machine, the start of an operation
//! included. So an operation that ends on the polling thread before its start
//! has returned waits until the machine knows of the start.
//!
//! # Who keeps what alive
//!
//! An operation lends an `Arc` of [`Shared`] to the kernel, so that the machine
//! outlives it. A write lends the handle as well: dropping a pipe closes it only
//! once its last write has reached the other end. Reads do not, so that a peer
//! sees the close at once. The queue is kept alive by the pipe, and not by
//! `Shared`: else an operation in flight would keep the queue that it is in
//! flight in.

#[allow(unsafe_code)]
mod kernel;
mod state;

use self::kernel::Calls;
pub(crate) use self::kernel::{create, open, Instance};
use super::in_flight::{InFlight, Operation, Outcome};
use super::iocp::{Delivery, LeftBehind, Port, Update};
use super::selector::Event;
use crate::interest::Interest;
use crate::sys::edges::{not_registered, registered_already, registered_elsewhere};
use crate::sys::Queue;
use crate::token::Token;
use std::fmt;
use std::io::{self, ErrorKind, IoSlice, IoSliceMut};
use std::os::windows::io::{AsHandle, BorrowedHandle, OwnedHandle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// One end of a named pipe.
pub(crate) struct Pipe {
    shared: Arc<Shared>,
    handle: Arc<kernel::Handle>,
    /// Set by the first registration, and for good, as the kernel has it. After
    /// the others: dropping the last owner of a queue ends what is in flight.
    queue: Option<Arc<Queue>>,
}

/// What an operation that has ended finds again.
#[derive(Debug)]
struct Shared {
    state: Mutex<state::Pipe>,
    handle: Weak<kernel::Handle>,
    connect: InFlight<Connected>,
    read: InFlight<Received>,
    write: InFlight<Sent>,
    posted: InFlight<Posted>,
}

/// What a connect lends to the kernel.
struct Connected {
    shared: Arc<Shared>,
}

/// What a read lends to the kernel.
struct Received {
    shared: Arc<Shared>,
    buf: Vec<u8>,
}

/// What a write lends to the kernel.
struct Sent {
    shared: Arc<Shared>,
    /// Closed after the write, if the pipe was dropped.
    handle: Arc<kernel::Handle>,
    buf: Vec<u8>,
    /// How much had gone before.
    sent: usize,
}

/// What a packet without an operation carries.
struct Posted {
    shared: Arc<Shared>,
}

impl Pipe {
    /// Takes a handle that was opened for overlapped operations.
    pub(crate) fn new(handle: OwnedHandle) -> Pipe {
        let kind = kernel::kind_of(handle.as_handle());
        let handle = Arc::new(kernel::Handle::new(handle));
        let shared = Arc::new(Shared {
            state: Mutex::new(state::Pipe::new(kind)),
            handle: Arc::downgrade(&handle),
            connect: InFlight::new(),
            read: InFlight::new(),
            write: InFlight::new(),
            posted: InFlight::new(),
        });
        Pipe {
            shared,
            handle,
            queue: None,
        }
    }

    pub(crate) fn register(
        &mut self,
        queue: &Arc<Queue>,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        match &self.queue {
            Some(with) if Arc::ptr_eq(with, queue) => {}
            Some(_) => return Err(registered_elsewhere()),
            None => {
                queue.selector().port().associate(self.as_handle())?;
                self.queue = Some(Arc::clone(queue));
            }
        }
        self.with(queue, |pipe, calls| {
            if pipe.is_registered() {
                return Err(registered_already());
            }
            pipe.register(calls, token, interest)
        })
    }

    pub(crate) fn reregister(
        &mut self,
        queue: &Arc<Queue>,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.registered(queue, |pipe, calls| pipe.register(calls, token, interest))
    }

    pub(crate) fn deregister(&mut self, queue: &Arc<Queue>) -> io::Result<()> {
        self.registered(queue, |pipe, calls| {
            pipe.deregister(calls);
            Ok(())
        })
    }

    /// Waits for a client.
    pub(crate) fn connect(&self) -> io::Result<()> {
        let queue = self.queue.as_ref().ok_or_else(not_registered)?;
        self.with(queue, |pipe, calls| pipe.connect(calls))
    }

    /// Throws the client out.
    pub(crate) fn disconnect(&self) -> io::Result<()> {
        match &self.queue {
            Some(queue) => self.with(queue, |pipe, calls| pipe.disconnect(calls)),
            // Nothing of ours can be under way.
            None => self.handle.disconnect(),
        }
    }

    pub(crate) fn take_error(&self) -> Option<io::Error> {
        self.shared.lock().take_error()
    }

    pub(crate) fn read(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let queue = self.associated()?;
        self.with(queue, |pipe, calls| pipe.read(calls, bufs))
    }

    pub(crate) fn write(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let queue = self.associated()?;
        self.with(queue, |pipe, calls| pipe.write(calls, bufs))
    }

    /// What was accepted is on its way already; tells if that failed.
    pub(crate) fn flush(&self) -> io::Result<()> {
        let failed = self.shared.lock().take_write_error();
        failed.map_or(Ok(()), Err)
    }

    /// Gives the handle away, before the pipe is dropped. What is being read is
    /// cancelled; what is being written goes on while the handle is open.
    pub(crate) fn give_away(&self) -> OwnedHandle {
        self.close();
        // Under the lock: a completion must not use a handle of somebody else.
        let state = self.shared.lock();
        if state.is_writing() {
            // It keeps a handle of its own, by which it can be cancelled.
            match self.as_handle().try_clone_to_owned() {
                Ok(handle) => return handle,
                Err(_) => self.handle.cancel(&self.shared.write),
            }
        }
        self.handle.give_away()
    }

    /// The owner is gone: ends what is being read or waited for, and leaves a
    /// write behind.
    pub(crate) fn close(&self) {
        let Some(queue) = &self.queue else {
            return; // Nothing was ever started.
        };
        let writes = self.with(queue, |pipe, calls| {
            pipe.close(calls);
            pipe.is_writing()
        });
        if writes {
            let shared: Weak<Shared> = Arc::downgrade(&self.shared);
            queue.selector().port().leave_behind(shared);
        }
    }

    /// The queue. Until there is one, operations would block, since nobody could
    /// tell that they have ended.
    fn associated(&self) -> io::Result<&Arc<Queue>> {
        let queue = self.queue.as_ref();
        queue.ok_or_else(|| ErrorKind::WouldBlock.into())
    }

    /// Changes a registration, if it is one with `queue`.
    fn registered(
        &self,
        queue: &Arc<Queue>,
        change: impl FnOnce(&mut state::Pipe, &mut Calls<'_>) -> io::Result<()>,
    ) -> io::Result<()> {
        match &self.queue {
            Some(with) if Arc::ptr_eq(with, queue) => {}
            Some(_) => return Err(registered_elsewhere()),
            None => return Err(not_registered()),
        }
        self.with(queue, |pipe, calls| {
            if pipe.is_registered() {
                change(pipe, calls)
            } else {
                Err(not_registered())
            }
        })
    }

    fn with<R>(
        &self,
        queue: &Queue,
        operate: impl FnOnce(&mut state::Pipe, &mut Calls<'_>) -> R,
    ) -> R {
        let mut calls = Calls {
            shared: &self.shared,
            port: queue.selector().port(),
        };
        operate(&mut self.shared.lock(), &mut calls)
    }
}

impl AsHandle for Pipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl fmt::Debug for Pipe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, state::Pipe> {
        // A panic cannot leave it half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A packet was dequeued: accounts for it, and delivers what it tells.
    fn dequeued(
        self: Arc<Self>,
        delivery: &mut Delivery<'_>,
        account: impl FnOnce(&mut state::Pipe, &mut Calls<'_>),
    ) {
        let mut state = self.lock();
        let mut calls = Calls {
            shared: &self,
            port: delivery.port,
        };
        account(&mut state, &mut calls);
        let told = state.take_event();
        drop(state);
        if let Some(told) = told {
            delivery.event(Event::new(told.token, told.readiness));
            if told.again {
                delivery.update_later(self);
            }
        }
    }
}

impl Update for Shared {
    fn update(self: Arc<Self>, port: &Port) {
        let mut calls = Calls {
            shared: &self,
            port,
        };
        self.lock().look_again(&mut calls);
    }
}

impl LeftBehind for Shared {
    fn cancel(&self) {
        if let Some(handle) = self.handle.upgrade() {
            handle.cancel(&self.write);
        }
    }
}

impl Operation for Connected {
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>) {
        let end = kernel::end_of_connect(outcome);
        self.shared
            .dequeued(delivery, |pipe, calls| pipe.connect_ended(calls, end));
    }
}

impl Operation for Received {
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>) {
        let Received { shared, buf } = self;
        let end = kernel::end_of_read(outcome);
        shared.dequeued(delivery, |pipe, calls| pipe.read_ended(calls, buf, end));
    }
}

impl Operation for Sent {
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>) {
        let Sent {
            shared,
            handle,
            buf,
            sent,
        } = self;
        let end = kernel::end_of_write(outcome);
        shared.dequeued(delivery, |pipe, calls| {
            pipe.write_ended(calls, buf, sent, end);
        });
        // Closed here, if the pipe was dropped and this was its last write.
        drop(handle);
    }
}

impl Operation for Posted {
    fn complete(self, _: Outcome, delivery: &mut Delivery<'_>) {
        self.shared
            .dequeued(delivery, |pipe, _| pipe.posted_arrived());
    }
}
