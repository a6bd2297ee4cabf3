//! Sockets come from std and from raw descriptors, and go back, with the same descriptor inside.
#![cfg(all(unix, feature = "os-poll", feature = "net"))]

mod support;

use std::os::fd::{AsFd, AsRawFd, FromRawFd, IntoRawFd, OwnedFd};

use mio::net::{TcpListener, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixStream};
use support::{assert_send_sync, is_nonblocking, localhost, temp_path};

/// Writes the tests of one type: a blocking socket of std, and the two types.
macro_rules! conversions {
    ($($case:ident: $std:expr => $theirs:ty, $ours:ty;)+) => { $(
        mod $case {
            use super::*;

            #[test]
            fn from_std_changes_nothing() {
                let (_kept, theirs) = $std;
                let fd = theirs.as_raw_fd();
                let ours = <$ours>::from_std(theirs);
                assert_eq!(ours.as_raw_fd(), fd);
                assert!(!is_nonblocking(&ours));
            }

            #[test]
            fn into_std_stays_non_blocking() {
                let (_kept, theirs) = $std;
                let fd = theirs.as_raw_fd();
                theirs.set_nonblocking(true).unwrap();
                let back = <$theirs>::from(<$ours>::from_std(theirs));
                assert_eq!(back.as_raw_fd(), fd);
                assert!(is_nonblocking(&back));
            }

            #[test]
            fn owned_descriptor_round_trip() {
                let (_kept, theirs) = $std;
                let fd = theirs.as_raw_fd();
                let owned = OwnedFd::from(<$ours>::from_std(theirs));
                assert_eq!(owned.as_raw_fd(), fd);
                let ours = <$ours>::from(owned);
                assert_eq!((ours.as_raw_fd(), ours.as_fd().as_raw_fd()), (fd, fd));
            }

            #[test]
            fn raw_descriptor_round_trip() {
                let (_kept, theirs) = $std;
                let fd = theirs.as_raw_fd();
                let raw = <$ours>::from_std(theirs).into_raw_fd();
                assert_eq!(raw, fd);
                #[allow(unsafe_code)]
                // SAFETY: `into_raw_fd` has just given this descriptor up to us.
                let ours = unsafe { <$ours>::from_raw_fd(raw) };
                assert_eq!(ours.as_raw_fd(), fd);
            }

            #[test]
            fn prints_as_std_does() {
                let (_kept, theirs) = $std;
                let text = format!("{theirs:?}");
                assert_eq!(format!("{:?}", <$ours>::from_std(theirs)), text);
            }

            #[test]
            fn is_as_small_as_std_in_release_and_crosses_threads() {
                assert_send_sync::<$ours>();
                if KERNEL_KNOWS_SOURCES && !cfg!(debug_assertions) {
                    assert_eq!(size_of::<$ours>(), size_of::<$theirs>());
                }
            }
        }
    )+ };
}

use std::mem::size_of;

/// With poll(2) a source remembers where it is registered.
const KERNEL_KNOWS_SOURCES: bool = !cfg!(mio_unsupported_force_poll_poll);

conversions! {
    tcp_listener: ((), std_listener()) => std::net::TcpListener, TcpListener;
    tcp_stream: std_stream() => std::net::TcpStream, TcpStream;
    udp_socket: ((), std::net::UdpSocket::bind(localhost()).unwrap())
        => std::net::UdpSocket, UdpSocket;
    unix_listener: std_unix_listener() => std::os::unix::net::UnixListener, UnixListener;
    unix_stream: std::os::unix::net::UnixStream::pair().unwrap()
        => std::os::unix::net::UnixStream, UnixStream;
    unix_datagram: std::os::unix::net::UnixDatagram::pair().unwrap()
        => std::os::unix::net::UnixDatagram, UnixDatagram;
}

fn std_listener() -> std::net::TcpListener {
    std::net::TcpListener::bind(localhost()).unwrap()
}

fn std_stream() -> (std::net::TcpListener, std::net::TcpStream) {
    let listener = std_listener();
    let stream = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener, stream)
}

fn std_unix_listener() -> (tempfile::TempDir, std::os::unix::net::UnixListener) {
    let (dir, path) = temp_path("socket");
    (dir, std::os::unix::net::UnixListener::bind(path).unwrap())
}

#[test]
fn small_types_stay_small_in_release() {
    if !cfg!(debug_assertions) {
        assert_eq!(size_of::<mio::Token>(), size_of::<usize>());
        #[cfg(all(target_os = "linux", not(mio_unsupported_force_poll_poll)))]
        assert_eq!(
            size_of::<mio::event::Event>(),
            size_of::<libc::epoll_event>()
        );
    }
}
