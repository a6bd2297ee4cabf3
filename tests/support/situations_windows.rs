//! What stands for `situations.rs` on Windows, as far as portable tests use it.
#![allow(unsafe_code)]

use std::io::Error;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::windows::io::AsRawSocket;

use windows_sys::Win32::Foundation::{GetHandleInformation, HANDLE, HANDLE_FLAG_INHERIT};
use windows_sys::Win32::Networking::WinSock::{
    getsockopt, setsockopt, IPPROTO_IPV6, IPV6_V6ONLY, LINGER, SOCKET, SOL_SOCKET, SO_LINGER,
};

/// A port that answers connects with a refusal, and that nobody else can get meanwhile: that of a
/// connection's own end.
pub(crate) fn deaf_port() -> ((TcpStream, TcpStream), SocketAddr) {
    let listener = TcpListener::bind(super::localhost()).expect("a listener");
    let one = TcpStream::connect(listener.local_addr().expect("an address")).expect("a stream");
    let (other, address) = listener.accept().expect("its other end");
    ((one, other), address)
}

/// Lets the system answer with a reset when the socket is closed.
pub(crate) fn reset_on_close(socket: &impl AsRawSocket) {
    let linger = LINGER {
        l_onoff: 1,
        l_linger: 0,
    };
    let length = std::mem::size_of_val(&linger) as i32;
    let linger_ptr: *const LINGER = &linger;
    let socket = socket.as_raw_socket() as SOCKET;
    // SAFETY: the option has the length that is given with it.
    let rc = unsafe { setsockopt(socket, SOL_SOCKET, SO_LINGER, linger_ptr.cast(), length) };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
}

/// Whether the socket refuses IPv4 that is mapped into IPv6.
pub(crate) fn only_v6(socket: &impl AsRawSocket) -> bool {
    let (mut value, mut length) = (0_i32, 4);
    let value_ptr: *mut i32 = &mut value;
    let socket = socket.as_raw_socket() as SOCKET;
    // SAFETY: the system writes at most `length` bytes, which is the size of `value`.
    let rc = unsafe {
        getsockopt(
            socket,
            IPPROTO_IPV6,
            IPV6_V6ONLY,
            value_ptr.cast(),
            &mut length,
        )
    };
    assert_eq!(rc, 0, "{}", Error::last_os_error());
    value != 0
}

/// Whether child processes get the socket.
pub(crate) fn is_inherited(socket: &impl AsRawSocket) -> bool {
    let mut flags = 0;
    let handle = socket.as_raw_socket() as usize as HANDLE;
    // SAFETY: the call writes to `flags`.
    let done = unsafe { GetHandleInformation(handle, &mut flags) };
    assert_ne!(done, 0, "{}", Error::last_os_error());
    flags & HANDLE_FLAG_INHERIT != 0
}
