//! The verification of a voucher in TO2, message by message, in memory of the caller.

use core::ffi::c_void;
use core::mem::MaybeUninit;

use super::caller::{
    Caller, OV_DEVICE_ERR_STATE, Refusal, call, ov_device_error, ov_device_status,
};
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::onboard::{DeviceFacts, DeviceVerifier, ProveOvNonce, VerifiedOwner};
use ownership_voucher::{Allowance, ErrorKind, Guid};

/// The bytes of a GUID.
pub const OV_DEVICE_GUID_BYTES: usize = 16;
/// The bytes of a nonce.
pub const OV_DEVICE_NONCE_BYTES: usize = 16;
/// The bytes of the longest digest, and of the longest HMAC.
pub const OV_DEVICE_DIGEST_BYTES: usize = 48;
/// The words of 64 bits of a state.
pub const OV_DEVICE_STATE_WORDS: usize = 128;

/// SHA-256, or HMAC with SHA-256.
pub const OV_DEVICE_SHA256: i32 = -16;
/// SHA-384, or HMAC with SHA-384.
pub const OV_DEVICE_SHA384: i32 = -43;

/// Accepts a device chain hash that covers the CBOR item instead of the certificates.
pub const OV_DEVICE_ALLOW_LEGACY_CHAIN_HASH: u32 = 1;
/// Accepts entries without COSE tag 18.
pub const OV_DEVICE_ALLOW_LEGACY_UNTAGGED: u32 = 2;
/// Accepts a P-256 key labelled SECP384R1, or a P-384 key labelled SECP256R1.
pub const OV_DEVICE_ALLOW_KEY_TYPE_LABEL: u32 = 4;

const ALLOWANCES: [(u32, Allowance); 3] = [
    (
        OV_DEVICE_ALLOW_LEGACY_CHAIN_HASH,
        Allowance::LegacyChainHash,
    ),
    (OV_DEVICE_ALLOW_LEGACY_UNTAGGED, Allowance::LegacyUntagged),
    (OV_DEVICE_ALLOW_KEY_TYPE_LABEL, Allowance::KeyTypeLabel),
];

/// Computes the HMAC of a header with the device's secret and an `OV_DEVICE_SHA` hash, and writes it to
/// `hmac`: 32 bytes for `OV_DEVICE_SHA256`, 48 for `OV_DEVICE_SHA384`. There is room for
/// `OV_DEVICE_DIGEST_BYTES`.
/// Returns 0 on success; otherwise the call gives `OV_ERR_SIGNER_FAILED`.
pub type ov_device_hmac_fn = Option<
    unsafe extern "C" fn(
        user: *mut c_void,
        hash: i32,
        header: *const u8,
        header_len: usize,
        hmac: *mut u8,
    ) -> i32,
>;

/// What a device knows before it meets an owner.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_facts {
    /// `DCGuid`.
    pub guid: [u8; OV_DEVICE_GUID_BYTES],
    /// `DCPubKeyHash`, or NULL.
    pub manufacturer_hash: *const u8,
    /// Its length: 32, 48, or 0 if it is NULL.
    pub manufacturer_hash_len: usize,
    /// The deviations to accept: `OV_DEVICE_ALLOW_` numbers, added.
    pub allow: u32,
    /// Computes the HMAC of the header: `ov_device_secret_hmac`, or a function of the program.
    pub hmac: ov_device_hmac_fn,
    /// What that function gets: for `ov_device_secret_hmac` an `ov_device_secret`.
    pub user: *mut c_void,
}

/// An HMAC secret in memory.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_secret {
    /// The secret.
    pub data: *const u8,
    /// Its length, at least 16.
    pub len: usize,
}

/// The state of a verification. The program provides the memory and does not look into it; it may be
/// copied, and needs no freeing.
#[repr(C)]
pub struct ov_device_state {
    /// Of no interest.
    pub words: [u64; OV_DEVICE_STATE_WORDS],
}

/// What TO2.ProveOVHdr says besides. The bytes lie within the message.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_device_hello {
    /// `xAKeyExchange`.
    pub key_exchange: *const u8,
    /// Its length.
    pub key_exchange_len: usize,
    /// The CBOR of `eBSigInfo`.
    pub sig_info: *const u8,
    /// Its length.
    pub sig_info_len: usize,
    /// The size in bytes of the largest message that the owner accepts.
    pub max_message: u16,
}

