//! Private keys that mutants are signed with: those of the test vectors, and an attacker's.

use std::sync::LazyLock;

use ownership_voucher::file::PemBlocks;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{KeyType, LocalKey, OwnerSigner, PublicKey};
use rsa::pkcs8::{DecodePrivateKey as _, EncodePublicKey as _};
use rsa::rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest as _, Sha256, Sha384};

use crate::tree::{Item, Node};

/// A private key with what it takes to find and to write its public key.
pub struct Signer {
    secret: Secret,
    pub public: PublicKey,
    pub spki: Vec<u8>,
    /// x, modulus or the bytes of Ed25519, as they stand in every encoding.
    mark: Vec<u8>,
}

enum Secret {
    Local(LocalKey),
    Rsa(Box<rsa::PrivateKey>),
}

/// The keys that sign in the test vectors.
pub static HONEST: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let text = include_str!("../../test-vectors/keys.json");
    let keys: std::collections::BTreeMap<String, String> =
        serde_json::from_str(text).expect("names and PEM");
    keys.iter()
        .filter(|(name, _)| !name.contains("-device-"))
        .filter_map(|(name, pem)| {
            if name.starts_with("rsa2048-") || name.starts_with("rsa3072-") {
                rsa_signer(pem)
            } else {
                LocalKey::from_pem(pem.as_bytes()).ok().map(Signer::local)
            }
        })
        .collect()
});

/// Keys that sign in no vector.
pub static ATTACKER: LazyLock<Vec<Signer>> = LazyLock::new(|| {
    let key = |kind, secret: &[u8]| LocalKey::from_secret(kind, secret).expect("in range");
    [0xa1, 0xa2]
        .into_iter()
        .flat_map(|seed| {
            [
                Signer::local(key(KeyType::Secp256r1, &[seed; 32])),
                Signer::local(key(KeyType::Secp384r1, &[seed; 48])),
                Signer::local(key(KeyType::Ed25519, &[seed; 32])),
            ]
        })
        .collect()
});

fn rsa_signer(pem: &str) -> Option<Signer> {
    let der = PemBlocks::new(pem.as_bytes()).next()?.ok()?.decode().ok()?;
    let key = rsa::PrivateKey::from_pkcs8_der(&der).ok()?;
    let spki = key.to_public_key().to_public_key_der().ok()?.into_vec();
    let public = PublicKey::from_spki_der(&spki).ok()?;
    // A modulus of these sizes stands behind 33 bytes of heads, a zero before it.
    let len = public.bits() / 8;
    let mark = spki.get(33..33 + len)?.to_vec();
    Some(Signer {
        secret: Secret::Rsa(Box::new(key)),
        public,
        spki,
        mark,
    })
}

impl Signer {
    fn local(key: LocalKey) -> Self {
        let public = key.public_key();
        let spki = public.to_spki_der();
        let numbers = match public.default_key_type() {
            KeyType::Secp256r1 => 64,
            KeyType::Secp384r1 => 96,
            _ => 32,
        };
        let numbers = &spki[spki.len() - numbers..];
        let x = &numbers[..numbers.len().div_ceil(2).max(32)];
        // Some writers leave out leading zeros.
        let zeros = x.iter().take_while(|&&byte| byte == 0).count();
        Self {
            secret: Secret::Local(key),
            mark: x[zeros..].to_vec(),
            public,
            spki,
        }
    }

