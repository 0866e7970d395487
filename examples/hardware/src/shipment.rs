//! A folder of vouchers, each handed over into another folder, or left as it was.
//!
//! What is in the other folder already is done: started again after whatever went wrong, a shipment
//! goes on where it stopped, and no voucher is signed over twice.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use ownership_voucher::{ExtendOptions, HandOver, KeyOrChain, Policy};

use crate::{Failure, Result, Signer, files};

/// From where, to whom, and where to.
pub struct Shipment<'s> {
    pub policy: &'s Policy<'s>,
    pub next: &'s KeyOrChain,
    pub options: &'s ExtendOptions,
    /// The folder of the vouchers that are handed over.
    pub into: &'s Path,
}

/// How it went.
#[derive(Debug, Default)]
pub struct Sum {
    /// Handed over now.
    pub done: usize,
    /// Handed over before.
    pub found: usize,
    /// Vouchers that are as they were, and why.
    pub failed: Vec<(PathBuf, Failure)>,
    /// What ended the work early; the vouchers that are in neither list are as they were.
    pub ended_by: Option<Failure>,
    /// Attempts that a service did not answer, and that were repeated.
    pub retries: usize,
}

impl Sum {
    /// Adds what happened to one voucher. Says whether to go on.
    pub fn add(&mut self, path: &Path, result: Result<Step>) -> bool {
        match result {
            Ok(Step::Done) => self.done += 1,
            Ok(Step::Found) => self.found += 1,
            Err(failure) if failure.is_final() => {
                self.ended_by.get_or_insert(failure);
                return false;
            }
            Err(failure) => self.failed.push((path.into(), failure)),
        }
        true
    }

    /// Fails where not every voucher is handed over.
    ///
    /// # Errors
    /// What ended the work, or the first voucher that failed.
    pub fn check(&self) -> Result<()> {
        if let Some(failure) = &self.ended_by {
            return Err(failure.clone());
        }
        match self.failed.first() {
            None => Ok(()),
            Some((path, failure)) => Err(Failure::Other(format!(
                "{} vouchers were left as they were; {}: {failure}",
                self.failed.len(),
                path.display()
            ))),
        }
    }
}

/// What happened to a voucher.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    Done,
    Found,
}

impl Shipment<'_> {
    /// Where a voucher goes to.
    #[must_use]
    pub fn place(&self, path: &Path) -> PathBuf {
        self.into.join(path.file_name().unwrap_or_default())
    }

    /// Whether a voucher has been handed over before.
    ///
    /// # Errors
    /// Where something else stands in its place.
    pub fn is_done(&self, path: &Path) -> Result<bool> {
        let place = self.place(path);
        if !place.exists() {
            return Ok(false);
        }
        let policy = self.policy.clone().with_owner(self.next.public_key()?);
        let (before, after) = (files::voucher(path)?, files::voucher(&place)?);
        let (before, after) = (self.policy.verify(&before)?, policy.verify(&after)?);
        match before.guid() == after.guid() && after.entries().len() == before.entries().len() + 1 {
            true => Ok(true),
            false => Err(Failure::Exists(place.display().to_string())),
        }
    }

    /// Hands one over.
    ///
    /// # Errors
    /// Whatever the voucher, the signer or the disk say. Nothing has changed then.
    pub fn one(&self, path: &Path, signer: &Signer) -> Result<Step> {
        if self.is_done(path)? {
            return Ok(Step::Found);
        }
        let hand_over = HandOver::new(self.policy, &**signer, self.next, self.options);
        let (voucher, _receipt) = hand_over.one(&files::voucher(path)?)?;
        files::write_new(&self.place(path), voucher.as_bytes())?;
        Ok(Step::Done)
    }

    /// Hands all of them over, one thread for each signer. `tick` is called after each voucher.
    pub fn all(&self, paths: &[PathBuf], signers: &[Signer], tick: impl Fn() + Sync) -> Sum {
        let sum = Mutex::new(Sum::default());
        let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
        let work = |signer: &Signer| {
            while !stop.load(Ordering::Relaxed) {
                let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) else {
                    break;
                };
                let result = self.one(path, signer);
                // Nothing in there panics while the lock is held.
                if let Ok(mut sum) = sum.lock()
                    && !sum.add(path, result)
                {
                    stop.store(true, Ordering::Relaxed);
                }
                tick();
            }
        };
        std::thread::scope(|scope| {
            for signer in signers {
                scope.spawn(|| work(signer));
            }
        });
        sum.into_inner().unwrap_or_default()
    }
}
