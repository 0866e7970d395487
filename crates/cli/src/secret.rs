//! HMAC secrets of devices, from the command line and from files.
//!
//! A misread secret makes vouchers that their devices refuse. So text must be hexadecimal or is
//! refused, and only content that cannot be text is used as raw bytes.

use std::path::Path;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::file::Kind;
use ownership_voucher::hmac::{DeviceHmac as _, HmacSecrets};
use ownership_voucher::onboard::DeviceCredential;
use ownership_voucher::{Guid, HmacSecret, Voucher};
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::unhex_secret;
use crate::csv::{SEPARATORS, fields};
use crate::output::print_message;
use crate::read::read;
use crate::report::{Problem, count};
use crate::text::read_text;

/// The result of reading.
const FORMS: &str = "expected hexadecimal digits (0x, blanks, colons and line ends are passed over), \
                     or in a file the bytes themselves; to use the characters of a text, give their \
                     hexadecimal form";

/// An HMAC secret: hex, or `@FILE` with hex or raw bytes. A length below `advised` bytes is
/// reported.
pub(crate) fn secret(text: &str, advised: usize) -> Result<HmacSecret, Failure> {
    let mut secret = match text.strip_prefix('@') {
        Some(path) => {
            let bytes = read(Path::new(path))?;
            of_file(bytes).map_err(|why| {
                Failure::Message(format!("--hmac-secret: {path} holds {why}; {FORMS}"))
            })?
        }
        None => digits(text.as_bytes()).ok_or_else(|| {
            Failure::Message(format!(
                "--hmac-secret: no hexadecimal digits, or an odd number of them; {FORMS}"
            ))
        })?,
    };
    match credential_or_other(&secret) {
        Ok(None) => {}
        Ok(Some((guid, secret))) => {
            print_message(&format!(
                "--hmac-secret: a device credential; the HMAC secret of the device {guid} in it is used"
            ));
            return Ok(secret);
        }
        Err(why) => return Err(Failure::Message(format!("--hmac-secret: {why}"))),
    }
    let len = secret.len();
    let found = count(len, "byte", "bytes");
    if len < HmacSecret::MIN_LEN {
        return Err(Failure::Message(format!(
            "--hmac-secret: {found} found, at least {} expected; 32 are recommended for SHA-256, 48 for SHA-384",
            HmacSecret::MIN_LEN
        )));
    }
    if len < advised {
        print_message(&format!(
            "warning: --hmac-secret has {found}; {advised} are recommended{}",
            match advised {
                48 => " for SHA-384",
                _ => " for SHA-256, 48 for SHA-384",
            }
        ));
    }
    // Moved, not copied; it is wiped there too.
    Ok(HmacSecret::new(core::mem::take(&mut *secret)))
}

/// The secret in a device credential. Other objects that are bytes are refused by their names.
fn credential_or_other(bytes: &[u8]) -> Result<Option<(Guid, HmacSecret)>, String> {
    if Voucher::parse(bytes).is_ok() {
        return Err(
            "a voucher, which holds no secret; the secret of its device is expected".into(),
        );
    }
    match Kind::of(bytes) {
        None => Ok(None),
        Some(Kind::DeviceCredential) => {
            let (credential, _) = DeviceCredential::read(bytes).map_err(|error| {
                let message = Problem::from(&error).message;
                format!("a device credential that cannot be read: {message}")
            })?;
            let guid = credential.guid;
            let none = "a device credential without an HMAC secret, which is in its TPM then";
            let secret = credential.into_secret().ok_or(none)?;
            // Too short a one is refused where it is used.
            match secret.header_hmac(HashAlgorithm::Sha256, &[]) {
                Ok(_) => Ok(Some((guid, secret))),
                Err(error) => Err(Problem::from(&error).message),
            }
        }
        // A random secret may start as text does.
        Some(Kind::Html | Kind::Json | Kind::OtherPem) => Ok(None),
        Some(kind) => Err(format!("{kind}, and no HMAC secret")),
    }
}

/// The HMAC secrets of many devices: a table with a line for each, GUID and secret in hex, with a
/// comma, semicolon or tab between them. Blank lines, comments after # and a heading are passed
/// over.
pub(crate) fn table(path: &Path) -> Result<HmacSecrets, Failure> {
    let text = read_text(path)?;
    let name = path.display();
    let fail = |why: &str| Failure::Message(format!("--hmac-secrets: {name} {why}"));
    let text = core::str::from_utf8(&text).map_err(|_| fail("is not text in UTF-8"))?;
    let mut secrets = HmacSecrets::new();
    for (number, line) in (1_usize..).zip(text.lines()) {
        let line = line.split('#').next().unwrap_or_default().trim();
        let fail = |why: &str| fail(&format!("line {number}: {why}"));
        if line.is_empty() {
            continue;
        }
        let fields = fields(line, &SEPARATORS).unwrap_or_default();
        let [guid, secret] = fields.as_slice() else {
            return Err(fail(
                "a GUID, a comma and a secret in hexadecimal digits expected",
            ));
        };
        if secrets.is_empty() && guid.eq_ignore_ascii_case("guid") {
            continue;
        }
        let guid: Guid = guid.parse().map_err(|_| {
            fail("32 hexadecimal digits of a GUID expected, with or without dashes")
        })?;
        let secret = secret_of_text(secret).map_err(|why| fail(&why))?;
        secrets
            .insert(guid, secret)
            .map_err(|_| fail(&format!("a second secret for the device {guid}")))?;
    }
    match secrets.is_empty() {
        true => Err(fail(
            "holds no secret; a line for each device expected: GUID,secret",
        )),
        false => Ok(secrets),
    }
}

