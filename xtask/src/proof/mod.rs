//! What tests under tools that see more than an assertion does, or that try to
//! break what the tests hold.
//!
//! Each is a job of its own; `proof` runs all of them, and `proof --quick` what
//! of them a CI run has time for.

mod exceptions;
pub(crate) mod fuzz;
pub(crate) mod miri;
mod native;
pub(crate) mod sanitize;
pub(crate) mod valgrind;

/// The compiler that has Miri and the sanitizers.
const NIGHTLY: &str = "nightly";
