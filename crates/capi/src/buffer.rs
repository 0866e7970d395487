//! Byte buffers owned by the caller.

use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::guard::plain;
use super::handle::{Handle, at, index, object};
use super::slice::ov_slice;
use super::status::ov_status;

/// Bytes that belong to the caller. They are wiped when freed.
pub struct ov_buffer {
    _private: [u8; 0],
}

object!(ov_buffer: Zeroizing<Vec<u8>>, b"ov bytes");

/// Creates a buffer with these bytes.
pub(super) fn buffer(bytes: impl Into<Zeroizing<Vec<u8>>>) -> *mut ov_buffer {
    Handle::give(bytes.into())
}

/// The bytes of a buffer. They live as long as the buffer.
#[unsafe(no_mangle)]
pub extern "C" fn ov_buffer_bytes(buffer: *const ov_buffer, bytes: *mut ov_slice) -> ov_status {
    plain(|caller| {
        let buffer = caller.get(buffer)?;
        caller.out(bytes)?.write(ov_slice::of(buffer));
        Ok(())
    })
}

/// Wipes and frees a buffer, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_buffer_free(buffer: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| caller.free(buffer))
}

/// A list of byte strings, such as certificates.
pub struct ov_byte_list {
    _private: [u8; 0],
}

object!(ov_byte_list: Vec<Vec<u8>>, b"ov blist");

/// The number of byte strings.
#[unsafe(no_mangle)]
pub extern "C" fn ov_byte_list_len(list: *const ov_byte_list, len: *mut u64) -> ov_status {
    plain(|caller| {
        let list = caller.get(list)?;
        caller.out(len)?.write(list.len() as u64);
        Ok(())
    })
}

/// The byte string with this number, counted from 0.
///
/// `OV_ERR_INDEX` if the number is too large.
#[unsafe(no_mangle)]
pub extern "C" fn ov_byte_list_get(
    list: *const ov_byte_list,
    number: u64,
    bytes: *mut ov_slice,
) -> ov_status {
    plain(|caller| {
        let list = caller.get(list)?;
        let out = caller.out(bytes)?;
        out.write(ov_slice::of(at(list.get(index(number)?))?));
        Ok(())
    })
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_byte_list_free(list: *mut *mut ov_byte_list) -> ov_status {
    plain(|caller| caller.free(list))
}
