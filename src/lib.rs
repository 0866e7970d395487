//! FDO 1.1 ownership vouchers: parse, create, verify, extend, transfer.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod audit;
mod cbor;
mod cose;
mod digest;
mod error;
mod finding;
mod hmac;
mod key;
mod limits;
mod policy;
mod time;
mod verify;
mod voucher;

pub use audit::{Audit, audit};
pub use digest::{Digest, HashAlgorithm};
pub use error::{Error, ErrorKind, Fault};
pub use finding::{Allowance, Finding, FindingKind};
pub use key::{Algorithm, KeyEncoding, KeyType, KeyView, PublicKey};
pub use hmac::{DeviceHmac, HmacSecret};
pub use limits::Limits;
pub use policy::Policy;
pub use time::UnixTime;
pub use voucher::{Entry, Guid, RendezvousInfo, RvInstruction, RvValue, RvVariable, Voucher};
pub use verify::{ChainHashRule, ManufacturerProof, Proved, VerifiedVoucher};
