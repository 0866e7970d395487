//! The kinds of errors, with their stable numbers and names, and who is responsible.

use crate::numbered::numbered_enum;

/// The party responsible for an error: the hundreds of [`ErrorKind::code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// The input cannot be parsed: 100 to 199.
    Malformed,
    /// The bytes are valid, but this library or build does not support what they need: 200 to 299.
    Unsupported,
    /// The voucher was parsed and must not be trusted: 300 to 399.
    Rejected,
    /// The input exceeds the caller's [`Limits`](crate::Limits): 400 to 499.
    Limit,
    /// The caller requested something impossible; the input is not at fault: 500 to 599.
    Misuse,
    /// A signer, HMAC callback, journal or random generator failed or gave a wrong answer, or the operating
    /// system has no more threads: 600 to 699.
    Signer,
}

impl Fault {
    /// The stable name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Unsupported => "unsupported",
            Self::Rejected => "rejected",
            Self::Limit => "limit",
            Self::Misuse => "misuse",
            Self::Signer => "signer",
        }
    }
}

numbered_enum! {
    /// What went wrong. [`code`](Self::code) and [`name`](Self::name) are stable.
    ErrorKind;
    pub(super) text;

    /// The input ended inside an item, or a length points past the end of the input.
    Truncated = 100, "truncated", "the input ends inside an item";
    /// Trailing bytes: after the voucher, or in a byte string that must hold exactly one item.
    TrailingBytes = 101, "trailing-bytes", "bytes follow the end of the item";
    /// A CBOR item has a type other than the one that the format requires.
    WrongType = 102, "wrong-type", "an item has the wrong type";
    /// An array has the wrong number of items.
    WrongSize = 103, "wrong-size", "an array has the wrong number of items";
    /// Bytes that RFC 8949 does not allow: a reserved head, a stray break, an indefinite map with
    /// an odd number of items.
    BadCbor = 104, "bad-cbor", "these bytes are not well-formed CBOR";
    /// A text string is not UTF-8.
    NotUtf8 = 105, "not-utf8", "a text string is not UTF-8";
    /// The GUID is not 16 bytes long.
    GuidLength = 106, "guid-length", "the GUID has the wrong length";
    /// The length of a hash or HMAC value does not match its code.
    HashLength = 107, "hash-length", "the length of a hash does not fit its code";
    /// A map or header holds the same label twice.
    DuplicateLabel = 108, "duplicate-label", "duplicate map key";
    /// A label is in both the protected and the unprotected header (RFC 9052 §3).
    LabelInBothHeaders = 109, "label-in-both-headers", "a label is in both the protected and the unprotected header";
    /// `alg` is only in the unprotected header, which is not signed.
    AlgorithmUnprotected = 110, "algorithm-unprotected", "the algorithm is only in the unprotected header";
    /// The protected header has no `alg`.
    AlgorithmMissing = 111, "algorithm-missing", "the protected header names no algorithm";
    /// A key body does not match its declared encoding: invalid DER, missing COSE_Key label.
    KeyEncoding = 112, "key-encoding", "a public key does not have its declared encoding";
    /// A point is compressed, hybrid, the identity, or of the wrong size.
    PointEncoding = 113, "point-encoding", "a point is not an uncompressed point of its curve";
    /// A point is not on its curve, or a coordinate is not below the field prime.
    PointNotOnCurve = 114, "point-not-on-curve", "a point does not lie on its curve";
    /// An RSA modulus is even, or its size is neither 2048 nor 3072 bits.
    RsaModulus = 115, "rsa-modulus", "an RSA modulus is out of range";
    /// An RSA exponent is even, below 65537 or above 2^32; RSA2048RESTR requires exactly 65537.
    RsaExponent = 116, "rsa-exponent", "an RSA exponent is out of range";
    /// A certificate is not DER, or has no key.
    Certificate = 117, "certificate", "a certificate cannot be read";
    /// A certificate chain is empty.
    ChainEmpty = 118, "chain-empty", "a certificate chain is empty";
    /// OVEExtra is neither null nor a map of integers to byte strings.
    Extra = 119, "extra", "OVEExtra is not a map of integers to byte strings";
    /// The length of a signature does not match its algorithm.
    SignatureLength = 120, "signature-length", "a signature has the wrong length for its algorithm";
    /// A PEM or base64 body cannot be decoded.
    Pem = 121, "pem", "a PEM block cannot be decoded";
    /// The input contains no voucher.
    NoVoucher = 122, "no-voucher", "the input contains no voucher";
    /// Text is not a valid point in time, key, or other argument.
    BadArgument = 123, "bad-argument", "invalid value";
    /// A certificate revocation list is not DER, or is of an unsupported kind.
    RevocationList = 124, "revocation-list", "a revocation list cannot be read";
    /// The JSON of an SDO voucher has something that its format does not: a byte order mark, a number
    /// with an exponent, a control character in a string, base64 in another form than its own. The
    /// crate `ownership-voucher-sdo` makes this error and the two after it.
    JsonText = 180, "json-text", "the text is not JSON as the format has it";
    /// A member of a JSON object is missing, unknown, there twice, or not in its place.
    Member = 181, "member", "a member is missing, unknown, repeated or out of order";
    /// A length or count that a text states is not that of what follows.
    LengthWord = 182, "length-word", "a stated length is not that of what follows";

    /// The protocol version is not 101. The message names FDO 1.0 layouts and 2.0 drafts.
    UnsupportedVersion = 200, "unsupported-version", "this protocol version is not supported";
    /// The public key type is not defined in FDO 1.1.
    UnsupportedKeyType = 201, "unsupported-key-type", "this key type is not supported";
    /// The public key encoding is not defined in FDO 1.1, or not for this key type.
    UnsupportedKeyEncoding = 202, "unsupported-key-encoding", "this key encoding is not supported";
    /// The hash or HMAC code is not that of SHA-256 or SHA-384.
    UnsupportedHashType = 203, "unsupported-hash-type", "this hash code is not supported";
    /// The COSE algorithm is not defined in FDO 1.1.
    UnsupportedAlgorithm = 204, "unsupported-algorithm", "this signature algorithm is not supported";
    /// A `crit` header names a label that this library does not support (RFC 9052 §3.1).
    UnsupportedCriticalHeader = 205, "unsupported-critical-header", "a critical header parameter is not supported";
    /// The key is of an experimental type, which the policy does not allow.
    ExperimentalKey = 206, "experimental-key", "keys of an experimental type are not allowed by the policy";
    /// A byte or text string consists of several chunks.
    ChunkedString = 207, "chunked-string", "a string in several chunks is not supported";
    /// The build lacks the feature that this input needs.
    FeatureDisabled = 208, "feature-disabled", "this build lacks the feature for this input";
    /// The device attests itself by means other than a certificate: EPID.
    UnsupportedAttestation = 209, "unsupported-attestation", "the device has no certificate to attest itself with";

    /// The versions inside and outside the header differ.
    VersionMismatch = 300, "version-mismatch", "the protocol versions of voucher and header differ";
    /// The key's label does not match its body.
    KeyTypeMismatch = 301, "key-type-mismatch", "the key type does not fit the key";
    /// The algorithm does not match the key that has to sign.
    AlgorithmMismatch = 302, "algorithm-mismatch", "the algorithm does not fit the key of the signer";
    /// The hash of the device certificate chain is not the one in the header.
    ChainHashMismatch = 303, "chain-hash-mismatch", "the hash of the device certificate chain does not match";
    /// OVEHashPrevEntry is not the hash of the preceding entry, or of header and HMAC.
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
    /// No certificate path leads from the device to a trusted root.
    DevicePath = 310, "device-path", "no valid certificate path leads from the device to a trusted root";
    /// A certificate was not valid at the given time, and the policy refuses that.
    CertificateTime = 311, "certificate-time", "a certificate is not valid at the given time";
    /// Exactly one of device chain and chain hash is null.
    NullChain = 312, "null-chain", "only one of device certificate chain and chain hash is null";
    /// The GUID is all zero.
    GuidZero = 313, "guid-zero", "the GUID is all zero";
    /// An entry has no tag 18; this requires the allowance `legacy-untagged`.
    EntryUntagged = 314, "entry-untagged", "an entry lacks the COSE_Sign1 tag";
    /// The voucher deviates from the written profile, and the policy is strict.
    Deviation = 315, "deviation", "the strict profile refuses a deviation";
    /// No certificate path leads from an X5CHAIN key to the roots given for it.
    OwnerPath = 316, "owner-path", "no valid certificate path leads from the key to a trusted root";
    /// The HMAC item has the code of a plain hash, so no device can have computed it.
    NotAnHmac = 317, "not-an-hmac", "the header HMAC carries the code of a plain hash";
    /// A Hash item has the code of an HMAC.
    NotAHash = 318, "not-a-hash", "a hash carries the code of an HMAC";
    /// The nonce is not the one that was sent: an answer to another request, or a replay.
    WrongNonce = 319, "wrong-nonce", "the nonce is not the one that was sent";
    /// The signed message is not of the expected kind.
    WrongMessage = 320, "wrong-message", "the message is of another type than expected";
    /// The message or voucher is about another device.
    WrongDevice = 321, "wrong-device", "the message or voucher is about another device";
    /// HelloDeviceHash is not the hash of the TO2.HelloDevice that was sent.
    HelloHashMismatch = 322, "hello-hash-mismatch", "the hash of TO2.HelloDevice does not match";
    /// An entry of TO2.OVNextEntry is out of sequence: missing, repeated, or one too many.
    WrongEntry = 323, "wrong-entry", "an entry is missing, repeated, out of turn or one too many";
    /// The hash in to1d is not that of the accompanying To0d.
    To0dHashMismatch = 324, "to0d-hash-mismatch", "the hash of To0d does not match";
    /// A challenge or proof of ownership is for another verifier.
    WrongVerifier = 325, "wrong-verifier", "the challenge or proof is for another verifier";
    /// A proof of ownership is for another state of the voucher.
    WrongState = 326, "wrong-state", "the proof is about another state of ownership";
    /// TO2.SetupDevice sets the existing credentials of the device, and credential reuse is not
    /// allowed.
    CredentialReuse = 327, "credential-reuse", "credential reuse is not allowed";
    /// A certificate on the path to a trusted root has been revoked by its issuer.
    CertificateRevoked = 328, "certificate-revoked", "a certificate has been revoked";
    /// No anchor shows that the header is genuine, and the policy does not accept any origin.
    OriginNotChecked = 329, "origin-not-checked", "no anchor ties the header to a known origin";
    /// A fact that the caller requires was not proved.
    NotProved = 330, "not-proved", "a required fact was not proved";
    /// The certificates of a delegate are no valid chain below the owner's key.
    DelegateChain = 331, "delegate-chain", "the certificates of the delegate are no valid chain below the owner";
    /// A delegate of the owner has no permission for what it signed, or was asked to sign.
    DelegatePermission = 332, "delegate-permission", "the delegate has no permission for this";
    /// A delegate of the owner signed the message, and the caller does not accept delegates.
    DelegateRefused = 333, "delegate-refused", "a delegate of the owner signed this, and delegates are not accepted here";
    /// A certificate chain begins with the CA and ends with the certificate of the key.
    ChainReversed = 340, "chain-reversed", "the certificate chain begins with its root: the certificate of the key comes first";
    /// The first certificate of a chain, which is that of the device or owner, is a CA certificate.
    CaAsLeaf = 341, "ca-as-leaf", "the first certificate is a CA certificate, expected that of the device or owner";
    /// An entry of an SDO voucher holds a key outside of what is signed, where only a null key may be. Such a
    /// key is never used.
    OuterKey = 380, "outer-key", "an entry holds a key outside of what is signed, where only a null key may be";
    /// The certificates of an SDO device do not form a chain: one is not signed by the next, or the first
    /// is not that of a device key.
    DeviceChain = 381, "device-chain", "the certificates of the device do not form a chain";
    /// No key of an SDO voucher is in the allow list, or one is in the deny list.
    KeyNotAllowed = 382, "key-not-allowed", "the allow and deny lists refuse this voucher";

    /// The input has more bytes than allowed.
    LimitInput = 400, "limit-input", "the input has more bytes than allowed";
    /// There are more entries than allowed.
    LimitEntries = 401, "limit-entries", "the voucher has more entries than allowed";
    /// A chain has more certificates than allowed.
    LimitCertificates = 402, "limit-certificates", "a chain has more certificates than allowed";
    /// A certificate is longer than allowed.
    LimitCertificateSize = 403, "limit-certificate-size", "a certificate has more bytes than allowed";
    /// CBOR is nested deeper than allowed.
    LimitDepth = 404, "limit-depth", "items are nested deeper than allowed";
    /// The device info string is longer than allowed.
    LimitDeviceInfo = 405, "limit-device-info", "the device info is longer than allowed";
    /// There are more rendezvous instructions than allowed.
    LimitRvInstructions = 406, "limit-rv-instructions", "there are more rendezvous instructions than allowed";
    /// One input has more vouchers than allowed.
    LimitVouchers = 407, "limit-vouchers", "there are more vouchers than allowed";
    /// A map has more labels than [`MAX_LABELS`](crate::Limits::MAX_LABELS).
    LimitLabels = 408, "limit-labels", "a map has more labels than allowed";
    /// A new entry is larger than the device can receive.
    LimitEntrySize = 409, "limit-entry-size", "the entry has more bytes than allowed";
    /// A revocation list has more bytes or entries than allowed, or there are more lists than
    /// allowed.
    LimitRevocationList = 410, "limit-revocation-list", "a revocation list is larger than allowed, or there are too many";

    /// The signer does not hold the key of the current owner.
    NotOwner = 500, "not-owner", "the signer does not hold the key of the current owner";
    /// The type of the next owner's key differs from the manufacturer's, and no override was given.
    NextKeyType = 501, "next-key-type", "the next owner's key is of another type than the manufacturer's";
    /// A builder has a missing part, or a part that is out of range.
    Incomplete = 502, "incomplete", "a part is missing or out of range";
    /// The OVEExtra type is reserved for FDO (-65536 to 65535).
    ExtraReserved = 503, "extra-reserved", "an OVEExtra type lies in the range that FDO reserves";
    /// An argument is out of range or contradicts another.
    BadCall = 504, "bad-call", "an argument is out of range or contradicts another";
    /// The work was cancelled by the caller.
    Cancelled = 505, "cancelled", "the caller cancelled the work";
    /// The voucher to be written would disclose more than the caller's `privacy::PrivacyPolicy` allows.
    Disclosure = 506, "disclosure", "the voucher would disclose what the privacy policy refuses";
    /// A state of ownership would be handed over twice: two vouchers of one device in the same call
    /// contradict each other, or the [`Journal`](crate::transfer::Journal) has another sale. The journal's
    /// text is the `source`.
    DoubleSale = 507, "double-sale", "the voucher would be handed over twice";
    /// The caller declined a hand-over for reasons of its own; see `source`.
    Declined = 508, "declined", "the caller declined the hand-over";
    /// An FDO 1.1 voucher whose entries are signed with the external data of FDO 2.0 would be extended,
    /// without [`ExtendOptions::allow_draft_aad`](crate::ExtendOptions::allow_draft_aad).
    DraftAad = 509, "draft-aad", "no device reads a voucher of FDO 1.1 that is signed with the external data of FDO 2.0; `allow_draft_aad` permits it";
    /// A certificate chain is not fit to be written into a voucher: one certificate is not signed
    /// by the next, or the first is that of a CA.
    UnfitChain = 540, "unfit-chain", "this certificate chain cannot be written";
    /// The owner's certificate is that of a CA, and no override was given.
    CaAsOwner = 541, "ca-as-owner", "the certificate of the owner is that of a CA, and no override was given";
    /// The HMAC secret has fewer than [`HmacSecret::MIN_LEN`](crate::HmacSecret::MIN_LEN) bytes.
    HmacSecretShort = 542, "hmac-secret-short", "the HMAC secret is too short";

    /// The signer or HMAC callback reported a failure; see `source`.
    SignerFailed = 600, "signer-failed", "the signer failed";
    /// The signer returned a signature that does not verify under the owner's key.
    SignerAnswer = 601, "signer-answer", "the signer returned a signature that does not verify";
    /// The journal of sales could not be read or written; see `source`.
    JournalFailed = 602, "journal-failed", "the journal of sales could not be read or written";
    /// The caller's random generator failed or gives no usable bytes; see `source`.
    RandomFailed = 603, "random-failed", "the random generator failed";
    /// The operating system has no more threads; see `source`. The library itself starts none: this is of
    /// the C library and of `ov`.
    Resources = 604, "resources", "the operating system has no more threads";
}

impl ErrorKind {
    /// The stable number, 100 to 699.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// The party responsible for this kind of error.
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
