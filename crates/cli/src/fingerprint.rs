//! `ov fingerprint`: the names of the keys in a file, by which policies and allow lists know them.

use ownership_voucher::PublicKey;
use ownership_voucher::key::Fingerprint;
use serde_json::json;

use crate::cli::FingerprintArgs;
use crate::keys::{Passphrase, public_keys};
use crate::lines::plain;
use crate::output::Lines;
use crate::report::{fingerprint, hex, object};
use crate::{Failure, Outcome};

pub(crate) fn run(args: &FingerprintArgs) -> Result<Outcome, Failure> {
    let passphrase = Passphrase::new(&args.passphrase);
    let mut lines = Lines::report(args.json);
    for path in &args.files {
        let keys = public_keys(path, &passphrase)?;
        for (key, number) in keys.iter().zip(1_usize..) {
            match args.json {
                true => lines.line(&object(&[
                    ("source", json!(path.to_string_lossy())),
                    ("key", json!(number)),
                    ("type", json!(key.key.default_key_type().name())),
                    ("bits", json!(key.key.bits())),
                    ("private", json!(key.private)),
                    ("fingerprint", json!(fingerprint(&key.key))),
                    (
                        "owner_key_fingerprint",
                        json!(hex(&key.key.owner_key_fingerprint())),
                    ),
                ]))?,
                false => {
                    let kind = if key.private {
                        "private key"
                    } else {
                        "public key"
                    };
                    lines.line(&format!(
                        "{}: {} of {}",
                        plain(&key.name),
                        kind,
                        words(&key.key)
                    ))?;
                    for (what, print) in [
                        ("SubjectPublicKeyInfo", key.key.fingerprint()),
                        ("OwnerKeyFingerprint ", key.key.owner_key_fingerprint()),
                    ] {
                        lines.line(&format!("  {what}  {}", Fingerprint(print)))?;
                    }
                }
            }
        }
    }
    lines.flush()?;
    Ok(Outcome::Good)
}

/// The type of a key: RSA by its size, which its label does not say.
fn words(key: &PublicKey) -> String {
    match key.bits() {
        bits @ 2048.. => format!("RSA, {bits} bits"),
        _ => key.default_key_type().name().to_owned(),
    }
}
