//! Keys and HMAC secrets in a TPM 2.0, through tpm2-tss.
//!
//! Each is a child of the storage root key of the owner hierarchy, made inside the TPM with
//! fixedTPM and fixedParent, so that its private part cannot leave, and stays at a persistent handle.
//! The PIN is its authorisation value; it goes over the bus inside an HMAC session that is salted with
//! the storage root key and never in clear. The owner hierarchy is expected to have no password.
//!
//! Keys are not restricted: a restricted one signs only what the TPM has hashed and made itself, and
//! FDO has no room for that.

use std::sync::{Arc, Mutex, MutexGuard};

use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::hmac::DeviceHmac;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, OwnerSigner, PublicKey};
use tss_esapi::attributes::{ObjectAttributesBuilder, SessionAttributesBuilder};
use tss_esapi::constants::SessionType;
use tss_esapi::constants::response_code::{Tss2ResponseCode, Tss2ResponseCodeKind as Kind};
use tss_esapi::constants::tss::{TPM2_RH_NULL, TPM2_ST_HASHCHECK};
use tss_esapi::handles::{KeyHandle, ObjectHandle, PersistentTpmHandle, TpmHandle};
use tss_esapi::interface_types::algorithm::{HashingAlgorithm, PublicAlgorithm};
use tss_esapi::interface_types::dynamic_handles::Persistent;
use tss_esapi::interface_types::ecc::EccCurve;
use tss_esapi::interface_types::key_bits::RsaKeyBits;
use tss_esapi::interface_types::resource_handles::{Hierarchy, Provision};
use tss_esapi::interface_types::session_handles::AuthSession;
use tss_esapi::structures::{
    Auth, EccPoint, EccScheme, HashScheme, HmacScheme, KeyedHashScheme, MaxBuffer, Public,
    PublicBuilder, PublicEccParametersBuilder, PublicKeyedHashParameters, RsaExponent, RsaScheme,
    Signature, SignatureScheme, SymmetricDefinition, SymmetricDefinitionObject,
};
use tss_esapi::tss2_esys::TPMT_TK_HASHCHECK;
use tss_esapi::{Context, tcti_ldr::TctiNameConf, utils};
use zeroize::Zeroizing;

use crate::{Failure, Keeper, KeyKind, Result, Secret, Signer, fits, hash_of};

/// Bytes that TPM2_HMAC takes at once (TPM_PT_INPUT_BUFFER of every TPM there is). A header has a few
/// hundred; a manufacturer's certificates can make it longer.
const MOST: usize = 1024;

/// A TPM, opened.
#[derive(Clone)]
pub struct Tpm {
    inner: Arc<Mutex<Inner>>,
    pin: Zeroizing<Vec<u8>>,
}

struct Inner {
    context: Context,
    session: Option<AuthSession>,
    root: KeyHandle,
}

impl Tpm {
    /// Opens the TPM at an address of tpm2-tss, such as `device:/dev/tpmrm0` or
    /// `swtpm:host=127.0.0.1,port=2321`.
    ///
    /// # Errors
    /// [`Failure::NoToken`] where there is none.
    pub fn open(address: &str, pin: &str) -> Result<Self> {
        let none = |why: &dyn std::fmt::Display| Failure::NoToken(format!("{address}: {why}"));
        let place: TctiNameConf = address
            .parse()
            .map_err(|_| none(&"device:, swtpm:, mssim: or tabrmd: expected"))?;
        let mut context = Context::new(place).map_err(|error| none(&error))?;
        let refused = |error| match fault(error, "of the owner hierarchy") {
            Failure::WrongPin => Failure::Other("the owner hierarchy has a password".into()),
            other => other,
        };
        let root = context
            .execute_with_session(Some(AuthSession::Password), |context| {
                let public = storage_root()?;
                context.create_primary(Hierarchy::Owner, public, None, None, None, None)
            })
            .map_err(refused)?
            .key_handle;
        let session = context
            .start_auth_session(
                Some(root),
                None,
                None,
                SessionType::Hmac,
                SymmetricDefinition::AES_128_CFB,
                HashingAlgorithm::Sha256,
            )
            .map_err(refused)?;
        if let Some(session) = session {
            let (attributes, mask) = SessionAttributesBuilder::new()
                .with_continue_session(true)
                .with_decrypt(true)
                .with_encrypt(true)
                .build();
            context
                .tr_sess_set_attributes(session, attributes, mask)
                .map_err(refused)?;
        }
        Ok(Self {
            inner: Arc::new(Mutex::new(Inner {
                context,
                session,
                root,
            })),
            pin: Zeroizing::new(pin.as_bytes().to_vec()),
        })
    }

