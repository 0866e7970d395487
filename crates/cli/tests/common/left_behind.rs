//! For tests: detects whether freed memory still holds a secret.
#![allow(unsafe_code)]

use core::cell::Cell;
use std::alloc::{GlobalAlloc, Layout, System};

/// The secret to search for.
pub(crate) const MARK: [u8; 16] = *b"look for this 16";

/// Searches every block when it is freed.
struct Watching;

std::thread_local! {
    /// Blocks with the secret that this thread freed. Other tests free their own meanwhile.
    static SEEN: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: every call goes to the system's allocator. Blocks are zeroed first so that all of each
// may be read, and they are read before they are freed.
unsafe impl GlobalAlloc for Watching {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the block is as long as its layout says, and was initialised by `alloc`.
        let block = unsafe { std::slice::from_raw_parts(pointer, layout.size()) };
        let mut at = 0;
        while let Some(found) = block[at..].iter().position(|byte| *byte == MARK[0]) {
            at += found;
            if block[at..].starts_with(&MARK) {
                // A thread that ends has no count any more.
                let _ = SEEN.try_with(|seen| seen.set(seen.get() + 1));
                break;
            }
            at += 1;
        }
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HEAP: Watching = Watching;

/// The number of blocks with the secret that this work freed, on this thread.
pub(crate) fn left_behind(work: impl FnOnce()) -> usize {
    let before = SEEN.get();
    work();
    SEEN.get() - before
}

#[test]
fn what_is_left_behind_is_seen() {
    assert_eq!(left_behind(|| drop(MARK.to_vec())), 1);
    let mut wiped = MARK.to_vec();
    assert_eq!(left_behind(|| zeroize::Zeroize::zeroize(&mut wiped)), 0);
}
