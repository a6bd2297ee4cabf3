//! The calls to AFD, the driver of sockets.
//!
//! A *helper* is a handle of the driver itself: polls of sockets are requests to
//! it, and complete at the port that it is associated with. The driver looks
//! through all pending polls of a helper whenever one of their sockets changes,
//! so that a helper serves a few sockets only.

use super::in_flight::{InFlight, Operation};
use super::iocp::Port;
use super::sock::End;
use super::RawSource;
use std::fmt;
use std::io;
use std::os::windows::io::{AsHandle, AsRawHandle, FromRawHandle, OwnedHandle};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use windows_sys::Wdk::Foundation::OBJECT_ATTRIBUTES;
use windows_sys::Wdk::Storage::FileSystem::{NtCreateFile, FILE_OPEN};
use windows_sys::Wdk::System::IO::NtDeviceIoControlFile;
use windows_sys::Win32::Foundation::{
    RtlNtStatusToDosError, ERROR_NOT_FOUND, HANDLE, NTSTATUS, STATUS_CANCELLED,
    STATUS_INVALID_HANDLE, STATUS_OBJECT_TYPE_MISMATCH, STATUS_SUCCESS, UNICODE_STRING,
};
use windows_sys::Win32::Networking::WinSock::{
    WSAGetLastError, WSAIoctl, SIO_BASE_HANDLE, SIO_BSP_HANDLE, SIO_BSP_HANDLE_POLL,
    SIO_BSP_HANDLE_SELECT, SOCKET_ERROR,
};
use windows_sys::Win32::Storage::FileSystem::{
    SetFileCompletionNotificationModes, FILE_SHARE_READ, FILE_SHARE_WRITE, SYNCHRONIZE,
};
use windows_sys::Win32::System::IO::{CancelIoEx, IO_STATUS_BLOCK, OVERLAPPED};

/// How many sockets a helper serves.
const SOCKETS_A_HELPER: usize = 32;

const IOCTL_AFD_POLL: u32 = 0x0001_2024;
/// A device that skips the event on completion is spared the kernel's work.
const FILE_SKIP_SET_EVENT_ON_HANDLE: u8 = 2;

/// What a poll asks and answers: the driver's own struct, for one socket.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct PollInfo {
    timeout: i64,
    number_of_handles: u32,
    exclusive: u32,
    handle: HANDLE,
    events: u32,
    status: NTSTATUS,
}

// SAFETY: the handle is a number to us.
unsafe impl Send for PollInfo {}

impl PollInfo {
    /// Asks for `mask`, without a timeout.
    pub(super) fn new(base: RawSource, mask: u32) -> PollInfo {
        PollInfo {
            timeout: i64::MAX,
            number_of_handles: 1,
            exclusive: 0,
            handle: base as usize as HANDLE,
            events: mask,
            status: 0,
        }
    }

    /// What a poll that ended with `status` tells. One that failed, or was
    /// cancelled, has not touched the answer.
    pub(super) fn end(&self, status: NTSTATUS) -> End {
        match status {
            STATUS_CANCELLED => End::Cancelled,
            // Also if the number means something else by now.
            STATUS_INVALID_HANDLE | STATUS_OBJECT_TYPE_MISMATCH => End::Closed,
            failed if failed < 0 => End::Failed,
            _ if self.number_of_handles == 0 => End::Reported(0),
            _ => End::Reported(self.events),
        }
    }
}

/// A handle of the driver.
#[derive(Debug)]
pub(super) struct Helper {
    handle: OwnedHandle,
}

impl Helper {
    fn new(port: &Port) -> io::Result<Helper> {
        let handle = open_device()?;
        port.associate(handle.as_handle())?;
        let raw = handle.as_raw_handle();
        // SAFETY: the handle is open. A driver that does not know the mode still
        // works.
        unsafe { SetFileCompletionNotificationModes(raw, FILE_SKIP_SET_EVENT_ON_HANDLE) };
        Ok(Helper { handle })
    }

    /// Starts a poll; its completion comes to the port in any case that is no
    /// error. `info` finds the driver's struct in the memory that is lent.
    pub(super) fn poll<M: Operation>(
        &self,
        port: &Port,
        operation: &InFlight<M>,
        memory: M,
        info: impl FnOnce(*mut M) -> *mut PollInfo,
    ) -> Result<(), (Failure, M)> {
        let mut failure = Failure(STATUS_SUCCESS);
        let begin = |overlapped: *mut OVERLAPPED, memory: *mut M| {
            let status = self.poll_raw(overlapped, info(memory));
            failure = Failure(status);
            if is_refused(status) {
                Err(io::ErrorKind::Other.into())
            } else {
                Ok(())
            }
        };
        // SAFETY: the helper is associated with the port, and so a request that
        // the driver took, also if it completed at once, sends one packet.
        let started = unsafe { operation.start(port, memory, begin) };
        started.map_err(|(err, memory)| {
            if failure.0 == STATUS_SUCCESS {
                error!("starting a poll of a socket: {err}");
            }
            (failure, memory)
        })
    }

