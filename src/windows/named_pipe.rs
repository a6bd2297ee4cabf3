use std::ffi::OsStr;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::os::windows::io::{
    AsHandle, AsRawHandle, BorrowedHandle, FromRawHandle, IntoRawHandle, OwnedHandle, RawHandle,
};
use std::path::Path;

use windows_sys::Win32::Foundation::{GENERIC_READ, GENERIC_WRITE};
use windows_sys::Win32::Storage::FileSystem::{
    FILE_FLAG_FIRST_PIPE_INSTANCE, FILE_READ_ATTRIBUTES, FILE_WRITE_ATTRIBUTES,
    PIPE_ACCESS_INBOUND, PIPE_ACCESS_OUTBOUND,
};
use windows_sys::Win32::System::Pipes::{
    PIPE_READMODE_MESSAGE, PIPE_REJECT_REMOTE_CLIENTS, PIPE_TYPE_MESSAGE, PIPE_UNLIMITED_INSTANCES,
};

use crate::event;
use crate::sys::windows::pipe::{create, open, Instance, Pipe};
use crate::{Interest, Registry, Token};

/// One end of a named pipe.
///
/// A *server* makes an instance of a pipe and waits for a client with
/// [`connect`](NamedPipe::connect); a *client* opens the pipe by its name. After
/// that both are alike. [`NamedPipeOptions`] makes both; a handle that was
/// opened for overlapped operations can be taken over, too.
///
/// Reading, writing and connecting need a registration: Windows does not tell
/// whether a pipe is ready, only that an operation on it has ended, and only the
/// [`Poll`](crate::Poll) learns that. So this type does two things on its own:
///
/// * While it is registered with readable interest, it reads ahead. What it got
///   is what the next `read` returns; that there is something makes the pipe
///   readable. Without readable interest nothing is read, and nobody learns that
///   the other end is closed until a write fails.
/// * It copies what is written, and writes it behind the caller's back.
///
/// # Events
///
/// | event | means |
/// |---|---|
/// | readable | `read` has something to return: bytes, the end, or an error |
/// | read closed, write closed | of a client: the server is gone, and `read` returns what is left and then `Ok(0)` |
/// | writable | `write` accepts bytes; or a client has connected; or connecting failed |
/// | error | see [`take_error`](NamedPipe::take_error), or the next `read` or `write` |
///
/// That its client has left is told to a server by a readable event, and the `Ok(0)` of
/// `read`. It is not closed for that: after [`disconnect`](NamedPipe::disconnect) and
/// [`connect`](NamedPipe::connect) there may be another client, and who remembers that
/// a source is closed, as runtimes do, would take that one for gone.
///
/// # Writing
///
/// One write at a time is under way; until it has ended, `write` fails with
/// [`WouldBlock`](io::ErrorKind::WouldBlock). A write accepts at most 64 KiB,
/// but a message is accepted as a whole, however long, since half of one would
/// be another message. (A server that only writes may not ask Windows whether its pipe
/// has messages, and is taken to write them.) That a write which was accepted has failed
/// is an error event, and the result of the next `write` or `flush`.
///
/// Dropping the pipe does not take back what was accepted: it is written as long
/// as the `Poll` lives and somebody polls it, and only then is the handle
/// closed. Dropping the `Poll` ends it.
///
/// # Reading
///
/// What is read ahead is 4 KiB at first, and up to 64 KiB if there was always
/// more. A message that is longer comes in parts, as it does if the buffer
/// is too short; nothing is lost. An empty message reads as `Ok(0)`.
///
/// # One `Poll` for ever
///
/// Windows ties a handle to one completion port until it is closed. After the
/// first registration, a registration with another `Poll` fails with
/// [`AlreadyExists`](io::ErrorKind::AlreadyExists), also after
/// `deregister`. Until the first registration, `read` and `write` fail with
/// `WouldBlock`.
///
/// # Examples
///
/// ```
/// use mio::windows::{NamedPipe, NamedPipeOptions};
/// use mio::{Events, Interest, Poll, Token};
/// use std::io::{ErrorKind, Read, Write};
///
/// # fn main() -> std::io::Result<()> {
/// const SERVER: Token = Token(0);
/// const CLIENT: Token = Token(1);
/// let name = format!(r"\\.\pipe\mio-doc-{}", std::process::id());
///
/// let mut poll = Poll::new()?;
/// let mut events = Events::with_capacity(8);
/// let mut server = NamedPipe::new(&name)?;
/// poll.registry().register(&mut server, SERVER, Interest::READABLE)?;
/// match server.connect() {
///     // The end of waiting is a writable event, if that is asked for.
///     Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///     result => result?,
/// }
///
/// let mut client = NamedPipeOptions::new().client(&name)?;
/// poll.registry().register(&mut client, CLIENT, Interest::WRITABLE)?;
///
/// let mut received = Vec::new();
/// while received.is_empty() {
///     poll.poll(&mut events, None)?;
///     for event in &events {
///         match event.token() {
///             CLIENT if event.is_writable() => match client.write(b"through the pipe") {
///                 Err(error) if error.kind() == ErrorKind::WouldBlock => {}
///                 result => assert_eq!(result?, 16),
///             },
///             SERVER if event.is_readable() => {
///                 let mut buf = [0; 64];
///                 let length = server.read(&mut buf)?;
///                 received.extend_from_slice(&buf[..length]);
///             }
///             _ => {}
///         }
///     }
/// }
/// assert!(received.starts_with(b"through the pipe"));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct NamedPipe {
    inner: Pipe,
}

