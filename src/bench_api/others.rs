//! Doors for `benches/`: the batch engines without the vouchers around them. Not public API.

use alloc::vec::Vec;

use crate::algorithm::Algorithm;
use crate::backend::Backend;
use crate::backend::ed25519::{Ed25519Engine, Ed25519Plan, Ed25519Scratch};
use crate::backend::engine::{Job, KeyUse, SignatureEngine, Signed};
#[cfg(feature = "rsa")]
use crate::backend::rsa::{RsaEngine, RsaPlan, RsaScratch};
use crate::limits::Limits;
use crate::voucher::Templates;

/// The back end that a bench asks for.
fn backend(portable: bool) -> Backend {
    if portable {
        Backend::Portable
    } else {
        Backend::detect()
    }
}

/// Name of the back end that is used unless the portable one is asked for.
pub fn backend_name() -> &'static str {
    match Backend::detect() {
        Backend::Portable => "portable",
        #[cfg(target_arch = "x86_64")]
        Backend::Ifma(_) => "IFMA",
    }
}

/// How many of these are vouchers, parsed as a batch parses them: by the shapes of those before.
pub fn parse_like_a_batch<T: AsRef<[u8]>>(vouchers: &[T]) -> usize {
    let (mut templates, limits) = (Templates::default(), Limits::default());
    let parsed = vouchers.iter();
    let parsed = parsed.map(|bytes| templates.parse(bytes.as_ref(), &limits));
    parsed.filter(Result::is_ok).count()
}

/// A signature to verify: key number, whether PSS, digest, signature.
#[cfg(feature = "rsa")]
pub type RsaItem = (u32, bool, Vec<u8>, Vec<u8>);

/// An RSA engine with its plan and scratch.
#[cfg(feature = "rsa")]
pub struct Rsa {
    engine: RsaEngine,
    plan: RsaPlan,
    scratch: RsaScratch,
}

#[cfg(feature = "rsa")]
impl Rsa {
    /// An engine that keeps as many keys as fit in `cache_bytes`.
    pub fn new(portable: bool, cache_bytes: usize) -> Self {
        Rsa {
            engine: RsaEngine::new(backend(portable), cache_bytes),
            plan: RsaPlan::default(),
            scratch: RsaScratch::default(),
        }
    }

    /// Prepares keys: modulus and exponent.
    pub fn prepare(&mut self, keys: &[(Vec<u8>, u64)]) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(modulus, exponent)| KeyUse {
                components: modulus,
                exponent: *exponent,
                uses: 1,
            })
            .collect();
        self.engine.prepare(&keys, &mut self.plan);
    }

    /// Verifies items under the keys prepared last.
    pub fn verify(&mut self, items: &[RsaItem], verdicts: &mut [bool]) {
        let jobs: Vec<_> = items
            .iter()
            .map(|(key, pss, digest, signature)| Job {
                key: *key,
                algorithm: if *pss {
                    Algorithm::Ps256
                } else {
                    Algorithm::Rs256
                },
                signed: Signed::Digest(digest),
                signature,
            })
            .collect();
        self.engine
            .verify(&self.plan, &jobs, &mut self.scratch, verdicts);
    }
}

/// An Ed25519 engine with its plan and scratch.
pub struct Ed25519 {
    engine: Ed25519Engine,
    plan: Ed25519Plan,
    scratch: Ed25519Scratch,
}

impl Ed25519 {
    /// An engine whose tables take at most `budget` bytes.
    pub fn new(portable: bool, budget: usize) -> Self {
        Ed25519 {
            engine: Ed25519Engine::new(backend(portable), budget),
            plan: Ed25519Plan::default(),
            scratch: Ed25519Scratch::default(),
        }
    }

    /// Prepares keys, each with its number of uses.
    pub fn prepare(&mut self, keys: &[([u8; 32], u32)]) {
        let keys: Vec<_> = keys
            .iter()
            .map(|(key, uses)| KeyUse {
                components: key,
                exponent: 0,
                uses: *uses,
            })
            .collect();
        self.engine.prepare(&keys, &mut self.plan);
    }

    /// Verifies items (key number, message, signature) under the keys prepared last.
    pub fn verify(&mut self, items: &[(u32, &[u8], &[u8; 64])], verdicts: &mut [bool]) {
        let messages: Vec<[&[u8]; 1]> = items.iter().map(|item| [item.1]).collect();
        let jobs: Vec<_> = items
            .iter()
            .zip(&messages)
            .map(|((key, _, signature), message)| Job {
                key: *key,
                algorithm: Algorithm::EdDsa,
                signed: Signed::Message(message),
                signature: &signature[..],
            })
            .collect();
        self.engine
            .verify(&self.plan, &jobs, &mut self.scratch, verdicts);
    }
}