/// A secret in hexadecimal digits, in a table.
pub(crate) fn secret_of_text(text: &str) -> Result<HmacSecret, String> {
    let mut secret = digits(text.as_bytes()).ok_or("a secret in hexadecimal digits expected")?;
    if secret.len() < HmacSecret::MIN_LEN {
        let found = count(secret.len(), "byte", "bytes");
        let least = HmacSecret::MIN_LEN;
        return Err(format!(
            "a secret of {found} found, at least {least} expected"
        ));
    }
    // Moved, not copied; it is wiped there too.
    Ok(HmacSecret::new(core::mem::take(&mut *secret)))
}

/// The secret in a file, or a description of other contents.
fn of_file(bytes: Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, &'static str> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    if let Some(secret) = digits(text) {
        return Ok(secret);
    }
    if is_wide(&bytes) {
        return Err("text in UTF-16");
    }
    if let Some(kind) = kind_of_text(text) {
        return Err(kind);
    }
    let printable = |byte: &u8| byte.is_ascii_graphic() || byte.is_ascii_whitespace();
    if text.iter().all(printable) {
        return Err("text that is not hexadecimal, or has an odd number of digits");
    }
    if core::str::from_utf8(text).is_ok_and(|text| !text.chars().any(char::is_control)) {
        return Err("text that is not hexadecimal");
    }
    let one_more = [17, 33, 49, 65].contains(&bytes.len());
    if one_more && bytes.last() == Some(&b'\n') {
        return Err("bytes with a line end behind them, or one byte more than a hash has");
    }
    Ok(bytes)
}

/// The name of a text that is known, and no secret. Other bytes are not looked at: a random secret may
/// start as anything does.
fn kind_of_text(text: &[u8]) -> Option<&'static str> {
    let text = core::str::from_utf8(text).ok()?;
    let control = |char: char| char.is_control() && !char.is_ascii_whitespace();
    if text.contains(control) {
        return None;
    }
    if text.contains("-----BEGIN OWNERSHIP VOUCHER-----") {
        return Some("a voucher, which holds no secret");
    }
    match Kind::of(text.as_bytes()) {
        Some(Kind::OtherPem) => return Some("PEM, which holds no HMAC secret"),
        // Both are private JWK to the library.
        Some(Kind::PrivateKey) if text.contains("\"oct\"") => {
            return Some("a symmetric key as JWK");
        }
        Some(Kind::Json) => return Some("JSON"),
        Some(kind) => return Some(kind.text().trim_start_matches("this is ")),
        None => {}
    }
    let mut lines = text.lines().map(str::trim);
    let first = lines.find(|line| !line.is_empty() && !line.starts_with('#'))?;
    let (first, _) = first.split_once([',', ';', '\t'])?;
    let first = first.trim().trim_matches('"').trim();
    let is_guid = first.eq_ignore_ascii_case("guid") || first.parse::<Guid>().is_ok();
    is_guid.then_some("a table of GUIDs and secrets, which --hmac-secrets reads")
}

/// Whether this is text in which each character takes two bytes.
fn is_wide(bytes: &[u8]) -> bool {
    let (pairs, []) = bytes.as_chunks::<2>() else {
        return false;
    };
    let little = bytes.starts_with(b"\xff\xfe");
    let big = bytes.starts_with(b"\xfe\xff");
    let zero = |[first, second]: &[u8; 2]| if little { *second == 0 } else { *first == 0 };
    (little || big) && pairs.iter().skip(1).all(zero)
}