    fn poll_raw(&self, overlapped: *mut OVERLAPPED, info: *mut PollInfo) -> NTSTATUS {
        const SIZE: u32 = std::mem::size_of::<PollInfo>() as u32;
        let none = std::ptr::null_mut();
        // An OVERLAPPED begins with a status block.
        let status: *mut IO_STATUS_BLOCK = overlapped.cast();
        let (helper, info) = (self.handle.as_raw_handle(), info.cast());
        // SAFETY: both pointers are into memory that is lent to the kernel until
        // the completion is dequeued.
        unsafe {
            NtDeviceIoControlFile(
                helper,
                none,
                None,
                overlapped.cast(),
                status,
                IOCTL_AFD_POLL,
                info,
                SIZE,
                info,
                SIZE,
            )
        }
    }

    /// Cancels a poll. One that is completing already is none to cancel.
    pub(super) fn cancel<M: Operation>(&self, operation: &InFlight<M>) -> io::Result<()> {
        let overlapped = operation.overlapped();
        // SAFETY: the address only names the request; it is not looked at.
        if unsafe { CancelIoEx(self.handle.as_raw_handle(), overlapped) } != 0 {
            return Ok(());
        }
        let err = io::Error::last_os_error();
        if err.raw_os_error() == Some(ERROR_NOT_FOUND as i32) {
            Ok(())
        } else {
            Err(err)
        }
    }
}

/// Whether a request that was answered at once brings no packet. The kernel says so by
/// errors alone, the topmost two bits set: what ends with a warning has ended, and a packet
/// tells it.
fn is_refused(status: NTSTATUS) -> bool {
    status as u32 >> 30 == 3
}

/// Why a poll could not be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Failure(pub(super) NTSTATUS);

/// Opens the driver. The last part of the name is free.
fn open_device() -> io::Result<OwnedHandle> {
    const NAME: &[u8] = br"\Device\Afd\mio";
    let mut name: [u16; NAME.len()] = [0; NAME.len()];
    for (to, from) in name.iter_mut().zip(NAME) {
        *to = u16::from(*from);
    }
    let length = std::mem::size_of_val(&name) as u16;
    let name = UNICODE_STRING {
        Length: length,
        MaximumLength: length,
        Buffer: name.as_mut_ptr(),
    };
    let attributes = OBJECT_ATTRIBUTES {
        Length: std::mem::size_of::<OBJECT_ATTRIBUTES>() as u32,
        ObjectName: &name,
        ..Default::default()
    };
    let mut handle: HANDLE = std::ptr::null_mut();
    let mut status = IO_STATUS_BLOCK::default();
    let share = FILE_SHARE_READ | FILE_SHARE_WRITE;
    let none = std::ptr::null();
    // SAFETY: all pointers are to locals, and the call keeps none of them.
    let result = unsafe {
        NtCreateFile(
            &mut handle,
            SYNCHRONIZE,
            &attributes,
            &mut status,
            none,
            0,
            share,
            FILE_OPEN,
            0,
            none.cast(),
            0,
        )
    };
    if result != STATUS_SUCCESS {
        return Err(error_of(result));
    }
    // SAFETY: the call has just made it, for us alone.
    Ok(unsafe { OwnedHandle::from_raw_handle(handle) })
}

/// The error that the rest of the system has for a status.
pub(super) fn error_of(status: NTSTATUS) -> io::Error {
    // SAFETY: takes any number.
    let code = unsafe { RtlNtStatusToDosError(status) };
    io::Error::from_raw_os_error(code as i32)
}

/// The helpers of a queue, and how many places each has left.
#[derive(Debug, Default)]
pub(super) struct Helpers(Arc<Mutex<Vec<Place>>>);

/// A helper that is not full.
type Place = (Weak<Helper>, usize);

/// A socket's place at a helper, given back when dropped.
#[derive(Debug)]
pub(super) struct Seat {
    helper: Arc<Helper>,
    free: Arc<Mutex<Vec<Place>>>,
}

