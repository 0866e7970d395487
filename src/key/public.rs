//! A decoded public key: curve and point, or modulus and exponent, without label or encoding.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use ::der::Encode as _;
use ::der::asn1::{BitStringRef, UintRef};
use sha2::Digest as _;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::der::{
    ED25519_PREFIX, P256_PREFIX, P384_PREFIX, RSA, certificate_spki, find_in_file, find_in_spki,
};
use super::{KeyKind, KeyType, exponent_value};
use crate::algorithm::Algorithm;
use crate::cbor::Span;
use crate::cose::SigStructure;
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind, ReadError};
use crate::limits::Limits;

/// A valid public key: its point is on the curve, or its modulus and exponent are in range.
///
/// Two keys are equal if they have the same value, however they were encoded. An owner may appear
/// as a SubjectPublicKeyInfo in one entry and as a certificate in the next.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PublicKey {
    key_kind: KeyKind,
    components: Components,
    /// Exponent of RSA, zero for the others.
    exponent: u64,
}

/// Coordinates or modulus, big-endian at full width. Coordinates are stored without allocation,
/// because a batch creates one key for every owner.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Components {
    Coordinates([u8; 96]),
    Modulus(Box<[u8]>),
}

impl PublicKey {
    /// The key with these components, which are known to be valid. They may lack leading zeros.
    pub(crate) fn from_valid_parts(key_kind: KeyKind, a: &[u8], b: &[u8]) -> Self {
        let width = key_kind.coordinate();
        if key_kind.is_rsa() {
            let exponent = exponent_value(b).unwrap_or_default();
            return Self {
                key_kind,
                components: Components::Modulus(a.into()),
                exponent,
            };
        }
        let mut coordinates = [0; 96];
        for (number, end) in [(a, width), (b, width.saturating_mul(2))] {
            // Stripped of zeros, a coordinate has at most its width.
            let start = end.saturating_sub(number.len());
            if let Some(slot) = coordinates.get_mut(start..end) {
                slot.iter_mut()
                    .zip(number)
                    .for_each(|(to, from)| *to = *from);
            }
        }
        Self {
            key_kind,
            components: Components::Coordinates(coordinates),
            exponent: 0,
        }
    }

    /// The key with these components; `a` and `b` may lack leading zeros.
    pub(crate) fn from_parts<E: ReadError>(
        key_kind: KeyKind,
        a: &[u8],
        b: &[u8],
    ) -> Result<Self, E> {
        let key = Self::from_valid_parts(key_kind, a, b);
        let off_curve = || E::new(ErrorKind::PointNotOnCurve);
        if !key_kind.is_built() {
            let why = "this library was built for another curve alone";
            return Err(E::text(ErrorKind::FeatureDisabled, why));
        }
        match key_kind {
            KeyKind::P256 => {
                p256::PublicKey::from_sec1_bytes(sec1(key.components(), &mut [0; 97]))
                    .map_err(|_| off_curve())?;
            }
            KeyKind::P384 => {
                p384::PublicKey::from_sec1_bytes(sec1(key.components(), &mut [0; 97]))
                    .map_err(|_| off_curve())?;
            }
            KeyKind::Ed25519 => {
                let bytes = key.components().first_chunk().ok_or_else(off_curve)?;
                let point =
                    ed25519_dalek::VerifyingKey::from_bytes(bytes).map_err(|_| off_curve())?;
                if point.is_weak() {
                    return Err(E::text(
                        ErrorKind::PointNotOnCurve,
                        "a point of small order",
                    ));
                }
            }
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => {
                if super::rsa_material(a, b)? != key_kind {
                    return Err(E::new(ErrorKind::RsaModulus));
                }
            }
        }
        Ok(key)
    }

