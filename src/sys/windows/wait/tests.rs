//! Wait completion packets, which Wine 8 lacks, made of waits of the thread pool:
//! so that the way over them is run here, too.

use super::super::selector::Selector;
use super::kernel::Packets;
use super::*;
use crate::sys::{Backend, RawEvent};
use std::collections::BTreeMap;
use std::ffi::c_void;
use std::os::windows::io::{AsRawHandle, FromRawHandle};
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use windows_sys::Win32::Foundation::{
    HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, STATUS_CANCELLED, STATUS_INVALID_PARAMETER,
    STATUS_PENDING, STATUS_SUCCESS, WAIT_OBJECT_0,
};
use windows_sys::Win32::System::Threading::{
    CreateEventW, RegisterWaitForSingleObject, SetEvent, UnregisterWaitEx, WaitForSingleObject,
    INFINITE, WT_EXECUTEONLYONCE,
};
use windows_sys::Win32::System::IO::{PostQueuedCompletionStatus, OVERLAPPED};

const EMULATED: Packets = Packets {
    create,
    associate,
    cancel,
};

/// An association of a packet, and what its callback needs.
struct Association {
    wait: usize,
    what: &'static What,
}

/// Never freed: under Wine 8 a callback may run after its wait was unregistered.
struct What {
    port: usize,
    key: usize,
    context: usize,
    /// Either the callback has posted the packet, or nobody will.
    over: AtomicBool,
}

/// Those of all packets, by the packets' handles.
static ASSOCIATIONS: Mutex<BTreeMap<usize, Association>> = Mutex::new(BTreeMap::new());

impl Association {
    /// Whether it was signalled.
    fn end(self) -> bool {
        // SAFETY: it was registered, and is not used again.
        unsafe { UnregisterWaitEx(self.wait as HANDLE, INVALID_HANDLE_VALUE) };
        self.what.over.swap(true, Ordering::SeqCst)
    }
}

unsafe extern "system" fn create(packet: *mut HANDLE, _: u32, _: *const c_void) -> NTSTATUS {
    // SAFETY: makes an event, of which only the handle is used.
    let event = unsafe { CreateEventW(null(), 1, 0, null()) };
    // SAFETY: our caller gives a place.
    unsafe { *packet = event };
    STATUS_SUCCESS
}

unsafe extern "system" fn associate(
    packet: HANDLE,
    port: HANDLE,
    object: HANDLE,
    key: *mut c_void,
    context: *mut c_void,
    _: NTSTATUS,
    _: usize,
    _: *mut u8,
) -> NTSTATUS {
    let mut all = ASSOCIATIONS.lock().expect("associations");
    if let Some(old) = all.remove(&(packet as usize)) {
        if !old.end() {
            return STATUS_INVALID_PARAMETER;
        }
    }
    let what: &'static What = Box::leak(Box::new(What {
        port: port as usize,
        key: key as usize,
        context: context as usize,
        over: AtomicBool::new(false),
    }));
    let (mut wait, for_callback) = (null_mut(), std::ptr::addr_of!(*what).cast());
    // SAFETY: what the callback gets lives for ever.
    let done = unsafe {
        RegisterWaitForSingleObject(
            &mut wait,
            object,
            Some(signalled),
            for_callback,
            INFINITE,
            WT_EXECUTEONLYONCE,
        )
    };
    assert_ne!(done, 0);
    let wait = wait as usize;
    all.insert(packet as usize, Association { wait, what });
    STATUS_SUCCESS
}

unsafe extern "system" fn signalled(what: *mut c_void, _: bool) {
    // SAFETY: it lives for ever.
    let what = unsafe { &*what.cast::<What>() };
    if what.over.swap(true, Ordering::SeqCst) {
        return;
    }
    let context = what.context as *const OVERLAPPED;
    // SAFETY: the port is open while its packets are awaited.
    unsafe { PostQueuedCompletionStatus(what.port as HANDLE, 0, what.key, context) };
}

/// To remove a packet that is queued is to lose the signal that it took.
static REMOVALS: AtomicUsize = AtomicUsize::new(0);

