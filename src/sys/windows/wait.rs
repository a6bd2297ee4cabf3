//! Handles that can be waited for, brought to the port.
//!
//! There are two ways, in `kernel`: a *wait completion packet*, which the kernel
//! queues to a completion port when an object is signalled; and, where there is
//! none, a wait of the system's thread pool, whose callback posts a packet. Both
//! end once and are started anew; when, decides the machine in `state`.
//!
//! A source keeps no state, so that the queue finds a registration by the
//! handle's number. The registration has a handle of its own to the same object:
//! if the caller closes the other one, the wait goes on, and it is the caller
//! alone who can mistake a handle that gets the number next for this one.

#[allow(unsafe_code)]
mod kernel;
mod state;

use self::kernel::{Calls, Waiter};
use super::in_flight::{InFlight, Operation, Outcome};
use super::iocp::{Delivery, Port, Update};
use super::selector::Event;
use crate::interest::Interest;
use crate::sys::edges::{not_registered, registered_already};
use crate::token::Token;
use std::collections::hash_map::{Entry, HashMap};
use std::io;
use std::os::windows::io::{OwnedHandle, RawHandle};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

/// The handles that are registered with a queue, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Waits(Mutex<HashMap<usize, Arc<Watch>>>);

/// The registration of a handle.
#[derive(Debug)]
struct Watch {
    state: Mutex<state::Watch>,
    port: Weak<Port>,
    object: OwnedHandle,
    waiter: Waiter,
    wait: InFlight<Signalled>,
}

/// What a wait lends to the kernel.
struct Signalled {
    watch: Arc<Watch>,
}

impl Waits {
    pub(crate) fn register(
        &self,
        port: &Arc<Port>,
        handle: RawHandle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        self.register_with(Waiter::new, port, handle, token, interest)
    }

    fn register_with(
        &self,
        waiter: impl FnOnce() -> io::Result<Waiter>,
        port: &Arc<Port>,
        handle: RawHandle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let mut waits = self.lock();
        let Entry::Vacant(place) = waits.entry(handle as usize) else {
            return Err(registered_already());
        };
        let object = kernel::duplicate(handle)?;
        let stays = kernel::stays_signalled(&object)?;
        let watch = Arc::new(Watch {
            state: Mutex::new(state::Watch::new(stays)),
            port: Arc::downgrade(port),
            object,
            waiter: waiter()?,
            wait: InFlight::new(),
        });
        watch.with(port, |state, calls| state.register(calls, token, interest))?;
        place.insert(watch);
        Ok(())
    }

    pub(crate) fn reregister(
        &self,
        port: &Arc<Port>,
        handle: RawHandle,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let waits = self.lock();
        let watch = waits.get(&(handle as usize)).ok_or_else(not_registered)?;
        watch.with(port, |state, calls| state.register(calls, token, interest))
    }

    pub(crate) fn deregister(&self, port: &Arc<Port>, handle: RawHandle) -> io::Result<()> {
        let watch = self.lock().remove(&(handle as usize));
        let watch = watch.ok_or_else(not_registered)?;
        watch.with(port, |state, calls| state.deregister(calls));
        Ok(())
    }

    /// The queue is dropped: ends all waits. The packets that are late come soon.
    pub(super) fn end(&self, port: &Arc<Port>) {
        for (_, watch) in self.lock().drain() {
            watch.with(port, |state, calls| state.deregister(calls));
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<usize, Arc<Watch>>> {
        // A panic cannot leave it half changed.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    fn with<R>(
        self: &Arc<Self>,
        port: &Port,
        operate: impl FnOnce(&mut state::Watch, &mut Calls<'_>) -> R,
    ) -> R {
        let mut calls = Calls { watch: self, port };
        // A panic cannot leave it half changed.
        let state = self.state.lock();
        operate(
            &mut state.unwrap_or_else(PoisonError::into_inner),
            &mut calls,
        )
    }
}

impl Update for Watch {
    fn update(self: Arc<Self>, port: &Port) {
        self.with(port, |state, calls| state.look_again(calls));
    }
}

impl Operation for Signalled {
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>) {
        let watch = self.watch;
        let end = kernel::end_of(outcome);
        let told = watch.with(delivery.port, |state, calls| {
            calls.waited();
            state.ended(end)
        });
        if let Some(told) = told {
            delivery.event(Event::new(told.token, told.readiness));
            if told.again {
                delivery.update_later(watch);
            }
        }
    }
}

#[cfg(test)]
#[allow(unsafe_code)]
mod tests;
