//! Keys and HMAC secrets: in memory, or behind a callback.

use alloc::vec::Vec;
use core::ffi::c_void;

use zeroize::Zeroizing;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, at, object};
use super::key::{OV_FORM_DER, OV_FORM_PEM, give, ov_public_key, unknown_form};
use super::names::{algorithm, algorithm_code, hash, hash_code, key_type, ov_digest};
use super::report::ov_error;
use super::status::{OV_ERR_NULL, OV_OK, ov_status};
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::hmac::DeviceHmac;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::{Error, ErrorKind, HmacSecret, LocalKey, OwnerSigner, PublicKey};

/// Signs a message (not its digest) with an `OV_ALGORITHM_` algorithm. Writes at most `capacity`
/// bytes, which is `OV_SIGNATURE_CAPACITY`, to `signature` and their number to `signature_len`.
/// ECDSA signatures are r and s concatenated, or DER. Returns 0 on success; any other number is a failure, and appears in the
/// message of the error.
///
/// The library verifies the signature. The callback must not throw or jump.
pub type ov_sign_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        algorithm: i32,
        message: *const u8,
        message_len: usize,
        signature: *mut u8,
        capacity: usize,
        signature_len: *mut usize,
    ) -> i32,
>;

/// The private key of an owner, in memory or elsewhere.
#[repr(C)]
pub struct ov_signer {
    /// User pointer, passed to the callback unchanged.
    pub user: *mut c_void,
    /// The public key. NULL if the token cannot give it; a wrong key is then detected when the
    /// signature is verified.
    pub public_key: *const ov_public_key,
    /// The callback that signs.
    pub sign: ov_sign_fn,
}

/// The room that a sign callback gets for a signature. The longest is that of RSA with 3072 bits.
pub const OV_SIGNATURE_CAPACITY: usize = 1024;

/// A signer of the caller, for the duration of one call.
pub(super) struct CallbackSigner {
    user: *mut c_void,
    key: Option<PublicKey>,
    sign:
        unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut u8, usize, *mut usize) -> i32,
}

// SAFETY: the header says that the callback may be called from several threads if a call asks for
// several. The user pointer is the caller's responsibility and is only passed on.
unsafe impl Sync for CallbackSigner {}

impl CallbackSigner {
    pub(super) fn read(caller: &Caller, signer: *const ov_signer) -> Result<Self, Refusal> {
        let signer = at(caller.array(signer, 1)?.first())?;
        Ok(Self {
            user: signer.user,
            key: caller.maybe(signer.public_key)?.cloned(),
            sign: signer.sign.ok_or(Refusal::Call(OV_ERR_NULL))?,
        })
    }
}

impl OwnerSigner for CallbackSigner {
    fn public_key(&self) -> Option<PublicKey> {
        self.key.clone()
    }

    fn sign(&self, algorithm: Algorithm, message: &[u8]) -> Result<Vec<u8>, Error> {
        let mut signature = [0; OV_SIGNATURE_CAPACITY];
        let mut len = 0;
        // SAFETY: the caller gave this function for this purpose; the pointers are valid for the
        // given lengths.
        let answer = unsafe {
            (self.sign)(
                self.user,
                algorithm_code(algorithm),
                message.as_ptr(),
                message.len(),
                signature.as_mut_ptr(),
                OV_SIGNATURE_CAPACITY,
                &raw mut len,
            )
        };
        if answer != 0 {
            return Err(Error::signer(alloc::format!(
                "the callback returned {answer}"
            )));
        }
        let signature = signature.get(..len);
        signature
            .map(<[u8]>::to_vec)
            .ok_or_else(|| Error::because(ErrorKind::SignerAnswer, "longer than the room for it"))
    }
}

/// A private key in memory: P-256, P-384 or Ed25519. It is wiped when freed. Keep keys in a TPM or
/// HSM where possible: see `ov_signer`.
pub struct ov_local_key {
    _private: [u8; 0],
}

