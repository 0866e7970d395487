//! Signers: keys in memory, and the interface for keys elsewhere.

#[cfg(feature = "rsa-signing")]
mod rsa;

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use ed25519_dalek::pkcs8::{DecodePrivateKey as _, EncodePrivateKey as _};
use signature::Signer as _;
use zeroize::Zeroizing;

pub use crate::algorithm::Algorithm;
/// The traits that [`TraitSigner`] and
/// [`Extension::hand_over_async`](crate::Extension::hand_over_async) take, in the version that they
/// take.
pub use signature;

use crate::cose::SigStructure;
use crate::digest::Digest;
use crate::error::{Error, ErrorKind, Keys};
use crate::key::{KeyKind, KeyType, PublicKey};

/// The private key of an owner, in memory or in a device or service.
///
/// Keys that answer later (a cloud service, a manual approval) need no trait: sign
/// [`Extension::to_be_signed`](crate::Extension::to_be_signed), then call
/// [`Extension::finish`](crate::Extension::finish).
///
/// ```
/// use ownership_voucher::sign::Algorithm;
/// use ownership_voucher::{Error, OwnerSigner, PublicKey};
/// # struct Token;
/// # impl Token {
/// #     fn ecdsa_sha256(&self, _: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![0; 64]) }
/// # }
///
/// impl OwnerSigner for Token {
///     fn public_key(&self) -> Option<PublicKey> {
///         None
///     }
///
///     fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
///         match algorithm {
///             Algorithm::Es256 => self.ecdsa_sha256(message).map_err(Error::signer),
///             _ => Err(Error::signer("the token has a P-256 key")),
///         }
///     }
/// }
/// # assert!(Token.sign(Algorithm::Es256, b"message").is_ok());
/// ```
pub trait OwnerSigner {
    /// The public key, if it is known. A token that cannot export its key returns `None`; a wrong
    /// key is then detected when the signature is verified.
    fn public_key(&self) -> Option<PublicKey>;

    /// The signature over the message (not over its digest) with this algorithm.
    ///
    /// ECDSA signatures are r ‖ s (RFC 9053 §2.1) or DER (RFC 3279 §2.2.3). The salt of RSA PSS is
    /// as long as the hash.
    ///
    /// # Errors
    /// [`Error::signer`] with the error of the device or service.
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error>;
}

impl<S: OwnerSigner + ?Sized> OwnerSigner for &S {
    fn public_key(&self) -> Option<PublicKey> {
        (**self).public_key()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        (**self).sign(algorithm, message)
    }
}

impl<S: OwnerSigner + ?Sized> OwnerSigner for Box<S> {
    fn public_key(&self) -> Option<PublicKey> {
        (**self).public_key()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        (**self).sign(algorithm, message)
    }
}

/// An [`OwnerSigner`] from any implementation of [`signature::Signer`] and its public key.
///
/// The signature type `G` determines the encoding; r ‖ s, DER and RSA are accepted.
pub struct TraitSigner<S, G> {
    signer: S,
    public_key: PublicKey,
    encoding: PhantomData<fn() -> G>,
}

impl<S, G> TraitSigner<S, G> {
    /// A signer with this implementation and the public key that belongs to it.
    #[must_use]
    pub const fn new(signer: S, public_key: PublicKey) -> Self {
        Self {
            signer,
            public_key,
            encoding: PhantomData,
        }
    }
}

impl<S, G> OwnerSigner for TraitSigner<S, G>
where
    S: signature::Signer<G>,
    G: signature::SignatureEncoding,
{
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.public_key.clone())
    }

    fn sign(&self, _: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(self
            .signer
            .try_sign(message)
            .map_err(Error::signer)?
            .to_vec())
    }
}

