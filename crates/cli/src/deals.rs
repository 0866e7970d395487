//! The seller and the buyer of each voucher: one key or one-time keys on either side.

use ownership_voucher::digest::HashAlgorithm;
use ownership_voucher::hmac::DeviceHmac as _;
use ownership_voucher::transfer::{HandOverRequest, Receipt, hand_over_each, hand_over_each_with};
use ownership_voucher::{
    Error, ErrorKind, ExtendOptions, Extension, HmacSecret, KeyOrChain, KeyType, OwnerSigner,
    Policy, PublicKey, VerifiedVoucher,
};
use ownership_voucher_onetime::{Address, KeyBook, MasterSecret, ScanKey, SpendKey};

use zeroize::Zeroizing;

use crate::Failure;
use crate::cli::ExtendArgs;
use crate::elsewhere::{Messages, Signatures};
use crate::input::Item;
use crate::interrupt::{Interrupt, Stoppable};
use crate::journal::SalesFile;
use crate::keys::{Keys, Passphrase};
use crate::onetime::{master, public_keys};
use crate::owners::listed_keys;
use crate::progress::FileProgress;
use crate::signer::SignerCommand;
use crate::warnings::{Policies, Warnings};

/// Current owner, next owner and options.
pub(crate) struct Deals {
    from: From,
    to: To,
    options: ExtendOptions,
}

enum From {
    Keys(Keys),
    Command(SignerCommand),
    /// Nobody signs yet.
    Messages(Messages),
    Signatures(Signatures),
    Master {
        master: MasterSecret,
        scan: ScanKey,
        spend: SpendKey,
        book: KeyBook,
    },
}

enum To {
    One(KeyOrChain),
    /// With the secret of the master secret's seeds; that of a key is its own.
    Address(Address, Option<HmacSecret>),
    Keys(Vec<PublicKey>),
}

/// The result for each voucher.
pub(crate) type HandedOver = Vec<Result<(VerifiedVoucher<'static>, Receipt), Error>>;

impl Deals {
    /// Reads what the options name. `next` is present if all vouchers have one next owner.
    pub(crate) fn load(
        args: &ExtendArgs,
        next: Option<KeyOrChain>,
        options: ExtendOptions,
    ) -> Result<Self, Failure> {
        let onetime = &args.onetime;
        let elsewhere = args.program.signer_command.is_some()
            || args.to_be_signed.is_some()
            || args.signature.is_some();
        if elsewhere && onetime.to_address.is_some() {
            return Err(
                "--to-address needs --key or --master: its seeds are derived from a secret of \
                        the seller"
                    .into(),
            );
        }
        let from = match (args.key.as_slice(), &onetime.master) {
            _ if elsewhere => From::elsewhere(args)?,
            ([_, ..], None) => {
                From::Keys(Keys::load(&args.key, &Passphrase::new(&args.passphrase))?)
            }
            ([], Some(path)) => {
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
            _ => {
                return Err(
                    "--to-address and --to-keys need --key or --master (--to-keys also takes \
                         --signer-command)"
                        .into(),
                );
            }
        };
        let to = match (next, onetime.to_address, &onetime.to_keys) {
            (Some(next), _, _) => To::One(next),
            (None, Some(address), _) => To::Address(address, from.seed_secret()?),
            (None, None, Some(path)) => To::Keys(listed_keys(path)?),
            (None, None, None) => return Err("no next owner is named".into()),
        };
        Ok(Self { from, to, options })
    }

    /// The line about the message of this device, if it was written.
    pub(crate) fn message(&self, guid: &str) -> Option<String> {
        match &self.from {
            From::Messages(messages) => messages.take(guid),
            _ => None,
        }
    }

    /// The number of keys in the list of next owners, if there is a list.
    pub(crate) const fn keys(&self) -> Option<usize> {
        match &self.to {
            To::Keys(keys) => Some(keys.len()),
            To::One(_) | To::Address(..) => None,
        }
    }

    /// Hands these vouchers over, each with its number in the whole input. Warnings about them are
    /// printed before any of them is signed.
    pub(crate) fn make(
        &self,
        policy: &Policy<'_>,
        vouchers: &[(usize, &Item, &[u8])],
        journal: Option<&SalesFile>,
        interrupt: &Interrupt,
        (warnings, progress): (&Warnings, &FileProgress),
    ) -> HandedOver {
        let bytes: Vec<&[u8]> = vouchers.iter().map(|(_, _, bytes)| *bytes).collect();
        let policies = Policies::new(policy);
        let deal = |position: usize, voucher: &VerifiedVoucher<'_>| {
            interrupt.check()?;
            let signer = self.signer(voucher)?;
            let (number, name) = vouchers
                .get(position)
                .map_or((usize::MAX, String::new()), |(number, item, _)| {
                    (*number, item.name())
                });
            let (next, options) = self.next(number, voucher)?;
            let ours = signer
                .public_key()
                .is_none_or(|key| key == *voucher.owner());
            match &self.from {
                // A wrong signature is no sale, and is not recorded as one.
                From::Signatures(signatures) => {
                    let signature = signatures.of(voucher)?.signature;
                    voucher.extend(&next, &options)?.finish(&signature)?;
                }
                From::Messages(messages) => {
                    let message = voucher.extend(&next, &options)?.to_be_signed();
                    messages.check(&voucher.guid().to_string(), &message)?;
                }
                From::Keys(_) | From::Command(_) | From::Master { .. } => {}
            }
            if ours {
                warnings.collect(number, &name, (voucher, &next, &options), &policies)?;
            }
            let signer = Stoppable {
                signer,
                interrupt,
                warnings,
                progress,
            };
            Ok(HandOverRequest::new(signer, next, options))
        };
        let results = match journal {
            Some(journal) => hand_over_each_with(policy, &bytes, journal, deal),
            None => hand_over_each(policy, &bytes, deal),
        };
        let results = results.into_iter();
        results.map(|result| result.map_err(Error::from)).collect()
    }

    /// The entry by which the voucher with this number is sold; `None` if it belongs to another
    /// owner.
    pub(crate) fn prepare<'v>(
        &self,
        number: usize,
        voucher: &'v VerifiedVoucher<'v>,
    ) -> Result<Option<Extension<'v>>, Error> {
        let signer = self.signer(voucher)?;
        if signer
            .public_key()
            .is_some_and(|key| key != *voucher.owner())
        {
            return Ok(None);
        }
        let (next, options) = self.next(number, voucher)?;
        voucher.extend(&next, &options).map(Some)
    }

    /// What else to say of a voucher that no key owns: with several keys the error names the first.
    pub(crate) fn hint(&self, error: &Error) -> String {
        match (&self.from, error.kind()) {
            (From::Keys(keys), ErrorKind::NotOwner) if keys.len() > 1 => {
                let all = keys.len();
                format!("; it is the first of {all} keys, none of which owns the voucher")
            }
            _ => String::new(),
        }
    }

    fn signer(
        &self,
        voucher: &VerifiedVoucher<'_>,
    ) -> Result<Box<dyn OwnerSigner + Send + Sync + '_>, Error> {
        Ok(match &self.from {
            From::Keys(keys) => {
                let none = || Error::signer("no private key is given");
                Box::new(&keys.get_or_first(voucher.owner()).ok_or_else(none)?.key)
            }
            From::Command(command) => Box::new(command.of(voucher.owner(), voucher.guid())),
            From::Messages(messages) => Box::new(messages.of(voucher)),
            From::Signatures(signatures) => Box::new(signatures.of(voucher)?),
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
    ) -> Result<(KeyOrChain, ExtendOptions), Error> {
        Ok(match &self.to {
            To::One(next) => (next.clone(), self.options.clone()),
            To::Address(address, secret) => {
                let own;
                let secret = match (secret, &self.from) {
                    (Some(secret), _) => secret,
                    (None, From::Keys(keys)) => {
                        let mine = keys.get_or_first(voucher.owner());
                        let mine = mine.ok_or_else(|| Error::signer("no private key is given"))?;
                        own = mine.seed()?;
                        &own
                    }
                    (None, _) => return Err(Error::signer("no secret of the seller is given")),
                };
                let owner = address.owner_of(voucher, &*seed(secret, address, voucher)?)?;
                (owner.next_owner(), owner.options(&self.options))
            }
            To::Keys(keys) => {
                let key = keys.get(number);
                let key = key.ok_or_else(|| Error::signer("no key is left in the list"))?;
                (KeyOrChain::Key(key.clone()), self.options.clone())
            }
        })
    }
}

