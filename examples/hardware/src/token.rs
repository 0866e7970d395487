//! Keys and HMAC secrets in a token behind PKCS#11: an HSM, a smart card, SoftHSM.
//!
//! Private keys and secrets are made in the token, sensitive and not extractable. A login holds for
//! all sessions of the process; each signer has a session of its own, so that several can sign at a
//! time.

use std::sync::{Arc, Mutex};

use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error as TokenError, RvError};
use cryptoki::mechanism::rsa::{PkcsMgfType, PkcsPssParams};
use cryptoki::mechanism::{Mechanism, MechanismType};
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::slot::Slot;
use cryptoki::types::AuthPin;
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::hmac::DeviceHmac;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, OwnerSigner, PublicKey};

use crate::{Failure, Keeper, KeyKind, Result, Secret, Signer, fits, hash_of};

/// The curves' names in DER, CKA_EC_PARAMS.
const P256: &[u8] = b"\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07";
const P384: &[u8] = b"\x06\x05\x2b\x81\x04\x00\x22";

/// DigestInfo of RFC 8017 §9.2 up to the digest: CKM_RSA_PKCS pads, and does not hash.
const SHA256_INFO: &[u8] =
    b"\x30\x31\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x01\x05\x00\x04\x20";
const SHA384_INFO: &[u8] =
    b"\x30\x41\x30\x0d\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02\x05\x00\x04\x30";

/// A token, with somebody logged in.
#[derive(Clone)]
pub struct Token {
    pkcs11: Pkcs11,
    slot: Slot,
    /// Keeps the login: it ends with the last session.
    _login: Arc<Mutex<Session>>,
}

impl Token {
    /// Loads the module, finds the token of this label and logs in.
    ///
    /// # Errors
    /// [`Failure::NoToken`], [`Failure::WrongPin`], [`Failure::Locked`].
    pub fn open(module: &str, label: &str, pin: &str) -> Result<Self> {
        let unusable = |error: TokenError| Failure::NoToken(format!("{module}: {error}"));
        let pkcs11 = Pkcs11::new(module).map_err(unusable)?;
        match pkcs11.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
            Ok(()) | Err(TokenError::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(unusable(error)),
        }
        let slots = pkcs11.get_slots_with_initialized_token();
        let slot = slots.map_err(unusable)?.into_iter().find(|&slot| {
            let info = pkcs11.get_token_info(slot);
            info.is_ok_and(|info| info.label() == label)
        });
        let slot = slot.ok_or_else(|| Failure::NoToken(label.into()))?;
        let wrong = |error| fault(error, label);
        let session = pkcs11.open_rw_session(slot).map_err(wrong)?;
        match session.login(UserType::User, Some(&AuthPin::from(pin))) {
            Ok(()) | Err(TokenError::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(wrong(error)),
        }
        Ok(Self {
            pkcs11,
            slot,
            _login: Arc::new(Mutex::new(session)),
        })
    }

    fn session(&self, name: &str) -> Result<Session> {
        self.pkcs11
            .open_rw_session(self.slot)
            .map_err(|error| fault(error, name))
    }

    /// The one object of this class and label.
    fn find(&self, session: &Session, class: ObjectClass, name: &str) -> Result<ObjectHandle> {
        let template = [Attribute::Class(class), Attribute::Label(name.into())];
        let found = session.find_objects(&template);
        match found.map_err(|error| fault(error, name))?.as_slice() {
            [] => Err(Failure::NoKey(name.into())),
            [one] => Ok(*one),
            _ => Err(Failure::Exists(format!(
                "{name} several times; labels have to differ"
            ))),
        }
    }

    fn must_be_new(&self, session: &Session, name: &str) -> Result<()> {
        let found = session.find_objects(&[Attribute::Label(name.into())]);
        match found.map_err(|error| fault(error, name))?.is_empty() {
            true => Ok(()),
            false => Err(Failure::Exists(name.into())),
        }
    }
}

/// The attributes of an object that are asked for, in the order asked.
fn attributes<const N: usize>(
    session: &Session,
    object: ObjectHandle,
    name: &str,
    wanted: [AttributeType; N],
) -> Result<[Attribute; N]> {
    let found = session.get_attributes(object, &wanted);
    let missing = |_| Failure::Other(format!("{name}: the token does not tell all of it"));
    found
        .map_err(|error| fault(error, name))?
        .try_into()
        .map_err(missing)
}

impl Keeper for Token {
    fn key(&self, name: &str) -> Result<Signer> {
        let session = self.session(name)?;
        let wrong = |found: String| Failure::WrongKind {
            name: name.into(),
            found,
            wanted: "a signing key".into(),
        };
        let private = self.find(&session, ObjectClass::PRIVATE_KEY, name);
        let private = private.map_err(|error| match error {
            Failure::NoKey(_) if self.find(&session, ObjectClass::SECRET_KEY, name).is_ok() => {
                wrong("an HMAC secret".into())
            }
            other => other,
        })?;
        let asked = [AttributeType::KeyType, AttributeType::Sign];
        let [kind, sign] = attributes(&session, private, name, asked)?;
        if sign != Attribute::Sign(true) {
            return Err(wrong("a key that does not sign".into()));
        }
        let public = self.find(&session, ObjectClass::PUBLIC_KEY, name)?;
        let key = match kind {
            Attribute::KeyType(KeyType::EC) => {
                let [point] = attributes(&session, public, name, [AttributeType::EcPoint])?;
                let Attribute::EcPoint(point) = point else {
                    return Err(wrong("a key without point".into()));
                };
                // The point stands inside an OCTET STRING, whose head has two bytes.
                let point = match point.as_slice() {
                    [4, length, point @ ..] if usize::from(*length) == point.len() => point,
                    bare => bare,
                };
                PublicKey::from_sec1(point).map_err(|error| wrong(error.to_string()))?
            }
            Attribute::KeyType(KeyType::RSA) => {
                let asked = [AttributeType::Modulus, AttributeType::PublicExponent];
                match attributes(&session, public, name, asked)? {
                    [
                        Attribute::Modulus(modulus),
                        Attribute::PublicExponent(exponent),
                    ] => {
                        let key = PublicKey::from_rsa(&modulus, &exponent);
                        key.map_err(|error| wrong(error.to_string()))?
                    }
                    _ => return Err(wrong("a key without modulus".into())),
                }
            }
            other => return Err(wrong(format!("{other:?}"))),
        };
        Ok(Box::new(TokenKey {
            session: Mutex::new(session),
            name: name.into(),
            private,
            key,
        }))
    }

