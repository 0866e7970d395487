use alloc::borrow::ToOwned as _;
use alloc::vec;
use alloc::vec::Vec;

extern crate std;

use super::*;
use crate::Limits;
use crate::error::ErrorKind;
use crate::file::to_pem;

mod damaged;

/// The pieces and their offsets, if the stream comes in chunks of these sizes, over and over.
fn pieces_of(
    mut splitter: Splitter,
    mut stream: &[u8],
    sizes: &[usize],
) -> Vec<(u64, Result<Piece, Error>)> {
    let mut pieces = Vec::new();
    let mut sizes = sizes.iter().cycle();
    while let Some(piece) = splitter.next_piece() {
        if piece != Ok(Piece::More) {
            pieces.push((splitter.offset(), piece));
            continue;
        }
        match stream.split_at_checked(*sizes.next().unwrap()) {
            _ if stream.is_empty() => splitter.finish(),
            Some((chunk, rest)) => {
                splitter.push(chunk);
                stream = rest;
            }
            None => splitter.push(core::mem::take(&mut stream)),
        }
    }
    pieces
}

/// The same without what was decoded, whatever the chunks.
fn vouchers(stream: &[u8]) -> Vec<(u64, Result<Vec<u8>, Error>)> {
    let all = pieces_of(Splitter::new(), stream, &[usize::MAX]);
    for sizes in [&[1 << 20][..], &[65_537, 3], &[1]] {
        // Code that is not optimised takes seconds for what is large.
        let quick = !cfg!(debug_assertions) || stream.len() < 1 << 20 || sizes[0] == 1 << 20;
        if quick && stream.len() / sizes[0] < 100_000 {
            let again = pieces_of(Splitter::new(), stream, sizes);
            assert!(again == all, "chunks of {sizes:?}: other pieces");
        }
    }
    let voucher = |(offset, piece)| match piece {
        Ok(Piece::Voucher(bytes)) => Some((offset, Ok(bytes))),
        Ok(_) => None,
        Err(error) => Some((offset, Err(error))),
    };
    all.into_iter().filter_map(voucher).collect()
}

fn bytes(stream: &[u8]) -> Vec<Vec<u8>> {
    let all = vouchers(stream).into_iter();
    all.map(|(_, bytes)| bytes.unwrap()).collect()
}

#[test]
fn a_sequence_of_any_length_comes_item_by_item() {
    let item = [&[0x82, 0x59, 0x40, 0x00][..], &[7; 0x4000], &[0]].concat();
    let cut = bytes(&item.repeat(300));
    assert_eq!(cut.len(), 300);
    assert!(cut.iter().all(|piece| *piece == item));
}

#[test]
fn an_item_ends_where_its_heads_say() {
    for item in [
        &[0x80_u8][..],
        &[0x82, 1, 2],
        &[0x81, 0x9f, 0x81, 0, 0xff],
        &[0x9f, 0x5f, 0x41, 0, 0xff, 0xff],
        &[0x81, 0xd2, 0x81, 0xa1, 1, 0x42, 0, 0],
        // Text that is not UTF-8 has an end all the same.
        &[0x81, 0x61, 0xff],
    ] {
        for next in [&[0x80][..], &[0xa1, 1, 2], &[0x85, 0x18, 0x65, 0, 0, 0, 0]] {
            assert_eq!(bytes(&[item, next].concat()), [item, next], "{item:02x?}");
        }
    }
    // Those without end are one piece with what follows.
    for item in [
        &[0x82, 1][..],
        &[0x81, 0x58, 3, 0, 0],
        &[0x9f, 0x81],
        &[0x81, 0xff],
        &[0x81, 0x1f, 0x80],
        &[0x81; 100],
    ] {
        let cut = bytes(&[&[0x80], item].concat());
        assert_eq!(cut, [&[0x80], item], "{item:02x?}");
    }
}

