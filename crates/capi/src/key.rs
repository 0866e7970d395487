//! Public keys.

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain};
use super::handle::{Handle, object};
use super::names::{algorithm, key_type_code};
use super::report::ov_error;
use super::status::ov_status;
use ownership_voucher::PublicKey;

/// A public key, without label or encoding.
pub struct ov_public_key {
    _private: [u8; 0],
}

object!(ov_public_key: PublicKey, b"ov pbkey");

/// Gives a key to the caller.
pub(super) fn give(key: PublicKey) -> *mut ov_public_key {
    Handle::give(key)
}

/// The key of a SubjectPublicKeyInfo in DER.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_spki_der(
    der: *const u8,
    len: usize,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let der = caller.array(der, len)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_spki_der(der)?));
        Ok(())
    })
}

/// The key of an X.509 certificate in DER. The certificate is not verified.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_certificate_der(
    der: *const u8,
    len: usize,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let der = caller.array(der, len)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_certificate_der(der)?));
        Ok(())
    })
}

/// The key of an uncompressed SEC 1 point (04, x, y). The length selects P-256 or P-384.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_sec1(
    point: *const u8,
    len: usize,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let point = caller.array(point, len)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_sec1(point)?));
        Ok(())
    })
}

/// The RSA key with this modulus and exponent, big-endian, with or without leading zeros. TPMs and
/// PKCS#11 tokens give their keys in this form.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_rsa(
    modulus: *const u8,
    modulus_len: usize,
    exponent: *const u8,
    exponent_len: usize,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let modulus = caller.array(modulus, modulus_len)?;
        let exponent = caller.array(exponent, exponent_len)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_rsa(modulus, exponent)?));
        Ok(())
    })
}

/// The Ed25519 key in these 32 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_ed25519(
    bytes: *const u8,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.fixed(bytes)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_ed25519(&bytes)?));
        Ok(())
    })
}

/// The key in the first PEM block `PUBLIC KEY` or `CERTIFICATE` of a text.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_from_pem(
    text: *const u8,
    len: usize,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let text = caller.array(text, len)?;
        let out = caller.out(key)?;
        out.write(give(PublicKey::from_pem(text)?));
        Ok(())
    })
}

/// Another handle of the same key.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_clone(
    key: *const ov_public_key,
    clone: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(clone)?.write(give(key.clone()));
        Ok(())
    })
}

/// Frees a key and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_free(key: *mut *mut ov_public_key) -> ov_status {
    plain(|caller| caller.free(key))
}

/// The SubjectPublicKeyInfo in DER.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_to_spki_der(
    key: *const ov_public_key,
    der: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(der)?.write(buffer(key.to_spki_der()));
        Ok(())
    })
}

/// The SubjectPublicKeyInfo as PEM, with the label `PUBLIC KEY`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_to_pem(
    key: *const ov_public_key,
    pem: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(pem)?.write(buffer(key.to_pem().into_bytes()));
        Ok(())
    })
}

fn fingerprint(
    key: *const ov_public_key,
    out: *mut u8,
    of: impl FnOnce(&PublicKey) -> [u8; 32],
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(out.cast::<[u8; 32]>())?.write(of(key));
        Ok(())
    })
}

/// SHA-256 of the SubjectPublicKeyInfo, 32 bytes. Reports use it to name an owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_fingerprint(
    key: *const ov_public_key,
    fingerprint: *mut u8,
) -> ov_status {
    self::fingerprint(key, fingerprint, PublicKey::fingerprint)
}

/// OwnerKeyFingerprint of the FDO drafts, 32 bytes: SHA-256 of the CBOR item `[pkType, 1,
/// SubjectPublicKeyInfo]`. For RSA, pkType is 5 (RSAPKCS) here: the drafts do not name it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_owner_key_fingerprint(
    key: *const ov_public_key,
    fingerprint: *mut u8,
) -> ov_status {
    self::fingerprint(key, fingerprint, PublicKey::owner_key_fingerprint)
}

/// The FDO key type of such a key: an `OV_KEY_` number; for RSA the one with PKCS#1 v1.5.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_natural_type(
    key: *const ov_public_key,
    key_type: *mut i32,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        let out = caller.out(key_type)?;
        out.write(key_type_code(key.natural_type()));
        Ok(())
    })
}

/// The nominal key size in bits: 256, 384, 2048 or 3072.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_bits(key: *const ov_public_key, bits: *mut u64) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        caller.out(bits)?.write(key.bits() as u64);
        Ok(())
    })
}

/// Whether two keys are equal, regardless of their encoding.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_equal(
    a: *const ov_public_key,
    b: *const ov_public_key,
    equal: *mut bool,
) -> ov_status {
    plain(|caller| {
        let (a, b) = (caller.get(a)?, caller.get(b)?);
        caller.out(equal)?.write(a == b);
        Ok(())
    })
}

/// Verifies a signature over the message under this key: `OV_OK`, or the reason why it is invalid.
///
/// ECDSA signatures are r and s concatenated, at full width.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_verify(
    key: *const ov_public_key,
    algorithm_code: i32,
    message: *const u8,
    message_len: usize,
    signature: *const u8,
    signature_len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let key = caller.get(key)?;
        let message = caller.array(message, message_len)?;
        let signature = caller.array(signature, signature_len)?;
        Ok(key.verify(algorithm(algorithm_code)?, message, signature)?)
    })
}
