//! Advice on errors and findings.

use ownership_voucher::ErrorKind;
use ownership_voucher::error::Fault;
use ownership_voucher::finding::FindingKind;

/// Advice to the holder of a voucher with this error.
pub(crate) const fn for_error(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Truncated => "the file is cut off: fetch it again from where it came",
        ErrorKind::TrailingBytes => "damaged, or joined with another file: see `ov show --diag`",
        ErrorKind::NoVoucher => {
            "is this the right file? vouchers are CBOR, PEM blocks OWNERSHIP VOUCHER, or base64"
        }
        ErrorKind::Pem => "the text was cut off or changed on its way: fetch the file again",
        ErrorKind::UnsupportedVersion => {
            "vouchers of FDO 1.0 can be looked at with `ov show --diag`; of FDO 2.0, verified \
             with --allow fdo-2.0"
        }
        ErrorKind::ExperimentalKey => "where you made this yourself: --allow experimental-keys",
        ErrorKind::KeyTypeMismatch => {
            "do not accept it as it is; for two elliptic curves mixed up by go-fdo there is \
             --allow key-type-label"
        }
        ErrorKind::ChainHashMismatch => {
            "certificates of the device were exchanged, or old software hashed them differently: \
             compare with the device maker; for fdo-rs before 2024 --allow legacy-chain-hash"
        }
        ErrorKind::EntryUntagged => {
            "for vouchers of a pre-release of 2021 there is --allow legacy-untagged"
        }
        ErrorKind::PreviousHashMismatch => {
            "an entry was exchanged, removed or moved: do not accept it, and ask the preceding owner \
             for the original"
        }
        ErrorKind::HeaderInfoHashMismatch => {
            "the entry belongs to another device: do not accept it, and ask the preceding owner for \
             the original"
        }
        ErrorKind::SignatureInvalid => {
            "the entry was not signed by the preceding owner, or was changed after: do not accept it, \
             and ask that owner for the original"
        }
        ErrorKind::HmacMismatch => {
            "the device will refuse this voucher: the header was changed, or the secret is that of \
             another device"
        }
        ErrorKind::WrongOwner => {
            "this voucher is not, or not yet, signed over to the expected owner"
        }
        ErrorKind::WrongManufacturer => "the device was not made by an expected manufacturer",
        ErrorKind::DevicePath => {
            "do not trust the device's certificate, or give the root of its maker with --device-ca"
        }
        ErrorKind::OwnerPath => {
            "do not trust the manufacturer's certificate, or give its root with --manufacturer-ca"
        }
        _ if matches!(kind.code(), 180..=199 | 380..=399) => for_sdo(kind),
        ErrorKind::CertificateTime => {
            "check it at another time with --at, or omit --refuse-expired"
        }
        ErrorKind::CertificateRevoked => {
            "whoever issued the certificate has revoked it: do not trust its key, and ask the maker"
        }
        ErrorKind::OriginNotChecked => {
            "give --manufacturer, --manufacturer-hash, --manufacturer-ca or --hmac-secret"
        }
        ErrorKind::NotProved => "give what the fact is compared with, or do not require it",
        ErrorKind::ChainReversed => {
            "whoever made this put the certificates the wrong way round: ask for one that has the \
             device's first and the root last"
        }
        ErrorKind::CaAsLeaf => {
            "anybody can copy the certificate of a CA: do not take it for a device"
        }
        ErrorKind::UnfitChain => {
            "put the key's own certificate first, then the one that signed it, and the root last"
        }
        ErrorKind::CaAsOwner => {
            "give the owner's own certificate; where the CA itself is meant: --allow-ca-owner"
        }
        ErrorKind::HmacSecretShort => "use 32 random bytes for SHA-256, 48 for SHA-384",
        ErrorKind::Deviation => "without --strict this is a finding",
        _ => for_fault(kind.fault()),
    }
}

/// The same for errors that only vouchers of SDO have.
const fn for_sdo(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::OuterKey => {
            "nothing signs that key, and it must never be used: ask the preceding owner for the original"
        }
        ErrorKind::DeviceChain => "ask the maker for the device's certificates",
        ErrorKind::KeyNotAllowed => "see the lists of --sdo-allow-list and --sdo-deny-list",
        _ => {
            "no device takes a voucher of SDO with such a text: fetch the file again from where it came"
        }
    }
}

/// Advice to the holder of a voucher of SDO with this error; `edited` if its header or HMAC was edited after signing.
pub(crate) const fn for_error_in_sdo(kind: ErrorKind, edited: bool) -> &'static str {
    match kind {
        ErrorKind::PreviousHashMismatch if edited => {
            "the finding sdo-edited says which text was changed: ask for the original"
        }
        ErrorKind::ChainHashMismatch => {
            "certificates of the device were exchanged: compare with the device maker"
        }
        ErrorKind::ExperimentalKey | ErrorKind::KeyTypeMismatch | ErrorKind::UnsupportedVersion => {
            "no device takes such a voucher: ask the preceding owner for the original"
        }
        ErrorKind::NoVoucher | ErrorKind::Truncated | ErrorKind::TrailingBytes => for_error(kind),
        _ => match kind.fault() {
            Fault::Malformed if !matches!(kind.code(), 180..=199) => {
                "this is not a whole voucher of SDO: fetch the file again from where it came"
            }
            Fault::Unsupported => "no voucher of SDO with it is known: ask for the original",
            _ => for_error(kind),
        },
    }
}

