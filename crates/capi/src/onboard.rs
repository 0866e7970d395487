//! Proof of ownership by challenge, and the device's side of TO2 message by message.

use alloc::vec::Vec;
use core::ffi::c_char;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Caller, Handle, Refusal, object, present};
use super::key::{give, ov_public_key};
use super::names::{algorithm_code, ov_digest};
use super::policy::ov_policy;
use super::report::ov_error;
use super::sign::{CallbackSigner, HmacSource, ov_hmac, ov_hmac_secret, ov_signer};
use super::slice::{ov_slice, ov_str};
use super::status::{OV_ERR_NULL, ov_status};
use super::verify::ov_verified;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::onboard::{Challenge, DeviceFacts, DeviceVerifier, ProveOvNonce, Unsigned};
use ownership_voucher::{Allowance, Error, Guid};

/// A challenge for a party that claims to own a voucher. The documentation of `onboard::challenge`
/// in the Rust library has the format.
pub struct ov_challenge {
    _private: [u8; 0],
}

object!(ov_challenge: Challenge, b"ov chall");

/// The bytes of the nonce of a challenge.
pub const OV_CHALLENGE_NONCE_BYTES: usize = 32;

/// Creates a challenge for a party that claims to own this voucher. `verifier` is the name by which
/// the owner knows the verifier; `nonce` is 32 fresh random bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_challenge(
    verified: *const ov_verified,
    verifier: *const c_char,
    verifier_len: usize,
    nonce: *const u8,
    challenge: *mut *mut ov_challenge,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verified = caller.get(verified)?;
        let verifier = caller.text(verifier, verifier_len)?;
        let nonce = caller.fixed::<OV_CHALLENGE_NONCE_BYTES>(nonce)?;
        let out = caller.out(challenge)?;
        out.write(Handle::give(verified.voucher.challenge(verifier, nonce)?));
        Ok(())
    })
}

/// Reads a challenge from CBOR.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_parse(
    data: *const u8,
    len: usize,
    challenge: *mut *mut ov_challenge,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let bytes = caller.array(data, len)?;
        let out = caller.out(challenge)?;
        out.write(Handle::give(Challenge::from_cbor(bytes)?));
        Ok(())
    })
}

/// Frees a challenge and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_free(challenge: *mut *mut ov_challenge) -> ov_status {
    plain(|caller| caller.free(challenge))
}

/// The challenge as CBOR.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_bytes(
    challenge: *const ov_challenge,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let challenge = caller.get(challenge)?;
        caller.out(bytes)?.write(buffer(challenge.to_cbor()));
        Ok(())
    })
}

/// The name of the verifier. The text lives as long as the challenge.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_verifier(challenge: *const ov_challenge) -> ov_str {
    value(ov_str::NONE, |caller| {
        let challenge = caller.get(challenge)?;
        Ok(ov_str::of(challenge.verifier()))
    })
}

/// The GUID of the device that the challenge is about, 16 bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_guid(challenge: *const ov_challenge, guid: *mut u8) -> ov_status {
    plain(|caller| {
        let challenge = caller.get(challenge)?;
        caller
            .out(guid.cast::<[u8; 16]>())?
            .write(challenge.guid().0);
        Ok(())
    })
}

/// The state of ownership that the challenge is about.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_state(challenge: *const ov_challenge) -> ov_digest {
    value(ov_digest::NONE, |caller| {
        let challenge = caller.get(challenge)?;
        Ok(ov_digest::of(&challenge.state()))
    })
}

/// The owner's answer, still to be signed. `verifier` is the name of the party that the owner is
/// talking to: `OV_ERR_WRONG_VERIFIER` if the challenge names another verifier.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_respond(
    challenge: *const ov_challenge,
    verified: *const ov_verified,
    verifier: *const c_char,
    verifier_len: usize,
    message: *mut *mut ov_unsigned,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let challenge = caller.get(challenge)?;
        let verified = caller.get(verified)?;
        let verifier = caller.text(verifier, verifier_len)?;
        let out = caller.out(message)?;
        out.write(Handle::give(
            challenge.respond(&verified.voucher, verifier)?,
        ));
        Ok(())
    })
}

/// Verifies that the owner of this voucher gave this answer to this challenge: `OV_OK` if so.
#[unsafe(no_mangle)]
pub extern "C" fn ov_challenge_check(
    challenge: *const ov_challenge,
    verified: *const ov_verified,
    proof: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let challenge = caller.get(challenge)?;
        let verified = caller.get(verified)?;
        Ok(challenge.check(&verified.voucher, caller.array(proof, len)?)?)
    })
}

