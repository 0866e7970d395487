//! Code points and digests. Their names are in `name.rs`.

use super::guard::{plain, value};
use super::handle::{Refusal, at};
use super::status::ov_status;
use ownership_voucher::certificate::Permission;
use ownership_voucher::digest::{Digest, HashAlgorithm};
use ownership_voucher::key::KeyEncoding;
use ownership_voucher::onboard::Disposition;
use ownership_voucher::sign::Algorithm;
use ownership_voucher::voucher::RvVariable;
use ownership_voucher::{Allowance, KeyType};

/// ECDSA on P-256 with SHA-256.
pub const OV_ALGORITHM_ES256: i32 = -7;
/// ECDSA on P-384 with SHA-384.
pub const OV_ALGORITHM_ES384: i32 = -35;
/// RSA PKCS#1 v1.5 with SHA-256.
pub const OV_ALGORITHM_RS256: i32 = -257;
/// RSA PKCS#1 v1.5 with SHA-384.
pub const OV_ALGORITHM_RS384: i32 = -258;
/// RSA PSS with SHA-256 and a salt of 32 bytes.
pub const OV_ALGORITHM_PS256: i32 = -37;
/// RSA PSS with SHA-384 and a salt of 48 bytes.
pub const OV_ALGORITHM_PS384: i32 = -38;
/// Ed25519, experimental.
pub const OV_ALGORITHM_EDDSA: i32 = -8;

/// RSA with a modulus of 2048 bits and exponent 65537.
pub const OV_KEY_RSA2048RESTR: i32 = 1;
/// RSA, PKCS#1 v1.5 signatures.
pub const OV_KEY_RSAPKCS: i32 = 5;
/// RSA, PSS signatures.
pub const OV_KEY_RSAPSS: i32 = 6;
/// NIST P-256.
pub const OV_KEY_SECP256R1: i32 = 10;
/// NIST P-384.
pub const OV_KEY_SECP384R1: i32 = 11;
/// Ed25519 under a private code point, experimental.
pub const OV_KEY_ED25519: i32 = -70001;

/// An array of modulus and exponent, for RSA.
pub const OV_ENCODING_CRYPTO: i32 = 0;
/// A SubjectPublicKeyInfo in DER.
pub const OV_ENCODING_X509: i32 = 1;
/// A certificate chain, the key's own certificate first.
pub const OV_ENCODING_X5CHAIN: i32 = 2;
/// A COSE_Key.
pub const OV_ENCODING_COSEKEY: i32 = 3;

/// SHA-256, or HMAC with SHA-256.
pub const OV_HASH_SHA256: i32 = -16;
/// SHA-384, or HMAC with SHA-384.
pub const OV_HASH_SHA384: i32 = -43;

/// The bytes of the longest digest.
pub const OV_DIGEST_BYTES: usize = 48;

/// A hash or an HMAC with its algorithm.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct ov_digest {
    /// `OV_HASH_SHA256` or `OV_HASH_SHA384`, for HMACs too.
    pub algorithm: i32,
    /// 32 or 48; 0 from a getter that got a wrong handle.
    pub len: usize,
    /// The bytes, padded with zeros.
    pub bytes: [u8; OV_DIGEST_BYTES],
}

impl ov_digest {
    /// What a getter returns that got a wrong handle.
    pub(super) const NONE: Self = Self {
        algorithm: 0,
        len: 0,
        bytes: [0; OV_DIGEST_BYTES],
    };

    pub(super) fn of(digest: &Digest) -> Self {
        let mut bytes = [0; OV_DIGEST_BYTES];
        for (to, from) in bytes.iter_mut().zip(digest.as_bytes()) {
            *to = *from;
        }
        Self {
            algorithm: hash_code(digest.algorithm()),
            len: digest.as_bytes().len(),
            bytes,
        }
    }

    pub(super) fn read(&self) -> Result<Digest, Refusal> {
        let bytes = self.bytes.get(..self.len);
        bytes
            .and_then(|bytes| Digest::new(hash(self.algorithm).ok()?, bytes))
            .ok_or(Refusal::argument(
                "a digest whose length is not that of its algorithm",
            ))
    }
}

pub(super) const ALGORITHMS: [(i32, Algorithm); 7] = [
    (OV_ALGORITHM_ES256, Algorithm::Es256),
    (OV_ALGORITHM_ES384, Algorithm::Es384),
    (OV_ALGORITHM_RS256, Algorithm::Rs256),
    (OV_ALGORITHM_RS384, Algorithm::Rs384),
    (OV_ALGORITHM_PS256, Algorithm::Ps256),
    (OV_ALGORITHM_PS384, Algorithm::Ps384),
    (OV_ALGORITHM_EDDSA, Algorithm::EdDsa),
];

