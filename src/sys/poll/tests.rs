//! What needs the kernel, and threads.

#[cfg(unix)]
mod panics;
#[cfg(unix)]
mod under_way;
