//! Files of any kind end, give pieces that lie within them, and never more bytes than they have.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::file::{PemBlocks, Vouchers, single};
use ownership_voucher::{LocalKey, PublicKey};

fuzz_target!(|bytes: &[u8]| {
    let mut sum = 0;
    for item in Vouchers::new(bytes).flatten() {
        sum += item.len();
    }
    assert!(sum <= bytes.len());
    let _ = single(bytes);
    let _ = PemBlocks::new(bytes).flatten().map(|block| block.decode()).count();
    let _ = (PublicKey::from_pem(bytes), LocalKey::from_pem(bytes));
});
