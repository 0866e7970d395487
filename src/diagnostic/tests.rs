use super::*;

fn text(bytes: &[u8]) -> String {
    notation(bytes, Secrets::Withheld).text
}

#[test]
fn shows_values_with_offsets() {
    let shown = text(&[0x83, 0x18, 0x65, 0x20, 0x43, 0xa1, 0x01, 0x26]);
    assert_eq!(
        shown,
        "/      0 / [\n/      1 /   101,\n/      3 /   -1,\n/      4 /   << {\n\
         /      6 /     1: -7\n/      8 /   } >>\n/      8 / ]\n"
    );
}

#[test]
fn floats_of_every_width() {
    // RFC 8949 appendix A.
    for (bytes, shown) in [
        (&[0xf9, 0x3c, 0x00][..], "1.0_1"),
        (&[0xf9, 0x00, 0x01], "5.960464477539063e-8_1"),
        (&[0xf9, 0xc4, 0x00], "-4.0_1"),
        (&[0xf9, 0x7b, 0xff], "65504.0_1"),
        (&[0xfa, 0x47, 0xc3, 0x50, 0x00], "100000.0_2"),
        (
            &[0xfb, 0xc0, 0x10, 0x66, 0x66, 0x66, 0x66, 0x66, 0x66],
            "-4.1_3",
        ),
        (&[0xf9, 0xfc, 0x00], "-Infinity_1"),
        (&[0xf0], "simple(16)"),
    ] {
        assert_eq!(text(bytes), alloc::format!("/      0 / {shown}\n"));
    }
}

/// RFC 8949 §8.1; chunks of a byte string are no items, whatever they look like.
#[test]
fn indefinite_lengths_are_shown() {
    for (bytes, shown) in [
        (&b"\x5f\x41\x01\x42\x02\x03\xff"[..], "(_ h'01', h'0203')"),
        (b"\x7f\x61a\x61b\xff", "(_ \"a\", \"b\")"),
        (b"\x9f\xff", "[_ ]"),
        (b"\xbf\xff", "{_ }"),
    ] {
        assert_eq!(text(bytes), alloc::format!("/      0 / {shown}\n"));
    }
    let nested = notation(b"\x5f\x5f\x41\x01\xff\xff", Secrets::Withheld);
    assert_eq!(nested.error.unwrap().kind(), crate::ErrorKind::BadCbor);
}

#[test]
fn a_wifi_password_is_withheld_on_request() {
    let instruction = [0x82, 0x0a, 0x43, 0x62, b'p', b'w'];
    assert!(!text(&instruction).contains("pw"));
    assert!(text(&instruction).contains("withheld"));
    assert!(
        notation(&instruction, Secrets::Shown)
            .text
            .contains("\"pw\"")
    );
}

/// A COSE_Key shows what a public key has (RFC 9053 §7, RFC 8230 §4), by itself, in a byte string and
/// in one that something follows.
#[test]
fn private_parts_of_keys_are_withheld() {
    let secret = [0x77; 32];
    let member = |label: &[u8]| [label, &[0x58, 32], &secret[..]].concat();
    let key = |public: &[u8], private: &[u8]| {
        let labels = 1 + u8::from(!public.is_empty()) * 3;
        [&[0xa0 | labels], public, private].concat()
    };
    // kty, crv and x of EC2 and of OKP; kty, n and e of RSA; a symmetric key.
    let ec2 = [1, 2, 0x20, 1, 0x21, 0x41, 9];
    let okp = [1, 1, 0x20, 6, 0x21, 0x41, 9];
    let rsa = [1, 3, 0x20, 0x41, 9, 0x21, 0x41, 9];
    let symmetric = [1, 4, 2, 0x41, 9, 3, 5];
    let none = [2, 0x41, 9, 0x20, 1, 0x21, 0x41, 9];
    for private in [
        key(&ec2, &member(&[0x23])),
        key(&ec2, &member(&[0x24])),
        key(&ec2, &member(&[0x3a, 0, 1, 0x11, 0x6f])),
        key(&ec2, &member(&[0x61, b'd'])),
        key(&ec2, &member(&[0x64, b's', b'e', b'e', b'd'])),
        key(&okp, &member(&[0x22])),
        key(&okp, &member(&[0x23])),
        key(&rsa, &member(&[0x22])),
        key(&rsa, &member(&[0x23])),
        key(&symmetric, &member(&[0x20])),
        key(&none, &member(&[0x23])),
        [&[0xa2][..], &member(&[0x23]), &[1, 2]].concat(),
        // d in chunks.
        key(
            &ec2,
            &[&[0x23, 0x5f, 0x58, 32], &secret[..], &[0xff]].concat(),
        ),
    ] {
        let wrapped = [&[0x58, private.len() as u8], &private[..]].concat();
        let followed = [&[0x58, private.len() as u8 + 1], &private[..], &[0]].concat();
        let chunks = [&[0x5f, 0x58, private.len() as u8], &private[..], &[0xff]].concat();
        for bytes in [&private, &wrapped, &followed, &chunks] {
            let shown = text(bytes);
            assert!(!shown.contains("777777"), "{shown}");
            assert!(shown.contains("withheld"), "{shown}");
            assert!(notation(bytes, Secrets::Shown).text.contains("777777"));
        }
    }
    // What a public key and a header have stays.
    let y = key(&ec2, &member(&[0x22]));
    assert!(text(&y).contains("777777") && !text(&y).contains("withheld"));
    let header = [&[0xa2, 1, 0x26][..], &member(&[0x23])].concat();
    assert!(text(&header).contains("777777"), "{}", text(&header));
}

