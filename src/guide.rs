//! The pages of the folder `docs`, to be read with this reference: guides for tasks, then pages to look
//! things up in.
//!
//! | page | for |
//! |---|---|
//! | [`keys_and_files`] | the keys and files that you have, and the command for each |
//! | [`onboarding`] | TO0, TO1 and TO2; proofs of ownership |
//! | [`hardware`] | keys in a TPM, behind PKCS#11, in a cloud |
//! | [`privacy`] | what vouchers disclose, and how to avoid it |
//! | [`one_time_keys`] | a separate owner key for each voucher |
//! | [`fdo_2_0`] | what is known of FDO 2.0, and what is done with it |
//! | [`limits`] | bounds on work and memory |
//! | [`refused`] | what is refused on purpose |
//! | [`json`] | what `ov` and the feature `serde` print |
//! | [`glossary`] | the terms |
//! | [`architecture`] | how the source is organised; the order of checks |
//! | [`batch_verification`] | how many signatures are verified at once |
//!
//! They exist in the documentation alone, not in the library. Each has the examples of its task:
//!
//! ```
//! // A page is no code: what it shows is in the root of this crate or in the module of the task.
//! use ownership_voucher::{Policy, Voucher, onboard::Challenge};
//! ```

#[doc = "[../SECURITY.md#rsa-keys-in-memory]: https://docs.rs/crate/ownership-voucher/latest/source/SECURITY.md"]
#[doc = "[json.md]: crate::guide::json"]
#[doc = "[sdo.md]: https://docs.rs/crate/ownership-voucher/latest/source/docs/sdo.md"]
#[doc = ""]
#[doc = include_str!("../docs/keys-and-files.md")]
pub mod keys_and_files {}

#[cfg(any(not(doctest), all(feature = "pem", feature = "x509", feature = "rsa")))]
#[doc = "[fdo-2.0.md#messages]: crate::guide::fdo_2_0#messages"]
#[doc = ""]
#[doc = include_str!("../docs/onboarding.md")]
pub mod onboarding {}

#[doc = "[one-time-keys.md]: crate::guide::one_time_keys"]
#[doc = ""]
#[doc = include_str!("../docs/hardware.md")]
pub mod hardware {}

#[cfg(any(not(doctest), all(feature = "pem", feature = "privacy")))]
#[doc = "[one-time-keys.md]: crate::guide::one_time_keys"]
#[doc = ""]
#[doc = include_str!("../docs/privacy.md")]
pub mod privacy {}

#[doc = "[privacy.md]: crate::guide::privacy"]
#[doc = "[onboarding.md#a-proof-of-ownership-without-fdo]: crate::guide::onboarding#a-proof-of-ownership-without-fdo"]
#[doc = ""]
#[doc = include_str!("../docs/one-time-keys.md")]
pub mod one_time_keys {}

#[doc = "[../README.md#what-verified-means]: https://docs.rs/crate/ownership-voucher/latest"]
#[doc = ""]
#[doc = include_str!("../docs/fdo-2.0.md")]
pub mod fdo_2_0 {}

#[doc = "[fdo-2.0.md]: crate::guide::fdo_2_0"]
#[doc = "[refused.md]: crate::guide::refused"]
#[doc = "[../SECURITY.md#work]: https://docs.rs/crate/ownership-voucher/latest/source/SECURITY.md"]
#[doc = ""]
#[doc = include_str!("../docs/limits.md")]
pub mod limits {}

#[doc = include_str!("../docs/refused.md")]
pub mod refused {}

#[doc = "[ov.schema.json]: https://docs.rs/crate/ownership-voucher/latest/source/docs/ov.schema.json"]
#[doc = ""]
#[doc = include_str!("../docs/json.md")]
pub mod json {}

#[doc = "[limits.md]: crate::guide::limits"]
#[doc = "[onboarding.md#a-proof-of-ownership-without-fdo]: crate::guide::onboarding#a-proof-of-ownership-without-fdo"]
#[doc = "[batch-verification.md#tables]: crate::guide::batch_verification#tables"]
#[doc = "[one-time-keys.md]: crate::guide::one_time_keys"]
#[doc = ""]
#[doc = include_str!("../docs/glossary.md")]
pub mod glossary {}

#[doc = "[batch-verification.md]: crate::guide::batch_verification"]
#[doc = "[batch-verification.md#what-is-proved]: crate::guide::batch_verification#what-is-proved"]
#[doc = "[sdo.md]: https://docs.rs/crate/ownership-voucher/latest/source/docs/sdo.md"]
#[doc = "[limits.md]: crate::guide::limits"]
#[doc = ""]
#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

#[doc = "[architecture.md#one-order-of-checks]: crate::guide::architecture#one-order-of-checks"]
#[doc = ""]
#[doc = include_str!("../docs/batch-verification.md")]
pub mod batch_verification {}
