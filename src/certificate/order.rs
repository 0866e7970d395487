//! The order of a chain: the certificate of the key first, each signed by the next, the root last.

use alloc::vec::Vec;

use super::read::Fields;
use super::signature::{Unproved, check};
use crate::error::{Error, ErrorKind};

/// Whether a chain runs from its root down to the certificate of the key: the first certificate
/// issued the second. A duplicate certificate proves nothing.
pub(super) fn is_reversed(chain: &[&[u8]]) -> bool {
    let [first, second, ..] = chain else {
        return false;
    };
    let (Some(above), Some(below)) = (Fields::read(first), Fields::read(second)) else {
        return false;
    };
    // A CA that names itself as the issuer of what follows is sufficient: its signature may use an
    // unsupported algorithm.
    first != second
        && below.issuer == above.subject
        && (above.is_marked() || check(&below, &above).is_ok())
}

/// Fails where the first certificate of `chain` cannot be that of a device or an owner.
pub(super) fn check_leaf(chain: &[&[u8]], leaf: &Fields<'_>) -> Result<(), Error> {
    if is_reversed(chain) {
        return Err(Error::new(ErrorKind::ChainReversed));
    }
    if leaf.is_marked() {
        return Err(Error::new(ErrorKind::CaAsLeaf));
    }
    Ok(())
}

/// The fault of a chain that is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// It is none: see the text.
    Chain(&'static str),
    /// It is one, and begins with a CA.
    Authority,
}

impl Unfit {
    /// The error of a chain that has no use but the one that it is unfit for.
    pub(crate) fn error(self) -> Error {
        Error::because(
            ErrorKind::UnfitChain,
            match self {
                Self::Chain(why) => why,
                Self::Authority => "the first certificate is that of a CA",
            },
        )
    }
}

/// Checks a chain before it is written: each certificate can be parsed and is signed by the next,
/// and the first is not that of a CA.
///
/// A signature that proves nothing because of its algorithm is not a reason to refuse the chain. It
/// is a finding in the result.
pub(crate) fn check_new_chain<T: AsRef<[u8]>>(chain: &[T]) -> Result<(), Unfit> {
    let chain: Vec<&[u8]> = chain.iter().map(AsRef::as_ref).collect();
    if is_reversed(&chain) {
        return Err(Unfit::Chain(
            "it begins with the root; the certificate of the key comes first, the root last",
        ));
    }
    let mut read = Vec::with_capacity(chain.len());
    for der in &chain {
        let fields = Fields::read(der);
        read.push(fields.ok_or(Unfit::Chain("a certificate is not X.509 in DER"))?);
    }
    for (certificate, issuer) in read.iter().zip(read.iter().skip(1)) {
        if certificate.issuer != issuer.subject {
            return Err(Unfit::Chain(
                "a certificate names another issuer than the next one",
            ));
        }
        if check(certificate, issuer) == Err(Unproved::Broken) {
            return Err(Unfit::Chain("a certificate is not signed by the next one"));
        }
    }
    match read.first() {
        Some(first) if first.is_marked() => Err(Unfit::Authority),
        _ => Ok(()),
    }
}
