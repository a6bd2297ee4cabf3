//! The calls of waits for handles.
//!
//! | | where | how it ends sooner |
//! |---|---|---|
//! | wait completion packet | Windows 8 and later; looked up in ntdll, since no import library has it, nor has Wine 8 | [`NtCancelWaitCompletionPacket`], unless the packet is queued by then |
//! | wait of the thread pool | everywhere | `UnregisterWaitEx`, which waits for a callback that runs; if that has left the packet in the table, none comes |
//!
//! A wait that ended sooner brings no packet, and what it lent is taken back at once.
//!
//! [`NtCancelWaitCompletionPacket`]: https://learn.microsoft.com/windows/win32/devnotes/ntcancelwaitcompletionpacket

use super::super::in_flight::Outcome;
use super::super::iocp::Port;
use super::state::{End, Kernel};
use super::{Signalled, Watch};
use std::collections::BTreeMap;
use std::ffi::{c_void, CStr};
use std::os::windows::io::{AsRawHandle, FromRawHandle, OwnedHandle, RawHandle};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::{fmt, io, mem, ptr};
use windows_sys::Wdk::Foundation::{NtQueryObject, ObjectTypeInformation};
use windows_sys::Win32::Foundation::{
    DuplicateHandle, RtlNtStatusToDosError, HANDLE, INVALID_HANDLE_VALUE, NTSTATUS, STATUS_SUCCESS,
    STATUS_UNSUCCESSFUL,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Threading::{
    GetCurrentProcess, RegisterWaitForSingleObject, UnregisterWaitEx, INFINITE,
    SYNCHRONIZATION_SYNCHRONIZE, WT_EXECUTEONLYONCE,
};
use windows_sys::Win32::System::WindowsProgramming::PUBLIC_OBJECT_TYPE_INFORMATION;
use windows_sys::Win32::System::IO::OVERLAPPED;

/// What waits for an object.
pub(super) enum Waiter {
    /// A wait completion packet, and its calls.
    Packet(OwnedHandle, Packets),
    /// The thread pool, while it waits.
    Pool(Mutex<Option<PoolWait>>),
}

impl Waiter {
    pub(super) fn new() -> io::Result<Waiter> {
        match Packets::of_system() {
            Some(packets) => Waiter::packet(packets),
            None => Ok(Waiter::pool()),
        }
    }

    pub(super) fn packet(packets: Packets) -> io::Result<Waiter> {
        /// To wait with it, and to cancel that.
        const GENERIC_ALL: u32 = 0x1000_0000;
        let mut packet = ptr::null_mut();
        // SAFETY: the call writes to `packet` only; there are no attributes.
        check(unsafe { (packets.create)(&mut packet, GENERIC_ALL, ptr::null()) })?;
        // SAFETY: the call has just made it, for us alone.
        let packet = unsafe { OwnedHandle::from_raw_handle(packet) };
        Ok(Waiter::Packet(packet, packets))
    }

    pub(super) fn pool() -> Waiter {
        Waiter::Pool(Mutex::new(None))
    }
}

impl fmt::Debug for Waiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Waiter::Packet(..) => "wait completion packet",
            Waiter::Pool(_) => "thread pool",
        })
    }
}

/// The calls of wait completion packets.
#[derive(Clone, Copy)]
pub(super) struct Packets {
    pub(super) create: Create,
    pub(super) associate: Associate,
    pub(super) cancel: Cancel,
}

type Create = unsafe extern "system" fn(*mut HANDLE, u32, *const c_void) -> NTSTATUS;
type Associate = unsafe extern "system" fn(
    packet: HANDLE,
    port: HANDLE,
    object: HANDLE,
    key: *mut c_void,
    context: *mut c_void,
    status: NTSTATUS,
    information: usize,
    already_signalled: *mut u8,
) -> NTSTATUS;
type Cancel = unsafe extern "system" fn(packet: HANDLE, remove: u8) -> NTSTATUS;

impl Packets {
    /// Those of this system, if it has them.
    fn of_system() -> Option<Packets> {
        static FOUND: OnceLock<Option<Packets>> = OnceLock::new();
        *FOUND.get_or_init(Packets::look_up)
    }

