//! Serialisation of reports with serde, in the shape of `ov … --json`: docs/json.md describes it.
//!
//! Enums are their stable names; keys are the SHA-256 of their SubjectPublicKeyInfo; hashes and GUIDs
//! are hexadecimal digits. Text that another party chose is escaped where the library makes the text
//! for display, as in messages, and is not escaped otherwise.

use alloc::string::ToString as _;
use alloc::vec::Vec;
use core::fmt::{self, Display};

use serde::ser::{Serialize, SerializeStruct as _, Serializer};

use crate::algorithm::Algorithm;
use crate::audit::Audit;
use crate::digest::{Digest, HashAlgorithm};
use crate::error::{Error, ErrorKind, Fault};
use crate::finding::{Allowance, Finding, FindingKind};
use crate::key::{KeyEncoding, KeyType, PublicKey};
use crate::policy::{Engine, Policy};
use crate::time::UnixTime;
use crate::transfer::{Fork, Receipt, Relation};
use crate::verify::{ChainHashRule, ManufacturerProof, Origin, Proved, Rejected, VerifiedVoucher};
use crate::voucher::{Guid, RvVariable};

macro_rules! by_name {
    ($($type:ty),* $(,)?) => {
        $(impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.name())
            }
        })*
    };
}

by_name! {
    Algorithm, Allowance, ChainHashRule, Engine, ErrorKind, Fault, FindingKind, HashAlgorithm,
    KeyEncoding, KeyType, ManufacturerProof, Origin, RvVariable,
}

#[cfg(feature = "privacy")]
by_name! {
    crate::privacy::DisclosureKind, crate::privacy::LinkKind, crate::privacy::Severity,
}

impl Serialize for Guid {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The fingerprint.
impl Serialize for PublicKey {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&Hex(&self.fingerprint()))
    }
}

/// RFC 3339.
impl Serialize for UnixTime {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

struct Hex<'a>(&'a [u8]);

impl Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// The members of an error. The message has the causes.
impl Serialize for Error {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut message = self.to_string();
        let mut source = core::error::Error::source(self);
        while let Some(cause) = source {
            message.push_str(": ");
            message.push_str(&cause.to_string());
            source = cause.source();
        }
        let mut object = serializer.serialize_struct("Error", 5)?;
        object.serialize_field("kind", &self.kind())?;
        object.serialize_field("code", &self.kind().code())?;
        object.serialize_field("entry", &self.entry())?;
        object.serialize_field("offset", &self.offset())?;
        object.serialize_field("message", &message)?;
        object.end()
    }
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Finding", 5)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("code", &self.kind.code())?;
        object.serialize_field("entry", &self.entry)?;
        object.serialize_field("offset", &self.offset)?;
        object.serialize_field("message", &self.to_string())?;
        object.end()
    }
}

/// The names of the facts.
impl Serialize for Proved {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.names())
    }
}

/// The members that a verdict has, good or bad.
struct Verdict<'a> {
    verdict: &'a str,
    guid: Option<Guid>,
    entries: Option<usize>,
    owner: Option<&'a PublicKey>,
    proved: Option<&'a Proved>,
    error: Option<&'a Error>,
    findings: Vec<Finding>,
}

impl Serialize for Verdict<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nothing: &[&str] = &[];
        let origin = self.proved.map_or(Origin::NotChecked, Proved::origin);
        let mut object = serializer.serialize_struct("Verdict", 8)?;
        object.serialize_field("verdict", self.verdict)?;
        object.serialize_field("guid", &self.guid)?;
        object.serialize_field("entries", &self.entries)?;
        object.serialize_field("owner", &self.owner)?;
        match self.proved {
            Some(proved) => object.serialize_field("proved", proved)?,
            None => object.serialize_field("proved", nothing)?,
        }
        object.serialize_field("origin", &origin)?;
        object.serialize_field("error", &self.error)?;
        object.serialize_field("findings", &self.findings)?;
        object.end()
    }
}

/// The verdict `verified`, or `unanchored` if no anchor ties the header to a known origin. The findings
/// are those under [`Policy::any_origin`], which asks for no time.
impl Serialize for VerifiedVoucher<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let verdict = match self.proved().is_anchored() {
            true => "verified",
            false => "unanchored",
        };
        let verdict = Verdict {
            verdict,
            guid: Some(self.guid()),
            entries: Some(self.entries().len()),
            owner: Some(self.owner()),
            proved: Some(self.proved()),
            error: None,
            findings: self.findings(&Policy::any_origin()),
        };
        verdict.serialize(serializer)
    }
}