/// A damaged voucher is one record, and the next voucher another.
#[test]
fn bytes_that_start_no_voucher_belong_to_the_one_before() {
    let voucher = [0x85, 0x18, 0x65, 0, 0, 0, 0];
    for junk in [
        &b"\n"[..],
        b"HTML",
        &[0, 1, 0xc0],
        &[0; 1000],
        b"\x58\x20 key",
    ] {
        let cut = bytes(&[&voucher, junk, &voucher, junk].concat());
        let record = [&voucher, junk].concat();
        assert_eq!(cut, [&*record, &record], "{junk:02x?}");
    }
    // In a sequence of any CBOR each item is one.
    let any = pieces_of(Splitter::new().with_any_cbor(), &[0x80, 0, 1], &[1]);
    assert_eq!(any.len(), 3);
    // Line ends of text: the lengths no longer fit, and the rest may start with anything.
    let damaged = [0x85, 0x18, 0x65, 0x45, 13, 10, 13, 10, 0, 0, 0, 0x80, 0x80];
    assert_eq!(bytes(&damaged), [damaged]);
    let whole = [0x85, 0x18, 0x65, 0x45, 13, 10, 10, 10, 0, 0, 0, 0, 0x80];
    assert_eq!(bytes(&whole).len(), 2);
}

#[test]
fn no_more_than_64_kib_follow_a_voucher() {
    let voucher = [0x85, 0x18, 0x65, 0, 0, 0, 0];
    let junk = vec![0; 1 << 16];
    assert_eq!(bytes(&[&voucher, &*junk].concat()).len(), 1);
    let cut = bytes(&[&voucher, &*junk, &[0], &voucher].concat());
    let lengths: Vec<_> = cut.iter().map(Vec::len).collect();
    assert_eq!(lengths, [7 + (1 << 16)]);
}

#[test]
fn a_wrapped_voucher_is_an_item() {
    let voucher = [0x85, 0x18, 0x65, 0, 0, 0, 0];
    for before in [
        &[0xd9, 0xd9, 0xf7][..],
        &[0xd8, 0x18, 0x58, 7],
        &[0x58, 7],
        &[0x59, 0, 7],
        &[0xd9, 0xd9, 0xf7, 0xd8, 0x18, 0x58, 7],
    ] {
        let item = [before, &voucher].concat();
        assert_eq!(bytes(&item.repeat(2)), [&*item, &item], "{before:02x?}");
    }
    // A string of anything else is none.
    for other in [
        &b"X hello"[..],
        &[0xd8, 0x18, 0x42, 1, 2],
        &[0xd9, 0xd9, 0xf7, 1],
    ] {
        assert_eq!(vouchers(other), [], "{other:02x?}");
    }
}

#[test]
fn what_is_no_voucher_has_a_name() {
    let kind = |stream: &[u8]| {
        let mut kinds = [1, 7, 1 << 20].map(|size| {
            let mut splitter = Splitter::new();
            let mut chunks = stream.chunks(size);
            while let Some(piece) = splitter.next_piece() {
                match piece {
                    Ok(Piece::Decoded(_)) => {}
                    Ok(Piece::More) => match chunks.next() {
                        Some(chunk) => splitter.push(chunk),
                        None => splitter.finish(),
                    },
                    other => panic!("{other:?}"),
                }
            }
            splitter.kind().map(Kind::name)
        });
        kinds.sort_unstable();
        assert!(kinds[0] == kinds[2], "{kinds:?}");
        kinds[0]
    };
    let wide = |text: &str| -> Vec<u8> { text.encode_utf16().flat_map(u16::to_le_bytes).collect() };
    for (stream, name) in [
        (&b"\x1f\x8b\x08"[..], Some("gzip")),
        (b"\x87\xf5\x18\x65\0", Some("device-credential")),
        (b"h/UYZQ==", Some("device-credential")),
        // Two messages: one name.
        (
            b"\x82\0\xd2\x84\x40\xa0\x40\x40\x82\x01\xd2\x84\x40\xa0\x40\x40",
            Some("entry-message"),
        ),
        (b"\xd2\x84\x40\xa0\x40\x40", Some("cose-sign1")),
        (b"H4sIAAAA", Some("gzip")),
        (b"<html>", Some("html")),
        (&wide("<html>"), Some("html")),
        (&wide("\u{feff}{\"a\": 1}"), Some("json")),
        (b"a text", None),
        (b"ssh-rsa AAAAB3NzaC1yc2E= me", Some("public-key")),
        (
            b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
            Some("public-key"),
        ),
        (
            b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n\
            -----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
            Some("private-key"),
        ),
    ] {
        assert_eq!(kind(stream), name, "{stream:02x?}");
    }
}

