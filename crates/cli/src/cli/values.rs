//! Parsing of option values.

use clap::builder::{PossibleValuesParser, TypedValueParser};
use ownership_voucher::batch::Engine;
use ownership_voucher::certificate::Permission;
use ownership_voucher::digest::Digest;
use ownership_voucher::onboard::CredentialDialect;
use ownership_voucher::privacy::{DisclosureKind, PrivacyPolicy, Severity};
use ownership_voucher::text::is_hidden;
use ownership_voucher::{Allowance, Guid, Proved, UnixTime};
use ownership_voucher_sdo::Checker;
use zeroize::Zeroizing;

/// Bytes from hexadecimal digits of either case.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    unhex_secret(text).map(|bytes| bytes.to_vec())
}

/// The same for a secret. It is wiped when dropped, and so are digits read before an invalid one.
pub(crate) fn unhex_secret(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let digit = |byte: &u8| char::from(*byte).to_digit(16);
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else {
        return None;
    };
    // No reallocation, which would leave copies.
    let mut bytes = Zeroizing::new(Vec::with_capacity(pairs.len()));
    for [high, low] in pairs {
        bytes.push(u8::try_from(digit(high)? << 4 | digit(low)?).ok()?);
    }
    Some(bytes)
}

pub(super) fn hash(text: &str) -> Result<Digest, String> {
    unhex(text)
        .and_then(|bytes| Digest::from_bytes(&bytes))
        .ok_or_else(|| "64 or 96 hexadecimal digits expected".into())
}

pub(super) fn guid(text: &str) -> Result<Guid, String> {
    let digits: String = text.chars().filter(|c| *c != '-').collect();
    unhex(&digits)
        .and_then(|bytes| bytes.try_into().ok())
        .map(Guid)
        .ok_or_else(|| "32 hexadecimal digits expected".into())
}

/// The name of a verifier, as challenges have it.
pub(super) fn verifier(text: &str) -> Result<String, String> {
    match (text.len(), text.chars().find(|c| is_hidden(*c))) {
        (1..=255, None) => Ok(text.to_owned()),
        (1..=255, Some(hidden)) => Err(format!(
            "{} found; a name without hidden characters expected",
            hidden.escape_unicode()
        )),
        (found, _) => Err(format!("{found} bytes found; 1 to 255 expected")),
    }
}

pub(super) fn time(text: &str) -> Result<UnixTime, String> {
    UnixTime::from_rfc3339(text).map_err(|error| error.to_string())
}

/// One of these values by its name. Errors, help and completions list the names.
fn named<T: Copy + Send + Sync + 'static>(
    all: Vec<(&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    PossibleValuesParser::new(all.iter().map(|(name, _)| *name)).try_map(move |given| {
        let found = all.iter().find(|(name, _)| *name == given);
        found.map(|(_, value)| *value).ok_or("not one of the names")
    })
}

/// What `--allow` accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Allowed {
    /// A deviation of FDO vouchers.
    Fdo(Allowance),
    /// Vouchers of SDO that verify without the white space in them.
    SdoReformatted,
}

impl Allowed {
    /// The allowance for vouchers of FDO.
    pub(crate) const fn of_fdo(self) -> Option<Allowance> {
        match self {
            Self::Fdo(allowance) => Some(allowance),
            Self::SdoReformatted => None,
        }
    }

    pub(crate) const fn is_reformatted(self) -> bool {
        matches!(self, Self::SdoReformatted)
    }
}

/// The name of a fact that verification proves.
pub(super) fn fact() -> impl TypedValueParser<Value = &'static str> {
    named(Proved::FACTS.map(|name| (name, name)).into())
}

pub(super) fn allowance() -> impl TypedValueParser<Value = Allowed> {
    let known = Allowance::ALL
        .iter()
        .map(|it| (it.name(), Allowed::Fdo(*it)));
    let sdo = (Checker::REFORMATTED, Allowed::SdoReformatted);
    named(known.chain([sdo]).collect())
}

pub(super) fn permission() -> impl TypedValueParser<Value = Permission> {
    let all = Permission::ALL.iter();
    named(all.map(|it| (it.name(), *it)).collect())
}

pub(super) fn engine() -> impl TypedValueParser<Value = Engine> {
    named(Engine::ALL.map(|it| (it.name(), it)).into())
}

pub(super) fn dialect() -> impl TypedValueParser<Value = CredentialDialect> {
    let all = CredentialDialect::ALL.iter();
    named(all.map(|it| (it.name(), *it)).collect())
}

pub(super) fn severity() -> impl TypedValueParser<Value = Severity> {
    named(Severity::ALL.map(|it| (it.name(), it)).into())
}

/// What a new voucher must not disclose: a kind, a severity and above, or `strict`.
pub(super) fn disclosure() -> impl TypedValueParser<Value = PrivacyPolicy> {
    let none = PrivacyPolicy::new();
    let strict = ("strict", PrivacyPolicy::strict());
    let from = Severity::ALL.map(|it| (it.name(), none.refuse_from(it)));
    let kinds = DisclosureKind::ALL.iter();
    let kinds = kinds.map(|kind| (kind.name(), none.refuse(*kind)));
    named([strict].into_iter().chain(from).chain(kinds).collect())
}

/// The policy that refuses whatever one of these refuses.
pub(crate) fn refusing_all(policies: &[PrivacyPolicy]) -> PrivacyPolicy {
    let refused = |kind: &DisclosureKind| policies.iter().any(|policy| policy.refuses(*kind));
    let kinds = DisclosureKind::ALL.iter().copied().filter(refused);
    kinds.fold(PrivacyPolicy::new(), PrivacyPolicy::refuse)
}

pub(super) fn extra(text: &str) -> Result<(i128, Vec<u8>), String> {
    let wanted = || String::from("a number, an equals sign and hexadecimal digits expected");
    let (label, value) = text.split_once('=').ok_or_else(wanted)?;
    Ok((
        label.parse().map_err(|_| wanted())?,
        unhex(value).ok_or_else(wanted)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_is_strict() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        assert_eq!(unhex("0"), None);
        assert_eq!(unhex("+f"), None);
        assert_eq!(unhex("é1"), None);
    }

    #[test]
    fn verifiers_have_names_as_in_challenges() {
        for good in ["x", "market.example.com", &"é".repeat(127)] {
            assert_eq!(verifier(good).as_deref(), Ok(good));
        }
        let refused = |text: &str| verifier(text).unwrap_err();
        assert!(refused("").starts_with("0 bytes found"));
        assert!(refused(&"é".repeat(128)).starts_with("256 bytes found"));
        assert!(refused("a\u{202e}b").starts_with("\\u{202e} found"));
    }
}
