//! The system calls that the crate makes.

use libc::*;

/// A system call, or that part of its uses which has a certain argument.
#[derive(Clone, Copy)]
pub(crate) struct Call {
    pub(crate) name: &'static str,
    /// All names that C libraries know it by.
    pub(crate) numbers: &'static [c_long],
    pub(crate) argument: Option<(u8, u64)>,
}

const fn call(name: &'static str, numbers: &'static [c_long]) -> Call {
    Call {
        name,
        numbers,
        argument: None,
    }
}

const fn control(name: &'static str, operation: c_int) -> Call {
    Call {
        name,
        numbers: &[SYS_epoll_ctl],
        argument: Some((1, operation as u64)),
    }
}

#[cfg(any(target_arch = "x86_64", target_arch = "arm"))]
const WAITS: &[c_long] = &[SYS_epoll_wait, SYS_epoll_pwait, SYS_poll, SYS_ppoll];
#[cfg(not(any(target_arch = "x86_64", target_arch = "arm")))]
const WAITS: &[c_long] = &[SYS_epoll_pwait, SYS_ppoll];

pub(crate) const CREATE: Call = call("epoll_create1", &[SYS_epoll_create1]);
/// What makes the descriptor of a signal, or the two of them.
pub(crate) const SIGNAL: Call = if cfg!(mio_unsupported_force_waker_pipe) {
    PIPE
} else {
    call("eventfd2", &[SYS_eventfd2])
};
pub(crate) const ADD: Call = control("EPOLL_CTL_ADD", EPOLL_CTL_ADD);
pub(crate) const MODIFY: Call = control("EPOLL_CTL_MOD", EPOLL_CTL_MOD);
pub(crate) const DELETE: Call = control("EPOLL_CTL_DEL", EPOLL_CTL_DEL);
pub(crate) const WAIT: Call = call("the wait", WAITS);
pub(crate) const PWAIT2: Call = call("epoll_pwait2", &[SYS_epoll_pwait2]);
pub(crate) const PPOLL: Call = call("ppoll", &[SYS_ppoll]);
pub(crate) const SOCKET: Call = call("socket", &[SYS_socket]);
pub(crate) const PAIR: Call = call("socketpair", &[SYS_socketpair]);
pub(crate) const PIPE: Call = call("pipe2", &[SYS_pipe2]);
pub(crate) const BIND: Call = call("bind", &[SYS_bind]);
pub(crate) const LISTEN: Call = call("listen", &[SYS_listen]);
pub(crate) const CONNECT: Call = call("connect", &[SYS_connect]);
pub(crate) const ACCEPT: Call = call("accept4", &[SYS_accept4]);
pub(crate) const SETSOCKOPT: Call = call("setsockopt", &[SYS_setsockopt]);
pub(crate) const GETSOCKOPT: Call = call("getsockopt", &[SYS_getsockopt]);
pub(crate) const GETSOCKNAME: Call = call("getsockname", &[SYS_getsockname]);
pub(crate) const GETPEERNAME: Call = call("getpeername", &[SYS_getpeername]);
pub(crate) const SHUT: Call = call("shutdown", &[SYS_shutdown]);
pub(crate) const SEND: Call = call("sendto", &[SYS_sendto]);
pub(crate) const SENDMSG: Call = call("sendmsg", &[SYS_sendmsg]);
pub(crate) const RECEIVE: Call = call("recvfrom", &[SYS_recvfrom]);
pub(crate) const READV: Call = call("readv", &[SYS_readv, SYS_recvmsg]);
pub(crate) const WRITE: Call = call("write", &[SYS_write]);
pub(crate) const IOCTL: Call = call("ioctl", &[SYS_ioctl]);
