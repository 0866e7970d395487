//! Signatures on certificates: the accepted algorithms, and their verification.

use alloc::vec::Vec;

use ::signature::hazmat::PrehashVerifier as _;
use der::asn1::AnyRef;
use der::{Decode as _, Reader as _, SliceReader, Tag, TagNumber, Tagged as _};
use rustls_pki_types::{
    AlgorithmIdentifier, InvalidSignature, SignatureVerificationAlgorithm, alg_id,
};
use sha2::Digest as _;
use x509_cert::spki::ObjectIdentifier;

use super::read::{Fields, bits, content};
#[cfg(feature = "rsa")]
use crate::key::rsa::{Padding, RsaKey};

/// The reason why a certificate is not proved by the key of another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unproved {
    /// Signed with SHA-1.
    Sha1,
    /// Signed with an algorithm, or under a kind of key, that is not in [`SCHEMES`].
    Unsupported,
    /// Signed with RSA, which this build lacks.
    #[cfg(not(feature = "rsa"))]
    Feature,
    /// The signature does not verify.
    Broken,
}

/// A signed structure of a CA, a certificate or a revocation list, with its signature.
pub(super) struct Signed<'a> {
    /// The part that is signed, including its head.
    pub(super) message: &'a [u8],
    /// The content of the algorithm after the signed part, and of the one inside it.
    pub(super) algorithm: &'a [u8],
    pub(super) inner_algorithm: &'a [u8],
    pub(super) signature: &'a [u8],
}

/// The key that signs: the content of its algorithm, and of its bit string.
#[derive(Clone, Copy)]
pub(super) struct SignerKey<'a> {
    algorithm: &'a [u8],
    key: &'a [u8],
}

impl<'a> SignerKey<'a> {
    const fn of(certificate: &Fields<'a>) -> Self {
        Self {
            algorithm: certificate.key_algorithm,
            key: certificate.key,
        }
    }

    /// The key of a SubjectPublicKeyInfo in DER; `None` if it is none.
    pub(super) fn of_spki(spki: &'a [u8]) -> Option<Self> {
        let key = SliceReader::new(spki).ok()?.sequence(|spki| {
            let (algorithm, key) = (content(spki)?, bits(spki)?);
            Ok::<_, der::Error>(Self { algorithm, key })
        });
        key.ok()
    }
}

/// Checks that `issuer`'s key signed `certificate`. Names are not compared.
pub(super) fn check(certificate: &Fields<'_>, issuer: &Fields<'_>) -> Result<(), Unproved> {
    check_by_key(certificate, SignerKey::of(issuer))
}

/// The same for a key without a certificate.
pub(super) fn check_by_key(
    certificate: &Fields<'_>,
    signer: SignerKey<'_>,
) -> Result<(), Unproved> {
    let signed = Signed {
        message: certificate.signed,
        algorithm: certificate.algorithm,
        inner_algorithm: certificate.inner_algorithm,
        signature: certificate.signature,
    };
    check_key_signed(&signed, signer)
}

/// The same for any structure that a CA signs.
pub(super) fn check_signed(signed: &Signed<'_>, issuer: &Fields<'_>) -> Result<(), Unproved> {
    check_key_signed(signed, SignerKey::of(issuer))
}

fn check_key_signed(signed: &Signed<'_>, signer: SignerKey<'_>) -> Result<(), Unproved> {
    let id = signed.algorithm;
    if is_sha1(id) {
        return Err(Unproved::Sha1);
    }
    if signed.inner_algorithm != id {
        return Err(Unproved::Broken);
    }
    #[cfg(not(feature = "rsa"))]
    if [id, signer.algorithm]
        .into_iter()
        .any(|id| oid(id).is_some_and(|oid| PKCS1.parent_of(oid)))
    {
        return Err(Unproved::Feature);
    }
    let signature = |scheme: &&Scheme| *scheme.signature == *id;
    let key = |scheme: &&Scheme| *scheme.key == *signer.algorithm;
    if !SCHEMES.iter().any(|scheme| signature(&scheme))
        || !SCHEMES.iter().any(|scheme| key(&scheme))
    {
        return Err(Unproved::Unsupported);
    }
    // Both are known; if they do not match, that key did not sign.
    let scheme = SCHEMES
        .iter()
        .find(|scheme| signature(scheme) && key(scheme))
        .ok_or(Unproved::Broken)?;
    scheme.verify(signer.key, signed.message, signed.signature)
}

const ECDSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.4.1");
const RSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.5");
const OIW_RSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.29");
const DSA_SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10040.4.3");
const PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Whether this AlgorithmIdentifier, given by its content, is one with SHA-1.
pub(super) fn is_sha1(algorithm: &[u8]) -> bool {
    match oid(algorithm) {
        Some(ECDSA_SHA1 | RSA_SHA1 | OIW_RSA_SHA1 | DSA_SHA1) => true,
        Some(PSS) => pss_hash(algorithm).is_ok_and(|hash| hash == SHA1),
        _ => false,
    }
}

/// The OID of an AlgorithmIdentifier that is given by its content.
pub(super) fn oid(algorithm: &[u8]) -> Option<ObjectIdentifier> {
    ObjectIdentifier::decode(&mut SliceReader::new(algorithm).ok()?).ok()
}

/// The hash of RSASSA-PSS-params (RFC 4055 §3.1), where SHA-1 is the default.
fn pss_hash(algorithm: &[u8]) -> der::Result<ObjectIdentifier> {
    let mut reader = SliceReader::new(algorithm)?;
    reader.decode::<ObjectIdentifier>()?;
    if reader.is_finished() {
        return Ok(SHA1);
    }
    let parameters = AnyRef::decode(&mut reader)?;
    parameters.tag().assert_eq(Tag::Sequence)?;
    let mut reader = SliceReader::new(parameters.value())?;
    if reader.is_finished() || Tag::peek(&reader)? != TagNumber(0).context_specific(true) {
        return Ok(SHA1);
    }
    let hash = AnyRef::decode(&mut reader)?;
    SliceReader::new(hash.value())?.sequence(|hash| {
        let oid = ObjectIdentifier::decode(hash)?;
        while !hash.is_finished() {
            hash.tlv_bytes()?;
        }
        Ok(oid)
    })
}

#[cfg(not(feature = "rsa"))]
const PKCS1: Pkcs1 = Pkcs1;

/// The arc 1.2.840.113549.1.1 with all algorithms of RFC 8017.
#[cfg(not(feature = "rsa"))]
struct Pkcs1;

#[cfg(not(feature = "rsa"))]
impl Pkcs1 {
    fn parent_of(&self, oid: ObjectIdentifier) -> bool {
        oid.as_bytes()
            .starts_with(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1])
    }
}

#[derive(Clone, Copy, Debug)]
enum Family {
    P256,
    P384,
    Ed25519,
    #[cfg(feature = "rsa")]
    Pkcs1,
    #[cfg(feature = "rsa")]
    Pss,
}

#[derive(Clone, Copy, Debug)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }
}

/// A signature algorithm together with the kind of key that it works under.
#[derive(Debug)]
struct Scheme {
    family: Family,
    /// Ed25519 hashes on its own.
    hash: Hash,
    key: AlgorithmIdentifier,
    signature: AlgorithmIdentifier,
}

impl Scheme {
    const fn p256(hash: Hash, signature: AlgorithmIdentifier) -> Self {
        let key = alg_id::ECDSA_P256;
        let family = Family::P256;
        Self {
            family,
            hash,
            key,
            signature,
        }
    }

    const fn p384(hash: Hash, signature: AlgorithmIdentifier) -> Self {
        let key = alg_id::ECDSA_P384;
        let family = Family::P384;
        Self {
            family,
            hash,
            key,
            signature,
        }
    }

    #[cfg(feature = "rsa")]
    const fn rsa(family: Family, hash: Hash, signature: AlgorithmIdentifier) -> Self {
        let key = alg_id::RSA_ENCRYPTION;
        Self {
            family,
            hash,
            key,
            signature,
        }
    }
}

/// All accepted signature schemes. SHA-1 is not accepted, and neither are RSA keys below 2048 bits.
static SCHEMES: &[Scheme] = &[
    Scheme::p256(Hash::Sha256, alg_id::ECDSA_SHA256),
    Scheme::p384(Hash::Sha384, alg_id::ECDSA_SHA384),
    Scheme::p256(Hash::Sha384, alg_id::ECDSA_SHA384),
    Scheme::p256(Hash::Sha512, alg_id::ECDSA_SHA512),
    Scheme::p384(Hash::Sha256, alg_id::ECDSA_SHA256),
    Scheme::p384(Hash::Sha512, alg_id::ECDSA_SHA512),
    Scheme {
        family: Family::Ed25519,
        hash: Hash::Sha512,
        key: alg_id::ED25519,
        signature: alg_id::ED25519,
    },
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pkcs1, Hash::Sha256, alg_id::RSA_PKCS1_SHA256),
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pkcs1, Hash::Sha384, alg_id::RSA_PKCS1_SHA384),
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pkcs1, Hash::Sha512, alg_id::RSA_PKCS1_SHA512),
    // RFC 4055 §5: the parameters must be NULL, and leaving them out must be accepted.
    #[cfg(feature = "rsa")]
    Scheme::rsa(
        Family::Pkcs1,
        Hash::Sha256,
        without_parameters(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b"),
    ),
    #[cfg(feature = "rsa")]
    Scheme::rsa(
        Family::Pkcs1,
        Hash::Sha384,
        without_parameters(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c"),
    ),
    #[cfg(feature = "rsa")]
    Scheme::rsa(
        Family::Pkcs1,
        Hash::Sha512,
        without_parameters(b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d"),
    ),
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pss, Hash::Sha256, alg_id::RSA_PSS_SHA256),
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pss, Hash::Sha384, alg_id::RSA_PSS_SHA384),
    #[cfg(feature = "rsa")]
    Scheme::rsa(Family::Pss, Hash::Sha512, alg_id::RSA_PSS_SHA512),
];

