//! The one error type: what went wrong, where, and whose fault it is.
//!
//! Every kind has a number and a name that never change: Rust, C, the `ov` program and the test
//! vectors all use them. Numbers come in blocks of one hundred per [`Fault`] and are not reused.

mod brief;

pub use brief::DeviceError;

use alloc::boxed::Box;
use core::fmt;

/// Whose fault an error is: the hundreds of [`ErrorKind::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The bytes are not a voucher: 100 to 199.
    Malformed,
    /// The bytes are legal, but this library or build does not do what they ask for: 200 to 299.
    Unsupported,
    /// The voucher was understood and must not be trusted: 300 to 399.
    Rejected,
    /// The input is larger than the caller's [`Limits`](crate::Limits): 400 to 499.
    Limit,
    /// The caller asked for something that cannot be done; no input byte is to blame: 500 to 599.
    Misuse,
    /// A signer, HMAC callback or journal failed or answered wrongly: 600 to 699.
    Signer,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal;)*) => {
        /// What went wrong. [`code`](Self::code) and [`name`](Self::name) are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum ErrorKind { $($(#[$doc])* $variant = $code,)* }

        impl ErrorKind {
            /// Every kind, by rising number.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The stable name, lower case with dashes, as in test vectors and JSON.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

kinds! {
    /// The input ended inside an item, or a length points past its end.
    Truncated = 100, "truncated", "the input ends inside an item";
    /// Bytes follow where nothing may follow: behind the voucher, or inside a byte string that
    /// must hold exactly one item.
    TrailingBytes = 101, "trailing-bytes", "bytes follow the end of the item";
    /// A CBOR item of another type than the format asks for stands here.
    WrongType = 102, "wrong-type", "an item has the wrong type";
    /// An array has the wrong number of items.
    WrongSize = 103, "wrong-size", "an array has the wrong number of items";
    /// Bytes that RFC 8949 does not allow: reserved head, stray break, odd indefinite map.
    BadCbor = 104, "bad-cbor", "these bytes are not well-formed CBOR";
    /// A text string is not UTF-8.
    NotUtf8 = 105, "not-utf8", "a text string is not UTF-8";
    /// The GUID is not 16 bytes long.
    GuidLength = 106, "guid-length", "the GUID has the wrong length";
    /// A hash or HMAC value does not have the length that its code asks for.
    HashLength = 107, "hash-length", "the length of a hash does not fit its code";
    /// A map or header holds the same label twice.
    DuplicateLabel = 108, "duplicate-label", "duplicate map key";
    /// A label stands in the protected and in the unprotected header (RFC 9052 §3).
    LabelInBothHeaders = 109, "label-in-both-headers", "a label is in both headers";
    /// `alg` stands only in the unprotected header, where nobody signed it.
    AlgorithmUnprotected = 110, "algorithm-unprotected", "the algorithm is only in the unprotected header";
    /// The protected header has no `alg`.
    AlgorithmMissing = 111, "algorithm-missing", "the protected header names no algorithm";
    /// A key body that is not what its encoding promises: bad DER, missing COSE_Key label.
    KeyEncoding = 112, "key-encoding", "a public key is not encoded as its label says";
    /// A point that is compressed, hybrid, the identity, or of the wrong size.
    PointEncoding = 113, "point-encoding", "a point is not an uncompressed point of its curve";
    /// A point whose coordinates do not satisfy the equation of its curve, or lie past the field.
    PointNotOnCurve = 114, "point-not-on-curve", "a point does not lie on its curve";
    /// An RSA modulus of a size other than 2048 or 3072 bits, or an even one.
    RsaModulus = 115, "rsa-modulus", "an RSA modulus is out of range";
    /// An RSA exponent that is even, below 65537 or above 2^32; 65537 alone for RSA2048RESTR.
    RsaExponent = 116, "rsa-exponent", "an RSA exponent is out of range";
    /// A certificate that is not DER, or lacks its key.
    Certificate = 117, "certificate", "a certificate cannot be read";
    /// A certificate chain with no certificate.
    ChainEmpty = 118, "chain-empty", "a certificate chain is empty";
    /// OVEExtra is neither null nor a map of integers to byte strings.
    Extra = 119, "extra", "OVEExtra is not a map of integers to byte strings";
    /// A signature that does not have the length of its algorithm.
    SignatureLength = 120, "signature-length", "a signature has the wrong length for its algorithm";
    /// A PEM or base64 body that cannot be decoded.
    Pem = 121, "pem", "a PEM block cannot be decoded";
    /// The input holds no voucher at all.
    NoVoucher = 122, "no-voucher", "no voucher is in the input";
    /// Text that is not a point of time, a key, or whatever else was asked for.
    BadArgument = 123, "bad-argument", "invalid value";
    /// A certificate revocation list that is not DER, or of a kind that is not supported.
    RevocationList = 124, "revocation-list", "a revocation list cannot be read";

    /// A protocol version other than 101. FDO 1.0 layouts and 2.0 drafts are named in the message.
    UnsupportedVersion = 200, "unsupported-version", "this protocol version is not supported";
    /// A public key type that FDO 1.1 does not have.
    UnsupportedKeyType = 201, "unsupported-key-type", "this key type is not supported";
    /// A public key encoding that FDO 1.1 does not have, or not for this key type.
    UnsupportedKeyEncoding = 202, "unsupported-key-encoding", "this key encoding is not supported";
    /// A hash or HMAC code other than SHA-256 and SHA-384.
    UnsupportedHashType = 203, "unsupported-hash-type", "this hash code is not supported";
    /// A COSE algorithm that FDO 1.1 does not have.
    UnsupportedAlgorithm = 204, "unsupported-algorithm", "this signature algorithm is not supported";
    /// A `crit` header names a label that we do not understand (RFC 9052 §3.1).
    UnsupportedCriticalHeader = 205, "unsupported-critical-header", "a critical header is not understood";
    /// A key of an experimental type, and the policy does not allow those.
    ExperimentalKey = 206, "experimental-key", "keys of an experimental type are not allowed by the policy";
    /// A byte or text string in more than one chunk.
    ChunkedString = 207, "chunked-string", "a string in several chunks is not supported";
    /// The build lacks the feature that this input needs.
    FeatureDisabled = 208, "feature-disabled", "this build lacks the feature for this input";
    /// The device attests itself by other means than a certificate: EPID.
    UnsupportedAttestation = 209, "unsupported-attestation", "the device has no certificate to attest itself with";

    /// The versions inside and outside the header differ.
    VersionMismatch = 300, "version-mismatch", "the two protocol versions differ";
    /// The key's label does not fit its body.
    KeyTypeMismatch = 301, "key-type-mismatch", "the key type does not fit the key";
    /// The algorithm does not fit the key that has to sign.
    AlgorithmMismatch = 302, "algorithm-mismatch", "the algorithm does not fit the key of the signer";
    /// The device certificate chain does not have the hash that the header promises.
    ChainHashMismatch = 303, "chain-hash-mismatch", "the hash of the device certificate chain does not match";
    /// OVEHashPrevEntry is not the hash of what stands before.
    PreviousHashMismatch = 304, "previous-hash-mismatch", "the hash of the previous entry does not match";
    /// OVEHashHdrInfo is not the hash of GUID and device info.
    HeaderInfoHashMismatch = 305, "header-info-hash-mismatch", "the hash of GUID and device info does not match";
    /// The signature does not verify.
    SignatureInvalid = 306, "signature-invalid", "the signature does not verify";
    /// The header HMAC does not verify under the device's secret.
    HmacMismatch = 307, "hmac-mismatch", "the header HMAC does not verify";
    /// The current owner is not the expected one.
    WrongOwner = 308, "wrong-owner", "the current owner is not the expected one";
    /// The manufacturer key is not one of the expected ones.
    WrongManufacturer = 309, "wrong-manufacturer", "the manufacturer key is not an expected one";
    /// No certificate path from the device to a trusted root.
    DevicePath = 310, "device-path", "no valid certificate path leads from the device to a trusted root";
    /// A certificate was not valid at the given time, and the policy makes that an error.
    CertificateTime = 311, "certificate-time", "a certificate is not valid at the given time";
    /// Exactly one of device chain and chain hash is null.
    NullChain = 312, "null-chain", "only one of device certificate chain and chain hash is null";
    /// The GUID is all zero.
    GuidZero = 313, "guid-zero", "the GUID is all zero";
    /// An entry without tag 18, which needs the allowance `legacy-untagged`.
    EntryUntagged = 314, "entry-untagged", "an entry lacks the COSE_Sign1 tag";
    /// A deviation from the written profile, and the policy is strict.
    Deviation = 315, "deviation", "the strict profile refuses a deviation";
    /// No path from an X5CHAIN key to the roots given for it.
    OwnerPath = 316, "owner-path", "no valid certificate path leads from the key to a trusted root";
    /// The HMAC item holds a plain hash code, so no device can have made it.
    NotAnHmac = 317, "not-an-hmac", "the header HMAC carries the code of a plain hash";
    /// A Hash item carries an HMAC code.
    NotAHash = 318, "not-a-hash", "a hash carries the code of an HMAC";
    /// A nonce is not the one that was sent: an answer to another question, or an old one.
    WrongNonce = 319, "wrong-nonce", "the nonce is not the one that was sent";
    /// A signed message of another kind than the one that is due.
    WrongMessage = 320, "wrong-message", "this is a message of another kind";
    /// The message or voucher is about another device.
    WrongDevice = 321, "wrong-device", "this is about another device";
    /// HelloDeviceHash is not the hash of the TO2.HelloDevice that was sent.
    HelloHashMismatch = 322, "hello-hash-mismatch", "the hash of TO2.HelloDevice does not match";
    /// An entry of TO2.OVNextEntry out of turn: missing, repeated, or one too many.
    WrongEntry = 323, "wrong-entry", "an entry is missing, repeated, out of turn or one too many";
    /// The hash in to1d is not that of the To0d beside it.
    To0dHashMismatch = 324, "to0d-hash-mismatch", "the hash of To0d does not match";
    /// A challenge or proof of ownership for another verifier.
    WrongVerifier = 325, "wrong-verifier", "this is meant for another verifier";
    /// A proof of ownership of another state of the voucher.
    WrongState = 326, "wrong-state", "this is about another state of the voucher";
    /// TO2.SetupDevice sets the credentials that the device has already, and that is not allowed.
    CredentialReuse = 327, "credential-reuse", "credential reuse is not allowed";
    /// A certificate on the path to a trusted root was revoked by its issuer.
    CertificateRevoked = 328, "certificate-revoked", "a certificate has been revoked";
    /// Nothing ties the header to the world, and the policy does not accept any origin.
    OriginNotChecked = 329, "origin-not-checked", "nothing ties the header to a known origin";
    /// A fact that the caller requires was not proved.
    NotProved = 330, "not-proved", "a required fact was not proved";
    /// A certificate chain that begins with the authority and ends with the certificate of the key.
    ChainReversed = 340, "chain-reversed", "the certificate chain begins with its root: the certificate of the key comes first";
    /// A certificate chain whose first certificate, that of the device or owner, is an authority's.
    CaAsLeaf = 341, "ca-as-leaf", "the first certificate is that of an authority, which vouches for what it signed and not for itself";

    /// More input bytes than allowed.
    LimitInput = 400, "limit-input", "the input is larger than the limit";
    /// More entries than allowed.
    LimitEntries = 401, "limit-entries", "there are more entries than the limit";
    /// More certificates in one chain than allowed.
    LimitCertificates = 402, "limit-certificates", "a chain has more certificates than the limit";
    /// A certificate longer than allowed.
    LimitCertificateSize = 403, "limit-certificate-size", "a certificate is longer than the limit";
    /// CBOR nested deeper than allowed.
    LimitDepth = 404, "limit-depth", "items are nested deeper than the limit";
    /// A device info string longer than allowed.
    LimitDeviceInfo = 405, "limit-device-info", "the device info is longer than the limit";
    /// More rendezvous instructions than allowed.
    LimitRvInstructions = 406, "limit-rv-instructions", "there are more rendezvous instructions than the limit";
    /// More vouchers in one input than allowed.
    LimitVouchers = 407, "limit-vouchers", "there are more vouchers than the limit";
    /// A map with more labels than [`MAX_LABELS`](crate::Limits::MAX_LABELS).
    LimitLabels = 408, "limit-labels", "a map has more labels than the limit";
    /// A new entry larger than a device can receive.
    LimitEntrySize = 409, "limit-entry-size", "the entry is larger than the limit";
    /// A revocation list with more bytes or entries than allowed, or more lists.
    LimitRevocationList = 410, "limit-revocation-list", "a revocation list is larger than the limit, or there are too many";

    /// The signer does not hold the key of the current owner.
    NotOwner = 500, "not-owner", "the signer does not hold the key of the current owner";
    /// The next owner's key deviates from the manufacturer's type, and no override was given.
    NextKeyType = 501, "next-key-type", "the next owner's key is of another type than the manufacturer's";
    /// A builder lacks a part, or a part is out of its range.
    Incomplete = 502, "incomplete", "a part is missing or out of range";
    /// An OVEExtra type that FDO keeps for itself (-65536 to 65535).
    ExtraReserved = 503, "extra-reserved", "an OVEExtra type lies in the range that FDO reserves";
    /// An argument that contradicts another.
    BadCall = 504, "bad-call", "an argument is out of range or contradicts another";
    /// The work was cancelled by the caller.
    Cancelled = 505, "cancelled", "the caller cancelled the work";
    /// What is to be written tells more than the caller's
    /// [`PrivacyPolicy`](crate::privacy::PrivacyPolicy) allows.
    Disclosure = 506, "disclosure", "the voucher would disclose what the privacy policy refuses";
    /// A state of ownership would be handed over twice: two vouchers of one device contradict each
    /// other in one call, or the [`Journal`](crate::Journal) knows another sale. That text is the
    /// `source`.
    DoubleSale = 507, "double-sale", "the voucher would be handed over twice";
    /// A chain of certificates that a voucher must not hold: one is not signed by the next, or the
    /// first is that of an authority.
    UnfitChain = 540, "unfit-chain", "this certificate chain cannot be written";
    /// An owner whose certificate is that of an authority, and no override was given.
    CaAsOwner = 541, "ca-as-owner", "the certificate of the owner is that of an authority, and no override was given";
    /// An HMAC secret with fewer than [`HmacSecret::LEAST`](crate::HmacSecret::LEAST) bytes.
    HmacSecretShort = 542, "hmac-secret-short", "the HMAC secret is too short";

    /// The signer or HMAC callback reported a failure; see `source`.
    SignerFailed = 600, "signer-failed", "the signer failed";
    /// The signer returned a signature that does not verify under the owner's key.
    SignerAnswer = 601, "signer-answer", "the signer returned a signature that does not verify";
    /// The journal of sales could not be read or written; see `source`.
    JournalFailed = 602, "journal-failed", "the journal of sales failed";
}

impl ErrorKind {
    /// The stable number, 100 to 699.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whose fault it is.
    #[must_use]
    pub const fn fault(self) -> Fault {
        match self.code() {
            0..=199 => Fault::Malformed,
            200..=299 => Fault::Unsupported,
            300..=399 => Fault::Rejected,
            400..=499 => Fault::Limit,
            500..=599 => Fault::Misuse,
            _ => Fault::Signer,
        }
    }
}

/// What was found and what was wanted, kept without allocation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    None,
    /// Two numbers with their unit: "70000 bytes found, at most 65536 allowed".
    Count {
        found: u64,
        wanted: u64,
        unit: &'static str,
    },
    /// A code point that was found, and what may stand there.
    Code {
        found: i128,
        wanted: &'static str,
    },
    /// Which part, or why.
    Text(&'static str),
    /// Which other item of the call, counted from 0.
    Number {
        what: &'static str,
        number: u64,
    },
}

/// An error: [`kind`](Self::kind), and where as far as it is known: byte
/// [`offset`](Self::offset) in the voucher and [`entry`](Self::entry) number.
///
/// A failed signature says where it stands and never why it failed.
pub struct Error(Box<Inner>);

/// Behind a pointer, because results travel through every step of reading, and most are good.
struct Inner {
    kind: ErrorKind,
    detail: Detail,
    // u32::MAX and u16::MAX stand for "not known": a voucher is far smaller than both.
    offset: u32,
    entry: u16,
    source: Option<Box<dyn core::error::Error + Send + Sync + 'static>>,
}

impl Error {
    /// An error of this kind, for signers, HMAC callbacks and crates that build on this one.
    ///
    /// ```
    /// use ownership_voucher::{Error, ErrorKind};
    /// let error = Error::because(ErrorKind::BadArgument, "an address of 40 characters");
    /// assert_eq!(error.kind(), ErrorKind::BadArgument);
    /// ```
    #[cold]
    #[must_use]
    pub fn new(kind: ErrorKind) -> Self {
        Self(Box::new(Inner {
            kind,
            detail: Detail::None,
            offset: u32::MAX,
            entry: u16::MAX,
            source: None,
        }))
    }

    /// The same with a reason, which follows the kind in the message: a short phrase, lower case,
    /// without a full stop.
    #[must_use]
    pub fn because(kind: ErrorKind, text: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Text(text);
        error
    }

    /// The same with two numbers: how many were found, and how many are expected or allowed.
    #[must_use]
    pub fn count(kind: ErrorKind, found: u64, wanted: u64, unit: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Count {
            found,
            wanted,
            unit,
        };
        error
    }

    pub(crate) fn number(kind: ErrorKind, what: &'static str, number: u64) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Number { what, number };
        error
    }

    pub(crate) fn code_point(kind: ErrorKind, found: i128, wanted: &'static str) -> Self {
        let mut error = Self::new(kind);
        error.0.detail = Detail::Code { found, wanted };
        error
    }

    /// Sets the byte offset, unless a place nearer to the fault is known already.
    #[must_use]
    pub(crate) fn at(mut self, offset: usize) -> Self {
        if self.0.offset == u32::MAX {
            self.0.offset = u32::try_from(offset).unwrap_or(u32::MAX);
        }
        self
    }

    /// Sets the entry, unless one is known already.
    #[must_use]
    pub(crate) fn in_entry(mut self, entry: Option<usize>) -> Self {
        if let (u16::MAX, Some(entry)) = (self.0.entry, entry) {
            self.0.entry = u16::try_from(entry).unwrap_or(u16::MAX);
        }
        self
    }

    /// An error of a signer or of an HMAC callback, with whatever the device or service said.
    ///
    /// An [`OwnerSigner`](crate::OwnerSigner) returns it when its key cannot be reached.
    #[must_use]
    pub fn signer(source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>) -> Self {
        Self::with_source(ErrorKind::SignerFailed, source)
    }

    /// An error of a [`Journal`](crate::Journal) that cannot be read or written.
    #[must_use]
    pub fn journal(source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>) -> Self {
        Self::with_source(ErrorKind::JournalFailed, source)
    }

    pub(crate) fn with_source(
        kind: ErrorKind,
        source: impl Into<Box<dyn core::error::Error + Send + Sync + 'static>>,
    ) -> Self {
        let mut error = Self::new(kind);
        error.0.source = Some(source.into());
        error
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// Byte offset in the voucher (its CBOR, not its PEM), where one is to blame.
    #[must_use]
    pub fn offset(&self) -> Option<usize> {
        (self.0.offset != u32::MAX).then_some(self.0.offset as usize)
    }

    /// Entry to blame, counted from 0; `None` for the header, the chain, or the whole.
    #[must_use]
    pub fn entry(&self) -> Option<usize> {
        (self.0.entry != u16::MAX).then_some(usize::from(self.0.entry))
    }
}

/// What reading and verifying fail with: an [`Error`]; a
/// [`DeviceError`](crate::onboard::DeviceError) where there is no heap. One reader serves both.
pub(crate) trait ReadError: Sized {
    fn new(kind: ErrorKind) -> Self;
    fn text(kind: ErrorKind, text: &'static str) -> Self;
    fn count(kind: ErrorKind, found: u64, wanted: u64, unit: &'static str) -> Self;
    fn code_point(kind: ErrorKind, found: i128, wanted: &'static str) -> Self;
    fn at(self, offset: usize) -> Self;
    fn in_entry(self, entry: Option<usize>) -> Self;
    fn kind(&self) -> ErrorKind;
    fn offset(&self) -> Option<usize>;
}

impl ReadError for Error {
    fn new(kind: ErrorKind) -> Self {
        Self::new(kind)
    }

    fn text(kind: ErrorKind, text: &'static str) -> Self {
        Self::because(kind, text)
    }

    fn count(kind: ErrorKind, found: u64, wanted: u64, unit: &'static str) -> Self {
        Self::count(kind, found, wanted, unit)
    }

    fn code_point(kind: ErrorKind, found: i128, wanted: &'static str) -> Self {
        Self::code_point(kind, found, wanted)
    }

    fn at(self, offset: usize) -> Self {
        self.at(offset)
    }

    fn in_entry(self, entry: Option<usize>) -> Self {
        self.in_entry(entry)
    }

    fn kind(&self) -> ErrorKind {
        self.kind()
    }

    fn offset(&self) -> Option<usize> {
        self.offset()
    }
}

impl Clone for Error {
    /// A copy; of a signer's own error only the text survives.
    fn clone(&self) -> Self {
        let text = |source: &Box<_>| alloc::string::ToString::to_string(source).into();
        Self(Box::new(Inner {
            kind: self.0.kind,
            detail: self.0.detail,
            offset: self.0.offset,
            entry: self.0.entry,
            source: self.0.source.as_ref().map(text),
        }))
    }
}

impl PartialEq for Error {
    /// Same kind, place and detail; the text of a signer's own error is not compared.
    fn eq(&self, other: &Self) -> bool {
        (self.0.kind, self.0.detail, self.0.offset, self.0.entry)
            == (other.0.kind, other.0.detail, other.0.offset, other.0.entry)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Error({} {}: {self})",
            self.0.kind.code(),
            self.0.kind.name()
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.kind.text())?;
        match self.0.detail {
            Detail::None => {}
            Detail::Count {
                found,
                wanted,
                unit,
            } => match self.kind().fault() {
                Fault::Limit => write!(f, ": {found} {unit} found, at most {wanted} allowed")?,
                _ => write!(f, ": {found} {unit} found, {wanted} expected")?,
            },
            Detail::Code { found, wanted } => write!(f, ": {found} found, {wanted} expected")?,
            Detail::Text(text) => write!(f, ": {text}")?,
            Detail::Number { what, number } => write!(f, ": {what} {number}")?,
        }
        match (self.entry(), self.offset()) {
            (Some(entry), Some(offset)) => write!(f, " (entry {entry}, byte {offset})"),
            (Some(entry), None) => write!(f, " (entry {entry})"),
            (None, Some(offset)) => write!(f, " (byte {offset})"),
            (None, None) => Ok(()),
        }
    }
}

impl core::error::Error for Error {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        self.0.source.as_deref().map(|source| source as _)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn numbers_and_names_are_unique_and_rising() {
        for pair in ErrorKind::ALL.windows(2) {
            assert!(pair[0].code() < pair[1].code(), "{:?}", pair[1]);
        }
        let mut names: alloc::vec::Vec<_> = ErrorKind::ALL.iter().map(|kind| kind.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), ErrorKind::ALL.len());
    }

    #[test]
    fn message_says_found_wanted_and_place() {
        let error = Error::count(ErrorKind::LimitEntries, 300, 255, "entries")
            .at(77)
            .at(99);
        assert_eq!(
            error.to_string(),
            "there are more entries than the limit: 300 entries found, at most 255 allowed (byte 77)"
        );
        assert_eq!(error.in_entry(Some(3)).entry(), Some(3));
    }
}