object!(ov_local_key: LocalKey, b"ov prkey");

/// A key from its secret: a big-endian scalar of 32 or 48 bytes for P-256 and P-384, the 32 bytes
/// of RFC 8032 for Ed25519. Random bytes make a new key.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_from_secret(
    key_type_code: i32,
    secret: *const u8,
    len: usize,
    key: *mut *mut ov_local_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.array(secret, len)?;
        let out = caller.out(key)?;
        let key = LocalKey::from_secret(key_type(key_type_code)?, secret)?;
        out.write(Handle::give(key));
        Ok(())
    })
}

/// A private key in this form: `OV_FORM_DER` or `OV_FORM_PEM`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_parse(
    data: *const u8,
    len: usize,
    form: i32,
    key: *mut *mut ov_local_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let data = caller.array(data, len)?;
        let out = caller.out(key)?;
        out.write(Handle::give(match form {
            OV_FORM_DER => LocalKey::from_der(data)?,
            OV_FORM_PEM => LocalKey::from_pem(data)?,
            _ => return Err(unknown_form()),
        }));
        Ok(())
    })
}

/// Wipes and frees a key, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_free(key: *mut *mut ov_local_key) -> ov_status {
    plain(|caller| caller.free(key))
}

/// The key as PKCS#8: `OV_FORM_DER`, or `OV_FORM_PEM` with the label `PRIVATE KEY`. The buffer is wiped
/// when freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_write(
    key: *const ov_local_key,
    form: i32,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let key = caller.get(key)?;
        let out = caller.out(bytes)?;
        out.write(match form {
            OV_FORM_DER => buffer(key.to_pkcs8_der()?),
            OV_FORM_PEM => buffer(key.to_pem()?.as_bytes().to_vec()),
            _ => return Err(unknown_form()),
        });
        Ok(())
    })
}

/// The public key.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_public_key(
    key: *const ov_local_key,
    public_key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(public_key)?.write(give(key.public_key()));
        Ok(())
    })
}

/// The algorithm of signatures by this key: an `OV_ALGORITHM_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_algorithm(key: *const ov_local_key) -> i32 {
    value(0, |caller| {
        let key = caller.get(key)?;
        Ok(algorithm_code(key.algorithm()))
    })
}

/// Signs a message, deterministically. ECDSA signatures are r and s concatenated.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_sign(
    key: *const ov_local_key,
    algorithm_code: i32,
    message: *const u8,
    message_len: usize,
    signature: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let key = caller.get(key)?;
        let message = caller.array(message, message_len)?;
        let out = caller.out(signature)?;
        out.write(buffer(key.sign(algorithm(algorithm_code)?, message)?));
        Ok(())
    })
}

/// A sign function for an `ov_signer` whose user pointer is an `ov_local_key`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_local_key_sign_callback(
    user: *mut c_void,
    code: i32,
    message: *const u8,
    message_len: usize,
    signature: *mut u8,
    capacity: usize,
    signature_len: *mut usize,
) -> i32 {
    plain(|caller| {
        let key = caller.get(user.cast_const().cast::<ov_local_key>())?;
        let message = caller.array(message, message_len)?;
        let (room, len) = (
            caller.outs(signature, capacity)?,
            caller.out(signature_len)?,
        );
        let signed = key.sign(algorithm(code)?, message)?;
        if signed.len() > room.len() {
            return Err(Refusal::argument("too little room for the signature"));
        }
        for (to, from) in room.iter_mut().zip(&signed) {
            to.write(*from);
        }
        len.write(signed.len());
        Ok(())
    })
}

/// Computes the HMAC of a header with the device's secret and an `OV_HASH_` hash. Writes 32 bytes for
/// SHA-256, 48 (`OV_DIGEST_BYTES`) for SHA-384. Returns 0 on success; any other number is a failure, and appears in
/// the message of the error. It must not throw or jump.
pub type ov_hmac_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        hash: i32,
        header: *const u8,
        header_len: usize,
        hmac: *mut u8,
    ) -> i32,
