//! Operations that the kernel has in hand, and the memory that it owns meanwhile.
//!
//! From its start until its completion is dequeued from the port (also if it was
//! cancelled) an operation's `OVERLAPPED`, and whatever else it reads or
//! writes, belong to the kernel. [`InFlight`] is the one type that lends memory
//! so: starting leaks an `Arc` of the block into the kernel's hands, and
//! dequeuing the completion regains it, once (or [`InFlight::take_back`], where it
//! is known that none will come). Nothing else may give the kernel
//! memory for longer than a call.
//!
//! Since the kernel hands back the very block, a completion reaches the state
//! that started it and no other: there is no token in a completion key, and no
//! number that could have been given to somebody else by now. That state decides
//! at that moment whether it is still registered, and under which token.

use super::iocp::{Delivery, Port};
use std::cell::UnsafeCell;
use std::fmt;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use windows_sys::Win32::Foundation::{NTSTATUS, STATUS_PENDING};
use windows_sys::Win32::System::IO::OVERLAPPED;

/// What an operation has lent to the kernel: the buffers it works on, and the
/// `Arc` of whom it is for. It comes back at the end.
///
/// It does not move while it is lent.
pub(crate) trait Operation: Send + Sized + 'static {
    /// The operation is over. Runs on the thread that polls, inside `select`,
    /// which holds no lock; may start the next operation.
    ///
    /// At most one event may be delivered: there is room for one a packet.
    fn complete(self, outcome: Outcome, delivery: &mut Delivery<'_>);
}

/// How an operation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Outcome {
    /// Negative for a failure.
    pub(crate) status: NTSTATUS,
    /// How many bytes were transferred.
    pub(crate) bytes: usize,
}

/// A place for one operation at a time, made once and used again and again.
pub(crate) struct InFlight<M: Operation>(Arc<Block<M>>);

/// What the kernel knows the address of.
#[repr(C)]
struct Block<M> {
    header: Header,
    /// Whether the kernel has it.
    lent: AtomicBool,
    memory: UnsafeCell<Option<M>>,
}

/// The part of a block that is the same for every kind of operation. It comes
/// first, as does the `OVERLAPPED` in it: the three have one address.
#[repr(C)]
pub(super) struct Header {
    overlapped: UnsafeCell<OVERLAPPED>,
    /// Knows the kind.
    complete: unsafe fn(*const Header, &mut Delivery<'_>),
}

// SAFETY: `overlapped` and `memory` are only touched by whoever set `lent`, and
// by whoever dequeued the completion, one after the other; `M` is `Send`.
unsafe impl<M: Send> Send for Block<M> {}
// SAFETY: as above.
unsafe impl<M: Send> Sync for Block<M> {}

impl<M: Operation> InFlight<M> {
    pub(crate) fn new() -> InFlight<M> {
        InFlight(Arc::new(Block {
            header: Header {
                overlapped: UnsafeCell::new(OVERLAPPED::default()),
                complete: complete::<M>,
            },
            lent: AtomicBool::new(false),
            memory: UnsafeCell::new(None),
        }))
    }

    /// Lends the memory and starts an operation by `begin`, which gets what the
    /// call needs. If that fails, or the last operation is still under way, the
    /// memory comes back with the error.
    ///
    /// The completion may run on the polling thread before this returns.
    ///
    /// # Safety
    ///
    /// If `begin` returns `Ok`, then exactly one packet with the given
    /// `OVERLAPPED` and the key [`Port::OPERATION`] comes to `port`, and until then
    /// the kernel alone uses the memory. If it returns an error, no packet
    /// comes. (A call that completes at once counts as started: a handle of ours
    /// never skips the port.)
    pub(crate) unsafe fn start(
        &self,
        port: &Port,
        memory: M,
        begin: impl FnOnce(*mut OVERLAPPED, *mut M) -> io::Result<()>,
    ) -> Result<(), (io::Error, M)> {
        if self.0.lent.swap(true, Ordering::Acquire) {
            let text = "the last operation is still under way";
            return Err((io::Error::new(io::ErrorKind::WouldBlock, text), memory));
        }
        let overlapped = OVERLAPPED {
            Internal: STATUS_PENDING as usize,
            ..OVERLAPPED::default()
        };
        // SAFETY: `lent` was not set, so that nobody else uses them.
        unsafe { *self.0.header.overlapped.get() = overlapped };
        // SAFETY: as above.
        let memory: *mut M = unsafe { (*self.0.memory.get()).insert(memory) };
        // Leaked, until the packet is dequeued.
        std::mem::forget(Arc::clone(&self.0));
        port.operation_begins();
        match begin(self.overlapped().cast_mut(), memory) {
            Ok(()) => Ok(()),
            Err(err) => {
                // SAFETY: it did not start, so that no packet comes.
                match unsafe { self.take_back(port) } {
                    Some(memory) => Err((err, memory)),
                    // It was put there above, and nobody could take it.
                    None => unreachable!("the memory of an operation that did not start"),
                }
            }
        }
    }

