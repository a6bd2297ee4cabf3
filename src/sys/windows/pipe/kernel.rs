//! The calls of named pipes.
//!
//! A call that succeeds at once brings a packet all the same, and so does one
//! that ends with a warning, as a message does that is longer than the buffer.
//! One that fails at once brings none: see [`GetQueuedCompletionStatus`].
//!
//! [`GetQueuedCompletionStatus`]: https://learn.microsoft.com/windows/win32/api/ioapiset/nf-ioapiset-getqueuedcompletionstatus

use super::super::in_flight::{InFlight, Operation, Outcome};
use super::super::iocp::Port;
use super::state::{Connecting, End, Kernel, Kind, What};
use super::{Connected, Posted, Received, Sent, Shared};
use std::fmt;
use std::io;
use std::mem::ManuallyDrop;
use std::os::windows::ffi::OsStrExt;
use std::os::windows::io::{AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle};
use std::path::Path;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::Arc;
use windows_sys::Win32::Foundation::{
    RtlNtStatusToDosError, ERROR_ACCESS_DENIED, ERROR_BROKEN_PIPE, ERROR_HANDLE_EOF,
    ERROR_IO_PENDING, ERROR_MORE_DATA, ERROR_NOT_FOUND, ERROR_NO_DATA, ERROR_OPERATION_ABORTED,
    ERROR_PIPE_BUSY, ERROR_PIPE_CONNECTED, ERROR_PIPE_LISTENING, HANDLE, INVALID_HANDLE_VALUE,
    STATUS_BUFFER_OVERFLOW,
};
use windows_sys::Win32::Storage::FileSystem::{
    CreateFileW, ReadFile, WriteFile, FILE_FLAG_OVERLAPPED, OPEN_EXISTING, SECURITY_IDENTIFICATION,
    SECURITY_SQOS_PRESENT,
};
use windows_sys::Win32::System::Pipes::{
    ConnectNamedPipe, CreateNamedPipeW, DisconnectNamedPipe, GetNamedPipeInfo,
    SetNamedPipeHandleState, PIPE_READMODE_MESSAGE, PIPE_SERVER_END, PIPE_TYPE_MESSAGE,
};
use windows_sys::Win32::System::IO::{CancelIoEx, OVERLAPPED};

/// What an operation ends with that was in flight when its handle was closed,
/// under Wine.
const STATUS_HANDLES_CLOSED: i32 = 0x8000_000A_u32 as i32;

/// The handle of a pipe, which can be given away while operations use it.
pub(super) struct Handle {
    handle: ManuallyDrop<OwnedHandle>,
    ours: AtomicBool,
}

impl Handle {
    pub(super) fn new(handle: OwnedHandle) -> Handle {
        Handle {
            handle: ManuallyDrop::new(handle),
            ours: AtomicBool::new(true),
        }
    }

    /// Gives the ownership away, once. The number is not used after that.
    pub(super) fn give_away(&self) -> OwnedHandle {
        let was_ours = self.ours.swap(false, Ordering::AcqRel);
        assert!(was_ours, "a handle is given away once");
        // SAFETY: it is open, and from now on ours no more.
        unsafe { OwnedHandle::from_raw_handle(self.raw()) }
    }

    pub(super) fn disconnect(&self) -> io::Result<()> {
        // SAFETY: the handle is open.
        match check(unsafe { DisconnectNamedPipe(self.raw()) }) {
            // Nobody was there. Only Wine says so: seen with 8.0.
            Err(err) if code_of(&err) == ERROR_PIPE_LISTENING => Ok(()),
            result => result,
        }
    }

    pub(super) fn cancel<M: Operation>(&self, operation: &InFlight<M>) {
        // SAFETY: the handle is open; the other is only compared.
        let done = unsafe { CancelIoEx(self.raw(), operation.overlapped()) };
        if let Err(err) = check(done) {
            // It has ended by now.
            if code_of(&err) != ERROR_NOT_FOUND {
                error!("cancelling an operation of a named pipe: {err}");
            }
        }
    }