/// An [`OwnerSigner`] from a closure and the public key, if that is known. The closure gets the
/// algorithm and the message, as [`OwnerSigner::sign`] does; its error becomes the
/// [`source`](core::error::Error::source) of [`ErrorKind::SignerFailed`].
///
/// ```
/// use ownership_voucher::{PublicKey, sign};
/// # fn ask_service(_: &str, _: &[u8]) -> Result<Vec<u8>, std::io::Error> { Ok(vec![0; 64]) }
///
/// fn signer(key: PublicKey) -> impl ownership_voucher::OwnerSigner {
///     sign::from_fn(Some(key), |algorithm, message| ask_service(algorithm.name(), message))
/// }
/// ```
pub const fn from_fn<F, E>(public_key: Option<PublicKey>, sign: F) -> FnSigner<F>
where
    F: Fn(Algorithm, &[u8]) -> Result<Vec<u8>, E>,
    E: Into<Box<dyn core::error::Error + Send + Sync>>,
{
    FnSigner { public_key, sign }
}

/// The signer that [`from_fn`] returns.
#[derive(Clone)]
pub struct FnSigner<F> {
    public_key: Option<PublicKey>,
    sign: F,
}

impl<F, E> OwnerSigner for FnSigner<F>
where
    F: Fn(Algorithm, &[u8]) -> Result<Vec<u8>, E>,
    E: Into<Box<dyn core::error::Error + Send + Sync>>,
{
    fn public_key(&self) -> Option<PublicKey> {
        self.public_key.clone()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        (self.sign)(algorithm, message).map_err(Error::signer)
    }
}

impl<F> fmt::Debug for FnSigner<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FnSigner")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

impl<S, G> fmt::Debug for TraitSigner<S, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TraitSigner")
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// A private key in memory: P-256, P-384 or Ed25519; with the feature `rsa-signing` also RSA of 2048
/// or 3072 bits.
///
/// The key is wiped when dropped, and the stack is wiped after signing. Its `Debug` prints the public
/// key.
///
/// The `rsa` crate computes RSA signatures, blinded with random numbers of the operating system. It
/// leaves copies of private numbers in freed memory, also of a key that was dropped, and its time was
/// measured by its authors only: where others share the machine, leave RSA keys in a TPM, HSM or key
/// service and sign through [`OwnerSigner`]. SECURITY.md says what is known.
#[derive(Clone)]
pub struct LocalKey(Secret);

#[derive(Clone)]
enum Secret {
    P256(p256::ecdsa::SigningKey),
    P384(p384::ecdsa::SigningKey),
    Ed25519(ed25519_dalek::SigningKey),
    #[cfg(feature = "rsa-signing")]
    Rsa(rsa::RsaSecret),
}

impl LocalKey {
    /// The key with this secret: a big-endian scalar of 32 or 48 bytes in [1, n - 1] for P-256 and
    /// P-384, or the 32 bytes of RFC 8032 for Ed25519.
    ///
    /// [`generate`](Self::generate) makes a new key.
    ///
    /// # Errors
    /// [`ErrorKind::BadCall`] for a scalar that is out of range or has the wrong length,
    /// [`ErrorKind::UnsupportedKeyType`] for RSA, where a key is more than one number: see
    /// [`from_der`](Self::from_der).
    pub fn from_secret(key_type: KeyType, secret: &[u8]) -> Result<Self, Error> {
        let bad = || Error::because(ErrorKind::BadCall, "a private key in range expected");
        match key_type {
            KeyType::Secp256r1 => p256::ecdsa::SigningKey::from_slice(secret)
                .map(|key| Self(Secret::P256(key)))
                .map_err(|_| bad()),
            KeyType::Secp384r1 => p384::ecdsa::SigningKey::from_slice(secret)
                .map(|key| Self(Secret::P384(key)))
                .map_err(|_| bad()),
            KeyType::Ed25519 => ed25519_dalek::SigningKey::try_from(secret)
                .map(|key| Self(Secret::Ed25519(key)))
                .map_err(|_| bad()),
            _ => Err(Error::because(
                ErrorKind::UnsupportedKeyType,
                "an RSA key is read from DER",
            )),
        }
    }

