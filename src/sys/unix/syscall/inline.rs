//! System calls as instructions of their callers: the feature `inline-syscalls`.
//!
//! A function of the C library returns to its caller by a `ret` whose target the
//! processor predicted before the call into the kernel. On processors where the
//! kernel leaves that prediction spoilt, the return costs more than the rest of
//! the call's way through user space. These functions have the names, arguments
//! and meaning of libc's, and are compiled into their callers, where no such
//! return is left. Nothing here is exported by libc's headers differently: the
//! numbers are libc's, and the calls are those that glibc makes by these names.
//!
//! What differs is the answer: the kernel's own, in which an error is its negated
//! number. `errno` is left alone.

use std::io;

use libc::{c_int, c_long, c_void, epoll_event, iovec, msghdr, size_t, sockaddr, socklen_t};

use super::Answer;

/// What the kernel answered.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(crate) struct Answered(isize);

impl Answer for Answered {
    #[inline]
    fn answer(self) -> io::Result<isize> {
        // No call of this module answers with a value that is negative and no
        // error.
        if self.0 < 0 {
            Err(io::Error::from_raw_os_error(-self.0 as i32))
        } else {
            Ok(self.0)
        }
    }
}

/// The kernel's calling convention, see [`syscall(2)`].
///
/// Other memory than what the arguments point to is not touched, and none of the
/// stack; the flags may be.
///
/// [`syscall(2)`]: https://man7.org/linux/man-pages/man2/syscall.2.html
#[cfg(target_arch = "x86_64")]
mod arch {
    use super::{c_long, Answered};
    use std::arch::asm;

    /// A function for each number of arguments, and the registers that they go to.
    macro_rules! conventions {
        ($($name:ident[$count:literal]($($register:tt $arg:ident),*);)*) => {$(
            #[inline(always)]
            pub(super) unsafe fn $name(
                number: c_long,
                [$($arg),*]: [usize; $count],
            ) -> Answered {
                let answer: isize;
                // SAFETY: our caller says that the kernel may do what it is asked. It
                // gives all registers back but these three.
                unsafe {
                    asm!(
                        "syscall",
                        inlateout("rax") number as isize => answer,
                        $(in($register) $arg,)*
                        lateout("rcx") _, lateout("r11") _,
                        options(nostack),
                    );
                }
                Answered(answer)
            }
        )*};
    }

    conventions! {
        syscall3[3]("rdi" a, "rsi" b, "rdx" c);
        syscall4[4]("rdi" a, "rsi" b, "rdx" c, "r10" d);
        syscall6[6]("rdi" a, "rsi" b, "rdx" c, "r10" d, "r8" e, "r9" f);
    }

    /// As the C library does.
    #[inline(always)]
    pub(super) unsafe fn epoll_wait(args: [usize; 4]) -> Answered {
        // SAFETY: our caller vouches for the arguments.
        unsafe { syscall4(libc::SYS_epoll_wait, args) }
    }
}

/// As above.
#[cfg(target_arch = "aarch64")]
mod arch {
    use super::{c_long, Answered};
    use std::arch::asm;

    /// As above; the first argument's register takes the answer.
    macro_rules! conventions {
        ($($name:ident[$count:literal]($first:ident $(, $register:tt $arg:ident)*);)*) => {$(
            #[inline(always)]
            pub(super) unsafe fn $name(
                number: c_long,
                [$first $(, $arg)*]: [usize; $count],
            ) -> Answered {
                let answer: isize;
                // SAFETY: our caller says that the kernel may do what it is asked. It
                // gives all registers back but the first.
                unsafe {
                    asm!(
                        "svc 0",
                        in("x8") number,
                        inlateout("x0") $first as isize => answer,
                        $(in($register) $arg,)*
                        options(nostack),
                    );
                }
                Answered(answer)
            }
        )*};
    }

    conventions! {
        syscall3[3](a, "x1" b, "x2" c);
        syscall4[4](a, "x1" b, "x2" c, "x3" d);
        syscall6[6](a, "x1" b, "x2" c, "x3" d, "x4" e, "x5" f);
    }

    /// The architecture is younger than `epoll_wait`, which it does without: the
    /// C library too waits by this call, with no signal mask.
    #[inline(always)]
    pub(super) unsafe fn epoll_wait([epoll, events, max, timeout]: [usize; 4]) -> Answered {
        let (no_mask, mask_size) = (0, 8);
        let args = [epoll, events, max, timeout, no_mask, mask_size];
        // SAFETY: our caller vouches for the arguments; there is no mask.
        unsafe { syscall6(libc::SYS_epoll_pwait, args) }
    }
}

use arch::{syscall3, syscall4, syscall6};

/// Defines a call: its arguments go to the kernel as they are.
macro_rules! calls {
    ($($name:ident($($arg:ident: $type:ty),*) by $convention:ident($($number:expr)?)
        $(with [$($also:expr),*])?;)*) => {$(
        /// # Safety
        ///
        /// As libc's function of this name.
        #[inline(always)]
        pub(crate) unsafe fn $name($($arg: $type),*) -> Answered {
            // SAFETY: our caller vouches for the arguments.
            unsafe { $convention($($number,)? [$($arg as usize),* $(, $($also),*)?]) }
        }
    )*};
}

use arch::epoll_wait as wait_by_epoll;

calls! {
    read(fd: c_int, buf: *mut c_void, len: size_t) by syscall3(libc::SYS_read);
    readv(fd: c_int, bufs: *const iovec, count: c_int) by syscall3(libc::SYS_readv);
    write(fd: c_int, buf: *const c_void, len: size_t) by syscall3(libc::SYS_write);
    writev(fd: c_int, bufs: *const iovec, count: c_int) by syscall3(libc::SYS_writev);
    recv(fd: c_int, buf: *mut c_void, len: size_t, flags: c_int)
        by syscall6(libc::SYS_recvfrom) with [0, 0];
    recvfrom(fd: c_int, buf: *mut c_void, len: size_t, flags: c_int,
        addr: *mut sockaddr, addr_len: *mut socklen_t) by syscall6(libc::SYS_recvfrom);
    send(fd: c_int, buf: *const c_void, len: size_t, flags: c_int)
        by syscall6(libc::SYS_sendto) with [0, 0];
    sendto(fd: c_int, buf: *const c_void, len: size_t, flags: c_int,
        addr: *const sockaddr, addr_len: socklen_t) by syscall6(libc::SYS_sendto);
    sendmsg(fd: c_int, message: *const msghdr, flags: c_int) by syscall3(libc::SYS_sendmsg);
    accept4(fd: c_int, addr: *mut sockaddr, addr_len: *mut socklen_t, flags: c_int)
        by syscall4(libc::SYS_accept4);
    epoll_ctl(epoll: c_int, operation: c_int, fd: c_int, event: *mut epoll_event)
        by syscall4(libc::SYS_epoll_ctl);
    epoll_wait(epoll: c_int, events: *mut epoll_event, max: c_int, timeout: c_int)
        by wait_by_epoll();
}
