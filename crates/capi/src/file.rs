//! Vouchers, keys and certificates in files.

use alloc::borrow::Cow;

use super::buffer::{buffer, byte_list, ov_buffer, ov_byte_list};
use super::guard::{guard, plain, value};
use super::handle::{Handle, at, object};
use super::report::{OV_NONE, ov_error};
use super::slice::ov_slice;
use super::status::ov_status;
use ownership_voucher::diagnostic;
use ownership_voucher::file::{self, Vouchers};
use ownership_voucher::text::Secrets;

/// The bytes of the one voucher of a file: CBOR, PEM, or base64 of CBOR.
#[unsafe(no_mangle)]
pub extern "C" fn ov_file_single(
    data: *const u8,
    len: usize,
    voucher: *mut *mut ov_buffer,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let input = caller.array(data, len)?;
        let out = caller.out(voucher)?;
        out.write(buffer(file::single(input)?.into_owned()));
        Ok(())
    })
}

/// Any CBOR as text: diagnostic notation with byte offsets. Wi-Fi passwords, and values that cannot
/// be decoded and may be one, are left out unless `secrets` is set. `complete` says whether
/// everything could be decoded; if not, the place and the reason are written to `fault`, which may
/// be NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_diagnostic(
    data: *const u8,
    len: usize,
    secrets: bool,
    text: *mut *mut ov_buffer,
    complete: *mut bool,
    fault: *mut ov_error,
) -> ov_status {
    plain(|caller| {
        let bytes = caller.array(data, len)?;
        let (out, out_complete) = (caller.out(text)?, caller.out(complete)?);
        let shown = diagnostic::notation(bytes, asked(secrets));
        out.write(buffer(shown.text.into_bytes()));
        out_complete.write(shown.error.is_none());
        if let Some(error) = shown.error {
            super::report::report(fault, error.into());
        }
        Ok(())
    })
}

/// Every certificate in the PEM blocks of a text, in DER, in order.
#[unsafe(no_mangle)]
pub extern "C" fn ov_file_certificates(
    data: *const u8,
    len: usize,
    certificates: *mut *mut ov_byte_list,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let text = caller.array(data, len)?;
        let out = caller.out(certificates)?;
        out.write(byte_list(file::certificates_from_pem(text)?));
        Ok(())
    })
}

/// An iterator over the vouchers of one file.
pub struct ov_vouchers {
    _private: [u8; 0],
}

/// The contents of an `ov_vouchers`: the iterator, and the last voucher.
pub(super) struct Steps {
    steps: Vouchers<'static>,
    last: Cow<'static, [u8]>,
}

object!(ov_vouchers: Steps, b"ov steps");

/// Begins to iterate over a file: a CBOR sequence of vouchers, a text with PEM blocks, or base64 of
/// CBOR. The data must stay unchanged until the iterator is freed.
#[unsafe(no_mangle)]
pub extern "C" fn ov_vouchers_new(
    data: *const u8,
    len: usize,
    vouchers: *mut *mut ov_vouchers,
) -> ov_status {
    plain(|caller| {
        let input = caller.array(data, len)?;
        let out = caller.out(vouchers)?;
        // SAFETY: the header says how long the data must remain valid.
        let input: &'static [u8] =
            unsafe { core::slice::from_raw_parts(input.as_ptr(), input.len()) };
        out.write(Handle::give(Steps {
            steps: Vouchers::new(input),
            last: Cow::Borrowed(&[]),
        }));
        Ok(())
    })
}

/// The next voucher in CBOR, not parsed yet. It lives until the next call. `OV_ERR_INDEX` at the
/// end. Any other failure concerns one voucher, and iteration may continue after it.
#[unsafe(no_mangle)]
pub extern "C" fn ov_vouchers_next(
    vouchers: *mut ov_vouchers,
    voucher: *mut ov_slice,
    error: *mut ov_error,
) -> ov_status {
    guard(error, |caller| {
        let steps = caller.get_mut(vouchers)?;
        let out = caller.out(voucher)?;
        steps.last = at(steps.steps.next())??;
        out.write(ov_slice::of(&steps.last));
        Ok(())
    })
}

/// The place in the file of the last voucher, or of the last failure: its offset in bytes. Of a voucher in
/// PEM or base64 it is where the block or the text of it begins.
#[unsafe(no_mangle)]
pub extern "C" fn ov_vouchers_offset(vouchers: *const ov_vouchers) -> u64 {
    value(OV_NONE, |caller| Ok(caller.get(vouchers)?.steps.offset()))
}

/// Frees an iterator and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_vouchers_free(vouchers: *mut *mut ov_vouchers) -> ov_status {
    plain(|caller| caller.free(vouchers))
}

/// What a flag that asks for secrets means.
pub(super) const fn asked(secrets: bool) -> Secrets {
    if secrets {
        Secrets::Shown
    } else {
        Secrets::Withheld
    }
}
