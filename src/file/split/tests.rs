use alloc::borrow::ToOwned as _;
use alloc::vec;
use alloc::vec::Vec;

use super::*;
use crate::file::to_pem;

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
        if stream.len() / sizes[0] < 100_000 {
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
    for (item, rest) in [
        (&[0x80_u8][..], &[0_u8][..]),
        (&[0x82, 1, 2], &[3]),
        (&[0x81, 0x9f, 0x81, 0, 0xff], &[0x80]),
        (&[0x9f, 0x5f, 0x41, 0, 0xff, 0xff], &[0]),
        (&[0x81, 0xd2, 0x81, 0xa1, 1, 0x42, 0, 0], &[0]),
        // Text that is not UTF-8 has an end all the same.
        (&[0x81, 0x61, 0xff], &[0]),
    ] {
        assert_eq!(bytes(&[item, rest].concat()), [item, rest], "{item:02x?}");
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
