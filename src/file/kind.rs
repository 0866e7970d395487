//! What an input is that holds no voucher: its name, and what to do with it.
//!
//! Only the beginning is examined, and nothing is decided about vouchers here.

use core::fmt;

use super::start::{crlf_alone, is_credential, is_message, is_voucher_start};
use crate::key::der_sequence_head;
use crate::key::private::{is_private_content, private_jwk};

/// How much of an input is examined at most; line ends excepted.
pub(super) const HEAD: usize = 4096;

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $text:literal, $advice:literal;)*) => {
        /// What an input without a voucher is, as far as its beginning tells.
        ///
        /// ```
        /// use ownership_voucher::file::Kind;
        /// let kind = Kind::of(b"\x1f\x8b\x08").unwrap();
        /// assert_eq!((kind.name(), kind.advice()), ("gzip", "unpack it: gunzip FILE"));
        /// assert_eq!(Kind::of(b"a text"), None);
        /// ```
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Kind { $($(#[$doc])* $variant,)* }

        impl Kind {
            /// Every kind.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, lower case with dashes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// What it is, in words, as [`Display`](fmt::Display) prints it.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// What to do with it.
            #[must_use]
            pub const fn advice(self) -> &'static str {
                match self { $(Self::$variant => $advice,)* }
            }

            /// Both, as in the error about an input without a voucher.
            pub(super) const fn message(self) -> &'static str {
                match self { $(Self::$variant => concat!($text, "; ", $advice),)* }
            }
        }
    };
}

kinds! {
    /// Data compressed by gzip.
    Gzip = "gzip", "this is gzip, compressed data", "unpack it: gunzip FILE";
    /// Data compressed by bzip2.
    Bzip2 = "bzip2", "this is bzip2, compressed data", "unpack it: bunzip2 FILE";
    /// Data compressed by xz.
    Xz = "xz", "this is xz, compressed data", "unpack it: unxz FILE";
    /// Data compressed by Zstandard.
    Zstd = "zstd", "this is Zstandard, compressed data", "unpack it: unzstd FILE";
    /// A ZIP archive.
    Zip = "zip", "this is a ZIP archive", "unpack it into a folder, and give that: unzip FILE -d FOLDER";
    /// A 7z archive.
    SevenZip = "7z", "this is a 7z archive", "unpack it into a folder, and give that: 7z x FILE -oFOLDER";
    /// A tar archive.
    Tar = "tar", "this is a tar archive", "unpack it into a folder, and give that: tar -xf FILE -C FOLDER";
    /// A device credential: the secrets of a device.
    DeviceCredential = "device-credential", "this is a device credential, with the secrets of a device",
        "keep it secret; the voucher of the device is with its maker";
    /// A message that carries one entry of a voucher, from an owner to a device.
    EntryMessage = "entry-message", "this is OVNextEntry, message 63 of TO2, with one entry of a voucher",
        "give the voucher itself, which has the header, the HMAC and all entries";
    /// A COSE_Sign1 by itself.
    Signed = "cose-sign1", "this is a COSE_Sign1: one entry of a voucher, a message of onboarding or another signed text",
        "give the voucher itself, which has the header, the HMAC and all entries";
    /// A challenge or a proof of ownership, in PEM.
    OwnershipProof = "ownership-proof", "this is a challenge or a proof of ownership",
        "give the file of vouchers; ov prove and ov check-proof take challenges and proofs";
    /// A voucher of Secure Device Onboard in JSON, the protocol before FDO.
    SdoVoucher = "sdo-voucher", "this is an ownership proxy of SDO in JSON, from before FDO",
        "`ov verify` and `ov show` read it; no voucher of FDO can be made of it, but by its device";
    /// A voucher of RFC 8366, as BRSKI and SZTP use.
    BrskiVoucher = "brski-voucher", "this is a voucher of RFC 8366 (BRSKI, SZTP), which is no FDO voucher",
        "ask its maker for a voucher of FDO 1.1";
    /// A private key in PEM, DER or as JWK.
    PrivateKey = "private-key", "this is a private key", "keep it secret, and give the file of vouchers";
    /// A public key in PEM, DER or as JWK.
    PublicKey = "public-key", "this is a public key", "give the file of vouchers; keys go to options such as --manufacturer";
    /// Keys and certificates under a password (PKCS#12).
    Pkcs12 = "pkcs12", "this is PKCS#12: keys and certificates under a password",
        "keep it secret, and give the file of vouchers";
    /// Certificates in PEM or DER.
    Certificate = "certificate", "this is a certificate", "give the file of vouchers; roots go to --device-ca or --manufacturer-ca";
    /// A certificate request.
    CertificateRequest = "certificate-request", "this is a certificate request", "give the file of vouchers";
    /// A revocation list.
    RevocationList = "revocation-list", "this is a revocation list", "give the file of vouchers; lists go to --crl";
    /// PEM blocks of other labels.
    OtherPem = "other-pem", "this is PEM without a block OWNERSHIP VOUCHER", "give the file of vouchers";
    /// A page of a web server.
    Html = "html", "this is an HTML page", "a server gave it in place of a voucher: read it, and fetch the file again";
    /// JSON without a voucher.
    Json = "json", "this is JSON without a voucher: no text in it is base64 or PEM of one",
        "give an export that holds the voucher itself";
    /// CBOR that was converted between character sets as if it were text.
    TextConversion = "text-conversion", "damaged in transfer: bytes were converted as if they were text",
        "fetch the file again, in binary, or as PEM";
    /// CBOR in which each LF was made CR LF.
    CrlfConversion = "crlf-conversion", "damaged in transfer: CRLF conversion",
        "fetch the file again, in binary, or as PEM";
}

