//! X.509 certificates (RFC 5280): trusted roots, the contents of a certificate, paths from a
//! chain to a root in which no certificate is revoked, and the delegates of an owner.
//!
//! All data here is public: nothing needs constant time.

mod chain;
mod delegate;
mod info;
mod name;
mod order;
mod path;
mod read;
mod revocation;
mod signature;
mod source;
#[cfg(test)]
mod tests;

pub(crate) use chain::{Checks, chain_findings};
pub use delegate::{Delegate, Permission};
pub use info::CertificateInfo;
pub(crate) use order::{Unfit, check_new_chain};
pub(crate) use path::{PathRequirements, verify_path};
pub(crate) use revocation::{Others, unused_lists};
pub use source::RootsSource;

use alloc::sync::Arc;
use alloc::vec::Vec;
use core::fmt;

use rustls_pki_types::CertificateDer;

use crate::cbor::{Sink, Span};
use crate::error::{Error, ErrorKind};
use crate::finding::FindingKind;
use crate::time::UnixTime;
use name::Name;
use read::Fields;

/// The certificates that the caller trusts.
///
/// A certificate that is marked as a CA (version 3, basicConstraints with cA) is a trust anchor for
/// what it signed, and never for itself: it is public, and copying it into a voucher does not prove
/// possession of a device. Any other certificate is trusted only for itself; use this to trust a
/// single device or owner.
///
/// Such a certificate must not resemble that of a CA. It must have no key usage for signatures on
/// certificates or revocation lists. If it names itself as its issuer, it must have
/// basicConstraints without cA, or a key usage. A root of version 1, or with neither extension, is
/// trusted for nothing.
///
/// The roots also hold the revocation lists: [`add_crl_der`](Self::add_crl_der).
#[derive(Clone, Default)]
pub struct Roots {
    certificates: Vec<Root>,
    lists: Vec<Arc<revocation::List>>,
    lists_required: bool,
}

#[derive(Clone)]
struct Root {
    der: Vec<u8>,
    /// The content of the subject, to find the issuer of a certificate without reading each root.
    subject: Vec<u8>,
    /// The same for comparison with the names of revocation lists.
    name: Name,
}

impl Roots {
    /// An empty set: no certificate is trusted.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            certificates: Vec::new(),
            lists: Vec::new(),
            lists_required: false,
        }
    }

    /// Adds the certificate in `der`, which it must fill exactly. A certificate that is already
    /// present is not added again.
    ///
    /// # Errors
    /// [`ErrorKind::Certificate`] for bytes that are not an X.509 certificate in DER, or for a
    /// certificate longer than 64 KiB.
    pub fn add_der(&mut self, der: &[u8]) -> Result<(), Error> {
        let bad = || {
            Error::because(
                ErrorKind::Certificate,
                "a trusted certificate is not X.509 in DER",
            )
        };
        let fields = Fields::read(der).ok_or_else(bad)?;
        webpki::anchor_from_trusted_cert(&CertificateDer::from(der)).map_err(|_| bad())?;
        if !self.iter().any(|known| known == der) {
            self.certificates.push(Root {
                der: der.to_vec(),
                subject: fields.subject.to_vec(),
                name: Name::of(fields.subject),
            });
        }
        Ok(())
    }

    /// The number of trusted certificates.
    #[must_use]
    pub fn len(&self) -> usize {
        self.certificates.len()
    }

    /// Whether there are no trusted certificates.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }

    /// The certificates in DER, in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        self.certificates.iter().map(|root| root.der.as_slice())
    }

    /// The certificates with this subject, and their numbers.
    fn named<'a>(&'a self, subject: &'a [u8]) -> impl Iterator<Item = (usize, &'a [u8])> {
        self.certificates
            .iter()
            .enumerate()
            .filter(move |(_, root)| root.subject == subject)
            .map(|(number, root)| (number, root.der.as_slice()))
    }
}

/// The remarks of [`Voucher::findings`](crate::Voucher::findings) on a chain of device certificates, for
/// crates that read other formats: the number of the certificate, and the kind.
///
/// A certificate that the next one did not issue is [`FindingKind::DeviceChainBroken`]. With a time,
/// certificates that are not valid then are noted. At most `checks` signatures are verified.
///
/// ```
/// use ownership_voucher::certificate::remarks;
/// use ownership_voucher::finding::FindingKind;
/// assert_eq!(remarks(&[b"no certificate"], None, 16), [(0, FindingKind::CertificateUnreadable)]);
/// ```
#[must_use]
pub fn remarks(chain: &[&[u8]], at: Option<UnixTime>, checks: usize) -> Vec<(usize, FindingKind)> {
    struct Numbered<'a>(&'a [usize], Vec<(usize, FindingKind)>);
    impl Sink for Numbered<'_> {
        const THOROUGH: bool = true;
        fn note(&mut self, kind: FindingKind, offset: usize) {
            let number = self.0.iter().filter(|start| **start < offset).count();
            self.1.push((number, kind));
        }
        fn enter(&mut self, _: Option<usize>) {}
    }
    // One after the other, as they are in a voucher.
    let bytes = chain.concat();
    let mut end = 0_usize;
    let spans: Vec<Span> = chain
        .iter()
        .map(|der| {
            let start = end;
            end = end.saturating_add(der.len());
            Span::new(start, end)
        })
        .collect();
    let starts: Vec<usize> = spans.iter().map(|span| span.start()).collect();
    let mut list = Numbered(&starts, Vec::new());
    let broken = FindingKind::DeviceChainBroken;
    let mut checks = Checks::new(checks);
    chain_findings(
        &bytes,
        spans.into_iter(),
        at,
        broken,
        &mut checks,
        &mut list,
    );
    list.1
}

/// The content of issuer and serial number of a certificate, if it can be parsed.
#[cfg(feature = "privacy")]
pub(crate) fn issuer_and_serial(der: &[u8]) -> Option<(&[u8], &[u8])> {
    Fields::read(der).map(|fields| (fields.issuer, fields.serial))
}

impl fmt::Debug for Roots {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lists = self.lists.len();
        write!(
            f,
            "{} trusted certificates, {lists} revocation lists",
            self.len()
        )
    }
}
