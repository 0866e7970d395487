//! One-time owner keys: each voucher names another key, and nobody but their owner can link the
//! keys.
//!
//! Every holder of a voucher sees the keys of all owners before it, and equal keys link an owner's
//! devices. With the keys of this crate no two vouchers share an owner key. Devices see ordinary
//! keys and ordinary signatures, and verify as before.
//!
//! | | the buyer gives the seller | the buyer finds its vouchers by | curves |
//! |---|---|---|---|
//! | [`MasterSecret::public_keys`] | a list of fresh public keys for each order | a [`KeyBook`] | P-256, P-384, Ed25519 |
//! | [`Address`] | one address, published once | a [`ScanKey`] | P-256 |
//!
//! ```
//! use ownership_voucher::*;
//! use ownership_voucher::create::{RvDirective, RvProtocol};
//! use ownership_voucher_onetime::*;
//! # fn main() -> Result<(), Error> {
//! # let seller = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
//! # let made = NewVoucher::new(Guid([9; 16]), "Model 7", KeyOrChain::Key(seller.public_key()))
//! #     .with_rendezvous(RvDirective::new().dns("rv.example.com").device_port(443).protocol(RvProtocol::Https))
//! #     .with_epid().header()?.authenticate(&HmacSecret::new(vec![7; 32]))?;
//! # let (secret, next) = (HmacSecret::new(vec![7; 32]), KeyOrChain::Key(seller.public_key()));
//! # let policy = Policy::hmac(&secret);
//! // The buyer, once: 32 random bytes, and an address to publish.
//! let master = MasterSecret::new(&[7; 32]);
//! let published = master.scan_key(0)?.address().to_string();
//! assert!(published.starts_with("fdo1q"));
//!
//! // The seller: an owner for this voucher alone, with 32 fresh random bytes.
//! let address: Address = published.parse()?;
//! let voucher = policy.verify(made.as_bytes())?;
//! let buyer = address.owner_of(&voucher, &[5; 32])?;
//! let options = buyer.options(&ExtendOptions::new());
//! let sold = voucher.extend(&buyer.next_owner(), &options)?.sign(&seller)?;
//!
//! // The buyer's warehouse finds it; the spend key signs the next hand-over.
//! let found = master.scan_key(0)?.recognise(&sold).expect("ours");
//! let signer = master.spend_key(0)?.signer(&found)?;
//! HandOver::new(&policy, &signer, &next, &ExtendOptions::new()).one(sold.as_bytes())?;
//! # Ok(())
//! # }
//! ```
//!
//! [`hand_over_each`](ownership_voucher::transfer::hand_over_each) performs the seller's part, or the
//! buyer's, for a shipment.
//!
//! # How keys are derived
//!
//! All secret numbers come from HKDF (RFC 5869) with SHA-512 and the salt
//! `ownership-voucher one-time keys 1`: 64 bytes, which are one output block, and 128 bits more
//! than P-384 needs. `‖` is concatenation, `0` is a zero byte, numbers are 4 bytes, big-endian.
//!
//! | what | secret | info |
//! |---|---|---|
//! | owner key | master secret | `owner` ‖ 0 ‖ curve ‖ 0 ‖ index ‖ order |
//! | scan key a, spend key b | master secret | `scan` or `spend` ‖ 0 ‖ `P-256` ‖ 0 ‖ number of the address |
//! | ephemeral key e | the seller's seed | `ephemeral` ‖ 0 ‖ `P-256` ‖ 0 ‖ A ‖ B ‖ GUID ‖ SHA-256(OVHeader) |
//! | tweak t | x coordinate of e A = a E | `tweak` ‖ 0 ‖ `P-256` ‖ 0 ‖ E ‖ A ‖ B ‖ GUID ‖ SHA-256(OVHeader) |
//!
//! The curve is `P-256`, `P-384` or `Ed25519`; points are in 33 bytes (SEC 1 §2.3.3). For P-256 and
//! P-384 the 64 bytes are a number c, big-endian, and the secret is (c mod (n - 1)) + 1. This is
//! the method of extra random bits, FIPS 186-5 A.2.1, which requires 64 bits more than n has; here
//! there are 256 and 128. That clause takes its bits from a random bit generator. Here they come
//! from HKDF, because the owner must be able to derive a key again; so a module validated to FIPS
//! 140 would not count them as generated. Ed25519 uses the first 32 bytes as its secret (RFC 8032
//! §5.1.5).
//!
//! # The address
//!
//! The buyer publishes A = a G and B = b G. The seller computes E = e G and t, transfers the
//! voucher to the key P = B + t G, and writes E to OVEExtra under [`EXTRA_TYPE`]. The buyer
//! computes t from a and E, and recognises P; b + t is its private key. Signatures follow RFC 6979,
//! as for every key in memory.
//!
//! The context binds t to one address and one device, so that no two vouchers get one key, even
//! from one seed. The seller's signature covers E, P and everything before: nobody can change them
//! afterwards. A seller who writes another E, or none, has sold to a key that the buyer does not
//! find: check before you pay.
//!
//! The security argument, with HKDF modelled as a random function:
//!
//! - *Nobody else can link a voucher to its owner.* Without a or e, t is a random number unless a E
//!   is computed, the Diffie-Hellman problem on P-256; so P is a random point, even to a party that
//!   knows A and B. The private type discloses that a voucher was sold to *some* address.
//! - *Only the buyer signs.* Signing under B + t G, for numbers t that the seller knows, is ECDSA
//!   with additive key derivation, as in BIP 32. Groth and Shoup ("On the Security of ECDSA with
//!   Additive Key Derivation and Presignatures", EUROCRYPT 2022) prove it secure in a generic
//!   group, and break it faster if nonces are published before the message is known. So do not use
//!   presignatures with such keys. The deterministic nonces of RFC 6979 are not presignatures. The
//!   messages that an owner signs here also contain the hash of the entry with its key, and so are
//!   never messages of a related key.
//!
//! # Its limits
//!
//! - **A private key b + t must never be disclosed.** The seller knows t. With one such key it has
//!   b, and every device that anybody sold to the address. [`OneTimeKey`] signs and cannot be
//!   exported. Keys of [`MasterSecret::key`] are independent of each other: disclosing one affects
//!   one device.
//! - *The seller knows* which of its vouchers it sold to whom, and recognises those further down
//!   the chain. One-time keys hide an owner from later holders, not from its business partners.
//! - *A disclosed scan key* shows all vouchers of the address, past ones too, but no device is
//!   lost. A disclosed seed shows the vouchers for which it was used. The master secret gives
//!   everything.
//! - *Reusing a seed* for another address or voucher is harmless, because both enter the
//!   derivation.
//! - *Other links remain*: certificates, rendezvous entries, the device's own certificate, time. An
//!   owner who hands over with its company's certificate is not hidden.
//! - *Allow lists by owner key* cannot name keys that do not exist yet. A voucher's owner can still
//!   prove ownership: see [`onboard::Challenge`](ownership_voucher::onboard::Challenge).
//! - Devices that require all owners' keys to be of one type are supported for P-256, and for P-384
//!   by lists. The entry grows by 42 bytes with an address, and does not grow with a list.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_debug_implementations)]
#![cfg_attr(docsrs, feature(doc_cfg))]
// Untrusted input: nothing here may panic, wrap or truncate.
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

/// `Debug` that shows the name of the type alone: what it holds is a secret.
macro_rules! opaque {
    ($($type:ident),*) => {
        $(impl core::fmt::Debug for $type {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.debug_struct(stringify!($type)).finish_non_exhaustive()
            }
        })*
    };
}
use opaque;

mod address;
mod book;
mod derive;
mod master;
mod recognise;
mod text;

pub use address::{Address, EXTRA_TYPE, OneTimeOwner};
pub use book::{KeyBook, Place};
pub use master::MasterSecret;
pub use recognise::{Found, OneTimeKey, ScanKey, SpendKey};
