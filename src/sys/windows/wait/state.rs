//! What a watched handle is doing. Knows no kernel: the kernel is a trait, so
//! that all of this is tested on every system.
//!
//! A wait ends once, when the object is signalled, and must then be started
//! anew. A wait that was started ends by exactly one packet, unless it was cancelled
//! before that was on its way. Since waiting for some objects *takes* their signal
//! (an auto-reset event, a semaphore), two rules hold:
//!
//! * Nobody waits unless readable is asked for.
//! * A signal that was taken is told, if not now, then at the next registration
//!   that asks.
//!
//! | after an event, in the mode | the next wait begins |
//! |---|---|
//! | edge | before the next sleep: what has not been taken nor reset is told again. If the object stays signalled for ever, at a reregistration |
//! | level | before the next sleep |
//! | one-shot | at a reregistration |

use crate::interest::Interest;
use crate::readiness::Readiness;
use crate::token::Token;
use std::io;

/// What a watch asks of the kernel. Of both starts, on `Ok` a packet will come.
pub(super) trait Kernel {
    /// Starts to wait.
    fn wait(&mut self) -> io::Result<()>;
    /// Has a packet come that ends like this.
    fn post(&mut self, end: End) -> io::Result<()>;
    /// Ends a wait sooner. False if it is too late: then its packet comes.
    fn cancel(&mut self) -> bool;
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Signalled,
    Failed,
}

/// An event, and what follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) token: Token,
    pub(super) readiness: Readiness,
    /// Before the next sleep call [`Watch::look_again`].
    pub(super) again: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    Idle,
    /// A packet will come.
    Pending,
    /// A packet will come: it was on its way when it was cancelled.
    Late,
}

#[derive(Debug, Clone, Copy)]
struct Registration {
    token: Token,
    interest: Interest,
    /// Not so after the one event of a one-shot registration, or a failure.
    armed: bool,
}

/// The registration of one handle.
#[derive(Debug)]
pub(super) struct Watch {
    registration: Option<Registration>,
    wait: Wait,
    /// A signal was taken, and not told.
    untold: bool,
    /// Whether the object stays signalled for ever, once it is.
    stays: bool,
    /// Whether `look_again` is still to be called.
    looking: bool,
}

impl Watch {
    pub(super) fn new(stays: bool) -> Watch {
        Watch {
            registration: None,
            wait: Wait::Idle,
            untold: false,
            stays,
            looking: false,
        }
    }

    /// Registers, or changes the registration; a signal is reported anew.
    pub(super) fn register(
        &mut self,
        kernel: &mut impl Kernel,
        token: Token,
        interest: Interest,
    ) -> io::Result<()> {
        let before = self.registration.replace(Registration {
            token,
            interest,
            armed: true,
        });
        let started = self.start(kernel);
        if started.is_err() {
            self.registration = before;
        }
        self.cancel_unasked(kernel);
        started
    }

    /// Says nothing from now on, and waits for nothing.
    pub(super) fn deregister(&mut self, kernel: &mut impl Kernel) {
        self.registration = None;
        self.cancel_unasked(kernel);
    }

    /// The packet of a wait was dequeued: the event that it makes.
    pub(super) fn ended(&mut self, end: End) -> Option<Told> {
        self.wait = Wait::Idle;
        let (failed, asked) = (end == End::Failed, self.is_asked());
        if !failed {
            self.untold = !asked;
        }
        if !asked {
            return None;
        }
        let registration = self.registration.as_mut()?;
        registration.armed = !failed && !registration.interest.is_oneshot();
        let token = registration.token;
        let again = self.is_repeated() && !self.looking;
        self.looking |= again;
        Some(Told {
            token,
            readiness: Readiness::READABLE.with(Readiness::ERROR, failed),
            again,
        })
    }

    /// The poller is about to sleep, and there was an event.
    pub(super) fn look_again(&mut self, kernel: &mut impl Kernel) {
        self.looking = false;
        if self.is_repeated() {
            self.start_or_fail(kernel);
        }
    }

    /// As `start`, and a failure is told by an event.
    fn start_or_fail(&mut self, kernel: &mut impl Kernel) {
        let Err(err) = self.start(kernel) else {
            return;
        };
        let posted = kernel.post(End::Failed);
        if posted.is_ok() {
            self.wait = Wait::Pending;
        }
        error!("waiting for a handle: {err}");
        if let Err(err) = posted {
            error!("telling that a handle cannot be waited for: {err}");
        }
    }

    /// Starts to wait, if that is asked for and not being done.
    fn start(&mut self, kernel: &mut impl Kernel) -> io::Result<()> {
        if self.wait != Wait::Idle || !self.is_asked() {
            return Ok(());
        }
        if self.untold {
            kernel.post(End::Signalled)?;
        } else {
            kernel.wait()?;
        }
        self.wait = Wait::Pending;
        Ok(())
    }

    /// A signal must not be taken that nobody asks for.
    fn cancel_unasked(&mut self, kernel: &mut impl Kernel) {
        if self.wait != Wait::Pending || self.is_asked() {
            return;
        }
        self.wait = if kernel.cancel() {
            Wait::Idle
        } else {
            Wait::Late
        };
    }

    /// Whether the next wait begins without being asked for again.
    fn is_repeated(&self) -> bool {
        let level = |registration: &Registration| registration.interest.is_level();
        let level = self.registration.as_ref().is_some_and(level);
        self.is_asked() && (level || !self.stays)
    }

    fn is_asked(&self) -> bool {
        let asks =
            |registration: &Registration| registration.armed && registration.interest.is_readable();
        self.registration.as_ref().is_some_and(asks)
    }
}

#[cfg(test)]
mod tests;
