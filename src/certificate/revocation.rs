//! Revocation lists (RFC 5280 §5): the certificates that their CAs have revoked.
//!
//! A list applies to the certificates of the CA whose key signed it and whose name it has, in any
//! encoding of the name. A CA that changed its key has one name and two keys, with lists of each. A
//! list can therefore be evaluated only when there is a path.

mod list;

use alloc::sync::Arc;
use alloc::vec::Vec;

pub(super) use list::List;
use list::Refused;

use super::Roots;
use super::chain::Checks;
use super::name::Name;
use super::read::Fields;
use super::signature::{Unproved, check, check_signed};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// Bytes of the longest list.
const LONGEST: usize = 16 << 20;
/// Entries of the longest list.
const MOST_ENTRIES: usize = 1 << 17;
/// Lists in one set: those with a name on the path are looked through for each path.
const MOST_LISTS: usize = 64;

impl Roots {
    /// Adds a certificate revocation list in DER (RFC 5280 §5). From then on, a path with a
    /// certificate that is on the list is refused, whatever the date and the reason in the list.
    ///
    /// The list applies to what was issued by the CA whose key signed it and whose name it has.
    /// Names are compared according to RFC 5280 §7.1: string type, case and blanks are not
    /// significant. A list of another known CA with the same name is ignored. A list that names
    /// another key (authorityKeyIdentifier) and that no known CA signed is ignored too, unless
    /// lists are required. If the CA's key did not sign the list for any other reason, or the CA
    /// must not sign lists, paths through the CA are refused: an unreliable list is not ignored
    /// silently. With [`Policy::refuse_expired`](crate::Policy::refuse_expired) they are also
    /// refused after the list's `nextUpdate`. If one CA has several lists, all of them apply.
    ///
    /// The scope of a list may be limited: to the certificates of devices and owners, to those of
    /// CAs, or to those of one distribution point. If lists of the issuer were given and none of
    /// them covers a certificate, this is the finding
    /// [`FindingKind::CrlNotUsed`](crate::finding::FindingKind::CrlNotUsed). The same finding results if no
    /// list applies to a path, or if a list is not signed by any known CA of its name: it may be
    /// damaged. [`lists_used`](Self::lists_used) returns which lists have been used at all.
    ///
    /// A certificate that is itself a trusted one is not looked up.
    ///
    /// # Errors
    /// [`ErrorKind::RevocationList`] for bytes that are not a list in DER, and for a list that is
    /// not of version 2, has no `nextUpdate`, is a delta list, is an indirect list (for several
    /// issuers), is limited to some reasons, or has an unsupported critical extension;
    /// [`ErrorKind::LimitRevocationList`] for more than 16 MiB or 131 072 entries, and for the 65th
    /// list.
    pub fn add_crl_der(&mut self, der: &[u8]) -> Result<(), Error> {
        let most = |found: usize, wanted: usize, unit| match found > wanted {
            true => Err(Error::count(
                ErrorKind::LimitRevocationList,
                found as u64,
                wanted as u64,
                unit,
            )),
            false => Ok(()),
        };
        most(self.lists.len().saturating_add(1), MOST_LISTS, "lists")?;
        most(der.len(), LONGEST, "bytes")?;
        match List::read(der, MOST_ENTRIES) {
            Ok(list) => self.lists.push(Arc::new(list)),
            Err(Refused::Entries(found)) => most(found, MOST_ENTRIES, "entries")?,
            Err(Refused::Why(why)) => return Err(Error::because(ErrorKind::RevocationList, why)),
        }
        Ok(())
    }

    /// Refuses a path with a certificate that no revocation list covers. By default lists are used
    /// where they are present.
    /// [`Policy::require_revocation_lists`](crate::Policy::require_revocation_lists) does the same
    /// for all roots of a policy.
    pub const fn require_revocation_lists(&mut self) {
        self.lists_required = true;
    }

    /// For each list, in the order in which they were added, whether it has since determined the
    /// status of a certificate in a path: good, revoked, or unknown because the list is too old.
    /// Clones share this state.
    ///
    /// A list that was never used belongs to another CA, is damaged, or covers other kinds of
    /// certificates.
    ///
    /// ```
    /// use ownership_voucher::Roots;
    ///
    /// fn warn(roots: &Roots) {
    ///     for (number, _) in roots.lists_used().enumerate().filter(|(_, used)| !used) {
    ///         println!("list {number} was used for no certificate");
    ///     }
    /// }
    /// ```
    pub fn lists_used(&self) -> impl ExactSizeIterator<Item = bool> {
        self.lists.iter().map(|list| list.is_used())
    }

