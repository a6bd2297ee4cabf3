//! Sources: registration, edges, hang-ups, a small buffer, time.

use super::*;

pub(super) fn a_source_that_is_ready_is_reported_at_registration<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    send(&mut peer, b"x", &end);
    end.register(&poller, 7, Interest::READABLE | Interest::WRITABLE);
    let (mut readable, mut writable) = (false, false);
    while !(readable && writable) {
        for (token, readiness) in poller.wait() {
            assert_eq!(token, Token(7));
            readable |= readiness.intersects(Readiness::READABLE);
            writable |= readiness.intersects(Readiness::WRITABLE);
        }
    }
}

pub(super) fn each_edge_is_reported<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    for _ in 0..3 {
        assert!(poller.look().is_empty());
        send(&mut peer, b"x", &end);
        let events = poller.wait();
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, Token(7));
        assert!(events[0].1.intersects(Readiness::READABLE));
        assert_eq!(end.drain(), 1);
    }
}

pub(super) fn a_wait_without_readiness_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, _peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    assert!(poller.look().is_empty());
    assert!(poller
        .poll_for(1, Some(Duration::from_millis(1)))
        .is_empty());
}

pub(super) fn would_block_arms_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    // A read that finds nothing, and data right after it: no edge is lost.
    for _ in 0..100 {
        let err = end.read(&mut [0; 8]).unwrap_err();
        assert_eq!(err.kind(), ErrorKind::WouldBlock);
        send(&mut peer, b"xy", &end);
        poller.wait();
        assert_eq!(end.drain(), 2);
    }
}

pub(super) fn data_after_a_partial_read_is_not_lost<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    send(&mut peer, b"abc", &end);
    poller.wait();
    assert_eq!(end.read(&mut [0; 1]).unwrap(), 1);
    send(&mut peer, b"d", &end);
    // Not drained: no event is promised, but draining finds everything, and
    // the next edge comes. The hosts of WASI may tell late of what was read
    // already: whoever is told of more drains again.
    let mut drained = 0;
    loop {
        drained += end.drain();
        if poller.look().is_empty() && drained == 3 {
            break;
        }
    }
    send(&mut peer, b"e", &end);
    while drained < 4 {
        poller.wait();
        drained += end.drain();
    }
}

pub(super) fn reregistration_reports_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    send(&mut peer, b"x", &end);
    poller.wait();
    for _ in 0..3 {
        end.reregister(&poller, 7, Interest::READABLE);
        let events = poller.wait();
        assert!(events[0].1.intersects(Readiness::READABLE));
    }
}

pub(super) fn reregistration_changes_token_and_interest<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    send(&mut peer, b"x", &end);
    end.reregister(&poller, 8, Interest::WRITABLE);
    let events = poller.wait();
    assert!(events.iter().all(|(token, _)| *token == Token(8)));
    assert!(events
        .iter()
        .any(|(_, r)| r.intersects(Readiness::WRITABLE)));
    assert!(!events
        .iter()
        .any(|(_, r)| r.intersects(Readiness::READABLE)));
    end.reregister(&poller, 9, Interest::READABLE);
    let events = poller.wait();
    assert_eq!(events[0].0, Token(9));
    assert!(events[0].1.intersects(Readiness::READABLE));
    assert!(!events[0].1.intersects(Readiness::WRITABLE));
}

pub(super) fn a_deregistered_source_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    let (mut other, mut other_peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    other.register(&poller, 8, Interest::READABLE);
    // Ready, and not yet reported.
    send(&mut peer, b"x", &end);
    end.deregister(&poller);
    send(&mut other_peer, b"x", &other);
    let events = poller.wait();
    assert!(events.iter().all(|(token, _)| *token == Token(8)));
    send(&mut peer, b"x", &end);
    drop(peer);
    assert!(!poller.tokens_now().contains(&7));
}

pub(super) fn a_deregistered_source_can_be_registered_again<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    send(&mut peer, b"x", &end);
    for token in 0..5 {
        end.register(&poller, token, Interest::READABLE);
        assert_eq!(poller.wait()[0].0, Token(token));
        end.deregister(&poller);
    }
}

/// Reads what comes, in the moment that it may take.
fn read_in_time(stream: &mut Stream) -> usize {
    let give_up_at = Instant::now() + HANG;
    loop {
        match stream.read(&mut [0; 1]) {
            Err(err) if err.kind() == ErrorKind::WouldBlock => thread::yield_now(),
            read => return read.unwrap(),
        }
        assert!(Instant::now() < give_up_at, "neither data nor the end");
    }
}

pub(super) fn a_dropped_source_closes_at_once<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    poller.look();
    drop(end);
    assert_eq!(read_in_time(&mut peer), 0);
    // The number may be another source's now.
    let (mut next, mut next_peer) = stream();
    next.register(&poller, 8, Interest::READABLE);
    send(&mut next_peer, b"x", &next);
    assert_eq!(poller.wait()[0].0, Token(8));
    assert!(poller.look().is_empty());
}

pub(super) fn a_second_registration_is_refused_and_the_first_goes_on<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    let again = end.try_register(&poller, 8, Interest::WRITABLE);
    assert_eq!(again.unwrap_err().kind(), ErrorKind::AlreadyExists);
    send(&mut peer, b"x", &end);
    let events = poller.wait();
    assert_eq!(events[0].0, Token(7));
    assert!(events[0].1.intersects(Readiness::READABLE));
    end.deregister(&poller);
}

