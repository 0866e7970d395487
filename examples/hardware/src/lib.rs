//! Owner keys, device keys and HMAC secrets that never leave their hardware.
//!
//! Two keepers behind one interface: a TPM 2.0 ([`tpm`]) and a token behind PKCS#11 ([`token`]). Both
//! give out [`OwnerSigner`]s and [`DeviceHmac`]s, which is all that the library wants. [`shipment`]
//! hands many vouchers over, with a signer for each thread; [`cloud`] does it with a service that
//! answers later.
#![cfg_attr(
    not(test),
    deny(
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::expect_used,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::unwrap_used
    )
)]

pub mod cloud;
pub mod failure;
pub mod files;
pub mod shipment;
pub mod token;
pub mod tpm;

pub use failure::{Failure, Result};

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::hmac::DeviceHmac;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{KeyType, OwnerSigner};

/// A signer that threads may share. Each waits for the one before: a token with several sessions is
/// asked for several signers.
pub type Signer = Box<dyn OwnerSigner + Send + Sync>;

/// A secret for header HMACs.
pub type Secret = Box<dyn DeviceHmac + Send + Sync>;

/// What keeps keys.
pub trait Keeper {
    /// The signing key of this name: a label (PKCS#11) or a persistent handle such as 0x81010001.
    ///
    /// # Errors
    /// [`Failure::NoKey`], [`Failure::WrongKind`] for an object that cannot sign, and whatever goes
    /// wrong on the way: the PIN, the token.
    fn key(&self, name: &str) -> Result<Signer>;

    /// Makes a signing key. The private part is made in the hardware and cannot be exported.
    ///
    /// # Errors
    /// [`Failure::Exists`], and as [`key`](Self::key).
    fn make_key(&self, name: &str, kind: KeyKind) -> Result<Signer>;

    /// The HMAC secret of this name, for one hash.
    ///
    /// # Errors
    /// As [`key`](Self::key).
    fn secret(&self, name: &str) -> Result<Secret>;

    /// Makes an HMAC secret.
    ///
    /// # Errors
    /// As [`make_key`](Self::make_key).
    fn make_secret(&self, name: &str, hash: HashAlgorithm) -> Result<Secret>;
}

/// The kinds of keys that FDO has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum KeyKind {
    P256,
    P384,
    Rsa2048,
    Rsa3072,
}

/// The hash that goes with an algorithm.
///
/// # Errors
/// EdDSA hashes on its own, and neither keeper has it.
pub fn hash_of(algorithm: Algorithm) -> Result<HashAlgorithm> {
    match algorithm {
        Algorithm::Es256 | Algorithm::Rs256 | Algorithm::Ps256 => Ok(HashAlgorithm::Sha256),
        Algorithm::Es384 | Algorithm::Rs384 | Algorithm::Ps384 => Ok(HashAlgorithm::Sha384),
        other => Err(Failure::Other(format!(
            "no hardware here signs with {}",
            other.name()
        ))),
    }
}

/// Fails where a key of this type cannot sign with the algorithm, before the hardware is asked.
///
/// # Errors
/// [`Failure::WrongKind`].
pub fn fits(name: &str, key: KeyType, algorithm: Algorithm) -> Result<()> {
    let fits = match algorithm {
        Algorithm::Es256 => key == KeyType::Secp256r1,
        Algorithm::Es384 => key == KeyType::Secp384r1,
        Algorithm::EdDsa => false,
        _ => matches!(
            key,
            KeyType::Rsa2048Restr | KeyType::RsaPkcs | KeyType::RsaPss
        ),
    };
    match fits {
        true => Ok(()),
        false => Err(Failure::WrongKind {
            name: name.into(),
            found: key.name().into(),
            wanted: format!("a key for {}", algorithm.name()),
        }),
    }
}
