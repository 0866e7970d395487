//! Hand-overs of many vouchers where each has its own next owner, or its own signer.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::handover::{HandOver, Receipt, receipt};
use crate::batch::{BatchVerifier, map};
use crate::error::Error;
use crate::extend::{ExtendOptions, NextOwner};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::sign::OwnerSigner;
use crate::verify::VerifiedVoucher;

/// Who signs one voucher over, to whom, and how.
pub struct Deal<'d> {
    signer: Box<dyn OwnerSigner + Sync + 'd>,
    next: NextOwner,
    options: ExtendOptions,
}

impl<'d> Deal<'d> {
    /// This signer, which may be a reference, hands over to `next`.
    #[must_use]
    pub fn new(
        signer: impl OwnerSigner + Sync + 'd,
        next: NextOwner,
        options: ExtendOptions,
    ) -> Self {
        Self {
            signer: Box::new(signer),
            next,
            options,
        }
    }
}

/// Hands over a shipment in which each voucher has its own next owner or its own signer, as with
/// [one-time keys](crate::onetime). `deal` is asked for every voucher that the policy accepts, with
/// its position; in no order, and with the feature `parallel` from several threads. What it refuses
/// is not handed over.
///
/// There is one result for each voucher, in order. A voucher that fails leaves the others alone. All
/// is verified before and after, as by [`HandOver::all`], and by batches.
///
/// ```
/// # use ownership_voucher::{*, onetime::*};
/// # fn main() -> Result<(), Error> {
/// # let seller = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let made = |guid| NewVoucher::new(Guid([guid; 16]), "Model 7", seller.public_key().into())
/// #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
/// #     .with_epid().header()?.with_hmac(&HmacSecret::new(vec![7; 32]));
/// # let shipment = [made(1)?.as_bytes().to_vec(), made(2)?.as_bytes().to_vec()];
/// # let master = MasterSecret::new(&[9; 32]);
/// # let (published, fresh_random_bytes) = (master.scan_key(0)?.address().to_string(), [5; 32]);
/// # let secret = HmacSecret::new(vec![7; 32]);
/// // These vouchers come from the factory and have no entries: the device confirms the header.
/// let policy = Policy::hmac(&secret);
/// let address: Address = published.parse()?;
/// let sold = hand_over_each(&policy, &shipment, |_, voucher| {
///     let buyer = address.owner_of(voucher, &fresh_random_bytes)?;
///     let options = buyer.options(&ExtendOptions::new());
///     Ok(Deal::new(&seller, buyer.next_owner(), options))
/// });
/// # for result in sold { assert!(master.scan_key(0)?.recognise(&result?.0).is_some()); }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For each voucher those of [`HandOver::one`], and those of `deal`.
pub fn hand_over_each<'d, T, F>(
    policy: &Policy<'_>,
    vouchers: &[T],
    deal: F,
) -> Vec<Result<(VerifiedVoucher<'static>, Receipt), Error>>
where
    T: AsRef<[u8]> + Sync,
    F: Fn(usize, &VerifiedVoucher<'_>) -> Result<Deal<'d>, Error> + Sync,
{
    let verified = BatchVerifier::new(policy).verify(vouchers);
    let verified: Vec<_> = verified.into_iter().enumerate().collect();
    let signed = map(&verified, |(number, voucher)| {
        let voucher = voucher.as_ref().map_err(Clone::clone)?;
        Signed::new(policy, voucher, &deal(*number, voucher)?)
    });
    let bytes: Vec<&[u8]> = signed
        .iter()
        .map(|signed| signed.as_ref().map_or(&[][..], |signed| &signed.bytes))
        .collect();
    let policy = policy_after(policy, &signed);
    let again = BatchVerifier::new(&policy).verify(&bytes);
    let results = verified.iter().zip(&signed).zip(again);
    results
        .map(|(((_, voucher), signed), extended)| {
            let voucher = voucher.as_ref().map_err(Clone::clone)?;
            let signed = signed.as_ref().map_err(Clone::clone)?;
            let extended = extended?.owned_by(&signed.to)?.into_owned();
            let receipt = receipt(voucher, &extended, signed.to.clone());
            Ok((extended, receipt))
        })
        .collect()
}

/// A voucher after its deal, not yet verified again.
struct Signed {
    bytes: Vec<u8>,
    to: PublicKey,
    max_entry: usize,
}

impl Signed {
    fn new(
        policy: &Policy<'_>,
        voucher: &VerifiedVoucher<'_>,
        deal: &Deal<'_>,
    ) -> Result<Self, Error> {
        let to = deal.next.public_key()?;
        let hand_over = HandOver::new(policy, &*deal.signer, &deal.next, &deal.options);
        Ok(Self {
            bytes: hand_over.sign(voucher)?.as_bytes().to_vec(),
            to,
            max_entry: deal.options.max_entry,
        })
    }
}

/// Room for one entry more, and any owner: each is compared with its own.
fn policy_after<'p>(policy: &Policy<'p>, signed: &[Result<Signed, Error>]) -> Policy<'p> {
    let entries = signed.iter().flatten().map(|signed| signed.max_entry);
    let mut policy = policy.clone();
    policy.owner = None;
    policy.limits.input = policy
        .limits
        .input
        .saturating_add(entries.max().unwrap_or_default());
    policy.limits.entries = policy.limits.entries.saturating_add(1);
    policy
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ErrorKind, Guid, HmacSecret, KeyType, LocalKey, NewVoucher};

    /// What an extension writes is the owner that it was given; this is for the day it does not.
    #[test]
    fn the_new_owner_is_compared_with_the_deal() {
        let [maker, other] = [1, 2].map(|byte| {
            let key = LocalKey::from_secret(KeyType::Secp256r1, &[byte; 32]).unwrap();
            key.public_key()
        });
        let made = NewVoucher::new(Guid([9; 16]), "Model 7", maker.clone().into())
            .with_rendezvous(
                crate::RvDirective::new()
                    .dns("rv.example.com")
                    .device_port(443)
                    .protocol(crate::RvProtocol::Https),
            )
            .with_epid()
            .header()
            .and_then(|header| header.with_hmac(&HmacSecret::new(alloc::vec![7; 32])))
            .unwrap();
        let verified = || Policy::any_origin().verify(made.as_bytes()).unwrap();
        assert!(!verified().proved().owner);
        assert!(verified().owned_by(&maker).unwrap().proved().owner);
        let error = verified().owned_by(&other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Owner);
    }
}