impl Kind {
    /// What these bytes are, if they are known and hold no voucher that is read. The beginning of a
    /// file is enough; the whole is needed to see a conversion of line ends.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        let start = bytes.get(..HEAD).unwrap_or(bytes);
        if is_voucher_start(bytes) {
            return crlf_alone(bytes).then_some(Self::CrlfConversion);
        }
        Self::archive(start)
            .or_else(|| Self::binary(start))
            .or_else(|| Self::of_text(start))
    }

    /// Compressed files and archives, in which vouchers are not looked for.
    pub(super) fn archive(start: &[u8]) -> Option<Self> {
        Some(match start {
            // The third byte is the method, of which there is one.
            [0x1f, 0x8b, 8, ..] => Self::Gzip,
            [b'B', b'Z', b'h', b'1'..=b'9', 0x31, 0x41, 0x59, 0x26, ..] => Self::Bzip2,
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Self::Xz,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Self::Zstd,
            [b'P', b'K', 3, 4, ..] | [b'P', b'K', 5, 6, ..] => Self::Zip,
            [b'7', b'z', 0xbc, 0xaf, 0x27, 0x1c, ..] => Self::SevenZip,
            _ if start.get(257..262) == Some(b"ustar") => Self::Tar,
            _ => return None,
        })
    }

    /// Other data that is no text.
    pub(super) fn binary(start: &[u8]) -> Option<Self> {
        if is_credential(start) {
            return Some(Self::DeviceCredential);
        }
        if let Some(kind) = Self::of_message(start) {
            return Some(kind);
        }
        // The first bytes of a voucher, 85 18 65: replaced by U+FFFD; read as Latin-1 and as
        // Windows-1252, and written as UTF-8.
        let converted: [&[u8]; 3] = [
            &[0xef, 0xbf, 0xbd, 0x18, 0x65],
            &[0xc2, 0x85, 0x18, 0x65],
            &[0xe2, 0x80, 0xa6, 0x18, 0x65],
        ];
        if converted.iter().any(|bytes| start.starts_with(bytes)) {
            return Some(Self::TextConversion);
        }
        Self::of_der(start)
    }

    fn of_message(start: &[u8]) -> Option<Self> {
        match start.first() {
            _ if !is_message(start) => None,
            Some(first) if first >> 5 == 4 => Some(Self::EntryMessage),
            _ => Some(Self::Signed),
        }
    }

    fn of_der(start: &[u8]) -> Option<Self> {
        let content = sequence(start)?;
        if content.starts_with(&[2, 1, 3]) {
            return Some(Self::Pkcs12);
        }
        if is_private_content(content) {
            return Some(Self::PrivateKey);
        }
        // ContentInfo of CMS, of id-signedData.
        if content.starts_with(&[6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2]) {
            return contains(start, b"ietf-voucher").then_some(Self::BrskiVoucher);
        }
        let inner = sequence(content)?;
        match inner {
            [0xa0, 3, 2, 1, ..] => Some(Self::Certificate),
            // id-ecPublicKey, rsaEncryption, Ed25519.
            [6, 7, 0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1, ..]
            | [6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, ..]
            | [6, 3, 0x2b, 0x65, ..] => Some(Self::PublicKey),
            _ => None,
        }
    }

    /// Text in which no voucher was found.
    pub(super) fn of_text(start: &[u8]) -> Option<Self> {
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let text = text.trim_ascii_start();
        let label = b"-----BEGIN ";
        if let Some(at) = position(text, label) {
            let label = text.get(at.saturating_add(label.len())..)?;
            return Some(Self::of_label(label));
        }
        match text.first()? {
            b'<' => {
                let tags = [&b"<!doctype html"[..], b"<html", b"<head", b"<body"];
                let at = |at: usize| text.get(at..).unwrap_or_default();
                let has = |tag: &&[u8]| {
                    let size = tag.len();
                    (0..text.len()).any(|from| {
                        at(from)
                            .get(..size)
                            .is_some_and(|it| it.eq_ignore_ascii_case(tag))
                    })
                };
                tags.iter().any(has).then_some(Self::Html)
            }
            b'{' | b'[' => Some(Self::of_json(text)),
            _ => Self::of_shell(text),
        }
    }

    /// Keys of SSH that are no PEM.
    fn of_shell(text: &[u8]) -> Option<Self> {
        let public: [&[u8]; 4] = [
            b"ssh-rsa ",
            b"ssh-ed25519 ",
            b"ecdsa-sha2-",
            b"---- BEGIN SSH2 PUBLIC KEY",
        ];
        if public.iter().any(|mark| text.starts_with(mark)) {
            return Some(Self::PublicKey);
        }
        let private = text.starts_with(b"PuTTY-User-Key-File-");
        private.then_some(Self::PrivateKey)
    }

    fn of_json(text: &[u8]) -> Self {
        // The second is the beginning of {"ietf-voucher in base64, in a JWS.
        if contains(text, b"ietf-voucher") || contains(text, b"eyJpZXRmLXZvdWNoZXI") {
            Self::BrskiVoucher
        } else if contains(text, b"\"oh\"") && contains(text, b"\"pv\"") {
            Self::SdoVoucher
        } else if private_jwk(text).is_some() {
            Self::PrivateKey
        } else if contains(text, b"\"kty\"") {
            Self::PublicKey
        } else {
            Self::Json
        }
    }

    /// What a PEM block is whose label starts with these bytes, and that is no voucher.
    pub(super) fn of_label(text: &[u8]) -> Self {
        let end = position(text, b"-----").unwrap_or(text.len());
        let label = text.get(..end).unwrap_or_default();
        if label.ends_with(b"PRIVATE KEY") {
            return Self::PrivateKey;
        }
        match label {
            b"CERTIFICATE" | b"X509 CERTIFICATE" | b"TRUSTED CERTIFICATE" => Self::Certificate,
            b"CERTIFICATE REQUEST" | b"NEW CERTIFICATE REQUEST" => Self::CertificateRequest,
            b"X509 CRL" => Self::RevocationList,
            b"OWNERSHIP CHALLENGE" | b"OWNERSHIP PROOF" => Self::OwnershipProof,
            _ if label.ends_with(b"PUBLIC KEY") => Self::PublicKey,
            _ => Self::OtherPem,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.text())
    }
}