/// The verdict `rejected`. Entries, owner and findings are what the voucher claims, if it could be
/// parsed.
impl Serialize for Rejected<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let voucher = self.voucher();
        let owner = voucher.and_then(|voucher| voucher.claimed_owner().public_key().ok());
        let policy = Policy::any_origin();
        let verdict = Verdict {
            verdict: "rejected",
            guid: self.guid(),
            entries: voucher.map(|voucher| voucher.entries().len()),
            owner: owner.as_ref(),
            proved: None,
            error: Some(self.error()),
            findings: voucher.map_or_else(Vec::new, |voucher| voucher.findings(&policy)),
        };
        verdict.serialize(serializer)
    }
}

impl Serialize for Audit<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let nothing: &[&str] = &[];
        let voucher = self.voucher.as_ref();
        let verdict = match &self.proved {
            Some(proved) if proved.is_anchored() => "verified",
            Some(_) => "unanchored",
            None => "rejected",
        };
        let mut object = serializer.serialize_struct("Audit", 7)?;
        object.serialize_field("verdict", verdict)?;
        object.serialize_field("guid", &voucher.map(|voucher| voucher.guid()))?;
        object.serialize_field("entries", &voucher.map(|voucher| voucher.entries().len()))?;
        object.serialize_field("owner", &self.owner)?;
        match &self.proved {
            Some(proved) => object.serialize_field("proved", proved)?,
            None => object.serialize_field("proved", nothing)?,
        }
        object.serialize_field("errors", &self.errors)?;
        object.serialize_field("findings", &self.findings)?;
        object.end()
    }
}

impl Serialize for Receipt {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let hash = Hex(self.entry_hash.as_bytes()).to_string();
        let mut object = serializer.serialize_struct("Receipt", 6)?;
        object.serialize_field("guid", &self.guid)?;
        object.serialize_field("from", &self.from)?;
        object.serialize_field("to", &self.to)?;
        object.serialize_field("entry", &self.entry)?;
        object.serialize_field("entry_hash", &hash)?;
        match self.duplicate_of {
            Some(first) => object.serialize_field("duplicate_of", &first)?,
            None => object.skip_field("duplicate_of")?,
        }
        object.end()
    }
}

impl Serialize for Relation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (entry, signer) = match self {
            Self::Forked { entry, signer } => (Some(entry), Some(signer)),
            _ => (None, None),
        };
        let mut object = serializer.serialize_struct("Relation", 3)?;
        object.serialize_field("relation", self.name())?;
        object.serialize_field("entry", &entry)?;
        object.serialize_field("signer", &signer)?;
        object.end()
    }
}

impl Serialize for Fork {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let relation = match self.entry {
            Some(_) => "forked",
            None => "other-header",
        };
        let mut object = serializer.serialize_struct("Fork", 6)?;
        object.serialize_field("relation", relation)?;
        object.serialize_field("guid", &self.guid)?;
        object.serialize_field("first", &self.first)?;
        object.serialize_field("second", &self.second)?;
        object.serialize_field("entry", &self.entry)?;
        object.serialize_field("signer", &self.signer)?;
        object.end()
    }
}

#[cfg(feature = "privacy")]
impl Serialize for crate::privacy::Disclosure {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serializer.serialize_struct("Disclosure", 8)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("code", &self.kind.code())?;
        object.serialize_field("severity", &self.kind.severity())?;
        object.serialize_field("entry", &self.entry)?;
        object.serialize_field("offset", &self.offset)?;
        object.serialize_field("value", &self.value)?;
        object.serialize_field("message", &self.to_string())?;
        object.serialize_field("advice", self.kind.advice())?;
        object.end()
    }
}

#[cfg(feature = "privacy")]
impl Serialize for crate::privacy::Group {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = Hex(&self.mark).to_string();
        let text: Option<&str> = self.text.as_deref();
        let mut object = serializer.serialize_struct("Group", 6)?;
        object.serialize_field("kind", &self.kind)?;
        object.serialize_field("code", &self.kind.code())?;
        object.serialize_field("mark", &mark)?;
        object.serialize_field("text", &text)?;
        object.serialize_field("vouchers", &self.size)?;
        object.serialize_field("first", &self.first)?;
        object.end()
    }
}
