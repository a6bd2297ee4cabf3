//! What Linux reports about IP sockets in each situation, and what an event makes of it.
#![cfg(all(target_os = "linux", feature = "os-ext", feature = "net"))]

mod support;

use std::io::Write;
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};

use support::localhost;
use support::situations;
use support::watch::{judge_all, keep, Kept, Row, Watch, ERR, HUP, IN, NO_EVENT, OUT, PRI, RDHUP};

#[rustfmt::skip]
const TCP_STREAM: &[Row] = &[
    ("connected", connected, OUT, "w"),
    ("peer wrote", peer_wrote, IN | OUT, "rw"),
    ("peer wrote more, nothing read", peer_wrote_more, IN | OUT, "rw"),
    ("peer sent urgent data", peer_sent_urgent, PRI | OUT, "rwp"),
    ("peer half-closed", peer_half_closed, IN | OUT | RDHUP, "rwR"),
    ("the same, urgent data unread", urgent_then_half_closed, IN | OUT | RDHUP | PRI, "rwRp"),
    ("own read side shut", own_read_shut, IN | OUT | RDHUP, "rwR"),
    ("own write side shut", own_write_shut, OUT, "w"),
    ("own write side shut, then peer's", own_then_peer, IN | OUT | HUP | RDHUP, "rwRW"),
    ("peer half-closed, then own side shut", peer_then_own, IN | OUT | HUP | RDHUP, "rwRW"),
    ("reset by peer", reset, IN | OUT | ERR | HUP | RDHUP, "rweRW"),
    ("connect refused", refused, IN | OUT | ERR | HUP | RDHUP, "rweRW"),
    ("registered before connect", unconnected, OUT | HUP, "wRW"),
    ("writable only: peer half-closed", writable_only_half_closed, OUT, "w"),
    ("writable only: peer closed after half-close", writable_only_closed, NO_EVENT, ""),
    ("writable only: reset", writable_only_reset, OUT | ERR | HUP, "weRW"),
];

#[rustfmt::skip]
const TCP_LISTENER_AND_UDP: &[Row] = &[
    ("listener: connection", listener_connection, IN, "r"),
    ("listener: one more, backlog not drained", listener_one_more, IN, "r"),
    ("listener: shut", listener_shut, OUT | HUP, "wRW"),
    ("UDP: port unreachable", udp_unreachable, OUT | ERR, "weW"),
    ("UDP: datagram", udp_datagram, IN | OUT, "rw"),
];

#[test]
fn tcp_streams() {
    judge_all(TCP_STREAM);
}

#[test]
fn tcp_listeners_and_udp() {
    judge_all(TCP_LISTENER_AND_UDP);
}

/// A connected pair of blocking std streams: the peer, and the end that is watched.
fn tcp() -> (TcpStream, TcpStream) {
    let (client, server) = support::tcp_pair();
    (client.into(), server.into())
}

/// Watches one end and lets `change` act on the peer and on that end.
fn then(watch: &mut Watch, change: impl FnOnce(&mut TcpStream, &TcpStream)) -> Kept {
    let (mut peer, own) = tcp();
    watch.start(&own);
    change(&mut peer, &own);
    keep(peer, own)
}

fn connected(watch: &mut Watch) -> Kept {
    let (peer, own) = tcp();
    watch.add(&own);
    keep(peer, own)
}

fn peer_wrote(watch: &mut Watch) -> Kept {
    then(watch, |peer, _| peer.write_all(b"x").unwrap())
}

fn peer_wrote_more(watch: &mut Watch) -> Kept {
    let (mut peer, own) = tcp();
    watch.start(&own);
    peer.write_all(b"x").unwrap();
    watch.judge("first segment", IN | OUT, "rw");
    peer.write_all(b"y").unwrap();
    keep(peer, own)
}

fn peer_sent_urgent(watch: &mut Watch) -> Kept {
    then(watch, |peer, _| situations::send_urgent(peer))
}

fn peer_half_closed(watch: &mut Watch) -> Kept {
    then(watch, |peer, _| peer.shutdown(Shutdown::Write).unwrap())
}