#[cfg(feature = "rsa")]
const fn without_parameters(oid: &'static [u8]) -> AlgorithmIdentifier {
    AlgorithmIdentifier::from_slice(oid)
}

/// All of them in the form that webpki takes.
pub(super) fn algorithms() -> Vec<&'static dyn SignatureVerificationAlgorithm> {
    SCHEMES.iter().map(|scheme| scheme as _).collect()
}

impl SignatureVerificationAlgorithm for Scheme {
    fn verify_signature(
        &self,
        public_key: &[u8],
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), InvalidSignature> {
        self.verify(public_key, message, signature)
            .map_err(|_| InvalidSignature)
    }

    fn public_key_alg_id(&self) -> AlgorithmIdentifier {
        self.key
    }

    fn signature_alg_id(&self) -> AlgorithmIdentifier {
        self.signature
    }
}

impl Scheme {
    fn verify(&self, key: &[u8], message: &[u8], signature: &[u8]) -> Result<(), Unproved> {
        let verifies = match self.family {
            Family::P256 => {
                let key = uncompressed(key)
                    .and_then(|key| p256::ecdsa::VerifyingKey::from_sec1_bytes(key).ok())
                    .ok_or(Unproved::Unsupported)?;
                p256::ecdsa::Signature::from_der(signature)
                    .and_then(|signature| key.verify_prehash(&self.hash.of(message), &signature))
                    .is_ok()
            }
            Family::P384 => {
                let key = uncompressed(key)
                    .and_then(|key| p384::ecdsa::VerifyingKey::from_sec1_bytes(key).ok())
                    .ok_or(Unproved::Unsupported)?;
                p384::ecdsa::Signature::from_der(signature)
                    .and_then(|signature| key.verify_prehash(&self.hash.of(message), &signature))
                    .is_ok()
            }
            Family::Ed25519 => {
                let key = key
                    .try_into()
                    .ok()
                    .and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok())
                    .ok_or(Unproved::Unsupported)?;
                ed25519_dalek::Signature::from_slice(signature)
                    .and_then(|signature| key.verify_strict(message, &signature))
                    .is_ok()
            }
            #[cfg(feature = "rsa")]
            Family::Pkcs1 | Family::Pss => {
                let key = rsa_key(key).ok_or(Unproved::Unsupported)?;
                let padding = match self.family {
                    Family::Pss => Padding::Pss,
                    _ => Padding::Pkcs1v15,
                };
                key.verify(padding, &self.hash.of(message), signature)
            }
        };
        if verifies {
            Ok(())
        } else {
            Err(Unproved::Broken)
        }
    }
}

/// A point in the one form that certificates must and FDO may use (RFC 5480 §2.2).
fn uncompressed(point: &[u8]) -> Option<&[u8]> {
    (point.first() == Some(&4)).then_some(point)
}

/// RSAPublicKey (RFC 8017 §A.1.1) of 2048 to 4096 bits; exponents as in owner keys.
#[cfg(feature = "rsa")]
fn rsa_key(key: &[u8]) -> Option<RsaKey> {
    use der::asn1::UintRef;
    let mut reader = SliceReader::new(key).ok()?;
    let (modulus, exponent) = reader
        .sequence(|inner| Ok::<_, der::Error>((UintRef::decode(inner)?, UintRef::decode(inner)?)))
        .ok()?;
    reader.finish().ok()?;
    let exponent = match exponent.as_bytes() {
        bytes if bytes.len() <= 8 => bytes
            .iter()
            .fold(0_u64, |value, &byte| value << 8 | u64::from(byte)),
        _ => return None,
    };
    if exponent & 1 == 0 || !(65_537..=1 << 32).contains(&exponent) {
        return None;
    }
    RsaKey::new(modulus.as_bytes(), exponent)
}

#[cfg(test)]
mod tests;