pub(super) fn what_is_not_registered_is_not_found<B: Backend>() {
    let poller = Poller::<B>::new();
    let (mut end, _peer) = stream::<B>();
    let source = end.source();
    let registration = &mut end.registration;
    let readable = Interest::READABLE;
    let changed = registration.reregister(&poller.queue, source, Token(1), readable);
    assert_eq!(changed.unwrap_err().kind(), ErrorKind::NotFound);
    let removed = registration.deregister(&poller.queue, source);
    assert_eq!(removed.unwrap_err().kind(), ErrorKind::NotFound);
}

pub(super) fn a_bad_source_is_refused_and_poll_goes_on<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let mut registration = B::Registration::default();
    let err = registration
        .register(&poller.queue, BAD_SOURCE.0, Token(1), Interest::READABLE)
        .unwrap_err();
    assert_eq!(err.raw_os_error(), Some(BAD_SOURCE.1));
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    send(&mut peer, b"x", &end);
    assert_eq!(poller.wait()[0].0, Token(7));
}

pub(super) fn tokens_keep_all_their_bits<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let top = 1usize << (usize::BITS - 1);
    let mut kept = Vec::new();
    let tokens = [0, 1, top, top | 1, usize::MAX, usize::MAX - 1];
    for token in tokens {
        let (mut end, peer) = stream();
        end.register(&poller, token, Interest::WRITABLE);
        let events = poller.wait();
        assert_eq!(events[0].0, Token(token));
        kept.push((end, peer));
    }
}

pub(super) fn a_hang_up_closes_both_directions<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, peer) = stream();
    end.register(&poller, 7, Interest::READABLE | Interest::WRITABLE);
    poller.wait();
    hang_up(&mut end.io, peer);
    if !B::TELLS_HANG_UP {
        assert!(poller.wait()[0].1.intersects(Readiness::READABLE));
        assert!(!matches!(end.read(&mut [0; 1]), Ok(1)));
        return;
    }
    let (mut read_closed, mut write_closed) = (false, false);
    while !(read_closed && write_closed) {
        for (_, readiness) in poller.wait() {
            read_closed |= readiness.intersects(Readiness::READ_CLOSED);
            write_closed |= readiness.intersects(Readiness::WRITE_CLOSED);
        }
    }
}

pub(super) fn a_half_close_closes_reading<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, peer) = stream();
    end.register(&poller, 7, Interest::READABLE);
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    let (_, readiness) = poller.wait()[0];
    assert!(readiness.intersects(Readiness::READABLE));
    let told = readiness.intersects(Readiness::READ_CLOSED);
    assert_eq!(told, B::TELLS_HALF_CLOSE);
    assert!(!readiness.intersects(Readiness::WRITE_CLOSED));
    assert_eq!(end.read(&mut [0; 1]).unwrap(), 0);
}

pub(super) fn capacity_is_respected_and_nothing_starves<B: Backend>() {
    const SOURCES: usize = 20;
    for capacity in [1, 3, 64] {
        let mut poller = Poller::<B>::new();
        let mut ends = Vec::new();
        for token in 0..SOURCES {
            let (mut end, mut peer) = stream();
            end.register(&poller, token, Interest::READABLE);
            send(&mut peer, b"x", &end);
            ends.push((end, peer));
        }
        let mut seen = [false; SOURCES];
        for _ in 0..SOURCES {
            for (token, _) in poller.poll_for(capacity, Some(Duration::ZERO)) {
                seen[token.0] = true;
            }
        }
        assert_eq!(seen, [true; SOURCES], "capacity {capacity}");
    }
}

pub(super) fn registration_counts_for_a_wait_that_goes_on<B: Backend>() {
    for _ in 0..50 {
        let (mut end, mut peer) = stream::<B>();
        let source = end.source();
        let events = while_waiting(Poller::<B>::new(), |queue| {
            peer.write_all(b"x").unwrap();
            end.registration
                .register(queue, source, Token(7), Interest::READABLE)
                .unwrap();
        });
        assert_eq!(events[0].0, Token(7));
    }
}

pub(super) fn deregistration_counts_for_a_wait_that_goes_on<B: Backend>() {
    for _ in 0..50 {
        let poller = Poller::<B>::new();
        let (mut end, mut peer) = stream::<B>();
        let (mut other, mut other_peer) = stream::<B>();
        end.register(&poller, 7, Interest::READABLE);
        other.register(&poller, 8, Interest::READABLE);
        let source = end.source();
        let events = while_waiting(poller, |queue| {
            end.registration.deregister(queue, source).unwrap();
            peer.write_all(b"x").unwrap();
            other_peer.write_all(b"x").unwrap();
        });
        assert_eq!(events.len(), 1);
        assert_eq!(events[0].0, Token(8));
    }
}

pub(super) fn a_timeout_is_never_early<B: Backend>() {
    let mut poller = Poller::<B>::new();
    for waker in [false, true] {
        let _waker = waker.then(|| Waker::new(&poller.queue, Token(1)).unwrap());
        for nanos in [1, 50_000, 999_999, 1_000_000, 1_000_001, 3_300_000] {
            let timeout = Duration::from_nanos(nanos);
            let start = Instant::now();
            assert!(poller.poll_for(8, Some(timeout)).is_empty());
            assert!(start.elapsed() >= timeout, "{timeout:?}");
        }
    }
}

pub(super) fn a_queue_can_be_polled_by_another_thread<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    // The registering thread is gone when the event comes.
    let mut poller = thread::spawn(move || {
        end.register(&poller, 7, Interest::READABLE);
        poller.look();
        (poller, end)
    })
    .join()
    .unwrap();
    peer.write_all(b"x").unwrap();
    assert_eq!(poller.0.wait()[0].0, Token(7));
}
