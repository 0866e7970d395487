//! The facts that the policy requires: HMAC, manufacturer, owner, certificate path; and the origin.

use super::proved::{ChainHashRule, ManufacturerProof, Proved};
use super::sink::{ErrorSink, owner_place};
#[cfg(feature = "x509")]
use crate::certificate::{PathRequirements, verify_path};
use crate::error::{Error, ErrorKind, Keys};
use crate::key::{Fingerprint, KeySet, Match, PublicKey};
use crate::policy::Policy;
use crate::voucher::Voucher;

/// Checks each fact that the policy requires, and the origin. The caller checks entries and chain
/// hash.
pub(crate) fn check(
    voucher: &Voucher<'_>,
    owner: Option<&PublicKey>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
) -> Result<Proved, Error> {
    let mut proved = Proved {
        entries: voucher.entries().len(),
        chain_hash: ChainHashRule::NoChain,
        draft_aad: false,
        hmac: false,
        manufacturer: None,
        owner: false,
        device_path: false,
    };
    let mut refused = false;
    if let Some(device) = &policy.hmac {
        match check_hmac(voucher, &**device) {
            Ok(()) => proved.hmac = true,
            Err(error) => {
                refused = true;
                sink.fault(error)?;
            }
        }
    }
    if policy.wants_manufacturer() {
        match find_manufacturer(voucher, policy) {
            Ok(proof) => proved.manufacturer = Some(proof),
            Err(error) => {
                refused = true;
                sink.fault(error)?;
            }
        }
    }
    // The header is not signed, so a manufacturer key in it proves nothing about the manufacturer.
    if proved.entries == 0 && !proved.hmac {
        proved.manufacturer = None;
    }
    // The fault of an anchor that does not match was already reported.
    if !proved.is_anchored() && !policy.any_origin && !refused {
        sink.fault(no_origin(voucher, policy))?;
    }
    if !policy.owners.is_empty() {
        match owner.and_then(|owner| policy.owners.find(owner)) {
            Some(_) => proved.owner = true,
            None => sink.fault(wrong_owner(voucher, owner, &policy.owners))?,
        }
    }
    #[cfg(feature = "x509")]
    if let Some(roots) = &policy.device_roots {
        match check_device_path(voucher, roots, policy) {
            Ok(()) => proved.device_path = true,
            Err(error) => sink.fault(error)?,
        }
    }
    #[cfg(feature = "x509")]
    if policy.strict {
        super::chains::check_strict(voucher, policy, sink)?;
    }
    Ok(proved)
}

/// Nothing anchors the header. Without entries, not even a matching manufacturer key does: the
/// header is not signed, and any header can contain a public key.
fn no_origin(voucher: &Voucher<'_>, policy: &Policy<'_>) -> Error {
    let why = match policy.wants_manufacturer() {
        true => {
            "the voucher has no entries, so its manufacturer has signed nothing; verify the HMAC too, \
             or accept any origin"
        }
        false => "the policy has no anchor; give a manufacturer or an HMAC, or accept any origin",
    };
    Error::because(ErrorKind::OriginNotChecked, why).at(voucher.manufacturer_key().range().start)
}

/// Checks that the owner of a voucher is the expected one.
pub(super) fn check_owner(
    voucher: &Voucher<'_>,
    owner: &PublicKey,
    expected: &PublicKey,
) -> Result<(), Error> {
    if owner == expected {
        return Ok(());
    }
    let mut only = KeySet::new();
    only.insert(expected.clone());
    Err(wrong_owner(voucher, Some(owner), &only))
}

/// The owner is none of those that are expected. A key that cannot be read is another error.
fn wrong_owner(voucher: &Voucher<'_>, owner: Option<&PublicKey>, expected: &KeySet) -> Error {
    let (key, entry) = owner_place(voucher);
    let error = match owner {
        Some(owner) => other_owner(owner, expected),
        None => Error::new(ErrorKind::WrongOwner),
    };
    error.at(key.range().start).in_entry(entry)
}

