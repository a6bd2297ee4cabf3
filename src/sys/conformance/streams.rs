//! A pair of connected streams, as this family of systems has them.

cfg_if! {
    if #[cfg(unix)] {
        pub(super) use std::os::unix::net::UnixStream as Stream;

        /// What is no source, and the error that says so.
        pub(super) const BAD_SOURCE: (i32, i32) = (-1, libc::EBADF);

        /// Two ends of a stream, non-blocking.
        pub(super) fn pair() -> (Stream, Stream) {
            crate::sys::net::unix_pair().unwrap()
        }

        /// Ends both directions.
        pub(super) fn hang_up(_: &mut Stream, peer: Stream) {
            drop(peer);
        }
    } else {
        use std::io::Write;
        pub(super) use std::net::TcpStream as Stream;
        use windows_sys::Win32::Networking::WinSock::WSAENOTSOCK;

        pub(super) const BAD_SOURCE: (crate::sys::RawSource, i32) =
            (crate::sys::RawSource::MAX, WSAENOTSOCK);

        pub(super) fn pair() -> (Stream, Stream) {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let one = Stream::connect(listener.local_addr().unwrap()).unwrap();
            let (other, _) = listener.accept().unwrap();
            for end in [&one, &other] {
                end.set_nonblocking(true).unwrap();
                end.set_nodelay(true).unwrap();
            }
            (one, other)
        }

        /// A peer that is closed with unread data resets the connection; else it
        /// ends one direction only.
        pub(super) fn hang_up(end: &mut Stream, peer: Stream) {
            end.write_all(b"unread").unwrap();
            drop(peer);
        }
    }
}