/// What lies in the caller's memory.
#[expect(
    clippy::large_enum_variant,
    reason = "there is room for the larger one"
)]
pub(crate) enum State {
    Verifying(DeviceVerifier),
    Verified(VerifiedOwner),
}

const MAGIC: u64 = u64::from_le_bytes(*b"ov devic");

#[repr(C)]
struct Memory {
    magic: u64,
    state: MaybeUninit<State>,
}

// The state fits, and to forget it without dropping it loses nothing.
const _: [(); 1] = [(); (size_of::<Memory>() <= size_of::<ov_device_state>()) as usize];
const _: [(); 1] = [(); (align_of::<Memory>() <= align_of::<ov_device_state>()) as usize];

fn set(memory: *mut ov_device_state, state: State) -> Result<(), Refusal> {
    let memory = memory.cast::<Memory>();
    if memory.is_null() || !memory.is_aligned() {
        return Err(Refusal::call(super::caller::OV_DEVICE_ERR_NULL));
    }
    // SAFETY: the caller promises an `ov_device_state`, which is large enough; what was in it is forgotten.
    unsafe {
        memory.write(Memory {
            magic: MAGIC,
            state: MaybeUninit::new(state),
        });
    }
    Ok(())
}

pub(crate) fn get(caller: &Caller, memory: *const ov_device_state) -> Result<&State, Refusal> {
    let memory = caller.read(memory.cast::<Memory>())?;
    if memory.magic != MAGIC {
        return Err(Refusal::call(OV_DEVICE_ERR_STATE));
    }
    // SAFETY: the magic is written together with a state.
    Ok(unsafe { memory.state.assume_init_ref() })
}

/// An HMAC of the device.
fn hmac_of(facts: &ov_device_facts, algorithm: HashAlgorithm, header: &[u8]) -> Option<Digest> {
    let hmac = facts.hmac?;
    let (code, len) = match algorithm {
        HashAlgorithm::Sha256 => (OV_DEVICE_SHA256, 32),
        _ => (OV_DEVICE_SHA384, 48),
    };
    let mut value = [0; OV_DEVICE_DIGEST_BYTES];
    // SAFETY: the caller gave this function for this purpose; there is room for the longest HMAC.
    let answer = unsafe {
        let (data, header_len) = (header.as_ptr(), header.len());
        hmac(facts.user, code, data, header_len, value.as_mut_ptr())
    };
    (answer == 0).then_some(())?;
    Digest::new(algorithm, value.get(..len)?)
}

/// The HMAC function for a secret in memory: its user pointer is an `ov_device_secret`. `hmac` has room for
/// `OV_DEVICE_DIGEST_BYTES`; 32 or 48 are written, as for every `ov_device_hmac_fn`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_secret_hmac(
    user: *mut c_void,
    hash: i32,
    header: *const u8,
    header_len: usize,
    hmac: *mut u8,
) -> i32 {
    call(core::ptr::null_mut(), |caller| {
        let secret = caller.read(user.cast_const().cast::<ov_device_secret>())?;
        let key = caller.bytes(secret.data, secret.len)?;
        if key.len() < 16 {
            return Err(Refusal::kind(ErrorKind::HmacSecretShort));
        }
        let header = caller.bytes(header, header_len)?;
        let algorithm = match hash {
            OV_DEVICE_SHA256 => HashAlgorithm::Sha256,
            OV_DEVICE_SHA384 => HashAlgorithm::Sha384,
            _ => return Err(Refusal::kind(ErrorKind::BadCall)),
        };
        let value = algorithm.hmac(key, header);
        caller.copy(hmac, value.as_bytes())
    })
}

