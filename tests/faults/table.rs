//! The table: an operation, a call of it that fails, with which errors, and what must come of it.

use std::io::ErrorKind;

use libc::*;

use super::calls::*;
use super::kernel::POLL_QUEUE;
use super::world::{self, Act};

/// What the operation must do.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Expect {
    /// It returns the error, unchanged.
    TheError,
    /// It returns an error of this kind.
    Kind(ErrorKind),
    /// It copes, or does not make the call.
    Success,
}

pub(crate) struct Fault {
    pub(crate) act: Act,
    pub(crate) call: Call,
    pub(crate) errnos: &'static [c_int],
    pub(crate) expect: Expect,
}

use Expect::{Kind, Success, TheError};

const fn fault(act: Act, call: Call, errnos: &'static [c_int], expect: Expect) -> Fault {
    Fault {
        act,
        call,
        errnos,
        expect,
    }
}

const DESCRIPTORS: &[c_int] = &[EMFILE, ENFILE, ENOMEM, EPERM];
const UNKNOWN: &[c_int] = &[ENOSYS];
const SOCKETS: &[c_int] = &[
    EMFILE,
    ENFILE,
    ENOMEM,
    ENOBUFS,
    EACCES,
    EPERM,
    EAFNOSUPPORT,
    EINTR,
];
const ACCEPTS: &[c_int] = &[
    EMFILE,
    ENFILE,
    ENOMEM,
    ENOBUFS,
    ECONNABORTED,
    EPROTO,
    EPERM,
    EINTR,
    EAGAIN,
    ENOSYS,
];
const CONNECTS: &[c_int] = &[
    ECONNREFUSED,
    ENETUNREACH,
    EADDRNOTAVAIL,
    EAGAIN,
    EACCES,
    EPERM,
    ETIMEDOUT,
];
const TRANSFERS: &[c_int] = &[
    EAGAIN, EINTR, EPIPE, ECONNRESET, ENOBUFS, ENOMEM, EPERM, EIO,
];
const REFUSALS: &[c_int] = &[ENOSYS, EPERM, EACCES, EOPNOTSUPP];

/// Of calls that only one of the queues makes.
const fn if_epoll(expect: Expect) -> Expect {
    if POLL_QUEUE {
        Success
    } else {
        expect
    }
}

/// The crate can be told to do without.
const fn if_pwait2(expect: Expect) -> Expect {
    if cfg!(mio_no_epoll_pwait2) {
        Success
    } else {
        if_epoll(expect)
    }
}

const fn if_poll(expect: Expect) -> Expect {
    if POLL_QUEUE {
        expect
    } else {
        Success
    }
}

/// musl makes do with pipe(2) where the kernel does not know pipe2(2).
const NO_PIPE2: Expect = if cfg!(target_env = "musl") {
    Success
} else {
    TheError
};
const NO_SIGNAL: Expect = if cfg!(mio_unsupported_force_waker_pipe) {
    NO_PIPE2
} else {
    TheError
};

