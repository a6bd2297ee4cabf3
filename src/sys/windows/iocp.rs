//! The completion port: the one thing that the poller sleeps on.
//!
//! Three kinds of packets come out of it, told apart by the *completion key*,
//! which is a small constant and never something of the caller's:
//!
//! | key | what the packet is | leads to |
//! |---|---|---|
//! | [`Port::OPERATION`] | an operation that was started, or posted, through [`InFlight`](super::in_flight::InFlight) has ended | [`Operation::complete`](super::in_flight::Operation::complete), which may deliver one event |
//! | [`Port::WAKE`] | a waker interrupts | nothing: that a waker was woken stands in a word of its own |
//! | anything else | not ours | nothing |
//!
//! # How another kind of source joins
//!
//! A source whose readiness is the end of an operation (a pipe, a wait for a
//! handle) does four things:
//!
//! 1. It gets the port of a queue by `Selector::port`, and associates its handle,
//!    for good, by [`Port::associate`].
//! 2. It starts operations by `InFlight::start`. What the operation needs goes
//!    into its [`Operation`](super::in_flight::Operation): buffers, and an `Arc`
//!    of the source's state. What it finds out at once, it posts by
//!    `InFlight::post`, so that there is one path to an event.
//! 3. In `Operation::complete` it looks, under its own lock, whether the source
//!    is registered at this moment, and delivers an event with the token that it
//!    has at this moment. A source that was deregistered is silent.
//! 4. What must happen before the next sleep, such as reporting a level again,
//!    it queues by [`Delivery::update_later`], once.
//!
//! A packet that the kernel has no memory for is kept here, and told by the next wait
//! as if it had come out of the port: what was posted is late at worst, and never
//! silent. (It cannot end a sleep, but neither could anything else that needs a packet.)
//!
//! When the queue is dropped, the `Selector` waits until nothing is in flight.
//! Before, it cancels what sources have left behind: a source that leaves an
//! operation in flight when it is dropped (a write that shall still reach its
//! reader) says so by [`Port::leave_behind`].

use super::in_flight;
use super::selector::Event;
use super::updates::Updates;
use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::os::windows::io::{AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use windows_sys::Win32::Foundation::{INVALID_HANDLE_VALUE, WAIT_TIMEOUT};
use windows_sys::Win32::System::IO::{
    CreateIoCompletionPort, GetQueuedCompletionStatusEx, PostQueuedCompletionStatus, OVERLAPPED,
    OVERLAPPED_ENTRY,
};

/// How many packets one call takes from the port.
pub(super) const BATCH: usize = 128;

/// A completion port.
pub(crate) struct Port {
    handle: OwnedHandle,
    /// How many operations were started whose packets were not dequeued.
    in_flight: AtomicUsize,
    /// Whether a wake packet is in the port: one is enough.
    woken: AtomicBool,
    kept: Kept,
    left_behind: Mutex<Vec<Weak<dyn LeftBehind>>>,
}

/// The packets of operations that could not be posted.
#[derive(Default)]
struct Kept {
    /// Whether there are any, so that a wait takes no lock to see that there are none.
    any: AtomicBool,
    packets: Mutex<Vec<AtomicPtr<OVERLAPPED>>>,
}

impl Kept {
    fn push(&self, overlapped: *const OVERLAPPED) {
        let mut packets = self.lock();
        packets.push(AtomicPtr::new(overlapped.cast_mut()));
        self.any.store(true, Ordering::Release);
    }

    /// Moves packets to `entries`, as many as there is room for. How many.
    fn take(&self, entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>]) -> usize {
        if !self.any.load(Ordering::Acquire) {
            return 0;
        }
        let mut packets = self.lock();
        let count = entries.len().min(packets.len());
        for (entry, packet) in entries.iter_mut().zip(packets.drain(..count)) {
            entry.write(OVERLAPPED_ENTRY {
                lpCompletionKey: Port::OPERATION,
                lpOverlapped: packet.into_inner(),
                ..OVERLAPPED_ENTRY::default()
            });
        }
        self.any.store(!packets.is_empty(), Ordering::Release);
        count
    }

    fn lock(&self) -> MutexGuard<'_, Vec<AtomicPtr<OVERLAPPED>>> {
        // A panic cannot leave it half changed.
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A source that is gone, but for an operation that is still in flight.
pub(crate) trait LeftBehind: Send + Sync {
    /// The queue is dropped: nobody will dequeue the packet. Cancels the
    /// operation.
    fn cancel(&self);
}

/// A source that has something to do before the poller sleeps.
pub(crate) trait Update: fmt::Debug + Send + Sync {
    /// Does it. No lock of the queue is held.
    fn update(self: Arc<Self>, port: &Port);
}

/// What a completion may do: see the module's documentation.
pub(crate) struct Delivery<'a> {
    events: &'a mut Vec<Event>,
    pub(crate) port: &'a Port,
    updates: &'a Updates<Arc<dyn Update>>,
}