    /// The lists with the name of this certificate's issuer, with their numbers.
    fn lists_for<'r>(
        &'r self,
        certificate: &Fields<'_>,
    ) -> impl Iterator<Item = (usize, &'r List)> {
        let issuer = Name::of(certificate.issuer);
        let lists = self.lists.iter().map(|list| &**list).enumerate();
        lists.filter(move |(_, list)| *list.issuer() == issuer)
    }

    /// The trusted CAs with the name of this list's issuer.
    fn issuers_of<'r>(&'r self, list: &'r List) -> impl Iterator<Item = Fields<'r>> {
        let named = self.certificates.iter();
        named
            .filter(|root| root.name == *list.issuer())
            .filter_map(|root| Fields::read(&root.der))
    }
}

/// A path to look up, with its context.
struct Lookup<'l> {
    roots: &'l Roots,
    path: &'l [Fields<'l>],
    root: &'l Fields<'l>,
    at: Option<UnixTime>,
    required: bool,
    kind: ErrorKind,
}

impl Lookup<'_> {
    /// Whether another CA of the same name signed the list: a trusted one, or one in the path.
    fn have_signer(&self, list: &List) -> bool {
        let signed = |other: &Fields<'_>| check_signed(&list.signed(), other).is_ok();
        let mut above = self.path.iter().skip(1);
        above.any(|other| Name::of(other.subject) == *list.issuer() && signed(other))
            || self.roots.issuers_of(list).any(|root| signed(&root))
    }

    /// The status that `list`, which has the name of the issuer, gives to the certificate with this
    /// number in the path.
    fn status(&self, list: &List, number: usize) -> Result<Status, Error> {
        let fail = |why| Err(Error::because(self.kind, why));
        let Some(certificate) = self.path.get(number) else {
            return Ok(Status::Unknown);
        };
        let issuer = self.path.get(number.saturating_add(1)).unwrap_or(self.root);
        match check_signed(&list.signed(), issuer) {
            Ok(()) => {}
            Err(_) if self.have_signer(list) => return Ok(Status::Unknown),
            // Signed by an unknown key, or damaged: these cannot be distinguished.
            Err(_) if list.is_of_other_key(issuer) && self.required => return fail(NO_SIGNER),
            Err(_) if list.is_of_other_key(issuer) => return Ok(Status::Unknown),
            Err(Unproved::Broken) => {
                return fail("the signature of a revocation list does not verify");
            }
            Err(_) => {
                return fail("a revocation list is signed with an algorithm that is not supported");
            }
        }
        if !issuer.may_sign_lists() {
            return fail("the key usage of a CA lacks signatures of revocation lists");
        }
        if !list.covers(certificate, number == 0) {
            return Ok(Status::Unknown);
        }
        list.note_use();
        if list.has(certificate.serial) {
            return Ok(Status::Revoked);
        }
        if self.at.is_some_and(|at| at >= list.next_update) {
            let why = "a revocation list is older than it promises to be";
            return Err(Error::because(ErrorKind::CertificateTime, why));
        }
        Ok(Status::Good)
    }
}

/// Checks every certificate of `path`, which leads to `root`, against the lists of its issuer. With
/// `at` no list may be past its `nextUpdate`; with `required` some list must cover each
/// certificate.
pub(super) fn check_lists(
    roots: &Roots,
    path: &[Fields<'_>],
    root: &Fields<'_>,
    at: Option<UnixTime>,
    required: bool,
    kind: ErrorKind,
) -> Result<(), Error> {
    let lookup = Lookup {
        roots,
        path,
        root,
        at,
        required,
        kind,
    };
    // Revocation takes precedence over every other fault.
    let mut reason = None;
    for (number, certificate) in path.iter().enumerate() {
        let mut covered = false;
        for (_, list) in roots.lists_for(certificate) {
            match lookup.status(list, number) {
                Ok(Status::Revoked) => return Err(Error::new(ErrorKind::CertificateRevoked)),
                Ok(Status::Good) => covered = true,
                Ok(Status::Unknown) => {}
                Err(error) => _ = reason.get_or_insert(error),
            }
        }
        if required && !covered {
            reason.get_or_insert_with(|| Error::because(kind, UNKNOWN));
        }
    }
    reason.map_or(Ok(()), Err)
}

/// The status of a certificate according to a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Status {
    Good,
    Revoked,
    /// The list is signed with another key, or its scope does not include the certificate.
    Unknown,
}

