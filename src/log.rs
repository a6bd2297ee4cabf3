//! Logging that costs nothing when it is not asked for.

#[cfg(feature = "log")]
macro_rules! trace {
    ($($arg:tt)+) => { ::log::trace!($($arg)+) };
}
#[cfg(not(feature = "log"))]
macro_rules! trace {
    ($($arg:tt)+) => {{ let _ = format_args!($($arg)+); }};
}
#[cfg(feature = "log")]
macro_rules! error {
    ($($arg:tt)+) => { ::log::error!($($arg)+) };
}
#[cfg(not(feature = "log"))]
macro_rules! error {
    ($($arg:tt)+) => {{ let _ = format_args!($($arg)+); }};
}

/// Whether `trace!` may say anything: a quick look, by which the arguments of a
/// trace can be kept out of a hot path.
#[cfg(feature = "log")]
macro_rules! is_traced {
    () => {
        ::log::Level::Trace <= ::log::STATIC_MAX_LEVEL && ::log::Level::Trace <= ::log::max_level()
    };
}
#[cfg(not(feature = "log"))]
macro_rules! is_traced {
    () => {
        false
    };
}