    /// Takes the memory back of an operation whose packet will not come. There is some.
    ///
    /// # Safety
    ///
    /// It was lent to the kernel, which has let go of it, and its packet has not been
    /// dequeued, nor will be.
    pub(crate) unsafe fn take_back(&self, port: &Port) -> Option<M> {
        port.operation_ended();
        // SAFETY: this is what `start` leaked, and our caller guarantees that
        // nobody else regains it.
        let block = unsafe { Arc::from_raw(Arc::as_ptr(&self.0)) };
        block.regain()
    }

    /// Brings `outcome` to `memory` through the port, as if the kernel had
    /// completed an operation: for what is found out elsewhere and belongs into
    /// an event. It fails only while the last operation is still under way.
    pub(crate) fn post(
        &self,
        port: &Port,
        memory: M,
        outcome: Outcome,
    ) -> Result<(), (io::Error, M)> {
        let begin = |overlapped: *mut OVERLAPPED, _| {
            // SAFETY: it points to our block, which is lent to this call.
            unsafe { (*overlapped).Internal = outcome.status as usize };
            // SAFETY: as above.
            unsafe { (*overlapped).InternalHigh = outcome.bytes };
            port.post_operation(overlapped);
            Ok(())
        };
        // SAFETY: a posted packet comes back exactly once, and the kernel does
        // not look at what it points to.
        unsafe { self.start(port, memory, begin) }
    }

    /// By which the kernel knows the operation, to cancel it.
    pub(crate) fn overlapped(&self) -> *const OVERLAPPED {
        // The block begins with it.
        Arc::as_ptr(&self.0).cast()
    }
}

impl<M> Block<M> {
    /// Ends the loan. Only for whoever holds the `Arc` that was leaked.
    fn regain(&self) -> Option<M> {
        // SAFETY: the kernel has given the block back, and `lent` still keeps
        // others out.
        let memory = unsafe { (*self.memory.get()).take() };
        self.lent.store(false, Ordering::Release);
        memory
    }
}

impl<M: Operation> fmt::Debug for InFlight<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lent = self.0.lent.load(Ordering::Relaxed);
        f.write_str(if lent { "in flight" } else { "idle" })
    }
}

/// Regains a block whose packet was dequeued, and tells its operation.
///
/// # Safety
///
/// `overlapped` comes from a packet with the key [`Port::OPERATION`], and the
/// packet was not given to this before.
pub(super) unsafe fn completed(overlapped: *const OVERLAPPED, delivery: &mut Delivery<'_>) {
    let header: *const Header = overlapped.cast();
    // SAFETY: such packets point to headers, of blocks that are kept alive by
    // what `start` leaked.
    let complete = unsafe { (*header).complete };
    // SAFETY: our caller guarantees that this is the first time.
    unsafe { complete(header, delivery) }
}

/// # Safety
///
/// As for `completed`, and `header` is that of a `Block<M>`.
unsafe fn complete<M: Operation>(header: *const Header, delivery: &mut Delivery<'_>) {
    // SAFETY: this is what `start` leaked, and it is regained once.
    let block = unsafe { Arc::from_raw(header.cast::<Block<M>>()) };
    // SAFETY: the kernel is done with it, and `lent` keeps others out.
    let overlapped = unsafe { *block.header.overlapped.get() };
    let outcome = Outcome {
        status: overlapped.Internal as NTSTATUS,
        bytes: overlapped.InternalHigh,
    };
    if let Some(memory) = block.regain() {
        memory.complete(outcome, delivery);
    }
}
