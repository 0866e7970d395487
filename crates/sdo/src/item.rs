//! The items of a voucher that hold a hash, an HMAC or a key.

use alloc::vec::Vec;

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::key::Fingerprint;
use ownership_voucher::{Error, ErrorKind, PublicKey};

use crate::read::{Reader, Width};
use crate::token::{Span, Token};

/// A hash function of SDO, and its HMAC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum HashType {
    /// SHA-256: 8 as a hash, 108 as an HMAC.
    Sha256,
    /// SHA-384: 14 as a hash, 114 as an HMAC.
    Sha384,
    /// SHA-512: 10 as a hash, 110 as an HMAC. The table of the specification never selects it.
    Sha512,
}

impl HashType {
    const ALL: [Self; 3] = [Self::Sha256, Self::Sha384, Self::Sha512];

    /// The code of the hash. That of the HMAC is 100 more.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Sha256 => 8,
            Self::Sha384 => 14,
            Self::Sha512 => 10,
        }
    }

    /// The size in bytes: 32, 48 or 64.
    #[must_use]
    #[allow(clippy::len_without_is_empty)] // no digest is empty
    pub const fn len(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }

    /// The display name: "SHA-256".
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The hash of the library, for those that it has.
    pub(crate) const fn algorithm(self) -> Option<HashAlgorithm> {
        match self {
            Self::Sha256 => Some(HashAlgorithm::Sha256),
            Self::Sha384 => Some(HashAlgorithm::Sha384),
            Self::Sha512 => None,
        }
    }

    /// The hash of the concatenated parts.
    pub(crate) fn digest(self, parts: &[&[u8]]) -> Vec<u8> {
        fn of<H: sha2::Digest>(parts: &[&[u8]]) -> Vec<u8> {
            let hash = parts
                .iter()
                .fold(H::new(), |hash, part| hash.chain_update(part));
            hash.finalize().to_vec()
        }
        match self {
            Self::Sha256 => of::<sha2::Sha256>(parts),
            Self::Sha384 => of::<sha2::Sha384>(parts),
            Self::Sha512 => of::<sha2::Sha512>(parts),
        }
    }
}

/// A hash or an HMAC, and its place.
#[derive(Clone, Debug)]
pub(crate) struct HashItem {
    pub(crate) span: Span,
    pub(crate) hash: HashType,
    pub(crate) value: Vec<u8>,
}

/// What a hash item has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    Hash,
    Hmac,
}

impl HashItem {
    /// Reads `[length, type, base64]`.
    pub(crate) fn read(reader: &mut Reader<'_>, want: Want) -> Result<Self, Error> {
        let start = reader.ahead();
        reader.expect(Token::OpenArray)?;
        let stated = reader.number(Width::U8)?;
        reader.expect(Token::Comma)?;
        let at = reader.ahead();
        let code = reader.number(Width::U8)?;
        reader.expect(Token::Comma)?;
        let hash = hash_type(code, want).map_err(|error| error.at(at))?;
        let value = reader.sized(stated)?;
        if value.len() != hash.len() {
            let (found, wanted) = (value.len() as u64, hash.len() as u64);
            return Err(Error::count(ErrorKind::HashLength, found, wanted, "bytes").at(start));
        }
        reader.expect(Token::CloseArray)?;
        Ok(Self {
            span: reader.since(start),
            hash,
            value,
        })
    }
}

fn hash_type(code: u64, want: Want) -> Result<HashType, Error> {
    let find = |code: Option<u64>| {
        let known = HashType::ALL.into_iter();
        known
            .into_iter()
            .find(|hash| Some(u64::from(hash.code())) == code)
    };
    let (as_hash, as_hmac) = (find(Some(code)), find(code.checked_sub(100)));
    match (want, as_hash, as_hmac) {
        (Want::Hash, Some(hash), _) | (Want::Hmac, _, Some(hash)) => Ok(hash),
        (Want::Hash, None, Some(_)) => Err(Error::new(ErrorKind::NotAHash)),
        (Want::Hmac, Some(_), None) => Err(Error::new(ErrorKind::NotAnHmac)),
        (Want::Hash, ..) => Err(Error::because(
            ErrorKind::UnsupportedHashType,
            "8, 14 or 10 expected",
        )),
        (Want::Hmac, ..) if code == 0 => Err(Error::because(
            ErrorKind::UnsupportedHashType,
            "a device that answers so has made no HMAC: 108, 114 or 110 expected",
        )),
        (Want::Hmac, ..) => Err(Error::because(
            ErrorKind::UnsupportedHashType,
            "108, 114 or 110 expected",
        )),
    }
}

