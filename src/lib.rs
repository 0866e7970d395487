//! FIDO Device Onboard (FDO) 1.1 ownership vouchers: parse, verify, create, extend, transfer.
//!
//! A voucher names a device and holds a chain of signatures. Each owner signs the device over to
//! the next owner; the last key in the chain is the key of the current owner. The types follow the
//! data flow:
//!
//! | from | by | to |
//! |---|---|---|
//! | `&[u8]` | [`Voucher::parse`] | [`Voucher`]: byte ranges over the input, not verified |
//! | [`Voucher`] | [`Voucher::verify`] under a [`Policy`] | [`VerifiedVoucher`], which lists what was [`Proved`] |
//! | [`VerifiedVoucher`] | [`VerifiedVoucher::extend`] | [`Extension`], waiting for the owner's signature |
//! | [`Extension`] | [`Extension::finish`] | [`Voucher`] of the next owner |
//! | many `&[u8]` | [`BatchVerifier`] | one verdict each, the same as for a single voucher |
//!
//! [`HandOver`] does the first four steps in one call, and verifies the result, for one voucher or for a
//! shipment.
//! [`NewVoucher`] creates the voucher of a new device, and [`transfer::Replacement`] the new voucher after
//! onboarding. [`transfer::find_forks`] detects devices that were sold twice. [`audit()`] lists every fault,
//! for a report. [`mod@file`] reads PEM and CBOR. [`onboard`] has the proofs of ownership, to a
//! device or to a person. The crate `ownership-voucher-onetime` gives each voucher an owner key of
//! its own, so that the key does not identify the owner.
//!
//! # Verify, and hand over
//!
//! ```
//! use ownership_voucher::*;
//! use ownership_voucher::create::{RvDirective, RvProtocol};
//! # fn main() -> Result<(), Error> {
//! # let secret = HmacSecret::new(vec![7; 32]);
//! # let maker = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
//! # let buyer = LocalKey::from_secret(KeyType::Secp256r1, &[2; 32])?.public_key();
//! // The factory: header, then the device's HMAC over it.
//! let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(maker.public_key()))
//!     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
//!     .with_epid() // or .with_device_chain(certificates)
//!     .header()?
//!     .authenticate(&secret)?;
//!
//! // Bytes in, a proof out. Nobody has signed this voucher yet: the device's HMAC is its anchor.
//! let voucher = Voucher::parse(made.as_bytes())?.verify(&Policy::hmac(&secret))?;
//! assert_eq!(voucher.proved().origin(), Origin::Hmac);
//!
//! // The owner signs over. The signer may also be a TPM; see `Extension`.
//! let extension = voucher.extend(&KeyOrChain::Key(buyer.clone()), &ExtendOptions::new())?;
//! let sold = extension.sign(&maker)?;
//!
//! // Whoever gets it compares with the manufacturer's key: a shipment, each voucher with the
//! // verdict that it would get alone.
//! let policy = Policy::manufacturer(maker.public_key());
//! let shipment = [sold.as_bytes(), b"not a voucher"];
//! let verdicts = BatchVerifier::new(&policy).verify(&shipment);
//! assert_eq!(*verdicts[0].as_ref().unwrap().owner(), buyer);
//! assert!(verdicts[1].is_err());
//! # Ok(())
//! # }
//! ```
//!
//! # Memory
//!
//! No input takes more memory than the [`Limits`] of its policy allow. Where there is none left the process
//! is aborted, as everywhere in Rust: no [`Error`] says so.
//!
//! # What is not proved
//!
//! Verification does not prove that a voucher is the newest state, that the device was sold only
//! once, or that the holder of the voucher has the owner's private key (for this, see
//! [`onboard::Challenge`]). Under [`Policy::any_origin`], without manufacturer or HMAC, it does not
//! prove that the header is genuine: anybody can make a header. SECURITY.md in the repository has
//! the threat model.
//!
//! # Clauses
//!
//! The documentation cites FDO 1.1 by the names of its CDDL types (OVHeader, OVEntry) and, where it
//! is certain, by section. It cites COSE as RFC 9052 and RFC 9053, CBOR as RFC 8949, certificates
//! as RFC 5280, and the encoding of points as SEC 1.
#![no_std]
#![deny(unsafe_code)]
#![warn(missing_debug_implementations)]
#![warn(
    clippy::std_instead_of_core,
    clippy::std_instead_of_alloc,
    clippy::alloc_instead_of_core
)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Bytes from strangers: nothing here may panic, wrap or cut off. `clippy.toml` lists the methods of
// the standard library that would. The back ends prove their bounds instead.
#![cfg_attr(
    not(test),
    deny(
        clippy::arithmetic_side_effects,
        clippy::cast_possible_truncation,
        clippy::cast_possible_wrap,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        clippy::disallowed_macros,
        clippy::disallowed_methods,
        clippy::exit,
        clippy::expect_used,
        clippy::get_unwrap,
        clippy::indexing_slicing,
        clippy::panic,
        clippy::panic_in_result_fn,
        clippy::string_slice,
        clippy::todo,
        clippy::unimplemented,
        clippy::unreachable,
        clippy::unwrap_used
    )
)]

extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod algorithm;
pub mod audit;
// Limbs and lanes: every index and every carry is bounded by a constant, and the bounds are proved
// where the numbers are defined. Keys, signatures and digests come in with their sizes checked.
#[allow(
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used
)]
mod backend;
pub mod batch;
// For the programs that measure and fuzz the engines; no part of the interface.
#[cfg(any(ov_bench, fuzzing))]
#[doc(hidden)]
#[allow(
    missing_debug_implementations,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    clippy::disallowed_macros,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing
)]
pub mod bench_api;
mod cbor;
#[cfg(feature = "x509")]
pub mod certificate;
mod cose;
pub mod create;
pub mod diagnostic;
pub mod digest;
pub mod error;
mod extend;
pub mod external_data;
pub mod file;
pub mod finding;
mod guid;
#[cfg(any(doc, doctest))]
pub mod guide;
pub mod hmac;
pub mod key;
mod limits;
mod names;
mod numbered;
pub mod onboard;
pub mod parallel;
mod policy;
#[cfg(feature = "privacy")]
pub mod privacy;
#[cfg(feature = "serde")]
mod serial;
pub mod sign;
pub mod text;
mod time;
pub mod transfer;
pub mod verify;
pub mod voucher;
mod write;

// The names that a first program needs. The modules have the rest.
pub use audit::audit;
pub use batch::BatchVerifier;
#[cfg(feature = "x509")]
pub use certificate::Roots;
pub use create::NewVoucher;
pub use error::{Error, ErrorKind};
pub use extend::{ExtendOptions, Extension, KeyOrChain};
pub use finding::Allowance;
pub use hmac::HmacSecret;
pub use key::{KeyType, PublicKey};
pub use limits::Limits;
pub use policy::Policy;
pub use sign::{LocalKey, OwnerSigner};
pub use time::UnixTime;
pub use transfer::HandOver;
pub use verify::{Origin, Proved, Rejected, VerifiedVoucher};
pub use voucher::{Guid, Voucher};

/// The examples of the README, compiled and run.
#[cfg(all(doctest, feature = "pem"))]
#[doc = include_str!("../README.md")]
struct Readme;
