//! Findings: anomalies of a voucher that are not in themselves a reason to refuse it.
//!
//! The parser never repairs silently: each deviation from the FDO 1.1 profile becomes one finding
//! with its place. Some deviations require a named [`Allowance`] for the voucher to verify. The
//! strict profile refuses every deviation.

use core::fmt;

use crate::error::ErrorKind;
use crate::numbered::numbered_enum;

/// A deviation that is refused unless the policy allows it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Allowance {
    /// The device chain hash covers the CBOR item instead of the certificates (fdo-rs before 2024).
    LegacyChainHash,
    /// Entries without COSE tag 18 (a pre-release of 2021).
    LegacyUntagged,
    /// A P-256 key labelled SECP384R1 or vice versa (go-fdo copies the manufacturer's label). A
    /// mismatch of RSA and EC is never allowed.
    KeyTypeLabel,
    /// Protocol version 200: FDO 2.0, which is not published yet. All entries are signed with
    /// external_aad `["FDO-OVEntry-v1"]`, and none without it.
    Fdo20,
    /// Keys of an experimental type: Ed25519.
    ExperimentalKeys,
    /// Entries of an FDO 1.1 voucher signed with the external_aad of FDO 2.0, as drafts of go-fdo did in
    /// 2025. No device reads them.
    Fdo20DraftAad,
}

/// A set of allowances.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowances(u8);

impl Allowances {
    pub(crate) const NONE: Self = Self(0);

    pub(crate) const fn with(self, allowance: Allowance) -> Self {
        Self(self.0 | 1 << allowance as u8)
    }

    pub(crate) const fn has(self, allowance: Allowance) -> bool {
        self.0 & 1 << allowance as u8 != 0
    }
}

impl Allowance {
    /// Every allowance.
    pub const ALL: &'static [Self] = &[
        Self::LegacyChainHash,
        Self::LegacyUntagged,
        Self::KeyTypeLabel,
        Self::Fdo20,
        Self::ExperimentalKeys,
        Self::Fdo20DraftAad,
    ];

    /// The stable name, as accepted by `ov --allow`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacyChainHash => "legacy-chain-hash",
            Self::LegacyUntagged => "legacy-untagged",
            Self::KeyTypeLabel => "key-type-label",
            Self::Fdo20 => "fdo-2.0",
            Self::ExperimentalKeys => "experimental-keys",
            Self::Fdo20DraftAad => "fdo-2.0-draft-aad",
        }
    }

    /// The allowance with this name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|allowance| allowance.name() == name)
    }

    /// Advice for the caller about a voucher that needs this allowance.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::LegacyChainHash => {
                "it covers the CBOR item; the allowance `legacy-chain-hash` accepts that"
            }
            Self::LegacyUntagged => "the allowance `legacy-untagged` accepts that",
            Self::KeyTypeLabel => {
                "the label names another curve; the allowance `key-type-label` accepts that"
            }
            Self::Fdo20 => "200 is FDO 2.0; the allowance `fdo-2.0` accepts that",
            Self::ExperimentalKeys => "the allowance `experimental-keys` accepts them",
            Self::Fdo20DraftAad => {
                "it is valid with the external data of FDO 2.0; the allowance `fdo-2.0-draft-aad` accepts that"
            }
        }
    }

    /// The error of a voucher that needs this allowance and does not have it.
    pub(crate) const fn error(self) -> ErrorKind {
        match self {
            Self::LegacyChainHash => ErrorKind::ChainHashMismatch,
            Self::LegacyUntagged => ErrorKind::EntryUntagged,
            Self::KeyTypeLabel => ErrorKind::KeyTypeMismatch,
            Self::Fdo20 => ErrorKind::UnsupportedVersion,
            Self::ExperimentalKeys => ErrorKind::ExperimentalKey,
            Self::Fdo20DraftAad => ErrorKind::SignatureInvalid,
        }
    }
}

