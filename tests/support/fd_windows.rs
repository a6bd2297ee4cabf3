//! What stands for `fd.rs` on Windows, as far as portable tests use it.
#![allow(unsafe_code)]

use std::io::{Error, ErrorKind};
use std::os::windows::io::{AsRawSocket, AsSocket, FromRawSocket, IntoRawSocket, RawSocket};

use windows_sys::Win32::Networking::WinSock::{
    recv, setsockopt, SOCKET, SOL_SOCKET, SO_RCVTIMEO, WSAENOTCONN,
};

/// What owns a socket.
pub(crate) use std::os::windows::io::OwnedSocket as Owned;

/// What names a borrowed socket to the system.
pub(crate) fn raw_of_borrowed(source: &impl AsSocket) -> RawSocket {
    source.as_socket().as_raw_socket()
}

/// Gives a socket up.
pub(crate) fn into_raw(source: impl IntoRawSocket) -> RawSocket {
    source.into_raw_socket()
}

/// Takes a socket.
///
/// # Safety
///
/// It is open, and the caller gives it up.
pub(crate) unsafe fn from_raw<T: FromRawSocket>(raw: RawSocket) -> T {
    // SAFETY: the caller's promise.
    unsafe { T::from_raw_socket(raw) }
}

/// Asserts whether operations on a socket without data may wait.
///
/// Windows does not tell, so it is asked to receive: one that waits does so for a moment and says
/// that the time is over. A listener cannot be asked, and passes.
#[track_caller]
pub(crate) fn assert_nonblocking(socket: &impl AsSocket, expected: bool) {
    let socket = raw_of_borrowed(socket) as SOCKET;
    let moment_ms = 1_u32;
    let moment_ptr: *const u32 = &moment_ms;
    // SAFETY: the option has the length that is given with it.
    let set = unsafe { setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, moment_ptr.cast(), 4) };
    assert_eq!(set, 0, "{}", Error::last_os_error());
    let mut byte = 0;
    // SAFETY: there is room for one byte.
    let received = unsafe { recv(socket, &mut byte, 1, 0) };
    let error = Error::last_os_error();
    assert_eq!(received, -1, "there was something to receive");
    if error.raw_os_error() != Some(WSAENOTCONN) {
        assert_eq!(error.kind() == ErrorKind::WouldBlock, expected, "{error}");
    }
}
