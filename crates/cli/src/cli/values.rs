//! Parsing of option values.

use ownership_voucher::digest::Digest;
use ownership_voucher::privacy::{DisclosureKind, PrivacyPolicy, Severity};
use ownership_voucher::{Allowance, Guid, Proved, UnixTime};
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

pub(super) fn time(text: &str) -> Result<UnixTime, String> {
    UnixTime::from_rfc3339(text).map_err(|error| error.to_string())
}

pub(super) fn fact(name: &str) -> Result<&'static str, String> {
    let known = Proved::FACTS.into_iter().find(|fact| *fact == name);
    known.ok_or_else(|| format!("expected one of {}", Proved::FACTS.join(", ")))
}

pub(super) fn allowance(name: &str) -> Result<Allowance, String> {
    Allowance::from_name(name).ok_or_else(|| {
        let names: Vec<&str> = Allowance::ALL.iter().map(|a| a.name()).collect();
        format!("one of {} expected", names.join(", "))
    })
}

pub(super) fn severity(name: &str) -> Result<Severity, String> {
    let names: Vec<&str> = Severity::ALL.iter().map(|it| it.name()).collect();
    let found = Severity::ALL.into_iter().find(|it| it.name() == name);
    found.ok_or_else(|| format!("one of {} expected", names.join(", ")))
}

/// What a new voucher must not disclose: kinds, severities, or `strict`, separated by commas.
pub(super) fn privacy(names: &str) -> Result<PrivacyPolicy, String> {
    names
        .split(',')
        .try_fold(PrivacyPolicy::new(), |policy, name| {
            if name == "strict" {
                let strict = PrivacyPolicy::strict();
                let kinds = DisclosureKind::ALL
                    .iter()
                    .filter(|kind| strict.refuses(**kind));
                return Ok(kinds.fold(policy, |policy, kind| policy.refuse(*kind)));
            }
            if let Some(kind) = DisclosureKind::from_name(name) {
                return Ok(policy.refuse(kind));
            }
            let from = severity(name).map_err(|wanted| {
                format!("{name}: strict, a kind as `ov privacy` prints it, or {wanted}")
            })?;
            Ok(policy.refuse_from(from))
        })
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
}