    fn lock(&self) -> Result<MutexGuard<'_, Inner>> {
        let broken = |_| Failure::Gone("a thread broke off in the middle".into());
        self.inner.lock().map_err(broken)
    }

    fn auth(&self) -> Result<Auth> {
        Auth::try_from(self.pin.to_vec())
            .map_err(|_| Failure::Other("the PIN is longer than a TPM takes".into()))
    }

    /// The object at a persistent handle, ready for use.
    fn find(&self, name: &str) -> Result<(ObjectHandle, Public)> {
        let place = TpmHandle::Persistent(persistent(name)?);
        let mut inner = self.lock()?;
        let wrong = |error| fault(error, name);
        let object = inner.context.tr_from_tpm_public(place).map_err(wrong)?;
        let (public, ..) = inner.context.read_public(object.into()).map_err(wrong)?;
        let auth = self.auth()?;
        inner.context.tr_set_auth(object, auth).map_err(wrong)?;
        Ok((object, public))
    }

    /// Makes an object inside the TPM and keeps it at a persistent handle.
    fn make(&self, name: &str, public: Public) -> Result<()> {
        let place = persistent(name)?;
        match self.find(name) {
            Ok(_) => return Err(Failure::Exists(name.into())),
            Err(Failure::NoKey(_)) => {}
            Err(other) => return Err(other),
        }
        let auth = self.auth()?;
        let mut inner = self.lock()?;
        let (root, session) = (inner.root, inner.session);
        let made = inner.context.execute_with_session(session, |context| {
            let made = context.create(root, public, Some(auth), None, None, None)?;
            context.load(root, made.out_private, made.out_public)
        });
        let object = ObjectHandle::from(made.map_err(|error| fault(error, name))?);
        // The owner hierarchy has no password; the PIN is that of the object.
        let kept = inner
            .context
            .execute_with_session(Some(AuthSession::Password), |context| {
                context.evict_control(Provision::Owner, object, Persistent::Persistent(place))
            });
        let flushed = inner.context.flush_context(object);
        kept.map_err(|error| fault(error, name))?;
        flushed.map_err(|error| fault(error, name))
    }
}

impl Keeper for Tpm {
    fn key(&self, name: &str) -> Result<Signer> {
        let (object, public) = self.find(name)?;
        let wrong = |found: &str| Failure::WrongKind {
            name: name.into(),
            found: found.into(),
            wanted: "a signing key".into(),
        };
        if !public.object_attributes().sign_encrypt() || public.object_attributes().restricted() {
            return Err(wrong("a key that signs nothing from outside"));
        }
        let key = match &public {
            Public::Ecc {
                unique, parameters, ..
            } => {
                let width = match parameters.ecc_curve() {
                    EccCurve::NistP256 => 32,
                    EccCurve::NistP384 => 48,
                    _ => return Err(wrong("a key of another curve")),
                };
                let (x, y) = (unique.x().value(), unique.y().value());
                PublicKey::from_sec1(&[&[4], &*wide(x, width), &*wide(y, width)].concat())?
            }
            Public::Rsa {
                unique, parameters, ..
            } => {
                // Zero stands for the usual one.
                let exponent = match parameters.exponent().value() {
                    0 => 65537_u32,
                    other => other,
                };
                PublicKey::from_rsa(unique.value(), &exponent.to_be_bytes())?
            }
            Public::KeyedHash { .. } => return Err(wrong("an HMAC secret")),
            Public::SymCipher { .. } => return Err(wrong("a symmetric key")),
        };
        Ok(Box::new(TpmKey {
            tpm: self.clone(),
            name: name.into(),
            object,
            key,
        }))
    }

    fn make_key(&self, name: &str, kind: KeyKind) -> Result<Signer> {
        let ecc = |curve, hash| {
            let scheme = EccScheme::EcDsa(HashScheme::new(hash));
            utils::create_unrestricted_signing_ecc_public(scheme, curve)
        };
        // Without a scheme of its own an RSA key signs with either padding.
        let rsa = |bits| {
            let (scheme, exponent) = (RsaScheme::Null, RsaExponent::default());
            utils::create_unrestricted_signing_rsa_public(scheme, bits, exponent)
        };
        let public = match kind {
            KeyKind::P256 => ecc(EccCurve::NistP256, HashingAlgorithm::Sha256),
            KeyKind::P384 => ecc(EccCurve::NistP384, HashingAlgorithm::Sha384),
            KeyKind::Rsa2048 => rsa(RsaKeyBits::Rsa2048),
            KeyKind::Rsa3072 => rsa(RsaKeyBits::Rsa3072),
        };
        self.make(name, public.map_err(|error| fault(error, name))?)?;
        self.key(name)
    }