pub(super) const KEY_TYPES: [(i32, KeyType); 6] = [
    (OV_KEY_RSA2048RESTR, KeyType::Rsa2048Restr),
    (OV_KEY_RSAPKCS, KeyType::RsaPkcs),
    (OV_KEY_RSAPSS, KeyType::RsaPss),
    (OV_KEY_SECP256R1, KeyType::Secp256r1),
    (OV_KEY_SECP384R1, KeyType::Secp384r1),
    (OV_KEY_ED25519, KeyType::Ed25519),
];

pub(super) const ENCODINGS: [(i32, KeyEncoding); 4] = [
    (OV_ENCODING_CRYPTO, KeyEncoding::Crypto),
    (OV_ENCODING_X509, KeyEncoding::X509),
    (OV_ENCODING_X5CHAIN, KeyEncoding::X5Chain),
    (OV_ENCODING_COSEKEY, KeyEncoding::CoseKey),
];

pub(super) const HASHES: [(i32, HashAlgorithm); 2] = [
    (OV_HASH_SHA256, HashAlgorithm::Sha256),
    (OV_HASH_SHA384, HashAlgorithm::Sha384),
];

fn lookup<T: Copy>(table: &[(i32, T)], code: i32, what: &'static str) -> Result<T, Refusal> {
    let found = table.iter().find(|(known, _)| *known == code);
    found
        .map(|(_, value)| *value)
        .ok_or(Refusal::argument(what))
}

fn code_of<T: PartialEq>(table: &[(i32, T)], wanted: &T) -> i32 {
    let found = table.iter().find(|(_, value)| value == wanted);
    found.map_or(0, |(code, _)| *code)
}

pub(super) fn algorithm(code: i32) -> Result<Algorithm, Refusal> {
    lookup(&ALGORITHMS, code, "an unknown signature algorithm")
}

pub(super) fn algorithm_code(algorithm: Algorithm) -> i32 {
    code_of(&ALGORITHMS, &algorithm)
}

pub(super) fn key_type(code: i32) -> Result<KeyType, Refusal> {
    lookup(&KEY_TYPES, code, "an unknown key type")
}

pub(super) fn key_type_code(key_type: KeyType) -> i32 {
    code_of(&KEY_TYPES, &key_type)
}

pub(super) fn encoding(code: i32) -> Result<KeyEncoding, Refusal> {
    lookup(&ENCODINGS, code, "an unknown key encoding")
}

pub(super) fn encoding_code(encoding: KeyEncoding) -> i32 {
    code_of(&ENCODINGS, &encoding)
}

pub(super) fn hash(code: i32) -> Result<HashAlgorithm, Refusal> {
    lookup(&HASHES, code, "an unknown hash algorithm")
}

pub(super) fn hash_code(hash: HashAlgorithm) -> i32 {
    code_of(&HASHES, &hash)
}

pub(super) fn variable(code: i32) -> Result<RvVariable, Refusal> {
    let index = usize::try_from(code).ok();
    let found = index.and_then(|index| RvVariable::ALL.get(index));
    found
        .copied()
        .ok_or(Refusal::argument("an unknown rendezvous variable"))
}

/// The length in bytes of a signature of this algorithm: 64, 96, 256 or 384; 0 if it is unknown.
#[unsafe(no_mangle)]
pub extern "C" fn ov_signature_len(algorithm_code: i32) -> usize {
    value(0, |_| Ok(algorithm(algorithm_code)?.signature_len()))
}

/// The length in bytes of a digest or HMAC of this hash: 32 or 48; 0 if it is unknown.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hash_len(code: i32) -> usize {
    value(0, |_| Ok(hash(code)?.len()))
}

/// Computes the digest of some bytes.
#[unsafe(no_mangle)]
pub extern "C" fn ov_hash_digest(
    code: i32,
    data: *const u8,
    len: usize,
    digest: *mut ov_digest,
) -> ov_status {
    plain(|caller| {
        let bytes = caller.array(data, len)?;
        let out = caller.out(digest)?;
        out.write(ov_digest::of(&hash(code)?.digest(&[bytes])));
        Ok(())
    })
}

/// Whether two digests are equal, compared in constant time. False if one of them is none.
#[unsafe(no_mangle)]
pub extern "C" fn ov_digest_equal(a: *const ov_digest, b: *const ov_digest) -> bool {
    value(false, |caller| {
        let a = at(caller.array(a, 1)?.first())?.read()?;
        let b = at(caller.array(b, 1)?.first())?.read()?;
        Ok(a == b)
    })
}

