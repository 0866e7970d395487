//! Hand-overs of many vouchers, each with its own next owner or its own signer.

use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;

use super::journal::{Journal, Recording, Sale, record};
use super::once::{Party, Turn, once};
use super::receipt::{Receipt, is_signers, receipt};
use core::fmt;

use crate::batch::BatchVerifier;
use crate::error::Error;
use crate::extend::{ExtendOptions, Extension, KeyOrChain, check_owner_chain};
use crate::key::KeySet;
use crate::parallel::{map, map_each};
use crate::policy::Policy;
use crate::sign::OwnerSigner;
use crate::verify::{Rejected, VerifiedVoucher};

/// The hand-over of one voucher: its signer, its next owner and the options.
pub struct HandOverRequest<'d> {
    signer: Box<dyn OwnerSigner + Send + Sync + 'd>,
    next: KeyOrChain,
    options: ExtendOptions,
}

impl<'d> HandOverRequest<'d> {
    /// A hand-over to `next` by this signer, which may be a reference.
    #[must_use]
    pub fn new(
        signer: impl OwnerSigner + Send + Sync + 'd,
        next: KeyOrChain,
        options: ExtendOptions,
    ) -> Self {
        Self {
            signer: Box::new(signer),
            next,
            options,
        }
    }
}

impl fmt::Debug for HandOverRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandOverRequest")
            .field("signer", &self.signer.public_key())
            .field("next", &self.next)
            .finish_non_exhaustive()
    }
}

