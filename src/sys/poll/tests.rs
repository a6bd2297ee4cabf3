//! What needs the kernel and threads, and what needs a kernel that can be told.

mod panics;
mod scripted;
mod under_way;
