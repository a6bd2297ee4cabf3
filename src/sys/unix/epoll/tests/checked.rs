//! A source that remembers whether it is registered, as it does over kqueue: here over a queue
//! whose kernel knows it, too.

use super::super::Selector;
use crate::interest::Interest;
use crate::sys::edges::CheckedEdges;
use crate::sys::queue::Queue;
use crate::sys::{Backend, Registration};
use crate::token::Token;
use std::io::{self, ErrorKind};
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;

#[test]
fn a_failed_change_is_the_end_if_there_was_nothing_to_change() {
    let queue = Arc::new(Queue::<Selector>::new().unwrap());
    let (stream, _peer) = UnixStream::pair().unwrap();
    let fd = stream.as_raw_fd();
    let mut source = CheckedEdges::default();
    // The kernel finds the same mistakes, but its errors have a number.
    let told = |result: io::Result<()>| result.map_err(|err| (err.kind(), err.raw_os_error()));
    let register = |source: &mut CheckedEdges<Selector>| {
        told(source.register(&queue, fd, Token(1), Interest::READABLE))
    };
    let change = |source: &mut CheckedEdges<Selector>, interest| {
        told(source.reregister(&queue, fd, Token(2), interest))
    };
    let refusal = Err((ErrorKind::AlreadyExists, None));
    let refused = Interest::READABLE.exclusive().oneshot();

    assert_eq!(register(&mut source), Ok(()));
    assert_eq!(change(&mut source, Interest::WRITABLE), Ok(()));
    assert_eq!(register(&mut source), refusal);
    let invalid = change(&mut source, refused);
    assert_eq!(invalid, Err((ErrorKind::InvalidInput, None)));
    assert_eq!(register(&mut source), refusal);

    queue.selector().deregister(fd, &()).unwrap();
    let gone = change(&mut source, Interest::WRITABLE);
    assert_eq!(gone, Err((ErrorKind::NotFound, Some(libc::ENOENT))));
    assert_eq!(register(&mut source), Ok(()));
}
