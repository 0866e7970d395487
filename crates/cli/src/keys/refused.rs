//! What is not read, in words.

use super::named::Named;
use crate::Failure;
use crate::report::Problem;

/// What is not read: its name, and what to do about it.
pub(crate) struct Refused {
    what: String,
    advice: &'static str,
    /// Whether it has a private part all the same.
    pub(crate) private: bool,
}

impl Refused {
    pub(super) fn new(what: impl Into<String>, advice: &'static str) -> Self {
        Self {
            what: what.into(),
            advice,
            private: false,
        }
    }

    pub(super) fn named(named: Named) -> Self {
        Self::new(named.what, named.advice)
    }

    /// The same, with or without a private part.
    pub(super) fn of(self, private: bool) -> Self {
        Self { private, ..self }
    }

    /// The message where something else was expected.
    pub(crate) fn message(&self, name: &str, expected: &str) -> Failure {
        let Self { what, advice, .. } = self;
        let after = if advice.is_empty() { "" } else { "; " };
        Failure::Message(format!(
            "{name}: {what} found; expected {expected}{after}{advice}"
        ))
    }
}

/// What is expected of a file of private keys.
pub(super) const PRIVATE: &str = "a private key in PEM, DER or JWK";

/// A key that could be one of FDO and is not usable.
pub(super) fn bad(what: &str, error: &ownership_voucher::Error) -> Refused {
    let message = Problem::from(error).message;
    Refused::new(format!("{what} that is not usable ({message})"), "")
}
