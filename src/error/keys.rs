//! Two keys that differ, as fingerprints: what a message says about them.

use core::fmt;

use super::ErrorKind;

/// SHA-256 of a SubjectPublicKeyInfo, or a fingerprint that the caller named.
type Print = [u8; 32];

/// The key that was found, and what was expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// A key of the voucher, and the only one that was expected.
    One { found: Print, expected: Print },
    /// A key of the voucher, and the number of those that were expected.
    NoneOf { found: Print, expected: usize },
    /// A key of the voucher, and the only hash that was expected, of 32 or 48 bytes.
    Hash {
        found: Print,
        expected: [u8; 48],
        len: usize,
    },
    /// A key without certificates, where a path to a root was expected.
    NoPath { found: Print },
    /// The owner of a voucher, and the key of a signer.
    Owner { owner: Print, signer: Print },
    /// The owner of a voucher, where the signer has no key for it.
    NoSigner { owner: Print },
    /// The key that must sign a message, and the key of a signer.
    Message { expected: Print, signer: Print },
}

impl Keys {
    /// Writes the whole message, in place of that of the kind.
    pub(super) fn write(&self, kind: ErrorKind, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whose = match kind {
            ErrorKind::WrongManufacturer => "the manufacturer key",
            _ => "the current owner",
        };
        match self {
            Self::One { found, expected } => {
                let (found, expected) = (Hex(found), Hex(expected));
                write!(f, "{whose} is {found}, expected {expected}")
            }
            Self::NoneOf { found, expected } => {
                let found = Hex(found);
                write!(
                    f,
                    "{whose} is {found}, which is none of the {expected} expected"
                )
            }
            Self::Hash {
                found,
                expected,
                len,
            } => {
                let expected = expected.get(..*len).unwrap_or_default();
                write!(f, "{whose} is {}, expected one whose hash is ", Hex(found))?;
                digits(expected, f)
            }
            Self::NoPath { found } => {
                let found = Hex(found);
                write!(
                    f,
                    "{whose} is {found}, without certificates; expected a path to a root"
                )
            }
            Self::Owner { owner, signer } => {
                let (owner, signer) = (Hex(owner), Hex(signer));
                write!(
                    f,
                    "the voucher's owner is {owner}, the signer's key is {signer}"
                )
            }
            Self::NoSigner { owner } => {
                let owner = Hex(owner);
                write!(
                    f,
                    "the voucher's owner is {owner}, a key that the signer does not hold"
                )
            }
            Self::Message { expected, signer } => {
                let (expected, signer) = (Hex(expected), Hex(signer));
                write!(
                    f,
                    "the message must be signed by {expected}, the signer's key is {signer}"
                )
            }
        }
    }
}

/// A fingerprint in print, as `key::Fingerprint` prints it.
struct Hex<'p>(&'p Print);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("sha256:")?;
        digits(self.0, f)
    }
}

fn digits(bytes: &[u8], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
