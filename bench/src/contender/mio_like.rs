//! This crate and the mio that it stands in for: the same code, twice.

macro_rules! mio_like {
    ($(#[$doc:meta])* $name:ident, $krate:ident, $label:literal) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub(crate) struct $name;

        impl Contender for $name {
            const NAME: &'static str = $label;

            type Poll = $krate::Poll;
            type Events = $krate::Events;
            type Waker = $krate::Waker;
            type Tcp = $krate::net::TcpStream;
            type Listener = $krate::net::TcpListener;
            type Udp = $krate::net::UdpSocket;

            fn poll() -> io::Result<Self::Poll> {
                $krate::Poll::new()
            }

            fn events(capacity: usize) -> Self::Events {
                $krate::Events::with_capacity(capacity)
            }

            #[inline(always)]
            fn wait(
                poll: &mut Self::Poll,
                events: &mut Self::Events,
                timeout: Option<Duration>,
            ) -> io::Result<()> {
                poll.poll(events, timeout)
            }

            #[inline(always)]
            fn each(
                events: &Self::Events,
                mut handle: impl FnMut(usize) -> io::Result<()>,
            ) -> io::Result<()> {
                for event in events {
                    handle(event.token().0)?;
                }
                Ok(())
            }

            fn waker(poll: &Self::Poll, token: usize) -> io::Result<Self::Waker> {
                $krate::Waker::new(poll.registry(), $krate::Token(token))
            }

            #[inline(always)]
            fn wake(waker: &Self::Waker) -> io::Result<()> {
                waker.wake()
            }

            fn listen() -> io::Result<(Self::Listener, SocketAddr)> {
                let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
                let listener = $krate::net::TcpListener::bind(any_port)?;
                let addr = listener.local_addr()?;
                Ok((listener, addr))
            }

            #[inline(always)]
            fn accept(listener: &Self::Listener) -> io::Result<Self::Tcp> {
                listener.accept().map(|(stream, _)| stream)
            }

            fn connect(addr: SocketAddr) -> io::Result<Self::Tcp> {
                $krate::net::TcpStream::connect(addr)
            }

            fn bind_udp() -> io::Result<(Self::Udp, SocketAddr)> {
                let any_port = SocketAddr::from(([127, 0, 0, 1], 0));
                let socket = $krate::net::UdpSocket::bind(any_port)?;
                let addr = socket.local_addr()?;
                Ok((socket, addr))
            }
        }

        impl<S: $krate::event::Source> Source<$name> for S {
            #[inline(always)]
            fn add(&mut self, poll: &$krate::Poll, token: usize) -> io::Result<()> {
                let (token, interest) = ($krate::Token(token), $krate::Interest::READABLE);
                poll.registry().register(self, token, interest)
            }

            #[inline(always)]
            fn change(&mut self, poll: &$krate::Poll, token: usize) -> io::Result<()> {
                let (token, interest) = ($krate::Token(token), $krate::Interest::READABLE);
                poll.registry().reregister(self, token, interest)
            }

            #[inline(always)]
            fn remove(&mut self, poll: &$krate::Poll) -> io::Result<()> {
                poll.registry().deregister(self)
            }
        }

        impl Stream<$name> for $krate::net::TcpStream {
            type Std = TcpStream;

            fn adopt(socket: TcpStream) -> Self {
                $krate::net::TcpStream::from_std(socket)
            }
        }

        impl Datagrams for $krate::net::UdpSocket {
            #[inline(always)]
            fn send_to(&self, bytes: &[u8], to: SocketAddr) -> io::Result<usize> {
                $krate::net::UdpSocket::send_to(self, bytes, to)
            }

            #[inline(always)]
            fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
                $krate::net::UdpSocket::recv_from(self, buf)
            }
        }
    };
}

use super::{Contender, Datagrams, Source, Stream};
use std::io;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

mio_like! {
    /// This crate.
    Ours, mio, "ours"
}

mio_like! {
    /// The reference, from the registry.
    Mio, mio_reference, "mio"
}