#[test]
fn text_in_two_byte_units_is_read() {
    let narrow = "text\n".to_owned() + &to_pem(&[0x80; 100]) + "\u{e9}" + &to_pem(&[0x81; 100]);
    let little: Vec<u8> = narrow.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = narrow.encode_utf16().flat_map(u16::to_be_bytes).collect();
    let places: Vec<u64> = vouchers(narrow.as_bytes()).iter().map(|it| it.0).collect();
    for (mark, text, base) in [
        (&[][..], &little, 0),
        (&[], &big, 0),
        (&[0xff, 0xfe], &little, 2),
        (&[0xfe, 0xff], &big, 2),
    ] {
        let found = vouchers(&[mark, text].concat());
        let there: Vec<u64> = found.iter().map(|it| it.0).collect();
        // Before it one character has two bytes in UTF-8, and one unit here.
        assert_eq!(there, [2 * places[0] + base, 2 * (places[1] - 1) + base]);
        assert!(
            found
                .iter()
                .all(|it| it.1.as_ref().is_ok_and(|it| it.len() == 100))
        );
    }
}

#[test]
fn digits_of_any_kind_are_decoded() {
    let item = [
        &[0x85, 0x18, 0x65, 0x58, 0x40][..],
        &[0xfb; 0x40],
        &[0, 0, 0],
    ]
    .concat();
    let hex: Vec<u8> = item
        .iter()
        .flat_map(|byte| hex::encode([*byte]).into_bytes())
        .collect();
    use base64ct::{Base64, Base64Unpadded, Base64Url, Base64UrlUnpadded, Encoding as _};
    for (text, format) in [
        (Base64::encode_string(&item), Format::Base64),
        (Base64Unpadded::encode_string(&item), Format::Base64),
        (Base64Url::encode_string(&item), Format::Base64),
        (Base64UrlUnpadded::encode_string(&item), Format::Base64),
        (
            "\u{feff}".to_owned() + &Base64::encode_string(&item),
            Format::Base64,
        ),
        (
            core::str::from_utf8(&hex).unwrap().to_uppercase(),
            Format::Hex,
        ),
        (
            core::str::from_utf8(&hex).unwrap().replace("fb", "FB\r\n"),
            Format::Hex,
        ),
    ] {
        assert_eq!(bytes(text.as_bytes()), [&*item], "{text}");
        let mut splitter = Splitter::new();
        splitter.push(text.as_bytes());
        splitter.finish();
        while splitter.next_piece().is_some() {}
        assert_eq!(splitter.format(), Some(format), "{text}");
    }
}

#[test]
fn strings_of_json_are_looked_into() {
    use base64ct::{Base64, Encoding as _};
    let item = [
        &[0x85, 0x18, 0x65, 0x58, 0x40][..],
        &[0xfb; 0x40],
        &[0, 0, 0],
    ]
    .concat();
    let text = Base64::encode_string(&item);
    let pem = to_pem(&item);
    for (json, count) in [
        (std::format!("{{\"voucher\": \"{text}\", \"keys\": []}}"), 1),
        (std::format!("[\"{text}\",\n\"{text}\"]"), 2),
        (
            std::format!(
                "{{\"a\":\"{}\"}}\n{{\"a\":\"{text}\"}}",
                text.replace('/', "\\/")
            ),
            2,
        ),
        (
            std::format!("{{\"a\":\"{}\"}}", text.replace('+', "\\u002b")),
            1,
        ),
        (std::format!("{{\"a\":\"{}\"}}", hex::encode(&item)), 1),
        (
            std::format!("{{\"a\":\"{}\"}}", pem.replace('\n', "\\n")),
            1,
        ),
        (
            std::format!(
                "{{\"a\":\"{}\",\"b\":\"{text}\"}}",
                pem.replace('\n', "\\r\\n")
            ),
            2,
        ),
        (std::format!("{{\"a\": 1}}\n{pem}"), 1),
        // Base64 of something else, or too short.
        (
            std::format!("{{\"a\":\"{}\"}}", Base64::encode_string(&[0x30; 100])),
            0,
        ),
        ("{\"a\":\"hRhlAAAAAA==\"}".to_owned(), 0),
    ] {
        let found = bytes(json.as_bytes());
        assert!(found.iter().all(|it| *it == item), "{json}");
        assert_eq!(found.len(), count, "{json}");
    }
}