    /// A new key, from a caller's generator of random bytes: a function that fills a slice, such as
    /// `getrandom::fill`. The bytes are wiped.
    ///
    /// # Errors
    /// [`ErrorKind::RandomFailed`] with the generator's error as the source, or without one if the
    /// generator gives no usable secret in 8 attempts: with random bytes, less than one in 2^32 fails.
    /// [`ErrorKind::UnsupportedKeyType`] for RSA.
    ///
    /// ```
    /// use ownership_voucher::{KeyType, LocalKey};
    /// # mod getrandom {
    /// #     pub fn fill(bytes: &mut [u8]) -> Result<(), std::io::Error> { bytes.fill(7); Ok(()) }
    /// # }
    /// # fn main() -> Result<(), ownership_voucher::Error> {
    /// let key = LocalKey::generate(KeyType::Secp384r1, getrandom::fill)?;
    /// println!("{:?}", key.public_key());
    /// # Ok(())
    /// # }
    /// ```
    pub fn generate<E>(
        key_type: KeyType,
        mut random: impl FnMut(&mut [u8]) -> Result<(), E>,
    ) -> Result<Self, Error>
    where
        E: Into<Box<dyn core::error::Error + Send + Sync>>,
    {
        let mut secret = Zeroizing::new([0; 48]);
        let secret = match key_type {
            KeyType::Secp384r1 => &mut secret[..],
            _ => secret.first_chunk_mut::<32>().map_or(&mut [][..], |it| it),
        };
        for _ in 0..ATTEMPTS {
            random(secret).map_err(|error| Error::with_source(ErrorKind::RandomFailed, error))?;
            match Self::from_secret(key_type, secret) {
                Err(error) if error.kind() == ErrorKind::BadCall => {}
                done => return done,
            }
        }
        Err(Error::because(
            ErrorKind::RandomFailed,
            "no secret in range in 8 attempts",
        ))
    }

    /// The key of a PKCS#8 (RFC 5958), SEC 1 (RFC 5915) or PKCS#1 (RFC 8017 §A.1.2) private key in
    /// DER. The formats are tried in this order, whatever the PEM label said: files of pri-fidoiot
    /// have the label "EC PRIVATE KEY" for PKCS#8.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] if it has none of these formats, or if the numbers of an RSA key do
    /// not belong together. For RSA also [`ErrorKind::RsaModulus`], [`ErrorKind::RsaExponent`],
    /// [`ErrorKind::UnsupportedKeyType`] for id-RSASSA-PSS with parameters, and
    /// [`ErrorKind::FeatureDisabled`] in a build without `rsa-signing`.
    pub fn from_der(der: &[u8]) -> Result<Self, Error> {
        let secret = if let Ok(key) = p256::SecretKey::from_pkcs8_der(der) {
            Secret::P256(key.into())
        } else if let Ok(key) = p384::SecretKey::from_pkcs8_der(der) {
            Secret::P384(key.into())
        } else if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            Secret::Ed25519(key)
        } else if let Ok(key) = p256::SecretKey::from_sec1_der(der) {
            Secret::P256(key.into())
        } else if let Ok(key) = p384::SecretKey::from_sec1_der(der) {
            Secret::P384(key.into())
        } else {
            rsa_from_der(der)?
        };
        Ok(Self(secret))
    }

    /// The key as PKCS#8 in DER, for a file. The bytes are wiped when dropped.
    ///
    /// # Errors
    /// [`ErrorKind::KeyEncoding`] if the encoder fails, which is not expected.
    pub fn to_pkcs8_der(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        let document = match &self.0 {
            Secret::P256(key) => p256::SecretKey::from(key).to_pkcs8_der(),
            Secret::P384(key) => p384::SecretKey::from(key).to_pkcs8_der(),
            Secret::Ed25519(key) => key.to_pkcs8_der(),
            #[cfg(feature = "rsa-signing")]
            Secret::Rsa(key) => return key.to_pkcs8_der(),
        };
        document
            .map(|document| document.to_bytes())
            .map_err(|_| Error::new(ErrorKind::KeyEncoding))
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        // What is computed from a private key lies on its curve.
        let ec = |key_kind, point: &[u8]| {
            let coordinates = point.get(1..).unwrap_or_default();
            let (x, y) = coordinates
                .split_at_checked(KeyKind::coordinate(key_kind))
                .unwrap_or_default();
            PublicKey::from_valid_parts(key_kind, x, y)
        };
        match &self.0 {
            Secret::P256(key) => ec(
                KeyKind::P256,
                key.verifying_key().to_sec1_point(false).as_bytes(),
            ),
            Secret::P384(key) => ec(
                KeyKind::P384,
                key.verifying_key().to_sec1_point(false).as_bytes(),
            ),
            Secret::Ed25519(key) => {
                let point = key.verifying_key();
                PublicKey::from_valid_parts(KeyKind::Ed25519, point.as_bytes(), &[])
            }
            #[cfg(feature = "rsa-signing")]
            Secret::Rsa(key) => key.public_key().clone(),
        }
    }

    /// The algorithm that this key signs with. An RSA key also signs with PSS, and then this is
    /// PKCS#1 v1.5, unless its file permits PSS alone (id-RSASSA-PSS).
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.0 {
            Secret::P256(_) => Algorithm::Es256,
            Secret::P384(_) => Algorithm::Es384,
            Secret::Ed25519(_) => Algorithm::EdDsa,
            #[cfg(feature = "rsa-signing")]
            Secret::Rsa(ref key) => key.algorithm(),
        }
    }

    /// Whether this key signs with this algorithm.
    fn signs_with(&self, algorithm: Algorithm) -> bool {
        match &self.0 {
            #[cfg(feature = "rsa-signing")]
            Secret::Rsa(key) => key.signs_with(algorithm),
            _ => algorithm == self.algorithm(),
        }
    }
}