impl Delivery<'_> {
    /// Delivers an event.
    pub(crate) fn event(&mut self, event: Event) {
        self.events.push(event);
    }

    /// Has `source` updated before the poller next sleeps. Each source must see
    /// to it that it is queued once.
    pub(crate) fn update_later(&mut self, source: Arc<dyn Update>) {
        // The poller is awake, since it is this very thread.
        self.updates.push(source);
    }
}

impl Port {
    /// The key of operations.
    pub(crate) const OPERATION: usize = 1;
    /// The key of wake packets.
    const WAKE: usize = 2;

    pub(super) fn new() -> io::Result<Port> {
        let none = std::ptr::null_mut();
        // SAFETY: makes a port, without a handle to associate.
        let handle = unsafe { CreateIoCompletionPort(INVALID_HANDLE_VALUE, none, 0, 0) };
        if handle.is_null() {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: the call has just made it, for us alone.
        let handle = unsafe { OwnedHandle::from_raw_handle(handle) };
        Ok(Port::over(handle))
    }

    fn over(handle: OwnedHandle) -> Port {
        Port {
            handle,
            in_flight: AtomicUsize::new(0),
            woken: AtomicBool::new(false),
            kept: Kept::default(),
            left_behind: Mutex::new(Vec::new()),
        }
    }

    /// Has the completions of a handle's operations come here, for good: a
    /// handle has one port all its life.
    pub(crate) fn associate(&self, handle: BorrowedHandle<'_>) -> io::Result<()> {
        let (handle, port) = (handle.as_raw_handle(), self.handle.as_raw_handle());
        // SAFETY: both are open, the one borrowed, the other owned.
        let result = unsafe { CreateIoCompletionPort(handle, port, Port::OPERATION, 0) };
        if result.is_null() {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    /// Remembers a source that is dropped with an operation in flight.
    pub(crate) fn leave_behind(&self, source: Weak<dyn LeftBehind>) {
        let mut left = self.lock_left_behind();
        left.retain(|source| source.strong_count() > 0);
        left.push(source);
    }

    /// Cancels what was left behind.
    pub(super) fn cancel_left_behind(&self) {
        let left = std::mem::take(&mut *self.lock_left_behind());
        for source in left.iter().filter_map(Weak::upgrade) {
            source.cancel();
        }
    }

    fn lock_left_behind(&self) -> MutexGuard<'_, Vec<Weak<dyn LeftBehind>>> {
        // A panic cannot leave it half changed.
        let left = self.left_behind.lock();
        left.unwrap_or_else(PoisonError::into_inner)
    }

    /// Interrupts the poller, now or at its next sleep.
    pub(super) fn wake(&self) -> io::Result<()> {
        if self.woken.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        let posted = self.post(Port::WAKE, std::ptr::null());
        if posted.is_err() {
            self.woken.store(false, Ordering::Release);
        }
        posted
    }

    /// Brings the packet of an operation to the poller. If the kernel does not take it,
    /// the next wait finds it all the same.
    pub(super) fn post_operation(&self, overlapped: *const OVERLAPPED) {
        if self.post(Port::OPERATION, overlapped).is_err() {
            self.kept.push(overlapped);
            // Should there be memory again, a poller that sleeps need not sleep on. Who
            // woke it knows that without asking.
            let _ = self.wake();
        }
    }

    fn post(&self, key: usize, overlapped: *const OVERLAPPED) -> io::Result<()> {
        let port = self.handle.as_raw_handle();
        // SAFETY: the port is open; the kernel only stores the pointer.
        let done = unsafe { PostQueuedCompletionStatus(port, 0, key, overlapped) };
        if done == 0 {
            Err(io::Error::last_os_error())
        } else {
            Ok(())
        }
    }

    pub(super) fn operation_begins(&self) {
        self.in_flight.fetch_add(1, Ordering::AcqRel);
    }

    pub(super) fn operation_ended(&self) {
        self.in_flight.fetch_sub(1, Ordering::AcqRel);
    }

    /// How many operations' packets are still to come.
    pub(super) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Waits for packets, at most `room` of them, and tells their operations.
    /// How many packets there were.
    pub(super) fn wait(
        &self,
        updates: &Updates<Arc<dyn Update>>,
        events: &mut Vec<Event>,
        room: usize,
        timeout_ms: u32,
        awake: impl FnOnce(),
    ) -> io::Result<usize> {
        let mut entries = [MaybeUninit::<OVERLAPPED_ENTRY>::uninit(); BATCH];
        let taken = self.take(&mut entries[..room.min(BATCH)], timeout_ms);
        awake();
        let count = taken?;
        let mut delivery = Delivery {
            events,
            port: self,
            updates,
        };
        let written = entries.as_ptr().cast();
        // SAFETY: so many were written.
        let packets = unsafe { std::slice::from_raw_parts(written, count) };
        let mut batch = Batch {
            port: self,
            left: packets.iter(),
        };
        for entry in batch.left.by_ref() {
            match entry.lpCompletionKey {
                Port::OPERATION => {
                    self.operation_ended();
                    // SAFETY: only operations have this key, and the packet is
                    // out of the port for good.
                    unsafe { in_flight::completed(entry.lpOverlapped, &mut delivery) };
                }
                // Before the word of the wakers is read, which follows: a wake
                // that still finds the flag set is seen there.
                Port::WAKE => {
                    self.woken.swap(false, Ordering::AcqRel);
                }
                _ => {}
            }
        }
        Ok(count)
    }

    /// Takes packets: those that were kept, or else those of the kernel, for which it
    /// waits. How many were written, from the first on.
    fn take(
        &self,
        entries: &mut [MaybeUninit<OVERLAPPED_ENTRY>],
        timeout_ms: u32,
    ) -> io::Result<usize> {
        let kept = self.kept.take(entries);
        if kept > 0 {
            return Ok(kept);
        }
        let (asked, mut count) = (entries.len() as u32, 0);
        let port = self.handle.as_raw_handle();
        let into = entries.as_mut_ptr().cast();
        // SAFETY: the kernel writes at most `asked` entries, for which there is
        // room, and says how many.
        let done =
            unsafe { GetQueuedCompletionStatusEx(port, into, asked, &mut count, timeout_ms, 0) };
        if done != 0 {
            return Ok(count as usize);
        }
        let err = io::Error::last_os_error();
        if err.raw_os_error() == Some(WAIT_TIMEOUT as i32) {
            Ok(0)
        } else {
            Err(err)
        }
    }
}

/// The packets of a batch that were not told yet. When telling one of them ends with a
/// panic (of a logger of the caller's, say), the others go back: their operations must
/// not stay in flight for ever.
struct Batch<'a> {
    port: &'a Port,
    left: std::slice::Iter<'a, OVERLAPPED_ENTRY>,
}

impl Drop for Batch<'_> {
    fn drop(&mut self) {
        for entry in self.left.by_ref() {
            match entry.lpCompletionKey {
                Port::OPERATION => self.port.post_operation(entry.lpOverlapped),
                // It has done its work: this thread is awake.
                Port::WAKE => self.port.woken.store(false, Ordering::Release),
                _ => {}
            }
        }
    }
}

impl AsRawHandle for Port {
    fn as_raw_handle(&self) -> RawHandle {
        self.handle.as_raw_handle()
    }
}

impl fmt::Debug for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Port")
            .field("handle", &self.handle)
            .field("in_flight", &self.in_flight)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
