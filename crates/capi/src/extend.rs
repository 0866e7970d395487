//! Extending a voucher in two steps.

use alloc::sync::Arc;

use super::buffer::{buffer, ov_buffer};
use super::guard::{guard, plain, value};
use super::handle::{Handle, Refusal, object, present};
use super::key::{give, ov_public_key};
use super::name::OV_GUID_BYTES;
use super::names::{algorithm_code, encoding, hash, ov_digest};
use super::policy::{Rules, ov_policy};
use super::receipt::ov_receipt;
use super::report::ov_error;
use super::slice::ov_slice;
use super::status::ov_status;
use super::verify::{give_verified, ov_verified};
use super::voucher::{give_voucher, ov_voucher};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Extension, KeyOrChain, PublicKey, VerifiedVoucher,
};

/// The next owner of a voucher: a bare key, or certificates.
pub struct ov_next_owner {
    _private: [u8; 0],
}

object!(ov_next_owner: KeyOrChain, b"ov nextw");

/// The bytes of a state of ownership.
pub const OV_STATE_BYTES: usize = 32;

/// A hand-over, as a journal records it. One state of ownership has one continuation.
#[repr(C)]
pub struct ov_sale {
    /// The GUID of the device.
    pub guid: [u8; OV_GUID_BYTES],
    /// The state of ownership that ends: SHA-256 of the payload of the last entry, or of header and
    /// HMAC if there are no entries.
    pub state: [u8; OV_STATE_BYTES],
    /// The continuation of that state: SHA-256 of the message to be signed.
    pub continuation: [u8; OV_STATE_BYTES],
}

/// A next owner with a bare key. It is written in the encoding of the manufacturer key.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_owner_from_key(
    key: *const ov_public_key,
    next: *mut *mut ov_next_owner,
) -> ov_status {
    plain(|caller| {
        let key = caller.get(key)?.clone();
        caller.out(next)?.write(Handle::give(KeyOrChain::Key(key)));
        Ok(())
    })
}

/// A next owner with certificates in DER, that of the key first. They are written as X5CHAIN.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_owner_from_chain(
    certificates: *const ov_slice,
    count: usize,
    next: *mut *mut ov_next_owner,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let chain = caller.copies(certificates, count)?;
        let out = caller.out(next)?;
        let leaf = chain.first().ok_or(Error::new(ErrorKind::ChainEmpty))?;
        // Whether the certificates form a chain is checked when they are used.
        PublicKey::from_certificate_der(leaf)?;
        out.write(Handle::give(KeyOrChain::Chain(chain)));
        Ok(())
    })
}

/// The key of the next owner. Certificates that do not form a chain are refused: the root first, or
/// a certificate that is not signed by the next one. Whether the first is that of a CA is
/// not checked.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_owner_public_key(
    next: *const ov_next_owner,
    key: *mut *mut ov_public_key,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let next = caller.get(next)?;
        let out = caller.out(key)?;
        out.write(give(next.public_key()?));
        Ok(())
    })
}

/// Frees a next owner and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_next_owner_free(next: *mut *mut ov_next_owner) -> ov_status {
    plain(|caller| caller.free(next))
}

/// Options of an extension: additions, and permitted deviations. New options have none.
pub struct ov_extend_options {
    _private: [u8; 0],
}

object!(ov_extend_options: ExtendOptions, b"ov exopt");

/// Creates options without additions or deviations.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extend_options_new(options: *mut *mut ov_extend_options) -> ov_status {
    plain(|caller| {
        let out = caller.out(options)?;
        out.write(Handle::give(ExtendOptions::new()));
        Ok(())
    })
}

/// Frees options and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extend_options_free(options: *mut *mut ov_extend_options) -> ov_status {
    plain(|caller| caller.free(options))
}

pub(super) fn change(options: &mut ExtendOptions, by: impl FnOnce(ExtendOptions) -> ExtendOptions) {
    *options = by(core::mem::take(options));
}

/// Adds a pair to OVEExtra: a type of -65537 or below, and bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extend_options_add_extra(
    options: *mut ov_extend_options,
    extra_type: i64,
    data: *const u8,
    len: usize,
) -> ov_status {
    plain(|caller| {
        let value = caller.array(data, len)?.to_vec();
        change(caller.get_mut(options)?, |options| {
            options.with_extra(extra_type.into(), value)
        });
        Ok(())
    })
}

