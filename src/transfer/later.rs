//! Hand-overs whose signatures come later: from key services that are asked several at a time.

use alloc::vec::Vec;
use core::fmt;
use core::future::Future;

use futures_util::StreamExt as _;
use futures_util::stream;

use super::each::{
    HandOverRequest, HandOverResult, Prepared, Shipment, Turned, give_back, requests,
};
use super::journal::{Journal, Recording, Sale};
use crate::batch::BatchVerifier;
use crate::error::Error;
use crate::extend::{ExtendOptions, KeyOrChain};
use crate::key::PublicKey;
use crate::policy::Policy;
use crate::sign::Algorithm;
use crate::verify::VerifiedVoucher;

/// The hand-over of a shipment by a key service that answers later.
///
/// It does what [`HandOver::all`](crate::HandOver::all) does. Instead of a signer there is a function
/// that asks the service for one signature and returns a future; at most `concurrency` of them are pending.
/// Dropping the future of the whole leaves every voucher as it was, but what the journal recorded
/// remains. It needs no particular executor.
///
/// ```
/// use ownership_voucher::*;
/// use ownership_voucher::transfer::AsyncHandOver;
/// # async fn ask(_: &str, _: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![]) }
///
/// async fn sell(policy: &Policy<'_>, shipment: &[Vec<u8>], mine: &PublicKey, buyer: PublicKey) {
///     let (next, options) = (KeyOrChain::Key(buyer), ExtendOptions::new());
///     let hand_over = AsyncHandOver::new(policy, Some(mine), &next, &options).with_concurrency(16);
///     let sign = |algorithm: sign::Algorithm, message: Vec<u8>| async move {
///         ask(algorithm.name(), &message).await
///     };
///     for result in hand_over.all(shipment, sign).await {
///         match result {
///             Ok((sold, _receipt)) => println!("{}", sold.guid()),
///             Err(rejected) => println!("{:?}: {rejected}", rejected.guid()),
///         }
///     }
/// }
/// ```
#[derive(Clone, Copy)]
pub struct AsyncHandOver<'h> {
    policy: &'h Policy<'h>,
    public_key: Option<&'h PublicKey>,
    next: &'h KeyOrChain,
    options: &'h ExtendOptions,
    journal: Option<&'h dyn Journal>,
    concurrency: usize,
}

impl<'h> AsyncHandOver<'h> {
    /// A hand-over to `next` of vouchers that this policy accepts. If the public key of the service is
    /// given, vouchers of other owners are refused before anything is signed.
    #[must_use]
    pub const fn new(
        policy: &'h Policy<'h>,
        public_key: Option<&'h PublicKey>,
        next: &'h KeyOrChain,
        options: &'h ExtendOptions,
    ) -> Self {
        Self {
            policy,
            public_key,
            next,
            options,
            journal: None,
            concurrency: 8,
        }
    }

    /// Records each sale in this journal before it is signed, as
    /// [`HandOver::with_journal`](crate::HandOver::with_journal) does.
    #[must_use]
    pub const fn with_journal(mut self, journal: &'h dyn Journal) -> Self {
        self.journal = Some(journal);
        self
    }

    /// Sets how many signatures are asked for at the same time. Default 8; zero counts as one.
    #[must_use]
    pub const fn with_concurrency(mut self, concurrency: usize) -> Self {
        self.concurrency = if concurrency == 0 { 1 } else { concurrency };
        self
    }

    /// Hands the shipment over: one result for each voucher, in order. A voucher whose signature fails
    /// does not affect the others; its [`Rejected`](crate::Rejected) has the service's error as the
    /// source.
    pub async fn all<'v, T, F, S, E>(&self, vouchers: &'v [T], sign: F) -> Vec<HandOverResult<'v>>
    where
        T: AsRef<[u8]> + Sync,
        F: Fn(Algorithm, Vec<u8>) -> S,
        S: Future<Output = Result<Vec<u8>, E>>,
        E: Into<alloc::boxed::Box<dyn core::error::Error + Send + Sync>>,
    {
        let verified = BatchVerifier::new(self.policy).verify(vouchers);
        let results = {
            let request = |_: usize, _: &VerifiedVoucher<'_>| {
                Ok(HandOverRequest::new(
                    Later(self.public_key.cloned()),
                    self.next.clone(),
                    self.options.clone(),
                ))
            };
            let requests = requests(&verified, request);
            let record = self
                .journal
                .map(|journal| move |sales: &[Sale]| journal.record(sales));
            let record = record.as_ref().map(|record| record as &Recording<'_>);
            let shipment = Shipment::new(&requests, self.policy, record);
            let sign = &sign;
            let signed: Vec<Result<Vec<u8>, Error>> = stream::iter(&shipment.all)
                .map(|turned: &Turned<'_, '_>| async move {
                    match turned.due() {
                        Some(prepared) => signed(prepared, sign).await,
                        None => Ok(Vec::new()),
                    }
                })
                .buffered(self.concurrency)
                .collect()
                .await;
            shipment.finish(&signed, self.policy)
        };
        give_back(verified, results)
    }
}

impl fmt::Debug for AsyncHandOver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncHandOver")
            .field("policy", self.policy)
            .field("public_key", &self.public_key)
            .field("next", self.next)
            .field("journal", &self.journal.is_some())
            .field("concurrency", &self.concurrency)
            .finish_non_exhaustive()
    }
}

async fn signed<F, S, E>(prepared: &Prepared<'_, '_>, sign: &F) -> Result<Vec<u8>, Error>
where
    F: Fn(Algorithm, Vec<u8>) -> S,
    S: Future<Output = Result<Vec<u8>, E>>,
    E: Into<alloc::boxed::Box<dyn core::error::Error + Send + Sync>>,
{
    let extension = &prepared.extension;
    let message = extension.to_be_signed().to_vec();
    let signature = sign(extension.algorithm(), message).await;
    let extended = extension.finish(&signature.map_err(Error::signer)?)?;
    Ok(extended.as_bytes().to_vec())
}

/// Stands for the key service where only its public key is asked for.
struct Later(Option<PublicKey>);

impl crate::sign::OwnerSigner for Later {
    fn public_key(&self) -> Option<PublicKey> {
        self.0.clone()
    }

    fn sign(&self, _: Algorithm, _: &[u8]) -> Result<Vec<u8>, Error> {
        Err(Error::signer("the key service answers later"))
    }
}
