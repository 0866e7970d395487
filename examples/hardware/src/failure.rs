//! What goes wrong with hardware, in words for its operator.

use std::fmt;

pub type Result<T> = std::result::Result<T, Failure>;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The PIN is not right; after some more attempts the hardware locks itself.
    WrongPin,
    /// Too many attempts.
    Locked,
    /// No token of this label, or no TPM at this address.
    NoToken(String),
    /// No key of this name.
    NoKey(String),
    /// There is one of this name already, or several.
    Exists(String),
    /// The key of this name is of another kind than the one that is wanted.
    WrongKind {
        name: String,
        found: String,
        wanted: String,
    },
    /// The hardware was there and is not any more.
    Gone(String),
    /// Anything else that hardware or files say.
    Other(String),
}

impl Failure {
    /// Whether there is no use in going on with the next voucher.
    pub const fn is_final(&self) -> bool {
        matches!(
            self,
            Self::WrongPin | Self::Locked | Self::NoToken(_) | Self::Gone(_)
        )
    }

    /// The failure behind an error of the library, where the hardware is to blame.
    pub fn behind(error: &ownership_voucher::Error) -> Option<&Self> {
        std::error::Error::source(error)?.downcast_ref()
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WrongPin => f.write_str("wrong PIN; the hardware counts the attempts"),
            Self::Locked => f.write_str("locked after too many wrong PINs"),
            Self::NoToken(name) => write!(f, "no token or TPM: {name}"),
            Self::NoKey(name) => write!(f, "no key {name}"),
            Self::Exists(name) => write!(f, "there is a key {name} already"),
            Self::WrongKind {
                name,
                found,
                wanted,
            } => write!(f, "{name} is {found}, expected is {wanted}"),
            Self::Gone(why) => write!(f, "the hardware has gone away: {why}"),
            Self::Other(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Failure {}

impl From<ownership_voucher::Error> for Failure {
    fn from(error: ownership_voucher::Error) -> Self {
        match Self::behind(&error) {
            Some(failure) => failure.clone(),
            None => Self::Other(error.to_string()),
        }
    }
}