    fn look_up() -> Option<Packets> {
        const NTDLL: [u16; 6] = [
            b'n' as u16,
            b't' as u16,
            b'd' as u16,
            b'l' as u16,
            b'l' as u16,
            0,
        ];
        // SAFETY: the name ends with a NUL; the module is in every process, for
        // good.
        let ntdll = unsafe { GetModuleHandleW(NTDLL.as_ptr()) };
        let find = |name: &CStr| {
            // SAFETY: as above; a handle that is null finds nothing.
            unsafe { GetProcAddress(ntdll, name.as_ptr().cast()) }
        };
        let name = |bytes: &'static [u8]| CStr::from_bytes_with_nul(bytes).ok();
        let create = find(name(b"NtCreateWaitCompletionPacket\0")?)?;
        let associate = find(name(b"NtAssociateWaitCompletionPacket\0")?)?;
        let cancel = find(name(b"NtCancelWaitCompletionPacket\0")?)?;
        // SAFETY: the system guarantees that this is the type of the function of
        // this name.
        let create =
            unsafe { mem::transmute::<unsafe extern "system" fn() -> isize, Create>(create) };
        // SAFETY: as above.
        let associate =
            unsafe { mem::transmute::<unsafe extern "system" fn() -> isize, Associate>(associate) };
        // SAFETY: as above.
        let cancel =
            unsafe { mem::transmute::<unsafe extern "system" fn() -> isize, Cancel>(cancel) };
        Some(Packets {
            create,
            associate,
            cancel,
        })
    }
}

/// A wait of the thread pool.
pub(super) struct PoolWait {
    wait: HANDLE,
    number: usize,
}

// SAFETY: a wait is no thread's own; its handle is only a name.
unsafe impl Send for PoolWait {}

/// What a callback posts.
struct Packet {
    port: Weak<Port>,
    overlapped: *const OVERLAPPED,
}

// SAFETY: the pointer is only passed on to the port.
unsafe impl Send for Packet {}

/// The packets of waits that go on, by the waits' numbers; the callback that takes one
/// out posts it. It gets a number and no pointer, because under Wine 8 it may still
/// run once `UnregisterWaitEx` has returned: then it finds nothing here.
static AWAITED: Mutex<BTreeMap<usize, Packet>> = Mutex::new(BTreeMap::new());

fn awaited() -> MutexGuard<'static, BTreeMap<usize, Packet>> {
    // A panic cannot leave it half changed.
    AWAITED.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PoolWait {
    fn start(watch: &Watch, overlapped: *const OVERLAPPED) -> io::Result<PoolWait> {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let port = Weak::clone(&watch.port);
        let packet = Packet { port, overlapped };
        awaited().insert(number, packet);
        let mut wait = ptr::null_mut();
        let (object, for_callback) = (watch.object.as_raw_handle(), number as *mut c_void);
        // In a thread of the pool, although the callback only posts a packet and the
        // thread that waits could do it: there Wine 8 counts a callback that it has
        // not queued, and to end the wait at that moment is a crash.
        let flags = WT_EXECUTEONLYONCE;
        // SAFETY: the object is open, and stays so until `end`; what the callback
        // gets is a number.
        let done = unsafe {
            RegisterWaitForSingleObject(
                &mut wait,
                object,
                Some(signalled),
                for_callback,
                INFINITE,
                flags,
            )
        };
        if done == 0 {
            let err = io::Error::last_os_error();
            awaited().remove(&number);
            return Err(err);
        }
        Ok(PoolWait { wait, number })
    }

    /// Ends the wait. False if its packet was posted.
    fn end(self) -> bool {
        // SAFETY: it was not unregistered before. This waits for the callback, so
        // that a signal which it has taken is not lost.
        let done = unsafe { UnregisterWaitEx(self.wait, INVALID_HANDLE_VALUE) };
        if done == 0 {
            let err = io::Error::last_os_error();
            error!("ending a wait for a handle: {err}");
        }
        awaited().remove(&self.number).is_some()
    }
}

/// The callback of a wait. It takes no lock that is held while `end` waits for it.
unsafe extern "system" fn signalled(number: *mut c_void, _timed_out: bool) {
    let number = number as usize;
    let Some(packet) = awaited().remove(&number) else {
        return;
    };
    if let Some(port) = packet.port.upgrade() {
        port.post_operation(packet.overlapped);
    }
}

/// The kernel, as the machine of one watch sees it.
pub(super) struct Calls<'a> {
    pub(super) watch: &'a Arc<Watch>,
    pub(super) port: &'a Port,
}

impl Calls<'_> {
    /// The packet of a wait was dequeued.
    pub(super) fn waited(&mut self) {
        if let Waiter::Pool(pool) = &self.watch.waiter {
            if let Some(wait) = take(pool) {
                wait.end();
            }
        }
    }
}

