//! The questions, one file for each subject; each system says which of them it
//! asks, and whom.

pub(crate) mod accept;
#[cfg(unix)]
pub(crate) mod asleep;
#[cfg(unix)]
pub(crate) mod dispatch;
pub(crate) mod echo;
#[cfg(unix)]
pub(crate) mod echo_unix;
#[cfg(unix)]
pub(crate) mod register;
#[cfg(unix)]
pub(crate) mod segments;
pub(crate) mod sockets;
pub(crate) mod timeout;
pub(crate) mod udp;
pub(crate) mod wake;

use crate::clock::Clock;
use crate::contender::*;
use crate::measure::{Case, Turn, Unit};
use crate::system::everyone;