/// The device chain hash covers the CBOR item instead of the certificates.
pub const OV_ALLOW_LEGACY_CHAIN_HASH: i32 = 1;
/// Entries without COSE tag 18.
pub const OV_ALLOW_LEGACY_UNTAGGED: i32 = 2;
/// A P-256 key labelled SECP384R1, or a P-384 key labelled SECP256R1.
pub const OV_ALLOW_KEY_TYPE_LABEL: i32 = 3;
/// Protocol version 200: FDO 2.0, which is not published yet.
pub const OV_ALLOW_FDO_2_0: i32 = 4;
/// Keys of an experimental type: Ed25519.
pub const OV_ALLOW_EXPERIMENTAL_KEYS: i32 = 5;
/// Entries of an FDO 1.1 voucher signed with the external data of FDO 2.0.
pub const OV_ALLOW_FDO_2_0_DRAFT_AAD: i32 = 6;

pub(super) const ALLOWANCES: [(i32, Allowance); 6] = [
    (OV_ALLOW_LEGACY_CHAIN_HASH, Allowance::LegacyChainHash),
    (OV_ALLOW_LEGACY_UNTAGGED, Allowance::LegacyUntagged),
    (OV_ALLOW_KEY_TYPE_LABEL, Allowance::KeyTypeLabel),
    (OV_ALLOW_FDO_2_0, Allowance::Fdo20),
    (OV_ALLOW_EXPERIMENTAL_KEYS, Allowance::ExperimentalKeys),
    (OV_ALLOW_FDO_2_0_DRAFT_AAD, Allowance::Fdo20DraftAad),
];

pub(super) fn allowance(code: i32) -> Result<Allowance, Refusal> {
    let found = ALLOWANCES.iter().find(|(known, _)| *known == code);
    found
        .map(|(_, allowance)| *allowance)
        .ok_or(Refusal::argument("an unknown allowance"))
}

pub(super) fn allowance_code(allowance: Allowance) -> i32 {
    let found = ALLOWANCES.iter().find(|(_, known)| *known == allowance);
    found.map_or(0, |(code, _)| *code)
}

/// A delegate may sign to1d.
pub const OV_PERMISSION_REDIRECT: i32 = 1;
/// A delegate may onboard a device and give it new credentials.
pub const OV_PERMISSION_ONBOARD_NEW_CRED: i32 = 2;
/// A delegate may onboard a device that keeps its credentials.
pub const OV_PERMISSION_ONBOARD_REUSE_CRED: i32 = 3;
/// A delegate may onboard a device and switch FDO off in it.
pub const OV_PERMISSION_ONBOARD_FDO_DISABLE: i32 = 4;
/// A delegate may fetch vouchers of its owner from a service.
pub const OV_PERMISSION_VOUCHER_CLAIM: i32 = 5;
/// A delegate may give vouchers to a service for its owner.
pub const OV_PERMISSION_VOUCHER_UPLOAD: i32 = 6;
/// A delegate may sign what service info transfers.
pub const OV_PERMISSION_PROVISION: i32 = 7;

pub(super) const PERMISSIONS: [(i32, Permission); Permission::ALL.len()] = [
    (OV_PERMISSION_REDIRECT, Permission::Redirect),
    (
        OV_PERMISSION_ONBOARD_NEW_CRED,
        Permission::OnboardNewCredential,
    ),
    (
        OV_PERMISSION_ONBOARD_REUSE_CRED,
        Permission::OnboardReuseCredential,
    ),
    (
        OV_PERMISSION_ONBOARD_FDO_DISABLE,
        Permission::OnboardFdoDisable,
    ),
    (OV_PERMISSION_VOUCHER_CLAIM, Permission::VoucherClaim),
    (OV_PERMISSION_VOUCHER_UPLOAD, Permission::VoucherUpload),
    (OV_PERMISSION_PROVISION, Permission::Provision),
];

/// The device gets new credentials.
pub const OV_DISPOSITION_RESALE: i32 = 1;
/// The device keeps its credentials (credential reuse).
pub const OV_DISPOSITION_REUSE: i32 = 2;
/// FDO is switched off in the device.
pub const OV_DISPOSITION_DISABLE: i32 = 3;

pub(super) const DISPOSITIONS: [(i32, Disposition); 3] = [
    (OV_DISPOSITION_RESALE, Disposition::Resale),
    (OV_DISPOSITION_REUSE, Disposition::Reuse),
    (OV_DISPOSITION_DISABLE, Disposition::Disable),
];

// Does not compile if a number is another one in Rust.
const _: [(); 1] = [(); (Disposition::Resale.code() as i32 == OV_DISPOSITION_RESALE
    && Disposition::Reuse.code() as i32 == OV_DISPOSITION_REUSE
    && Disposition::Disable.code() as i32 == OV_DISPOSITION_DISABLE)
    as usize];
