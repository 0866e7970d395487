//! `ov keygen`: a key pair for an owner.

use ownership_voucher::{KeyType, LocalKey};
use zeroize::Zeroizing;

use crate::cli::{Curve, KeygenArgs};
use crate::output::{Lines, Readers, fill_random, pem, write_file};
use crate::report::fingerprint;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &KeygenArgs) -> Result<Outcome, Failure> {
    if args.public.as_ref() == Some(&args.output) {
        return Err("the private and the public key need two files".into());
    }
    let key = generate(args.curve)?;
    let secret = key
        .to_pkcs8_der()
        .map_err(|error| Failure::Message(error.to_string()))?;
    let private = pem("PRIVATE KEY", &secret)?;
    let public = pem("PUBLIC KEY", &key.public_key().to_spki_der())?;
    write_file(&args.output, private.as_bytes(), args.force, Readers::Owner)?;
    match &args.public {
        Some(path) => write_file(path, public.as_bytes(), args.force, Readers::Usual)?,
        None => {
            let mut lines = Lines::new();
            lines.raw(public.as_bytes())?;
            lines.flush()?;
        }
    }
    crate::output::complain(&format!("new key {}", fingerprint(&key.public_key())));
    Ok(Outcome::Good)
}

/// A key made of fresh random bytes.
fn generate(curve: Curve) -> Result<LocalKey, Failure> {
    let (key_type, len) = match curve {
        Curve::P256 => (KeyType::Secp256r1, 32),
        Curve::P384 => (KeyType::Secp384r1, 48),
        Curve::Ed25519 => (KeyType::Ed25519, 32),
    };
    // One in 2^32 secrets is out of range for P-256; that many times in a row is a broken source.
    for _ in 0..8 {
        let mut secret = Zeroizing::new(vec![0; len]);
        fill_random(&mut secret)?;
        if let Ok(key) = LocalKey::from_secret(key_type, &secret) {
            return Ok(key);
        }
    }
    Err("the system's random bytes do not make a key".into())
}