impl OwnerSigner for LocalKey {
    fn public_key(&self) -> Option<PublicKey> {
        Some(Self::public_key(self))
    }

    /// Signs deterministically (RFC 6979, RFC 8032, PKCS#1 v1.5), except for PSS.
    ///
    /// # Errors
    /// [`ErrorKind::AlgorithmMismatch`]; for RSA also [`ErrorKind::RandomFailed`] and
    /// [`ErrorKind::SignerFailed`].
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        if !self.signs_with(algorithm) {
            return Err(Error::because(
                ErrorKind::AlgorithmMismatch,
                algorithm.name(),
            ));
        }
        let signature = self.signature(algorithm, message);
        zeroize::zeroize_stack::<STACK>();
        signature
    }
}

impl fmt::Debug for LocalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LocalKey").field(&self.public_key()).finish()
    }
}

/// The attempts at a secret in range. One in 2^32 is out of range for P-256; so many in a row mean a
/// broken generator.
const ATTEMPTS: usize = 8;

/// More stack than signing uses.
const STACK: usize = 16 << 10;

impl LocalKey {
    /// Signs in a separate stack frame, which lies in the wiped region.
    #[inline(never)]
    #[cfg_attr(
        not(feature = "rsa-signing"),
        expect(unused_variables, clippy::unnecessary_wraps)
    )]
    fn signature(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        Ok(match &self.0 {
            Secret::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Secret::P384(key) => {
                let signature: p384::ecdsa::Signature = key.sign(message);
                signature.to_bytes().to_vec()
            }
            Secret::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
            #[cfg(feature = "rsa-signing")]
            Secret::Rsa(key) => return key.sign(algorithm, message),
        })
    }
}

/// The RSA key of PKCS#8 or PKCS#1 in DER, which is no key of another kind.
#[cfg(feature = "rsa-signing")]
fn rsa_from_der(der: &[u8]) -> Result<Secret, Error> {
    let wanted = "a P-256, P-384, Ed25519 or RSA private key in PKCS#8, SEC 1 or PKCS#1 expected";
    let none = || Err(Error::because(ErrorKind::BadArgument, wanted));
    let key = rsa::RsaSecret::from_der(der).unwrap_or_else(none)?;
    Ok(Secret::Rsa(key))
}

