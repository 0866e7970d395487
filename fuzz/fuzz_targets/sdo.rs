//! Vouchers of SDO, their files, and credentials. The first byte is the size of the chunks that a file
//! comes in; the rest is its text.
//!
//! What must hold: the verdict is that of the audit; what the reader takes is JSON to another reader, with
//! the same contents; the chunks of a stream do not matter; a text is taken again without its white space.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ownership_voucher::Policy;
use ownership_voucher_sdo::{Checker, DeviceCredential, KeyList, Piece, Records, Voucher};
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Some((&chunk, text)) = bytes.split_first() else {
        return;
    };
    let policy = Policy::any_origin();
    let checker = Checker::new(&policy).allow_reformatted();
    let audit = checker.audit(text);
    match checker.verify(text) {
        Ok(voucher) => {
            assert!(audit.errors.is_empty() && audit.proved.is_some());
            assert_eq!(voucher.findings(), audit.findings);
        }
        Err(error) => assert_eq!(Some(&error), audit.errors.first()),
    }
    if let Ok(voucher) = Voucher::parse(text) {
        let json: Value = serde_json::from_slice(text).expect("JSON");
        let inner = if voucher.is_wrapped() {
            &json[3]
        } else {
            &json
        };
        assert_eq!(
            inner["en"].as_array().unwrap().len(),
            voucher.entries().len()
        );
        assert_eq!(inner["oh"]["d"], voucher.device_info());
        assert_eq!(inner["oh"]["pv"], voucher.protocol_version());
        let again: Value = serde_json::from_slice(voucher.header_bytes()).expect("a header");
        assert_eq!(again, inner["oh"]);
        for finding in voucher.findings() {
            assert!(finding.offset <= text.len());
        }
    }
    let _ = DeviceCredential::parse(text);
    if let Ok(text) = core::str::from_utf8(text) {
        let _ = text.parse::<KeyList>();
    }
    let whole = split(text, text.len().max(1));
    assert_eq!(split(text, usize::from(chunk).max(1)), whole);
});

fn split(text: &[u8], chunk: usize) -> Vec<(u64, Vec<u8>)> {
    let mut records = Records::new();
    let mut chunks = text.chunks(chunk);
    let mut found = Vec::new();
    while let Some(piece) = records.next_piece() {
        match piece {
            Piece::Voucher(bytes) => found.push((records.offset(), bytes)),
            Piece::More => match chunks.next() {
                Some(chunk) => records.push(chunk),
                None => records.finish(),
            },
        }
    }
    found
}
