//! Verification: the checks of FDO 1.1 §3.4 in a fixed order.
//!
//! 1. Deviations that the policy does not accept, in the order of the bytes.
//! 2. The hash of the device certificate chain.
//! 3. For each entry: the hash of what precedes it, then the hash of GUID and device info.
//! 4. The coordinates of all keys: every point must be on its curve.
//! 5. The signatures, oldest first.
//! 6. The facts that the policy requires: HMAC, manufacturer, owner, certificate path; and whether
//!    an anchor shows that the header is genuine. Under the strict profile, also that each
//!    certificate chain is valid.
//!
//! Inexpensive checks come first: steps 1 to 4 are complete before any signature is verified. A
//! batch can therefore refuse a voucher before its signatures are verified, and reports the same
//! first error as single verification.

#[cfg(feature = "x509")]
mod chains;
mod facts;
mod judge;
mod links;
mod origin;
mod proved;

use alloc::vec::Vec;
use core::fmt;
use core::ops::Deref;

#[cfg(feature = "x509")]
pub(crate) use chains::chains;
pub(crate) use judge::{ErrorSink, First};
pub(crate) use links::{Direct, LinkDigests, before_entries};
pub use origin::Origin;
pub use proved::{ChainHashRule, ManufacturerProof, Proved};

use judge::{Counting, deviation};

use crate::error::{Error, ErrorKind, ReadError};
use crate::finding::{Allowance, FindingKind};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::voucher::{Entry, Voucher};

/// A voucher that was verified under a policy. Only verification creates this type.
///
/// It dereferences to the [`Voucher`] that it holds. [`proved`](Self::proved) lists what was
/// proved.
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let buyer = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?.public_key();
/// # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
/// #     .with_rendezvous(create::RvDirective::new().dns("rv.example.com").device_port(443).protocol(create::RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
/// # let sold = made.verify(&Policy::any_origin())?;
/// # let sold = sold.extend(&KeyOrChain::Key(buyer.clone()), &ExtendOptions::new())?.sign(&maker)?;
/// # let bytes = sold.as_bytes();
/// let policy = Policy::manufacturer(maker.public_key());
/// let verified = Voucher::parse(bytes)?.verify(&policy)?;
/// assert_eq!(*verified.owner(), buyer);
/// assert_eq!(verified.proved().origin(), Origin::Manufacturer);
/// assert_eq!(verified.proved().entries, verified.entries().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifiedVoucher<'a> {
    voucher: Voucher<'a>,
    proved: Proved,
    owner: PublicKey,
}

impl<'a> VerifiedVoucher<'a> {
    /// For the two callers that have made every check: [`Voucher::verify`] and the batch.
    pub(crate) fn new(voucher: Voucher<'a>, proved: Proved, owner: PublicKey) -> Self {
        Self {
            voucher,
            proved,
            owner,
        }
    }

    /// The same voucher with the owner as a proved fact, if the owner has this key.
    pub(crate) fn owned_by(mut self, owner: &PublicKey) -> Result<Self, Error> {
        facts::check_owner(&self.voucher, Some(&self.owner), owner)?;
        self.proved.owner = true;
        Ok(self)
    }

    /// The facts that were proved.
    #[must_use]
    pub const fn proved(&self) -> &Proved {
        &self.proved
    }

    /// The key of the current owner.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The voucher without its proof.
    #[must_use]
    pub fn into_voucher(self) -> Voucher<'a> {
        self.voucher
    }

    /// The same verified voucher, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> VerifiedVoucher<'static> {
        let voucher = self.voucher.into_owned();
        VerifiedVoucher {
            voucher,
            proved: self.proved,
            owner: self.owner,
        }
    }
}

impl<'a> Deref for VerifiedVoucher<'a> {
    type Target = Voucher<'a>;

    fn deref(&self) -> &Voucher<'a> {
        &self.voucher
    }
}

