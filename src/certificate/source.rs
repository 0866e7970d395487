//! The roots of a policy: borrowed from its caller, or shared with others.

use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;

use super::Roots;

/// Trusted certificates of a policy: borrowed, or shared, so that the policy lives as long as a
/// service needs it.
///
/// It is made from `&Roots`, `Roots` or `Arc<Roots>`.
///
/// ```
/// use ownership_voucher::{Error, Policy, Roots};
/// use std::sync::Arc;
///
/// fn policy(roots: &Arc<Roots>) -> Policy<'static> {
///     Policy::manufacturer_roots(Arc::clone(roots))
/// }
/// # let _ = policy(&Arc::new(Roots::new()));
/// ```
#[derive(Clone)]
pub struct RootsSource<'p>(Certificates<'p>);

#[derive(Clone)]
enum Certificates<'p> {
    Borrowed(&'p Roots),
    Shared(Arc<Roots>),
}

impl Deref for RootsSource<'_> {
    type Target = Roots;

    fn deref(&self) -> &Roots {
        match &self.0 {
            Certificates::Borrowed(roots) => roots,
            Certificates::Shared(roots) => roots,
        }
    }
}

impl<'p> From<&'p Roots> for RootsSource<'p> {
    fn from(roots: &'p Roots) -> Self {
        Self(Certificates::Borrowed(roots))
    }
}

impl From<Roots> for RootsSource<'_> {
    fn from(roots: Roots) -> Self {
        Self(Certificates::Shared(Arc::new(roots)))
    }
}

impl From<Arc<Roots>> for RootsSource<'_> {
    fn from(roots: Arc<Roots>) -> Self {
        Self(Certificates::Shared(roots))
    }
}

impl fmt::Debug for RootsSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(f)
    }
}