/// The error for an owner who is not in the set.
pub(super) fn other_owner(owner: &PublicKey, expected: &KeySet) -> Error {
    let found = owner.fingerprint();
    let keys = match expected.only() {
        Some(Fingerprint(expected)) => Keys::One { found, expected },
        None => Keys::NoneOf {
            found,
            expected: expected.len(),
        },
    };
    Error::keys(ErrorKind::WrongOwner, keys)
}

/// The error for a manufacturer whom the policy does not name.
pub(super) fn other_manufacturer(key: &PublicKey, policy: &Policy<'_>) -> Error {
    let found = key.fingerprint();
    let hashes = policy.manufacturer_hashes.len();
    let number = policy.manufacturers.len().saturating_add(hashes);
    let only = policy.manufacturers.only().filter(|_| hashes == 0);
    let keys = match (only, policy.manufacturer_hashes.as_slice(), number) {
        (Some(Fingerprint(expected)), ..) => Keys::One { found, expected },
        (None, [hash], 1) => {
            let (mut expected, bytes) = ([0; 48], hash.as_bytes());
            expected
                .iter_mut()
                .zip(bytes)
                .for_each(|(to, from)| *to = *from);
            let len = bytes.len();
            Keys::Hash {
                found,
                expected,
                len,
            }
        }
        (None, _, 0) => Keys::NoPath { found },
        (None, _, expected) => Keys::NoneOf { found, expected },
    };
    Error::keys(ErrorKind::WrongManufacturer, keys)
}

fn check_hmac(voucher: &Voucher<'_>, device: &dyn crate::hmac::DeviceHmac) -> Result<(), Error> {
    let stored = voucher.hmac();
    let made = device.header_hmac(stored.algorithm(), voucher.header_bytes())?;
    // Digests are compared in constant time.
    if made == stored {
        return Ok(());
    }
    Err(Error::new(ErrorKind::HmacMismatch).at(voucher.index().hmac.item.start()))
}

/// One match among keys, hashes and roots is sufficient.
fn find_manufacturer(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
) -> Result<ManufacturerProof, Error> {
    let view = voucher.manufacturer_key();
    let key = view.public_key()?;
    match policy.manufacturers.find(&key) {
        Some(Match::Key) => return Ok(ManufacturerProof::Key),
        Some(Match::Spki) => return Ok(ManufacturerProof::SpkiHash),
        Some(Match::Cbor) => return Ok(ManufacturerProof::KeyHash),
        None => {}
    }
    for hash in &policy.manufacturer_hashes {
        if hash.algorithm().digest(&[view.as_bytes()]) == *hash {
            return Ok(ManufacturerProof::KeyHash);
        }
        if hash.algorithm().digest(&[&key.to_spki_der()]) == *hash {
            return Ok(ManufacturerProof::SpkiHash);
        }
    }
    #[cfg(feature = "x509")]
    if let Some(roots) = &policy.manufacturer_roots {
        let chain: alloc::vec::Vec<&[u8]> = view.certificates().collect();
        let kind = ErrorKind::OwnerPath;
        if !chain.is_empty() {
            verify_path(&chain, roots, &requirements(policy, kind))
                .map_err(|error| error.at(view.range().start))?;
            return Ok(ManufacturerProof::Path);
        }
    }
    Err(other_manufacturer(&key, policy).at(view.range().start))
}

/// The policy's requirements for paths; `kind` is the error if there is no path.
#[cfg(feature = "x509")]
pub(super) fn requirements(policy: &Policy<'_>, kind: ErrorKind) -> PathRequirements {
    PathRequirements {
        at: policy.at.filter(|_| policy.refuse_expired),
        lists_required: policy.lists_required,
        kind,
    }
}

#[cfg(feature = "x509")]
fn check_device_path(
    voucher: &Voucher<'_>,
    roots: &crate::certificate::Roots,
    policy: &Policy<'_>,
) -> Result<(), Error> {
    let chain: alloc::vec::Vec<&[u8]> = voucher.device_chain().collect();
    let place = voucher.index().chain.map_or(0, |chain| chain.start());
    if chain.is_empty() {
        let why = "the voucher has no device certificate";
        return Err(Error::because(ErrorKind::DevicePath, why).at(place));
    }
    let kind = ErrorKind::DevicePath;
    verify_path(&chain, roots, &requirements(policy, kind))
        .map(drop)
        .map_err(|error| error.at(place))
}
