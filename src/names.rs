//! `Display` of the enums that have a name: it is that name.

use core::fmt::{Display, Formatter, Result};

use crate::algorithm::Algorithm;
use crate::create::RvProtocol;
use crate::digest::HashAlgorithm;
use crate::error::{ErrorKind, Fault};
use crate::finding::{Allowance, FindingKind};
use crate::key::{KeyEncoding, KeyType};
use crate::onboard::{CredentialDialect, Transport};
use crate::policy::Engine;
use crate::transfer::Relation;
use crate::verify::{ChainHashRule, ManufacturerProof, Origin};
use crate::voucher::RvVariable;

macro_rules! by_name {
    ($($type:ty),* $(,)?) => {
        $(impl Display for $type {
            fn fmt(&self, f: &mut Formatter<'_>) -> Result {
                f.pad(self.name())
            }
        })*
    };
}

by_name! {
    Algorithm, Allowance, ChainHashRule, CredentialDialect, Engine, ErrorKind, Fault, FindingKind,
    HashAlgorithm, KeyEncoding, KeyType, ManufacturerProof, Origin, Relation, RvProtocol, RvVariable,
    Transport,
}

#[cfg(feature = "privacy")]
by_name! {
    crate::privacy::DisclosureKind, crate::privacy::LinkKind, crate::privacy::Severity,
}