    /// The key of a SubjectPublicKeyInfo in DER (RFC 5280 §4.1.2.7). It must fill `der` exactly.
    ///
    /// An RSA key under the algorithm id-RSASSA-PSS without parameters is read too, as it is by
    /// [`LocalKey::from_der`](crate::LocalKey::from_der). In certificates and vouchers that algorithm is
    /// refused: FDO writes rsaEncryption, also for PSS.
    ///
    /// # Errors
    /// [`ErrorKind::KeyEncoding`], [`ErrorKind::PointEncoding`], [`ErrorKind::PointNotOnCurve`],
    /// [`ErrorKind::RsaModulus`], [`ErrorKind::RsaExponent`], or [`ErrorKind::UnsupportedKeyType`]
    /// for a key type that FDO does not support, and for id-RSASSA-PSS with parameters.
    pub fn from_spki_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > Limits::MAX_INPUT {
            return Err(Error::new(ErrorKind::LimitInput));
        }
        let found = find_in_file::<Error>(der)?;
        Self::from_parts(found.key_kind, found.a.of(der), found.b.of(der))
    }

    /// The same for what is inside a certificate.
    pub(crate) fn from_certified_spki(der: &[u8]) -> Result<Self, Error> {
        if der.len() > Limits::MAX_INPUT {
            return Err(Error::new(ErrorKind::LimitInput));
        }
        let found = find_in_spki::<Error>(der, Span::new(0, der.len()))?;
        Self::from_parts(found.key_kind, found.a.of(der), found.b.of(der))
    }

    /// The key of an X.509 certificate in DER. The certificate is not verified.
    ///
    /// # Errors
    /// [`ErrorKind::Certificate`], and those of [`from_spki_der`](Self::from_spki_der).
    pub fn from_certificate_der(der: &[u8]) -> Result<Self, Error> {
        if der.len() > Limits::MAX_INPUT {
            return Err(Error::new(ErrorKind::LimitInput));
        }
        let spki = certificate_spki::<Error>(der, Span::new(0, der.len()))?;
        Self::from_certified_spki(spki.of(der))
    }

    /// The key of an uncompressed SEC 1 point (§2.3.3: 04 ‖ x ‖ y). The length selects P-256 or
    /// P-384.
    ///
    /// # Errors
    /// [`ErrorKind::PointEncoding`] and [`ErrorKind::PointNotOnCurve`].
    pub fn from_sec1(point: &[u8]) -> Result<Self, Error> {
        let (key_kind, coordinates) = match point.split_first() {
            Some((4, rest)) if rest.len() == 64 => (KeyKind::P256, rest),
            Some((4, rest)) if rest.len() == 96 => (KeyKind::P384, rest),
            _ => return Err(Error::new(ErrorKind::PointEncoding)),
        };
        let (x, y) = coordinates
            .split_at_checked(key_kind.coordinate())
            .ok_or_else(|| Error::new(ErrorKind::PointEncoding))?;
        Self::from_parts(key_kind, x, y)
    }

    /// The RSA key with this modulus and exponent, as a TPM or PKCS#11 token reports them:
    /// big-endian, with or without leading zeros.
    ///
    /// # Errors
    /// [`ErrorKind::RsaModulus`] if the modulus is even or does not have 2048 or 3072 bits;
    /// [`ErrorKind::RsaExponent`] if the exponent is even or not in 65537 to 2^32.
    pub fn from_rsa(modulus: &[u8], exponent: &[u8]) -> Result<Self, Error> {
        let trimmed = |number: &'_ [u8]| {
            let zeros = number.iter().take_while(|&&byte| byte == 0).count();
            number.get(zeros..).unwrap_or_default().to_vec()
        };
        let (modulus, exponent) = (trimmed(modulus), trimmed(exponent));
        let key_kind = super::rsa_material::<Error>(&modulus, &exponent)?;
        Self::from_parts(key_kind, &modulus, &exponent)
    }

    /// The Ed25519 key with these 32 bytes (RFC 8032 §5.1.5).
    ///
    /// # Errors
    /// [`ErrorKind::PointNotOnCurve`], also for points of small order.
    pub fn from_ed25519(bytes: &[u8; 32]) -> Result<Self, Error> {
        Self::from_parts(KeyKind::Ed25519, bytes, &[])
    }

    /// The SubjectPublicKeyInfo in DER. RSA keys have the algorithm rsaEncryption, which FDO
    /// requires for PSS too.
    #[must_use]
    pub fn to_spki_der(&self) -> Vec<u8> {
        match self.spki_prefix() {
            Some(prefix) => [prefix, self.components()].concat(),
            // Encoding into a growing buffer fails for lengths past 2^28 only.
            None => self.rsa_spki().unwrap_or_default(),
        }
    }

    /// The hash of the SubjectPublicKeyInfo, without heap allocation for keys that are not RSA.
    pub(crate) fn spki_digest(&self, hash: HashAlgorithm) -> Digest {
        match self.spki_prefix() {
            Some(prefix) => hash.digest(&[prefix, self.components()]),
            None => hash.digest(&[&self.to_spki_der()]),
        }
    }

    const fn spki_prefix(&self) -> Option<&'static [u8]> {
        match self.key_kind {
            KeyKind::P256 => Some(P256_PREFIX),
            KeyKind::P384 => Some(P384_PREFIX),
            KeyKind::Ed25519 => Some(ED25519_PREFIX),
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => None,
        }
    }

    fn rsa_spki(&self) -> ::der::Result<Vec<u8>> {
        let exponent = self.exponent.to_be_bytes();
        let components = [UintRef::new(self.components())?, UintRef::new(&exponent)?]
            .to_vec()
            .to_der()?;
        SubjectPublicKeyInfoRef {
            algorithm: AlgorithmIdentifierRef {
                oid: RSA,
                parameters: Some(::der::AnyRef::NULL),
            },
            subject_public_key: BitStringRef::from_bytes(&components)?,
        }
        .to_der()
    }

    /// SHA-256 of the SubjectPublicKeyInfo. It identifies an owner in reports and allow lists.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        sha2::Sha256::digest(self.to_spki_der()).into()
    }

    /// The FDO label of a key of this type; for RSA, the one with PKCS#1 v1.5 signatures.
    #[must_use]
    pub const fn default_key_type(&self) -> KeyType {
        self.key_kind.default_key_type()
    }

    /// The nominal key size in bits: 256, 384, 2048 or 3072.
    #[must_use]
    pub const fn bits(&self) -> usize {
        self.key_kind.coordinate().saturating_mul(8)
    }

    pub(crate) const fn key_kind(&self) -> KeyKind {
        self.key_kind
    }

    pub(crate) const fn exponent(&self) -> u64 {
        self.exponent
    }

    /// The concatenated coordinates, or the modulus.
    pub(crate) fn components(&self) -> &[u8] {
        match (&self.components, self.key_kind) {
            (Components::Modulus(modulus), _) => modulus,
            (Components::Coordinates(xy), KeyKind::P384) => xy,
            (Components::Coordinates(xy), KeyKind::Ed25519) => xy.get(..32).unwrap_or_default(),
            (Components::Coordinates(xy), _) => xy.get(..64).unwrap_or_default(),
        }
    }

    /// Verifies that `signature` is a signature over `message` under this key.
    ///
    /// The algorithm must match the key: ES256 for P-256, and so on. RSA keys accept both paddings,
    /// with the hash of their size. ECDSA signatures are r ‖ s; high s is accepted.
    ///
    /// # Errors
    /// [`ErrorKind::AlgorithmMismatch`], [`ErrorKind::SignatureLength`],
    /// [`ErrorKind::SignatureInvalid`]; [`ErrorKind::FeatureDisabled`] for RSA in a build without
    /// `rsa`.
    pub fn verify(
        &self,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), Error> {
        let fits = [
            self.key_kind.algorithm(KeyType::RsaPss),
            self.key_kind.algorithm(KeyType::RsaPkcs),
        ];
        if !fits.contains(&algorithm) {
            return Err(Error::because(
                ErrorKind::AlgorithmMismatch,
                algorithm.name(),
            ));
        }
        if signature.len() != algorithm.signature_len() {
            let (found, wanted) = (signature.len() as u64, algorithm.signature_len() as u64);
            return Err(Error::count(
                ErrorKind::SignatureLength,
                found,
                wanted,
                "bytes",
            ));
        }
        self.verify_parts(algorithm, &SigStructure::plain(message), signature)
    }

    /// The same for a message in parts; algorithm and length are known to match.
    pub(crate) fn verify_parts<E: ReadError>(
        &self,
        algorithm: Algorithm,
        message: &SigStructure<'_>,
        signature: &[u8],
    ) -> Result<(), E> {
        use signature::hazmat::PrehashVerifier as _;
        let good = match algorithm {
            Algorithm::Es256 if KeyKind::P256.is_built() => {
                let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(sec1(
                    self.components(),
                    &mut [0; 97],
                ));
                let signature = p256::ecdsa::Signature::from_slice(signature);
                match (key, signature) {
                    (Ok(key), Ok(signature)) => key
                        .verify_prehash(message.sha256().as_slice(), &signature)
                        .is_ok(),
                    _ => false,
                }
            }
            Algorithm::Es384 if KeyKind::P384.is_built() => {
                let key = p384::ecdsa::VerifyingKey::from_sec1_bytes(sec1(
                    self.components(),
                    &mut [0; 97],
                ));
                let signature = p384::ecdsa::Signature::from_slice(signature);
                match (key, signature) {
                    (Ok(key), Ok(signature)) => key
                        .verify_prehash(message.sha384().as_slice(), &signature)
                        .is_ok(),
                    _ => false,
                }
            }
            Algorithm::EdDsa if KeyKind::Ed25519.is_built() => {
                self.verify_ed25519(message, signature)
            }
            _ => self.verify_rsa(algorithm, message, signature)?,
        };
        if good {
            Ok(())
        } else {
            Err(E::new(ErrorKind::SignatureInvalid))
        }
    }

    fn verify_ed25519(&self, message: &SigStructure<'_>, signature: &[u8]) -> bool {
        let key: Option<&[u8; 32]> = self.components().first_chunk();
        let key = key.and_then(|key| ed25519_dalek::VerifyingKey::from_bytes(key).ok());
        let signature = ed25519_dalek::Signature::from_slice(signature).ok();
        match (key, signature) {
            (Some(key), Some(signature)) => {
                key.verify_strict(&message.to_vec(), &signature).is_ok()
            }
            _ => false,
        }
    }

    #[cfg(feature = "rsa")]
    fn verify_rsa<E: ReadError>(
        &self,
        algorithm: Algorithm,
        message: &SigStructure<'_>,
        signature: &[u8],
    ) -> Result<bool, E> {
        use super::rsa::{Padding, RsaKey};
        let Some(key) = RsaKey::new(self.components(), self.exponent) else {
            return Err(E::new(ErrorKind::RsaModulus));
        };
        let padding = Padding::of(algorithm);
        Ok(match algorithm.hash() {
            Some(HashAlgorithm::Sha384) => key.verify(padding, &message.sha384(), signature),
            _ => key.verify(padding, &message.sha256(), signature),
        })
    }

    #[cfg(not(feature = "rsa"))]
    fn verify_rsa<E: ReadError>(
        &self,
        _: Algorithm,
        _: &SigStructure<'_>,
        _: &[u8],
    ) -> Result<bool, E> {
        Err(E::text(
            ErrorKind::FeatureDisabled,
            "RSA needs the feature `rsa`",
        ))
    }
}

/// An uncompressed point from its coordinates, of at most 96 bytes, without heap allocation.
fn sec1<'r>(coordinates: &[u8], room: &'r mut [u8; 97]) -> &'r [u8] {
    let [tag, rest @ ..] = room;
    *tag = 4;
    rest.iter_mut()
        .zip(coordinates)
        .for_each(|(to, from)| *to = *from);
    room.get(..coordinates.len().saturating_add(1))
        .unwrap_or_default()
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ", self.key_kind)?;
        self.fingerprint()
            .iter()
            .try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
