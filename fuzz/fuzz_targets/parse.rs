//! Whatever the bytes, reading gives a voucher that keeps them, or an error.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::Voucher;

fuzz_target!(|bytes: &[u8]| {
    let Ok(voucher) = Voucher::parse(bytes) else { return };
    assert_eq!(voucher.as_bytes(), bytes);
    for finding in voucher.findings() {
        assert!(finding.offset < bytes.len());
    }
    for entry in voucher.entries() {
        let _ = (entry.extra().count(), entry.key().certificates().count());
    }
    let _ = voucher.rendezvous().instructions().map(|step| step.value()).count();
    let _ = voucher.owner_key().public_key();
    assert_eq!(voucher.clone().into_owned().as_bytes(), bytes);
});