    /// The key whose numbers stand first in an encoded public key.
    pub fn of<'s>(signers: &'s [Self], key: &[u8]) -> Option<&'s Self> {
        let place = |signer: &Self| {
            let mark = &signer.mark;
            key.windows(mark.len()).position(|part| part == mark)
        };
        let found = signers
            .iter()
            .filter_map(|signer| Some((place(signer)?, signer)));
        found
            .min_by_key(|(place, _)| *place)
            .map(|(_, signer)| signer)
    }

    pub fn is_local(&self) -> bool {
        matches!(self.secret, Secret::Local(_))
    }

    /// The algorithm under a key of this label.
    pub fn algorithm(&self, label: i128) -> Algorithm {
        let pss = label == 6;
        match (self.public.default_key_type(), self.public.bits()) {
            (KeyType::Secp256r1, _) => Algorithm::Es256,
            (KeyType::Secp384r1, _) => Algorithm::Es384,
            (KeyType::Ed25519, _) => Algorithm::EdDsa,
            (_, 2048) if pss => Algorithm::Ps256,
            (_, 2048) => Algorithm::Rs256,
            _ if pss => Algorithm::Ps384,
            _ => Algorithm::Rs384,
        }
    }

    pub fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Option<Vec<u8>> {
        let key = match &self.secret {
            Secret::Local(key) => return OwnerSigner::sign(key, algorithm, message).ok(),
            Secret::Rsa(key) => key,
        };
        let (small, large) = (Sha256::digest(message), Sha384::digest(message));
        match algorithm {
            Algorithm::Rs256 => key.sign(rsa::Pkcs1v15Sign::new::<Sha256>(), &small).ok(),
            Algorithm::Rs384 => key.sign(rsa::Pkcs1v15Sign::new::<Sha384>(), &large).ok(),
            Algorithm::Ps256 => key
                .sign_with_rng(&mut Salt, rsa::Pss::<Sha256>::new(), &small)
                .ok(),
            Algorithm::Ps384 => key
                .sign_with_rng(&mut Salt, rsa::Pss::<Sha384>::new(), &large)
                .ok(),
            _ => None,
        }
    }

    /// The public key as an item of a voucher, in the encoding of that number.
    pub fn node(&self, label: Option<i128>, encoding: usize) -> Node {
        let natural = self.public.default_key_type();
        let label = Node::int(label.unwrap_or(natural.code().into()));
        let size = match natural {
            KeyType::Secp256r1 => 32,
            KeyType::Secp384r1 => 48,
            KeyType::Ed25519 => 32,
            _ => 0,
        };
        let (code, body) = match (encoding % 3, size) {
            (1, 1..) => {
                let ed25519 = natural == KeyType::Ed25519;
                let parts = if ed25519 { 1 } else { 2 };
                let numbers = &self.spki[self.spki.len() - size * parts..];
                let curve = if ed25519 { 6 } else { size as i128 / 16 - 1 };
                let mut map = vec![
                    Node::int(1),
                    Node::int(if ed25519 { 1 } else { 2 }),
                    Node::int(-1),
                    Node::int(curve),
                ];
                for (label, number) in [-2, -3].into_iter().zip(numbers.chunks(size)) {
                    map.extend([Node::int(label), Node::bytes(number)]);
                }
                (3, Node::new(Item::Map(map)))
            }
            (2, 0) => {
                let exponent = Node::bytes(&self.spki[self.spki.len() - 3..]);
                (0, Node::array(vec![Node::bytes(&self.mark), exponent]))
            }
            _ => (1, Node::bytes(&self.spki)),
        };
        Node::array(vec![label, Node::int(code), body])
    }
}

/// Salts need not be random here, and are the same each time.
struct Salt;

impl TryRng for Salt {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0x5a17_5a17)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0x5a17_5a17_5a17_5a17)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0x5a);
        Ok(())
    }
}

impl TryCryptoRng for Salt {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Signatures that nobody accepts would leave everything behind them untested.
    #[test]
    fn every_signer_signs_for_its_key() {
        for signer in HONEST.iter().chain(&*ATTACKER) {
            for label in [0, 6] {
                let algorithm = signer.algorithm(label);
                let signature = signer.sign(algorithm, b"message").expect("a signature");
                let verdict = signer.public.verify(algorithm, b"message", &signature);
                assert!(verdict.is_ok(), "{algorithm:?}");
            }
            for encoding in 0..3 {
                let bytes = signer.node(None, encoding).to_vec();
                let found = Signer::of(&HONEST, &bytes).or(Signer::of(&ATTACKER, &bytes));
                assert!(found.is_some_and(|found| found.spki == signer.spki));
            }
        }
        assert!(HONEST.len() > 50 && HONEST.iter().any(|signer| !signer.is_local()));
    }
}
