//! Hand-overs of a stream of vouchers, in bounded memory.

use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use core::cell::RefCell;
use core::ops::ControlFlow;

use super::each::{HandOverRequest, HandOverResult, hand_over};
use super::handover::HandOver;
use super::journal::{Journal, Recorded, Sale};
use crate::batch::Progress;
use crate::error::Error;
use crate::policy::Policy;
use crate::verify::VerifiedVoucher;
use crate::voucher::Guid;

/// The number of vouchers that are handed over together.
const TOGETHER: usize = 1024;

impl HandOver<'_> {
    /// Hands over a stream of vouchers, batch by batch. Returns the final progress.
    ///
    /// `result` is called for each voucher, in order, with its position and its result, and `progress`
    /// after each batch of 1024 vouchers. A callback that breaks ends the work: nothing after that
    /// batch is signed. One batch is in memory, and some hundred bytes for each voucher before it, so
    /// that no device is handed over twice in one call: a later voucher that contradicts an earlier one
    /// is refused with [`ErrorKind::DoubleSale`](crate::ErrorKind::DoubleSale), and the same sale in
    /// another batch is signed again.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// use core::ops::ControlFlow;
    /// # fn hand_over(hand_over: &HandOver<'_>, files: Vec<Vec<u8>>) {
    /// let progress = hand_over.stream(
    ///     files,
    ///     |number, _, result| {
    ///         if let Err(rejected) = result {
    ///             println!("voucher {number}, {:?}: {rejected}", rejected.guid());
    ///         }
    ///         ControlFlow::Continue(())
    ///     },
    ///     |progress| {
    ///         println!("{} done", progress.done);
    ///         ControlFlow::Continue(())
    ///     },
    /// );
    /// println!("{} of {} were rejected", progress.rejected, progress.done);
    /// # }
    /// ```
    pub fn stream<I, T, R, P>(&self, vouchers: I, result: R, progress: P) -> Progress
    where
        I: IntoIterator<Item = T>,
        T: AsRef<[u8]> + Sync,
        R: FnMut(u64, &T, HandOverResult<'_>) -> ControlFlow<()>,
        P: FnMut(Progress) -> ControlFlow<()>,
    {
        let request = |_: u64, _: &VerifiedVoucher<'_>| Ok(self.request());
        let (policy, journal) = (self.policy(), self.journal());
        hand_over_stream(policy, vouchers, journal, request, result, progress)
    }
}

/// The same as [`HandOver::stream`] for vouchers of which each has its own next owner or its own
/// signer: `request` is called as by [`hand_over_each`](super::hand_over_each), with the position in the
/// stream.
pub fn hand_over_stream<'d, I, T, F, R, P>(
    policy: &Policy<'_>,
    vouchers: I,
    journal: Option<&dyn Journal>,
    request: F,
    mut result: R,
    mut progress: P,
) -> Progress
where
    I: IntoIterator<Item = T>,
    T: AsRef<[u8]> + Sync,
    F: Fn(u64, &VerifiedVoucher<'_>) -> Result<HandOverRequest<'d>, Error> + Sync,
    R: FnMut(u64, &T, HandOverResult<'_>) -> ControlFlow<()>,
    P: FnMut(Progress) -> ControlFlow<()>,
{
    let seen = Seen {
        sold: RefCell::default(),
        journal,
    };
    let mut sum = Progress::default();
    let mut vouchers = vouchers.into_iter();
    loop {
        let batch: Vec<T> = vouchers.by_ref().take(TOGETHER).collect();
        if batch.is_empty() {
            return sum;
        }
        let before = sum.done;
        let of_batch = |number: usize, voucher: &VerifiedVoucher<'_>| {
            request(before.saturating_add(number as u64), voucher)
        };
        let results = hand_over(policy, &batch, Some(&|sales| seen.record(sales)), of_batch);
        for (voucher, outcome) in batch.iter().zip(results) {
            let number = sum.done;
            sum.done = sum.done.saturating_add(1);
            sum.rejected = sum.rejected.saturating_add(u64::from(outcome.is_err()));
            if result(number, voucher, outcome).is_break() {
                return sum;
            }
        }
        if progress(sum).is_break() {
            return sum;
        }
    }
}

/// For each device the state that was sold, and its continuation.
type Sold = BTreeMap<Guid, ([u8; 32], [u8; 32])>;

/// The sales of earlier batches, before the caller's journal.
struct Seen<'j> {
    sold: RefCell<Sold>,
    journal: Option<&'j dyn Journal>,
}

impl Seen<'_> {
    fn record(&self, sales: &[Sale]) -> Result<Vec<Recorded>, Error> {
        let busy = |_| Error::journal("the journal sells by itself");
        let mut sold = self.sold.try_borrow_mut().map_err(busy)?;
        let contradicts = |sale: &Sale| {
            let earlier = sold.get(&sale.guid);
            earlier.is_some_and(|earlier| *earlier != (sale.state, sale.continuation))
        };
        let refused: Vec<bool> = sales.iter().map(contradicts).collect();
        let pairs = || sales.iter().zip(&refused);
        let new: Vec<Sale> = pairs()
            .filter(|(_, refused)| !**refused)
            .map(|(sale, _)| sale.clone())
            .collect();
        let answers = match self.journal {
            Some(journal) if !new.is_empty() => journal.record(&new)?,
            _ => new.iter().map(|_| Recorded::New).collect(),
        };
        if answers.len() != new.len() {
            return Err(Error::journal("another number of answers than of sales"));
        }
        sold.extend(
            new.iter()
                .map(|sale| (sale.guid, (sale.state, sale.continuation))),
        );
        let mut answers = answers.into_iter();
        let answer = |refused: &bool| match refused {
            true => Some(Recorded::Other("earlier in this call".into())),
            false => answers.next(),
        };
        Ok(refused.iter().map_while(answer).collect())
    }
}
