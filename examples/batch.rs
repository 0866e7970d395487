//! Verifies a folder of vouchers as one batch: `cargo run --release --features parallel --example
//! batch -- FOLDER`, by default the shipped test vectors.

use std::error::Error;
use std::fs;

use ownership_voucher::{BatchVerifier, Policy, PublicKey, file};

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1);
    let folder = folder.unwrap_or_else(|| "test-vectors/shipment".to_owned());

    let pem = fs::read("test-vectors/shipment-keys/manufacturers.pem")?;
    let policy = Policy::manufacturers(PublicKey::all_from_pem(&pem)?);

    let mut vouchers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let input = fs::read(entry?.path())?;
        for voucher in file::Vouchers::new(&input) {
            vouchers.push(voucher?.into_owned());
        }
    }

    // Each verdict is the one that the voucher would get alone.
    let mut batch = BatchVerifier::new(&policy);
    let (mut verified, mut rejected) = (0, 0);
    for verdict in batch.verify(&vouchers) {
        match verdict {
            Ok(_) => verified += 1,
            Err(error) => {
                rejected += 1;
                println!("rejected: {error}");
            }
        }
    }
    println!("{verified} verified, {rejected} rejected");
    Ok(())
}
