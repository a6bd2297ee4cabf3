//! How often one poll asks the port: knows no kernel, so that it is tested
//! everywhere.

use std::io;

/// What one call took from the port.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Round {
    pub(crate) packets: usize,
    /// How many of them were events; the others are internal.
    pub(crate) events: usize,
}

/// Takes packets by `take` until there is an event, or nothing more to learn without
/// sleeping again. It gets how many to ask for, and whether it may sleep, which is
/// the first time.
///
/// Each operation may end with an internal packet, as of a cancellation; `in_flight`
/// says how many there are. Others that change sources all the time must not keep us
/// for longer.
pub(crate) fn take(
    room: usize,
    batch: usize,
    in_flight: usize,
    mut take: impl FnMut(usize, bool) -> io::Result<Round>,
) -> io::Result<()> {
    let (mut delivered, mut patience, mut may_sleep) = (0, in_flight + batch, true);
    loop {
        let asked = (room - delivered).min(batch);
        let Round { packets, events } = match take(asked, may_sleep) {
            // An error would drop the events that are in hand.
            Err(_) if delivered > 0 => return Ok(()),
            round => round?,
        };
        delivered += events;
        let internal = packets - events;
        let may_be_more = internal > 0 || packets == asked;
        if !may_be_more || delivered == room || patience < internal {
            return Ok(());
        }
        patience -= internal;
        // What else is there, a source that had to be cancelled first
        // included. Who may sleep longer is asked to by the caller.
        may_sleep = false;
    }
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    /// Takes the rounds of a script (packets, events of them), of which `None` fails;
    /// what was asked in each, and the result.
    fn run(room: usize, script: &[Option<(usize, usize)>]) -> (Vec<(usize, bool)>, bool) {
        let mut asked = Vec::new();
        let taken = take(room, 4, 2, |room, may_sleep| {
            let round = script[asked.len()];
            asked.push((room, may_sleep));
            let (packets, events) = round.ok_or(io::ErrorKind::Other)?;
            Ok(Round { packets, events })
        });
        (asked, taken.is_ok())
    }

    #[test]
    fn a_failure_drops_no_event_in_hand() {
        assert_eq!(run(9, &[None]), (vec![(4, true)], false));
        let after_internal = run(9, &[Some((1, 0)), None]);
        assert_eq!(after_internal, (vec![(4, true), (4, false)], false));
        let after_events = run(9, &[Some((4, 4)), None]);
        assert_eq!(after_events, (vec![(4, true), (4, false)], true));
        let between = run(9, &[Some((2, 1)), Some((1, 0)), None]);
        assert_eq!(
            between,
            (vec![(4, true), (4, false), (4, false)], true),
            "also if the last round brought none"
        );
    }

    #[test]
    fn it_asks_while_there_may_be_more() {
        assert_eq!(run(9, &[Some((0, 0))]), (vec![(4, true)], true));
        assert_eq!(run(9, &[Some((3, 3))]), (vec![(4, true)], true));
        let room_for_six = run(6, &[Some((4, 4)), Some((2, 2))]);
        assert_eq!(room_for_six, (vec![(4, true), (2, false)], true));
        let room_for_one = run(1, &[Some((1, 0)), Some((1, 1))]);
        assert_eq!(room_for_one, (vec![(1, true), (1, false)], true));
    }

    #[test]
    fn internal_packets_without_end_do_not_keep_it() {
        let (asked, ok) = run(9, &[Some((4, 0)); 9]);
        assert_eq!((asked.len(), ok), (2, true), "its patience was for six");
    }
}
