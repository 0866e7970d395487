//! Verifies one voucher: `cargo run --example verify -- VOUCHER MANUFACTURER-KEY`, by default one of
//! the shipped test vectors.

use std::error::Error;
use std::fs;

use ownership_voucher::{Policy, PublicKey, Voucher, file};

const SHIPMENT: &str = "test-vectors/shipment";

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let voucher = arguments.next();
    let key = arguments.next();
    let voucher = voucher.unwrap_or_else(|| format!("{SHIPMENT}/alder-gw100-0001.cbor"));
    let key = key.unwrap_or_else(|| format!("{SHIPMENT}-keys/manufacturers.pem"));

    // The anchor: without it, anybody could have made the voucher. The file may have several keys.
    let policy = Policy::manufacturers(PublicKey::all_from_pem(&fs::read(key)?)?);

    let input = fs::read(voucher)?;
    for bytes in file::Vouchers::new(&input) {
        let bytes = bytes?;
        let voucher = Voucher::parse(&bytes)?.verify(&policy)?;
        println!("{}  {:?}", voucher.guid(), voucher.device_info());
        println!("  proved: {:?}", voucher.proved());
        println!("  the owner's key: {}", hex(&voucher.owner().fingerprint()));
        for finding in voucher.findings(&policy) {
            println!("  note: {finding}");
        }
    }
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
