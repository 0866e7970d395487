//! Whatever the bytes, reading gives a voucher that keeps them, or an error.

use ownership_voucher::privacy::Linker;
use ownership_voucher::text::Secrets;
use ownership_voucher::{Voucher, diagnostic};

use crate::{policy, split};

/// Whatever holds of these bytes, read with the choices in front of them.
pub fn check(input: &[u8]) {
    let Some((choice, secrets, bytes)) = split(input) else {
        return;
    };
    // In proportion to the input, however the items are nested: what the documentation says.
    let secrets = if secrets & 1 == 0 {
        Secrets::Shown
    } else {
        Secrets::Withheld
    };
    let text = diagnostic::notation(bytes, secrets).text;
    assert!(
        text.len() <= 400 * bytes.len() + 400,
        "{} bytes of text",
        text.len()
    );
    let limits = *policy(choice).limits();
    let voucher = match Voucher::parse_with(bytes, &limits) {
        Ok(voucher) => voucher,
        Err(error) => {
            assert!(
                error.offset().is_none_or(|offset| offset <= bytes.len()),
                "{error}"
            );
            return;
        }
    };
    // What is in a byte string or behind a tag is the end of it.
    assert!(bytes.ends_with(voucher.as_bytes()));
    let bytes = voucher.as_bytes();
    assert!(bytes.len() <= limits.input() && voucher.entries().len() <= limits.entries());
    assert!(voucher.device_info().len() <= limits.device_info());
    assert!(voucher.device_chain().count() <= limits.certificates());
    assert!(
        voucher
            .device_chain()
            .all(|certificate| certificate.len() <= limits.certificate())
    );
    assert!(voucher.rendezvous().instructions().count() <= limits.rendezvous());
    // Looser limits read the same.
    assert!(Voucher::parse(bytes).is_ok());
    assert_eq!(voucher.as_bytes(), bytes);
    for finding in voucher.deviations() {
        assert!(finding.offset < bytes.len());
    }
    for told in voucher.disclosures(&limits, secrets) {
        assert!(told.offset < bytes.len() && told.value.len() <= 320);
    }
    let mut linker = Linker::new([7; 32]);
    assert!(linker.add(&voucher).is_ok());
    assert_eq!(linker.finish().anonymity_set(0), 1);
    let mut end = 0;
    for entry in voucher.entries() {
        assert_eq!(&bytes[entry.range()], entry.as_bytes());
        assert!(entry.range().start >= end);
        end = entry.range().end;
        let _ = (entry.extra().count(), entry.key().certificates().count());
        let _ = (
            entry.previous_hash(),
            entry.header_info_hash(),
            entry.key().public_key(),
        );
    }
    let _ = voucher
        .rendezvous()
        .instructions()
        .map(|step| step.value())
        .count();
    let _ = (voucher.guid(), voucher.hmac(), voucher.chain_hash());
    let _ = voucher.claimed_owner().public_key();
    assert_eq!(voucher.clone().into_owned().as_bytes(), bytes);
}
