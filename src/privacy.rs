//! What vouchers tell: one to whoever holds it, many to whoever collects them.
//!
//! A voucher is handed on from owner to owner, and each of them keeps a copy.
//! [`Voucher::disclosures`](crate::Voucher::disclosures) lists what one copy tells its holder, how bad that
//! is and what can be done. [`Linker`] goes through a collection and finds what ties its vouchers to
//! each other: above all the keys of owners. A key that stands once is a pseudonym; one that stands
//! twice begins a list of what its owner has, and anybody with both vouchers can read it.
//! [`PrivacyPolicy`] looks at a voucher before it is signed.
//!
//! ```
//! use ownership_voucher::privacy::{Linker, DisclosureKind, Severity};
//! use ownership_voucher::*;
//! # fn main() -> Result<(), Error> {
//! # let secret = HmacSecret::new(vec![7; 32]);
//! # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?.public_key();
//! # let made = |guid: u8, info: &str| NewVoucher::new(Guid([guid; 16]), info, maker.clone().into())
//! #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
//! #     .with_epid().header()?.with_hmac(&secret);
//! let voucher = made(9, "GW-100, serial 0004711")?;
//! let told = voucher.disclosures(&Limits::new(), false);
//! let worst = told.iter().max_by_key(|disclosure| disclosure.kind.severity()).unwrap();
//! assert_eq!(worst.kind, DisclosureKind::DeviceInfoSerial);
//! assert_eq!(worst.kind.severity(), Severity::High);
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
//! Where every owner takes a fresh key for each voucher, the links by owner keys are gone; tests
//! score that. These stay, because the device's HMAC or its certificate holds them in place:
//!
//! - **The device certificate** is the device's identity for life: key, serial number, names. It
//!   also ties the voucher of a device to the one that replaced it. An EPID device proves that it
//!   belongs to a group and nothing else: chain and chain hash of its voucher are null, and of all
//!   that this module lists, the certificate's lines are absent.
//! - **The manufacturer's key**, device info and rendezvous info: equal for a whole production, or
//!   telling where they are made for one customer.
//! - **Timing.** Who sends how many vouchers when, and when devices ask the rendezvous server, is
//!   not in a voucher at all.
//! - **The partners of a sale.** The seller knows which voucher he signed over to whom.
//!
//! Onboarding replaces GUID, rendezvous info and owner key, so that a resale after it has no link to
//! the owners before but the device's certificate.
//!
//! One-time keys are the wrong choice where somebody recognises owners by their keys: allow lists
//! of rendezvous servers and customers, device roots that are tied to a sales channel, vouchers that
//! are bought and sold under a name on purpose.
//!
//! # Limits of the report
//!
//! It finds equal things and neighbouring numbers. It does not find what is alike to people
//! (`rv.acme.example` and `acme-rv.example`), what is encrypted in additional data, or what a
//! collector knows from elsewhere. An empty list of links is no proof that nobody can link.

mod disclosure;
mod kind;
mod link;
mod linkage;
mod lint;
mod private;
mod text;

pub use disclosure::Disclosure;
pub use kind::{DisclosureKind, LinkKind, Severity};
pub use link::Linker;
pub use linkage::{Group, Linkage};
pub use lint::PrivacyPolicy;
