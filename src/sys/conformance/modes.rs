//! Modes of a registration.

use super::*;

pub(super) fn level_repeats_while_it_is_ready<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE.level());
    assert!(poller.look().is_empty());
    send(&mut peer, b"xy", &end);
    for _ in 0..3 {
        let events = poller.wait();
        assert_eq!(events.len(), 1);
        assert!(events[0].1.intersects(Readiness::READABLE));
    }
    assert_eq!(end.read(&mut [0; 1]).unwrap(), 1);
    assert_eq!(poller.tokens_now(), [7], "a byte is left");
    assert_eq!(end.drain(), 1);
    assert!(poller.look().is_empty());
    drop(peer);
    for _ in 0..3 {
        let (_, readiness) = poller.wait()[0];
        assert!(readiness.intersects(Readiness::READABLE));
        let told = readiness.intersects(Readiness::READ_CLOSED);
        assert_eq!(told, B::TELLS_HANG_UP);
    }
}

pub(super) fn one_shot_reports_once<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    let interest = (Interest::READABLE | Interest::WRITABLE).oneshot();
    end.register(&poller, 7, interest);
    assert_eq!(poller.wait().len(), 1);
    // Neither new data, nor a would-block, nor the end.
    send(&mut peer, b"x", &end);
    assert_eq!(end.drain(), 1);
    send(&mut peer, b"x", &end);
    assert!(poller.look().is_empty());
    let (mut other, other_peer) = stream();
    other.register(&poller, 8, Interest::READABLE.oneshot());
    drop(other_peer);
    assert_eq!(poller.wait()[0].0, Token(8));
    assert!(poller.look().is_empty());
    end.reregister(&poller, 9, interest);
    let events = poller.wait();
    assert_eq!(events[0].0, Token(9));
    assert!(events[0].1.intersects(Readiness::READABLE));
    assert!(poller.look().is_empty());
}

pub(super) fn level_and_one_shot_go_together<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    send(&mut peer, b"x", &end);
    end.register(&poller, 7, Interest::READABLE.level().oneshot());
    assert_eq!(poller.wait().len(), 1);
    assert!(poller.look().is_empty());
}

pub(super) fn reregistration_switches_the_mode<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    let readable = Interest::READABLE;
    send(&mut peer, b"x", &end);
    end.register(&poller, 1, readable);
    assert_eq!(poller.wait()[0].0, Token(1));
    assert!(poller.look().is_empty());
    end.reregister(&poller, 2, readable.level());
    assert_eq!(poller.tokens_now(), [2]);
    assert_eq!(poller.tokens_now(), [2]);
    end.reregister(&poller, 3, readable.oneshot());
    assert_eq!(poller.tokens_now(), [3]);
    assert!(poller.look().is_empty());
    end.reregister(&poller, 4, readable.level());
    assert_eq!(poller.tokens_now(), [4]);
    assert_eq!(poller.tokens_now(), [4]);
    end.reregister(&poller, 5, readable);
    assert_eq!(poller.tokens_now(), [5]);
    assert!(poller.look().is_empty());
}

pub(super) fn a_closed_interest_hears_of_the_end_only<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    match end.try_register(&poller, 7, Interest::CLOSED) {
        // Not every kernel can tell; then it says so.
        Err(err) if err.kind() == ErrorKind::Unsupported => return,
        registered => registered.unwrap(),
    }
    peer.write_all(b"x").unwrap();
    assert!(poller.look().is_empty());
    peer.shutdown(std::net::Shutdown::Write).unwrap();
    assert!(poller.look().is_empty(), "half a close is none");
    hang_up(&mut end.io, peer);
    let (token, readiness) = poller.wait()[0];
    assert_eq!(token, Token(7));
    assert!(readiness.intersects(Readiness::READ_CLOSED));
    assert!(readiness.intersects(Readiness::WRITE_CLOSED));
    assert!(!readiness.intersects(Readiness::READABLE));
}

pub(super) fn a_level_source_and_a_waker_share_a_small_buffer<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let waker = Waker::new(&poller.queue, Token(1)).unwrap();
    let (mut end, mut peer) = stream();
    end.register(&poller, 7, Interest::READABLE.level());
    send(&mut peer, b"x", &end);
    let mut seen = [0; 8];
    for _ in 0..10 {
        waker.wake().unwrap();
        for (token, _) in poller.poll_for(1, Some(HANG)) {
            seen[token.0] += 1;
        }
    }
    // In turns, but for the signal that the waker began with.
    assert!(seen[1] >= 4 && seen[7] >= 4, "{seen:?}");
}