numbered_enum! {
    /// The kind of an anomaly. [`code`](Self::code) and [`name`](Self::name) are stable.
    FindingKind;
    text;

    /// An integer or length that is not in its shortest form (RFC 8949 §4.2.1).
    NonShortest = 700, "non-shortest", "a number is not in its shortest form";
    /// An array, map or string of indefinite length.
    IndefiniteLength = 701, "indefinite-length", "an item has indefinite length";
    /// An entry without tag 18. Needs [`Allowance::LegacyUntagged`].
    UntaggedEntry = 702, "untagged-entry", "the entry lacks COSE tag 18";
    /// An unprotected header that is not empty. It is not signed.
    UnprotectedHeader = 703, "unprotected-header", "the unprotected header is not empty, and nothing signs it";
    /// OVEExtra is a byte string with an empty map instead of null (go-fdo).
    ExtraEmptyMap = 704, "extra-empty-map", "OVEExtra is an empty map in place of null";
    /// OVEExtra is a map instead of a byte string that holds one (fdo-rs).
    ExtraInlineMap = 705, "extra-inline-map", "OVEExtra is a bare map";
    /// An X5CHAIN key wrapped in a byte string (fdo-rs).
    X5chainWrapped = 706, "x5chain-wrapped", "an X5CHAIN key is wrapped in a byte string";
    /// An X5CHAIN key that is one bare certificate instead of an array.
    X5chainBare = 707, "x5chain-bare", "an X5CHAIN key is a bare certificate";
    /// A COSE_Key wrapped in a byte string (Astarte).
    CoseKeyWrapped = 708, "cose-key-wrapped", "a COSE_Key is wrapped in a byte string";
    /// A COSE_Key without `kty` (pri-fidoiot, client-sdk-fidoiot).
    CoseKeyWithoutKty = 709, "cose-key-without-kty", "a COSE_Key names no key type";
    /// A coordinate of a COSE_Key that is shorter or longer than a field element.
    CoordinateLength = 710, "coordinate-length", "a coordinate is not as long as its field";
    /// An RSA modulus or exponent with leading zeros.
    LeadingZero = 711, "leading-zero", "an RSA modulus or exponent has leading zeros";
    /// An EC key whose label names the other curve. Needs [`Allowance::KeyTypeLabel`].
    KeyTypeLabel = 712, "key-type-label", "the key's label names another curve";
    /// A key whose type or encoding differs from the manufacturer key's.
    KeyMix = 713, "key-mix", "the key's type or encoding differs from the manufacturer key's";
    /// A key of an experimental type. Needs [`Allowance::ExperimentalKeys`].
    ExperimentalKey = 714, "experimental-key", "the key is of an experimental type";
    /// A device certificate chain that is one bare certificate instead of an array.
    DeviceChainBare = 715, "device-chain-bare", "the device certificate chain is a bare certificate";
    /// The chain hash covers the CBOR item. Needs [`Allowance::LegacyChainHash`].
    LegacyChainHash = 716, "legacy-chain-hash", "the chain hash covers the CBOR item";
    /// A hash algorithm that the table of FDO 1.1 §3.3.2 does not select for these keys.
    HashTable = 717, "hash-table", "the hash algorithm is not the one of FDO 1.1 §3.3.2 for these keys";
    /// RendezvousInfo without directives, or a directive without instructions.
    RvEmpty = 718, "rv-empty", "the rendezvous info or a directive is empty";
    /// A rendezvous flag that carries a value.
    RvFlagValue = 719, "rv-flag-value", "a rendezvous flag carries a value";
    /// A rendezvous variable that lacks its value.
    RvValueMissing = 720, "rv-value-missing", "a rendezvous variable lacks its value";
    /// A rendezvous value that is not the CBOR that its variable requires.
    RvValue = 721, "rv-value", "a rendezvous value has the wrong type for its variable";
    /// A rendezvous variable that FDO 1.1 does not define.
    RvUnknown = 722, "rv-unknown", "a rendezvous variable is unknown";
    /// An empty device info string.
    DeviceInfoEmpty = 723, "device-info-empty", "the device info is empty";
    /// Protocol version 200. Needs [`Allowance::Fdo20`].
    Fdo20Version = 724, "fdo20-version", "the voucher has the version of FDO 2.0, which is not published yet";
    /// An entry of an FDO 1.1 voucher that is signed over external_aad "FDO-OVEntry-v1". Needs
    /// [`Allowance::Fdo20DraftAad`].
    DraftAad = 725, "draft-aad", "the entry of an FDO 1.1 voucher is signed with the external data of FDO 2.0";
    /// A protected header with labels other than `alg`.
    ProtectedExtra = 726, "protected-extra", "the protected header holds more than the algorithm";
    /// RendezvousInfo that does not have the structure of directives and instructions.
    RvShape = 727, "rv-shape", "the rendezvous info does not consist of directives and instructions";
    /// A value of RVProtocol or RVMedium that FDO 1.1 does not define.
    RvNumber = 733, "rv-number", "a rendezvous protocol or medium is unknown";
    /// A rendezvous directive with neither DNS name nor IP address. None is needed if a person is
    /// asked (RVUserInput), if another mechanism is used (RVExtRV), or if the directive is only a
    /// delay.
    RvNoAddress = 734, "rv-no-address", "a rendezvous directive has neither DNS name nor IP address";
    /// A rendezvous port of 0.
    RvPort = 735, "rv-port", "a rendezvous port is 0";
    /// A variable that occurs twice in one rendezvous directive; which value applies is
    /// unspecified.
    RvDuplicate = 736, "rv-duplicate", "a variable occurs twice in one rendezvous directive";
    /// A rendezvous directive that is both for devices only and for owners only, so that it applies
    /// to neither.
    RvForNobody = 737, "rv-for-nobody", "a rendezvous directive is for devices only and for owners only at once";
    /// An RVDns that is neither a DNS name nor an IP address: a URL, blanks, control characters,
    /// empty text, `10.0.0.256`, `0x7f000001`.
    RvHost = 738, "rv-host", "a rendezvous host is neither a DNS name nor an IP address";
    /// An IP address that cannot be that of a server: unspecified or in 0.0.0.0/8, multicast,
    /// reserved (240.0.0.0/4), broadcast.
    RvAddress = 739, "rv-address", "a rendezvous address is unspecified, multicast, reserved or broadcast";
    /// An item in a certificate chain that is not a certificate. These bytes carry no signature.
    CertificateMalformed = 740, "certificate-malformed", "a certificate is not X.509 in DER";
    /// A device certificate with a key that FDO 1.1 does not support: not P-256, P-384, or RSA with
    /// 2048 or 3072 bits.
    DeviceKey = 741, "device-key", "the device certificate holds a key that FDO does not have";
    /// A COSE_Key with the private part `d`: every holder of the voucher can sign as that owner.
    CoseKeyPrivate = 742, "cose-key-private", "a COSE_Key carries its private part";
    /// A COSE_Key whose `alg` is not the one that FDO uses for its curve, or whose `key_ops` lacks
    /// `verify` (RFC 9052 §7.1).
    CoseKeyUse = 743, "cose-key-use", "alg or key_ops of a COSE_Key does not fit signatures under it";
    /// OVEExtra with types that are not sorted by their encodings (RFC 8949 §4.2.1).
    ExtraOrder = 744, "extra-order", "the types in OVEExtra are not in deterministic order";
    /// OVEExtra with a type of -65536 or above, which FDO reserves.
    ExtraReserved = 745, "extra-reserved", "OVEExtra holds a type that FDO reserves";
    /// A voucher in a byte string (tag 24 or none), or behind the tag of self-described CBOR
    /// (RFC 8949 §3.4.5.1 and §3.4.6). What is inside is verified, as it was received.
    Wrapped = 746, "wrapped", "the voucher is wrapped in a byte string or a tag";

    /// No entries: the manufacturer is the owner.
    NoEntries = 750, "no-entries", "the voucher has no entries: its manufacturer owns it";
    /// A certificate that had expired at the given time.
    CertificateExpired = 751, "certificate-expired", "a certificate has expired";
    /// A certificate that was not valid yet at the given time.
    CertificateNotYetValid = 752, "certificate-not-yet-valid", "a certificate is not valid yet";
    /// A certificate that signs another one and is not marked as a CA.
    NoBasicConstraints = 753, "no-basic-constraints", "a certificate signs another one without being marked as a CA";
    /// A certificate signed with SHA-1, which proves nothing.
    Sha1Signature = 754, "sha1-signature", "a certificate is signed with SHA-1";
    /// An X.509 certificate of version 1.
    CertificateV1 = 755, "certificate-v1", "a certificate is of version 1";
    /// A certificate of the device chain that the next one did not issue: by name or by signature.
    DeviceChainBroken = 756, "device-chain-broken", "a device certificate was not issued by the next one";
    /// A certificate of an X5CHAIN key that the next one did not issue: by name or by signature.
    OwnerChainBroken = 757, "owner-chain-broken", "a certificate of a key was not issued by the next one";
    /// A certificate that cannot be parsed far enough to check it.
    CertificateUnreadable = 758, "certificate-unreadable", "a certificate cannot be checked";
    /// A device key whose key usage does not include digital signatures.
    KeyUsage = 759, "key-usage", "a certificate's key usage lacks digital signatures";
    /// The first certificate whose signature was not verified, because the limit
    /// [`Limits::certificate_checks`](crate::Limits::certificate_checks) was reached.
    CertificatesUnchecked = 760, "certificates-unchecked", "the signatures of certificates are not checked from here on";
    /// The first finding or fault that is not listed, because the limit
    /// [`Limits::findings`](crate::Limits::findings) was reached.
    MoreFindings = 761, "more-findings", "the list of findings was truncated";
    /// A certificate chain that begins with the CA: the order is reversed.
    ChainReversed = 770, "chain-reversed", "a certificate chain begins with its root";
    /// The first certificate of a chain, that of a device or owner, is a CA certificate.
    CaAsLeaf = 771, "ca-as-leaf", "the first certificate of a chain is that of a CA";
    /// Revocation lists were given, but none was used here: no list with the name of the issuer
    /// applies to this certificate (another scope, distribution point or key). At the first
    /// certificate of a chain it can also mean that no list applies to any certificate, or that a
    /// list is not signed by any known CA of its name and may be damaged.
    CrlNotUsed = 772, "crl-not-used", "no revocation list of the issuer covers this certificate, or a list is not signed by a known CA";

    // Of vouchers of SDO, which the crate `ownership-voucher-sdo` reads.
    /// White space outside of strings, where the format has none; at the first of it.
    SdoWhiteSpace = 1000, "sdo-white-space", "there is white space outside of strings";
    /// A string that is not written in its one form: a special character as it is, or an escape that is
    /// needless, short, or in upper case.
    SdoString = 1001, "sdo-string", "a string is not written as the format writes it";
    /// A protocol version that SDO never had: other than 110 to 113.
    SdoVersion = 1002, "sdo-version", "SDO has no such protocol version";
    /// A header that states another encoding than its key has.
    SdoKeyEncoding = 1003, "sdo-key-encoding", "the header states another encoding than that of its key";
    /// A GUID of 16 zeros.
    SdoGuidZero = 1004, "sdo-guid-zero", "the GUID is all zero";
    /// Variables of a rendezvous instruction that are not in alphabetical order.
    SdoRvOrder = 1005, "sdo-rv-order", "the variables of a rendezvous instruction are not in alphabetical order";
    /// The wrapper around a voucher states another protocol version than its header.
    SdoWrapperVersion = 1006, "sdo-wrapper-version", "the wrapper states another version than the header";
    /// More than the ten entries that the specification recommends as the most.
    SdoManyEntries = 1007, "sdo-many-entries", "there are more than ten entries; devices and services may refuse them";
    /// A device chain whose last certificate is not self-signed: its issuer is not there.
    SdoChainOpen = 1008, "sdo-chain-open", "the issuer of the last device certificate is not in the chain";
    /// The voucher verifies without its white space, and not with it. It was verified without.
    SdoReformatted = 1009, "sdo-reformatted", "the voucher was reformatted: it was verified without its white space";
    /// The hash of header and HMAC does not match, and all else does: somebody changed their text after
    /// the first entry was signed.
    SdoEdited = 1010, "sdo-edited", "the text of the header or of its HMAC was edited after signing";
}

