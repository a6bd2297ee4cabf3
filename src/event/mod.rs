//! Readiness events, where they are stored, and what they can be about.

#[allow(clippy::module_inception)]
mod event;
mod events;

pub use self::event::Event;
pub use self::events::{Events, Iter};
#[doc(inline)]
pub use crate::registry::Source;