impl Helpers {
    /// A place at a helper that has one, else at a new helper.
    pub(super) fn seat(&self, port: &Port) -> io::Result<Seat> {
        let mut free = lock(&self.0);
        while let Some((helper, left)) = free.last_mut() {
            let helper = helper.upgrade();
            *left -= 1;
            if *left == 0 || helper.is_none() {
                free.pop();
            }
            if let Some(helper) = helper {
                let free = Arc::clone(&self.0);
                return Ok(Seat { helper, free });
            }
        }
        let helper = Arc::new(Helper::new(port)?);
        free.push((Arc::downgrade(&helper), SOCKETS_A_HELPER - 1));
        let free = Arc::clone(&self.0);
        Ok(Seat { helper, free })
    }
}

impl Seat {
    pub(super) fn helper(&self) -> &Helper {
        &self.helper
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut free = lock(&self.free);
        let ours = |(helper, _): &Place| std::ptr::eq(helper.as_ptr(), &*self.helper);
        match free.iter().position(ours) {
            Some(at) => free[at].1 += 1,
            // It was full.
            None => free.push((Arc::downgrade(&self.helper), 1)),
        }
    }
}

fn lock(free: &Mutex<Vec<Place>>) -> std::sync::MutexGuard<'_, Vec<Place>> {
    // A panic cannot leave it half changed.
    free.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        error_of(self.0).fmt(f)
    }
}

/// The socket at the bottom of a stack of providers: the one that the driver
/// knows.
pub(super) fn base_socket(socket: RawSource) -> io::Result<RawSource> {
    find_base(socket, ask)
}

/// A layered provider may refuse the first question; then one of the others may
/// tell the next layer, which is asked in turn, and is the best there is if it
/// refuses, too. (A layer must not hand out itself.) When all fail it is the first
/// error that counts: for what is no socket, it says so.
fn find_base(
    socket: RawSource,
    ask: impl Fn(RawSource, u32) -> io::Result<RawSource>,
) -> io::Result<RawSource> {
    let error = match ask(socket, SIO_BASE_HANDLE) {
        Ok(base) => return Ok(base),
        Err(error) => error,
    };
    let mut below = None;
    for question in [SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL, SIO_BSP_HANDLE] {
        match ask(socket, question) {
            Ok(next) if next != socket => {
                if let Ok(base) = ask(next, SIO_BASE_HANDLE) {
                    return Ok(base);
                }
                below = below.or(Some(next));
            }
            _ => {}
        }
    }
    below.ok_or(error)
}

fn ask(socket: RawSource, question: u32) -> io::Result<RawSource> {
    let mut answer: RawSource = 0;
    let size = std::mem::size_of::<RawSource>() as u32;
    let into: *mut RawSource = &mut answer;
    let mut written = 0;
    // SAFETY: the call writes at most `size` bytes to `answer`, and is not
    // overlapped.
    let result = unsafe {
        WSAIoctl(
            socket as _,
            question,
            std::ptr::null(),
            0,
            into.cast(),
            size,
            &mut written,
            std::ptr::null_mut(),
            None,
        )
    };
    if result == SOCKET_ERROR {
        // SAFETY: reads a number of this thread's.
        Err(io::Error::from_raw_os_error(unsafe { WSAGetLastError() }))
    } else {
        Ok(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a provider answers; what it does not, it refuses with the question.
    type Answers = [((RawSource, u32), RawSource)];

    fn base_of_one(answers: &Answers) -> Result<RawSource, u32> {
        let found = find_base(1, |socket, question| {
            let answer = answers
                .iter()
                .find(|(asked, _)| *asked == (socket, question));
            let refused = || io::Error::from_raw_os_error(question as i32);
            answer.map(|(_, answer)| *answer).ok_or_else(refused)
        });
        found.map_err(|error| error.raw_os_error().unwrap() as u32)
    }

    #[test]
    fn the_base_of_a_stack_of_providers() {
        let (base, select, poll) = (SIO_BASE_HANDLE, SIO_BSP_HANDLE_SELECT, SIO_BSP_HANDLE_POLL);
        assert_eq!(base_of_one(&[((1, base), 7)]), Ok(7));
        assert_eq!(base_of_one(&[]), Err(base), "the first error");
        assert_eq!(base_of_one(&[((1, select), 2), ((2, base), 7)]), Ok(7));
        assert_eq!(
            base_of_one(&[((1, select), 1)]),
            Err(base),
            "it hands out itself"
        );
        let second = [((1, select), 2), ((1, poll), 3), ((3, base), 7)];
        assert_eq!(base_of_one(&second), Ok(7));
        let refuses = [((1, select), 2), ((1, poll), 3)];
        assert_eq!(base_of_one(&refuses), Ok(2), "the best there is");
    }
}
