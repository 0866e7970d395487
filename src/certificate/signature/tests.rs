//! AlgorithmIdentifiers (RFC 4055 §3.1) and RSA keys (RFC 8017 §A.1.1) written by hand.

use super::is_sha1;
#[cfg(feature = "rsa")]
use super::rsa_key;
use alloc::vec::Vec;

const PSS: &[u8] = b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
const SHA1: &[u8] = b"\x06\x05\x2b\x0e\x03\x02\x1a";
const SHA256: &[u8] = b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01";
const NULL: &[u8] = b"\x05\x00";

fn tlv(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content = parts.concat();
    let [high, low] = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match content.len() {
        0..=127 => alloc::vec![tag, low],
        _ => alloc::vec![tag, 0x82, high, low],
    };
    // In DER two bytes are for lengths that one byte cannot hold.
    assert!(!(128..=255).contains(&content.len()));
    [head, content].concat()
}

/// PSS with these parameters.
fn pss(parameters: &[u8]) -> bool {
    is_sha1(&[PSS, parameters].concat())
}

/// `hashAlgorithm [0]` with this AlgorithmIdentifier.
fn hash(parts: &[&[u8]]) -> Vec<u8> {
    tlv(0x30, &[&tlv(0xa0, &[&tlv(0x30, parts)])])
}

#[test]
fn sha1_by_name() {
    for oid in [
        &b"\x06\x07\x2a\x86\x48\xce\x3d\x04\x01"[..],
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05",
        b"\x06\x05\x2b\x0e\x03\x02\x1d",
        b"\x06\x07\x2a\x86\x48\xce\x38\x04\x03",
    ] {
        assert!(is_sha1(oid), "{oid:02x?}");
        assert!(is_sha1(&[oid, NULL].concat()), "{oid:02x?}");
    }
    assert!(!is_sha1(b"\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"));
    assert!(!is_sha1(b""));
}

/// SHA-1 is what PSS has where nothing is said.
#[test]
fn sha1_of_pss() {
    assert!(pss(b""));
    assert!(pss(&tlv(0x30, &[])));
    // A mask generation function, [1], and no hash.
    assert!(pss(&tlv(0x30, &[&tlv(0xa1, &[&tlv(0x30, &[SHA256])])])));
    for rest in [&b""[..], NULL] {
        assert!(pss(&hash(&[SHA1, rest])));
        assert!(!pss(&hash(&[SHA256, rest])));
    }
}

/// What cannot be read is something else than SHA-1, and as little proof.
#[test]
fn pss_that_cannot_be_read() {
    assert!(!pss(&tlv(0x31, &[])));
    assert!(!pss(b"\x30\x05"));
    assert!(!pss(&tlv(0x30, &[&tlv(0xa0, &[SHA1])])));
}

/// The sizes and exponents that the keys of CAs may have.
#[cfg(feature = "rsa")]
#[test]
fn rsa_keys_of_cas() {
    let key = |bits: usize, exponent: &[u8], inside: &[u8], behind: &[u8]| {
        let modulus = tlv(2, &[&[0], &alloc::vec![0xff; bits / 8]]);
        let numbers = tlv(0x30, &[&modulus, &tlv(2, &[exponent]), inside]);
        rsa_key(&[&numbers[..], behind].concat()).is_some()
    };
    let usual = &[1, 0, 1][..];
    for (bits, wanted) in [(2040, false), (2048, true), (4096, true), (4104, false)] {
        assert_eq!(key(bits, usual, b"", b""), wanted, "{bits}");
    }
    assert!(!key(2048, usual, &[2, 1, 3], b""));
    assert!(!key(2048, usual, b"", b"\0"));
    for (exponent, wanted) in [
        (&[3][..], false),
        (&[1, 0, 0], false),
        (&[1, 0, 3], true),
        (&[0, 0xff, 0xff], false),
        (&[0, 0xff, 0xff, 0xff, 0xff], true),
        (&[1, 0, 0, 0, 1], false),
        // 2^64 + 65537, which eight bytes cannot hold.
        (&[1, 0, 0, 0, 0, 0, 1, 0, 1], false),
    ] {
        assert_eq!(key(2048, exponent, b"", b""), wanted, "{exponent:02x?}");
    }
}
