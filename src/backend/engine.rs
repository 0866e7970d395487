//! The contract of the batch engines: one engine for each family of keys, all behind this interface.
//!
//! [`SignatureEngine::prepare`] gets the distinct keys of a batch and decides for which of them a table
//! is built and kept for later batches. [`SignatureEngine::verify`] then gets the signatures, on any
//! number of threads, each with its own scratch memory.
//!
//! The verdict on a job depends only on its key, algorithm, message and signature: never on other
//! jobs, their order, the size of the batch, the cache or the back end. All inputs are public, so
//! run time may depend on them.

use super::Backend;
use crate::algorithm::Algorithm;
use crate::key::KeyKind;

/// A distinct key of a batch.
#[derive(Clone, Copy, Debug)]
pub(crate) struct KeyUse<'a> {
    /// The key: both coordinates of a point, an encoded Edwards point, or an RSA modulus without
    /// leading zeros. Big-endian, except for the Edwards point.
    pub(crate) components: &'a [u8],
    /// The public exponent of an RSA key; other engines do not read it.
    #[cfg_attr(not(feature = "rsa"), expect(dead_code, reason = "only RSA has one"))]
    pub(crate) exponent: u64,
    /// How many jobs of the batch it signs.
    pub(crate) uses: u32,
}

/// One signature to verify.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Job<'a> {
    /// Position of the key among those of the batch.
    pub(crate) key: u32,
    /// The algorithm that the signature must have. That the key may be used with it is for the
    /// caller to check.
    #[cfg_attr(
        not(feature = "rsa"),
        expect(dead_code, reason = "only RSA has several")
    )]
    pub(crate) algorithm: Algorithm,
    /// What is signed.
    pub(crate) signed: Signed<'a>,
    /// The signature, in the form that COSE prescribes (RFC 9053 §2). Of any other length it is invalid.
    pub(crate) signature: &'a [u8],
}

/// What a signature covers.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Signed<'a> {
    /// The hash of the message, for algorithms that sign one.
    Digest(&'a [u8]),
    /// The message in parts, for Ed25519.
    Message(&'a [&'a [u8]]),
}

impl<'a> Job<'a> {
    /// The digest; empty, and so never valid, for an algorithm that signs the message.
    pub(crate) const fn digest(&self) -> &'a [u8] {
        match self.signed {
            Signed::Digest(digest) => digest,
            Signed::Message(_) => &[],
        }
    }

    /// The parts of the message; `None` for an algorithm that signs a hash.
    pub(crate) const fn message(&self) -> Option<&'a [&'a [u8]]> {
        match self.signed {
            Signed::Message(parts) => Some(parts),
            Signed::Digest(_) => None,
        }
    }
}

/// An engine. How to add one is in CONTRIBUTING.md.
pub(crate) trait SignatureEngine: Sync {
    /// The kinds of keys that it verifies with.
    const KINDS: &'static [KeyKind];
    /// Whether its algorithms sign the message itself, not a hash of it.
    const SIGNS_MESSAGE: bool = false;
    /// What [`prepare`](Self::prepare) decided for the keys of one batch. Reused.
    type Plan: Default + Sync;
    /// The working memory of one thread. Reused.
    type Scratch: Default + Send;

    /// An engine with an empty cache, which takes at most `cache_bytes`.
    fn new(backend: Backend, cache_bytes: usize) -> Self;

    /// Prepares the keys of a batch. A key that is not valid is no error: nothing verifies with it.
    fn prepare(&mut self, keys: &[KeyUse<'_>], plan: &mut Self::Plan);

    /// Writes to `verdicts` whether each job's signature is valid. `plan` is that of the last call of
    /// [`prepare`](Self::prepare); jobs with one key stand together.
    ///
    /// # Panics
    /// If there are not as many verdicts as jobs.
    fn verify(
        &self,
        plan: &Self::Plan,
        jobs: &[Job<'_>],
        scratch: &mut Self::Scratch,
        verdicts: &mut [bool],
    );
}

/// A cached key that could be given up. Sorted by the fields in this order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Idle<K> {
    /// The last batch that used it.
    pub(crate) batch: u64,
    pub(crate) key: K,
    /// What it takes of the cache, in the engine's own unit.
    pub(crate) size: usize,
}

/// The one rule of eviction: keys that the present batch uses stay; of the others, those go first
/// that were used the longest ago. Returns them with the first to go at the end.
pub(crate) fn idle<K: Ord>(
    cached: impl Iterator<Item = Idle<K>>,
    present: u64,
) -> alloc::vec::Vec<Idle<K>> {
    let mut idle: alloc::vec::Vec<_> = cached.filter(|key| key.batch < present).collect();
    idle.sort_unstable_by(|a, b| b.cmp(a));
    idle
}
