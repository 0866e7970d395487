//! Fingerprints: how people and allow lists name a key.

use core::fmt;
use core::str::FromStr;

use sha2::{Digest as _, Sha256};

use super::{KeyKind, KeyType, PublicKey};
use crate::error::{Error, ErrorKind};

/// The SHA-256 by which a key is named, of either kind.
///
/// One kind covers the SubjectPublicKeyInfo in DER, as most tools print it
/// ([`PublicKey::fingerprint`]). The other is OwnerKeyFingerprint of the FDO drafts, which covers the
/// CBOR of the key ([`PublicKey::owner_key_fingerprint`]). The digits do not say which kind they are;
/// [`matches`](Self::matches) tries both.
///
/// ```
/// use ownership_voucher::key::Fingerprint;
/// use ownership_voucher::{KeyType, LocalKey};
/// # fn main() -> Result<(), ownership_voucher::Error> {
/// let key = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
/// let named: Fingerprint = Fingerprint(key.fingerprint()).to_string().parse()?;
/// assert!(named.matches(&key));
/// assert!(Fingerprint(key.owner_key_fingerprint()).matches(&key));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[doc(alias = "OwnerKeyFingerprint")]
pub struct Fingerprint(pub [u8; 32]);

impl Fingerprint {
    /// Whether this is a fingerprint of the key, of either kind. For RSA keys OwnerKeyFingerprint is
    /// accepted with each label that the key can have: the FDO text does not say which one is hashed.
    #[must_use]
    pub fn matches(self, key: &PublicKey) -> bool {
        key.fingerprints().any(|one| one == self)
    }
}

/// `sha256:` and 64 hexadecimal digits.
impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// 64 hexadecimal digits of either case, with colons between bytes or without, and with `sha256:` before
/// them or without.
impl FromStr for Fingerprint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let wanted =
            "64 hexadecimal digits of a SHA-256 expected, with sha256: before them or without";
        let bad = || Error::because(ErrorKind::BadArgument, wanted);
        let prefix = text
            .get(..7)
            .filter(|it| it.eq_ignore_ascii_case("sha256:"));
        let digits = match prefix {
            Some(_) => text.get(7..).unwrap_or_default(),
            None => text,
        };
        let mut digits = digits.bytes();
        let mut bytes = [0; 32];
        for (number, byte) in bytes.iter_mut().enumerate() {
            let mut next = digits.next();
            if number > 0 && next == Some(b':') {
                next = digits.next();
            }
            let digit = |byte: Option<u8>| char::from(byte?).to_digit(16);
            let (high, low) = (digit(next), digit(digits.next()));
            let value = high.zip(low).map(|(high, low)| high << 4 | low);
            *byte = value.and_then(|it| u8::try_from(it).ok()).ok_or_else(bad)?;
        }
        match digits.next() {
            None => Ok(Self(bytes)),
            Some(_) => Err(bad()),
        }
    }
}

impl PublicKey {
    /// OwnerKeyFingerprint of the FDO drafts (voucher transfer): SHA-256 of the CBOR item
    /// `[pkType, 1, bstr .der SubjectPublicKeyInfo]`, however the key is encoded in a voucher.
    ///
    /// pkType comes from the key. For RSA it is 5 (RSAPKCS) here, as in go-fdo, also for keys whose
    /// label in a voucher is RSA2048RESTR or RSAPSS. The text does not name it for RSA, so that other
    /// implementations may differ; [`Fingerprint::matches`] accepts each.
    #[must_use]
    #[doc(alias = "OwnerKeyFingerprint")]
    pub fn owner_key_fingerprint(&self) -> [u8; 32] {
        let label = match self.key_kind() {
            KeyKind::Rsa2048 | KeyKind::Rsa3072 => KeyType::RsaPkcs,
            _ => self.default_key_type(),
        };
        self.fingerprint_under(label)
    }

    /// SHA-256 of the key with this label and encoding X509.
    fn fingerprint_under(&self, label: KeyType) -> [u8; 32] {
        // The shortest heads of RFC 8949 §4.2.1; -70001 of Ed25519 takes five bytes.
        let label: &[u8] = match label {
            KeyType::Rsa2048Restr => &[0x01],
            KeyType::RsaPkcs => &[0x05],
            KeyType::RsaPss => &[0x06],
            KeyType::Secp256r1 => &[0x0a],
            KeyType::Secp384r1 => &[0x0b],
            KeyType::Ed25519 => &[0x3a, 0x00, 0x01, 0x11, 0x70],
        };
        let spki = self.to_spki_der();
        let [.., high, low] = (spki.len() as u64).to_be_bytes();
        let head: &[u8] = match (high, low) {
            (0, _) => &[0x58, low],
            _ => &[0x59, high, low],
        };
        let parts = [&[0x83][..], label, &[0x01], head, &spki];
        let hash = parts
            .iter()
            .fold(Sha256::new(), |hash, part| hash.chain_update(part));
        hash.finalize().into()
    }

    /// Every fingerprint that [`Fingerprint::matches`] accepts for this key, that of its
    /// SubjectPublicKeyInfo first: to look up one key among many fingerprints.
    pub fn fingerprints(&self) -> impl Iterator<Item = Fingerprint> + '_ {
        use KeyType::{Rsa2048Restr, RsaPkcs, RsaPss};
        let natural = [self.default_key_type()];
        let labels = match self.key_kind() {
            KeyKind::Rsa2048 => [RsaPkcs, RsaPss, Rsa2048Restr].to_vec(),
            KeyKind::Rsa3072 => [RsaPkcs, RsaPss].to_vec(),
            _ => natural.to_vec(),
        };
        let under = move |label| self.fingerprint_under(label);
        core::iter::once_with(|| self.fingerprint())
            .chain(labels.into_iter().map(under))
            .map(Fingerprint)
    }
}
