//! Public keys.

use core::ffi::c_char;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, object};
use super::name::write_text;
use super::names::{algorithm, key_type_code};
use super::report::ov_error;
use super::status::ov_status;
use ownership_voucher::PublicKey;
use ownership_voucher::key::Fingerprint;

/// A public key, without label or encoding.
pub struct ov_public_key {
    _private: [u8; 0],
}

object!(ov_public_key: PublicKey, b"ov pbkey");

/// A text with PEM blocks. Of public keys the first `PUBLIC KEY` or `CERTIFICATE` is read, of private
/// ones the first block whose label ends in `PRIVATE KEY`.
pub const OV_FORM_PEM: i32 = 1;
/// A public key as SubjectPublicKeyInfo in DER, a private one as PKCS#8 (or, to be read, SEC 1) in DER.
pub const OV_FORM_DER: i32 = 2;
/// The public key of an X.509 certificate in DER, which is not verified; for reading.
pub const OV_FORM_CERTIFICATE: i32 = 3;
/// An uncompressed point of SEC 1: 04, x, y. The length selects P-256 or P-384. For reading.
pub const OV_FORM_SEC1: i32 = 4;
/// The 32 bytes of an Ed25519 public key; for reading.
pub const OV_FORM_ED25519: i32 = 5;

/// The bytes of a fingerprint.
pub const OV_FINGERPRINT_BYTES: usize = 32;
/// The bytes of a fingerprint as text, with its zero at the end.
pub const OV_FINGERPRINT_TEXT_BYTES: usize = 72;

/// SHA-256 of the SubjectPublicKeyInfo. Reports use it to name an owner.
pub const OV_FINGERPRINT_SPKI: i32 = 1;
/// OwnerKeyFingerprint of the FDO drafts: SHA-256 of the CBOR item `[pkType, 1, SubjectPublicKeyInfo]`.
/// For RSA, pkType is 5 (RSAPKCS) here: the drafts do not name it.
pub const OV_FINGERPRINT_OWNER_KEY: i32 = 2;

/// Gives a key to the caller.
pub(super) fn give(key: PublicKey) -> *mut ov_public_key {
    Handle::give(key)
}

/// A fingerprint of the caller.
pub(super) fn fingerprint(caller: &Caller, bytes: *const u8) -> Result<Fingerprint, Refusal> {
    Ok(Fingerprint(caller.fixed(bytes)?))
}

pub(super) fn unknown_form() -> Refusal {
    Refusal::argument("an unknown form of this kind of key")
}

/// Reads a public key in this form, an `OV_FORM_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_parse(
    data: *const u8,
    len: usize,
    form: i32,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let data = caller.array(data, len)?;
        let out = caller.out(key)?;
        out.write(give(match form {
            OV_FORM_PEM => PublicKey::from_pem(data)?,
            OV_FORM_DER => PublicKey::from_spki_der(data)?,
            OV_FORM_CERTIFICATE => PublicKey::from_certificate_der(data)?,
            OV_FORM_SEC1 => PublicKey::from_sec1(data)?,
            OV_FORM_ED25519 => {
                let wrong = Refusal::argument("a key of Ed25519 has 32 bytes");
                PublicKey::from_ed25519(data.try_into().map_err(|_| wrong)?)?
            }
            _ => return Err(unknown_form()),
        }));
        Ok(())
    })
}

/// The public keys of a file, in order: those of all PEM blocks `PUBLIC KEY`, and that of the first block
/// `CERTIFICATE`; the certificates after it are those of a chain, whose keys are CAs'.
///
/// `count` is set to their number, also if there is too little room: with `room` 0 and `keys` NULL the
/// call only counts. Otherwise, as many keys as there is room for are written to `keys`; the caller frees
/// them. `OV_ERR_BAD_ARGUMENT` if there is none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_keys_from_pem(
    text: *const u8,
    len: usize,
    keys: *mut *mut ov_public_key,
    room: usize,
    count: *mut usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let text = caller.array(text, len)?;
        let (outs, out) = (caller.outs(keys, room)?, caller.out(count)?);
        let found = PublicKey::all_from_pem(text)?;
        out.write(found.len());
        for (out, key) in outs.iter_mut().zip(found) {
            out.write(give(key));
        }
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

/// The key as SubjectPublicKeyInfo: `OV_FORM_DER`, or `OV_FORM_PEM` with the label `PUBLIC KEY`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_write(
    key: *const ov_public_key,
    form: i32,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?;
        let out = caller.out(bytes)?;
        out.write(buffer(match form {
            OV_FORM_DER => key.to_spki_der(),
            OV_FORM_PEM => key.to_pem().into_bytes(),
            _ => return Err(unknown_form()),
        }));
        Ok(())
    })
}

fn print_of(key: &PublicKey, kind: i32) -> Result<Fingerprint, Refusal> {
    Ok(Fingerprint(match kind {
        OV_FINGERPRINT_SPKI => key.fingerprint(),
        OV_FINGERPRINT_OWNER_KEY => key.owner_key_fingerprint(),
        _ => return Err(Refusal::argument("an unknown kind of fingerprint")),
    }))
}

/// A fingerprint of the key, of an `OV_FINGERPRINT_` kind.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_fingerprint(
    key: *const ov_public_key,
    kind: i32,
    fingerprint: *mut u8,
) -> ov_status {
    plain(|caller| {
        let print = print_of(caller.get(key)?, kind)?;
        caller
            .out(fingerprint.cast::<[u8; OV_FINGERPRINT_BYTES]>())?
            .write(print.0);
        Ok(())
    })
}

/// A fingerprint of the key as text, as reports print it: `sha256:`, 64 hexadecimal digits and a zero.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_fingerprint_text(
    key: *const ov_public_key,
    kind: i32,
    text: *mut c_char,
) -> ov_status {
    plain(|caller| {
        let print = print_of(caller.get(key)?, kind)?;
        write_text::<OV_FINGERPRINT_TEXT_BYTES>(caller, text, &alloc::format!("{print}"))
    })
}

/// Whether this is a fingerprint of the key, of either kind; that of the drafts with each label that an
/// RSA key can have.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_has_fingerprint(
    key: *const ov_public_key,
    fingerprint: *const u8,
) -> bool {
    value(false, |caller| {
        let key = caller.get(key)?;
        Ok(self::fingerprint(caller, fingerprint)?.matches(key))
    })
}

/// The FDO key type of such a key: an `OV_KEY_` number; for RSA the one with PKCS#1 v1.5.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_default_key_type(key: *const ov_public_key) -> i32 {
    value(0, |caller| {
        Ok(key_type_code(caller.get(key)?.default_key_type()))
    })
}

/// The nominal key size in bits: 256, 384, 2048 or 3072.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_bits(key: *const ov_public_key) -> u64 {
    value(0, |caller| Ok(caller.get(key)?.bits() as u64))
}

/// Whether two keys are equal, regardless of their encoding. False if one of them is none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_public_key_equal(a: *const ov_public_key, b: *const ov_public_key) -> bool {
    value(false, |caller| Ok(caller.get(a)? == caller.get(b)?))
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