pub(crate) const FAULTS: &[Fault] = &[
    // The queue.
    fault(world::POLL_NEW, CREATE, DESCRIPTORS, if_epoll(TheError)),
    fault(world::POLL_NEW, CREATE, UNKNOWN, if_epoll(TheError)),
    fault(world::POLL_NEW, SIGNAL, DESCRIPTORS, if_poll(TheError)),
    fault(world::POLL_NEW, SIGNAL, UNKNOWN, if_poll(NO_SIGNAL)),
    fault(world::WAKER_NEW, SIGNAL, DESCRIPTORS, if_epoll(TheError)),
    fault(world::WAKER_NEW, SIGNAL, UNKNOWN, if_epoll(NO_SIGNAL)),
    fault(
        world::WAKER_NEW,
        ADD,
        &[ENOMEM, ENOSPC, EPERM],
        if_epoll(TheError),
    ),
    fault(
        world::REGISTER,
        ADD,
        &[ENOMEM, ENOSPC, EPERM, EBADF],
        if_epoll(TheError),
    ),
    fault(
        world::REREGISTER,
        MODIFY,
        &[ENOMEM, EPERM, EBADF],
        if_epoll(TheError),
    ),
    // So the kernel answers to a change of an exclusive registration: it is replaced.
    fault(world::REREGISTER, MODIFY, &[EINVAL], Success),
    fault(
        world::EXCLUSIVE,
        DELETE,
        &[ENOMEM, EPERM, EBADF],
        if_epoll(TheError),
    ),
    // One that is replaced is gone in between, and the error says so.
    fault(
        world::EXCLUSIVE,
        ADD,
        &[ENOMEM, ENOSPC, EPERM],
        if_epoll(Kind(ErrorKind::NotFound)),
    ),
    fault(
        world::DEREGISTER,
        DELETE,
        &[ENOMEM, EPERM, EBADF],
        if_epoll(TheError),
    ),
    // A wait.
    fault(
        world::POLL,
        WAIT,
        &[EINTR, EBADF, EINVAL, EFAULT, EPERM, ENOSYS],
        TheError,
    ),
    fault(world::POLL_MILLIS, WAIT, &[EINTR, EBADF], TheError),
    // An interruption would be forgiven, and this one never ends.
    fault(world::POLL_DEADLINE, WAIT, &[EBADF, EINVAL], TheError),
    fault(
        world::POLL_MICROS,
        PPOLL,
        &[EINTR, EINVAL, ENOMEM],
        if_poll(TheError),
    ),
    // So poll(2) says that it is short of memory for a moment: the poll goes on.
    fault(
        world::POLL_MILLIS,
        WAIT,
        &[EAGAIN],
        if POLL_QUEUE { Success } else { TheError },
    ),
    fault(
        world::POLL_MICROS,
        PWAIT2,
        &[EINTR, EBADF, EINVAL],
        if_pwait2(TheError),
    ),
    // Somebody does not know the call: there is another. This is asked once a process, so that it
    // stands behind all others of this call.
    fault(world::POLL_MICROS, PWAIT2, REFUSALS, Success),
    fault(
        world::WAKE,
        WRITE,
        &[EPERM, EIO, ENOMEM, EBADF, ENOSYS],
        TheError,
    ),
    // The change is made; a poller that sleeps is not told before the next.
    fault(world::CHANGE, WRITE, &[EPERM, EIO, ENOMEM, ENOSYS], Success),
    // Sockets.
    fault(world::TCP_BIND, SOCKET, SOCKETS, TheError),
    fault(
        world::TCP_BIND,
        SETSOCKOPT,
        &[ENOMEM, EPERM, ENOPROTOOPT],
        TheError,
    ),
    fault(
        world::TCP_BIND,
        BIND,
        &[EADDRINUSE, EACCES, EADDRNOTAVAIL, ENOMEM],
        TheError,
    ),
    fault(
        world::TCP_BIND,
        LISTEN,
        &[EADDRINUSE, ENOBUFS, EOPNOTSUPP],
        TheError,
    ),
    fault(world::TCP_CONNECT, SOCKET, SOCKETS, TheError),
    fault(world::TCP_CONNECT, CONNECT, CONNECTS, TheError),
    fault(world::TCP_CONNECT, CONNECT, &[EINPROGRESS, EINTR], Success),
    fault(world::TCP_ACCEPT, ACCEPT, ACCEPTS, TheError),
    fault(world::TCP_WRITE, SEND, TRANSFERS, TheError),
    fault(world::TCP_WRITE_VECTORED, SENDMSG, TRANSFERS, TheError),
    fault(world::LOCAL_ADDR, GETSOCKNAME, &[ENOBUFS, EPERM], TheError),
    fault(
        world::PEER_ADDR,
        GETPEERNAME,
        &[ENOTCONN, ENOBUFS],
        TheError,
    ),
    fault(world::SET_NODELAY, SETSOCKOPT, &[ENOMEM, EPERM], TheError),
    fault(world::TAKE_ERROR, GETSOCKOPT, &[ENOBUFS, EPERM], TheError),
    fault(world::SHUTDOWN, SHUT, &[ENOTCONN, EPERM], TheError),
    fault(world::UDP_BIND, SOCKET, SOCKETS, TheError),
    fault(world::UDP_BIND, BIND, &[EADDRINUSE, EACCES], TheError),
    fault(world::UDP_SEND, SEND, TRANSFERS, TheError),
    fault(
        world::UDP_SEND,
        SEND,
        &[ECONNREFUSED, EMSGSIZE, ENETUNREACH],
        TheError,
    ),
    fault(world::UNIX_BIND, SOCKET, SOCKETS, TheError),
    fault(
        world::UNIX_BIND,
        BIND,
        &[EADDRINUSE, EACCES, ENOENT, EROFS],
        TheError,
    ),
    fault(world::UNIX_BIND, LISTEN, &[EADDRINUSE, ENOBUFS], TheError),
    fault(world::UNIX_CONNECT, SOCKET, SOCKETS, TheError),
    fault(world::UNIX_CONNECT, CONNECT, CONNECTS, TheError),
    fault(world::UNIX_CONNECT, CONNECT, &[EINPROGRESS], Success),
    fault(world::UNIX_ACCEPT, ACCEPT, ACCEPTS, TheError),
    fault(world::UNIX_PAIR, PAIR, SOCKETS, TheError),
    fault(world::READ, RECEIVE, TRANSFERS, TheError),
    fault(world::READ_VECTORED, READV, TRANSFERS, TheError),
    fault(world::DATAGRAM_BIND, SOCKET, SOCKETS, TheError),
    fault(world::DATAGRAM_BIND, BIND, &[EADDRINUSE, EACCES], TheError),
    fault(world::DATAGRAM_UNBOUND, SOCKET, SOCKETS, TheError),
    fault(world::DATAGRAM_PAIR, PAIR, SOCKETS, TheError),
    fault(world::DATAGRAM_SEND, SEND, TRANSFERS, TheError),
    // Pipes.
    fault(world::PIPE_NEW, PIPE, DESCRIPTORS, TheError),
    fault(world::PIPE_NEW, PIPE, UNKNOWN, NO_PIPE2),
    fault(world::PIPE_WRITE, WRITE, TRANSFERS, TheError),
    fault(world::SET_NONBLOCKING, IOCTL, &[EPERM, ENOTTY], TheError),
];