impl fmt::Debug for VerifiedVoucher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "voucher {} of {:?}, {:?}",
            self.voucher.guid(),
            self.owner,
            self.proved
        )
    }
}

impl Policy<'_> {
    /// The verified voucher in `bytes`, parsed under the limits of this policy.
    ///
    /// # Errors
    /// Those of [`Voucher::parse`] and [`Voucher::verify`].
    pub fn verify<'a>(&self, bytes: &'a [u8]) -> Result<VerifiedVoucher<'a>, Error> {
        Voucher::parse_with(bytes, &self.limits)?.verify_within(self)
    }
}

impl<'a> Voucher<'a> {
    /// The verified voucher, if it satisfies the policy.
    ///
    /// # Errors
    /// The first fault in the order of the checks: the policy's limits, deviations, hashes, keys,
    /// signatures, then the facts that the policy requires. A signature fault carries only the
    /// number of the entry.
    pub fn verify(self, policy: &Policy<'_>) -> Result<VerifiedVoucher<'a>, Error> {
        self.check_limits(policy.limits())?;
        self.verify_within(policy)
    }

    /// The same for a voucher that was parsed under the policy's limits.
    pub(crate) fn verify_within(self, policy: &Policy<'_>) -> Result<VerifiedVoucher<'a>, Error> {
        let (proved, owner) = verify(&self, policy, &mut First)?;
        // `First` stops at any fault, so both are present.
        let (Some(proved), Some(owner)) = (proved, owner) else {
            return Err(Error::new(ErrorKind::SignatureInvalid));
        };
        Ok(VerifiedVoucher {
            voucher: self,
            proved,
            owner,
        })
    }
}

/// All checks in their order. With a sink that continues, nothing is proved after a fault.
pub(crate) fn verify(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    judge: &mut impl ErrorSink,
) -> Result<(Option<Proved>, Option<PublicKey>), Error> {
    let mut judge = Counting {
        inner: judge,
        faults: 0,
    };
    check_deviations(voucher, policy, &mut judge)?;
    let chain_hash = check_links(voucher, policy, &mut judge, &mut Direct::default())?;
    let keys = decode_keys(voucher, &mut judge)?;
    let mut draft_aad = false;
    for (number, key) in (0..voucher.entries().len()).zip(&keys) {
        // The fault of a key that cannot be decoded was already reported.
        let Some(key) = key else { continue };
        match check_signature(voucher, number, key, policy) {
            Ok(draft) => draft_aad |= draft,
            Err(error) => judge.fault(error)?,
        }
    }
    let owner = keys.into_iter().next_back().flatten();
    let facts = facts::check(voucher, owner.as_ref(), policy, &mut judge)?;
    let proved = (judge.faults == 0).then(|| Proved {
        entries: voucher.entries().len(),
        chain_hash,
        draft_aad,
        ..facts
    });
    Ok((proved, owner))
}

/// Steps 2 and 3: together with step 1, everything that needs no key.
pub(crate) fn check_links(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    judge: &mut impl ErrorSink,
    made: &mut impl LinkDigests,
) -> Result<ChainHashRule, Error> {
    let chain_hash = links::check_chain_hash(voucher, policy, judge, made)?;
    links::check_entries(voucher, judge, made)?;
    Ok(chain_hash)
}

/// The number of deviations that are examined one by one. Only the first matters, unless all are
/// collected.
const DEVIATIONS: usize = 4096;

/// Step 1. The places of deviations are determined only if some kind is not accepted.
pub(crate) fn check_deviations(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    judge: &mut impl ErrorSink,
) -> Result<(), Error> {
    let lacks = |kind: FindingKind| kind.allowance().is_some_and(|name| !policy.allows(name));
    let found = voucher.deviations();
    let harmless = FindingKind::ALL
        .iter()
        .filter(|kind| kind.allowance().is_some())
        .all(|&kind| !found.contains(kind) || !lacks(kind));
    if harmless && !policy.strict {
        return Ok(());
    }
    // A verdict does not depend on the length of the list that a caller requests.
    for finding in voucher.deviation_list(DEVIATIONS).finish() {
        let error = match finding.kind.allowance() {
            Some(name) if lacks(finding.kind) => Error::because(name.error(), name.advice()),
            _ if policy.strict && finding.kind.is_deviation() => deviation(finding.kind),
            _ => continue,
        };
        judge.fault(error.at(finding.offset).in_entry(finding.entry))?;
    }
    Ok(())
}

/// Step 4: the manufacturer's key and that of every entry, `None` where one is off its curve.
fn decode_keys(
    voucher: &Voucher<'_>,
    judge: &mut impl ErrorSink,
) -> Result<Vec<Option<PublicKey>>, Error> {
    let count = voucher.entries().len();
    let mut keys = Vec::with_capacity(count.saturating_add(1));
    for signer in 0..=count {
        match voucher.decode_key(signer) {
            Ok(key) => keys.push(Some(key)),
            Err(error) => {
                judge.fault(error)?;
                keys.push(None);
            }
        }
    }
    Ok(keys)
}

/// Step 5 for one entry; returns whether it was signed with the external_aad of the FDO 2.0 draft.
pub(crate) fn check_signature(
    voucher: &Voucher<'_>,
    number: usize,
    key: &PublicKey,
    policy: &Policy<'_>,
) -> Result<bool, Error> {
    let Some(entry) = voucher.entry(number) else {
        return Err(voucher.signature_error(number));
    };
    let draft_first = voucher.protocol_version() >= 200;
    let allowed = policy.allows(Allowance::Fdo20Draft);
    let draft = check_entry_signature::<Error>(&entry, key, allowed.then_some(draft_first))?;
    if draft && policy.strict {
        let at = entry.index.signature.start();
        return Err(deviation(FindingKind::DraftAad)
            .at(at)
            .in_entry(Some(number)));
    }
    Ok(draft)
}

/// The signature of one entry. `draft_first` is present if the external_aad of the FDO 2.0 draft is
/// allowed, and says which form is tried first. Returns which form verified.
pub(crate) fn check_entry_signature<E: ReadError>(
    entry: &Entry<'_>,
    key: &PublicKey,
    draft_first: Option<bool>,
) -> Result<bool, E> {
    let number = Some(entry.number);
    let verify = |draft: bool| {
        key.verify_parts::<E>(
            entry.algorithm(),
            &entry.sig_structure(draft),
            entry.signature(),
        )
    };
    let place = |error: E| match error.kind() {
        ErrorKind::SignatureInvalid => error.at(entry.index.signature.start()).in_entry(number),
        _ => error.in_entry(number),
    };
    let Some(draft_first) = draft_first else {
        return verify(false).map(|()| false).map_err(place);
    };
    match verify(draft_first) {
        Ok(()) => Ok(draft_first),
        Err(_) => verify(!draft_first).map(|()| !draft_first).map_err(place),
    }
}

impl Voucher<'_> {
    /// The key that signs entry `signer`; it is in the preceding entry.
    pub(crate) fn decode_key(&self, signer: usize) -> Result<PublicKey, Error> {
        let key = self.signer_key(signer).public_key();
        key.map_err(|error| error.in_entry(signer.checked_sub(1)))
    }

    /// The error of an entry whose signature fails: its place, without a reason.
    pub(crate) fn signature_error(&self, number: usize) -> Error {
        let at = self
            .entry(number)
            .map_or(0, |entry| entry.index.signature.start());
        Error::new(ErrorKind::SignatureInvalid)
            .at(at)
            .in_entry(Some(number))
    }
}

/// Step 6 for a voucher whose signatures are valid.
pub(crate) fn check_facts(
    voucher: &Voucher<'_>,
    owner: &PublicKey,
    policy: &Policy<'_>,
) -> Result<Proved, Error> {
    facts::check(voucher, Some(owner), policy, &mut First)
}
