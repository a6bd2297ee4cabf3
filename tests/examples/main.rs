//! The examples, run as the processes they are, against clients of the standard library.
#![cfg(all(any(unix, windows), feature = "os-poll", feature = "net"))]

mod chat;
#[cfg(all(
    feature = "os-ext",
    any(target_os = "linux", target_os = "freebsd", target_os = "macos")
))]
mod descriptors;
mod example;
mod tcp;
#[cfg(all(windows, feature = "os-ext"))]
mod windows;

use std::net::UdpSocket;

use example::{Example, ANY_PORT, GUARD};

#[test]
fn udp_server_echoes_datagrams() {
    let server = Example::run("udp_server", &[ANY_PORT]);
    let address = server.address();
    let clients = [0, 1].map(|_| {
        let socket = UdpSocket::bind(ANY_PORT).unwrap();
        socket.set_read_timeout(Some(GUARD)).unwrap();
        socket
    });

    let mut buffer = vec![0; 65_535];
    for datagram in [&b"hello"[..], b"", &[1; 1200], &[2; 9000], b"bye"] {
        for client in &clients {
            client.send_to(datagram, address).unwrap();
        }
        for client in &clients {
            let (len, from) = client.recv_from(&mut buffer).unwrap();
            assert_eq!((&buffer[..len], from), (datagram, address));
        }
    }
}

#[test]
fn readme_greets_and_ends() {
    let (lines, status) = Example::run("readme", &[]).finish();
    assert!(status.success(), "{status}");
    assert!(lines[0].starts_with("listening on 127.0.0.1:"), "{lines:?}");
    assert!(lines[1].starts_with("hello, 127.0.0.1:"), "{lines:?}");
}

#[cfg(unix)]
#[test]
fn unix_socket_asks_and_is_told() {
    let (lines, status) = Example::run("unix_socket", &[]).finish();
    assert!(status.success(), "{status}");
    let (first, rest) = lines.split_first().unwrap();
    let path = first.strip_prefix("stream: listening on ").unwrap();
    let directory = std::path::Path::new(path).parent().unwrap();
    assert!(!directory.exists(), "{first} and left its directory");
    let asked = [r#"asked "what is the time?""#, r#"told "time for tea""#];
    assert_eq!(
        rest,
        ["stream", "datagram"]
            .map(|kind| asked.map(|a| format!("{kind}: {a}")))
            .concat()
    );
}

#[cfg(all(unix, feature = "os-ext"))]
#[test]
fn child_process_writes_and_reads_at_once() {
    let (lines, status) = Example::run("child_process", &[]).finish();
    assert!(status.success(), "{status}");
    assert_eq!(
        lines[0],
        "wrote 1048576 bytes, read 1048576 bytes, exit status: 0"
    );
    assert_eq!(
        lines[1],
        "first line: THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG"
    );
}

#[cfg(all(unix, feature = "os-ext"))]
#[test]
fn child_process_accepts_that_a_child_hangs_up() {
    let (lines, status) = Example::run("child_process", &["head", "-c", "10"]).finish();
    assert!(status.success(), "{status}");
    assert!(
        lines[0].contains("read 10 bytes, exit status: 0"),
        "{lines:?}"
    );

    let (lines, status) = Example::run("child_process", &["false"]).finish();
    assert_eq!(status.code(), Some(1));
    assert!(
        lines[0].contains("read 0 bytes, exit status: 1"),
        "{lines:?}"
    );
}
