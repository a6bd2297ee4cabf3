//! Options of UDP sockets reach the kernel and come back.
#![cfg(all(
    any(target_os = "linux", windows),
    feature = "os-poll",
    feature = "net"
))]

mod support;

use std::io::ErrorKind;
use std::net::{Ipv4Addr, Ipv6Addr};

use mio::net::UdpSocket;
use support::{localhost, localhost_v6};

#[test]
fn udp_options_come_back_as_they_were_set() {
    let socket = UdpSocket::bind(localhost()).unwrap();
    for on in [true, false] {
        socket.set_broadcast(on).unwrap();
        assert_eq!(socket.broadcast().unwrap(), on);
        socket.set_multicast_loop_v4(on).unwrap();
        assert_eq!(socket.multicast_loop_v4().unwrap(), on);
    }
    socket.set_ttl(61).unwrap();
    assert_eq!(socket.ttl().unwrap(), 61);
    socket.set_multicast_ttl_v4(7).unwrap();
    assert_eq!(socket.multicast_ttl_v4().unwrap(), 7);
    #[cfg(unix)]
    assert_eq!(support::socket_option(&socket, libc::SO_REUSEADDR), 0);
    if let Ok(socket) = UdpSocket::bind(localhost_v6()) {
        for on in [true, false] {
            socket.set_multicast_loop_v6(on).unwrap();
            assert_eq!(socket.multicast_loop_v6().unwrap(), on);
        }
        let only = support::situations::only_v6(&socket);
        assert_eq!(socket.only_v6().unwrap(), only);
    }
}

/// How the systems name it.
const SECOND_JOIN: [ErrorKind; 2] = [ErrorKind::AddrInUse, ErrorKind::InvalidInput];

const SECOND_LEAVE: [ErrorKind; 2] = [ErrorKind::AddrNotAvailable, ErrorKind::InvalidInput];

#[test]
fn multicast_group_is_joined_once_and_left_once() {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0).into()).unwrap();
    let (group, interface) = (Ipv4Addr::new(239, 255, 77, 1), Ipv4Addr::LOCALHOST);
    socket.join_multicast_v4(&group, &interface).unwrap();
    let again = socket.join_multicast_v4(&group, &interface);
    assert!(SECOND_JOIN.contains(&again.unwrap_err().kind()));
    socket.leave_multicast_v4(&group, &interface).unwrap();
    let again = socket.leave_multicast_v4(&group, &interface);
    assert!(SECOND_LEAVE.contains(&again.unwrap_err().kind()));
    if let Ok(socket) = UdpSocket::bind(localhost_v6()) {
        // The loopback is interface 1 in every network namespace.
        let group = Ipv6Addr::new(0xff11, 0, 0, 0, 0, 0, 0, 0x7701);
        socket.join_multicast_v6(&group, 1).unwrap();
        let again = socket.join_multicast_v6(&group, 1);
        assert!(SECOND_JOIN.contains(&again.unwrap_err().kind()));
        socket.leave_multicast_v6(&group, 1).unwrap();
        let again = socket.leave_multicast_v6(&group, 1);
        assert!(SECOND_LEAVE.contains(&again.unwrap_err().kind()));
        socket.join_multicast_v6(&group, 1).unwrap();
    }
}

#[cfg(target_os = "linux")]
#[test]
fn only_v6_is_what_was_set_before() {
    use rustix::net::{socket, sockopt::set_ipv6_v6only, AddressFamily, SocketType};
    for on in [true, false] {
        let Ok(fd) = socket(AddressFamily::INET6, SocketType::DGRAM, None) else {
            return; // A system without IPv6.
        };
        set_ipv6_v6only(&fd, on).unwrap();
        assert_eq!(UdpSocket::from(fd).only_v6().unwrap(), on);
    }
}