impl NamedPipe {
    /// Makes the first instance of a pipe, as a server.
    ///
    /// `name` has the form `\\.\pipe\name`. The pipe carries bytes in both
    /// directions; other processes may make more instances of it, and clients on
    /// other machines may connect. [`NamedPipeOptions`] makes others.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if there is a pipe of
    /// this name already; those of the operating system.
    pub fn new<A: AsRef<OsStr>>(name: A) -> io::Result<NamedPipe> {
        NamedPipeOptions::of_first().server(name.as_ref())
    }

    /// Waits for a client.
    ///
    /// `Ok` says that there is one. Otherwise the call fails with
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), and so it does until a client
    /// has connected; that is a *writable* event, after which `connect`
    /// succeeds. If waiting has failed, that is an event as well, and
    /// [`take_error`](NamedPipe::take_error) tells why. A client that has come and
    /// gone counts as one: reading returns the end.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if the pipe was never registered;
    /// those of the operating system, for example if this is a client.
    pub fn connect(&self) -> io::Result<()> {
        self.inner.connect()
    }

    /// Throws the client out, and forgets all bytes that have not arrived, in
    /// either direction.
    ///
    /// After that the server can wait for another client with
    /// [`connect`](NamedPipe::connect). Waiting that is under way ends.
    ///
    /// # Errors
    ///
    /// Those of the operating system, for example if this is a client.
    pub fn disconnect(&self) -> io::Result<()> {
        self.inner.disconnect()
    }

    /// Takes the error of what went on behind the caller's back, if there is one:
    /// of waiting for a client, or else of a write that was accepted.
    ///
    /// # Errors
    ///
    /// This never fails; the outer result is that of the same method of sockets.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(self.inner.take_error())
    }
}

impl event::Source for NamedPipe {
    fn register(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.inner.register(registry.queue(), token, interests)
    }

    fn reregister(
        &mut self,
        registry: &Registry,
        token: Token,
        interests: Interest,
    ) -> io::Result<()> {
        self.inner.reregister(registry.queue(), token, interests)
    }

    fn deregister(&mut self, registry: &Registry) -> io::Result<()> {
        self.inner.deregister(registry.queue())
    }
}

impl Read for NamedPipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        (&*self).read(buf)
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        (&*self).read_vectored(bufs)
    }
}

/// Std's slices of Windows hold no more, and panic.
const LARGEST_SLICE: usize = u32::MAX as usize;

impl Read for &NamedPipe {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(LARGEST_SLICE);
        self.read_vectored(&mut [IoSliceMut::new(&mut buf[..len])])
    }

    fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.inner.read(bufs)
    }
}

impl Write for NamedPipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        (&*self).write(buf)
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        (&*self).write_vectored(bufs)
    }

    /// Tells whether a write that was accepted has failed. It does not wait: a
    /// writable event tells that a write has ended.
    fn flush(&mut self) -> io::Result<()> {
        (&*self).flush()
    }
}

impl Write for &NamedPipe {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        let len = buf.len().min(LARGEST_SLICE);
        self.write_vectored(&[IoSlice::new(&buf[..len])])
    }

    fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.inner.write(bufs)
    }

    /// Tells whether a write that was accepted has failed. It does not wait: a
    /// writable event tells that a write has ended.
    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

impl AsHandle for NamedPipe {
    fn as_handle(&self) -> BorrowedHandle<'_> {
        self.inner.as_handle()
    }
}

impl AsRawHandle for NamedPipe {
    fn as_raw_handle(&self) -> RawHandle {
        self.as_handle().as_raw_handle()
    }
}

/// Ends what is being read or waited for; what is being written goes on.
impl Drop for NamedPipe {
    fn drop(&mut self) {
        self.inner.close();
    }
}

/// The handle is taken as it is. It must have been opened for overlapped
/// operations, be associated with no completion port, and not be set to skip it.
impl From<OwnedHandle> for NamedPipe {
    fn from(handle: OwnedHandle) -> NamedPipe {
        NamedPipe {
            inner: Pipe::new(handle),
        }
    }
}

