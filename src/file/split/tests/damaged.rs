//! Damaged text: one fault each, where it starts, and the vouchers around it.

use alloc::borrow::ToOwned as _;
use alloc::vec::Vec;

use super::{std, vouchers};
use crate::error::{Error, ErrorKind};
use crate::file::to_pem;

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

#[test]
fn an_end_line_without_begin_is_a_fault() {
    let [whole, other] = two_items().map(|it| to_pem(&it));
    let (_, cut) = whole.split_once('\n').unwrap();
    let at = |text: &str| text.find("-----END").unwrap() as u64;
    let fault = Err(ErrorKind::Pem);
    // Alone it looks like base64.
    assert_eq!(places(cut.as_bytes()), [(at(cut), fault)]);
    let size = cut.len() as u64;
    let front = cut.to_owned() + &other;
    assert_eq!(places(front.as_bytes()), [(at(cut), fault), (size, Ok(()))]);
    let middle = other.clone() + cut + &other;
    let start = other.len() as u64;
    assert_eq!(
        places(middle.as_bytes()),
        [
            (0, Ok(())),
            (start + at(cut), fault),
            (start + size, Ok(()))
        ]
    );
    let json = |cut: &str| std::format!("{{\"a\": \"{}\"}}", cut.replace('\n', "\\n"));
    let text = json(&cut[4..]);
    assert_eq!(places(text.as_bytes()), [(at(&text), fault)]);
    // A string that begins as a voucher is the fault itself.
    assert_eq!(places(json(cut).as_bytes()), [(6, fault)]);
    // Late, and in pieces of the input.
    let late = "text ".repeat(300_000) + cut;
    assert_eq!(places(late.as_bytes()), [(at(&late), fault)]);
    let late = "AAAA".repeat(300_000) + "\n" + cut;
    assert_eq!(places(late.as_bytes()), [(at(&late), fault)]);
    for same in [
        "-----End Ownership Voucher-----",
        "-----END OWNERSHIP  VOUCHER--",
    ] {
        let text = cut.replace("-----END OWNERSHIP VOUCHER-----", same);
        assert_eq!(places(text.as_bytes()).len(), 1, "{same}");
    }
    // Of another label it is none of ours.
    let text = cut[4..].replace("OWNERSHIP VOUCHER", "CERTIFICATE");
    assert_eq!(places(text.as_bytes()), []);
}

#[test]
fn a_label_that_is_almost_that_of_a_voucher_is_a_fault() {
    let [whole, other] = two_items().map(|it| to_pem(&it));
    let wrong = |begin: &str, end: &str| {
        let text = whole.replace("BEGIN OWNERSHIP VOUCHER", begin);
        text.replace("END OWNERSHIP VOUCHER", end)
    };
    for (begin, end) in [
        ("BEGIN Ownership VOUCHER", "END Ownership VOUCHER"),
        ("BEGIN Ownership VOUCHER", "END OWNERSHIP VOUCHER"),
        ("BEGIN OWNERSHIP  VOUCHER", "END OWNERSHIP  VOUCHER"),
        ("BEGIN OWNERSHIP VOUCHER ", "END OWNERSHIP VOUCHER "),
        ("BEGIN  OWNERSHIP VOUCHER", "END  OWNERSHIP VOUCHER"),
        ("BEGIN OWNERSHIP_VOUCHER", "END OWNERSHIP_VOUCHER"),
        ("begin ownership voucher", "end ownership voucher"),
        ("Begin Ownership Voucher", "END OWNERSHIP VOUCHER"),
        (" BEGIN OWNERSHIP VOUCHER", "END OWNERSHIP VOUCHER"),
        ("BEGIN\tOWNERSHIP VOUCHER", "END OWNERSHIP VOUCHER"),
    ] {
        let text = wrong(begin, end);
        let fault = Err(ErrorKind::Pem);
        assert_eq!(places(text.as_bytes()), [(0, fault)], "{begin}");
        let size = text.len() as u64;
        let between = other.clone() + &text + &other;
        let start = other.len() as u64;
        assert_eq!(
            places(between.as_bytes()),
            [(0, Ok(())), (start, fault), (start + size, Ok(()))],
            "{begin}"
        );
    }
}

#[test]
fn a_damaged_voucher_in_a_string_of_json_is_a_fault() {
    use base64ct::{Base64, Encoding as _};
    let [item, other] = two_items();
    let hex: alloc::string::String = item.iter().map(|it| std::format!("{it:02x}")).collect();
    let good = Base64::encode_string(&other);
    let fault = Err(ErrorKind::Pem);
    for text in [Base64::encode_string(&item), hex] {
        for at in [40, 60, 101] {
            let (before, after) = text.split_at(at);
            for wrong in ["!", "=", "\\", " ", "\\\"", "\\q", "\u{e9}", "\0"] {
                let bad = before.to_owned() + wrong + &after[1..];
                let json = std::format!("[\"{bad}\", \"{good}\"]");
                let next = json.rfind(&good).unwrap() as u64 - 1;
                assert_eq!(
                    places(json.as_bytes()),
                    [(1, fault), (next, Ok(()))],
                    "{json}"
                );
            }
        }
        for cut in [40, 90, text.len()] {
            let json = std::format!("{{\"a\": \"{}", &text[..cut]);
            assert_eq!(places(json.as_bytes()), [(6, fault)], "{json}");
        }
    }
    // Other strings, short ones, and those that are cut.
    for json in [
        "[\"hRhl!AAAAAA==\"]".to_owned(),
        std::format!("[\"{}!\"]", "A".repeat(200)),
        std::format!("[\"{}", "A".repeat(200)),
        std::format!("[\"{}!", "gA".repeat(200)),
    ] {
        assert_eq!(places(json.as_bytes()), [], "{json}");
    }
}

#[test]
fn damaged_digits_of_a_voucher_are_a_fault() {
    use base64ct::{Base64, Encoding as _};
    let [item, _] = two_items();
    let hex: alloc::string::String = item.iter().map(|it| std::format!("{it:02x}")).collect();
    for text in [Base64::encode_string(&item), hex] {
        for wrong in ["g=", "!", "\u{e9}", "=", "--"] {
            let text = std::format!("{}{wrong}{}", &text[..50], &text[51..]);
            assert_eq!(
                places(text.as_bytes()),
                [(0, Err(ErrorKind::Pem))],
                "{text}"
            );
        }
    }
}
