//! `ov keygen`: a key pair for an owner.

use std::path::Path;

use ownership_voucher::{KeyType, LocalKey};
use zeroize::Zeroizing;

use crate::cli::{Curve, KeygenArgs};
use crate::output::{NewFile, Readers, pem};
use crate::place::is_standard_output;
use crate::random::fill_random;
use crate::report::fingerprint;
use crate::same_file::Files;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &KeygenArgs) -> Result<Outcome, Failure> {
    let mut files = Files::default();
    files.output(Some(&args.output), "-o")?;
    files.output(args.public.as_deref(), "--public")?;
    // Both outputs are opened before either is written.
    let mut private = NewFile::create(&args.output, args.force, Readers::Owner)?;
    let public = match &args.public {
        Some(path) => Some(NewFile::create(path, args.force, Readers::Usual)?),
        // The standard output gets one of the keys.
        None if is_standard_output(&args.output) => None,
        None => Some(NewFile::create(Path::new("-"), false, Readers::Usual)?),
    };
    let key = generate(args.curve)?;
    let secret = key
        .to_pkcs8_der()
        .map_err(|error| Failure::Message(error.to_string()))?;
    private.write(pem("PRIVATE KEY", &secret)?.as_bytes())?;
    private.commit()?;
    if let Some(mut public) = public {
        public.write(pem("PUBLIC KEY", &key.public_key().to_spki_der())?.as_bytes())?;
        public.commit()?;
    }
    crate::output::print_message(&format!("new key {}", fingerprint(&key.public_key())));
    Ok(Outcome::Good)
}

/// A key from fresh random bytes.
fn generate(curve: Curve) -> Result<LocalKey, Failure> {
    let (key_type, len) = match curve {
        Curve::P256 => (KeyType::Secp256r1, 32),
        Curve::P384 => (KeyType::Secp384r1, 48),
        Curve::Ed25519 => (KeyType::Ed25519, 32),
    };
    // One in 2^32 secrets is out of range for P-256; this many in a row mean a broken source.
    for _ in 0..8 {
        let mut secret = Zeroizing::new(vec![0; len]);
        fill_random(&mut secret)?;
        if let Ok(key) = LocalKey::from_secret(key_type, &secret) {
            return Ok(key);
        }
    }
    Err("the system's random bytes do not make a key".into())
}
