//! What only Unix has: sources that are bare descriptors, Unix sockets, and the
//! contenders that are measured there only.

#[allow(unsafe_code)]
mod polling;
#[allow(unsafe_code)]
mod raw;
mod std_sockets;

use std::io;
use std::os::fd::RawFd;
use std::os::unix::net::UnixStream;

pub(crate) use polling::Polling;
pub(crate) use raw::Raw;

use super::{Contender, Mio, Ours, Stream};

/// A contender on Unix.
pub(crate) trait OnUnix: Contender {
    type Unix: Stream<Self, Std = UnixStream> + 'static;

    fn add_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()>;
    fn change_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()>;
    fn remove_fd(poll: &Self::Poll, fd: RawFd) -> io::Result<()>;
}

macro_rules! mio_like {
    ($name:ident, $krate:ident) => {
        impl OnUnix for $name {
            type Unix = $krate::net::UnixStream;

            #[inline(always)]
            fn add_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()> {
                let (token, interest) = ($krate::Token(token), $krate::Interest::READABLE);
                poll.registry()
                    .register(&mut $krate::unix::SourceFd(&fd), token, interest)
            }

            #[inline(always)]
            fn change_fd(poll: &Self::Poll, fd: RawFd, token: usize) -> io::Result<()> {
                let (token, interest) = ($krate::Token(token), $krate::Interest::READABLE);
                poll.registry()
                    .reregister(&mut $krate::unix::SourceFd(&fd), token, interest)
            }

            #[inline(always)]
            fn remove_fd(poll: &Self::Poll, fd: RawFd) -> io::Result<()> {
                poll.registry().deregister(&mut $krate::unix::SourceFd(&fd))
            }
        }

        impl Stream<$name> for $krate::net::UnixStream {
            type Std = UnixStream;

            fn adopt(socket: UnixStream) -> Self {
                $krate::net::UnixStream::from_std(socket)
            }
        }
    };
}

mio_like!(Ours, mio);
mio_like!(Mio, mio_reference);
