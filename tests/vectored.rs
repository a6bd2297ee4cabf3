//! Several buffers by one call: as many bytes as it says, in their order.
#![cfg(all(any(target_os = "linux", windows), feature = "os-ext", feature = "net"))]

mod support;

use std::io::{IoSlice, IoSliceMut, Read, Write};

use mio::event::Event;
use mio::{Interest, Token};
use support::{assert_would_block, every_pair, expect_events, poll_and_events, Pair};

every_pair!(buffers_are_written_and_read_in_order);

fn buffers_are_written_and_read_in_order<P: Pair>() {
    let (mut poll, mut events) = poll_and_events();
    let (mut writer, mut reader) = P::connected();
    poll.registry()
        .register(&mut reader, Token(1), Interest::READABLE)
        .unwrap();
    // Also one byte, which no answer of a system must be taken for.
    for parts in [&[&b"a"[..], b"", b"bcd"][..], &[b"", b"e"]] {
        let slices: Vec<_> = parts.iter().map(|part| IoSlice::new(part)).collect();
        let sent = parts.concat();
        assert_eq!(writer.write_vectored(&slices).unwrap(), sent.len());
        expect_events(&mut poll, &mut events, &[(Token(1), Event::is_readable)]);
        let (mut first, mut second) = ([0; 2], [0; 8]);
        let mut slices = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_eq!(reader.read_vectored(&mut slices).unwrap(), sent.len());
        let got = [&first[..], &second].concat();
        assert_eq!(got[..sent.len()], sent);
        let mut slices = [IoSliceMut::new(&mut first), IoSliceMut::new(&mut second)];
        assert_would_block(reader.read_vectored(&mut slices));
    }
}