    fn raw(&self) -> HANDLE {
        self.handle.as_raw_handle()
    }
}

impl AsHandle for Handle {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.handle.as_handle()
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.handle.fmt(f)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if *self.ours.get_mut() {
            // SAFETY: it is ours still, and not used after this.
            unsafe { ManuallyDrop::drop(&mut self.handle) };
        }
    }
}

/// The kernel, as the machine of one pipe sees it.
pub(super) struct Calls<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) port: &'a Port,
}

impl Calls<'_> {
    /// The handle, while it is open and ours.
    fn handle(&self) -> Option<Arc<Handle>> {
        let handle = self.shared.handle.upgrade()?;
        handle.ours.load(Ordering::Acquire).then_some(handle)
    }
}

impl Kernel for Calls<'_> {
    fn read(&mut self, buf: Vec<u8>) -> Result<(), (End, Vec<u8>)> {
        let Some(handle) = self.handle() else {
            return Err((End::Failed(gone()), buf));
        };
        let begin = |overlapped: *mut OVERLAPPED, received: *mut Received| {
            // SAFETY: it was lent to this call, and is not moved until the packet
            // comes.
            let buf = unsafe { &mut (*received).buf };
            let (start, len) = (buf.as_mut_ptr(), length(buf.len()));
            // SAFETY: the handle is open, and both pointers are lent to the
            // kernel until the packet comes.
            let done = unsafe { ReadFile(handle.raw(), start, len, ptr::null_mut(), overlapped) };
            started(done, ERROR_MORE_DATA)
        };
        let shared = Arc::clone(self.shared);
        let received = Received { shared, buf };
        // SAFETY: see the head of this file; the handle is associated, since
        // only then there is a port.
        let begun = unsafe { self.shared.read.start(self.port, received, begin) };
        begun.map_err(|(err, Received { buf, .. })| (end_of_reading(code_of(&err), 0), buf))
    }

    fn write(&mut self, buf: Vec<u8>, sent: usize) -> Result<(), (io::Error, Vec<u8>)> {
        let Some(handle) = self.handle() else {
            return Err((gone(), buf));
        };
        let raw = handle.raw();
        let begin = |overlapped: *mut OVERLAPPED, writing: *mut Sent| {
            // SAFETY: it was lent to this call, and is not moved until the packet
            // comes.
            let rest = unsafe { &(&(*writing).buf)[sent..] };
            let (start, len) = (rest.as_ptr(), length(rest.len()));
            // SAFETY: the handle is open, and both pointers are lent to the
            // kernel until the packet comes.
            let done = unsafe { WriteFile(raw, start, len, ptr::null_mut(), overlapped) };
            started(done, ERROR_IO_PENDING)
        };
        let writing = Sent {
            shared: Arc::clone(self.shared),
            handle,
            buf,
            sent,
        };
        // SAFETY: as in `read`.
        let begun = unsafe { self.shared.write.start(self.port, writing, begin) };
        begun.map_err(|(err, Sent { buf, .. })| (err, buf))
    }

    fn connect(&mut self) -> Connecting {
        let Some(handle) = self.handle() else {
            return Connecting::Failed(gone());
        };
        let begin = |overlapped: *mut OVERLAPPED, _| {
            // SAFETY: the handle is open, and the pointer is lent to the kernel
            // until the packet comes.
            let done = unsafe { ConnectNamedPipe(handle.raw(), overlapped) };
            started(done, ERROR_IO_PENDING)
        };
        let shared = Arc::clone(self.shared);
        // SAFETY: as in `read`.
        let begun = unsafe {
            self.shared
                .connect
                .start(self.port, Connected { shared }, begin)
        };
        match begun {
            Ok(()) => Connecting::Started,
            Err((err, _)) => match code_of(&err) {
                ERROR_PIPE_CONNECTED | ERROR_NO_DATA => Connecting::Connected,
                _ => Connecting::Failed(err),
            },
        }
    }

    fn disconnect(&mut self) -> io::Result<()> {
        self.handle().ok_or_else(gone)?.disconnect()
    }

    fn cancel(&mut self, what: What) {
        let Some(handle) = self.handle() else {
            return; // What was in flight ended when the handle was closed.
        };
        match what {
            What::Connect => handle.cancel(&self.shared.connect),
            What::Read => handle.cancel(&self.shared.read),
            What::Write => handle.cancel(&self.shared.write),
        }
    }

    fn post(&mut self) -> io::Result<()> {
        let shared = Arc::clone(self.shared);
        let nothing = Outcome {
            status: 0,
            bytes: 0,
        };
        let posted = Posted { shared };
        let result = self.shared.posted.post(self.port, posted, nothing);
        result.map_err(|(err, _)| err)
    }
}

