//! The record of earlier sales: a journal that prevents selling one device twice.
//!
//! FDO 1.1 lets a dishonest or careless owner extend one voucher to two buyers ("double
//! extension"). Neither voucher shows it. Only the seller can keep a record.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::fork::state;
use crate::digest::HashAlgorithm;
use crate::error::{Error, ErrorKind};
use crate::extend::Extension;
use crate::key::PublicKey;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;

/// One hand-over as a [`Journal`] records it. It is determined before anything is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sale {
    /// The position of the voucher in the call; 0 if the call is about one voucher.
    pub number: usize,
    /// The device.
    pub guid: Guid,
    /// The state of ownership that ends: SHA-256 of the payload of the last entry, or of OVHeader
    /// and HMAC if there is no entry. Two copies are the same state if they differ only in
    /// unauthenticated parts (tag, unprotected header, the encoding of a signature).
    pub state: [u8; 32],
    /// The successor of the state: SHA-256 of the message to be signed. Signatures may be
    /// randomised, but this value is not, so that a sale can be repeated after a crash.
    pub continuation: [u8; 32],
    /// The next owner.
    pub to: PublicKey,
}

/// The answer of a [`Journal`] about a [`Sale`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// The state was not sold before. The sale is now recorded.
    New,
    /// The journal already holds this same sale. It may be signed again.
    Again,
    /// The state was already sold differently: to another owner, or to the same owner by another
    /// entry. The text says when, and where the journal has the record.
    Other(String),
}

/// The sales of an owner, recorded across calls, so that no state of ownership is handed over
/// twice.
///
/// A hand-over with a journal records every sale before it is signed, because from then on a
/// signature may exist. A recorded sale therefore remains, even if the signer fails. The same sale
/// can be repeated; any other sale of that state is refused with [`ErrorKind::DoubleSale`].
///
/// The library does no file I/O: the caller implements the journal. `ov extend --journal` keeps one
/// in a file. Several processes that sell for one owner need one common journal, and an
/// implementation that admits only one of them at a time to look up and record.
///
/// ```
/// use ownership_voucher::*;
/// use ownership_voucher::transfer::{Journal, Recorded, Sale};
/// use ownership_voucher::create::{RvDirective, RvProtocol};
/// use std::{collections::BTreeMap, sync::Mutex};
///
/// #[derive(Default)]
/// struct Memory(Mutex<BTreeMap<[u8; 32], [u8; 32]>>);
///
/// impl Journal for Memory {
///     fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
///         let mut known = self.0.lock().map_err(|error| Error::journal(error.to_string()))?;
///         let answers = sales.iter().map(|sale| match known.get(&sale.state) {
///             Some(earlier) if *earlier == sale.continuation => Recorded::Again,
///             Some(_) => Recorded::Other("sold earlier today".into()),
///             None => {
///                 known.insert(sale.state, sale.continuation);
///                 Recorded::New
///             }
///         });
///         Ok(answers.collect())
///     }
/// }
///
/// # fn main() -> Result<(), Error> {
/// # let [seller, buyer, other] = [1, 2, 3].map(|n| LocalKey::from_secret(KeyType::Secp256r1, &[n; 32]).unwrap());
/// # let voucher = NewVoucher::new(Guid([1; 16]), "Model 7", seller.public_key().into())
/// #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
/// # let voucher = voucher.as_bytes();
/// let (policy, options, journal) = (Policy::any_origin(), ExtendOptions::new(), Memory::default());
/// let sell = |key: &LocalKey| {
///     let next = key.public_key().into();
///     HandOver::new(&policy, &seller, &next, &options).with_journal(&journal).one(voucher)
/// };
/// assert!(sell(&buyer).is_ok());
/// assert!(sell(&buyer).is_ok(), "the same sale again");
/// assert_eq!(sell(&other).unwrap_err().kind(), ErrorKind::DoubleSale);
/// # Ok(())
/// # }
/// ```
pub trait Journal: Sync {
    /// Looks these sales up and records the new ones, in one atomic and durable step: once this
    /// returns, a crash must not lose them. There is one answer for each sale, in order. All the
    /// states are different.
    ///
    /// It is called once for each group of vouchers, from one thread, before any of them is signed.
    ///
    /// # Errors
    /// [`Error::journal`] if the journal cannot be read or written. Nothing is then signed.
    fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error>;
}

impl VerifiedVoucher<'_> {
    /// The state of ownership, as in [`Sale::state`]: equal for two copies of a voucher that differ
    /// only in unauthenticated parts.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// # use ownership_voucher::transfer::Sale;
    /// fn already_there(voucher: &VerifiedVoucher<'_>, sold: &[Sale]) -> bool {
    ///     sold.iter().any(|sale| sale.state == voucher.state())
    /// }
    /// ```
    #[must_use]
    pub fn state(&self) -> [u8; 32] {
        state(self)
    }
}

impl Extension<'_> {
    /// This hand-over as a [`Journal`] records it.
    #[must_use]
    pub fn sale(&self) -> Sale {
        let hash = |bytes: &[u8]| {
            let mut array = [0; 32];
            let digest = HashAlgorithm::Sha256.digest(&[bytes]);
            let bytes = array.iter_mut().zip(digest.as_bytes());
            bytes.for_each(|(to, from)| *to = *from);
            array
        };
        Sale {
            number: 0,
            guid: self.voucher().guid(),
            state: state(self.voucher()),
            continuation: hash(&self.to_be_signed()),
            to: self.next().clone(),
        }
    }

    /// Records this hand-over in a journal, for signing in two steps. Returns whether the journal
    /// already held this same sale.
    ///
    /// Call it before [`to_be_signed`](Self::to_be_signed) is given out, because from then on a
    /// signature may exist. A recorded sale remains, so call [`check`](Self::check) on the
    /// extension first.
    ///
    /// # Errors
    /// [`ErrorKind::DoubleSale`] if the journal has another sale of this state; the journal's text
    /// about it is the `source`. [`ErrorKind::JournalFailed`], and any other error of the journal.
    pub fn record(&self, journal: &(impl Journal + ?Sized)) -> Result<bool, Error> {
        let recorded = record(&|sales| journal.record(sales), &[self.sale()])?;
        match recorded.into_iter().next() {
            Some(answer) => answer,
            None => Ok(false),
        }
    }
}

/// [`Journal::record`], on the calling thread.
pub(super) type Recording<'j> = dyn Fn(&[Sale]) -> Result<Vec<Recorded>, Error> + 'j;

/// Records sales; returns for each whether it was already known, or the error of another sale.
pub(super) fn record(
    journal: &Recording<'_>,
    sales: &[Sale],
) -> Result<Vec<Result<bool, Error>>, Error> {
    if sales.is_empty() {
        return Ok(Vec::new());
    }
    let answers = journal(sales)?;
    if answers.len() != sales.len() {
        let (found, expected) = (answers.len(), sales.len());
        return Err(Error::journal(format!(
            "{found} answers for {expected} sales"
        )));
    }
    let answers = answers.into_iter().map(|answer| match answer {
        Recorded::New => Ok(false),
        Recorded::Again => Ok(true),
        Recorded::Other(text) => Err(Error::with_source(ErrorKind::DoubleSale, Earlier(text))),
    });
    Ok(answers.collect())
}

/// The journal's text about an earlier sale.
#[derive(Debug)]
struct Earlier(String);

impl fmt::Display for Earlier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl core::error::Error for Earlier {}