/// rsaEncryption (RFC 8017 §A.1).
#[cfg(not(feature = "rsa-signing"))]
const RSA: spki::ObjectIdentifier = spki::ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// The error for DER that is no key of another kind.
#[cfg(not(feature = "rsa-signing"))]
fn rsa_from_der(der: &[u8]) -> Result<Secret, Error> {
    let info = p256::pkcs8::PrivateKeyInfoRef::try_from(der);
    if info.is_ok_and(|info| info.algorithm.oid == RSA) {
        let why = "RSA private keys need the feature `rsa-signing`";
        return Err(Error::because(ErrorKind::FeatureDisabled, why));
    }
    let wanted = "a P-256, P-384 or Ed25519 private key in PKCS#8 or SEC 1 expected";
    Err(Error::because(ErrorKind::BadArgument, wanted))
}

/// The digest of a message, for a token that signs digests; `None` for EdDSA, which signs messages.
pub(crate) fn prehash(algorithm: Algorithm, message: &[u8]) -> Option<Digest> {
    algorithm.hash().map(|hash| hash.digest(&[message]))
}

/// Refuses a signer with another key than the owner's.
pub(crate) fn check_signer(signer: Option<PublicKey>, owner: &PublicKey) -> Result<(), Error> {
    let Some(signer) = signer.filter(|signer| signer != owner) else {
        return Ok(());
    };
    Err(not_owner(owner, Some(&signer)))
}

/// The error of a signer that does not hold the key of the voucher's owner, for crates that derive or
/// look up keys: [`ErrorKind::NotOwner`]. Its message has the fingerprint of the owner, and that of the
/// signer's key if there is one.
///
/// ```
/// use ownership_voucher::{ErrorKind, KeyType, LocalKey, sign::not_owner};
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let owner = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
/// assert_eq!(not_owner(&owner, None).kind(), ErrorKind::NotOwner);
/// # Ok(())
/// # }
/// ```
#[must_use]
pub fn not_owner(owner: &PublicKey, signer: Option<&PublicKey>) -> Error {
    let owner = owner.fingerprint();
    let keys = match signer {
        Some(signer) => Keys::Owner {
            owner,
            signer: signer.fingerprint(),
        },
        None => Keys::NoSigner { owner },
    };
    Error::keys(ErrorKind::NotOwner, keys)
}

/// The signer's signature, at fixed width and verified; ECDSA may be given in DER.
pub(crate) fn checked(
    key: &PublicKey,
    algorithm: Algorithm,
    message: &SigStructure<'_>,
    signature: &[u8],
) -> Result<Vec<u8>, Error> {
    let good = |signature: &[u8]| {
        signature.len() == algorithm.signature_len()
            && key
                .verify_parts::<Error>(algorithm, message, signature)
                .is_ok()
    };
    if good(signature) {
        return Ok(signature.to_vec());
    }
    match fixed_width(algorithm, signature) {
        Some(fixed) if good(&fixed) => Ok(fixed),
        _ => Err(Error::new(ErrorKind::SignerAnswer)),
    }
}

/// Turns an ECDSA signature in DER, as SDO, TPMs and X.509 have it, into r ‖ s; `None` for other bytes and
/// for algorithms that are not ECDSA.
///
/// ```
/// use ownership_voucher::sign::{Algorithm, fixed_width};
/// let der = [&[0x30, 6, 2, 1, 7, 2, 1, 9][..]].concat();
/// let fixed = fixed_width(Algorithm::Es256, &der).unwrap();
/// assert_eq!((fixed.len(), fixed[31], fixed[63]), (64, 7, 9));
/// assert_eq!(fixed_width(Algorithm::Es256, &fixed), None);
/// ```
#[must_use]
pub fn fixed_width(algorithm: Algorithm, der: &[u8]) -> Option<Vec<u8>> {
    match algorithm {
        Algorithm::Es256 => p256::ecdsa::Signature::from_der(der)
            .ok()
            .map(|s| s.to_bytes().to_vec()),
        Algorithm::Es384 => p384::ecdsa::Signature::from_der(der)
            .ok()
            .map(|s| s.to_bytes().to_vec()),
        _ => None,
    }
}
