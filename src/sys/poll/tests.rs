//! What needs the kernel, and threads.

cfg_if! {
    if #[cfg(unix)] {
        mod panics;
        mod under_way;
    } else {}
}