    fn secret(&self, name: &str) -> Result<Secret> {
        let (object, public) = self.find(name)?;
        let wrong = |found: &str| Failure::WrongKind {
            name: name.into(),
            found: found.into(),
            wanted: "an HMAC secret for SHA-256 or SHA-384".into(),
        };
        let Public::KeyedHash { parameters, .. } = public else {
            return Err(wrong("a signing key"));
        };
        let hash = match () {
            () if parameters == hmac(HashingAlgorithm::Sha256) => HashAlgorithm::Sha256,
            () if parameters == hmac(HashingAlgorithm::Sha384) => HashAlgorithm::Sha384,
            () => return Err(wrong("another keyed hash")),
        };
        Ok(Box::new(TpmSecret {
            tpm: self.clone(),
            name: name.into(),
            object,
            hash,
        }))
    }

    fn make_secret(&self, name: &str, hash: HashAlgorithm) -> Result<Secret> {
        let attributes = ObjectAttributesBuilder::new()
            .with_fixed_tpm(true)
            .with_fixed_parent(true)
            .with_sensitive_data_origin(true)
            .with_user_with_auth(true)
            .with_sign_encrypt(true)
            .build();
        let public = attributes.and_then(|attributes| {
            PublicBuilder::new()
                .with_public_algorithm(PublicAlgorithm::KeyedHash)
                .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
                .with_object_attributes(attributes)
                .with_keyed_hash_parameters(hmac(hashing(hash)))
                .with_keyed_hash_unique_identifier(Default::default())
                .build()
        });
        self.make(name, public.map_err(|error| fault(error, name))?)?;
        self.secret(name)
    }
}

struct TpmKey {
    tpm: Tpm,
    name: String,
    object: ObjectHandle,
    key: PublicKey,
}

impl TpmKey {
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>> {
        fits(&self.name, self.key.default_key_type(), algorithm)?;
        let hash = hash_of(algorithm)?;
        let hash_scheme = HashScheme::new(hashing(hash));
        let scheme = match algorithm {
            Algorithm::Es256 | Algorithm::Es384 => SignatureScheme::EcDsa { hash_scheme },
            Algorithm::Ps256 | Algorithm::Ps384 => SignatureScheme::RsaPss { hash_scheme },
            _ => SignatureScheme::RsaSsa { hash_scheme },
        };
        let wrong = |error| fault(error, &self.name);
        let digest = hash.digest(&[message]).as_bytes().to_vec();
        let digest = digest.try_into().map_err(wrong)?;
        // The ticket of nobody: the digest was computed outside.
        let ticket = TPMT_TK_HASHCHECK {
            tag: TPM2_ST_HASHCHECK,
            hierarchy: TPM2_RH_NULL,
            digest: Default::default(),
        };
        let ticket = ticket.try_into().map_err(wrong)?;
        let mut inner = self.tpm.lock()?;
        let session = inner.session;
        let signature = inner.context.execute_with_session(session, |context| {
            context.sign(self.object.into(), digest, scheme, ticket)
        });
        match signature.map_err(wrong)? {
            Signature::EcDsa(parts) => {
                // Numbers, without their leading zeros.
                let width = hash.len();
                let (r, s) = (parts.signature_r().value(), parts.signature_s().value());
                Ok([wide(r, width), wide(s, width)].concat())
            }
            Signature::RsaSsa(rsa) | Signature::RsaPss(rsa) => Ok(rsa.signature().value().to_vec()),
            _ => Err(Failure::Other("the TPM signed with something else".into())),
        }
    }
}

impl OwnerSigner for TpmKey {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.key.clone())
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        self.sign(algorithm, message).map_err(Error::signer)
    }
}

struct TpmSecret {
    tpm: Tpm,
    name: String,
    object: ObjectHandle,
    hash: HashAlgorithm,
}

impl TpmSecret {
    fn hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest> {
        if algorithm != self.hash {
            return Err(Failure::WrongKind {
                name: self.name.clone(),
                found: format!("a secret for HMAC with {}", self.hash.name()),
                wanted: format!("HMAC with {}", algorithm.name()),
            });
        }
        if header.len() > MOST {
            let bytes = header.len();
            let why = format!("a header of {bytes} bytes; TPM2_HMAC takes {MOST} at once");
            return Err(Failure::Other(why));
        }
        let wrong = |error| fault(error, &self.name);
        let header = MaxBuffer::try_from(header.to_vec()).map_err(wrong)?;
        let mut inner = self.tpm.lock()?;
        let session = inner.session;
        let value = inner.context.execute_with_session(session, |context| {
            context.hmac(self.object, header, hashing(algorithm))
        });
        Digest::new(algorithm, value.map_err(wrong)?.value())
            .ok_or_else(|| Failure::Other("the TPM's HMAC has another length".into()))
    }
}