/// Advice where the kind of error needs none of its own.
const fn for_fault(fault: Fault) -> &'static str {
    match fault {
        Fault::Malformed => {
            "the bytes are not a voucher of FDO 1.1: look at them with `ov show --diag`, and ask \
             for the original"
        }
        Fault::Unsupported => "this is not FDO 1.1: ask for a voucher that is",
        Fault::Rejected => "do not accept it, and ask the preceding owner for the original",
        Fault::Limit => "no voucher seen in circulation is so large: do not accept it",
        Fault::Misuse => "check the arguments",
        Fault::Signer => "check the signing key or service",
        _ => "do not accept it",
    }
}

/// Advice to the holder of a voucher with this finding; `None` if nothing needs to be done.
pub(crate) const fn for_finding(kind: FindingKind) -> Option<&'static str> {
    Some(match kind {
        FindingKind::UntaggedEntry => "--allow legacy-untagged accepts it",
        FindingKind::KeyTypeLabel => "--allow key-type-label accepts it; devices may not",
        FindingKind::ExperimentalKey => "--allow experimental-keys accepts it; devices do not",
        FindingKind::LegacyChainHash => "other software and --strict refuse it; ask for a new one",
        FindingKind::Fdo20Version | FindingKind::DraftAad => {
            "FDO 1.1 software refuses it; ask for a voucher of FDO 1.1"
        }
        FindingKind::UnprotectedHeader => "do not rely on its contents",
        FindingKind::KeyMix => "devices with one verifier compiled in may refuse it",
        FindingKind::Wrapped => {
            "other software may not read it so; `ov convert` writes the voucher alone"
        }
        FindingKind::RvEmpty => "the device knows no place to meet its owner",
        FindingKind::NoEntries => "extend it to its next owner with `ov extend`",
        FindingKind::CertificateExpired => {
            "vouchers outlive certificates; --refuse-expired makes it an error on required paths"
        }
        FindingKind::CertificateNotYetValid => "check the clock of whoever issued it",
        FindingKind::NoBasicConstraints
        | FindingKind::Sha1Signature
        | FindingKind::CertificateV1 => "no path to a root can lead over this certificate",
        FindingKind::DeviceChainBroken | FindingKind::OwnerChainBroken => {
            "the chain proves nothing beyond this certificate: ask its holder for the right one"
        }
        FindingKind::CertificateUnreadable => "no path to a root can lead over this certificate",
        FindingKind::CertificateMalformed => "ask the maker for the certificate that belongs there",
        FindingKind::DeviceKey => "no FDO software can check what this device signs: ask the maker",
        FindingKind::CoseKeyPrivate => {
            "the key is known to all who hold the voucher: its owner must not sign with it again"
        }
        FindingKind::CoseKeyUse => "ask the owner for a key that is meant for signatures",
        FindingKind::ExtraReserved | FindingKind::ExtraOrder => {
            "other software and --strict may refuse it"
        }
        FindingKind::ChainReversed => {
            "the key's own certificate comes first, the root last: ask for a chain in that order"
        }
        FindingKind::CaAsLeaf => {
            "the certificate is that of a CA, not of a device or owner: ask its holder"
        }
        FindingKind::CrlNotUsed => {
            "get undamaged lists of those who issued the certificates of this path; --require-crl \
             refuses to go without"
        }
        FindingKind::KeyUsage => "ask the maker for a certificate that allows signatures",
        _ => return of_sdo(kind),
    })
}

/// Advice to the holder of a voucher of SDO with this finding.
pub(crate) const fn for_finding_in_sdo(kind: FindingKind) -> Option<&'static str> {
    match kind {
        FindingKind::NoEntries => Some(
            "nothing is signed: only the HMAC, with --hmac-secret, shows that the header is genuine",
        ),
        _ => for_finding(kind),
    }
}

/// The same for findings that only vouchers of SDO have.
const fn of_sdo(kind: FindingKind) -> Option<&'static str> {
    Some(match kind {
        FindingKind::SdoWhiteSpace => {
            "somebody changed the layout of the text; if its hashes fail for that, --allow sdo-reformatted verifies it \
             without"
        }
        FindingKind::SdoString | FindingKind::SdoRvOrder => {
            "other software may refuse or misread it"
        }
        FindingKind::SdoManyEntries => {
            "rendezvous services of SDO refused more than ten by default"
        }
        FindingKind::SdoEdited => {
            "a version or host name was changed by hand: ask for the original, because the device refuses this one"
        }
        FindingKind::SdoChainOpen => "ask the maker for the certificates above it",
        _ => return None,
    })
}
