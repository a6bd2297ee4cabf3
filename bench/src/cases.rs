//! The questions, one file for each subject.

use crate::clock::Clock;
use crate::contender::{Contender, Mio, Ours, Polling, Raw};
use crate::measure::{Case, Turn, Unit};

/// The same user code for every contender.
macro_rules! everyone {
    ($setup:ident($($arg:expr),*)) => {
        || Ok(vec![
            (Ours::NAME, $setup::<Ours>($($arg),*)?),
            (Mio::NAME, $setup::<Mio>($($arg),*)?),
            (Polling::NAME, $setup::<Polling>($($arg),*)?),
            (Raw::NAME, $setup::<Raw>($($arg),*)?),
        ])
    };
}

mod accept;
mod dispatch;
mod echo;
mod register;
mod timeout;
mod udp;
mod wake;

/// All cases, in the order in which they run.
pub(crate) fn all() -> Vec<Case> {
    let mut cases = wake::cases();
    cases.extend(register::cases());
    cases.extend(dispatch::cases());
    cases.extend(echo::cases());
    cases.extend(accept::cases());
    cases.extend(timeout::cases());
    cases.extend(udp::cases());
    cases
}
