//! The door for fuzzers: properties of the pure parts, that hold for any bytes.
//!
//! Fuzzers see the public interface alone, and what is worth fuzzing is behind
//! it: the translations between what the kernel writes and what callers read. So
//! this module is compiled for tests, which drive it with a committed corpus and
//! with random bytes, and under `--cfg mio_fuzzing`, which `cargo xtask fuzz`
//! sets. It belongs to no interface.

mod address;
mod afd;
mod event;
mod interest;
mod kqueue;
mod timeout;

/// Takes any bytes, and panics if a property does not hold for them.
pub type Target = fn(&[u8]);

/// Every target by its name, which is also that of its corpus.
pub const TARGETS: &[(&str, Target)] = &[
    ("address_from_kernel", address::from_kernel),
    ("address_to_kernel", address::to_kernel),
    ("afd_socket", afd::socket),
    ("epoll_mask", event::epoll),
    ("interest", interest::algebra),
    ("kqueue_changes", kqueue::changes),
    ("kqueue_event", kqueue::event),
    ("poll_mask", event::poll),
    ("timeout", timeout::rounding),
];

/// Runs the target of that name.
///
/// # Panics
///
/// If a property does not hold, or there is no such target.
pub fn run(name: &str, bytes: &[u8]) {
    let target = TARGETS.iter().find(|(known, _)| *known == name);
    match target {
        Some((_, target)) => target(bytes),
        None => panic!("there is no target {name}"),
    }
}

/// The bytes of an input, taken from the front; past the end there are zeros.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn bytes(&mut self, most: usize) -> &'a [u8] {
        let (taken, rest) = self.0.split_at(most.min(self.0.len()));
        self.0 = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        let mut array = [0; N];
        let taken = self.bytes(N);
        array[..taken.len()].copy_from_slice(taken);
        array
    }

    fn bool(&mut self) -> bool {
        self.array::<1>()[0] & 1 == 1
    }

    fn u16(&mut self) -> u16 {
        u16::from_le_bytes(self.array())
    }

    fn u32(&mut self) -> u32 {
        u32::from_le_bytes(self.array())
    }

    fn u64(&mut self) -> u64 {
        u64::from_le_bytes(self.array())
    }
}

#[cfg(test)]
mod tests;
