//! Text for bit masks.

use std::fmt;

/// Writes the names of the bits in `mask`, joined by ` | `, and what has no
/// name in hexadecimal. An empty mask is `0x0`.
#[inline]
pub(crate) fn fmt_flags(
    f: &mut fmt::Formatter<'_>,
    mask: u32,
    names: &[(u32, &str)],
) -> fmt::Result {
    let mut rest = mask;
    let mut separator = "";
    for &(bit, name) in names {
        if mask & bit != 0 {
            f.write_str(separator)?;
            f.write_str(name)?;
            separator = " | ";
            rest &= !bit;
        }
    }
    if rest != 0 || mask == 0 {
        write!(f, "{separator}{rest:#x}")?;
    }
    Ok(())
}

#[cfg(all(test, not(loom)))]
mod tests {
    use super::*;

    struct Flags(u32);

    impl fmt::Display for Flags {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            fmt_flags(f, self.0, &[(1, "ONE"), (4, "FOUR"), (1 << 31, "TOP")])
        }
    }

    #[test]
    fn names_known_bits_and_shows_the_rest() {
        let cases = [
            (0, "0x0"),
            (1, "ONE"),
            (5, "ONE | FOUR"),
            (1 << 31 | 2, "TOP | 0x2"),
            (0x100, "0x100"),
        ];
        for (mask, text) in cases {
            assert_eq!(Flags(mask).to_string(), text);
        }
    }
}
