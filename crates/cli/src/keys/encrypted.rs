//! Encrypted PKCS#8 (RFC 5958 §3) with PBES2 (RFC 8018 §6.2). The cost of a passphrase is bounded before
//! it is paid: the file says how long to compute and how much memory to take.

use ownership_voucher::LocalKey;
use pkcs8::pkcs5::EncryptionScheme;
use pkcs8::pkcs5::pbes2::{Kdf, Pbkdf2Prf};
use pkcs8::{EncryptedPrivateKeyInfoRef, SecretDocument};

use super::passphrase::Passphrase;
use crate::Failure;

/// RFC 8018 §4.2 calls 10^7 appropriate for especially critical keys.
const ITERATIONS: u32 = 10_000_000;
/// Bytes of memory of scrypt. OpenSSL takes 16 MiB.
const MEMORY: u64 = 128 << 20;
/// Blocks that scrypt computes: 64 times those of OpenSSL.
const BLOCKS: u64 = 1 << 23;

/// What converts a file into one that is read.
const CONVERT: &str = "convert it with `openssl pkcs8 -topk8 -v2 aes-256-cbc -v2prf hmacWithSHA256 -in FILE \
                       -out key.pem`";

/// Whether this DER is an encrypted private key, with whatever algorithm: a SEQUENCE of an
/// AlgorithmIdentifier of PKCS#5 or PKCS#12 and an OCTET STRING.
pub(super) fn is_encrypted(der: &[u8]) -> bool {
    let begin = der.get(..24.min(der.len())).unwrap_or_default();
    let marks: [&[u8]; 2] = [
        b"\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05",
        b"\x06\x0a\x2a\x86\x48\x86\xf7\x0d\x01\x0c\x01",
    ];
    let outer = begin.first() == Some(&0x30);
    let at = |mark: &[u8]| (4..=8).any(|at| begin.get(at..).is_some_and(|it| it.starts_with(mark)));
    outer && marks.into_iter().any(at)
}

/// The key, with the passphrase of its user.
pub(super) fn decrypt(
    der: &[u8],
    name: &str,
    passphrase: &Passphrase,
) -> Result<LocalKey, Failure> {
    let fail = |why: &str| Failure::Message(format!("{name}: {why}"));
    let old = || {
        fail(&format!(
            "an encrypted private key with an old or unknown algorithm; {CONVERT}"
        ))
    };
    let info = EncryptedPrivateKeyInfoRef::try_from(der).map_err(|_| old())?;
    bounded(&info.encryption_algorithm)
        .map_err(|why| fail(&format!("an encrypted private key {why}; {CONVERT}")))?;
    let passphrase = passphrase.of(name)?;
    let wrong = || fail("the passphrase is wrong, or the file is damaged");
    let plain: SecretDocument = info.decrypt(&*passphrase).map_err(|_| wrong())?;
    // One wrong passphrase in 256 ends in the padding of a right one.
    let info = pkcs8::PrivateKeyInfoRef::try_from(plain.as_bytes());
    info.map_err(|_| wrong())?;
    super::der::private(plain.as_bytes(), name)
}

/// Refuses what costs more than anybody's own key, and algorithms that are not read.
fn bounded(scheme: &EncryptionScheme) -> Result<(), String> {
    let EncryptionScheme::Pbes2(parameters) = scheme else {
        return Err("with PBES1, which is broken".into());
    };
    match &parameters.kdf {
        Kdf::Pbkdf2(it) if it.iteration_count > ITERATIONS => Err(format!(
            "that takes {} iterations of PBKDF2; at most {ITERATIONS} are computed",
            it.iteration_count
        )),
        Kdf::Pbkdf2(it) if it.prf == Pbkdf2Prf::HmacWithSha1 => {
            Err("under PBKDF2 with SHA-1, as old programs write it".into())
        }
        Kdf::Pbkdf2(it) if it.iteration_count == 0 => {
            Err("that takes 0 iterations of PBKDF2; 1 or more expected".into())
        }
        Kdf::Pbkdf2(_) => Ok(()),
        // RFC 7914 §2; checked here because the derivation computes with it first.
        Kdf::Scrypt(it)
            if it.cost_parameter < 2
                || !it.cost_parameter.is_power_of_two()
                || it.block_size == 0
                || it.parallelization == 0 =>
        {
            Err(format!(
                "under scrypt with N = {}, r = {}, p = {}; a power of two above 1 expected for N, and 1 or \
                 more for r and p",
                it.cost_parameter, it.block_size, it.parallelization
            ))
        }
        Kdf::Scrypt(it) => {
            let blocks = it.cost_parameter.saturating_mul(it.block_size.into());
            let memory = blocks.saturating_mul(128);
            let work = blocks.saturating_mul(it.parallelization.into());
            match memory > MEMORY || work > BLOCKS {
                true => Err(format!(
                    "under scrypt with {memory} bytes of memory and {work} blocks; at most {MEMORY} and \
                     {BLOCKS} are computed"
                )),
                false => Ok(()),
            }
        }
        _ => Err("under a key derivation that is not read".into()),
    }
}