impl DeviceHmac for TpmSecret {
    fn header_hmac(
        &self,
        algorithm: HashAlgorithm,
        header: &[u8],
    ) -> std::result::Result<Digest, Error> {
        self.hmac(algorithm, header).map_err(Error::signer)
    }
}

/// The storage root key, after the template for P-256 of the TCG (EK credential profile, SRK): the
/// same each time.
fn storage_root() -> tss_esapi::Result<Public> {
    let attributes = ObjectAttributesBuilder::new()
        .with_fixed_tpm(true)
        .with_fixed_parent(true)
        .with_sensitive_data_origin(true)
        .with_user_with_auth(true)
        .with_no_da(true)
        .with_restricted(true)
        .with_decrypt(true)
        .build()?;
    let parameters = PublicEccParametersBuilder::new_restricted_decryption_key(
        SymmetricDefinitionObject::AES_128_CFB,
        EccCurve::NistP256,
    );
    PublicBuilder::new()
        .with_public_algorithm(PublicAlgorithm::Ecc)
        .with_name_hashing_algorithm(HashingAlgorithm::Sha256)
        .with_object_attributes(attributes)
        .with_ecc_parameters(parameters.build()?)
        .with_ecc_unique_identifier(EccPoint::default())
        .build()
}

const fn hmac(hash: HashingAlgorithm) -> PublicKeyedHashParameters {
    PublicKeyedHashParameters::new(KeyedHashScheme::Hmac {
        hmac_scheme: HmacScheme::new(hash),
    })
}

const fn hashing(hash: HashAlgorithm) -> HashingAlgorithm {
    match hash {
        HashAlgorithm::Sha256 => HashingAlgorithm::Sha256,
        HashAlgorithm::Sha384 => HashingAlgorithm::Sha384,
    }
}

/// A number at full width.
fn wide(number: &[u8], width: usize) -> Vec<u8> {
    let zeros = width.saturating_sub(number.len());
    [&vec![0; zeros], number].concat()
}

/// `0x81010001` as a handle; those of the owner hierarchy are 0x81000000 to 0x817fffff.
fn persistent(name: &str) -> Result<PersistentTpmHandle> {
    let number = name
        .strip_prefix("0x")
        .and_then(|digits| u32::from_str_radix(digits, 16).ok())
        .filter(|number| (0x8100_0000..=0x817f_ffff).contains(number));
    let wanted = || {
        Failure::Other(format!(
            "{name}: a handle 0x81000000 to 0x817fffff expected"
        ))
    };
    PersistentTpmHandle::new(number.ok_or_else(wanted)?).map_err(|_| wanted())
}

/// What an answer of tpm2-tss means. `name` is the key that it was about.
fn fault(error: tss_esapi::Error, name: &str) -> Failure {
    let tss_esapi::Error::Tss2Error(code) = error else {
        return Failure::Other(format!("{name}: {error}"));
    };
    match code.kind() {
        Some(Kind::AuthFail | Kind::BadAuth) => return Failure::WrongPin,
        Some(Kind::Lockout) => return Failure::Locked,
        Some(Kind::Handle) => return Failure::NoKey(name.into()),
        // It was started anew, and knows nothing of our session and objects.
        Some(Kind::Initialize | Kind::Failure | Kind::ReferenceH0 | Kind::ReferenceS0) => {
            return Failure::Gone(error.to_string());
        }
        _ => {}
    }
    // The layer that an error is from stands above the lower 16 bits: 10 is the connection, and 7
    // what follows when a command was broken off.
    if let Tss2ResponseCode::FormatZero(code) = code {
        let text = code.to_string();
        let number = text.rsplit("0x").next();
        let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if matches!(number.unwrap_or_default() >> 16, 7 | 10) {
            return Failure::Gone(format!("the connection to the TPM broke ({text})"));
        }
    }
    Failure::Other(format!("{name}: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One signature in 128 or so has a number that begins with zeros, which the TPM leaves out.
    #[test]
    fn numbers_of_a_tpm_get_their_zeros_back() {
        assert_eq!(wide(&[1, 2], 4), [0, 0, 1, 2]);
        assert_eq!(wide(&[1, 2, 3, 4], 4), [1, 2, 3, 4]);
        assert_eq!(wide(&[], 2), [0, 0]);
    }

    #[test]
    fn handles_of_the_owner_hierarchy() {
        for good in ["0x81000000", "0x817fffff"] {
            assert!(persistent(good).is_ok());
        }
        for bad in ["0x80ffffff", "0x81800000", "81000000", "0x", ""] {
            assert!(persistent(bad).is_err(), "{bad}");
        }
    }
}
