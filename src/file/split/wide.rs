//! Text in UTF-16, as PowerShell writes it, made text with a byte for each of its units.

use alloc::vec::Vec;

use zeroize::Zeroizing;

/// The order of bytes, and the first half of a unit whose second has not come yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide {
    big: bool,
    half: Option<u8>,
}

impl Wide {
    /// The kind of UTF-16 in which a text starts: with its mark, or with four ASCII characters.
    /// The latter may be CBOR as well.
    pub(super) fn of(start: &[u8], any_cbor: bool) -> Option<Self> {
        let character = |byte: u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
        let big = match start {
            [0xff, 0xfe, ..] => false,
            [0xfe, 0xff, ..] => true,
            _ if any_cbor => return None,
            [a, 0, b, 0, c, 0, d, 0, ..] if [*a, *b, *c, *d].into_iter().all(character) => false,
            [0, a, 0, b, 0, c, 0, d, ..] if [*a, *b, *c, *d].into_iter().all(character) => true,
            _ => return None,
        };
        Some(Self { big, half: None })
    }

    /// One byte for each unit: the mark becomes a blank, and what is not ASCII a question mark.
    pub(super) fn narrow(&mut self, chunk: &[u8]) -> Zeroizing<Vec<u8>> {
        let room = chunk.len().saturating_add(1) / 2;
        let mut text = Zeroizing::new(Vec::with_capacity(room));
        for &second in chunk {
            let Some(first) = self.half.take() else {
                self.half = Some(second);
                continue;
            };
            text.push(match (self.big, first, second) {
                (_, 0xff, 0xfe) | (_, 0xfe, 0xff) => b' ',
                (true, 0, byte @ 0..=0x7f) | (false, byte @ 0..=0x7f, 0) => byte,
                _ => b'?',
            });
        }
        text
    }
}
