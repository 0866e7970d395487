//! A key service in a cloud, mimicked: it answers after 50 ms or so, in any order, in DER, and once
//! in twenty times not at all. And a shipment that is handed over by such a service.
//!
//! What is real is the client: requests on their way are bounded, what to try again is decided here
//! and not by the library, and every voucher is handed over or as it was, also where the work is
//! broken off.

use std::fmt;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use ownership_voucher::{Error, Voucher};
use p256::ecdsa::{DerSignature, SigningKey};
use signature::{AsyncSigner, SignatureEncoding, Signer as _};

use crate::shipment::{Shipment, Step, Sum};
use crate::{Result, files};

/// The service did not answer this time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transient;

impl fmt::Display for Transient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("503: try again later")
    }
}

impl std::error::Error for Transient {}

/// Whether an error is the service's, and passes.
#[must_use]
pub fn is_transient(error: &Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        if error.is::<Transient>() {
            return true;
        }
        source = error.source();
    }
    false
}

/// The mimicked service. The key is at its end of the wire; the client sees signatures.
pub struct Cloud {
    key: SigningKey,
    latency: Duration,
    /// One request in so many fails.
    fails: u64,
    requests: AtomicU64,
    failures: AtomicU64,
    waiting: AtomicU64,
    most_waiting: AtomicU64,
    latest: AtomicU64,
    overtaken: AtomicU64,
}

/// What a service has seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    pub requests: u64,
    pub failures: u64,
    /// Requests that were on their way at one time.
    pub most_waiting: u64,
    /// Requests that were answered after a later one.
    pub overtaken: u64,
}

impl Cloud {
    /// A service with this key that takes `latency` or so, and fails once in `fails` requests.
    #[must_use]
    pub fn new(key: SigningKey, latency: Duration, fails: u64) -> Self {
        Self {
            key,
            latency,
            fails: fails.max(1),
            requests: AtomicU64::new(0),
            failures: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            most_waiting: AtomicU64::new(0),
            latest: AtomicU64::new(0),
            overtaken: AtomicU64::new(0),
        }
    }

    #[must_use]
    pub fn seen(&self) -> Seen {
        let read = |number: &AtomicU64| number.load(Ordering::Relaxed);
        Seen {
            requests: read(&self.requests),
            failures: read(&self.failures),
            most_waiting: read(&self.most_waiting),
            overtaken: read(&self.overtaken),
        }
    }
}

/// A number that looks like any other (SplitMix64), and is the same in each run.
const fn scattered(number: u64) -> u64 {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    state = (state ^ state >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    state = (state ^ state >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ state >> 31
}

/// Counts a request for as long as it is on its way, also where it is dropped there.
struct OnItsWay<'c>(&'c AtomicU64);

impl Drop for OnItsWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl AsyncSigner<DerSignature> for Cloud {
    async fn sign_async(
        &self,
        message: &[u8],
    ) -> std::result::Result<DerSignature, signature::Error> {
        let number = self.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let waiting = self.waiting.fetch_add(1, Ordering::Relaxed) + 1;
        let _on_its_way = OnItsWay(&self.waiting);
        self.most_waiting.fetch_max(waiting, Ordering::Relaxed);
        let dice = scattered(number);
        let percent = 50 + u32::try_from(dice % 101).unwrap_or(0);
        tokio::time::sleep(self.latency * percent / 100).await;
        if self.latest.fetch_max(number, Ordering::Relaxed) > number {
            self.overtaken.fetch_add(1, Ordering::Relaxed);
        }
        if (dice / 101).is_multiple_of(self.fails) {
            self.failures.fetch_add(1, Ordering::Relaxed);
            return Err(signature::Error::from_source(Transient));
        }
        self.key.try_sign(message)
    }
}

/// How to use a service.
#[derive(Clone, Copy, Debug)]
pub struct Manners {
    /// Requests that may be on their way at one time.
    pub waiting: usize,
    /// Attempts for each voucher.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles.
    pub pause: Duration,
}

impl Shipment<'_> {
    /// Hands all of them over by a service. Dropping the future leaves those that were on their way
    /// as they were.
    pub async fn all_later<S, G>(&self, paths: &[PathBuf], service: &S, manners: Manners) -> Sum
    where
        S: AsyncSigner<G>,
        G: SignatureEncoding,
    {
        let work = stream::iter(paths).map(|path| async move {
            let mut retries = 0;
            let result = self.one_later(path, service, manners, &mut retries).await;
            (path, result, retries)
        });
        let mut answers = pin!(work.buffer_unordered(manners.waiting));
        let mut sum = Sum::default();
        while let Some((path, result, retries)) = answers.next().await {
            sum.retries += retries;
            sum.add(path, result);
        }
        sum
    }

    async fn one_later<S, G>(
        &self,
        path: &Path,
        service: &S,
        manners: Manners,
        retries: &mut usize,
    ) -> Result<Step>
    where
        S: AsyncSigner<G>,
        G: SignatureEncoding,
    {
        if self.is_done(path)? {
            return Ok(Step::Found);
        }
        let bytes = files::voucher(path)?;
        let voucher = Voucher::parse_with(&bytes, self.policy.limits())?.verify(self.policy)?;
        let extension = voucher.extend(self.next, self.options)?;
        let mut pause = manners.pause;
        for attempt in 1.. {
            match extension
                .hand_over_async::<S, G>(service, self.policy)
                .await
            {
                Ok((voucher, _receipt)) => {
                    // From here to the end nothing waits, so that nothing is dropped in between.
                    files::write_new(&self.place(path), voucher.as_bytes())?;
                    return Ok(Step::Done);
                }
                Err(error) if is_transient(&error) && attempt < manners.attempts => {
                    *retries += 1;
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Step::Found)
    }
}
