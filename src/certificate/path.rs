//! Paths from a chain to a trusted root (RFC 5280 §6).
//!
//! The order of a chain is significant: each certificate must be signed by the next one, up to the
//! first that a root signed. webpki then validates that path: constraints, versions, names,
//! critical extensions, revocation. It leaves out key usage and everything about the root itself;
//! those are checked here.

use alloc::vec::Vec;
use core::time::Duration;

use der::Decode as _;
use rustls_pki_types::CertificateDer;
use webpki::{EndEntityCert, ExtendedKeyUsageValidator, KeyPurposeIdIter};
use x509_cert::ext::pkix::NameConstraints;
use x509_cert::ext::pkix::name::GeneralName;

use super::Roots;
use super::order::check_leaf;
use super::read::Fields;
use super::revocation::check_lists;
use super::signature::{Unproved, algorithms, check};
use crate::error::{Error, ErrorKind};
use crate::time::UnixTime;

/// A valid path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Path {
    /// The number of the root, by [`Roots::iter`].
    pub(crate) root: usize,
    /// The number of certificates in the path, including the root; 1 if the leaf itself is trusted.
    pub(crate) certificates: usize,
}

/// The requirements for a path.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PathRequirements {
    /// The time at which certificates and lists must be valid, if it matters.
    pub(crate) at: Option<UnixTime>,
    /// Whether some revocation list must cover each certificate.
    pub(crate) lists_required: bool,
    /// The error without a path: [`ErrorKind::DevicePath`] or [`ErrorKind::OwnerPath`].
    pub(crate) kind: ErrorKind,
}

/// Finds the path from the first certificate of `chain` to one of `roots`.
///
/// The root may be in the chain or not. With a time, all certificates of the path, including the
/// root, must be valid at that time, else the error is [`ErrorKind::CertificateTime`]. Without one,
/// there must have been a moment when all of them but the root were valid. A certificate that a
/// list of `roots` revokes is [`ErrorKind::CertificateRevoked`]. Whatever is trusted, a chain with
/// the root first is [`ErrorKind::ChainReversed`], and one that begins with a CA certificate is
/// [`ErrorKind::CaAsLeaf`]: a trusted CA is a trust anchor for what it signed, and is not a device.
pub(crate) fn verify_path(
    chain: &[&[u8]],
    roots: &Roots,
    requirements: &PathRequirements,
) -> Result<Path, Error> {
    let kind = requirements.kind;
    let fail = |why| Error::because(kind, why);
    let at = requirements.at;
    let (leaf, _) = chain
        .split_first()
        .ok_or_else(|| fail("the chain has no certificate"))?;
    let unreadable = "a certificate cannot be read";
    let mut current = Fields::read(leaf).ok_or_else(|| fail(unreadable))?;
    check_leaf(chain, &current)?;
    if !current.may_sign() {
        return Err(fail(
            "the key usage of the first certificate lacks digital signatures",
        ));
    }
    if let Some(root) = roots.iter().position(|root| root == *leaf) {
        if !current.may_be_pinned() {
            return Err(fail(UNPINNED));
        }
        moment(&[&current], at, kind)?;
        return Ok(Path {
            root,
            certificates: 1,
        });
    }
    let mut path: Vec<Fields<'_>> = Vec::new();
    let mut reason = Reason::default();
    for number in 0.. {
        path.push(current);
        let Some(last) = path.last() else { break };
        for (root, der) in roots.named(last.issuer) {
            match check_root(chain, &path, (roots, der), requirements) {
                Ok(()) => {
                    let certificates = path.len().saturating_add(1);
                    return Ok(Path { root, certificates });
                }
                Err(Missed::Unsigned(error)) => reason.add(Rank::Unsigned, error),
                Err(Missed::Signed(error)) => {
                    let revoked = error.kind() == ErrorKind::CertificateRevoked;
                    let rank = if revoked { Rank::Revoked } else { Rank::Signed };
                    reason.add(rank, error);
                }
            }
        }
        let Some(next) = chain.get(usize::saturating_add(number, 1)) else {
            break;
        };
        let Some(issuer) = Fields::read(next) else {
            reason.add(Rank::Unsigned, fail(unreadable));
            break;
        };
        if last.issuer != issuer.subject {
            let why = "a certificate names another issuer than the next one";
            reason.add(Rank::Unsigned, fail(why));
            break;
        }
        if let Err(why) = check(last, &issuer) {
            reason.add(Rank::Unsigned, unproved(why, kind));
            break;
        }
        current = issuer;
    }
    let reason = reason.0.map(|(_, error)| error);
    Err(reason.unwrap_or_else(|| fail("the issuer is not trusted")))
}

