//! Sends many datagrams by one system call, and receives them by few: segmentation offload.
//!
//! ```text
//! cargo run --release --all-features --example udp_segments
//! ```
//!
//! The quinn-udp crate, which is made for QUIC, works over our socket. On Linux the kernel cuts the
//! buffer into datagrams (GSO) and joins those that arrive (GRO); elsewhere, or where the kernel
//! refuses, it sends and receives them one by one.

#[cfg(any(
    target_os = "linux",
    target_os = "freebsd",
    target_os = "macos",
    windows
))]
fn main() -> std::io::Result<()> {
    segments::main()
}

#[cfg(not(any(
    target_os = "linux",
    target_os = "freebsd",
    target_os = "macos",
    windows
)))]
fn main() {
    println!("this example is of Linux, FreeBSD, macOS and Windows");
}

#[cfg(any(
    target_os = "linux",
    target_os = "freebsd",
    target_os = "macos",
    windows
))]
mod segments {
    use std::io::{self, ErrorKind, IoSliceMut};
    use std::net::{Ipv4Addr, SocketAddr};

    use mio::net::UdpSocket;
    use mio::{Events, Interest, Poll, Token};
    use quinn_udp::{RecvMeta, Transmit, UdpSocketState, BATCH_SIZE};

    const DATAGRAMS: usize = 20;
    const SIZE: usize = 1_000;

    pub(crate) fn main() -> io::Result<()> {
        let any_port = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
        let sender = UdpSocket::bind(any_port)?;
        let mut receiver = UdpSocket::bind(any_port)?;
        let receiving = UdpSocketState::new((&receiver).into())?;
        let mut poll = Poll::new()?;
        poll.registry()
            .register(&mut receiver, Token(0), Interest::READABLE)?;

        // The receiver's buffer holds all that is sent.
        let sends = send_all(&sender, receiver.local_addr()?)?;
        let mut buffers = vec![vec![0; DATAGRAMS * SIZE]; BATCH_SIZE];
        let (mut received, mut receives) = (0, 0);
        let mut events = Events::with_capacity(8);
        while received < DATAGRAMS {
            if let Err(err) = poll.poll(&mut events, None) {
                if err.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return Err(err);
            }
            loop {
                match receive(&receiver, &receiving, &mut buffers, received) {
                    Ok(datagrams) => received += datagrams,
                    Err(err) if err.kind() == ErrorKind::WouldBlock => break,
                    Err(err) => return Err(err),
                }
                receives += 1;
            }
        }
        println!("{received} datagrams: {sends} calls to send, {receives} to receive");
        Ok(())
    }

    /// Sends as many datagrams at once as the system can, and returns how many calls that took.
    fn send_all(sender: &UdpSocket, destination: SocketAddr) -> io::Result<usize> {
        let sending = UdpSocketState::new(sender.into())?;
        let contents: Vec<u8> = (0..DATAGRAMS).flat_map(|n| [n as u8; SIZE]).collect();
        let at_once = sending.max_gso_segments().clamp(1, DATAGRAMS);
        let pieces = contents.chunks(at_once * SIZE);
        let calls = pieces.len();
        for piece in pieces {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: piece,
                segment_size: (piece.len() > SIZE).then_some(SIZE),
                src_ip: None,
            };
            sending.try_send(sender.into(), &transmit)?;
        }
        Ok(calls)
    }

    /// One call, which can bring many datagrams: how many. `before` were received already.
    fn receive(
        receiver: &UdpSocket,
        receiving: &UdpSocketState,
        buffers: &mut [Vec<u8>],
        before: usize,
    ) -> io::Result<usize> {
        let mut metas = [RecvMeta::default(); BATCH_SIZE];
        let slices = buffers.iter_mut().map(|buffer| IoSliceMut::new(buffer));
        let mut slices: Vec<IoSliceMut<'_>> = slices.collect();
        let messages = receiving.recv(receiver.into(), &mut slices, &mut metas)?;
        let mut datagrams = 0;
        for (buffer, meta) in buffers.iter().zip(&metas[..messages]) {
            // Those that were joined are `stride` bytes apart.
            for datagram in buffer[..meta.len].chunks(meta.stride) {
                assert!(datagram == [(before + datagrams) as u8; SIZE]);
                datagrams += 1;
            }
        }
        Ok(datagrams)
    }
}