/// A message that still needs its signature. Signing takes two steps, as with an `ov_extension`.
pub struct ov_unsigned {
    _private: [u8; 0],
}

object!(ov_unsigned: Unsigned, b"ov unsig");

/// Frees a message and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_free(message: *mut *mut ov_unsigned) -> ov_status {
    plain(|caller| caller.free(message))
}

/// The algorithm to sign with: an `OV_ALGORITHM_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_algorithm(message: *const ov_unsigned) -> i32 {
    value(0, |caller| {
        let message = caller.get(message)?;
        Ok(algorithm_code(message.algorithm()))
    })
}

/// The key that must sign.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_signer(
    message: *const ov_unsigned,
    key: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let message = caller.get(message)?;
        caller.out(key)?.write(give(message.signer().clone()));
        Ok(())
    })
}

/// Selects PSS instead of PKCS#1 v1.5. This has no effect for keys that are not RSA.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_use_pss(message: *mut ov_unsigned) -> ov_status {
    plain(|caller| {
        let message = caller.get_mut(message)?;
        *message = message.clone().with_pss();
        Ok(())
    })
}

/// The bytes to sign.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_to_be_signed(
    message: *const ov_unsigned,
    bytes: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let message = caller.get(message)?;
        caller.out(bytes)?.write(buffer(message.to_be_signed()));
        Ok(())
    })
}

/// The digest of these bytes, for a token that signs digests; `OV_ERR_ABSENT` for EdDSA, which
/// signs the bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_prehash(
    message: *const ov_unsigned,
    digest: *mut ov_digest,
) -> ov_status {
    plain(|caller| {
        let message = caller.get(message)?;
        let out = caller.out(digest)?;
        out.write(ov_digest::of(&present(message.prehash())?));
        Ok(())
    })
}

/// The signed message, after the signature has been verified. ECDSA signatures may be DER.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_finish(
    message: *const ov_unsigned,
    signature: *const u8,
    len: usize,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.get(message)?;
        let signature = caller.array(signature, len)?;
        let out = caller.out(bytes)?;
        out.write(buffer(message.finish(signature)?));
        Ok(())
    })
}

/// Signs with a callback and finishes the message.
#[unsafe(no_mangle)]
pub extern "C" fn ov_unsigned_sign(
    message: *const ov_unsigned,
    signer: *const ov_signer,
    bytes: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.get(message)?;
        let signer = CallbackSigner::read(caller, signer)?;
        let out = caller.out(bytes)?;
        out.write(buffer(message.sign(&signer)?));
        Ok(())
    })
}

/// The device's verification of a voucher in TO2, between two messages.
pub struct ov_device_verifier {
    _private: [u8; 0],
}

/// The contents of an `ov_device_verifier`.
pub(super) struct Verifier {
    pub(super) verifier: DeviceVerifier,
    key_exchange: Vec<u8>,
    sig_info: Vec<u8>,
    max_message: u16,
    /// The first fault, which every later call gives again.
    failed: Option<Error>,
}

impl Verifier {
    pub(super) fn new(
        verifier: DeviceVerifier,
        key_exchange: &[u8],
        sig_info: &[u8],
        max_message: u16,
    ) -> Self {
        Self {
            verifier,
            key_exchange: key_exchange.to_vec(),
            sig_info: sig_info.to_vec(),
            max_message,
            failed: None,
        }
    }
}

object!(ov_device_verifier: Verifier, b"ov devic");

/// What a device knows, and what it allows.
pub(super) fn facts(
    caller: &Caller,
    guid: *const u8,
    manufacturer_hash: *const ov_digest,
    policy: *const ov_policy,
) -> Result<DeviceFacts, Refusal> {
    let mut facts = DeviceFacts::new(Guid(caller.fixed(guid)?));
    if let Some(hash) = caller
        .array(manufacturer_hash, usize::from(!manufacturer_hash.is_null()))?
        .first()
    {
        facts = facts.with_manufacturer_hash(hash.read()?);
    }
    if let Some(rules) = caller.maybe(policy)? {
        let policy = rules.policy();
        facts = facts.with_limits(*policy.limits());
        for &allowance in Allowance::ALL {
            if policy.allows(allowance) {
                facts = facts.allow(allowance);
            }
        }
    }
    Ok(facts)
}

/// The device's HMAC, in memory or behind a callback.
pub(super) fn hmac_source(
    caller: &Caller,
    secret: *const ov_hmac_secret,
    hmac: *const ov_hmac,
) -> Result<HmacSource, Refusal> {
    match caller.maybe(secret)? {
        Some(secret) => Ok(HmacSource::Secret(secret.clone())),
        None if hmac.is_null() => Err(Refusal::Call(OV_ERR_NULL)),
        None => HmacSource::read(caller, hmac),
    }
}