/// The precedence of a reason for having no path; the most precise is reported, and of equal ones
/// the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// A CA of that name whose key did not sign: perhaps the CA changed its key.
    Unsigned,
    /// The fault of a path whose root did sign.
    Signed,
    Revoked,
}

#[derive(Debug, Default)]
struct Reason(Option<(Rank, Error)>);

impl Reason {
    fn add(&mut self, rank: Rank, error: Error) {
        if self.0.as_ref().is_none_or(|(known, _)| *known < rank) {
            self.0 = Some((rank, error));
        }
    }
}

/// The reason why a root with the right name does not end a path.
enum Missed {
    /// Its key did not sign.
    Unsigned(Error),
    Signed(Error),
}

/// Checks that `path`, the beginning of `chain`, leads to the root, one of `roots`, whose subject
/// is the issuer of its last certificate.
fn check_root(
    chain: &[&[u8]],
    path: &[Fields<'_>],
    (roots, root): (&Roots, &[u8]),
    requirements: &PathRequirements,
) -> Result<(), Missed> {
    let kind = requirements.kind;
    let root_der = CertificateDer::from(root);
    let (Some(root), Some(last)) = (Fields::read(root), path.last()) else {
        let why = "the trusted certificate cannot be read";
        return Err(Missed::Unsigned(Error::because(kind, why)));
    };
    check(last, &root).map_err(|why| Missed::Unsigned(unproved(why, kind)))?;
    check_signed_path(chain, path, (roots, &root, &root_der), requirements).map_err(Missed::Signed)
}

/// Makes the remaining checks of a path to a root that signed its last certificate.
fn check_signed_path(
    chain: &[&[u8]],
    path: &[Fields<'_>],
    (roots, root, root_der): (&Roots, &Fields<'_>, &CertificateDer<'_>),
    requirements: &PathRequirements,
) -> Result<(), Error> {
    let (at, kind) = (requirements.at, requirements.kind);
    let fail = |why| Error::because(kind, why);
    let intermediates = path.len().saturating_sub(1);
    if !root.is_ca() {
        return Err(fail("the trusted certificate is not marked as a CA"));
    }
    let depth = root
        .constraints
        .as_ref()
        .and_then(|constraints| constraints.path_len_constraint);
    if depth.is_some_and(|depth| intermediates > usize::from(depth)) {
        return Err(fail("the path is longer than a CA allows"));
    }
    let mut issuers = path.iter().skip(1).chain([root]);
    if !issuers.all(Fields::may_certify) {
        return Err(fail("the key usage of a CA lacks certificate signatures"));
    }
    // A root is renewed under its name and key, so without a time its own dates do not count: the
    // leaf may have expired before the root that is trusted today was issued.
    let dated = path.iter().chain(at.is_some().then_some(root));
    let moment = moment(&dated.collect::<Vec<_>>(), at, kind)?;

    let certificates: Vec<_> = chain
        .iter()
        .take(path.len())
        .map(|der| CertificateDer::from(*der))
        .collect();
    let (leaf, intermediates) = certificates
        .split_first()
        .ok_or_else(|| fail("the chain has no certificate"))?;
    let judge = || {
        let anchors = [webpki::anchor_from_trusted_cert(root_der)?];
        EndEntityCert::try_from(leaf)?
            .verify_for_usage(
                &algorithms(),
                &anchors,
                intermediates,
                rustls_pki_types::UnixTime::since_unix_epoch(Duration::from_secs(moment.0)),
                AnyPurpose,
                None,
                None,
            )
            .map(|_| ())
    };
    judge().map_err(|error| match error {
        webpki::Error::NameConstraintViolation if on_directories(path, root) => fail(DIRECTORIES),
        error => translate(&error, kind),
    })?;
    let required = requirements.lists_required || roots.lists_required;
    check_lists(roots, path, root, at, required, kind)
}

/// Whether a CA above the leaf has a name constraint on directory names. Such a constraint is not
/// compared with names; everything below that CA is refused.
fn on_directories(path: &[Fields<'_>], root: &Fields<'_>) -> bool {
    path.iter().skip(1).chain([root]).any(|ca| {
        let names = ca.names.as_deref();
        let names = names.and_then(|names| NameConstraints::from_der(names).ok());
        let trees = |names: NameConstraints| [names.permitted_subtrees, names.excluded_subtrees];
        names.is_some_and(|names| {
            let mut all = trees(names).into_iter().flatten().flatten();
            all.any(|tree| matches!(tree.base, GeneralName::DirectoryName(_)))
        })
    })
}

const UNPINNED: &str = "the trusted certificate may be that of a CA; to trust a device itself, its \
     certificate needs basicConstraints with CA:FALSE, or a key usage without signatures of \
     certificates and revocation lists";

const DIRECTORIES: &str =
    "name constraints on directory names are not supported, and a CA has some";

/// The time of validation: `at`, or else the first moment when all certificates were valid.
pub(super) fn moment(
    certificates: &[&Fields<'_>],
    at: Option<UnixTime>,
    kind: ErrorKind,
) -> Result<UnixTime, Error> {
    let time = |why| Err(Error::because(ErrorKind::CertificateTime, why));
    let start = certificates.iter().map(|one| one.not_before).max();
    let end = certificates.iter().map(|one| one.not_after).min();
    let (start, end) = (start.unwrap_or(UnixTime(0)), end.unwrap_or(UnixTime(0)));
    match at {
        Some(at) if at > end => time("a certificate has expired"),
        Some(at) if at < start => time("a certificate is not valid yet"),
        Some(at) => Ok(at),
        None if start > end => Err(Error::because(
            kind,
            "the certificates were never valid at the same time",
        )),
        None => Ok(start),
    }
}

/// Any extended key usage: FDO defines none for devices and owners.
struct AnyPurpose;

impl ExtendedKeyUsageValidator for AnyPurpose {
    fn validate(&self, _: KeyPurposeIdIter<'_, '_>) -> Result<(), webpki::Error> {
        Ok(())
    }
}

fn unproved(why: Unproved, kind: ErrorKind) -> Error {
    let text = match why {
        Unproved::Sha1 => "a certificate is signed with SHA-1",
        Unproved::Unsupported => UNSUPPORTED,
        #[cfg(not(feature = "rsa"))]
        Unproved::Feature => {
            return Error::because(ErrorKind::FeatureDisabled, "RSA needs the feature `rsa`");
        }
        Unproved::Broken => SIGNATURE,
    };
    Error::because(kind, text)
}

const UNSUPPORTED: &str = "a certificate is signed with an algorithm that is not supported";
const SIGNATURE: &str = "the signature of a certificate does not verify";

fn translate(error: &webpki::Error, kind: ErrorKind) -> Error {
    use webpki::Error as E;
    let why = match error {
        E::EndEntityUsedAsCa => "a certificate signs another one without being marked as a CA",
        E::PathLenConstraintViolated => "the path is longer than a CA allows",
        E::NameConstraintViolation => "a name is outside of the name constraints",
        E::UnsupportedCertVersion => "a certificate is not of version 3",
        E::UnsupportedCriticalExtension => "a critical extension is not understood",
        E::InvalidSignatureForPublicKey => SIGNATURE,
        E::SignatureAlgorithmMismatch => "a certificate names two signature algorithms",
        E::UnsupportedSignatureAlgorithmContext(_)
        | E::UnsupportedSignatureAlgorithmForPublicKeyContext(_) => UNSUPPORTED,
        E::EmptyEkuExtension => "an extended key usage is empty",
        E::MaximumPathDepthExceeded
        | E::MaximumSignatureChecksExceeded
        | E::MaximumPathBuildCallsExceeded
        | E::MaximumNameConstraintComparisonsExceeded => {
            "the path has more than 8 certificates or too many names"
        }
        E::UnknownIssuer => "the issuer is not trusted",
        E::CertDistrusted => "the key of a certificate is known to be compromised",
        // `moment` has judged times already.
        E::CertExpired { .. } | E::CertNotValidYet { .. } | E::InvalidCertValidity => {
            "a certificate is not valid at the time of the others"
        }
        _ => "a certificate is not as RFC 5280 asks",
    };
    Error::because(kind, why)
}