/// Hands over a shipment in which each voucher has its own next owner or its own signer, such as
/// one-time keys. There is one result for each voucher, in order. A voucher that fails does not
/// affect the others.
///
/// `request` is called for every voucher that the policy accepts, with its position. The order is
/// unspecified, and with the feature `parallel` the calls come from several threads. A voucher for
/// which it returns an error, such as [`Error::declined`], is not handed over. All vouchers are verified before and after, in
/// batches, as by [`HandOver::all`](crate::HandOver::all).
///
/// A duplicate voucher for the same owner is signed once: the second result repeats the first, and
/// [`Receipt::duplicate_of`] says so. If two vouchers of one device go to different owners, or are
/// different states of it, all of them are refused before any is signed. [`hand_over_each_with`]
/// also refuses what contradicts an earlier call.
///
/// ```
/// # use ownership_voucher::*;
/// # use ownership_voucher::transfer::{HandOverRequest, hand_over_each};
/// # use ownership_voucher::create::{RvDirective, RvProtocol};
/// # fn main() -> Result<(), Error> {
/// # let seller = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let made = |guid| NewVoucher::new(Guid([guid; 16]), "Model 7", seller.public_key().into())
/// #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]));
/// # let shipment = [made(1)?.as_bytes().to_vec(), made(2)?.as_bytes().to_vec()];
/// # let key = |n| LocalKey::from_secret(KeyType::Secp256r1, &[n; 32]).map(|key| key.public_key());
/// # let buyers = [key(8)?, key(9)?];
/// # let secret = HmacSecret::new(vec![7; 32]);
/// // These vouchers come from the factory and have no entries: the device confirms the header.
/// let policy = Policy::hmac(&secret);
/// let sold = hand_over_each(&policy, &shipment, |number, _voucher| {
///     let buyer = buyers[number].clone();
///     Ok(HandOverRequest::new(&seller, KeyOrChain::Key(buyer), ExtendOptions::new()))
/// });
/// # for (result, buyer) in sold.into_iter().zip(&buyers) { assert_eq!(result?.0.owner(), buyer); }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// For each voucher those of [`HandOver::one`](crate::HandOver::one), those of `request`, and
/// [`ErrorKind::DoubleSale`](crate::ErrorKind::DoubleSale).
pub fn hand_over_each<'v, 'd, T, F>(
    policy: &Policy<'_>,
    vouchers: &'v [T],
    request: F,
) -> Vec<HandOverResult<'v>>
where
    T: AsRef<[u8]> + Sync,
    F: Fn(usize, &VerifiedVoucher<'_>) -> Result<HandOverRequest<'d>, Error> + Sync,
{
    hand_over(policy, vouchers, None, request)
}

/// The same as [`hand_over_each`], with a [`Journal`]: the sales of the whole call are recorded
/// together, before any of them is signed.
///
/// # Errors
/// Those of [`hand_over_each`] and [`Extension::record`]. If the journal fails, nothing is signed,
/// and every voucher that was to be signed gets the journal's error.
pub fn hand_over_each_with<'v, 'd, T, F>(
    policy: &Policy<'_>,
    vouchers: &'v [T],
    journal: &dyn Journal,
    request: F,
) -> Vec<HandOverResult<'v>>
where
    T: AsRef<[u8]> + Sync,
    F: Fn(usize, &VerifiedVoucher<'_>) -> Result<HandOverRequest<'d>, Error> + Sync,
{
    hand_over(
        policy,
        vouchers,
        Some(&|sales| journal.record(sales)),
        request,
    )
}

/// The voucher of the next owner, with a receipt.
type Sold = (VerifiedVoucher<'static>, Receipt);

/// The result of a hand-over: the voucher of the next owner and a receipt, or the given voucher and why
/// it was not handed over.
pub type HandOverResult<'v> = Result<(VerifiedVoucher<'static>, Receipt), Rejected<'v>>;

pub(super) fn hand_over<'v, 'd, T, F>(
    policy: &Policy<'_>,
    vouchers: &'v [T],
    journal: Option<&Recording<'_>>,
    request: F,
) -> Vec<HandOverResult<'v>>
where
    T: AsRef<[u8]> + Sync,
    F: Fn(usize, &VerifiedVoucher<'_>) -> Result<HandOverRequest<'d>, Error> + Sync,
{
    let verified = BatchVerifier::new(policy).verify(vouchers);
    let requests = requests(&verified, request);
    let prepared = Shipment::new(&requests, policy, journal);
    let signed = map_each(&prepared.all, |prepared| prepared.sign());
    let results = prepared.finish(&signed, policy);
    give_back(verified, results)
}

/// Puts the vouchers that were not handed over beside the reasons.
pub(super) fn give_back<'v>(
    verified: Vec<Result<VerifiedVoucher<'v>, Rejected<'v>>>,
    results: Vec<Result<Sold, Error>>,
) -> Vec<HandOverResult<'v>> {
    let pairs = verified.into_iter().zip(results);
    pairs
        .map(|(verified, result)| {
            let verified = verified?;
            result.map_err(|error| Rejected::new(error, verified.into_voucher()))
        })
        .collect()
}

/// Asks the caller what to do with each voucher, and checks the answers.
pub(super) fn requests<'v, 'd, F>(
    verified: &'v [Result<VerifiedVoucher<'v>, Rejected<'v>>],
    request: F,
) -> Vec<Request<'v, 'd>>
where
    F: Fn(usize, &VerifiedVoucher<'_>) -> Result<HandOverRequest<'d>, Error> + Sync,
{
    let numbered: Vec<_> = verified.iter().enumerate().collect();
    let requests = map(&numbered, |(number, voucher)| {
        let voucher = voucher
            .as_ref()
            .map_err(|refused| refused.error().clone())?;
        Ok((*number, voucher, request(*number, voucher)?))
    });
    refuse_unfit(requests)
}

/// A shipment of which whatever can be refused without a signature is refused, and the rest recorded.
pub(super) struct Shipment<'v, 'd> {
    pub(super) all: Vec<Turned<'v, 'd>>,
    /// The vouchers that repeat an earlier one, and which.
    duplicates: BTreeMap<usize, usize>,
}

/// A voucher and whether it is signed: a duplicate is not.
pub(super) struct Turned<'v, 'd> {
    prepared: Result<Prepared<'v, 'd>, Error>,
    is_duplicate: bool,
}

impl<'v, 'd> Turned<'v, 'd> {
    /// The voucher, if it is to be signed.
    pub(super) fn due(&self) -> Option<&Prepared<'v, 'd>> {
        self.prepared.as_ref().ok().filter(|_| !self.is_duplicate)
    }

    fn sign(&self) -> Result<Vec<u8>, Error> {
        // What is not due is not looked at later.
        self.due().map_or(Ok(Vec::new()), Prepared::sign)
    }
}

impl<'v, 'd> Shipment<'v, 'd> {
    pub(super) fn new(
        requests: &'d [Request<'v, 'd>],
        policy: &Policy<'_>,
        journal: Option<&Recording<'_>>,
    ) -> Self {
        let mut prepared = map(requests, |request| match request {
            Ok((number, voucher, request)) => Prepared::new(*number, voucher, request, policy),
            Err(error) => Err(error.clone()),
        });
        let duplicates = refuse_contradictions(&mut prepared);
        if let Some(journal) = journal {
            record_all(journal, &mut prepared, &duplicates);
        }
        let turned = |(number, prepared)| Turned {
            prepared,
            is_duplicate: duplicates.contains_key(&number),
        };
        Self {
            all: prepared.into_iter().enumerate().map(turned).collect(),
            duplicates,
        }
    }

    /// Verifies what was signed. There is one result for each voucher.
    pub(super) fn finish(
        &self,
        signed: &[Result<Vec<u8>, Error>],
        policy: &Policy<'_>,
    ) -> Vec<Result<Sold, Error>> {
        let bytes: Vec<&[u8]> = signed
            .iter()
            .map(|signed| signed.as_deref().unwrap_or_default())
            .collect();
        let policy = policy_after(policy, &self.all);
        let again = BatchVerifier::new(&policy).verify(&bytes);
        let mut results: Vec<Result<Sold, Error>> = Vec::with_capacity(self.all.len());
        for (((number, turned), signed), extended) in
            self.all.iter().enumerate().zip(signed).zip(again)
        {
            let repeated = self.duplicates.get(&number).and_then(|first| {
                let result = results.get(*first)?;
                let mut result = result.clone();
                if let Ok((_, receipt)) = &mut result {
                    receipt.duplicate_of = Some(*first);
                }
                Some(result)
            });
            results.push(repeated.unwrap_or_else(|| {
                let prepared = turned.prepared.as_ref().map_err(Clone::clone)?;
                signed.as_ref().map_err(Clone::clone)?;
                let to = prepared.extension.next();
                let extended = extended?.owned_by(to)?.into_owned();
                let receipt = receipt(prepared.extension.voucher(), &extended, to.clone());
                Ok((extended, receipt))
            }));
        }
        results
    }
}

pub(super) type Request<'v, 'd> =
    Result<(usize, &'v VerifiedVoucher<'v>, HandOverRequest<'d>), Error>;

/// Refuses next owners whose certificates are no chain. Each chain is checked once, however many
/// vouchers go to its owner: that takes a signature for each certificate.
fn refuse_unfit<'v, 'd>(mut requests: Vec<Request<'v, 'd>>) -> Vec<Request<'v, 'd>> {
    let mut checked = BTreeMap::new();
    let mut unfit = Vec::new();
    for (place, request) in requests.iter().enumerate() {
        let Ok((_, _, request)) = request else {
            continue;
        };
        if let KeyOrChain::Chain(chain) = &request.next {
            let ca_owner = request.options.ca_owner;
            let fit = checked
                .entry((chain, ca_owner))
                .or_insert_with(|| check_owner_chain(chain, ca_owner));
            if let Err(error) = fit {
                unfit.push((place, error.clone()));
            }
        }
    }
    for (place, error) in unfit {
        if let Some(request) = requests.get_mut(place) {
            *request = Err(error);
        }
    }
    requests
}

/// A voucher whose entry has no signature yet.
pub(super) struct Prepared<'v, 'd> {
    signer: &'d (dyn OwnerSigner + Send + Sync),
    pub(super) extension: Extension<'v>,
    sale: Sale,
}

impl<'v, 'd> Prepared<'v, 'd> {
    fn new(
        number: usize,
        voucher: &'v VerifiedVoucher<'v>,
        request: &'d HandOverRequest<'_>,
        policy: &Policy<'_>,
    ) -> Result<Self, Error> {
        is_signers(&*request.signer, voucher)?;
        let extension = voucher.extend_to(&request.next, &request.options)?;
        extension.check(policy)?;
        let mut sale = extension.sale();
        sale.number = number;
        Ok(Self {
            signer: &*request.signer,
            extension,
            sale,
        })
    }

    fn sign(&self) -> Result<Vec<u8>, Error> {
        let signed = self.extension.sign(self.signer)?;
        Ok(signed.as_bytes().to_vec())
    }
}

/// Refuses vouchers that contradict each other; returns which ones repeat an earlier one, and
/// which.
fn refuse_contradictions(
    prepared: &mut [Result<Prepared<'_, '_>, Error>],
) -> BTreeMap<usize, usize> {
    let parties: Vec<Option<Party<'_>>> = prepared
        .iter()
        .map(|prepared| {
            let sale = &prepared.as_ref().ok()?.sale;
            Some((sale.guid, sale.state, &sale.to))
        })
        .collect();
    let turns = once(&parties);
    let mut duplicates = BTreeMap::new();
    for (number, (turn, prepared)) in turns.into_iter().zip(prepared).enumerate() {
        match turn {
            Turn::First => {}
            Turn::Duplicate(first) => drop(duplicates.insert(number, first)),
            Turn::Refused(error) => *prepared = Err(error),
        }
    }
    duplicates
}

/// Records what is to be signed, and refuses what contradicts the journal.
fn record_all(
    journal: &Recording<'_>,
    prepared: &mut [Result<Prepared<'_, '_>, Error>],
    duplicates: &BTreeMap<usize, usize>,
) {
    let sales: Vec<Sale> = prepared
        .iter()
        .filter_map(|prepared| prepared.as_ref().ok())
        .filter(|prepared| !duplicates.contains_key(&prepared.sale.number))
        .map(|prepared| prepared.sale.clone())
        .collect();
    let answers = match record(journal, &sales) {
        Ok(answers) => answers,
        Err(error) => sales.iter().map(|_| Err(error.clone())).collect(),
    };
    for (sale, answer) in sales.iter().zip(answers) {
        if let (Err(error), Some(slot)) = (answer, prepared.get_mut(sale.number)) {
            *slot = Err(error);
        }
    }
}

/// Capacity for one more entry, and any owner: each is compared with its own.
fn policy_after<'p>(policy: &Policy<'p>, all: &[Turned<'_, '_>]) -> Policy<'p> {
    let prepared = all
        .iter()
        .filter_map(|turned| turned.prepared.as_ref().ok());
    let entries = prepared.map(|prepared| prepared.extension.max_entry());
    let mut policy = policy.clone();
    policy.owners = KeySet::new();
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

    /// An extension always writes the owner that it was given; this check is a safeguard.
    #[test]
    fn the_new_owner_is_compared_with_the_request() {
        let [maker, other] = [1, 2].map(|byte| {
            let key = LocalKey::from_secret(KeyType::Secp256r1, &[byte; 32]).unwrap();
            key.public_key()
        });
        let made = NewVoucher::new(Guid([9; 16]), "Model 7", maker.clone().into())
            .with_rendezvous(
                crate::create::RvDirective::new()
                    .dns("rv.example.com")
                    .device_port(443)
                    .protocol(crate::create::RvProtocol::Https),
            )
            .with_epid()
            .header()
            .and_then(|header| header.authenticate(&HmacSecret::new(alloc::vec![7; 32])))
            .unwrap();
        let verified = || Policy::any_origin().verify(made.as_bytes()).unwrap();
        assert!(!verified().proved().owner);
        assert!(verified().owned_by(&maker).unwrap().proved().owner);
        let error = verified().owned_by(&other).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WrongOwner);
    }
}