/// The hash, an `OV_HASH_` number, in place of the one that the voucher already uses.
pub const OV_EXTEND_HASH: i32 = 1;
/// The encoding of a bare key, an `OV_ENCODING_` number, in place of the manufacturer key's.
pub const OV_EXTEND_ENCODING: i32 = 2;
/// The maximum number of bytes in the new entry. Default 65535.
pub const OV_EXTEND_MAX_ENTRY: i32 = 3;
/// 1 allows a next key of another type than the manufacturer's. Some devices refuse the result.
pub const OV_EXTEND_OTHER_KEY_TYPE: i32 = 4;
/// 1 allows a next key of an experimental type although the manufacturer's is not. It also requires
/// `OV_EXTEND_OTHER_KEY_TYPE`.
pub const OV_EXTEND_EXPERIMENTAL_KEY: i32 = 5;
/// 1 allows the next owner's first certificate to be that of a CA. By default that is refused
/// with `OV_ERR_CA_AS_OWNER`: usually it is a chain in the wrong order or the wrong file.
pub const OV_EXTEND_CA_OWNER: i32 = 6;
/// 1 allows another entry for an FDO 1.1 voucher whose entries are signed with the external data of FDO
/// 2.0. By default that is refused with `OV_ERR_DRAFT_AAD`: no device reads it.
pub const OV_EXTEND_DRAFT_AAD: i32 = 7;

/// Sets an option, an `OV_EXTEND_` number. What is allowed with 1 stays allowed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extend_options_set(
    options: *mut ov_extend_options,
    which: i32,
    value: i64,
) -> ov_status {
    plain(|caller| {
        let options = caller.get_mut(options)?;
        *options = set(options.clone(), which, value)?;
        Ok(())
    })
}

fn set(options: ExtendOptions, which: i32, value: i64) -> Result<ExtendOptions, Refusal> {
    let code = number(value);
    Ok(match which {
        OV_EXTEND_HASH => options.with_hash(hash(code?)?),
        OV_EXTEND_ENCODING => options.with_encoding(encoding(code?)?),
        OV_EXTEND_MAX_ENTRY => {
            let wrong = Refusal::argument("a size below zero");
            options.with_max_entry(usize::try_from(value).map_err(|_| wrong)?)
        }
        OV_EXTEND_OTHER_KEY_TYPE => allow(options, value, ExtendOptions::allow_other_key_type)?,
        OV_EXTEND_EXPERIMENTAL_KEY => allow(options, value, ExtendOptions::allow_experimental_key)?,
        OV_EXTEND_CA_OWNER => allow(options, value, ExtendOptions::allow_ca_owner)?,
        OV_EXTEND_DRAFT_AAD => allow(options, value, ExtendOptions::allow_draft_aad)?,
        _ => return Err(Refusal::argument("an unknown option of an extension")),
    })
}

/// A code point.
pub(super) fn number(value: i64) -> Result<i32, Refusal> {
    let wrong = Refusal::argument("a number past 32 bits");
    i32::try_from(value).map_err(|_| wrong)
}

/// Allows something, for 1.
pub(super) fn allow<T>(subject: T, value: i64, by: impl FnOnce(T) -> T) -> Result<T, Refusal> {
    match value {
        1 => Ok(by(subject)),
        _ => Err(Refusal::argument("what is allowed by 1 got another value")),
    }
}

/// An entry that still needs its signature. It keeps the voucher that it extends. If finishing
/// fails, it can be tried again.
pub struct ov_extension {
    _private: [u8; 0],
}

/// The contents of an `ov_extension`. The extension borrows the voucher and precedes it, because
/// fields are dropped from top to bottom.
pub(super) struct Waiting {
    pub(super) extension: Extension<'static>,
    _voucher: Arc<VerifiedVoucher<'static>>,
}

object!(ov_extension: Waiting, b"ov exten");

