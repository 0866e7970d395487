//! Key files that are not read: what they are, and the command that converts them.
//!
//! Naming decides nothing. It looks for marks of formats and algorithms in files that were refused.

/// The name of a file's contents, and what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) what: &'static str,
    pub(crate) advice: &'static str,
}

pub(super) const fn named(what: &'static str, advice: &'static str) -> Named {
    Named { what, advice }
}

const PKCS12: Named = named(
    "a PKCS#12 file",
    "take the private key out with `openssl pkcs12 -in FILE -nocerts -aes256 -out key.pem`, or the \
     certificates with `openssl pkcs12 -in FILE -nokeys -out certificates.pem`",
);
const LEGACY: Named = named(
    "a private key in the old encrypted PEM (Proc-Type)",
    "convert it with `openssl pkcs8 -topk8 -in FILE -out key.pem`",
);
const PKCS7: Named = named(
    "certificates in PKCS#7",
    "convert them with `openssl pkcs7 -in FILE -print_certs -out certificates.pem` (-inform DER for a \
     binary file)",
);
const KEYSTORE: Named = named(
    "a Java key store",
    "convert it with `keytool -importkeystore -srckeystore FILE -destkeystore keys.p12 -deststoretype \
     PKCS12`, then take the key out with `openssl pkcs12 -in keys.p12 -nocerts -aes256 -out key.pem`",
);
const PGP: Named = named(
    "an OpenPGP key",
    "FDO has no such keys: make one with `ov keygen`",
);
const REQUEST: Named = named(
    "a request for a certificate (PKCS#10)",
    "take its public key out with `openssl req -in FILE -noout -pubkey`, or ask for the certificate",
);
const COSE_KEY: Named = named(
    "a COSE_Key",
    "no `openssl` command reads it: export the key as PKCS#8 or JWK where it was made",
);
const ENCRYPTED_JWK: Named = named(
    "an encrypted JWK (JWE)",
    "decrypt it where it was made, and export PKCS#8 with a passphrase",
);
const CRL: Named = named("a PEM block X509 CRL", "revocation lists go to --crl");
const VOUCHER: Named = named(
    "an ownership voucher",
    "a key is expected here; `ov show --pem owner FILE` prints the key of its owner",
);
const HTML: Named = named("an HTML page", "download the file itself");

/// The PEM label of a block that is no key and no certificate.
pub(super) fn pem_label(label: &str) -> Option<Named> {
    Some(match label {
        "PKCS7" | "CMS" => PKCS7,
        "CERTIFICATE REQUEST" | "NEW CERTIFICATE REQUEST" => REQUEST,
        "PGP PRIVATE KEY BLOCK" | "PGP PUBLIC KEY BLOCK" => PGP,
        "X509 CRL" => CRL,
        "OWNERSHIP VOUCHER" => VOUCHER,
        _ => return None,
    })
}

/// A block of PEM with this text that OpenSSL encrypted before PKCS#8 (RFC 1421 §4.6.1.1).
pub(super) fn legacy_encrypted(block: &[u8]) -> Option<Named> {
    let begin = block.get(..200.min(block.len())).unwrap_or_default();
    holds(begin, b"Proc-Type:").then_some(LEGACY)
}

/// A file that is no PEM, by its beginning.
pub(super) fn file(bytes: &[u8]) -> Option<Named> {
    let text = bytes.trim_ascii_start();
    let starts = |mark: &[u8]| text.starts_with(mark);
    let lower: Vec<u8> = text.iter().take(16).map(u8::to_ascii_lowercase).collect();
    if lower.starts_with(b"<!doctype html") || lower.starts_with(b"<html") {
        return Some(HTML);
    }
    if bytes.starts_with(b"\xfe\xed\xfe\xed") || bytes.starts_with(b"\xce\xce\xce\xce") {
        return Some(KEYSTORE);
    }
    let jwe = |mark: &[u8]| holds(bytes.get(..4096.min(bytes.len())).unwrap_or_default(), mark);
    if (starts(b"{") && jwe(b"\"ciphertext\"")) || starts(b"eyJ") {
        return Some(ENCRYPTED_JWK);
    }
    der(bytes).or_else(|| cbor(bytes))
}

/// DER that is no key and no certificate.
fn der(bytes: &[u8]) -> Option<Named> {
    let content = content(bytes)?;
    // PFX of RFC 7292 §4: version 3, then ContentInfo.
    if content.starts_with(b"\x02\x01\x03\x30") {
        return Some(PKCS12);
    }
    // ContentInfo of RFC 5652 §3.
    if content.starts_with(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07") {
        return Some(PKCS7);
    }
    None
}

/// What is inside a SEQUENCE, whose length may be of any form: exports of key stores are BER.
fn content(bytes: &[u8]) -> Option<&[u8]> {
    let (tag, rest) = bytes.split_first()?;
    let (length, rest) = rest.split_first()?;
    let more = usize::from(length & 0x7f).min(8);
    match (tag, length) {
        (0x30, 0..0x80) => Some(rest),
        (0x30, _) => rest.get(more..),
        _ => None,
    }
}

