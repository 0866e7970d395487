//! Hand-overs in which each voucher has its own next owner or its own signer: one-time keys.

use ownership_voucher::onetime::{Address, KeyBook, MasterSecret, ScanKey, SpendKey};
use ownership_voucher::{
    Deal, Error, ExtendOptions, LocalKey, NextOwner, OwnerSigner, Policy, PublicKey, Receipt,
    VerifiedVoucher, hand_over_each,
};
use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::ExtendArgs;
use crate::material::private_key;
use crate::onetime::{listed_keys, master, public_keys};
use crate::output::fill_random;

/// From whom, to whom, and how.
pub(crate) struct Deals {
    from: From,
    to: To,
    options: ExtendOptions,
}

enum From {
    Key(LocalKey),
    Master {
        master: MasterSecret,
        scan: ScanKey,
        spend: SpendKey,
        book: KeyBook,
    },
}

enum To {
    One(NextOwner),
    Address(Address, Zeroizing<[u8; 32]>),
    Keys(Vec<PublicKey>),
}

impl Deals {
    /// Reads what the options name; `next` is there where all vouchers have one next owner.
    pub(crate) fn load(
        args: &ExtendArgs,
        next: Option<NextOwner>,
        options: ExtendOptions,
    ) -> Result<Self, Failure> {
        let onetime = &args.onetime;
        let from = match (&args.key, &onetime.master) {
            (Some(path), None) => From::Key(private_key(path)?),
            (None, Some(path)) => {
                let master = master(path)?;
                let mut book = KeyBook::new();
                if let (Some(order), Some(count)) = (&onetime.order, onetime.count) {
                    let keys = public_keys(&master, onetime.curve, order, 0, count)?;
                    let added = book.add(order, 0, &keys);
                    added.map_err(|error| Failure::Message(error.to_string()))?;
                }
                let fail = |error: Error| Failure::Message(error.to_string());
                From::Master {
                    scan: master.scan_key(onetime.number).map_err(fail)?,
                    spend: master.spend_key(onetime.number).map_err(fail)?,
                    master,
                    book,
                }
            }
            _ => return Err("--to-address and --to-keys want --key or --master".into()),
        };
        let to = match (next, onetime.to_address, &onetime.to_keys) {
            (Some(next), _, _) => To::One(next),
            (None, Some(address), _) => {
                let mut seed = Zeroizing::new([0; 32]);
                fill_random(&mut *seed)?;
                To::Address(address, seed)
            }
            (None, None, Some(path)) => To::Keys(listed_keys(path)?),
            (None, None, None) => return Err("one of the next owners wanted".into()),
        };
        Ok(Self { from, to, options })
    }

    /// Hands these vouchers over, of which the first has that number.
    pub(crate) fn make(
        &self,
        policy: &Policy<'_>,
        vouchers: &[&[u8]],
        first: usize,
    ) -> Vec<Result<(VerifiedVoucher<'static>, Receipt), Error>> {
        hand_over_each(policy, vouchers, |number, voucher| {
            let signer = self.signer(voucher)?;
            let (next, options) = self.next(first.saturating_add(number), voucher)?;
            Ok(Deal::new(signer, next, options))
        })
    }

    fn signer(
        &self,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<Box<dyn OwnerSigner + Send + Sync + '_>, Error> {
        Ok(match &self.from {
            From::Key(key) => Box::new(key),
            From::Master {
                master,
                scan,
                spend,
                book,
            } => match scan.recognise(voucher) {
                Some(found) => Box::new(spend.signer(&found)?),
                None => Box::new(master.key_of(voucher, book)?),
            },
        })
    }

    fn next(
        &self,
        number: usize,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<(NextOwner, ExtendOptions), Error> {
        Ok(match &self.to {
            To::One(next) => (next.clone(), self.options.clone()),
            To::Address(address, seed) => {
                let owner = address.owner_of(voucher, seed)?;
                (owner.next_owner(), owner.options(&self.options))
            }
            To::Keys(keys) => {
                let key = keys.get(number);
                let key = key.ok_or_else(|| Error::signer("no key is left in the list"))?;
                (NextOwner::Key(key.clone()), self.options.clone())
            }
        })
    }
}
