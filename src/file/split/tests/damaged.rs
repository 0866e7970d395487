//! Damaged text: one fault each, where it starts, and the vouchers around it.

use alloc::vec::Vec;

use super::{std, vouchers};
use crate::error::{Error, ErrorKind};

/// A voucher as far as a splitter looks, and one that is another.
fn two_items() -> [Vec<u8>; 2] {
    [7, 9].map(|fill| {
        [
            &[0x85, 0x18, 0x65, 0x58, 0x50][..],
            &[fill; 0x50],
            &[0, 0, 0],
        ]
        .concat()
    })
}

/// The offsets, with the kinds of faults.
fn places(stream: &[u8]) -> Vec<(u64, Result<(), ErrorKind>)> {
    let found = vouchers(stream).into_iter();
    found
        .map(|(at, it)| {
            let kind = |error: Error| {
                assert_eq!(error.offset(), Some(0), "{error}");
                error.kind()
            };
            (at, it.map(|_| ()).map_err(kind))
        })
        .collect()
}

#[test]
fn digits_as_a_whole_start_at_zero() {
    use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
    let items = two_items().concat();
    let hex: alloc::string::String = items.iter().map(|it| std::format!("{it:02x}")).collect();
    for text in [
        Base64::encode_string(&items),
        Base64UrlUnpadded::encode_string(&items),
        Base64::encode_string(&items).replace('w', "w\r\n"),
        hex,
    ] {
        assert_eq!(
            places(text.as_bytes()),
            [(0, Ok(())), (0, Ok(()))],
            "{text}"
        );
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(places(&wide), [(0, Ok(())), (0, Ok(()))], "{text}");
    }
    // In CBOR each has its own.
    let second = items.len() as u64 / 2;
    assert_eq!(places(&items), [(0, Ok(())), (second, Ok(()))]);
}
