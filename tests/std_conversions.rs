//! Sockets come from std and from raw descriptors, and go back, with the same descriptor inside.
#![cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]

mod support;

use std::mem::size_of;
use std::panic::{RefUnwindSafe, UnwindSafe};

use mio::net::{TcpListener, TcpStream, UdpSocket};
#[cfg(unix)]
use mio::net::{UnixDatagram, UnixListener, UnixStream};
use support::{
    assert_nonblocking, assert_send_sync, from_raw, into_raw, localhost, raw, raw_of_borrowed,
    Owned,
};

fn assert_unwind_safe<T: UnwindSafe + RefUnwindSafe>() {}

/// Writes the tests of one type: a blocking socket of std, and the two types.
macro_rules! conversions {
    ($($case:ident: $std:expr => $theirs:ty, $ours:ty;)+) => { $(
        mod $case {
            use super::*;

            #[test]
            fn from_std_changes_nothing() {
                let (_kept, theirs) = $std;
                let name = raw(&theirs);
                let ours = <$ours>::from_std(theirs);
                assert_eq!(raw(&ours), name);
                assert_nonblocking(&ours, false);
            }

            #[test]
            fn into_std_stays_non_blocking() {
                let (_kept, theirs) = $std;
                let name = raw(&theirs);
                theirs.set_nonblocking(true).unwrap();
                let back = <$theirs>::from(<$ours>::from_std(theirs));
                assert_eq!(raw(&back), name);
                assert_nonblocking(&back, true);
            }

            #[test]
            fn owned_descriptor_round_trip() {
                let (_kept, theirs) = $std;
                let name = raw(&theirs);
                let owned = Owned::from(<$ours>::from_std(theirs));
                assert_eq!(raw(&owned), name);
                let ours = <$ours>::from(owned);
                assert_eq!((raw(&ours), raw_of_borrowed(&ours)), (name, name));
            }

            #[test]
            fn raw_descriptor_round_trip() {
                let (_kept, theirs) = $std;
                let name = raw(&theirs);
                let given = into_raw(<$ours>::from_std(theirs));
                assert_eq!(given, name);
                #[allow(unsafe_code)]
                // SAFETY: `into_raw` has just given it up to us.
                let ours: $ours = unsafe { from_raw(given) };
                assert_eq!(raw(&ours), name);
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
                assert_unwind_safe::<$ours>();
                if KERNEL_KNOWS_SOURCES && !cfg!(debug_assertions) {
                    assert_eq!(size_of::<$ours>(), size_of::<$theirs>());
                }
            }
        }
    )+ };
}

/// Elsewhere a source remembers where it is registered.
const KERNEL_KNOWS_SOURCES: bool = support::IS_EPOLL;

conversions! {
    tcp_listener: ((), std_listener()) => std::net::TcpListener, TcpListener;
    tcp_stream: std_stream() => std::net::TcpStream, TcpStream;
    udp_socket: ((), std::net::UdpSocket::bind(localhost()).unwrap())
        => std::net::UdpSocket, UdpSocket;
}

#[cfg(unix)]
conversions! {
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

#[cfg(unix)]
fn std_unix_listener() -> (tempfile::TempDir, std::os::unix::net::UnixListener) {
    let (dir, path) = support::temp_path("socket");
    (dir, std::os::unix::net::UnixListener::bind(path).unwrap())
}

#[test]
fn small_types_stay_small_in_release() {
    if !cfg!(debug_assertions) {
        assert_eq!(size_of::<mio::Token>(), size_of::<usize>());
        #[cfg(target_os = "linux")]
        if support::IS_EPOLL {
            assert_eq!(
                size_of::<mio::event::Event>(),
                size_of::<libc::epoll_event>()
            );
        }
    }
}
