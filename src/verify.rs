//! Verification: the checks of FDO 1.1 §3.4 in a fixed order.
//!
//! 1. Limits and structure, in the order of the bytes: during parsing.
//! 2. Deviations that the policy does not accept, in the order of the bytes.
//! 3. The hash of the device certificate chain.
//! 4. For each entry: the hash of what precedes it, then the hash of GUID and device info.
//! 5. The coordinates of all keys: every point must be on its curve.
//! 6. The signatures, oldest first.
//! 7. The facts that the policy requires: HMAC, manufacturer, owner, certificate path; and whether
//!    an anchor shows that the header is genuine.
//! 8. Under the strict profile, the certificate chains: each certificate is signed by the next, and the
//!    first is not that of a CA.
//!
//! Inexpensive checks come first: steps 1 to 5 are complete before any signature is verified. A
//! batch can therefore refuse a voucher before its signatures are verified, and reports the same
//! first error as single verification.

#[cfg(feature = "x509")]
mod chains;
mod deviations;
mod facts;
mod links;
mod order;
mod origin;
mod other;
mod proved;
mod rejected;
mod signatures;
mod sink;
mod verified;

#[cfg(feature = "x509")]
pub(crate) use chains::chains;
pub(crate) use deviations::check_deviations;
pub(crate) use links::{Link, LinkDigests, OnDemand, before_entries, check_entry_hashes};
pub(crate) use order::{LinksChecked, Signatures};
pub use origin::Origin;
pub use other::Claims;
pub use proved::{ChainHashRule, ManufacturerProof, Proved};
pub use rejected::Rejected;
pub(crate) use signatures::{accept_other_version, check_entry_signature, check_signature};
pub(crate) use sink::{ErrorSink, FailFast};
pub(crate) use verified::Checked;
pub use verified::VerifiedVoucher;

use crate::error::Error;
use crate::policy::Policy;
use crate::voucher::Voucher;

/// All checks in their order, with digests, keys and signatures computed on demand by the RustCrypto
/// crates.
pub(crate) fn verify(
    voucher: &Voucher<'_>,
    policy: &Policy<'_>,
    sink: &mut impl ErrorSink,
) -> Result<Checked, Error> {
    let links = LinksChecked::new(voucher, policy, sink, &mut OnDemand::default())?;
    links.check_signed(voucher, policy, sink, &mut order::OnDemand::default())
}
