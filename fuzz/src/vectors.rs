//! The test vectors, read when the target starts.

use std::path::{Path, PathBuf};

use ownership_voucher::{Roots, file::certificates_from_pem};
use serde_json::Value;

/// Those of the repository; on a fuzzing machine, which has none, those beside the target.
fn folder() -> PathBuf {
    let here = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../test-vectors"));
    let target = std::env::current_exe().unwrap_or_default();
    match here.is_dir() {
        true => here.to_path_buf(),
        false => target.with_file_name("test-vectors"),
    }
}

pub(crate) fn read(name: &str) -> Vec<Value> {
    let entries = std::fs::read_dir(folder().join(name)).expect("the vectors lie beside fuzz/");
    let mut paths: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .collect();
    paths.sort();
    paths
        .iter()
        .map(|path| {
            let text = std::fs::read_to_string(path).expect("a readable vector");
            serde_json::from_str(&text).expect("a vector")
        })
        .collect()
}

pub(crate) fn hex(value: &Value) -> Option<Vec<u8>> {
    let text = value.as_str()?.as_bytes();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    text.chunks_exact(2)
        .map(|pair| Some(digit(pair[0])? << 4 | digit(pair[1])?))
        .collect()
}

/// The vouchers that verify under some policy.
pub fn valid() -> Vec<Vec<u8>> {
    let vectors = read("valid");
    vectors
        .iter()
        .filter_map(|vector| hex(&vector["voucher"]))
        .collect()
}

/// All vouchers.
pub fn vouchers() -> Vec<Vec<u8>> {
    let mut all = valid();
    all.extend(
        read("invalid")
            .iter()
            .filter_map(|vector| hex(&vector["voucher"])),
    );
    all
}

/// Every device CA that a vector or the shipment names.
pub fn roots() -> Roots {
    let mut roots = Roots::new();
    let mut add = |der: &[u8]| {
        // Some vectors name what is no root.
        let _ = roots.add_der(der);
    };
    for vector in read("valid") {
        let listed = vector["options"]["device_ca"].as_array();
        for root in listed.into_iter().flatten() {
            hex(root).iter().for_each(|der| add(der));
        }
    }
    let pem = std::fs::read(folder().join("shipment-keys/device-ca.pem"));
    let pem = certificates_from_pem(&pem.expect("the sellers' CAs"));
    pem.expect("certificates").iter().for_each(|der| add(der));
    roots
}
