//! What needs the kernel.

mod under_way;