unsafe extern "system" fn cancel(packet: HANDLE, remove: u8) -> NTSTATUS {
    REMOVALS.fetch_add(usize::from(remove), Ordering::SeqCst);
    let mut all = ASSOCIATIONS.lock().expect("associations");
    match all.remove(&(packet as usize)).map(Association::end) {
        // It is in the queue, from which this cannot take it.
        Some(true) => STATUS_PENDING,
        Some(false) => STATUS_SUCCESS,
        None => STATUS_CANCELLED,
    }
}

/// A queue that watches one auto-reset event.
struct World {
    selector: Selector,
    event: OwnedHandle,
}

impl World {
    fn new(interest: Interest) -> World {
        // SAFETY: makes an event without a name.
        let event = unsafe { CreateEventW(null(), 0, 0, null()) };
        let world = World {
            selector: Selector::new().expect("a queue"),
            // SAFETY: the call has just made it, for us alone.
            event: unsafe { OwnedHandle::from_raw_handle(event) },
        };
        world.register(Token(1), interest);
        world
    }

    fn register(&self, token: Token, interest: Interest) {
        let (waits, port) = (self.selector.waits(), self.selector.port());
        let (raw, waiter) = (self.event.as_raw_handle(), || Waiter::packet(EMULATED));
        let registered = waits.register_with(waiter, port, raw, token, interest);
        registered.expect("registered");
    }

    fn reregister(&self, token: Token, interest: Interest) {
        let (waits, port) = (self.selector.waits(), self.selector.port());
        let changed = waits.reregister(port, self.event.as_raw_handle(), token, interest);
        changed.expect("reregistered");
    }

    fn deregister(&self) {
        let (waits, port) = (self.selector.waits(), self.selector.port());
        let deregistered = waits.deregister(port, self.event.as_raw_handle());
        deregistered.expect("deregistered");
    }

    fn set(&self) {
        // SAFETY: the handle is open.
        assert_ne!(unsafe { SetEvent(self.event.as_raw_handle()) }, 0);
    }

    fn is_signalled(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.event.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    fn poll(&self, timeout: Duration) -> Vec<Token> {
        let mut events = Vec::with_capacity(8);
        let selected = self.selector.select(&mut events, 8, Some(timeout));
        selected.expect("poll");
        events.iter().map(RawEvent::token).collect()
    }

    fn wait_for(&self, token: Token) {
        let mut seen = Vec::new();
        while seen.is_empty() {
            seen = self.poll(Duration::from_secs(60));
        }
        assert_eq!(seen, [token]);
    }

    fn assert_silent(&self) {
        assert_eq!(self.poll(Duration::ZERO), []);
    }
}

#[test]
fn each_signal_is_told() {
    let world = World::new(Interest::READABLE);
    for number in 2..10 {
        world.assert_silent();
        world.set();
        world.wait_for(Token(number - 1));
        world.reregister(Token(number), Interest::READABLE);
    }
}

#[test]
fn what_is_signalled_before_is_told_as_well() {
    let world = World::new(Interest::WRITABLE);
    world.set();
    world.assert_silent();
    world.reregister(Token(2), Interest::READABLE);
    world.wait_for(Token(2));
    assert!(!world.is_signalled());
}

#[test]
fn a_wait_that_was_cancelled_takes_nothing() {
    let world = World::new(Interest::READABLE);
    for number in 2..6 {
        world.assert_silent();
        world.deregister();
        assert_eq!(
            world.selector.port().in_flight(),
            0,
            "nothing is left to come"
        );
        world.set();
        assert!(world.is_signalled());
        world.register(Token(number), Interest::READABLE);
    }
    world.set();
    world.wait_for(Token(5));
}

#[test]
fn a_signal_that_cannot_be_taken_back_is_kept() {
    let world = World::new(Interest::READABLE);
    world.set();
    // The callback takes it, now or soon.
    while world.is_signalled() {
        world.set();
        std::thread::yield_now();
    }
    world.reregister(Token(2), Interest::WRITABLE);
    world.assert_silent();
    world.reregister(Token(3), Interest::READABLE);
    world.set();
    world.wait_for(Token(3));
    assert_eq!(REMOVALS.load(Ordering::SeqCst), 0, "the kernel could");
}

#[test]
fn a_queue_is_dropped_with_waits_under_way() {
    for signalled in [false, true] {
        let world = World::new(Interest::READABLE);
        if signalled {
            world.set();
        }
        drop(world.selector);
    }
}