/// A map whose first member is `kty` (RFC 9052 §7.1), or an array of a voucher.
fn cbor(bytes: &[u8]) -> Option<Named> {
    match bytes {
        [0xa2..=0xb7, 0x01, 0x01..=0x04, ..] => Some(COSE_KEY),
        [0x85, 0x18, 0x64..=0xc8, ..] => Some(VOUCHER),
        _ => None,
    }
}

/// Algorithms of keys that FDO does not have, by their object identifiers.
const ALGORITHMS: [(&[u8], &str); 12] = [
    (b"\x06\x05\x2b\x81\x04\x00\x23", "a key on the curve P-521"),
    (b"\x06\x05\x2b\x81\x04\x00\x21", "a key on the curve P-224"),
    (
        b"\x06\x05\x2b\x81\x04\x00\x0a",
        "a key on the curve secp256k1",
    ),
    (
        b"\x06\x09\x2b\x24\x03\x03\x02\x08\x01\x01",
        "a key on a Brainpool curve",
    ),
    (b"\x06\x03\x2b\x65\x6e", "an X25519 key, which cannot sign"),
    (b"\x06\x03\x2b\x65\x6f", "an X448 key, which cannot sign"),
    (b"\x06\x03\x2b\x65\x71", "an Ed448 key"),
    (b"\x06\x07\x2a\x86\x48\xce\x38\x04\x01", "a DSA key"),
    (
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11",
        "an ML-DSA key",
    ),
    (
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12",
        "an ML-DSA key",
    ),
    (
        b"\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13",
        "an ML-DSA key",
    ),
    (
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x03\x01",
        "a Diffie-Hellman key, which cannot sign",
    ),
];

/// What FDO has.
pub(super) const KEYS: &str =
    "FDO has keys on P-256 and P-384, and RSA keys of 2048 and 3072 bits; `ov keygen` makes one";

/// The algorithm of a refused key in DER, if FDO does not have it.
pub(super) fn algorithm(der: &[u8]) -> Option<&'static str> {
    let begin = der.get(..64.min(der.len())).unwrap_or_default();
    let found = ALGORITHMS.iter().find(|(mark, _)| holds(begin, mark));
    // SEC 1 has the curve behind the private key.
    let sec1 = || {
        let curves = ALGORITHMS.iter().take(4);
        curves
            .clone()
            .find(|(mark, _)| der.len() < 512 && holds(der, mark))
    };
    found.or_else(sec1).map(|(_, name)| *name)
}

/// The same for the key of a certificate.
pub(super) fn algorithm_of_certificate(der: &[u8]) -> Option<&'static str> {
    let found = ALGORITHMS.iter().find(|(mark, _)| holds(der, mark));
    found.map(|(_, name)| *name)
}

/// An RSA key that its certificate restricts to PSS.
pub(super) const PSS_CERTIFICATE: Named = named(
    "a certificate for an RSA key under id-RSASSA-PSS",
    "vouchers hold RSA keys under rsaEncryption, also for PSS: ask for a certificate of that kind, or for \
     the public key alone",
);

/// RSA keys for PSS alone whose parameters say more than FDO does.
pub(super) const PSS_PRIVATE: Named = named(
    "an RSA-PSS key with restrictions on hash or salt",
    "write it without them: `openssl rsa -in FILE -traditional -out key.pem`",
);
pub(super) const PSS_PUBLIC: Named = named(
    "an RSA-PSS key with restrictions on hash or salt",
    "write it without them: `openssl rsa -pubin -in FILE -RSAPublicKey_out -out key.pem`",
);

/// Whether DER names id-RSASSA-PSS, for a key or for a signature.
pub(super) fn names_pss(der: &[u8]) -> bool {
    holds(der, b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a")
}

pub(super) fn holds(bytes: &[u8], mark: &[u8]) -> bool {
    (0..bytes.len()).any(|at| bytes.get(at..).is_some_and(|rest| rest.starts_with(mark)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_by_their_beginning() {
        for (bytes, wanted) in [
            (&b"<!DOCTYPE html>"[..], Some(HTML)),
            (b"\xfe\xed\xfe\xed\0\0\0\x02", Some(KEYSTORE)),
            (b"0\x82\x04\0\x02\x01\x03\x30\x82", Some(PKCS12)),
            (b"0\x80\x02\x01\x03\x30\x80", Some(PKCS12)),
            (
                b"0\x82\x01\0\x06\x09*\x86H\x86\xf7\x0d\x01\x07\x02",
                Some(PKCS7),
            ),
            (b"\xa4\x01\x02\x20\x01\x21", Some(COSE_KEY)),
            (b"\x85\x18\x65\x58", Some(VOUCHER)),
            (
                b"{\"protected\":\"\",\"ciphertext\":\"\"}",
                Some(ENCRYPTED_JWK),
            ),
            (b"0", None),
            (b"0\x88\x01", None),
            (b"", None),
        ] {
            assert_eq!(file(bytes), wanted, "{bytes:?}");
        }
    }
}
