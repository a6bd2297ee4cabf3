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