/// The type of a key that can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyType {
    /// 1: RSA with a modulus of 2048 bits and exponent 65537.
    Rsa2048Restr,
    /// 4: RSA of any size. This library reads 2048 and 3072 bits.
    RsaUr,
    /// 13: ECDSA on P-256.
    P256,
    /// 14: ECDSA on P-384.
    P384,
}

impl KeyType {
    /// The code: 1, 4, 13 or 14.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Rsa2048Restr => 1,
            Self::RsaUr => 4,
            Self::P256 => 13,
            Self::P384 => 14,
        }
    }

    /// The name in the SDO specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa2048Restr => "RSA2048RESTR",
            Self::RsaUr => "RSA_UR",
            Self::P256 => "ECDSA_P_256",
            Self::P384 => "ECDSA_P_384",
        }
    }

    fn read(code: u64) -> Result<Self, Error> {
        let why = match code {
            1 => return Ok(Self::Rsa2048Restr),
            4 => return Ok(Self::RsaUr),
            13 => return Ok(Self::P256),
            14 => return Ok(Self::P384),
            0 => "a null key, which owns nothing",
            2 => "Diffie-Hellman, which signs nothing",
            3 => "DSA, with which no voucher is signed",
            90..=92 => "EPID names a group of devices, and no owner",
            93 => "OnDie ECDSA is for devices alone",
            113 | 114 => "ECDH, which signs nothing",
            _ => "1, 4, 13 or 14 expected",
        };
        Err(Error::because(ErrorKind::UnsupportedKeyType, why))
    }
}

/// The encoding of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum KeyEncoding {
    /// 1: a SubjectPublicKeyInfo in DER.
    X509,
    /// 3: modulus and exponent.
    RsaModExp,
}

impl KeyEncoding {
    /// The code: 1 or 3.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::X509 => 1,
            Self::RsaModExp => 3,
        }
    }

    /// The name in the SDO specification.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::X509 => "X509",
            Self::RsaModExp => "RSAMODEXP",
        }
    }
}

/// A key of a voucher: its type, its encoding, and the key itself.
#[derive(Clone, Debug)]
pub struct Key {
    pub(crate) span: Span,
    pub(crate) key_type: KeyType,
    pub(crate) encoding: KeyEncoding,
    pub(crate) key: PublicKey,
}

impl Key {
    /// The type.
    #[must_use]
    pub const fn key_type(&self) -> KeyType {
        self.key_type
    }

    /// The encoding.
    #[must_use]
    pub const fn encoding(&self) -> KeyEncoding {
        self.encoding
    }

    /// The key itself: on its curve, or of the size of its type.
    #[must_use]
    pub const fn public_key(&self) -> &PublicKey {
        &self.key
    }

    /// The byte range of the item `[type, encoding, body]` in the text.
    #[must_use]
    pub const fn range(&self) -> core::ops::Range<usize> {
        self.span.range()
    }

    /// SHA-256 of the SubjectPublicKeyInfo.
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint(self.key.fingerprint())
    }

    /// Reads `[type, encoding, body]`.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, Error> {
        let start = reader.ahead();
        reader.expect(Token::OpenArray)?;
        let at = reader.ahead();
        let code = reader.number(Width::U8)?;
        let key_type = KeyType::read(code).map_err(|error| error.at(at))?;
        reader.expect(Token::Comma)?;
        let at = reader.ahead();
        let encoding = match (reader.number(Width::U8)?, key_type) {
            (1, _) => KeyEncoding::X509,
            (3, KeyType::Rsa2048Restr | KeyType::RsaUr) => KeyEncoding::RsaModExp,
            (3, _) => return Err(bad_encoding("3 is for RSA alone").at(at)),
            (0, _) => return Err(bad_encoding("0 is that of a null key").at(at)),
            (4 | 5, _) => return Err(bad_encoding("4 and 5 are for devices alone").at(at)),
            _ => return Err(bad_encoding("1 or 3 expected").at(at)),
        };
        reader.expect(Token::Comma)?;
        reader.expect(Token::OpenArray)?;
        let at = reader.ahead();
        let key = match encoding {
            KeyEncoding::X509 => read_spki(reader),
            KeyEncoding::RsaModExp => read_modulus(reader),
        };
        let key = key.and_then(|key| fits(&key, key_type).map(|()| key));
        let key = key.map_err(|error| error.at(at))?;
        reader.expect(Token::CloseArray)?;
        reader.expect(Token::CloseArray)?;
        Ok(Self {
            span: reader.since(start),
            key_type,
            encoding,
            key,
        })
    }
}

