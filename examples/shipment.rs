//! Writes a shipment to the standard output: N vouchers (default 1000) as a CBOR sequence, each
//! handed over three times, signed by 15 keys of five lines of distribution.
//!
//! `cargo run --release --features parallel --example shipment -- 1000000 > shipment.cbor`
//!
//! It shows how a factory would make and hand over vouchers in bulk: whole windows, every core.

use std::io::{self, Write};

use ownership_voucher::create::{RvDirective, RvProtocol};
use ownership_voucher::{
    Error, ExtendOptions, Guid, HandOver, HmacSecret, KeyOrChain, KeyType, LocalKey, NewVoucher,
    Policy,
};

/// Vouchers that are made together. A line of distribution takes a fifth of them.
const WINDOW: u32 = 10_000;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count = std::env::args().nth(1).map_or(Ok(1000), |n| n.parse())?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for start in (0..count).step_by(WINDOW as usize) {
        for line in 0..5 {
            let numbers = (start..count.min(start + WINDOW)).filter(|number| number % 5 == line);
            for voucher in hand_on(numbers, line)? {
                out.write_all(&voucher)?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

/// The vouchers of these devices, after they went from key to key along the line.
fn hand_on(numbers: impl Iterator<Item = u32>, line: u32) -> Result<Vec<Vec<u8>>, Error> {
    let options = ExtendOptions::new();
    // The factory made these vouchers a moment ago, and nobody has signed them yet. Whoever comes
    // after it begins from the manufacturer's key.
    let made_here = Policy::any_origin();
    let from_maker = Policy::manufacturer(key(4 * line)?.public_key());
    let mut vouchers: Vec<Vec<u8>> = Vec::new();
    for number in numbers {
        vouchers.push(fresh(number, 4 * line)?);
    }
    for step in 0..3 {
        let signer = key(4 * line + step)?;
        let next = KeyOrChain::Key(key(4 * line + step + 1)?.public_key());
        let policy = if step == 0 { &made_here } else { &from_maker };
        let hand_over = HandOver::new(policy, &signer, &next, &options);
        let results = hand_over.all(&vouchers);
        vouchers = results
            .into_iter()
            .map(|result| result.map(|(voucher, _receipt)| voucher.as_bytes().to_vec()))
            .collect::<Result<_, _>>()?;
    }
    Ok(vouchers)
}

/// A voucher as it leaves the factory.
fn fresh(number: u32, maker: u32) -> Result<Vec<u8>, Error> {
    let mut guid = [0x17; 16];
    guid[..4].copy_from_slice(&number.to_be_bytes());
    let directive = RvDirective::new()
        .dns("rv.example.com")
        .device_port(443)
        .protocol(RvProtocol::Https);
    let voucher = NewVoucher::new(
        Guid(guid),
        "Model 7",
        KeyOrChain::Key(key(maker)?.public_key()),
    )
    .with_rendezvous(directive)
    .with_epid()
    .header()?
    .authenticate(&HmacSecret::new(number.to_be_bytes().repeat(4)))?;
    Ok(voucher.as_bytes().to_vec())
}

fn key(number: u32) -> Result<LocalKey, Error> {
    let mut secret = [0x42; 32];
    secret[..4].copy_from_slice(&(number + 1).to_be_bytes());
    LocalKey::from_secret(KeyType::Secp256r1, &secret)
}
