//! Files of any kind end, give pieces that lie within them, and never more bytes than they have.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::certificate::CertificateInfo;
use ownership_voucher::file::{PemBlocks, Vouchers, certificates_from_pem, single, to_pem};
use ownership_voucher::{LocalKey, PublicKey, Roots};

fuzz_target!(|bytes: &[u8]| {
    let mut sum = 0;
    for item in Vouchers::new(bytes).flatten() {
        sum += item.len();
        // What we write, we read.
        let again = to_pem(&item);
        assert_eq!(single(again.as_bytes()).ok().as_deref(), Some(&*item));
    }
    assert!(sum <= bytes.len());
    let _ = single(bytes);
    let mut ders = vec![bytes.to_vec()];
    for block in PemBlocks::new(bytes).flatten() {
        assert!(block.offset() < bytes.len());
        ders.extend(block.decode().ok().map(|der| der.to_vec()));
    }
    let _ = (
        PublicKey::from_pem(bytes),
        LocalKey::from_pem(bytes),
        certificates_from_pem(bytes),
    );
    for der in ders.iter().take(8) {
        if let Ok(key) = PublicKey::from_spki_der(der) {
            assert_eq!(PublicKey::from_spki_der(&key.to_spki_der()), Ok(key));
        }
        let _ = PublicKey::from_certificate_der(der);
        let _ = (CertificateInfo::from_der(der), Roots::new().add_der(der));
        let _ = Roots::new().add_crl_der(der);
        if let Ok(key) = LocalKey::from_der(der) {
            let again = key.to_pkcs8_der().and_then(|der| LocalKey::from_der(&der));
            assert_eq!(again.map(|key| key.public_key()), Ok(key.public_key()));
        }
    }
});
