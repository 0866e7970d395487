//! `ov extend -o FILE --receipt FILE`, continued: each file appears as a whole, the vouchers first.
//! A run that was killed in between has left vouchers without receipts. The same command then
//! writes the receipts and signs nothing.

use std::path::Path;

use ownership_voucher::transfer::Receipt;
use ownership_voucher::{Error, Extension, Policy, Proved, VerifiedVoucher};

use crate::cli::ExtendArgs;
use crate::input::{Batches, Inputs, Item};
use crate::interrupt::Interrupt;
use crate::journal::SalesFile;
use crate::lines::print_failure;
use crate::material::Material;
use crate::output::print_message;
use crate::place::{Place, exists};
use crate::plan::{Decision, Plan};
use crate::receipts::Receipts;
use crate::report::{Problem, count};
use crate::resume::continued;
use crate::{Failure, Outcome};

/// The file of vouchers, if it exists and that of its receipts does not.
pub(crate) fn without_receipts(args: &ExtendArgs) -> Option<(&Path, &Path)> {
    let (output, receipt) = (args.output.output.as_deref()?, args.receipt.as_deref()?);
    // Without `force` only a name where nothing exists is the place of a file.
    let missing = matches!(Place::of(receipt, false), Ok(Place::File(_)));
    let there = matches!(Place::of(output, true), Ok(Place::File(_))) && output.is_file();
    (missing && there && !args.output.force).then_some((output, receipt))
}

/// A command whose vouchers may be there already.
pub(crate) struct Recovery<'r> {
    pub(crate) output: &'r Path,
    pub(crate) receipt: &'r Path,
    pub(crate) inputs: &'r Inputs,
    pub(crate) material: &'r Material,
    pub(crate) plan: &'r Plan,
    pub(crate) journal: Option<&'r SalesFile>,
    pub(crate) interrupt: &'r Interrupt,
}

#[derive(Default)]
struct Tally {
    done: usize,
    failed: usize,
    unanchored: usize,
}

impl Recovery<'_> {
    /// Writes the receipts, if the file of vouchers holds the sales of this command and nothing
    /// else, in the order of the input. If not, the file is in the way. `prepare` makes the entry
    /// by which the voucher with this number would be sold.
    pub(crate) fn run<P>(&self, prepare: P) -> Result<Outcome, Failure>
    where
        P: for<'v> Fn(usize, &'v VerifiedVoucher<'v>) -> Result<Option<Extension<'v>>, Error>,
    {
        let policy = self.material.policy();
        let mut receipts = Receipts::whole(self.receipt)?;
        let mut sold = Sold::new(self.output);
        let mut next = sold.next()?;
        let (mut tally, mut messages, mut number) = (Tally::default(), Vec::new(), 0_usize);
        let mut batches = self.inputs.batches(true);
        while let Some(items) = batches.next() {
            for item in items {
                if let Some(code) = self.interrupt.code() {
                    print_message("stopped by a signal; the same command starts again");
                    return Ok(Outcome::Stopped(code));
                }
                match self.one(&item, number, &policy, &prepare, next.as_deref()) {
                    Ok((receipt, before)) => {
                        receipts.push(&receipt, item.place());
                        let unanchored = usize::from(!self.material.settles(&before));
                        tally.unanchored = tally.unanchored.saturating_add(unanchored);
                        tally.done = tally.done.saturating_add(1);
                        next = sold.next()?;
                    }
                    Err(Not::Duplicate(first)) => {
                        let name = item.name();
                        messages.push(format!("{name}: duplicate of {first}, handed over once"));
                    }
                    Err(Not::Sold(why)) => {
                        messages.push(format!("{}: not extended: {why}", item.name()));
                        tally.failed = tally.failed.saturating_add(1);
                    }
                }
                number = number.saturating_add(1);
            }
            receipts.release(usize::MAX)?;
        }
        if next.is_some() || tally.done == 0 {
            return Err(exists(self.output));
        }
        receipts.finish()?;
        for message in &messages {
            print_failure(message);
        }
        self.material.note_unanchored(tally.unanchored);
        print_message(&format!(
            "an earlier run completed {} and was stopped before it wrote receipts; {} written now, \
             and nothing was signed{}",
            self.output.display(),
            count(tally.done, "receipt was", "receipts were"),
            batches.left_out()
        ));
        Ok(match (batches.failures(), tally.failed) {
            (0, 0) => Outcome::Good,
            (0, _) => Outcome::Rejected,
            _ => Outcome::Trouble,
        })
    }

    /// The receipt for one voucher of the input, and the facts that were proved before its sale, if
    /// `sold` is that sale.
    fn one<P>(
        &self,
        item: &Item,
        number: usize,
        policy: &Policy<'_>,
        prepare: &P,
        sold: Option<&[u8]>,
    ) -> Result<(Receipt, Proved), Not>
    where
        P: for<'v> Fn(usize, &'v VerifiedVoucher<'v>) -> Result<Option<Extension<'v>>, Error>,
    {
        let bytes = item.bytes.as_deref();
        let bytes = bytes.map_err(|problem| Not::Sold(problem.message.clone()))?;
        match self.plan.get(number) {
            Some(Decision::Duplicate(first)) => return Err(Not::Duplicate(first.clone())),
            Some(Decision::Refused(why)) => return Err(Not::Sold(why.clone())),
            None => {}
        }
        let voucher = policy.verify(bytes)?;
        let other = || {
            Not::Sold(format!(
                "its sale is not in {}, which exists; --force replaces that file",
                self.output.display()
            ))
        };
        let extension = prepare(number, &voucher)?.ok_or_else(other)?;
        let there = sold.and_then(|sold| continued(sold, policy));
        let receipt = there.and_then(|there| Receipt::between(&voucher, &there));
        let receipt = receipt.filter(|receipt| receipt.to == *extension.next());
        let receipt = receipt.ok_or_else(other)?;
        if let Some(journal) = self.journal {
            journal.name(vec![item.name()]);
            extension.record(journal)?;
        }
        Ok((receipt, *voucher.proved()))
    }
}

/// Why a voucher gets no receipt.
enum Not {
    Duplicate(String),
    Sold(String),
}

impl From<Error> for Not {
    fn from(error: Error) -> Self {
        Self::Sold(Problem::from(&error).message)
    }
}

/// The vouchers of the output file, one after the other.
struct Sold<'p> {
    path: &'p Path,
    batches: Batches,
    items: std::vec::IntoIter<Item>,
}

impl<'p> Sold<'p> {
    fn new(path: &'p Path) -> Self {
        Self {
            path,
            batches: Batches::again(&[path.to_path_buf()]),
            items: Vec::new().into_iter(),
        }
    }

    /// An error if the file holds anything but vouchers.
    fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        loop {
            if let Some(item) = self.items.next() {
                return item.bytes.map(Some).map_err(|_| exists(self.path));
            }
            let Some(items) = self.batches.next() else {
                return Ok(None);
            };
            self.items = items.into_iter();
        }
    }
}
