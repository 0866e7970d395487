//! What vouchers disclose: one voucher to its holder, and many to whoever collects them.
//!
//! A voucher is passed from owner to owner, and each of them keeps a copy.
//! [`Voucher::disclosures`](crate::Voucher::disclosures) lists what one copy discloses to its
//! holder, how severe that is and what can be done. [`Linker`] examines a collection and finds what
//! links its vouchers to each other: above all the keys of owners. A key that occurs once is a
//! pseudonym. A key that occurs twice links the devices of its owner, and anybody with both
//! vouchers can see the link. [`PrivacyPolicy`] checks a voucher before it is signed.
//!
//! ```
//! use ownership_voucher::privacy::{Linker, DisclosureKind, Severity};
//! use ownership_voucher::*;
//! use ownership_voucher::create::{RvDirective, RvProtocol};
//! # fn main() -> Result<(), Error> {
//! # let secret = HmacSecret::new(vec![7; 32]);
//! # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
//! # let made = |guid: u8, info: &str| NewVoucher::new(Guid([guid; 16]), info, maker.clone().into())
//! #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
//! #     .with_epid().header()?.authenticate(&secret);
//! let voucher = made(9, "GW-100, serial 0004711")?;
//! let disclosed = voucher.disclosures(&Limits::new(), text::Secrets::Withheld);
//! let most_severe = disclosed.iter().max_by_key(|disclosure| disclosure.kind.severity()).unwrap();
//! assert_eq!(most_severe.kind, DisclosureKind::DeviceInfoSerial);
//! assert_eq!(most_severe.kind.severity(), Severity::High);
//!
//! // Two vouchers of one owner.
//! # let random = [7; 32];
//! let mut linker = Linker::new(random);
//! linker.add(&voucher)?;
//! linker.add(&made(8, "GW-100")?)?;
//! let linkage = linker.finish();
//! assert_eq!(linkage.clusters(&[privacy::LinkKind::CurrentOwner]), [0, 0]);
//! # Ok(())
//! # }
//! ```
//!
//! # What one-time owner keys hide, and what they do not
//!
//! If every owner uses a fresh key for each voucher, there are no links by owner keys; tests
//! measure that. The following remain, because the device's HMAC or its certificate fixes them:
//!
//! - **The device certificate** identifies the device for its whole life: key, serial number,
//!   names. It also links the voucher of a device to the one that replaced it. An EPID device
//!   proves only that it belongs to a group: chain and chain hash of its voucher are null, and none
//!   of the disclosures of this module about the certificate apply.
//! - **The manufacturer's key**, device info and rendezvous info: equal for a whole production run,
//!   or identifying if they are made for one customer.
//! - **Timing.** Who sends how many vouchers and when, and when devices contact the rendezvous
//!   server, is not in a voucher at all.
//! - **The parties to a sale.** The seller knows which voucher was signed over to which buyer.
//!
//! Onboarding replaces GUID, rendezvous info and owner key. After a resale, only the device's
//! certificate links the new voucher to the earlier owners.
//!
//! One-time keys are not suitable where owners are identified by their keys: allow lists of
//! rendezvous servers and customers, device roots that are bound to a sales channel, vouchers that
//! are deliberately traded under a name.
//!
//! # Limits of the report
//!
//! The report finds equal values and neighbouring numbers. It does not find values that are similar
//! to a human reader (`rv.acme.example` and `acme-rv.example`), encrypted additional data, or what
//! a collector knows from other sources. An empty list of links does not prove that vouchers cannot
//! be linked.

mod disclosure;
mod kind;
mod link;
mod linkage;
mod lint;
mod private;
mod text;

pub use disclosure::Disclosure;
pub use kind::{DisclosureKind, LinkKind, Severity};
pub use link::{Linker, Traits};
pub use linkage::{Group, Linkage};
pub use lint::PrivacyPolicy;
