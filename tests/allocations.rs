//! Reading a voucher allocates once, for its entries; one without entries not at all.
//!
//! The count is of the calls to the allocator, so this file has one test and no threads.

mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

use ownership_voucher::{KeyType, Voucher};

struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promise is passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the pointer came from `alloc` above.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static HEAP: Counting = Counting;

#[test]
fn reading_allocates_once() {
    for (entries, wanted) in [(0, 0), (1, 1), (3, 1), (100, 1)] {
        let bytes = common::voucher(KeyType::Secp256r1, 1, entries);
        let before = CALLS.load(Ordering::Relaxed);
        let voucher = Voucher::parse(&bytes);
        let calls = CALLS.load(Ordering::Relaxed) - before;
        assert!(voucher.is_ok());
        assert_eq!(calls, wanted, "{entries} entries");
    }
}
