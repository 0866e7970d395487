//! The HMAC of a policy: borrowed from its caller, or shared with others.

use alloc::sync::Arc;
use core::fmt;
use core::ops::Deref;

use super::{DeviceHmac, HmacSecret};

/// The HMAC of a policy: borrowed, or shared.
///
/// It is made from a [`HmacSecret`], from a reference to anything that is a [`DeviceHmac`], or from
/// an `Arc` of it.
///
/// ```
/// use ownership_voucher::{HmacSecret, Policy};
///
/// let policy: Policy<'static> = Policy::hmac(HmacSecret::new(vec![7; 32]));
/// ```
#[derive(Clone)]
pub struct HmacSource<'p>(Hmac<'p>);

#[derive(Clone)]
enum Hmac<'p> {
    Borrowed(&'p (dyn DeviceHmac + Sync)),
    Shared(Arc<dyn DeviceHmac + Send + Sync>),
}

impl<'p> Deref for HmacSource<'p> {
    type Target = dyn DeviceHmac + 'p;

    fn deref(&self) -> &Self::Target {
        match &self.0 {
            Hmac::Borrowed(hmac) => *hmac,
            Hmac::Shared(hmac) => &**hmac,
        }
    }
}

impl<'p, H: DeviceHmac + Sync> From<&'p H> for HmacSource<'p> {
    fn from(hmac: &'p H) -> Self {
        Self(Hmac::Borrowed(hmac))
    }
}

impl<'p> From<&'p (dyn DeviceHmac + Sync + 'p)> for HmacSource<'p> {
    fn from(hmac: &'p (dyn DeviceHmac + Sync + 'p)) -> Self {
        Self(Hmac::Borrowed(hmac))
    }
}

impl<'p> From<&'p (dyn DeviceHmac + Send + Sync + 'p)> for HmacSource<'p> {
    fn from(hmac: &'p (dyn DeviceHmac + Send + Sync + 'p)) -> Self {
        Self(Hmac::Borrowed(hmac))
    }
}

impl<H: DeviceHmac + Send + Sync + 'static> From<Arc<H>> for HmacSource<'_> {
    fn from(hmac: Arc<H>) -> Self {
        Self(Hmac::Shared(hmac))
    }
}

impl From<Arc<dyn DeviceHmac + Send + Sync>> for HmacSource<'_> {
    fn from(hmac: Arc<dyn DeviceHmac + Send + Sync>) -> Self {
        Self(Hmac::Shared(hmac))
    }
}

impl From<HmacSecret> for HmacSource<'_> {
    fn from(secret: HmacSecret) -> Self {
        Self(Hmac::Shared(Arc::new(secret)))
    }
}

impl fmt::Debug for HmacSource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a source of the header HMAC")
    }
}
