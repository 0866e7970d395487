//! RSA private keys in memory. The `rsa` crate does the private operation, blinded with random
//! numbers of the operating system.

use alloc::boxed::Box;
use alloc::vec::Vec;

use ::rsa::pkcs1::RsaPrivateKey;
use ::rsa::pkcs8::{EncodePrivateKey as _, ObjectIdentifier, PrivateKeyInfoRef};
use ::rsa::{Pkcs1v15Sign, PrivateKey, Pss};
use der::Decode as _;
use der::asn1::UintRef;
use getrandom::SysRng;
use sha2::{Digest, Sha256, Sha384};
use zeroize::Zeroizing;

use crate::algorithm::Algorithm;
use crate::error::{Error, ErrorKind};
use crate::key::rsa::Padding;
use crate::key::{KeyType, PublicKey, RESTRICTED_PSS};

/// rsaEncryption and id-RSASSA-PSS (RFC 8017 §A).
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");

/// A key of 2048 or 3072 bits with two primes. The crate wipes most of it when it is dropped.
#[derive(Clone)]
pub(super) struct RsaSecret {
    key: Box<PrivateKey>,
    public: PublicKey,
    /// The key may sign with PSS and nothing else: its file says id-RSASSA-PSS.
    only_pss: bool,
}

impl RsaSecret {
    /// The key of a PKCS#8 or PKCS#1 private key in DER; `None` if this is not one.
    ///
    /// Numbers are computed with only after their sizes are known: DER may hold megabytes.
    pub(super) fn from_der(der: &[u8]) -> Option<Result<Self, Error>> {
        if let Ok(info) = PrivateKeyInfoRef::try_from(der) {
            let only_pss = info.algorithm.oid == PSS;
            if !only_pss && info.algorithm.oid != RSA {
                return None;
            }
            if only_pss && info.algorithm.parameters.is_some() {
                return Some(Err(Error::because(
                    ErrorKind::UnsupportedKeyType,
                    RESTRICTED_PSS,
                )));
            }
            let numbers = RsaPrivateKey::from_der(info.private_key.as_bytes());
            return Some(match numbers {
                Ok(numbers) => Self::from_numbers(numbers, only_pss),
                Err(_) => Err(damaged()),
            });
        }
        let numbers = RsaPrivateKey::from_der(der).ok()?;
        Some(Self::from_numbers(numbers, false))
    }

    fn from_numbers(numbers: RsaPrivateKey<UintRef<'_>>, only_pss: bool) -> Result<Self, Error> {
        let (modulus, exponent) = (numbers.modulus, numbers.public_exponent);
        let public = PublicKey::from_rsa(modulus.as_bytes(), exponent.as_bytes())?;
        let key = PrivateKey::try_from(numbers).map_err(|_| damaged())?;
        Ok(Self {
            key: Box::new(key),
            public,
            only_pss,
        })
    }

    pub(super) fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document = self.key.to_pkcs8_der();
        document
            .map(|document| document.to_bytes())
            .map_err(|_| Error::new(ErrorKind::KeyEncoding))
    }

    pub(super) const fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// PKCS#1 v1.5 unless the file of the key says otherwise.
    pub(super) const fn algorithm(&self) -> Algorithm {
        self.public.key_kind().algorithm(match self.only_pss {
            true => KeyType::RsaPss,
            false => KeyType::RsaPkcs,
        })
    }

    /// Whether the key signs with this algorithm: with either padding, and the hash of its size.
    pub(super) fn signs_with(&self, algorithm: Algorithm) -> bool {
        let with_pss = self.public.key_kind().algorithm(KeyType::RsaPss);
        algorithm == self.algorithm() || algorithm == with_pss
    }

    /// The signature with an algorithm of this key. The random generator blinds base, exponents and
    /// primes, and makes the salt of PSS, which is as long as the hash. The crate verifies the result,
    /// so that a fault in one half of the computation does not disclose the primes.
    pub(super) fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let random = &mut SysRng;
        let (wide, padding) = (
            matches!(algorithm, Algorithm::Rs384 | Algorithm::Ps384),
            Padding::of(algorithm),
        );
        let digest = match wide {
            true => Sha384::digest(message).to_vec(),
            false => Sha256::digest(message).to_vec(),
        };
        let key = &self.key;
        match (padding, wide) {
            (Padding::Pkcs1v15, false) => {
                key.sign_with_rng(random, Pkcs1v15Sign::new::<Sha256>(), &digest)
            }
            (Padding::Pkcs1v15, true) => {
                key.sign_with_rng(random, Pkcs1v15Sign::new::<Sha384>(), &digest)
            }
            (Padding::Pss, false) => key.sign_with_rng(random, Pss::<Sha256>::new(), &digest),
            (Padding::Pss, true) => key.sign_with_rng(random, Pss::<Sha384>::new(), &digest),
        }
        .map_err(|error| match error {
            ::rsa::Error::Rng => Error::with_source(ErrorKind::RandomFailed, error),
            _ => Error::signer(error),
        })
    }
}

fn damaged() -> Error {
    Error::because(
        ErrorKind::BadArgument,
        "an RSA private key whose numbers do not belong together, or with more than two primes",
    )
}
