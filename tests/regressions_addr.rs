//! Defects of mio 1.2.5 in Unix addresses. Each test fails there.
#![cfg(all(target_os = "linux", feature = "os-poll", feature = "net"))]

mod support;

use std::io::ErrorKind;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::SocketAddr;

use mio::net::{UnixDatagram, UnixListener, UnixStream};
use support::situations;

/// Abstract names that are this test's own: a middle part makes them unique.
fn name(parts: [&[u8]; 2]) -> Vec<u8> {
    let unique = format!("mio-regression-{}", std::process::id()).into_bytes();
    [parts[0], unique.as_slice(), parts[1]].concat()
}

/// Was reported as unnamed.
#[test]
fn accept_names_an_abstract_peer() {
    for server in [name([b"", b"server"]), name([b"\0", b"server"])] {
        let address = SocketAddr::from_abstract_name(&server).unwrap();
        let listener = UnixListener::bind_addr(&address).unwrap();
        for client in [name([b"", b"client"]), name([b"\0\0", b"client"])] {
            let (own, to) = (
                [b"\0", client.as_slice()].concat(),
                [b"\0", server.as_slice()].concat(),
            );
            let _stream = situations::unix_stream_bound_and_connected(&own, &to);
            let (stream, peer) = listener.accept().unwrap();
            assert_eq!(peer.as_abstract_name(), Some(client.as_slice()));
            let asked = stream.peer_addr().unwrap();
            assert_eq!(asked.as_abstract_name(), Some(client.as_slice()));
        }
    }
}

/// Lost their last byte.
#[test]
fn abstract_names_that_begin_with_nul_are_whole() {
    let name = name([b"\0", b"whole"]);
    let address = SocketAddr::from_abstract_name(&name).unwrap();
    let listener = UnixListener::bind_addr(&address).unwrap();
    assert_eq!(
        listener.local_addr().unwrap().as_abstract_name(),
        Some(name.as_slice())
    );
    std::os::unix::net::UnixStream::connect_addr(&address).unwrap();
    UnixStream::connect_addr(&address).unwrap();
    let socket = UnixDatagram::bind_addr(&address).unwrap();
    assert_eq!(
        socket.local_addr().unwrap().as_abstract_name(),
        Some(name.as_slice())
    );
}

/// Became a name of the kernel's choice. The empty name is one name for the whole machine, so
/// either this process gets it or somebody else has it.
#[test]
fn empty_abstract_name_is_a_name() {
    let address = SocketAddr::from_abstract_name(b"").unwrap();
    match UnixDatagram::bind_addr(&address) {
        Ok(socket) => {
            assert_eq!(
                socket.local_addr().unwrap().as_abstract_name(),
                Some(b"".as_slice())
            );
        }
        Err(error) => assert_eq!(error.kind(), ErrorKind::AddrInUse),
    }
}
