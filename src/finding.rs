//! Findings: what is odd about a voucher without being, by itself, a reason to refuse it.
//!
//! Reading never repairs in silence: each deviation from the FDO 1.1 profile becomes one finding
//! with its place. Some deviations need a named [`Allowance`] before a voucher that has them can
//! verify; the strict profile refuses every one.

use core::fmt;

use crate::error::ErrorKind;

/// A deviation that is refused unless the policy allows it by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Allowance {
    /// The device chain hash covers the CBOR item instead of the certificates (fdo-rs before 2024).
    LegacyChainHash,
    /// Entries without COSE tag 18 (a pre-release of 2021).
    LegacyUntagged,
    /// A P-256 key labelled SECP384R1 or the other way round (go-fdo copies the manufacturer's
    /// label). RSA against EC is never allowed.
    KeyTypeLabel,
    /// Protocol version 200, and entries signed with external_aad "FDO-OVEntry-v1".
    Fdo20Draft,
    /// Keys of an experimental type: Ed25519.
    ExperimentalKeys,
}

impl Allowance {
    /// Every allowance.
    pub const ALL: &'static [Self] = &[
        Self::LegacyChainHash,
        Self::LegacyUntagged,
        Self::KeyTypeLabel,
        Self::Fdo20Draft,
        Self::ExperimentalKeys,
    ];

    /// The stable name, as `ov --allow` takes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::LegacyChainHash => "legacy-chain-hash",
            Self::LegacyUntagged => "legacy-untagged",
            Self::KeyTypeLabel => "key-type-label",
            Self::Fdo20Draft => "fdo-2.0-draft",
            Self::ExperimentalKeys => "experimental-keys",
        }
    }

    /// The allowance of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|allowance| allowance.name() == name)
    }

    /// What a caller can do about a voucher that needs this allowance.
    pub(crate) const fn advice(self) -> &'static str {
        match self {
            Self::LegacyChainHash => {
                "it covers the CBOR item; the allowance `legacy-chain-hash` accepts that"
            }
            Self::LegacyUntagged => "the allowance `legacy-untagged` accepts that",
            Self::KeyTypeLabel => {
                "the label names another curve; the allowance `key-type-label` accepts that"
            }
            Self::Fdo20Draft => {
                "200, the FDO 2.0 draft; the allowance `fdo-2.0-draft` accepts that"
            }
            Self::ExperimentalKeys => "the allowance `experimental-keys` accepts them",
        }
    }

    /// The error of a voucher that needs this allowance and does not have it.
    pub(crate) const fn error(self) -> ErrorKind {
        match self {
            Self::LegacyChainHash => ErrorKind::ChainHashMismatch,
            Self::LegacyUntagged => ErrorKind::EntryUntagged,
            Self::KeyTypeLabel => ErrorKind::KeyTypeMismatch,
            Self::Fdo20Draft => ErrorKind::UnsupportedVersion,
            Self::ExperimentalKeys => ErrorKind::ExperimentalKey,
        }
    }
}