/// Takes TO2.ProveOVHdr, the answer to `hello`, a TO2.HelloDevice that contained `nonce` (16
/// bytes). The device has this GUID and an HMAC secret, in memory or behind a callback; one of the
/// two may be NULL. `manufacturer_hash` (`DCPubKeyHash`) may be NULL. Only the allowances and the
/// limits of the policy apply; it may be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_start(
    guid: *const u8,
    manufacturer_hash: *const ov_digest,
    secret: *const ov_hmac_secret,
    hmac: *const ov_hmac,
    policy: *const ov_policy,
    hello: *const u8,
    hello_len: usize,
    nonce: *const u8,
    message: *const u8,
    message_len: usize,
    verifier: *mut *mut ov_device_verifier,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let facts = facts(caller, guid, manufacturer_hash, policy)?;
        let source = hmac_source(caller, secret, hmac)?;
        let hello = caller.array(hello, hello_len)?;
        let nonce = ProveOvNonce(caller.fixed(nonce)?);
        let message = caller.array(message, message_len)?;
        let out = caller.out(verifier)?;
        let hmac = |algorithm, header: &[u8]| source.header_hmac(algorithm, header).ok();
        let started = facts.start(hmac, hello, nonce, message);
        let (verifier, answer) = started.map_err(Error::from)?;
        out.write(Handle::give(Verifier::new(
            verifier,
            answer.key_exchange(),
            answer.sig_info(),
            answer.max_message(),
        )));
        Ok(())
    })
}

/// Frees a verifier and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_free(verifier: *mut *mut ov_device_verifier) -> ov_status {
    plain(|caller| caller.free(verifier))
}

/// `xAKeyExchange`, the CBOR of `eBSigInfo`, and the maximum size of a message to the owner, in
/// bytes. The byte strings live as long as the verifier.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_hello(
    verifier: *const ov_device_verifier,
    key_exchange: *mut ov_slice,
    sig_info: *mut ov_slice,
    max_message: *mut u16,
) -> ov_status {
    plain(|caller| {
        let verifier = caller.get(verifier)?;
        let key_exchange = caller.maybe_out(key_exchange)?;
        let sig_info = caller.maybe_out(sig_info)?;
        let max_message = caller.maybe_out(max_message)?;
        key_exchange.map(|out| out.write(ov_slice::of(&verifier.key_exchange)));
        sig_info.map(|out| out.write(ov_slice::of(&verifier.sig_info)));
        max_message.map(|out| out.write(verifier.max_message));
        Ok(())
    })
}

/// The number of the next entry to request; `OV_ERR_ABSENT` after the last one. After a failure of
/// `ov_device_verifier_entry` it gives that failure: nothing more is to be requested.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_next(
    verifier: *const ov_device_verifier,
    number: *mut u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?;
        let out = caller.out(number)?;
        if let Some(failed) = &verifier.failed {
            return Err(failed.clone().into());
        }
        out.write(present(verifier.verifier.next())?);
        Ok(())
    })
}

/// Takes TO2.OVNextEntry. After a failure every later call fails in the same way.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_entry(
    verifier: *mut ov_device_verifier,
    message: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let message = caller.array(message, len)?;
        let verifier = caller.get_mut(verifier)?;
        let taken = verifier.verifier.entry(message).map_err(Error::from);
        verifier.failed = taken.as_ref().err().cloned();
        Ok(taken?)
    })
}

/// The last check: TO2.ProveOVHdr must be signed by the key in the last entry of the voucher.
/// `owner` is set to that key, and `nonce` (16 bytes), if it is not NULL, to `NonceTO2ProveDv`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_finish(
    verifier: *const ov_device_verifier,
    owner: *mut *mut ov_public_key,
    nonce: *mut u8,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?.verifier.clone();
        let out = caller.out(owner)?;
        let nonce = caller.maybe_out(nonce.cast::<[u8; 16]>())?;
        let proved = verifier.finish().map_err(Error::from)?;
        out.write(give(proved.key().clone()));
        nonce.map(|out| out.write(proved.nonce().0));
        Ok(())
    })
}

/// Verifies that the owner of the device signed this to1d; if not, TO2 must end.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_verifier_check_to1d(
    verifier: *const ov_device_verifier,
    message: *const u8,
    len: usize,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let verifier = caller.get(verifier)?.verifier.clone();
        let message = caller.array(message, len)?;
        let proved = verifier.finish().map_err(Error::from)?;
        Ok(proved.check_to1d(message).map_err(Error::from)?)
    })
}
