//! What needs the kernel and threads, and what needs a kernel that can be told.

#[cfg(unix)]
mod scripted;
#[cfg(unix)]
mod under_way;