impl Kernel for Calls<'_> {
    fn wait(&mut self) -> io::Result<()> {
        let watch = self.watch;
        let begin = |overlapped: *mut OVERLAPPED, _| match &watch.waiter {
            Waiter::Packet(packet, packets) => {
                let (packet, port) = (packet.as_raw_handle(), self.port.as_raw_handle());
                let object = watch.object.as_raw_handle();
                let (key, context) = (Port::OPERATION as *mut c_void, overlapped.cast());
                // SAFETY: all three are open; the rest is only passed on.
                check(unsafe {
                    (packets.associate)(
                        packet,
                        port,
                        object,
                        key,
                        context,
                        STATUS_SUCCESS,
                        0,
                        ptr::null_mut(),
                    )
                })
            }
            Waiter::Pool(pool) => {
                let wait = PoolWait::start(watch, overlapped)?;
                *pool.lock().unwrap_or_else(PoisonError::into_inner) = Some(wait);
                Ok(())
            }
        };
        let signalled = Signalled {
            watch: Arc::clone(watch),
        };
        // SAFETY: once the object is signalled a packet with this key and pointer
        // is queued; if the wait ends before, `cancel` takes the memory back. Nobody
        // uses it meanwhile.
        let begun = unsafe { watch.wait.start(self.port, signalled, begin) };
        begun.map_err(|(err, _)| err)
    }

    fn post(&mut self, end: End) -> io::Result<()> {
        let status = match end {
            End::Signalled => STATUS_SUCCESS,
            End::Failed => STATUS_UNSUCCESSFUL,
        };
        let watch = Arc::clone(self.watch);
        let outcome = Outcome { status, bytes: 0 };
        let posted = self
            .watch
            .wait
            .post(self.port, Signalled { watch }, outcome);
        posted.map_err(|(err, _)| err)
    }

    fn cancel(&mut self) -> bool {
        let cancelled = match &self.watch.waiter {
            Waiter::Packet(packet, packets) => {
                // One that is queued stays there: what it took of the object (the signal
                // of an auto-reset event) would be lost with it.
                let keep_queued = 0;
                // SAFETY: the packet is open.
                let status = unsafe { (packets.cancel)(packet.as_raw_handle(), keep_queued) };
                // Otherwise it is on its way, or was dequeued by now.
                status == STATUS_SUCCESS
            }
            // Without a wait it is on its way, or was dequeued by now.
            Waiter::Pool(pool) => take(pool).is_some_and(PoolWait::end),
        };
        if cancelled {
            // SAFETY: the wait is over, and no packet comes of it.
            drop(unsafe { self.watch.wait.take_back(self.port) });
        }
        cancelled
    }
}

fn take(pool: &Mutex<Option<PoolWait>>) -> Option<PoolWait> {
    pool.lock().unwrap_or_else(PoisonError::into_inner).take()
}

fn check(status: NTSTATUS) -> io::Result<()> {
    if status >= 0 {
        return Ok(());
    }
    // SAFETY: a function of numbers.
    let code = unsafe { RtlNtStatusToDosError(status) };
    Err(io::Error::from_raw_os_error(code as i32))
}

pub(super) fn end_of(outcome: Outcome) -> End {
    match outcome.status {
        0.. => End::Signalled,
        _ => End::Failed,
    }
}

/// Another handle to the same object, not inherited, that can be waited for.
pub(super) fn duplicate(handle: RawHandle) -> io::Result<OwnedHandle> {
    // SAFETY: a name for this process, which is always open.
    let this = unsafe { GetCurrentProcess() };
    let (mut other, access) = (ptr::null_mut(), SYNCHRONIZATION_SYNCHRONIZE);
    // SAFETY: the call writes to `other` only; if the first handle is not open,
    // it fails.
    let done = unsafe { DuplicateHandle(this, handle, this, &mut other, access, 0, 0) };
    if done == 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the call has just made it, for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(other) })
}

/// Whether an object stays signalled for ever once it is. Mutexes are refused:
/// to wait for one is to own it, and the owner would be some thread.
pub(super) fn stays_signalled(object: &OwnedHandle) -> io::Result<bool> {
    let name = type_name(object)?;
    if name == "Mutant" {
        let text = "a mutex cannot be watched, since waiting for it takes it";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    Ok(["Process", "Thread", "Job"].contains(&&*name))
}

fn type_name(object: &OwnedHandle) -> io::Result<String> {
    // Names of types are short; the buffer is aligned for what is in it.
    let mut buf = [0u64; 128];
    let (handle, into) = (object.as_raw_handle(), buf.as_mut_ptr().cast());
    let (length, none) = (mem::size_of_val(&buf) as u32, ptr::null_mut());
    // SAFETY: the call writes at most `length` bytes.
    check(unsafe { NtQueryObject(handle, ObjectTypeInformation, into, length, none) })?;
    let information: *const PUBLIC_OBJECT_TYPE_INFORMATION = buf.as_ptr().cast();
    // SAFETY: the call has written one, and it is aligned.
    let name = unsafe { (*information).TypeName };
    if name.Buffer.is_null() {
        return Ok(String::new());
    }
    // SAFETY: the name is in the buffer, too.
    let name = unsafe { std::slice::from_raw_parts(name.Buffer, usize::from(name.Length / 2)) };
    Ok(String::from_utf16_lossy(name))
}