>;

/// The HMAC secret of a device, in memory or elsewhere.
#[repr(C)]
pub struct ov_hmac {
    /// User pointer, passed to the callback unchanged.
    pub user: *mut c_void,
    /// The callback that computes the HMAC.
    pub hmac: ov_hmac_fn,
}

/// A secret in memory, or a callback of the caller.
#[derive(Clone)]
pub(super) enum HmacSource {
    Secret(HmacSecret),
    Callback {
        user: *mut c_void,
        hmac: unsafe extern "C" fn(*mut c_void, i32, *const u8, usize, *mut u8) -> i32,
    },
}

// SAFETY: as for `CallbackSigner`; the header says from which threads the callback is called.
unsafe impl Send for HmacSource {}
// SAFETY: as for `Send`.
unsafe impl Sync for HmacSource {}

impl HmacSource {
    pub(super) fn read(caller: &Caller, hmac: *const ov_hmac) -> Result<Self, Refusal> {
        let source = at(caller.array(hmac, 1)?.first())?;
        Ok(Self::Callback {
            user: source.user,
            hmac: source.hmac.ok_or(Refusal::Call(OV_ERR_NULL))?,
        })
    }
}

impl DeviceHmac for HmacSource {
    fn header_hmac(&self, algorithm: HashAlgorithm, header: &[u8]) -> Result<Digest, Error> {
        let (user, hmac) = match self {
            Self::Secret(secret) => return secret.header_hmac(algorithm, header),
            Self::Callback { user, hmac } => (*user, hmac),
        };
        // Space for the longest HMAC, whatever the requested hash.
        let mut value = [0; 48];
        let (data, len) = (header.as_ptr(), header.len());
        // SAFETY: the caller gave this function for this purpose; the header has the given length,
        // and the result has space for the longest HMAC.
        let answer = unsafe { hmac(user, hash_code(algorithm), data, len, value.as_mut_ptr()) };
        if answer != OV_OK {
            return Err(Error::signer(alloc::format!(
                "the callback returned {answer}"
            )));
        }
        let value = value.get(..algorithm.len()).unwrap_or_default();
        Digest::new(algorithm, value).ok_or_else(|| Error::new(ErrorKind::SignerAnswer))
    }
}

/// The HMAC secret of a device, in memory. It is wiped when freed.
pub struct ov_hmac_secret {
    _private: [u8; 0],
}

object!(ov_hmac_secret: HmacSecret, b"ov hmacs");

/// Copies a secret; the caller must wipe the original. The recommended length is that of the hash:
/// 32 or 48 bytes. With fewer than 16 bytes, every computation of an HMAC fails with
/// `OV_ERR_HMAC_SECRET_SHORT`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hmac_secret_new(
    data: *const u8,
    len: usize,
    secret: *mut *mut ov_hmac_secret,
) -> ov_status {
    plain(|caller| {
        let bytes = Zeroizing::new(caller.array(data, len)?.to_vec());
        let out = caller.out(secret)?;
        out.write(Handle::give(HmacSecret::new(bytes.to_vec())));
        Ok(())
    })
}

/// Wipes and frees a secret, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hmac_secret_free(secret: *mut *mut ov_hmac_secret) -> ov_status {
    plain(|caller| caller.free(secret))
}

/// Computes the HMAC of a header with this secret and an `OV_HASH_` hash.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hmac_secret_header_hmac(
    secret: *const ov_hmac_secret,
    hash_algorithm: i32,
    header: *const u8,
    len: usize,
    hmac: *mut ov_digest,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let secret = caller.get(secret)?;
        let header = caller.array(header, len)?;
        let out = caller.out(hmac)?;
        let value = secret.header_hmac(hash(hash_algorithm)?, header)?;
        out.write(ov_digest::of(&value));
        Ok(())
    })
}