/// The handle is taken as it is. It must have been opened for overlapped
/// operations, be associated with no completion port, and not be set to skip it.
#[allow(unsafe_code)]
impl FromRawHandle for NamedPipe {
    unsafe fn from_raw_handle(handle: RawHandle) -> NamedPipe {
        // SAFETY: our caller guarantees that the handle is open and gives up its
        // ownership.
        unsafe { OwnedHandle::from_raw_handle(handle) }.into()
    }
}

/// Ends the registration and gives the handle away.
///
/// The read that was going on ahead is cancelled. Bytes that were read already
/// and not yet returned by `read` are **lost**: to keep them, register without
/// readable interest first, and read until `WouldBlock`. What is being written
/// goes on for as long as the handle is open.
///
/// If the pipe was registered, the handle stays associated with the completion port
/// of its `Poll`, which takes every packet for one of its own. Until that `Poll` is
/// dropped nobody may start an operation on the handle that sends a packet: one
/// with an `OVERLAPPED` whose event has not its lowest bit set.
impl From<NamedPipe> for OwnedHandle {
    fn from(pipe: NamedPipe) -> OwnedHandle {
        pipe.inner.give_away()
    }
}

/// As the conversion to `OwnedHandle`: bytes that were read ahead are lost.
impl IntoRawHandle for NamedPipe {
    fn into_raw_handle(self) -> RawHandle {
        OwnedHandle::from(self).into_raw_handle()
    }
}

/// How a named pipe is made, or opened.
///
/// Without further options: a pipe of bytes in both directions, of which any
/// number of instances can be made, for clients on this machine.
///
/// # Examples
///
/// A server for two clients at a time, whose messages keep their bounds:
///
/// ```
/// use mio::windows::NamedPipeOptions;
/// use std::io::ErrorKind;
///
/// # fn main() -> std::io::Result<()> {
/// let name = format!(r"\\.\pipe\mio-doc-options-{}", std::process::id());
/// let mut options = NamedPipeOptions::new();
/// options.message_mode(true).instances(2);
/// let first = options.clone().first_instance(true).server(&name)?;
/// let second = options.server(&name)?;
///
/// let one = options.client(&name)?;
/// let other = options.client(&name)?;
/// let error = options.client(&name).unwrap_err();
/// assert_eq!(error.kind(), ErrorKind::WouldBlock);
/// # drop((first, second, one, other));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct NamedPipeOptions {
    read: bool,
    write: bool,
    message_mode: bool,
    first_instance: bool,
    reject_remote_clients: bool,
    instances: u32,
    in_buffer: u32,
    out_buffer: u32,
}

/// What Windows keeps ready for a direction: see `CreateNamedPipeW`.
const BUFFER: u32 = 64 * 1024;

impl NamedPipeOptions {
    /// The options that the type's documentation names.
    pub fn new() -> NamedPipeOptions {
        NamedPipeOptions {
            read: true,
            write: true,
            message_mode: false,
            first_instance: false,
            reject_remote_clients: true,
            instances: PIPE_UNLIMITED_INSTANCES,
            in_buffer: BUFFER,
            out_buffer: BUFFER,
        }
    }

    /// Those of `NamedPipe::new`, which are mio's: who is not the first to serve under
    /// the name must not believe it.
    fn of_first() -> NamedPipeOptions {
        NamedPipeOptions {
            first_instance: true,
            reject_remote_clients: false,
            ..NamedPipeOptions::new()
        }
    }

    /// Whether this end is read from: it is.
    pub fn read(&mut self, read: bool) -> &mut NamedPipeOptions {
        self.read = read;
        self
    }

    /// Whether this end is written to: it is.
    pub fn write(&mut self, write: bool) -> &mut NamedPipeOptions {
        self.write = write;
        self
    }

    /// Whether what one `write` wrote is kept together, as one message, of which a
    /// `read` returns no more than the rest: it is not.
    ///
    /// A server thus says so of the pipe, in both directions; it must be the
    /// same for all instances. A client says that it wants to read so.
    pub fn message_mode(&mut self, messages: bool) -> &mut NamedPipeOptions {
        self.message_mode = messages;
        self
    }

    /// Whether a server must be the first one of its name, and else
    /// [`server`](NamedPipeOptions::server) fails: it need not.
    ///
    /// A server that wants to be sure that nobody else serves under its name asks
    /// for this at its first instance.
    pub fn first_instance(&mut self, first: bool) -> &mut NamedPipeOptions {
        self.first_instance = first;
        self
    }