impl FindingKind {
    /// The stable number. Numbers 700 to 749 are for the bytes of the voucher and are deviations; those
    /// from 750 on are for its certificates and its state, and [`is_deviation`](Self::is_deviation) says
    /// which of them the strict profile refuses. Those from 1000 on are for vouchers of SDO.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether this is a deviation from the written profile of FDO 1.1, or of SDO, which the strict profile
    /// refuses.
    ///
    /// All findings about the bytes (700 to 749, of SDO from 1000) are deviations, and so are certificate
    /// chains that are invalid or cannot be shown to be valid (753 to 758, 760, 770, 771). The others are
    /// remarks about certificates and the state of the voucher.
    #[must_use]
    pub const fn is_deviation(self) -> bool {
        self.code() < 750
            || self.code() >= 1000
            || matches!(
                self,
                Self::NoBasicConstraints
                    | Self::Sha1Signature
                    | Self::CertificateV1
                    | Self::DeviceChainBroken
                    | Self::OwnerChainBroken
                    | Self::CertificateUnreadable
                    | Self::CertificatesUnchecked
                    | Self::ChainReversed
                    | Self::CaAsLeaf
            )
    }

    /// The allowance without which a voucher with this finding is refused.
    #[must_use]
    pub const fn allowance(self) -> Option<Allowance> {
        match self {
            Self::UntaggedEntry => Some(Allowance::LegacyUntagged),
            Self::KeyTypeLabel => Some(Allowance::KeyTypeLabel),
            Self::ExperimentalKey => Some(Allowance::ExperimentalKeys),
            Self::LegacyChainHash => Some(Allowance::LegacyChainHash),
            Self::Fdo20Version => Some(Allowance::Fdo20),
            Self::DraftAad => Some(Allowance::Fdo20DraftAad),
            _ => None,
        }
    }
}

/// One finding and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// The kind of the anomaly.
    pub kind: FindingKind,
    /// Byte offset in the voucher.
    pub offset: usize,
    /// The entry, counted from 0; `None` for the header, the chain, or the whole voucher.
    pub entry: Option<usize>,
}

impl Finding {
    /// A finding of this kind, for crates that read other formats than FDO 1.1.
    #[must_use]
    pub const fn new(kind: FindingKind, offset: usize, entry: Option<usize>) -> Self {
        Self {
            kind,
            offset,
            entry,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.kind.text())?;
        match self.entry {
            Some(entry) => write!(f, " (entry {entry}, byte {})", self.offset),
            None => write!(f, " (byte {})", self.offset),
        }
    }
}
