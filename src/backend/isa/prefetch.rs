//! Prefetching, which is part of SSE and so of every x86-64.

use core::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};

/// Prefetches the first and the last cache line of a value.
#[inline(always)]
pub(crate) fn prefetch<T: ?Sized>(value: &T) {
    let first = core::ptr::from_ref(value).cast::<i8>();
    // SAFETY: SSE is part of x86-64, and a prefetch reads nothing.
    unsafe { _mm_prefetch::<_MM_HINT_T0>(first) };
    let size = size_of_val(value);
    if size > 64 || align_of_val(value) < 64 {
        // SAFETY: the same.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(first.wrapping_add(size.saturating_sub(1))) };
    }
}
