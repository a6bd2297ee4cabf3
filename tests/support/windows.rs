//! Named pipes, objects that can be waited for, and the handles of this process.
#![allow(unsafe_code)]

use std::io::{ErrorKind, Read, Write};
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, OwnedHandle, RawHandle,
};
use std::process;
use std::ptr::{null, null_mut};
use std::sync::atomic::{AtomicUsize, Ordering};

use mio::windows::{NamedPipe, NamedPipeOptions};
use mio::{Events, Interest, Poll, Token};
use windows_sys::Win32::Foundation::{HANDLE, WAIT_OBJECT_0};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, GetProcAddress};
use windows_sys::Win32::System::Threading::{
    CreateEventW, CreateMutexW, CreateSemaphoreW, CreateWaitableTimerW, ReleaseSemaphore,
    ResetEvent, SetEvent, SetWaitableTimer, WaitForSingleObject,
};

#[path = "handles.rs"]
mod handles;
pub(crate) use handles::open_handles;

pub(crate) const BOTH: Interest = Interest::READABLE.add(Interest::WRITABLE);
pub(crate) const SERVER: Token = Token(10);
pub(crate) const CLIENT: Token = Token(11);

/// The name of a pipe that no other test uses.
pub(crate) fn pipe_name() -> String {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!(r"\\.\pipe\mio-test-{}-{number}", process::id())
}

/// A server and a client of it, registered nowhere.
pub(crate) fn pipe_pair(options: &NamedPipeOptions) -> (NamedPipe, NamedPipe) {
    let name = pipe_name();
    let server = options.server(&name).expect("a server");
    let client = options.client(&name).expect("a client");
    (server, client)
}

/// A server and a client, both registered for reading and writing.
pub(crate) struct Ends {
    pub(crate) poll: Poll,
    pub(crate) events: Events,
    pub(crate) server: NamedPipe,
    pub(crate) client: NamedPipe,
}

impl Ends {
    pub(crate) fn new() -> Ends {
        Ends::with(&NamedPipeOptions::new(), BOTH)
    }

    pub(crate) fn with(options: &NamedPipeOptions, interest: Interest) -> Ends {
        let (poll, events) = super::poll_and_events();
        let (mut server, mut client) = pipe_pair(options);
        let registry = poll.registry();
        let registered = registry.register(&mut server, SERVER, interest);
        registered.expect("a registered server");
        let registered = registry.register(&mut client, CLIENT, interest);
        registered.expect("a registered client");
        Ends {
            poll,
            events,
            server,
            client,
        }
    }

    /// Polls until the operation does not block.
    pub(crate) fn until<T>(
        &mut self,
        mut operation: impl FnMut(&mut Ends) -> std::io::Result<T>,
    ) -> std::io::Result<T> {
        let give_up_at = std::time::Instant::now() + super::HANG_GUARD;
        loop {
            match operation(self) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                result => return result,
            }
            assert!(std::time::Instant::now() < give_up_at, "it blocks for ever");
            let second = Some(std::time::Duration::from_secs(1));
            self.poll.poll(&mut self.events, second).expect("poll");
        }
    }

    /// Writes all of `bytes` to the client while the other end reads.
    pub(crate) fn through(&mut self, bytes: &[u8]) -> Vec<u8> {
        let (mut written, mut got) = (0, Vec::new());
        let mut buf = vec![0; 16 * 1024];
        while got.len() < bytes.len() {
            if written < bytes.len() {
                match self.server.write(&bytes[written..]) {
                    Ok(count) => written += count,
                    Err(error) => assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}"),
                }
            }
            match self.client.read(&mut buf) {
                Ok(count) => got.extend_from_slice(&buf[..count]),
                Err(error) => {
                    assert_eq!(error.kind(), ErrorKind::WouldBlock, "{error}");
                    self.poll.poll(&mut self.events, None).expect("poll");
                }
            }
        }
        got
    }
}

/// Whether this is not Windows.
pub(crate) fn is_wine() -> bool {
    let ntdll: Vec<u16> = "ntdll.dll\0".encode_utf16().collect();
    // SAFETY: the name ends with a NUL.
    let ntdll = unsafe { GetModuleHandleW(ntdll.as_ptr()) };
    // SAFETY: the module is part of every process, and the name ends with a NUL.
    unsafe { GetProcAddress(ntdll, b"wine_get_version\0".as_ptr()) }.is_some()
}

/// An object that can be waited for.
pub(crate) struct Object(OwnedHandle);

impl Object {
    fn made(handle: HANDLE) -> Object {
        assert!(!handle.is_null(), "{}", std::io::Error::last_os_error());
        // SAFETY: a call has just made it, for us alone.
        Object(unsafe { OwnedHandle::from_raw_handle(handle) })
    }

    pub(crate) fn auto_event() -> Object {
        // SAFETY: makes an event without a name.
        Object::made(unsafe { CreateEventW(null(), 0, 0, null()) })
    }

    pub(crate) fn manual_event() -> Object {
        // SAFETY: makes an event without a name.
        Object::made(unsafe { CreateEventW(null(), 1, 0, null()) })
    }

    pub(crate) fn semaphore() -> Object {
        // SAFETY: makes a semaphore without a name.
        Object::made(unsafe { CreateSemaphoreW(null(), 0, 100, null()) })
    }

    pub(crate) fn mutex() -> Object {
        // SAFETY: makes a mutex without a name.
        Object::made(unsafe { CreateMutexW(null(), 0, null()) })
    }

    /// One whose signal is taken by whoever waits.
    pub(crate) fn timer() -> Object {
        // SAFETY: makes a timer without a name.
        Object::made(unsafe { CreateWaitableTimerW(null(), 0, null()) })
    }

    pub(crate) fn set(&self) {
        // SAFETY: the handle is open.
        assert_ne!(unsafe { SetEvent(self.as_raw_handle()) }, 0);
    }

    pub(crate) fn reset(&self) {
        // SAFETY: the handle is open.
        assert_ne!(unsafe { ResetEvent(self.as_raw_handle()) }, 0);
    }

    pub(crate) fn release(&self, count: i32) {
        // SAFETY: the handle is open.
        let done = unsafe { ReleaseSemaphore(self.as_raw_handle(), count, null_mut()) };
        assert_ne!(done, 0);
    }

    pub(crate) fn set_due_at_once(&self) {
        let (timer, due) = (self.as_raw_handle(), -1);
        // SAFETY: the handle is open, and the time is only read.
        let done = unsafe { SetWaitableTimer(timer, &due, 0, None, null(), 0) };
        assert_ne!(done, 0);
    }

    /// Whether it is signalled; takes the signal if there is one to take.
    pub(crate) fn is_signalled(&self) -> bool {
        // SAFETY: the handle is open.
        unsafe { WaitForSingleObject(self.as_raw_handle(), 0) == WAIT_OBJECT_0 }
    }

    pub(crate) fn duplicate(&self) -> Object {
        Object(self.0.try_clone().expect("another handle"))
    }
}

impl AsHandle for Object {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.0.as_handle()
    }
}

impl AsRawHandle for Object {
    fn as_raw_handle(&self) -> RawHandle {
        self.0.as_raw_handle()
    }
}
