//! The windows of fixed signatures, and the function whose instructions are counted.

use ownership_voucher::bench_api::{self, Batch, Key, Signed};
use sha2::Digest;

/// Signatures in a window.
const SIGNATURES: usize = 256;

macro_rules! window {
    ($name:ident, $krate:ident, $hash:ty) => {
        fn $name(keys: usize) -> (Vec<Key>, Vec<Signed>) {
            use $krate::ecdsa::{Signature, SigningKey, signature::hazmat::PrehashSigner};
            let uses = SIGNATURES / keys;
            let mut all = Vec::new();
            let mut jobs = Vec::new();
            for key in 0..keys {
                // Any hash is a secret key, but for one in 2^32 or fewer.
                let secret = <$hash>::digest(key.to_le_bytes());
                let secret = SigningKey::from_slice(&secret).expect("below the order");
                let point = secret.verifying_key().to_sec1_point(false);
                all.push((point.as_bytes()[1..].to_vec(), uses as u32));
                for number in 0..uses {
                    let digest = <$hash>::digest((key * uses + number).to_be_bytes()).to_vec();
                    let signature: Signature = secret.sign_prehash(&digest).expect("a signature");
                    jobs.push((key as u32, digest, signature.to_bytes().to_vec()));
                }
            }
            (all, jobs)
        }
    };
}
window!(window_p256, p256, sha2::Sha256);
window!(window_p384, p384, sha2::Sha384);

/// What is counted.
#[inline(never)]
fn counted_window(batch: &mut dyn Batch, keys: &[Key], jobs: &[Signed]) -> bool {
    batch.window(keys, jobs).iter().all(|right| *right)
}

pub(crate) fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (wide, distinct) = match arguments[..] {
        ["p256", "hot"] => (false, false),
        ["p256", "distinct"] => (false, true),
        ["p384", "hot"] => (true, false),
        ["p384", "distinct"] => (true, true),
        _ => {
            eprintln!("usage: instructions p256|p384 hot|distinct");
            std::process::exit(2);
        }
    };
    let keys = if distinct { SIGNATURES } else { 16 };
    let (keys, jobs) = if wide {
        window_p384(keys)
    } else {
        window_p256(keys)
    };
    let mut batch = bench_api::ecdsa(wide, true);
    // Tables of the generator and of keys that come again.
    assert!(batch.window(&keys, &jobs).iter().all(|right| *right));
    assert!(counted_window(&mut *batch, &keys, &jobs));
    println!("{}", jobs.len());
}