/// Prepares the entry by which the current owner signs a voucher over to the next. The options may
/// be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_verified_extend(
    verified: *const ov_verified,
    next: *const ov_next_owner,
    options: *const ov_extend_options,
    extension: *mut *mut ov_extension,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let voucher = caller.get(verified)?.voucher.clone();
        let next = caller.get(next)?;
        let options = caller.maybe(options)?.cloned().unwrap_or_default();
        let out = caller.out(extension)?;
        // SAFETY: the contents of the Arc do not move and are not changed. The Arc is stored beside
        // the extension and dropped after it.
        let forever: &'static VerifiedVoucher<'static> = unsafe { &*Arc::as_ptr(&voucher) };
        out.write(Handle::give(Waiting {
            extension: forever.extend(next, &options)?,
            _voucher: voucher,
        }));
        Ok(())
    })
}

/// Frees an extension and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_free(extension: *mut *mut ov_extension) -> ov_status {
    plain(|caller| caller.free(extension))
}

/// The algorithm that the owner must sign with: an `OV_ALGORITHM_` number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_algorithm(extension: *const ov_extension) -> i32 {
    value(0, |caller| {
        let waiting = caller.get(extension)?;
        Ok(algorithm_code(waiting.extension.algorithm()))
    })
}

/// The key of the current owner, who must sign.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_owner(
    extension: *const ov_extension,
    owner: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(owner)?;
        out.write(give(waiting.extension.owner().clone()));
        Ok(())
    })
}

/// The key of the next owner.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_next(
    extension: *const ov_extension,
    next: *mut *mut ov_public_key,
) -> ov_status {
    plain(|caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(next)?;
        out.write(give(waiting.extension.next().clone()));
        Ok(())
    })
}

/// The message to sign.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_to_be_signed(
    extension: *const ov_extension,
    message: *mut *mut ov_buffer,
) -> ov_status {
    plain(|caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(message)?;
        out.write(buffer(waiting.extension.to_be_signed()));
        Ok(())
    })
}

/// The digest of the message, for a token that signs digests; `OV_ERR_ABSENT` for EdDSA, which
/// signs the message.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_prehash(
    extension: *const ov_extension,
    digest: *mut ov_digest,
) -> ov_status {
    plain(|caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(digest)?;
        out.write(ov_digest::of(&present(waiting.extension.prehash())?));
        Ok(())
    })
}

/// The record of this hand-over for a journal of sales. Record it before the message is given to a
/// signer, and refuse any other continuation of the same state. This prevents selling a device
/// twice.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_sale(
    extension: *const ov_extension,
    sale: *mut ov_sale,
) -> ov_status {
    plain(|caller| {
        let waiting = caller.get(extension)?;
        let out = caller.out(sale)?;
        let sale = waiting.extension.sale();
        out.write(ov_sale {
            guid: sale.guid.0,
            state: sale.state,
            continuation: sale.continuation,
        });
        Ok(())
    })
}

/// The extended voucher, after the signature has been verified under the owner's key. ECDSA
/// signatures may be r and s concatenated, or DER.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_finish(
    extension: *const ov_extension,
    signature: *const u8,
    len: usize,
    voucher: *mut *mut ov_voucher,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let waiting = caller.get(extension)?;
        let signature = caller.array(signature, len)?;
        let out = caller.out(voucher)?;
        out.write(give_voucher(waiting.extension.finish(signature)?));
        Ok(())
    })
}

/// Ends a two-step hand-over. Finishes the entry, verifies the result under the policy with the
/// next owner as its owner, and makes a receipt. `receipt` may be NULL; a NULL policy is
/// `OV_ERR_BAD_CALL`.
#[unsafe(no_mangle)]
pub extern "C" fn ov_extension_hand_over(
    extension: *const ov_extension,
    signature: *const u8,
    len: usize,
    policy: *const ov_policy,
    extended: *mut *mut ov_verified,
    receipt: *mut *mut ov_receipt,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let waiting = caller.get(extension)?;
        let signature = caller.array(signature, len)?;
        let rules = Rules::given(caller, policy)?;
        let (out, out_receipt) = (caller.out(extended)?, caller.maybe_out(receipt)?);
        let policy = rules.policy();
        let (voucher, made) = waiting.extension.hand_over(signature, &policy)?;
        out.write(give_verified(voucher));
        if let Some(out) = out_receipt {
            out.write(Handle::give(made));
        }
        Ok(())
    })
}