impl From {
    /// A key that is not here: behind a program, or in two steps.
    fn elsewhere(args: &ExtendArgs) -> Result<Self, Failure> {
        Ok(
            match (
                SignerCommand::new(&args.program),
                &args.to_be_signed,
                &args.signature,
            ) {
                (Some(command), ..) => Self::Command(command),
                (_, Some(folder), _) => Self::Messages(Messages::open(folder, args.output.force)?),
                (_, _, Some(folder)) => Self::Signatures(Signatures::new(folder)),
                _ => return Err("no signer is named".into()),
            },
        )
    }

    /// The key from which the seeds for addresses are derived: a secret of the seller. So the same
    /// sale has the same seed when it is repeated, and nobody else can compute it. With private keys
    /// it is the one that owns the voucher.
    fn seed_secret(&self) -> Result<Option<HmacSecret>, Failure> {
        let fail = |error: Error| Failure::Message(error.to_string());
        let Self::Master { master, .. } = self else {
            return Ok(None);
        };
        let key = master.key(KeyType::Secp256r1, "ov: seeds for addresses", 0);
        let der = key.and_then(|key| key.to_pkcs8_der()).map_err(fail)?;
        Ok(Some(HmacSecret::new(der.to_vec())))
    }
}

/// The seed for one sale. It is different for each address and each state of each voucher.
fn seed(
    secret: &HmacSecret,
    address: &Address,
    voucher: &VerifiedVoucher<'_>,
) -> Result<Zeroizing<[u8; 32]>, Error> {
    let parts = [
        b"ov extend --to-address\0".as_slice(),
        &address.to_bytes(),
        &voucher.state(),
    ];
    let mac = secret.header_hmac(HashAlgorithm::Sha256, &parts.concat())?;
    Ok(Zeroizing::new(
        mac.as_bytes().try_into().unwrap_or_default(),
    ))
}
