//! What needs the kernel, and threads.

#[cfg(unix)]
mod under_way;
