//! Bytes and arrays that belong to the caller.

use alloc::ffi::CString;
use alloc::vec::Vec;
use core::ffi::c_char;

use zeroize::Zeroizing;

use super::guard::{plain, value};
use super::handle::{Caller, Handle, Refusal, object};
use super::report::c_text;
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
pub extern "C" fn ov_buffer_bytes(buffer: *const ov_buffer) -> ov_slice {
    value(ov_slice::NONE, |caller| {
        Ok(ov_slice::of(caller.get(buffer)?))
    })
}

/// Wipes and frees a buffer, and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_buffer_free(buffer: *mut *mut ov_buffer) -> ov_status {
    plain(|caller| caller.free(buffer))
}

/// Structures for C, with the texts and bytes to which they point.
pub(super) struct List<T> {
    items: Vec<T>,
    texts: Vec<CString>,
    bytes: Vec<Vec<u8>>,
}

// SAFETY: the pointers in the structures are to what the list owns, or to statics; nothing is changed
// once the list is a handle.
unsafe impl<T> Send for List<T> {}
// SAFETY: as above.
unsafe impl<T> Sync for List<T> {}

impl<T> List<T> {
    pub(super) const fn new() -> Self {
        Self {
            items: Vec::new(),
            texts: Vec::new(),
            bytes: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, item: T) {
        self.items.push(item);
    }

    /// A C string that lives as long as the list.
    pub(super) fn text(&mut self, text: &str) -> *const c_char {
        let text = c_text(text);
        // The bytes of a CString stay where they are when the CString moves.
        let pointer = text.as_ptr();
        self.texts.push(text);
        pointer
    }
}

/// An array that the list lends, and its length.
pub(super) fn all<T>(
    list: impl FnOnce(&Caller) -> Result<&[T], Refusal>,
    count: *mut usize,
) -> *const T {
    value(core::ptr::null(), |caller| {
        let out = caller.out(count)?;
        out.write(0);
        let items = list(caller)?;
        out.write(items.len());
        Ok(items.as_ptr())
    })
}

impl<T> List<T> {
    pub(super) fn items(&self) -> &[T] {
        &self.items
    }
}

/// A list of byte strings, such as certificates.
pub struct ov_byte_list {
    _private: [u8; 0],
}

object!(ov_byte_list: List<ov_slice>, b"ov blist");

/// Gives byte strings to the caller.
pub(super) fn byte_list(strings: Vec<Vec<u8>>) -> *mut ov_byte_list {
    let mut list = List::new();
    list.items = strings.iter().map(|bytes| ov_slice::of(bytes)).collect();
    list.bytes = strings;
    Handle::give(list)
}

/// The byte strings as an array of `count` elements. It lives as long as the list.
#[unsafe(no_mangle)]
pub extern "C" fn ov_byte_list_all(
    list: *const ov_byte_list,
    count: *mut usize,
) -> *const ov_slice {
    all(|caller| Ok(caller.get(list)?.items()), count)
}

/// Frees a list and sets the variable to NULL.
#[unsafe(no_mangle)]
pub extern "C" fn ov_byte_list_free(list: *mut *mut ov_byte_list) -> ov_status {
    plain(|caller| caller.free(list))
}
