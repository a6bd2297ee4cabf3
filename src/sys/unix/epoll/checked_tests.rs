//! A source that remembers whether it is registered, as it does over kqueue: here over a queue
//! whose kernel knows it, too.

use super::Selector;
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
    let kind = |result: io::Result<()>| result.map_err(|err| err.kind());
    let register =
        |source: &mut CheckedEdges| kind(source.register(&queue, fd, Token(1), Interest::READABLE));
    let change = |source: &mut CheckedEdges, interest| {
        kind(source.reregister(&queue, fd, Token(2), interest))
    };
    let refused = Interest::READABLE.exclusive().oneshot();

    assert_eq!(register(&mut source), Ok(()));
    assert_eq!(change(&mut source, Interest::WRITABLE), Ok(()));
    assert_eq!(register(&mut source), Err(ErrorKind::AlreadyExists));
    let invalid = change(&mut source, refused);
    assert_eq!(invalid, Err(ErrorKind::InvalidInput));
    assert_eq!(register(&mut source), Err(ErrorKind::AlreadyExists));

    queue.selector().deregister(fd, &()).unwrap();
    let gone = change(&mut source, Interest::WRITABLE);
    assert_eq!(gone, Err(ErrorKind::NotFound));
    assert_eq!(register(&mut source), Ok(()));
}
