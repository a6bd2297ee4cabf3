//! polling 3.11 in its edge-triggered mode, with the sockets of std.

use std::io;
use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use polling::{Event, Events, PollMode, Poller};

use super::super::{Contender, Source, Stream};
use super::{std_sockets, OnUnix};

#[derive(Debug)]
pub(crate) struct Polling;

impl Contender for Polling {
    const NAME: &'static str = "polling";

    type Poll = Arc<Poller>;
    type Events = Events;
    type Waker = Arc<Poller>;
    type Tcp = TcpStream;
    type Listener = TcpListener;
    type Udp = UdpSocket;

    fn poll() -> io::Result<Arc<Poller>> {
        Poller::new().map(Arc::new)
    }

    fn events(capacity: usize) -> Events {
        NonZeroUsize::new(capacity).map_or_else(Events::new, Events::with_capacity)
    }

    #[inline(always)]
    fn wait(
        poll: &mut Arc<Poller>,
        events: &mut Events,
        timeout: Option<Duration>,
    ) -> io::Result<()> {
        events.clear();
        poll.wait(events, timeout).map(drop)
    }

    #[inline(always)]
    fn each(events: &Events, mut handle: impl FnMut(usize) -> io::Result<()>) -> io::Result<()> {
        for event in events.iter() {
            handle(event.key)?;
        }
        Ok(())
    }

    fn waker(poll: &Arc<Poller>, _: usize) -> io::Result<Arc<Poller>> {
        Ok(Arc::clone(poll))
    }

    #[inline(always)]
    fn wake(waker: &Arc<Poller>) -> io::Result<()> {
        waker.notify()
    }

    fn listen() -> io::Result<(TcpListener, SocketAddr)> {
        std_sockets::listen()
    }

    #[inline(always)]
    fn accept(listener: &TcpListener) -> io::Result<TcpStream> {
        std_sockets::accept(listener)
    }

    fn connect(addr: SocketAddr) -> io::Result<TcpStream> {
        std_sockets::connect(addr)
    }

    fn bind_udp() -> io::Result<(UdpSocket, SocketAddr)> {
        std_sockets::bind_udp()
    }
}

impl OnUnix for Polling {
    type Unix = UnixStream;

    #[inline(always)]
    fn add_fd(poll: &Arc<Poller>, fd: RawFd, token: usize) -> io::Result<()> {
        // SAFETY: the cases keep their descriptors open while they are
        // registered, which is all that `add` asks for.
        unsafe { poll.add_with_mode(fd, Event::readable(token), PollMode::Edge) }
    }

    #[inline(always)]
    fn change_fd(poll: &Arc<Poller>, fd: RawFd, token: usize) -> io::Result<()> {
        // SAFETY: the cases keep their descriptors open while they are used.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        poll.modify_with_mode(fd, Event::readable(token), PollMode::Edge)
    }

    #[inline(always)]
    fn remove_fd(poll: &Arc<Poller>, fd: RawFd) -> io::Result<()> {
        // SAFETY: the cases keep their descriptors open while they are used.
        let fd = unsafe { BorrowedFd::borrow_raw(fd) };
        poll.delete(fd)
    }
}

impl<S: AsFd + AsRawFd> Source<Polling> for S {
    #[inline(always)]
    fn add(&mut self, poll: &Arc<Poller>, token: usize) -> io::Result<()> {
        Polling::add_fd(poll, self.as_raw_fd(), token)
    }

    #[inline(always)]
    fn change(&mut self, poll: &Arc<Poller>, token: usize) -> io::Result<()> {
        poll.modify_with_mode(self, Event::readable(token), PollMode::Edge)
    }

    #[inline(always)]
    fn remove(&mut self, poll: &Arc<Poller>) -> io::Result<()> {
        poll.delete(self)
    }
}

impl Stream<Polling> for TcpStream {
    type Std = TcpStream;

    fn adopt(socket: TcpStream) -> TcpStream {
        socket
    }
}

impl Stream<Polling> for UnixStream {
    type Std = UnixStream;

    fn adopt(socket: UnixStream) -> UnixStream {
        socket
    }
}