#[test]
fn a_line_begin_without_its_dashes_is_a_fault() {
    let whole = to_pem(&[0x80; 100]);
    for (line, faults) in [
        ("----BEGIN OWNERSHIP VOUCHER-----", 1),
        ("BEGIN OWNERSHIP VOUCHER", 1),
        (" BEGIN OWNERSHIP VOUCHER\r", 1),
        ("\u{2014}\u{2014}BEGIN OWNERSHIP VOUCHER\u{2014}", 1),
        ("The words BEGIN OWNERSHIP VOUCHER start a block.", 0),
        ("BEGIN OWNERSHIP VOUCHER starts a block.", 0),
    ] {
        // Words in a sentence start no block, and there is none to end.
        let alone = match faults {
            0 => line.to_owned() + "\n",
            _ => whole.replace("-----BEGIN OWNERSHIP VOUCHER-----", line),
        };
        let text = std::format!("{whole}{alone}\n{whole}");
        let found = vouchers(text.as_bytes());
        assert_eq!(found.iter().filter(|it| it.1.is_ok()).count(), 2, "{line}");
        assert_eq!(
            found.iter().filter(|it| it.1.is_err()).count(),
            faults,
            "{line}"
        );
        // The fault is that of this line, and not of the END line that it opens.
        let named = |error: &Error| std::format!("{error}").contains("lacks its dashes");
        assert!(
            found
                .iter()
                .filter_map(|(_, it)| it.as_ref().err())
                .all(named),
            "{line}"
        );
        assert_eq!(vouchers(alone.as_bytes()).len(), faults, "{line}");
    }
}

#[test]
fn an_item_without_end_has_at_most_the_size_of_the_largest_voucher() {
    let rest = vec![0; Limits::MAX_INPUT + 10];
    for (start, length) in [
        // Larger than any voucher.
        (
            &[0x81, 0x5a, 0x7f, 0xff, 0xff, 0xff][..],
            Limits::MAX_INPUT + 1,
        ),
        (&[0x81, 0x1f], Limits::MAX_INPUT),
    ] {
        let cut = bytes(&[start, &rest].concat());
        assert_eq!(cut.iter().map(Vec::len).collect::<Vec<_>>(), [length]);
    }
}

#[test]
fn pem_of_any_length_comes_block_by_block() {
    let text = to_pem(&[0x80; 3000]).repeat(600);
    assert!(text.len() > 2 << 20);
    let cut = bytes(text.as_bytes());
    assert_eq!(cut.len(), 600);
    assert!(cut.iter().all(|piece| *piece == [0x80; 3000]));
}

#[test]
fn pem_blocks_of_other_labels_are_passed_over() {
    let text = b"text\n-----BEGIN X-----\nAAAA\n-----END X-----\r\n\
        -----BEGIN OWNERSHIP VOUCHER-----gA==-----END OWNERSHIP VOUCHER-----\n\
        -----BEGIN OWNERSHIP VOUCHER-----\n!\n-----END OWNERSHIP VOUCHER-----\n-----BEGIN Y";
    let cut = vouchers(text);
    let places: Vec<_> = cut.iter().map(|(offset, _)| *offset).collect();
    assert_eq!(places, [45, 114, 182]);
    assert_eq!(cut[0].1, Ok(vec![0x80]));
    for fault in &cut[1..] {
        let error = fault.1.as_ref().unwrap_err();
        assert_eq!((error.kind(), error.offset()), (ErrorKind::Pem, Some(0)));
    }
    let other = pieces_of(Splitter::new(), text, &[7]).swap_remove(0);
    assert_eq!(other, (5, Ok(Piece::Decoded(vec![0; 3].into()))));
}

#[test]
fn a_private_key_is_not_decoded() {
    let text = b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n";
    assert_eq!(pieces_of(Splitter::new(), text, &[9]), []);
}