fn urgent_then_half_closed(watch: &mut Watch) -> Kept {
    then(watch, |peer, _| {
        situations::send_urgent(peer);
        peer.shutdown(Shutdown::Write).unwrap();
    })
}

fn own_read_shut(watch: &mut Watch) -> Kept {
    then(watch, |_, own| own.shutdown(Shutdown::Read).unwrap())
}

fn own_write_shut(watch: &mut Watch) -> Kept {
    then(watch, |_, own| own.shutdown(Shutdown::Write).unwrap())
}

fn own_then_peer(watch: &mut Watch) -> Kept {
    then(watch, |peer, own| {
        own.shutdown(Shutdown::Write).unwrap();
        peer.shutdown(Shutdown::Write).unwrap();
    })
}

fn peer_then_own(watch: &mut Watch) -> Kept {
    then(watch, |peer, own| {
        peer.shutdown(Shutdown::Write).unwrap();
        own.shutdown(Shutdown::Write).unwrap();
    })
}

fn reset(watch: &mut Watch) -> Kept {
    let (peer, own) = tcp();
    watch.start(&own);
    situations::reset_on_close(&peer);
    drop(peer);
    vec![own.into()]
}

fn refused(watch: &mut Watch) -> Kept {
    let (reserved, address) = situations::deaf_port();
    let own = mio::net::TcpStream::connect(address).unwrap();
    watch.add(&own);
    keep(reserved, own)
}

fn unconnected(watch: &mut Watch) -> Kept {
    let own = situations::tcp_socket();
    watch.add(&own);
    vec![own]
}

fn writable_only_half_closed(watch: &mut Watch) -> Kept {
    let (peer, own) = tcp();
    watch.start_writable_only(&own);
    peer.shutdown(Shutdown::Write).unwrap();
    keep(peer, own)
}

fn writable_only_closed(watch: &mut Watch) -> Kept {
    let (peer, own) = tcp();
    watch.start_writable_only(&own);
    peer.shutdown(Shutdown::Write).unwrap();
    watch.judge("half-closed first", OUT, "w");
    drop(peer);
    vec![own.into()]
}

fn writable_only_reset(watch: &mut Watch) -> Kept {
    let (peer, own) = tcp();
    watch.start_writable_only(&own);
    situations::reset_on_close(&peer);
    drop(peer);
    vec![own.into()]
}

fn listener_connection(watch: &mut Watch) -> Kept {
    let own = TcpListener::bind(localhost()).unwrap();
    watch.start(&own);
    let client = TcpStream::connect(own.local_addr().unwrap()).unwrap();
    keep(client, own)
}

fn listener_one_more(watch: &mut Watch) -> Kept {
    let own = TcpListener::bind(localhost()).unwrap();
    watch.start(&own);
    let first = TcpStream::connect(own.local_addr().unwrap()).unwrap();
    watch.judge("first connection", IN, "r");
    let second = TcpStream::connect(own.local_addr().unwrap()).unwrap();
    vec![first.into(), second.into(), own.into()]
}

fn listener_shut(watch: &mut Watch) -> Kept {
    let own = TcpListener::bind(localhost()).unwrap();
    watch.start(&own);
    situations::shutdown_read(&own);
    vec![own.into()]
}

fn udp_unreachable(watch: &mut Watch) -> Kept {
    // A socket that is connected elsewhere keeps the port, and takes nothing from us on it.
    let elsewhere = UdpSocket::bind(localhost()).unwrap();
    let closed = UdpSocket::bind(localhost()).unwrap();
    closed.connect(elsewhere.local_addr().unwrap()).unwrap();

    let own = UdpSocket::bind(localhost()).unwrap();
    own.connect(closed.local_addr().unwrap()).unwrap();
    watch.start(&own);
    own.send(b"x").unwrap();
    vec![own.into(), closed.into(), elsewhere.into()]
}

fn udp_datagram(watch: &mut Watch) -> Kept {
    let peer = UdpSocket::bind(localhost()).unwrap();
    let own = UdpSocket::bind(localhost()).unwrap();
    watch.start(&own);
    peer.send_to(b"x", own.local_addr().unwrap()).unwrap();
    keep(peer, own)
}
