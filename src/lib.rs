//! FDO 1.1 ownership vouchers: parse, create, verify, extend, transfer.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;
#[cfg(feature = "std")]
extern crate std;

mod audit;
mod backend;
mod batch;
#[cfg(feature = "__bench")]
#[doc(hidden)]
pub mod bench_api;
mod cbor;
#[cfg(feature = "x509")]
mod certificate;
mod cose;
mod create;
mod digest;
mod dump;
mod error;
mod extend;
pub mod file;
mod finding;
mod hmac;
mod key;
mod limits;
mod policy;
mod sign;
mod time;
mod transfer;
mod verify;
mod voucher;
mod write;

pub use audit::{Audit, audit};
pub use batch::{BatchVerifier, Progress};
#[cfg(feature = "x509")]
pub use certificate::{CertificateInfo, Roots};
pub use create::{NewHeader, NewVoucher, RvDirective, RvProtocol};
pub use digest::{Digest, HashAlgorithm};
pub use dump::{Diagnostic, diagnostic};
pub use error::{Error, ErrorKind, Fault};
pub use extend::{ExtendOptions, Extension, NextOwner};
pub use finding::{Allowance, Finding, FindingKind};
pub use hmac::{DeviceHmac, HmacSecret};
pub use key::{Algorithm, KeyEncoding, KeyType, KeyView, PublicKey};
pub use limits::Limits;
pub use policy::Policy;
pub use sign::{LocalKey, OwnerSigner};
pub use time::UnixTime;
pub use transfer::{
    Fork, HandOver, Receipt, Relation, Replacement, ResaleOutcome, find_forks, relation,
};
pub use verify::{ChainHashRule, ManufacturerProof, Proved, VerifiedVoucher};
pub use voucher::{Entry, Guid, RendezvousInfo, RvInstruction, RvValue, RvVariable, Voucher};
