//! Finds the end of a CBOR item without decoding its contents.

/// The maximum nesting depth when searching for the end of an item, as in the library.
const DEPTH: usize = 64;

/// The end of the first item of a CBOR sequence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    At(usize),
    /// After the available bytes.
    Later,
    /// None: it is not well-formed, or nested too deep.
    Never,
}

/// Finds the end of the first item. It reads heads and skips strings.
pub(crate) fn item_end(bytes: &[u8]) -> End {
    // Remaining items at each level; `None` if a break ends the level.
    let mut open: [Option<u64>; DEPTH] = [Some(1); DEPTH];
    let mut level = 0_usize;
    let mut at = 0_usize;
    loop {
        let Some(&first) = bytes.get(at) else {
            return End::Later;
        };
        at = at.saturating_add(1);
        let (major, info) = (first >> 5, first & 0x1f);
        if first == 0xff {
            // A break ends a level of indefinite length, never the outermost one.
            if !matches!(open.get(level), Some(None)) {
                return End::Never;
            }
        } else {
            let value = match info {
                0..=23 => Some(u64::from(info)),
                24..=27 => {
                    let end = at.saturating_add(1 << info.saturating_sub(24));
                    let Some(argument) = bytes.get(at..end) else {
                        return End::Later;
                    };
                    at = end;
                    Some(
                        argument
                            .iter()
                            .fold(0, |value, &byte| value << 8 | u64::from(byte)),
                    )
                }
                31 if matches!(major, 2..=5) => None,
                _ => return End::Never,
            };
            let inner = match (major, value) {
                (2 | 3, Some(length)) => {
                    let end = usize::try_from(length).ok().and_then(|n| at.checked_add(n));
                    match end {
                        Some(end) if end <= bytes.len() => at = end,
                        _ => return End::Later,
                    }
                    Some(0)
                }
                (4, Some(count)) => Some(count),
                (5, Some(count)) => match count.checked_mul(2) {
                    Some(count) => Some(count),
                    None => return End::Never,
                },
                (6, _) => Some(1),
                (2..=5, None) => None,
                _ => Some(0),
            };
            if inner != Some(0) {
                level = level.saturating_add(1);
                match open.get_mut(level) {
                    Some(slot) => *slot = inner,
                    None => return End::Never,
                }
                continue;
            }
        }
        // An item is complete, and so is each level of which it was the last item.
        if first == 0xff {
            let Some(outer) = level.checked_sub(1) else {
                return End::Never;
            };
            level = outer;
        }
        loop {
            let Some(slot) = open.get_mut(level) else {
                return End::Never;
            };
            let Some(left) = slot else { break };
            *left = left.saturating_sub(1);
            if *left > 0 {
                break;
            }
            match level.checked_sub(1) {
                Some(outer) => level = outer,
                None => return End::At(at),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_end_of_items() {
        for (bytes, end) in [
            (&[0x80_u8][..], End::At(1)),
            (&[0x82, 1, 2, 3], End::At(3)),
            (&[0x81, 0x9f, 0x81, 0, 0xff, 0x80], End::At(5)),
            (&[0x9f, 0x5f, 0x41, 0, 0xff, 0xff], End::At(6)),
            (&[0xd2, 0x81, 0xa1, 1, 0x42, 0, 0], End::At(7)),
            (&[0x82, 1], End::Later),
            (&[0x58, 3, 0, 0], End::Later),
            (&[0x9f, 0x81], End::Later),
            (&[0xff], End::Never),
            (&[0x81, 0xff], End::Never),
            (&[0x1f], End::Never),
            (&[0x81; 100], End::Never),
        ] {
            assert_eq!(item_end(bytes), end, "{bytes:02x?}");
        }
    }
}