/// The content of a SEQUENCE in DER at the beginning, as far as it is there.
fn sequence(bytes: &[u8]) -> Option<&[u8]> {
    der_sequence_head(bytes).map(|(_, content)| content)
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    (0..text.len()).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted)))
}

fn contains(text: &[u8], wanted: &[u8]) -> bool {
    position(text, wanted).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: alloc::vec::Vec<_> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Kind::ALL.len());
    }

    #[test]
    fn beginnings_and_their_names() {
        let mut tar = [0; 512];
        tar[257..262].copy_from_slice(b"ustar");
        let cases: [(&[u8], Option<Kind>); 37] = [
            (b"\x1f\x8b\x08\0", Some(Kind::Gzip)),
            (b"BZh91AY&SY", Some(Kind::Bzip2)),
            (b"BZh9 a text", None),
            (b"\xfd7zXZ\0", Some(Kind::Xz)),
            (b"\x28\xb5\x2f\xfd", Some(Kind::Zstd)),
            (b"PK\x03\x04", Some(Kind::Zip)),
            (b"PKI", None),
            (b"7z\xbc\xaf\x27\x1c", Some(Kind::SevenZip)),
            (&tar, Some(Kind::Tar)),
            (b"\x87\xf5\x18\x65", Some(Kind::DeviceCredential)),
            (b"\x88\xf4\x18\x65", Some(Kind::DeviceCredential)),
            (b"\x85\x18\x65", None),
            (b"\x82\x00\xd2\x84\x43", Some(Kind::EntryMessage)),
            (b"\x82\x18\x18\xd2\x84\x43", Some(Kind::EntryMessage)),
            (b"\x82\x00\xd2\x83\x43", None),
            (b"\x82\x20\xd2\x84\x43", None),
            (b"\xd2\x84\x43\xa1\x01\x26", Some(Kind::Signed)),
            (b"\xd2\x84\xa0", None),
            (b"ssh-ed25519 AAAA", Some(Kind::PublicKey)),
            (b"ssh-keygen says", None),
            (b"PuTTY-User-Key-File-3: ssh-rsa", Some(Kind::PrivateKey)),
            (
                b"-----BEGIN OWNERSHIP PROOF-----",
                Some(Kind::OwnershipProof),
            ),
            (b"\xef\xbf\xbd\x18\x65", Some(Kind::TextConversion)),
            (b"\xc2\x85\x18\x65", Some(Kind::TextConversion)),
            (
                b"\x30\x82\x01\0\x30\x81\xc0\xa0\x03\x02\x01\x02",
                Some(Kind::Certificate),
            ),
            (
                b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01",
                Some(Kind::PublicKey),
            ),
            (b"\x30\x77\x02\x01\x01\x04\x20", Some(Kind::PrivateKey)),
            (b"\x30\x82\x03\x10\x02\x01\x03\x30", Some(Kind::Pkcs12)),
            (b" \n<!DOCTYPE HTML>", Some(Kind::Html)),
            (b"<svg/>", None),
            (b"{\"ietf-voucher:voucher\": {}}", Some(Kind::BrskiVoucher)),
            (b"{\"sz\":1,\"oh\":{\"pv\":113}}", Some(Kind::SdoVoucher)),
            (b"{\"kty\":\"EC\",\"d\":\"AA\"}", Some(Kind::PrivateKey)),
            (b"{\"kty\":\"EC\",\"x\":\"AA\"}", Some(Kind::PublicKey)),
            (b"\xef\xbb\xbf[1]", Some(Kind::Json)),
            (b"x\n-----BEGIN EC PRIVATE KEY-----", Some(Kind::PrivateKey)),
            (b"-----BEGIN X-----", Some(Kind::OtherPem)),
        ];
        for (bytes, kind) in cases {
            assert_eq!(Kind::of(bytes), kind, "{bytes:02x?}");
        }
    }

    #[test]
    fn line_ends_of_a_voucher() {
        let crlf = |text: &[u8]| Kind::of(&[b"\x85\x18\x65", text].concat());
        assert_eq!(crlf(b"a\r\nb\r\n"), Some(Kind::CrlfConversion));
        assert_eq!(crlf(b"a\r\nb\n"), None);
        assert_eq!(crlf(b"a\r\nb"), None);
        assert_eq!(crlf(b""), None);
    }
}