    /// How many instances of the pipe there can be: from 1 to 254, or any number,
    /// which is 255. All instances must say the same.
    ///
    /// # Panics
    ///
    /// If the number is another one.
    pub fn instances(&mut self, instances: usize) -> &mut NamedPipeOptions {
        assert!(
            (1..=PIPE_UNLIMITED_INSTANCES as usize).contains(&instances),
            "a pipe has 1 to 254 instances, or 255 for any number"
        );
        self.instances = instances as u32;
        self
    }

    /// How many bytes Windows keeps for the server until it reads them: 64 KiB.
    pub fn in_buffer_size(&mut self, bytes: u32) -> &mut NamedPipeOptions {
        self.in_buffer = bytes;
        self
    }

    /// How many bytes Windows keeps for the client until it reads them: 64 KiB.
    pub fn out_buffer_size(&mut self, bytes: u32) -> &mut NamedPipeOptions {
        self.out_buffer = bytes;
        self
    }

    /// Whether only clients on this machine can connect: only they can.
    pub fn reject_remote_clients(&mut self, reject: bool) -> &mut NamedPipeOptions {
        self.reject_remote_clients = reject;
        self
    }

    /// Makes an instance of a pipe, as a server, with a name of the form
    /// `\\.\pipe\name`.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the name contains a NUL,
    /// or if it is neither read from nor written to;
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if it is not the first
    /// instance and should be; those of the operating system.
    pub fn server<A: AsRef<OsStr>>(&self, name: A) -> io::Result<NamedPipe> {
        self.check()?;
        Ok(create(Path::new(name.as_ref()), &self.instance())?.into())
    }

    fn instance(&self) -> Instance {
        let on = |set: bool, flag: u32| if set { flag } else { 0 };
        let messages = PIPE_TYPE_MESSAGE | PIPE_READMODE_MESSAGE;
        Instance {
            open_mode: on(self.read, PIPE_ACCESS_INBOUND)
                | on(self.write, PIPE_ACCESS_OUTBOUND)
                | on(self.first_instance, FILE_FLAG_FIRST_PIPE_INSTANCE),
            pipe_mode: on(self.message_mode, messages)
                | on(self.reject_remote_clients, PIPE_REJECT_REMOTE_CLIENTS),
            instances: self.instances,
            out_buffer: self.out_buffer,
            in_buffer: self.in_buffer,
        }
    }

    /// Opens a pipe as a client, of whose options only `read`, `write` and
    /// `message_mode` matter.
    ///
    /// The server may find out who the client is, but not act in its name
    /// (`SECURITY_IDENTIFICATION`).
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if all instances have a client
    /// (Windows calls it `ERROR_PIPE_BUSY`): try again later; there is no event
    /// for it. [`NotFound`](io::ErrorKind::NotFound) if there is no instance.
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) as for
    /// [`server`](NamedPipeOptions::server). Those of the operating system.
    pub fn client<A: AsRef<OsStr>>(&self, name: A) -> io::Result<NamedPipe> {
        self.check()?;
        let on = |set: bool, flag: u32| if set { flag } else { 0 };
        // Who may only write could not ask whether the pipe has messages, and who
        // may only read could not ask for them.
        let access = on(self.read, GENERIC_READ)
            | on(self.write, GENERIC_WRITE)
            | on(!self.read, FILE_READ_ATTRIBUTES)
            | on(self.message_mode && !self.write, FILE_WRITE_ATTRIBUTES);
        let handle = open(Path::new(name.as_ref()), access, self.message_mode)?;
        Ok(handle.into())
    }

    fn check(&self) -> io::Result<()> {
        if self.read || self.write {
            return Ok(());
        }
        let text = "a pipe must be read from or written to";
        Err(io::Error::new(io::ErrorKind::InvalidInput, text))
    }
}

impl Default for NamedPipeOptions {
    fn default() -> NamedPipeOptions {
        NamedPipeOptions::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use windows_sys::Win32::Storage::FileSystem::PIPE_ACCESS_DUPLEX;

    /// Wine 8 ignores the flag of the first instance, so that its effect does not show there.
    #[test]
    fn what_new_asks_of_the_system() {
        let instance = NamedPipeOptions::of_first().instance();
        let open_mode = PIPE_ACCESS_DUPLEX | FILE_FLAG_FIRST_PIPE_INSTANCE;
        assert_eq!(instance.open_mode, open_mode);
        // Bytes, and clients from everywhere.
        assert_eq!(instance.pipe_mode, 0);
        assert_eq!(instance.instances, PIPE_UNLIMITED_INSTANCES);
        assert_eq!((instance.in_buffer, instance.out_buffer), (65536, 65536));

        let instance = NamedPipeOptions::new().instance();
        assert_eq!(instance.open_mode, PIPE_ACCESS_DUPLEX);
        assert_eq!(instance.pipe_mode, PIPE_REJECT_REMOTE_CLIENTS);
    }
}
