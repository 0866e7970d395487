//! The verified voucher, and the one place that makes it.

use core::fmt;
use core::ops::Deref;

use super::facts;
use super::proved::Proved;
use super::rejected::Rejected;
use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;
use crate::voucher::Voucher;

/// A voucher that was verified under a policy. Only verification creates this type.
///
/// It dereferences to the [`Voucher`] that it holds. [`proved`](Self::proved) lists what was
/// proved.
///
/// ```
/// # use ownership_voucher::*;
/// # fn main() -> Result<(), Error> {
/// # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
/// # let buyer = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?.public_key();
/// # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
/// #     .with_rendezvous(create::RvDirective::new().dns("rv.example.com").device_port(443).protocol(create::RvProtocol::Https))
/// #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
/// # let sold = made.verify(&Policy::any_origin())?;
/// # let sold = sold.extend(&KeyOrChain::Key(buyer.clone()), &ExtendOptions::new())?.sign(&maker)?;
/// # let bytes = sold.as_bytes();
/// let policy = Policy::manufacturer(maker.public_key());
/// let verified = Voucher::parse(bytes)?.verify(&policy)?;
/// assert_eq!(*verified.owner(), buyer);
/// assert_eq!(verified.proved().origin(), Origin::Manufacturer);
/// assert_eq!(verified.proved().entries, verified.entries().len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifiedVoucher<'a> {
    voucher: Voucher<'a>,
    proved: Proved,
    owner: PublicKey,
}

impl<'a> VerifiedVoucher<'a> {
    /// The same voucher with the owner as a proved fact, if the owner has this key.
    pub(crate) fn owned_by(mut self, owner: &PublicKey) -> Result<Self, Error> {
        facts::check_owner(&self.voucher, &self.owner, owner)?;
        self.proved.owner = true;
        Ok(self)
    }

    /// The facts that were proved.
    #[must_use]
    pub const fn proved(&self) -> &Proved {
        &self.proved
    }

    /// The key of the current owner.
    #[must_use]
    pub const fn owner(&self) -> &PublicKey {
        &self.owner
    }

    /// The voucher without its proof.
    #[must_use]
    pub fn into_voucher(self) -> Voucher<'a> {
        self.voucher
    }

    /// The same verified voucher, owning its bytes.
    #[must_use]
    pub fn into_owned(self) -> VerifiedVoucher<'static> {
        let voucher = self.voucher.into_owned();
        VerifiedVoucher {
            voucher,
            proved: self.proved,
            owner: self.owner,
        }
    }
}

impl<'a> Deref for VerifiedVoucher<'a> {
    type Target = Voucher<'a>;

    fn deref(&self) -> &Voucher<'a> {
        &self.voucher
    }
}

impl fmt::Debug for VerifiedVoucher<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "voucher {} of {:?}, {:?}",
            self.voucher.guid(),
            self.owner,
            self.proved
        )
    }
}

/// What is known after all checks.
#[derive(Default)]
pub(crate) struct Checked {
    /// Present if there were no faults.
    pub(crate) proved: Option<Proved>,
    /// The key of the current owner, if it could be decoded.
    pub(crate) owner: Option<PublicKey>,
}

impl Checked {
    /// The verified voucher. Nothing else makes one.
    pub(crate) fn into_verified(
        self,
        voucher: Voucher<'_>,
    ) -> Result<VerifiedVoucher<'_>, Rejected<'_>> {
        // A sink that stops at any fault leaves both present.
        let (Some(proved), Some(owner)) = (self.proved, self.owner) else {
            let error = Error::new(ErrorKind::SignatureInvalid);
            return Err(Rejected::new(error, voucher));
        };
        Ok(VerifiedVoucher {
            voucher,
            proved,
            owner,
        })
    }
}