#[test]
fn a_block_has_a_largest_size() {
    let filler = vec![b'A'; crate::file::pem::MAX_BODY];
    let begin = &b"-----BEGIN OWNERSHIP VOUCHER-----\n"[..];
    let end = &b"-----END OWNERSHIP VOUCHER-----\n"[..];
    let whole = to_pem(&[0x80]);
    let cut = vouchers(&[begin, &filler, end, whole.as_bytes()].concat());
    let kinds: Vec<_> = cut
        .iter()
        .map(|(_, it)| it.as_ref().map_err(Error::kind))
        .collect();
    assert_eq!(kinds, [Err(ErrorKind::Pem)]);
}

#[test]
fn base64_is_decoded_as_a_whole() {
    use base64ct::{Base64, Encoding as _};
    let item = [&[0x82, 0x58, 0x40][..], &[7; 0x40], &[0]].concat();
    let text = Base64::encode_string(&item.repeat(3)).replace('w', "w\r\n ");
    assert_eq!(
        bytes(text.as_bytes()),
        [&item, &item, &item].map(Vec::as_slice)
    );
    assert_eq!(bytes(b"g A\n=="), [[0x80]]);

    let long = vec![b'A'; crate::file::pem::MAX_BODY + 4];
    let cut = vouchers(&long);
    let kinds: Vec<_> = cut
        .iter()
        .map(|(_, it)| it.as_ref().map_err(Error::kind))
        .collect();
    assert_eq!(kinds, [Err(ErrorKind::LimitInput)]);
}

/// Digits, and then a line: the format is recognised by the first MiB, and the line may be cut there.
#[test]
fn a_line_after_digits_is_found_wherever_it_starts() {
    const PROBE: usize = 1 << 20;
    let block = to_pem(&[0x80]);
    for before in [0, 1, 10, 11, 20, 27, 28, 48, 49, 1000] {
        for at in [PROBE - before, PROBE + before] {
            let text = |line: &str| [&vec![b'A'; at][..], line.as_bytes()].concat();
            assert_eq!(vouchers(&text(&block)), [(at as u64, Ok(vec![0x80]))]);
            // Alone, so that no other line tells that this is PEM.
            for line in [
                "-----begin ownership voucher-----",
                "-----END OWNERSHIP VOUCHER-----",
                "-----BEGIN OWNERSHIP VOUCHER-----",
            ] {
                let faults = vouchers(&text(line));
                let (offset, fault) = faults.first().expect(line);
                let kind = fault.as_ref().map_err(Error::kind);
                assert_eq!((*offset, kind), (at as u64, Err(ErrorKind::Pem)), "{line}");
            }
        }
    }
}

#[test]
fn where_there_is_nothing_nothing_comes() {
    for nothing in [&b""[..], b"AAAA", b"hello, world", b"{\"a\":1}", &[0, 1, 2]] {
        assert_eq!(vouchers(nothing), [], "{nothing:02x?}");
    }
    let any = pieces_of(Splitter::new().with_any_cbor(), &[0, 1, 0x61, 0xff], &[1]);
    assert_eq!(any.len(), 3);
}

#[test]
fn the_first_block_starts_before_the_limit() {
    let text = [&b"x".repeat(100)[..], to_pem(&[0x80]).repeat(2).as_bytes()].concat();
    for sizes in [&[1][..], &[1000]] {
        let found = |limit| {
            let splitter = Splitter::new().with_search_limit(limit);
            pieces_of(splitter, &text, sizes).len()
        };
        assert_eq!((found(99), found(100)), (0, 2), "{sizes:?}");
    }
}

#[test]
fn what_is_no_text_after_a_block_is_noticed() {
    let block = to_pem(&[0x80]);
    for (text, unread) in [
        (block.clone() + "text\n", None),
        ("\u{1}".to_owned() + &block, None),
        (
            block.clone() + "text\u{1}" + &block,
            Some(block.len() as u64 + 4),
        ),
    ] {
        for size in [1, 1000] {
            let mut splitter = Splitter::new();
            let mut chunks = text.as_bytes().chunks(size);
            while let Some(piece) = splitter.next_piece() {
                match (piece, chunks.len()) {
                    (Ok(Piece::More), 0) => splitter.finish(),
                    (Ok(Piece::More), _) => splitter.push(chunks.next().unwrap()),
                    _ => {}
                }
            }
            assert_eq!(splitter.unread_data(), unread, "{text:?}");
        }
    }
}