const UNKNOWN: &str = "no revocation list covers a certificate";

const NO_SIGNER: &str = "a revocation list has the name of a CA and states another key, and no known \
     CA of that name signed it: it is damaged, or the certificate of that key is not trusted";

/// CAs outside a path whose lists may be among those for it, because the lists for the paths of
/// devices and of manufacturers are given together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Others<'o> {
    pub(crate) roots: Option<&'o Roots>,
    pub(crate) chain: &'o [&'o [u8]],
}

impl Others<'_> {
    fn have_signed(&self, list: &List, checks: &mut Checks) -> bool {
        let mut signed = |other: &Fields<'_>| {
            Name::of(other.subject) == *list.issuer()
                && checks.spend()
                && check_signed(&list.signed(), other).is_ok()
        };
        let mut chain = self.chain.iter().filter_map(|der| Fields::read(der));
        let mut roots = self.roots.iter().flat_map(|roots| roots.issuers_of(list));
        roots.any(|other| signed(&other)) || chain.any(|other| signed(&other))
    }
}

/// Reports the certificates of `chain`, by their numbers, that no list covers although there are
/// lists with the name of their issuer. It also reports the first certificate if no list covers
/// any, or if a list is not signed by any known CA of its name; these two only for a chain that
/// leads to one of the roots. Signatures are counted against `checks`.
pub(crate) fn unused_lists(
    chain: &[&[u8]],
    roots: &Roots,
    others: Others<'_>,
    checks: &mut Checks,
    mut note: impl FnMut(usize),
) {
    if roots.lists.is_empty() {
        return;
    }
    let read: Vec<_> = chain.iter().map_while(|der| Fields::read(der)).collect();
    // Whether each list is signed by a known CA, and whether any covers a certificate of a path.
    let mut known = alloc::vec![false; roots.lists.len()];
    let (mut spoken, mut leads, mut silent) = (false, false, Vec::new());
    for (number, (certificate, der)) in read.iter().zip(chain).enumerate() {
        // A trusted certificate is not looked up, and the path ends there.
        if roots.iter().any(|root| root == *der) {
            leads = true;
            break;
        }
        let next = read.get(number.saturating_add(1));
        let next = next.filter(|next| next.subject == certificate.issuer);
        let trusted: Vec<_> = roots
            .named(certificate.issuer)
            .filter_map(|(_, der)| Fields::read(der))
            .collect();
        let mut issuers = trusted.iter().map(|root| (root, true));
        let mut issuers = issuers.by_ref().chain(next.map(|next| (next, false)));
        let issuer =
            issuers.find(|(issuer, _)| checks.spend() && check(certificate, issuer).is_ok());
        let Some((issuer, is_root)) = issuer else {
            break;
        };
        let (mut lists, mut speaks) = (0_usize, false);
        for (list_number, list) in roots.lists_for(certificate) {
            lists = lists.saturating_add(1);
            if checks.spend() && check_signed(&list.signed(), issuer).is_ok() {
                if let Some(known) = known.get_mut(list_number) {
                    *known = true;
                }
                speaks |= list.covers(certificate, number == 0);
            }
        }
        spoken |= speaks;
        if lists > 0 && !speaks {
            silent.push(number);
        }
        if is_root {
            leads = true;
            break;
        }
    }
    let mut strange = || {
        roots.lists.iter().zip(&known).any(|(list, known)| {
            let own = Others {
                roots: Some(roots),
                chain: &[],
            };
            !known && !own.have_signed(list, checks) && !others.have_signed(list, checks)
        })
    };
    if leads && !silent.contains(&0) && (!spoken || strange()) {
        note(0);
    }
    silent.into_iter().for_each(note);
}

#[cfg(test)]
mod rekeyed;
#[cfg(test)]
mod spelled;
#[cfg(test)]
mod tests;
