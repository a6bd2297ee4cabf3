//! Passes a descriptor to another socket's owner: here the reading end of a pipe, over a Unix
//! stream.
//!
//! ```text
//! cargo run --release --all-features --example fd_passing
//! ```
//!
//! Sockets of this crate have no methods for ancillary messages. `try_io` lends the socket to
//! whoever has them, here to the rustix crate, and learns from `WouldBlock` that it must wait.

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "macos"))]
fn main() -> std::io::Result<()> {
    unix::main()
}

#[cfg(not(any(target_os = "linux", target_os = "freebsd", target_os = "macos")))]
fn main() {
    println!("this example is of Linux, FreeBSD and macOS");
}

#[cfg(any(target_os = "linux", target_os = "freebsd", target_os = "macos"))]
mod unix {
    use std::io::{self, ErrorKind, IoSlice, IoSliceMut, Read, Write};
    use std::mem::MaybeUninit;
    use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

    use mio::net::UnixStream;
    use mio::unix::pipe::{self, Receiver};
    use mio::{Events, Interest, Poll, Token};
    use rustix::net::{
        recvmsg, sendmsg, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags,
        SendAncillaryBuffer, SendAncillaryMessage, SendFlags,
    };

    const RIGHT: Token = Token(0);
    const PASSED: Token = Token(1);

    pub(crate) fn main() -> io::Result<()> {
        let mut poll = Poll::new()?;
        let (left, mut right) = UnixStream::pair()?;
        poll.registry()
            .register(&mut right, RIGHT, Interest::READABLE)?;

        let (mut sender, receiver) = pipe::new()?;
        send(&left, "a pipe", receiver.as_fd())?;
        // What was sent holds the pipe open from now on.
        drop(receiver);
        sender.write_all(b"words through the passed descriptor")?;
        drop(sender);

        let mut passed = None;
        let mut text = String::new();
        let mut events = Events::with_capacity(8);
        loop {
            if let Err(err) = poll.poll(&mut events, None) {
                if err.kind() == ErrorKind::Interrupted {
                    continue;
                }
                return Err(err);
            }
            for event in &events {
                if event.token() == RIGHT {
                    while let Some((note, fd)) = would_block(receive(&right))? {
                        println!("received {note}");
                        // A description of a file is shared, and so is its non-blocking mode.
                        let mut pipe = Receiver::from(fd);
                        poll.registry()
                            .register(&mut pipe, PASSED, Interest::READABLE)?;
                        passed = Some(pipe);
                    }
                } else if let Some(pipe) = &mut passed {
                    if would_block(pipe.read_to_string(&mut text))?.is_some() {
                        println!("{text}");
                        return Ok(());
                    }
                }
            }
        }
    }

    /// Sends a note, and the descriptor beside it.
    fn send(socket: &UnixStream, note: &str, fd: BorrowedFd<'_>) -> io::Result<()> {
        socket.try_io(|| {
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = SendAncillaryBuffer::new(&mut space);
            let fds = [fd];
            if !ancillary.push(SendAncillaryMessage::ScmRights(&fds)) {
                return Err(io::Error::new(
                    ErrorKind::Other,
                    "no space for a descriptor",
                ));
            }
            let note = [IoSlice::new(note.as_bytes())];
            sendmsg(socket, &note, &mut ancillary, SendFlags::empty())?;
            Ok(())
        })
    }

    /// Receives a note and its descriptor.
    fn receive(socket: &UnixStream) -> io::Result<(String, OwnedFd)> {
        socket.try_io(|| {
            let mut note = [0; 64];
            let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
            let mut ancillary = RecvAncillaryBuffer::new(&mut space);
            let mut notes = [IoSliceMut::new(&mut note)];
            let received = recvmsg(socket, &mut notes, &mut ancillary, RecvFlags::empty())?;
            let mut fds = ancillary.drain().filter_map(|message| match message {
                RecvAncillaryMessage::ScmRights(fds) => Some(fds),
                _ => None,
            });
            let fd = fds.next().and_then(|mut fds| fds.next());
            let fd = fd.ok_or(ErrorKind::UnexpectedEof)?;
            Ok((
                String::from_utf8_lossy(&note[..received.bytes]).into_owned(),
                fd,
            ))
        })
    }

    /// None if it would block.
    fn would_block<T>(result: io::Result<T>) -> io::Result<Option<T>> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(err) if err.kind() == ErrorKind::WouldBlock => Ok(None),
            Err(err) => Err(err),
        }
    }
}
