//! Borrowed bytes and texts.

use core::ffi::c_char;

/// Borrowed bytes. As a result they live as long as the handle from which they were read, unless
/// stated otherwise.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_slice {
    /// The first byte. May be NULL if the length is 0.
    pub data: *const u8,
    /// The number of bytes.
    pub len: usize,
}

impl ov_slice {
    /// What a getter returns that got a wrong handle.
    pub(super) const NONE: Self = Self {
        data: core::ptr::null(),
        len: 0,
    };

    pub(super) const fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            len: bytes.len(),
        }
    }
}

/// A borrowed text in UTF-8, without a terminating zero. It lives as long as the handle from which
/// it was read.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_str {
    /// The first byte.
    pub data: *const c_char,
    /// The number of bytes.
    pub len: usize,
}

impl ov_str {
    /// What a getter returns that got a wrong handle.
    pub(super) const NONE: Self = Self::of("");

    pub(super) const fn of(text: &str) -> Self {
        Self {
            data: text.as_ptr().cast(),
            len: text.len(),
        }
    }
}