/// Begins a verification with TO2.ProveOVHdr, the answer to the TO2.HelloDevice `hello`, which contained
/// `nonce` of `OV_DEVICE_NONCE_BYTES`. `answer` and `error` may be NULL.
///
/// The message may be overwritten afterwards, with what `answer` points to in it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_start(
    state: *mut ov_device_state,
    facts: *const ov_device_facts,
    hello: *const u8,
    hello_len: usize,
    nonce: *const u8,
    message: *const u8,
    len: usize,
    answer: *mut ov_device_hello,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let given = caller.read(facts)?;
        let mut facts = DeviceFacts::new(Guid(given.guid));
        let hash = caller.bytes(given.manufacturer_hash, given.manufacturer_hash_len)?;
        if !hash.is_empty() {
            let known = Digest::from_bytes(hash);
            facts = facts.with_manufacturer_hash(known.ok_or(Refusal::kind(ErrorKind::BadCall))?);
        }
        for (bit, allowance) in ALLOWANCES {
            if given.allow & bit != 0 {
                facts = facts.allow(allowance);
            }
        }
        let hello = caller.bytes(hello, hello_len)?;
        let nonce = ProveOvNonce(caller.fixed(nonce)?);
        let message = caller.bytes(message, len)?;
        let hmac = |algorithm, header: &[u8]| hmac_of(given, algorithm, header);
        let (verifier, said) = facts.start(hmac, hello, nonce, message)?;
        if !answer.is_null() {
            let (key_exchange, sig_info) = (said.key_exchange(), said.sig_info());
            caller.write(
                answer,
                ov_device_hello {
                    key_exchange: key_exchange.as_ptr(),
                    key_exchange_len: key_exchange.len(),
                    sig_info: sig_info.as_ptr(),
                    sig_info_len: sig_info.len(),
                    max_message: said.max_message(),
                },
            )?;
        }
        set(state, State::Verifying(verifier))
    })
}

/// The number of the entry to ask for in TO2.GetOVNextEntry; -1 after the last one, and after a failure.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_next(state: *const ov_device_state) -> i32 {
    let mut number = -1;
    call(core::ptr::null_mut(), |caller| {
        if let State::Verifying(verifier) = get(caller, state)?
            && let Some(next) = verifier.next()
        {
            number = i32::from(next);
        }
        Ok(())
    });
    number
}

/// Takes TO2.OVNextEntry. The message may be overwritten afterwards. A failure ends the verification: what is
/// called next on the state gives `OV_DEVICE_ERR_STATE`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_entry(
    state: *mut ov_device_state,
    message: *const u8,
    len: usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let message = caller.bytes(message, len)?;
        let State::Verifying(verifier) = get(caller, state)? else {
            return Err(Refusal::call(OV_DEVICE_ERR_STATE));
        };
        let mut verifier = verifier.clone();
        let taken = verifier.entry(message);
        if let Err(failed) = taken {
            caller.change(state)?.words = [0; OV_DEVICE_STATE_WORDS];
            return Err(failed.into());
        }
        set(state, State::Verifying(verifier))
    })
}

/// The last check: TO2.ProveOVHdr is signed by the key in the last entry of the voucher. From then on the
/// state is that of a verified owner. `nonce`, with room for `OV_DEVICE_NONCE_BYTES`, is set to
/// `NonceTO2ProveDv`, which the device repeats in TO2.ProveDevice; it may be NULL. A failure ends the verification.
///
/// A state that something else has written over is no valid state, and its mark does not always show it: the
/// call may then end in `ov_device_fault`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_finish(
    state: *mut ov_device_state,
    nonce: *mut u8,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let State::Verifying(verifier) = get(caller, state)? else {
            return Err(Refusal::call(OV_DEVICE_ERR_STATE));
        };
        let owner = match verifier.clone().finish() {
            Ok(owner) => owner,
            Err(failed) => {
                caller.change(state)?.words = [0; OV_DEVICE_STATE_WORDS];
                return Err(failed.into());
            }
        };
        if !nonce.is_null() {
            caller.copy(nonce, &owner.nonce().0)?;
        }
        set(state, State::Verified(owner))
    })
}

/// Verifies that the verified owner signed this to1d, the one of TO1.RVRedirect; if not, TO2 must end.
#[unsafe(no_mangle)]
pub extern "C" fn ov_device_check_to1d(
    state: *const ov_device_state,
    message: *const u8,
    len: usize,
    error: *mut ov_device_error,
) -> ov_device_status {
    call(error, |caller| {
        let message = caller.bytes(message, len)?;
        match get(caller, state)? {
            State::Verified(owner) => Ok(owner.check_to1d(message)?),
            State::Verifying(_) => Err(Refusal::call(OV_DEVICE_ERR_STATE)),
        }
    })
}
