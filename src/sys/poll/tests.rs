//! What needs the kernel and threads, and what needs a kernel that can be told.

cfg_if! {
    if #[cfg(unix)] {
        mod panics;
        mod scripted;
        mod under_way;
    } else {}
}
