//! Bytes and texts, lent.

use core::ffi::c_char;

/// Bytes that belong to somebody else. As a result they live as long as the handle that they were
/// read from, if nothing else is said.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_slice {
    /// The first byte. May be NULL where the length is 0.
    pub data: *const u8,
    /// How many bytes.
    pub len: usize,
}

impl ov_slice {
    pub(super) const fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// A text in UTF-8 that belongs to somebody else, without a zero at its end. It lives as long as
/// the handle that it was read from; names of numbers live as long as the library.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_str {
    /// The first byte.
    pub data: *const c_char,
    /// How many bytes.
    pub len: usize,
}

impl ov_str {
    pub(super) const fn of(text: &str) -> Self {
        Self {
            data: text.as_ptr().cast(),
            len: text.len(),
        }
    }
}