    fn make_key(&self, name: &str, kind: KeyKind) -> Result<Signer> {
        let session = self.session(name)?;
        self.must_be_new(&session, name)?;
        let (mechanism, size) = match kind {
            KeyKind::P256 => (Mechanism::EccKeyPairGen, Attribute::EcParams(P256.into())),
            KeyKind::P384 => (Mechanism::EccKeyPairGen, Attribute::EcParams(P384.into())),
            KeyKind::Rsa2048 => (
                Mechanism::RsaPkcsKeyPairGen,
                Attribute::ModulusBits(2048.into()),
            ),
            KeyKind::Rsa3072 => (
                Mechanism::RsaPkcsKeyPairGen,
                Attribute::ModulusBits(3072.into()),
            ),
        };
        let mut public = vec![
            Attribute::Token(true),
            Attribute::Private(false),
            Attribute::Verify(true),
            Attribute::Label(name.into()),
            size,
        ];
        if matches!(mechanism, Mechanism::RsaPkcsKeyPairGen) {
            public.push(Attribute::PublicExponent(vec![1, 0, 1]));
        }
        let private = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Label(name.into()),
        ];
        session
            .generate_key_pair(&mechanism, &public, &private)
            .map_err(|error| fault(error, name))?;
        self.key(name)
    }

    fn secret(&self, name: &str) -> Result<Secret> {
        let session = self.session(name)?;
        let object = self.find(&session, ObjectClass::SECRET_KEY, name);
        let object = object.map_err(|error| match error {
            Failure::NoKey(_) if self.find(&session, ObjectClass::PRIVATE_KEY, name).is_ok() => {
                Failure::WrongKind {
                    name: name.into(),
                    found: "a signing key".into(),
                    wanted: "an HMAC secret".into(),
                }
            }
            other => other,
        })?;
        Ok(Box::new(TokenSecret {
            session: Mutex::new(session),
            name: name.into(),
            object,
        }))
    }

    /// A generic secret as long as the hash; SoftHSM takes it for shorter hashes too.
    fn make_secret(&self, name: &str, hash: HashAlgorithm) -> Result<Secret> {
        let session = self.session(name)?;
        self.must_be_new(&session, name)?;
        let template = [
            Attribute::Token(true),
            Attribute::Private(true),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Sign(true),
            Attribute::Verify(true),
            Attribute::KeyType(KeyType::GENERIC_SECRET),
            Attribute::ValueLen((hash.len() as u64).into()),
            Attribute::Label(name.into()),
        ];
        session
            .generate_key(&Mechanism::GenericSecretKeyGen, &template)
            .map_err(|error| fault(error, name))?;
        self.secret(name)
    }
}