macro_rules! findings {
    ($($(#[$doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal;)*) => {
        /// What is odd. [`code`](Self::code) and [`name`](Self::name) are stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u16)]
        pub enum FindingKind { $($(#[$doc])* $variant = $code,)* }

        impl FindingKind {
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

findings! {
    /// An integer or length in a longer form than it needs (RFC 8949 §4.2.1).
    NonShortest = 700, "non-shortest", "a number is not in its shortest form";
    /// An array, map or string of indefinite length.
    IndefiniteLength = 701, "indefinite-length", "an item has indefinite length";
    /// An entry without tag 18. Needs [`Allowance::LegacyUntagged`].
    UntaggedEntry = 702, "untagged-entry", "the entry lacks COSE tag 18";
    /// An unprotected header with content; nothing signs it.
    UnprotectedHeader = 703, "unprotected-header", "the unprotected header is not empty, and nothing signs it";
    /// OVEExtra is a byte string with an empty map, where null is meant (go-fdo).
    ExtraEmptyMap = 704, "extra-empty-map", "OVEExtra is an empty map in place of null";
    /// OVEExtra is a map in place of a byte string that holds one (fdo-rs).
    ExtraInlineMap = 705, "extra-inline-map", "OVEExtra is a bare map";
    /// An X5CHAIN key wrapped in a byte string (fdo-rs).
    X5chainWrapped = 706, "x5chain-wrapped", "an X5CHAIN key is wrapped in a byte string";
    /// An X5CHAIN key that is one bare certificate instead of an array.
    X5chainBare = 707, "x5chain-bare", "an X5CHAIN key is a bare certificate";
    /// A COSE_Key wrapped in a byte string (Astarte).
    CoseKeyWrapped = 708, "cose-key-wrapped", "a COSE_Key is wrapped in a byte string";
    /// A COSE_Key without `kty` (pri-fidoiot, client-sdk-fidoiot).
    CoseKeyWithoutKty = 709, "cose-key-without-kty", "a COSE_Key names no key type";
    /// A coordinate of a COSE_Key that is shorter or longer than its field.
    CoordinateLength = 710, "coordinate-length", "a coordinate is not as long as its field";
    /// An RSA number with leading zeros.
    LeadingZero = 711, "leading-zero", "an RSA number has leading zeros";
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
    /// A hash that the table of FDO 1.1 §3.3.2 does not choose for these keys.
    HashTable = 717, "hash-table", "the strength of the hash deviates from the table";
    /// RendezvousInfo without directives, or a directive without instructions.
    RvEmpty = 718, "rv-empty", "the rendezvous info or a directive is empty";
    /// A rendezvous flag that carries a value.
    RvFlagValue = 719, "rv-flag-value", "a rendezvous flag carries a value";
    /// A rendezvous variable that lacks its value.
    RvValueMissing = 720, "rv-value-missing", "a rendezvous variable lacks its value";
    /// A rendezvous value that is not the CBOR that its variable asks for.
    RvValue = 721, "rv-value", "a rendezvous value is not what its variable asks for";
    /// A rendezvous variable that FDO 1.1 does not have.
    RvUnknown = 722, "rv-unknown", "a rendezvous variable is unknown";
    /// An empty device info string.
    DeviceInfoEmpty = 723, "device-info-empty", "the device info is empty";
    /// Protocol version 200. Needs [`Allowance::Fdo20Draft`].
    DraftVersion = 724, "draft-version", "the voucher has the version of the FDO 2.0 draft";
    /// A signature over external_aad "FDO-OVEntry-v1". Needs [`Allowance::Fdo20Draft`].
    DraftAad = 725, "draft-aad", "the entry is signed with the external data of the FDO 2.0 draft";
    /// A protected header with labels beside `alg`.
    ProtectedExtra = 726, "protected-extra", "the protected header holds more than the algorithm";
    /// RendezvousInfo that does not have the shape of directives and instructions.
    RvShape = 727, "rv-shape", "the rendezvous info does not consist of directives and instructions";
    /// A number of RVProtocol or RVMedium that FDO 1.1 does not have.
    RvNumber = 733, "rv-number", "a rendezvous protocol or medium is unknown";
    /// A rendezvous directive without DNS name and without IP address. None is needed where a
    /// person is asked (RVUserInput), another mechanism is used (RVExtRV), or it is a pause only.
    RvNoAddress = 734, "rv-no-address", "a rendezvous directive has neither DNS name nor IP address";
    /// A rendezvous port of 0.
    RvPort = 735, "rv-port", "a rendezvous port is 0";
    /// A variable that occurs twice in one rendezvous directive: which of them counts is open.
    RvDuplicate = 736, "rv-duplicate", "a variable occurs twice in one rendezvous directive";
    /// A rendezvous directive for devices only and for owners only at once, so for nobody.
    RvForNobody = 737, "rv-for-nobody", "a rendezvous directive is for devices only and for owners only at once";
    /// An RVDns that is neither a DNS name nor an IP address: a URL, blanks, control characters,
    /// an empty text, `10.0.0.256`, `0x7f000001`.
    RvHost = 738, "rv-host", "a rendezvous host is neither a DNS name nor an IP address";
    /// An IP address that no server can have: unspecified or in 0.0.0.0/8, multicast, reserved
    /// (240.0.0.0/4), broadcast.
    RvAddress = 739, "rv-address", "a rendezvous address is that of no server";
    /// A certificate of a chain that is not one: anybody could have written these bytes.
    CertificateMalformed = 740, "certificate-malformed", "a certificate is not X.509 in DER";
    /// A device certificate with a key that FDO 1.1 does not have: other than P-256, P-384 and RSA with
    /// 2048 or 3072 bits.
    DeviceKey = 741, "device-key", "the device certificate holds a key that FDO does not have";
    /// A COSE_Key with the private part `d`: whoever holds the voucher can sign for that owner.
    CoseKeyPrivate = 742, "cose-key-private", "a COSE_Key carries its private part";
    /// A COSE_Key whose `alg` is another one than its curve has in FDO, or whose `key_ops` lacks
    /// `verify` (RFC 9052 §7.1).
    CoseKeyUse = 743, "cose-key-use", "alg or key_ops of a COSE_Key does not fit signatures under it";
    /// OVEExtra with types that are not in the order of their encodings (RFC 8949 §4.2.1).
    ExtraOrder = 744, "extra-order", "the types in OVEExtra are not in their order";
    /// OVEExtra with a type of -65536 and above, which FDO reserves.
    ExtraReserved = 745, "extra-reserved", "OVEExtra holds a type that FDO reserves";

    /// No entries: the manufacturer is the owner.
    NoEntries = 750, "no-entries", "the voucher has no entries: its manufacturer owns it";
    /// A certificate that had expired at the given time.
    CertificateExpired = 751, "certificate-expired", "a certificate has expired";
    /// A certificate that was not valid yet at the given time.
    CertificateNotYetValid = 752, "certificate-not-yet-valid", "a certificate is not valid yet";
    /// A certificate that signs another one and does not claim to be an authority.
    NoBasicConstraints = 753, "no-basic-constraints", "a certificate signs another one without being marked as authority";
    /// A certificate signed with SHA-1, which proves nothing.
    Sha1Signature = 754, "sha1-signature", "a certificate is signed with SHA-1";
    /// An X.509 certificate of version 1.
    CertificateV1 = 755, "certificate-v1", "a certificate is of version 1";
    /// A certificate of the device chain that the next one did not issue: by name or by signature.
    DeviceChainBroken = 756, "device-chain-broken", "a device certificate was not issued by the next one";
    /// A certificate of an X5CHAIN key that the next one did not issue: by name or by signature.
    OwnerChainBroken = 757, "owner-chain-broken", "a certificate of a key was not issued by the next one";
    /// A certificate that cannot be read far enough to check it.
    CertificateUnreadable = 758, "certificate-unreadable", "a certificate cannot be checked";
    /// A device key whose use does not include signatures.
    KeyUsage = 759, "key-usage", "a certificate's key usage lacks digital signatures";
    /// The first certificate whose signature was not looked at, because as many as
    /// [`Limits::certificate_checks`](crate::Limits::certificate_checks) had been.
    CertificatesUnchecked = 760, "certificates-unchecked", "the signatures of certificates are not checked from here on";
    /// The first of the findings or faults that are not listed, because there are as many as
    /// [`Limits::findings`](crate::Limits::findings).
    MoreFindings = 761, "more-findings", "there is more to find than is listed";
    /// A certificate chain that begins with the authority: the order is reversed.
    ChainReversed = 770, "chain-reversed", "a certificate chain begins with its root";
    /// The first certificate of a chain, that of a device or owner, is an authority's.
    CaAsLeaf = 771, "ca-as-leaf", "the first certificate of a chain is that of an authority";
    /// Revocation lists were given and are of no use here: none of those with the name of the issuer
    /// counts for this certificate (another scope, distribution point or key); or, at the first
    /// certificate of a chain, none counts for any, or one is signed by no known authority of its
    /// name and may be damaged.
    CrlNotUsed = 772, "crl-not-used", "a revocation list was given and not used: none speaks of this certificate, or one is signed by no known authority";
}

impl FindingKind {
    /// The stable number: 700 to 749 for what the bytes of the voucher show, from 750 for what the
    /// certificates in it and its state do.
    #[must_use]
    pub const fn code(self) -> u16 {
        self as u16
    }

    /// Whether this deviates from the written profile of FDO 1.1, so that the strict profile
    /// refuses it: all of the bytes, and certificate chains that are none or cannot be shown to be
    /// one. The others are remarks about certificates and the state of the voucher.
    #[must_use]
    pub const fn is_deviation(self) -> bool {
        self.code() < 750
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
            Self::DraftVersion | Self::DraftAad => Some(Allowance::Fdo20Draft),
            _ => None,
        }
    }
}

/// One finding and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Finding {
    /// What is odd.
    pub kind: FindingKind,
    /// Byte offset in the voucher.
    pub offset: usize,
    /// Entry, counted from 0; `None` for header, chain or the whole.
    pub entry: Option<usize>,
}

impl Finding {
    pub(crate) const fn new(kind: FindingKind, offset: usize, entry: Option<usize>) -> Self {
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
