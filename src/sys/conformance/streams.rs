//! A pair of connected streams, as this family of systems has them.

cfg_if! {
    if #[cfg(unix)] {
        use std::fs::File;
        use std::io::{self, Read, Write};
        use std::net::Shutdown;
        use std::os::fd::{AsRawFd, OwnedFd, RawFd};
        use std::os::unix::net::UnixStream;

        /// Read and written by read(2) and write(2), as a `File` does it: Miri knows
        /// no send(2) of this kind of socket.
        #[derive(Debug)]
        pub(super) struct Stream(File);

        impl Stream {
            pub(super) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
                UnixStream::from(OwnedFd::from(self.0.try_clone()?)).shutdown(how)
            }
        }

        impl Read for Stream {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0.read(buffer)
            }
        }

        impl Write for Stream {
            fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
                self.0.write(bytes)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        impl AsRawFd for Stream {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }

        /// What is no source, and the error that says so.
        pub(super) const BAD_SOURCE: (i32, i32) = (-1, libc::EBADF);

        /// Two ends of a stream, non-blocking.
        pub(super) fn pair() -> (Stream, Stream) {
            let (one, other) = crate::sys::net::unix_pair().unwrap();
            let stream = |end| Stream(File::from(OwnedFd::from(end)));
            (stream(one), stream(other))
        }

        /// What was written can be read at once.
        pub(super) fn arrived(_: &Stream) {}

        /// Ends both directions.
        pub(super) fn hang_up(_: &mut Stream, peer: Stream) {
            drop(peer);
        }
    } else {
        use std::io::Write;
        pub(super) use std::net::TcpStream as Stream;

        #[cfg(windows)]
        pub(super) const BAD_SOURCE: (crate::sys::RawSource, i32) = (
            crate::sys::RawSource::MAX,
            windows_sys::Win32::Networking::WinSock::WSAENOTSOCK,
        );
        #[cfg(not(windows))]
        pub(super) const BAD_SOURCE: (i32, i32) = (-1, libc::EBADF);

        pub(super) fn pair() -> (Stream, Stream) {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let one = Stream::connect(listener.local_addr().unwrap()).unwrap();
            let (other, _) = listener.accept().unwrap();
            for end in [&one, &other] {
                end.set_nonblocking(true).unwrap();
                end.set_nodelay(true).unwrap();
            }
            // The hosts of WASI refuse the first write of a socket that does not block.
            other.set_nonblocking(cfg!(windows)).unwrap();
            (one, other)
        }

        /// What was written can be read at once, but on WASI, where a host hands it on.
        pub(super) fn arrived(end: &Stream) {
            let _ = end;
            #[cfg(target_os = "wasi")]
            crate::sys::poll_fds(
                &mut [libc::pollfd {
                    fd: crate::sys::raw_source(end),
                    events: libc::POLLIN,
                    revents: 0,
                }],
                None,
            )
            .unwrap();
        }

        /// A peer that is closed with unread data resets the connection; else it
        /// ends one direction only.
        pub(super) fn hang_up(end: &mut Stream, peer: Stream) {
            end.set_nonblocking(false).unwrap();
            end.write_all(b"unread").unwrap();
            end.set_nonblocking(true).unwrap();
            drop(peer);
        }
    }
}