/// The bytes for these digits.
fn digits(text: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let text = text.trim_ascii();
    let text = text
        .strip_prefix(b"0x")
        .or_else(|| text.strip_prefix(b"0X"))
        .unwrap_or(text);
    // No reallocation, which would leave copies.
    let mut compact = Zeroizing::new(String::with_capacity(text.len()));
    for &byte in text {
        match byte {
            b':' => {}
            _ if byte.is_ascii_whitespace() => {}
            _ if byte.is_ascii_hexdigit() => compact.push(char::from(byte)),
            _ => return None,
        }
    }
    unhex_secret(&compact)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::left_behind::{MARK, left_behind};

    const HEX: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    fn of(bytes: &[u8]) -> Result<Vec<u8>, &'static str> {
        of_file(Zeroizing::new(bytes.to_vec())).map(|secret| secret.to_vec())
    }

    #[test]
    fn spellings_of_one_secret() {
        let secret: Vec<u8> = (0..32).collect();
        let pairs: Vec<&str> = HEX
            .as_bytes()
            .chunks(2)
            .map(|pair| core::str::from_utf8(pair).unwrap())
            .collect();
        for text in [
            HEX.to_owned(),
            HEX.to_uppercase(),
            format!("{HEX}\r\n"),
            format!(" 0x{HEX}\n\n"),
            format!("0X{HEX}"),
            format!("\u{feff}{HEX}\n"),
            format!("\u{feff}0x{HEX}"),
            pairs.join(":"),
            pairs.join(" "),
            format!("{}\n{}\n", &HEX[..32], &HEX[32..]),
            format!("{}\r\n{}", pairs[..16].join(":"), pairs[16..].join(":")),
        ] {
            assert_eq!(of(text.as_bytes()), Ok(secret.clone()), "{text:?}");
        }
        // Nor may the raw bytes be mistaken for anything else.
        assert_eq!(of(&secret), Ok(secret.clone()));
        assert_eq!(of(&[0xff; 48]), Ok(vec![0xff; 48]));
        assert_eq!(*digits(pairs.join(":").as_bytes()).unwrap(), secret);
    }

    #[test]
    fn what_may_mean_two_things_is_refused() {
        let wide: Vec<u8> = "\u{feff}00ff"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        let wide_big: Vec<u8> = "\u{feff}00ff"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        for text in [
            &HEX.as_bytes()[1..],
            b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
            b"correct horse battery staple",
            "schl\u{fc}ssel-der-fabrik-nummer-7".as_bytes(),
            format!("{HEX}\nzz").as_bytes(),
            format!("0x{HEX},").as_bytes(),
            &wide,
            &wide_big,
            &[&[0x80; 32][..], b"\n"].concat(),
        ] {
            assert!(of(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn other_files_are_named() {
        let guid = "00112233-4455-6677-8899-aabbccddeeff";
        let cases = [
            ("-----BEGIN EC PRIVATE KEY-----\nAA", "a private key"),
            ("-----BEGIN PUBLIC KEY-----\r\nAA", "a public key"),
            ("\u{feff}-----BEGIN CERTIFICATE-----\nAA", "a certificate"),
            (
                "Bag: \u{fc}\n-----BEGIN CERTIFICATE-----\nAA",
                "a certificate",
            ),
            ("-----BEGIN OWNERSHIP VOUCHER-----\nAA", "a voucher"),
            ("-----BEGIN X-----\nAA", "PEM, "),
            ("{\"kty\":\"EC\",\"x\":\"AA\"}", "a public key"),
            ("{\"kty\":\"EC\",\"d\":\"AA\"}", "a private key"),
            ("{\"kty\": \"oct\", \"k\": \"AA\"}", "a symmetric key"),
            ("{\"secret\": \"00\"}", "JSON"),
            ("<!DOCTYPE html><p>", "an HTML page"),
            (&format!("{guid},{HEX}\n"), "a table of GUIDs"),
            (
                &format!("# 2\n\"{guid}\";\"{HEX}\"\r\n"),
                "a table of GUIDs",
            ),
            (&format!("GUID\tsecret\n{guid}\t{HEX}"), "a table of GUIDs"),
            (&format!("{HEX},{HEX}"), "text that is not hexadecimal"),
        ];
        for (text, name) in cases {
            let said = of(text.as_bytes()).unwrap_err();
            assert!(said.starts_with(name), "{text:?}: {said}");
        }
        // No text, whatever it starts with.
        let random = [b"-----BEGIN X-----".as_slice(), &[0x80; 15]].concat();
        assert_eq!(of(&random), Ok(random.clone()));
    }

    #[test]
    fn a_secret_leaves_no_copy_behind() {
        let folder = std::env::temp_dir().join(format!("ov-secret-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        let path = folder.join("secret");
        let hex: String = MARK.iter().map(|byte| format!("{byte:02x}")).collect();
        let raw = [MARK.as_slice(), &MARK, &[0x80]].concat();
        let wrong = format!("{hex}\nzz");
        for (text, fits, what) in [
            (hex.as_bytes(), true, "hexadecimal"),
            (wrong.as_bytes(), false, "wrong digits"),
            (&raw, true, "raw bytes"),
        ] {
            std::fs::write(&path, text).unwrap();
            let name = format!("@{}", path.display());
            let left = left_behind(|| assert_eq!(secret(&name, 16).is_ok(), fits));
            assert_eq!(left, 0, "{what}");
        }
        let _ = std::fs::remove_dir_all(folder);
    }
}