/// What they begin with is enough (RFC 5958, 5915, 8017, 7292, 7468).
#[test]
fn private_keys_in_der_and_pem_are_withheld() {
    let pbes2 = [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 5, 0x0d];
    for start in [
        &[0x30, 48, 2, 1, 0, 0x30, 5][..],
        &[0x30, 48, 2, 1, 1, 4, 41],
        &[0x30, 48, 2, 1, 0, 2, 41],
        &[0x30, 48, 2, 1, 3, 0x30, 41],
        &[&[0x30, 48, 0x30, 11][..], &pbes2].concat(),
    ] {
        let der = [start, &[0x77; 50][start.len()..]].concat();
        let bytes = [&[0x58, 50], &der[..]].concat();
        assert!(!text(&bytes).contains("7777"), "{}", text(&bytes));
        assert!(notation(&bytes, Secrets::Shown).text.contains("7777"));
    }
    let public = [&[0x58, 50, 0x30, 48, 0x30, 11, 6, 1][..], &[0x77; 44]].concat();
    assert!(text(&public).contains("7777"));
    let pem = b"a -----BEGIN EC PRIVATE KEY-----\nSECRET";
    let as_text = [&[0x78, pem.len() as u8], &pem[..]].concat();
    let as_bytes = [&[0x58, pem.len() as u8], &pem[..]].concat();
    let inner = [&[0x58, as_text.len() as u8], &as_text[..]].concat();
    let chunks = [&[0x7f, 0x70], &pem[..16], &[0x78, 23], &pem[16..], &[0xff]].concat();
    for bytes in [as_text, inner, chunks] {
        assert!(!text(&bytes).contains("SECRET"), "{}", text(&bytes));
        assert!(notation(&bytes, Secrets::Shown).text.contains("SECRET"));
    }
    assert!(!text(&as_bytes).contains("534543524554"));
}

#[test]
fn broken_bytes_are_shown_up_to_the_fault() {
    let broken = notation(&[0x82, 0x01, 0x58, 0xff, 0xaa], Secrets::Withheld);
    assert!(broken.text.contains("withheld, 1 in all"));
    let broken = notation(&[0x82, 0x01, 0x58, 0xff, 0xaa], Secrets::Shown);
    assert!(broken.text.starts_with("/      0 / [\n/      1 /   1,\n"));
    assert!(broken.text.contains("h'aa'"), "{}", broken.text);
    assert_eq!(broken.error.unwrap().kind(), crate::ErrorKind::Truncated);
}

/// Levels over levels: each byte makes two long lines.
#[test]
fn the_text_has_an_end() {
    let item = [&[0x81; 62][..], &[0x00]].concat();
    let shown = |items: usize| {
        let head = [0x9a, 0, 0xff, 0xff, 0xff];
        notation(
            &[&head[..], &item.repeat(items)].concat(),
            Secrets::Withheld,
        )
    };
    let kind = |shown: &Diagnostic| shown.error.as_ref().map(Error::kind);
    // Small inputs have 64 KiB at least, which this one takes less than.
    assert_eq!(kind(&shown(5)), Some(crate::ErrorKind::Truncated));
    for items in [100, 1000, 50_000] {
        let shown = shown(items);
        assert_eq!(kind(&shown), Some(crate::ErrorKind::LimitInput));
        let most = ((items * item.len() + 5) * TEXT_PER_BYTE + (64 << 10)).min(TEXT);
        let len = shown.text.len();
        assert!((most..most + 4096).contains(&len), "{items}: {len}");
    }
}

/// Keys, hashes, signatures: what vouchers are made of is far from the end of the text.
#[test]
fn an_honest_text_fits() {
    let bytes = [&[0x58, 0xff][..], &[0xff; 255]].concat();
    let many = [&[0x99, 0xff, 0xff][..], &bytes.repeat(65535)].concat();
    let shown = notation(
        many.get(..Limits::MAX_INPUT).unwrap_or(&many),
        Secrets::Shown,
    );
    let cut = shown.error.map(|error| error.kind());
    assert_eq!(cut, Some(crate::ErrorKind::Truncated));
    assert!(
        shown.text.len() < 3 * Limits::MAX_INPUT,
        "{}",
        shown.text.len()
    );
}

#[test]
fn nesting_is_bounded_and_no_bytes_panic() {
    let deep = notation(&[0x81; 100_000], Secrets::Withheld);
    assert_eq!(deep.error.unwrap().kind(), crate::ErrorKind::LimitDepth);
    for first in 0..=255 {
        for second in 0..=255 {
            let shown = text(&[first, second, 0xff, 0x00]);
            assert!(!shown.is_empty());
        }
    }
}
