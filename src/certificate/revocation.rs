//! Revocation lists (RFC 5280 §5): which certificates their authorities have called back.
//!
//! A list counts for the certificates of the authority whose name it has, and only when the key of
//! that authority signed it; so it is of no use before there is a path, and webpki judges it there.

use alloc::sync::Arc;
use alloc::vec;
use alloc::vec::Vec;

use webpki::{
    BorrowedCertRevocationList, CertRevocationList, ExpirationPolicy, RevocationOptions,
    RevocationOptionsBuilder, UnknownStatusPolicy,
};

use super::Roots;
use super::read::Fields;
use crate::error::{Error, ErrorKind};

/// Bytes of the longest list.
const LONGEST: usize = 16 << 20;
/// Entries of the longest list: each costs some 200 bytes of heap.
const MOST_ENTRIES: usize = 1 << 17;
/// Lists in one set: those with a name on the path are looked through for each path.
const MOST_LISTS: usize = 64;

/// A list that was read; nothing about it has been proved.
#[derive(Clone)]
pub(super) struct List(Arc<CertRevocationList<'static>>);

impl Roots {
    /// Adds a certificate revocation list in DER (RFC 5280 §5). A path over a certificate that is in
    /// it is refused from then on, whatever the date and the reason that the list gives.
    ///
    /// It counts for what the authority of its name has issued. Where it was not signed by the key
    /// of that authority, or the authority may not sign lists, paths over the authority are
    /// refused: a list that cannot be relied upon is not passed over in silence. With
    /// [`Policy::refuse_expired`](crate::Policy::refuse_expired) so are they after the day on which
    /// the list promises a newer one. Of several lists of one authority each counts.
    ///
    /// A certificate that is itself among the trusted ones is not looked up.
    ///
    /// # Errors
    /// [`ErrorKind::RevocationList`] for bytes that are not a list in DER, or a list that is not of
    /// version 2, promises no newer one, holds changes to another list alone, speaks for several
    /// authorities or for some reasons alone, or has critical extensions that are not understood;
    /// [`ErrorKind::RevocationListSize`] for more than 16 MiB or 131 072 entries, and for the 65th
    /// list.
    pub fn add_crl_der(&mut self, der: &[u8]) -> Result<(), Error> {
        let most = |found: usize, wanted: usize, unit| match found > wanted {
            true => Err(Error::count(
                ErrorKind::RevocationListSize,
                found as u64,
                wanted as u64,
                unit,
            )),
            false => Ok(()),
        };
        most(self.lists.len().saturating_add(1), MOST_LISTS, "lists")?;
        most(der.len(), LONGEST, "bytes")?;
        let list = BorrowedCertRevocationList::from_der(der).map_err(|error| unreadable(&error))?;
        // Counted before they are copied; an entry that cannot be read is found in copying.
        let entries = list.into_iter().take(MOST_ENTRIES.saturating_add(1));
        most(entries.count(), MOST_ENTRIES, "entries")?;
        let list = list.to_owned().map_err(|error| unreadable(&error))?;
        self.lists.push(List(Arc::new(list.into())));
        Ok(())
    }

    /// Refuses paths over a certificate of which no revocation list speaks. Without this, lists are
    /// used where there are any.
    pub const fn require_revocation_lists(&mut self) {
        self.lists_required = true;
    }
}

fn unreadable(error: &webpki::Error) -> Error {
    use webpki::Error as E;
    Error::text(
        ErrorKind::RevocationList,
        match error {
            E::UnsupportedCrlVersion => "a revocation list is not of version 2",
            E::UnsupportedDeltaCrl => "a revocation list holds changes to another one alone",
            E::UnsupportedIndirectCrl => "a revocation list speaks for several authorities",
            E::UnsupportedRevocationReasonsPartitioning => {
                "a revocation list speaks of some reasons alone"
            }
            E::UnsupportedCriticalExtension => {
                "a critical extension of a revocation list is not understood"
            }
            _ => "a revocation list is not as RFC 5280 asks",
        },
    )
}

/// The lists of one run of webpki, and what it does about a certificate that none speaks of.
pub(super) struct Run<'r> {
    lists: Vec<&'r CertRevocationList<'static>>,
    unknown: UnknownStatusPolicy,
}

impl Run<'_> {
    /// The lists in the form that webpki takes; `None` without any. With `dates` none may be older
    /// than it promises.
    pub(super) fn options(&self, dates: bool) -> Option<RevocationOptions<'_>> {
        let dates = match dates {
            true => ExpirationPolicy::Enforce,
            false => ExpirationPolicy::Ignore,
        };
        let builder = RevocationOptionsBuilder::new(&self.lists).ok()?;
        let builder = builder.with_status_policy(self.unknown);
        Some(builder.with_expiration_policy(dates).build())
    }
}

/// How to judge `path`, which leads to `root`: all of these have to hold, and there is at least one.
///
/// webpki asks one list for each certificate, the first of its authority that speaks of it. So two
/// lists of one authority never stand in one run.
pub(super) fn runs<'r>(
    roots: &'r Roots,
    path: &[Fields<'_>],
    root: &Fields<'_>,
) -> Result<Vec<Run<'r>>, &'static str> {
    let all: Vec<_> = roots
        .lists
        .iter()
        .map(|list| &*list.0)
        .filter(|list| path.iter().any(|one| one.issuer == list.issuer()))
        .collect();
    // webpki knows the key usage of every authority but the root.
    let of_root = |list: &&CertRevocationList<'_>| list.issuer() == root.subject;
    if !root.may_sign_lists() && all.iter().any(of_root) {
        return Err(NOT_A_SIGNER);
    }
    let mut runs = vec![Run {
        lists: Vec::new(),
        unknown: UnknownStatusPolicy::Allow,
    }];
    for list in &all {
        let free = |run: &&mut Run<'_>| {
            let mut others = run.lists.iter();
            others.all(|other| other.issuer() != list.issuer())
        };
        match runs.iter_mut().find(free) {
            Some(run) => run.lists.push(list),
            None => runs.push(Run {
                lists: vec![list],
                unknown: UnknownStatusPolicy::Allow,
            }),
        }
    }
    if roots.lists_required {
        if all.is_empty() {
            return Err(UNKNOWN);
        }
        // Here it is enough that some list speaks of each certificate.
        runs.push(Run {
            lists: all,
            unknown: UnknownStatusPolicy::Deny,
        });
    }
    Ok(runs)
}

pub(super) const NOT_A_SIGNER: &str =
    "the key usage of an authority lacks signatures of revocation lists";
pub(super) const UNKNOWN: &str = "no revocation list speaks of a certificate";

#[cfg(test)]
mod tests;