fn bad_encoding(why: &'static str) -> Error {
    Error::because(ErrorKind::UnsupportedKeyEncoding, why)
}

/// A byte string with its length word.
pub(crate) fn read_bytes(reader: &mut Reader<'_>) -> Result<Vec<u8>, Error> {
    let stated = reader.number(Width::U16)?;
    reader.expect(Token::Comma)?;
    reader.sized(stated)
}

fn read_spki(reader: &mut Reader<'_>) -> Result<PublicKey, Error> {
    let der = read_bytes(reader)?;
    // Offsets inside of the DER are none of the text.
    PublicKey::from_spki_der(&der).map_err(|error| Error::new(error.kind()))
}

/// `modulus length, modulus, exponent length, exponent`, both as Java writes a positive number.
fn read_modulus(reader: &mut Reader<'_>) -> Result<PublicKey, Error> {
    let modulus = read_bytes(reader)?;
    reader.expect(Token::Comma)?;
    let exponent = read_bytes(reader)?;
    let why = match (is_minimal(&modulus), is_minimal(&exponent)) {
        (true, true) => return PublicKey::from_rsa(&modulus, &exponent),
        (false, _) => {
            "a modulus in the least bytes of a positive number expected: 00 before it exactly if its \
                       top bit is set"
        }
        _ => "an exponent in the least bytes of a positive number expected",
    };
    Err(Error::because(ErrorKind::KeyEncoding, why))
}

/// Whether these are the least bytes of a positive number in two's complement.
const fn is_minimal(number: &[u8]) -> bool {
    match number {
        [0, next, ..] => *next >= 0x80,
        [first, ..] => 0 < *first && *first < 0x80,
        [] => false,
    }
}

/// Whether a key is what its type says.
fn fits(key: &PublicKey, key_type: KeyType) -> Result<(), Error> {
    use ownership_voucher::KeyType as Fdo;
    match (key_type, key.default_key_type()) {
        (KeyType::P256, Fdo::Secp256r1)
        | (KeyType::P384, Fdo::Secp384r1)
        | (KeyType::RsaUr, Fdo::Rsa2048Restr | Fdo::RsaPkcs) => Ok(()),
        (KeyType::Rsa2048Restr, Fdo::Rsa2048Restr) => {
            // The exponent ends the SubjectPublicKeyInfo: INTEGER 65537.
            match key.to_spki_der().ends_with(&[2, 3, 1, 0, 1]) {
                true => Ok(()),
                false => Err(Error::because(
                    ErrorKind::RsaExponent,
                    "65537 expected for RSA2048RESTR",
                )),
            }
        }
        (KeyType::Rsa2048Restr, Fdo::RsaPkcs) => Err(Error::because(
            ErrorKind::RsaModulus,
            "2048 bits expected for RSA2048RESTR",
        )),
        _ => Err(Error::new(ErrorKind::KeyTypeMismatch)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_least_bytes_of_a_positive_number() {
        for (bytes, minimal) in [
            (&[][..], false),
            (&[0], false),
            (&[1], true),
            (&[0x7f], true),
            (&[0x80], false),
            (&[0, 0x80], true),
            (&[0, 0x7f], false),
            (&[0, 0, 0x80], false),
        ] {
            assert_eq!(is_minimal(bytes), minimal, "{bytes:?}");
        }
    }

    #[test]
    fn codes_of_hashes_and_of_their_hmacs() {
        for hash in HashType::ALL {
            let code = u64::from(hash.code());
            assert_eq!(hash_type(code, Want::Hash).unwrap(), hash);
            assert_eq!(hash_type(code + 100, Want::Hmac).unwrap(), hash);
            let swapped = hash_type(code, Want::Hmac).unwrap_err();
            assert_eq!(swapped.kind(), ErrorKind::NotAnHmac);
            let swapped = hash_type(code + 100, Want::Hash).unwrap_err();
            assert_eq!(swapped.kind(), ErrorKind::NotAHash);
        }
        for code in [0, 9, 100, 109, 255] {
            for want in [Want::Hash, Want::Hmac] {
                let error = hash_type(code, want).unwrap_err();
                assert_eq!(error.kind(), ErrorKind::UnsupportedHashType);
            }
        }
    }
}
