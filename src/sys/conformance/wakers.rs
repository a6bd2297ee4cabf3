//! Wakers, alone and beside sources.

use super::*;

pub(super) fn an_endless_timeout_can_be_woken<B: Backend>() {
    let longest = [
        None,
        Some(Duration::MAX),
        Some(Duration::from_secs(1 << 40)),
    ];
    for timeout in longest {
        let mut poller = Poller::<B>::new();
        let waker = Waker::new(&poller.queue, Token(1)).unwrap();
        let waiting = thread::spawn(move || poller.poll_for(8, timeout));
        waker.wake().unwrap();
        let events = waiting.join().unwrap();
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

pub(super) fn wakes_merge_into_one_event<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let waker = Waker::new(&poller.queue, Token(1)).unwrap();
    assert!(poller.look().is_empty(), "making a waker is no wake");
    for _ in 0..3 {
        for _ in 0..1000 {
            waker.wake().unwrap();
        }
        assert_eq!(poller.wait(), [(Token(1), Readiness::READABLE)]);
        assert!(poller.look().is_empty());
    }
}

pub(super) fn a_wake_ends_a_wait<B: Backend>() {
    for _ in 0..200 {
        let poller = Poller::<B>::new();
        let waker = Waker::new(&poller.queue, Token(1)).unwrap();
        let events = while_waiting(poller, |_| waker.wake().unwrap());
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

pub(super) fn the_first_waker_reaches_a_poller_that_sleeps<B: Backend>() {
    for _ in 0..200 {
        let mut waker = None;
        let events = while_waiting(Poller::<B>::new(), |queue| {
            let made = Waker::new(queue, Token(1)).unwrap();
            made.wake().unwrap();
            waker = Some(made);
        });
        assert_eq!(events, [(Token(1), Readiness::READABLE)]);
    }
}

pub(super) fn wakers_have_their_own_events<B: Backend>() {
    const WAKERS: usize = 70; // More than the word has bits.
    let mut poller = Poller::<B>::new();
    let wakers: Vec<_> = (0..WAKERS)
        .map(|token| Waker::new(&poller.queue, Token(token)).unwrap())
        .collect();
    for waker in wakers.iter().step_by(3) {
        waker.wake().unwrap();
        waker.wake().unwrap();
    }
    let mut seen = Vec::new();
    loop {
        let events = poller.poll_for(4, Some(Duration::ZERO));
        if events.is_empty() {
            break;
        }
        seen.extend(events.iter().map(|(token, _)| token.0));
    }
    seen.sort_unstable();
    assert_eq!(seen, (0..WAKERS).step_by(3).collect::<Vec<_>>());
}

pub(super) fn a_dropped_waker_is_silent<B: Backend>() {
    let mut poller = Poller::<B>::new();
    for wakers in [1, 40] {
        let many: Vec<_> = (0..wakers)
            .map(|token| Waker::new(&poller.queue, Token(token)).unwrap())
            .collect();
        for waker in &many {
            waker.wake().unwrap();
        }
        drop(many);
        assert!(poller.look().is_empty());
        // Its slot is used again, under another token.
        let next = Waker::new(&poller.queue, Token(99)).unwrap();
        assert!(poller.look().is_empty());
        next.wake().unwrap();
        assert_eq!(poller.tokens_now(), [99]);
    }
}

pub(super) fn wakers_and_sources_share_a_small_buffer<B: Backend>() {
    const SOURCES: usize = 10;
    let mut poller = Poller::<B>::new();
    let wakers: Vec<_> = (0..3)
        .map(|i| Waker::new(&poller.queue, Token(100 + i)).unwrap())
        .collect();
    let mut ends = Vec::new();
    for token in 0..SOURCES {
        let (mut end, mut peer) = stream();
        end.register(&poller, token, Interest::READABLE);
        send(&mut peer, b"x", &end);
        ends.push((end, peer));
    }
    let mut sources = [0; SOURCES];
    let mut woken = [0; 3];
    // Everybody is ready all the time: whoever starves is seen.
    for _ in 0..4 * (SOURCES + wakers.len()) {
        for waker in &wakers {
            waker.wake().unwrap();
        }
        for (token, _) in poller.poll_for(1, Some(HANG)) {
            if token.0 >= 100 {
                woken[token.0 - 100] += 1;
            } else {
                sources[token.0] += 1;
                ends[token.0]
                    .0
                    .reregister(&poller, token.0, Interest::READABLE);
            }
        }
    }
    assert!(sources.iter().all(|&times| times > 0), "{sources:?}");
    assert!(woken.iter().all(|&times| times > 0), "{woken:?}");
}

pub(super) fn a_batch_of_internal_events_is_not_seen<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let (mut end, mut peer) = stream();
    // Its signal is pending, and would take the only place in the buffer.
    let _waker = Waker::new(&poller.queue, Token(1)).unwrap();
    end.register(&poller, 7, Interest::READABLE);
    send(&mut peer, b"x", &end);
    let events = poller.poll_for(1, Some(Duration::ZERO));
    assert_eq!(events[0].0, Token(7));
}

pub(super) fn a_signal_takes_no_place_of_a_source<B: Backend>() {
    let mut poller = Poller::<B>::new();
    let mut ends = Vec::new();
    // Its signal is pending, before the sources or behind some of them.
    let mut waker = None;
    for token in 0..5 {
        if token == 1 {
            waker = Some(Waker::new(&poller.queue, Token(100)).unwrap());
        }
        let (mut end, mut peer) = stream();
        end.register(&poller, token, Interest::READABLE);
        send(&mut peer, b"x", &end);
        ends.push((end, peer));
    }
    assert_eq!(poller.poll_for(2, Some(Duration::ZERO)).len(), 2);
    assert_eq!(poller.poll_for(2, Some(Duration::ZERO)).len(), 2);
    assert_eq!(poller.poll_for(2, Some(Duration::ZERO)).len(), 1);
    drop(waker);
}
