//! How vouchers in CBOR begin, whole or damaged, and what resembles them.

/// How much of CBOR is needed to tell a voucher from a device credential or a wrapped voucher.
pub(super) const NEAR: usize = 24;

/// Whether these bytes start as vouchers do: an array of five, and the version.
pub(super) const fn is_voucher_start(bytes: &[u8]) -> bool {
    matches!(bytes, [0x85 | 0x9f, 0x18, 0x65 | 0xc8, ..])
}

/// Whether this is an array that starts with true or false and 101: a device credential of any
/// dialect. A voucher starts with 101.
pub(super) const fn is_credential(start: &[u8]) -> bool {
    matches!(start, [0x80..=0x97 | 0x9f, 0xf4 | 0xf5, 0x18, 0x65, ..])
}

/// Whether this is a COSE_Sign1 (RFC 9052 §4.2) with its tag, or the message OVNextEntry with one: an array
/// of the entry's number and the entry. A voucher starts otherwise.
pub(super) const fn is_message(start: &[u8]) -> bool {
    let signed = match start {
        [0x82, 0x00..=0x17, rest @ ..] | [0x82, 0x18, _, rest @ ..] => rest,
        _ => start,
    };
    matches!(signed, [0xd2, 0x84, 0x40..=0x58, ..])
}

/// Whether there are line ends, and all of them are CR LF. Bytes that are not text have an LF in
/// each 256, and hardly ever a CR before it.
pub(super) fn crlf_alone(bytes: &[u8]) -> bool {
    // Tiny items are told at once: two line ends take four bytes.
    if bytes.len() < 4 {
        return false;
    }
    let ends = bytes.iter().filter(|byte| **byte == b'\n').count();
    let pairs = bytes.iter().zip(bytes.iter().skip(1));
    let pairs = pairs.filter(|pair| *pair == (&b'\r', &b'\n')).count();
    ends >= 2 && pairs == ends
}