/// Whether an operation has started, also one that has ended with `warning`.
fn started(done: i32, warning: u32) -> io::Result<()> {
    match check(done) {
        Err(err) if [ERROR_IO_PENDING, warning].contains(&code_of(&err)) => Ok(()),
        result => result,
    }
}

fn check(done: i32) -> io::Result<()> {
    if done == 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}

fn code_of(err: &io::Error) -> u32 {
    err.raw_os_error().unwrap_or_default() as u32
}

/// Buffers are far smaller than what a length can say, messages aside, of which
/// then a first part is a message.
fn length(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

fn gone() -> io::Error {
    io::Error::new(io::ErrorKind::NotConnected, "the pipe was given away")
}

/// The code of a failure, as the call would have returned it.
fn code_of_status(status: i32) -> u32 {
    match status {
        STATUS_HANDLES_CLOSED => ERROR_OPERATION_ABORTED,
        // SAFETY: a function of numbers.
        _ => unsafe { RtlNtStatusToDosError(status) },
    }
}

pub(super) fn end_of_read(outcome: Outcome) -> End {
    match outcome.status {
        // The message has more bytes; these are good.
        STATUS_BUFFER_OVERFLOW | 0.. => End::Bytes(outcome.bytes),
        status => end_of_reading(code_of_status(status), outcome.bytes),
    }
}

fn end_of_reading(code: u32, bytes: usize) -> End {
    match code {
        // The end, but not of what came before it.
        ERROR_BROKEN_PIPE | ERROR_HANDLE_EOF if bytes == 0 => End::Closed,
        ERROR_OPERATION_ABORTED if bytes == 0 => End::Cancelled,
        ERROR_PIPE_LISTENING => End::Listening,
        _ if bytes > 0 => End::Bytes(bytes),
        code => End::Failed(io::Error::from_raw_os_error(code as i32)),
    }
}

pub(super) fn end_of_write(outcome: Outcome) -> End {
    match outcome.status {
        0.. => End::Bytes(outcome.bytes),
        status => match code_of_status(status) {
            ERROR_OPERATION_ABORTED => End::Cancelled,
            code => End::Failed(io::Error::from_raw_os_error(code as i32)),
        },
    }
}

pub(super) fn end_of_connect(outcome: Outcome) -> End {
    match outcome.status {
        0.. => End::Bytes(0),
        status => match code_of_status(status) {
            ERROR_PIPE_CONNECTED | ERROR_NO_DATA => End::Bytes(0),
            ERROR_OPERATION_ABORTED => End::Cancelled,
            code => End::Failed(io::Error::from_raw_os_error(code as i32)),
        },
    }
}

pub(super) fn kind_of(handle: BorrowedHandle<'_>) -> Kind {
    let (mut flags, none) = (0, ptr::null_mut());
    // SAFETY: the handle is open, and the call writes to `flags` only.
    let done = unsafe { GetNamedPipeInfo(handle.as_raw_handle(), &mut flags, none, none, none) };
    kind_of_answer(check(done).map(|()| flags))
}

fn kind_of_answer(flags: io::Result<u32>) -> Kind {
    match flags {
        Ok(flags) => Kind {
            pipe: true,
            messages: flags & PIPE_TYPE_MESSAGE != 0,
            server: flags & PIPE_SERVER_END != 0,
        },
        // A server that only writes may not ask. If these are messages, to write a part of one is
        // to write another.
        Err(err) if code_of(&err) == ERROR_ACCESS_DENIED => Kind {
            pipe: true,
            messages: true,
            server: true,
        },
        Err(_) => Kind {
            pipe: false,
            messages: false,
            server: false,
        },
    }
}

/// How an instance of a pipe is made: arguments of `CreateNamedPipeW`.
#[derive(Debug)]
pub(crate) struct Instance {
    pub(crate) open_mode: u32,
    pub(crate) pipe_mode: u32,
    pub(crate) instances: u32,
    pub(crate) out_buffer: u32,
    pub(crate) in_buffer: u32,
}

/// Makes an instance of a pipe, for overlapped operations, not inherited.
pub(crate) fn create(name: &Path, instance: &Instance) -> io::Result<OwnedHandle> {
    let name = wide(name)?;
    let (open_mode, attributes) = (instance.open_mode | FILE_FLAG_OVERLAPPED, ptr::null());
    // SAFETY: the name ends with a NUL.
    let handle = unsafe {
        CreateNamedPipeW(
            name.as_ptr(),
            open_mode,
            instance.pipe_mode,
            instance.instances,
            instance.out_buffer,
            instance.in_buffer,
            0,
            attributes,
        )
    };
    owned(handle)
}

/// Opens the other end of a pipe, for overlapped operations, not inherited.
///
/// The server may learn who we are, and not act in our name.
pub(crate) fn open(name: &Path, access: u32, messages: bool) -> io::Result<OwnedHandle> {
    let name = wide(name)?;
    let (template, attributes) = (ptr::null_mut(), ptr::null());
    let flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION;
    // SAFETY: the name ends with a NUL.
    let handle = unsafe {
        CreateFileW(
            name.as_ptr(),
            access,
            0,
            attributes,
            OPEN_EXISTING,
            flags,
            template,
        )
    };
    let handle = owned(handle).map_err(|err| match code_of(&err) {
        ERROR_PIPE_BUSY => {
            let text = "all instances of the pipe have a client";
            io::Error::new(io::ErrorKind::WouldBlock, text)
        }
        _ => err,
    })?;
    if messages {
        let (raw, none) = (handle.as_raw_handle(), ptr::null());
        // SAFETY: the handle is open, and the mode is read only.
        check(unsafe { SetNamedPipeHandleState(raw, &PIPE_READMODE_MESSAGE, none, none) })?;
    }
    Ok(handle)
}

fn owned(handle: HANDLE) -> io::Result<OwnedHandle> {
    if handle == INVALID_HANDLE_VALUE {
        Err(io::Error::last_os_error())
    } else {
        // SAFETY: the call has just made it, for us alone.
        Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
    }
}

fn wide(name: &Path) -> io::Result<Vec<u16>> {
    let mut wide: Vec<u16> = name.as_os_str().encode_wide().collect();
    if wide.contains(&0) {
        let text = "the name of a pipe must not contain a NUL";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
    }
    wide.push(0);
    Ok(wide)
}

#[cfg(test)]
mod tests {
    use super::*;
    use windows_sys::Win32::Foundation::ERROR_INVALID_FUNCTION;

    #[test]
    fn who_may_not_ask_splits_no_message() {
        let kind = |answer| {
            let kind = kind_of_answer(answer);
            (kind.pipe, kind.messages, kind.server)
        };
        let error = |code| Err(io::Error::from_raw_os_error(code as i32));
        assert_eq!(kind(Ok(0)), (true, false, false));
        assert_eq!(kind(Ok(PIPE_TYPE_MESSAGE)), (true, true, false));
        assert_eq!(kind(Ok(PIPE_SERVER_END)), (true, false, true));
        assert_eq!(kind(error(ERROR_ACCESS_DENIED)), (true, true, true));
        let device = kind(error(ERROR_INVALID_FUNCTION));
        assert_eq!(device, (false, false, false));
    }
}
