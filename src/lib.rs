//! FDO 1.1 ownership vouchers: parse, create, verify, extend, transfer.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod cbor;
#[cfg(feature = "x509")]
mod certificate;
mod cose;
mod digest;
mod error;
mod finding;
mod key;
mod limits;
mod time;
mod voucher;

#[cfg(feature = "x509")]
pub use certificate::{CertificateInfo, Roots};
pub use digest::{Digest, HashAlgorithm};
pub use error::{Error, ErrorKind, Fault};
pub use finding::{Allowance, Finding, FindingKind};
pub use key::{Algorithm, KeyEncoding, KeyType, KeyView, PublicKey};
pub use limits::Limits;
pub use time::UnixTime;
pub use voucher::{Entry, Guid, RendezvousInfo, RvInstruction, RvValue, RvVariable, Voucher};