struct TokenKey {
    session: Mutex<Session>,
    name: String,
    private: ObjectHandle,
    key: PublicKey,
}

impl TokenKey {
    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>> {
        fits(&self.name, self.key.default_key_type(), algorithm)?;
        let hash = hash_of(algorithm)?;
        let digest = hash.digest(&[message]);
        let digest = digest.as_bytes();
        let (hash_alg, mgf, info) = match hash {
            HashAlgorithm::Sha256 => (MechanismType::SHA256, PkcsMgfType::MGF1_SHA256, SHA256_INFO),
            HashAlgorithm::Sha384 => (MechanismType::SHA384, PkcsMgfType::MGF1_SHA384, SHA384_INFO),
        };
        let (mechanism, data) = match algorithm {
            // r and s come at full width, which is the form of COSE.
            Algorithm::Es256 | Algorithm::Es384 => (Mechanism::Ecdsa, digest.to_vec()),
            Algorithm::Ps256 | Algorithm::Ps384 => {
                let s_len = (digest.len() as u64).into();
                let parameters = PkcsPssParams {
                    hash_alg,
                    mgf,
                    s_len,
                };
                (Mechanism::RsaPkcsPss(parameters), digest.to_vec())
            }
            _ => (Mechanism::RsaPkcs, [info, digest].concat()),
        };
        let session = locked(&self.session)?;
        session
            .sign(&mechanism, self.private, &data)
            .map_err(|error| fault(error, &self.name))
    }
}

impl OwnerSigner for TokenKey {
    fn public_key(&self) -> Option<PublicKey> {
        Some(self.key.clone())
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> std::result::Result<Vec<u8>, Error> {
        self.sign(algorithm, message).map_err(Error::signer)
    }
}

struct TokenSecret {
    session: Mutex<Session>,
    name: String,
    object: ObjectHandle,
}

impl DeviceHmac for TokenSecret {
    fn header_hmac(
        &self,
        algorithm: HashAlgorithm,
        header: &[u8],
    ) -> std::result::Result<Digest, Error> {
        let mechanism = match algorithm {
            HashAlgorithm::Sha256 => Mechanism::Sha256Hmac,
            HashAlgorithm::Sha384 => Mechanism::Sha384Hmac,
        };
        let session = locked(&self.session).map_err(Error::signer)?;
        let value = session
            .sign(&mechanism, self.object, header)
            .map_err(|error| Error::signer(fault(error, &self.name)))?;
        let length = || Failure::Other("the token's HMAC has another length".into());
        Digest::new(algorithm, &value).ok_or_else(|| Error::signer(length()))
    }
}

fn locked(session: &Mutex<Session>) -> Result<std::sync::MutexGuard<'_, Session>> {
    let broken = |_| Failure::Gone("a thread broke off in the middle".into());
    session.lock().map_err(broken)
}

/// What an answer of the token means. `name` is the key or token that it was about.
fn fault(error: TokenError, name: &str) -> Failure {
    let TokenError::Pkcs11(code, _) = &error else {
        return Failure::Other(format!("{name}: {error}"));
    };
    match code {
        RvError::PinIncorrect | RvError::PinInvalid | RvError::PinLenRange => Failure::WrongPin,
        RvError::PinLocked => Failure::Locked,
        RvError::KeySizeRange => Failure::WrongKind {
            name: name.into(),
            found: "shorter or longer than that".into(),
            wanted: "a key that this algorithm takes".into(),
        },
        RvError::TokenNotPresent | RvError::TokenNotRecognized | RvError::SlotIdInvalid => {
            Failure::Gone(error.to_string())
        }
        RvError::DeviceRemoved
        | RvError::DeviceError
        | RvError::SessionHandleInvalid
        | RvError::SessionClosed
        | RvError::UserNotLoggedIn
        | RvError::CryptokiNotInitialized
        // The key was there when the session found it.
        | RvError::KeyHandleInvalid
        | RvError::ObjectHandleInvalid
        | RvError::GeneralError => Failure::Gone(error.to_string()),
        _ => Failure::Other(format!("{name}: {error}")),
    }
}
