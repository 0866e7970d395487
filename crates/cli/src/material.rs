//! Keys, certificates and secrets from files and arguments, and the resulting policy.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use ownership_voucher::batch::Engine;
use ownership_voucher::digest::Digest;
use ownership_voucher::hmac::HmacSecrets;
use ownership_voucher::{
    Allowance, HmacSecret, Policy, Proved, PublicKey, Roots, UnixTime, Voucher, file,
};

use crate::Failure;
use crate::cli::PolicyArgs;
use crate::keys::Expected;
use crate::output::print_message;
use crate::read::{in_file, is_pem};
use crate::report::{Matched, count};
use crate::sdo::SdoOptions;
use crate::secret::{secret, table};
use crate::text::read_text;

/// The certificates of a PEM file, or the single one of a DER file.
pub(crate) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    certificates_of(path, &read_text(path)?)
}

fn certificates_of(path: &Path, bytes: &[u8]) -> Result<Vec<Vec<u8>>, Failure> {
    let chain = if is_pem(bytes) {
        file::certificates_from_pem(bytes).map_err(|error| in_file(path, &error))?
    } else {
        // What is no SEQUENCE is no certificate: an empty file, or another one.
        let der = bytes.first() == Some(&0x30);
        der.then(|| bytes.to_vec()).into_iter().collect()
    };
    if chain.is_empty() {
        return Err(Failure::Message(format!(
            "{}: no certificate in it",
            path.display()
        )));
    }
    Ok(chain)
}

/// The data that a policy borrows.
pub(crate) struct Material {
    owners: Expected,
    manufacturers: Expected,
    manufacturer_hashes: Vec<Digest>,
    manufacturer_roots: Option<Roots>,
    device_roots: Option<Roots>,
    secret: Option<HmacSecret>,
    secrets: Option<HmacSecrets>,
    at: Option<UnixTime>,
    refuse_expired: bool,
    any_origin: bool,
    require_crl: bool,
    strict: bool,
    engine: Engine,
    allow: Vec<Allowance>,
    sdo: SdoOptions,
}

impl Material {
    /// Reads the files that the options name.
    pub(crate) fn load(args: &PolicyArgs) -> Result<Self, Failure> {
        if !args.crl.is_empty() && args.device_ca.is_empty() && args.manufacturer_ca.is_empty() {
            return Err("--crl: --device-ca or --manufacturer-ca expected beside it".into());
        }
        if args.require_crl && args.crl.is_empty() {
            return Err("--require-crl: --crl expected beside it".into());
        }
        if args.refuse_expired && args.device_ca.is_empty() && args.manufacturer_ca.is_empty() {
            return Err(
                "--refuse-expired: --device-ca or --manufacturer-ca expected beside it".into(),
            );
        }
        let sdo = SdoOptions::load(args)?;
        let secret = match (sdo.secret(), args.hmac_secret.as_deref()) {
            (Some(secret), _) => Some(secret),
            (None, text) => text.map(|text| secret(text, 32)).transpose()?,
        };
        Ok(Self {
            owners: Expected::load(&args.owner)?,
            manufacturers: Expected::load(&args.manufacturer)?,
            manufacturer_hashes: args.manufacturer_hash.clone(),
            manufacturer_roots: roots(&args.manufacturer_ca, &args.crl)?,
            device_roots: roots(&args.device_ca, &args.crl)?,
            secret,
            secrets: args.hmac_secrets.as_deref().map(table).transpose()?,
            at: args.at.or_else(now),
            refuse_expired: args.refuse_expired,
            any_origin: args.any_origin,
            require_crl: args.require_crl,
            strict: args.strict,
            engine: args.engine,
            allow: args.allow.iter().filter_map(|it| it.of_fdo()).collect(),
            sdo,
        })
    }

    /// What only vouchers of SDO are compared with.
    pub(crate) const fn sdo(&self) -> &SdoOptions {
        &self.sdo
    }

    /// The time at which certificates are checked.
    pub(crate) const fn at(&self) -> Option<UnixTime> {
        self.at
    }

    /// Whether the origin of a verified voucher satisfies the options.
    pub(crate) const fn settles(&self, proved: &Proved) -> bool {
        self.any_origin || proved.is_anchored()
    }

    /// Whether the options contain an anchor.
    pub(crate) fn has_anchor(&self) -> bool {
        !self.manufacturers.is_empty()
            || !self.manufacturer_hashes.is_empty()
            || self.manufacturer_roots.is_some()
            || self.secret.is_some()
            || self.secrets.is_some()
    }

    /// The names of the expected keys that are the owner's and the manufacturer's.
    pub(crate) fn matched(&self, voucher: &Voucher<'_>, owner: &PublicKey) -> Matched {
        self.matched_keys(owner, || voucher.manufacturer_key().public_key().ok())
    }

    /// The same of keys; that of the manufacturer is asked for where it matters.
    pub(crate) fn matched_keys(
        &self,
        owner: &PublicKey,
        manufacturer: impl FnOnce() -> Option<PublicKey>,
    ) -> Matched {
        let manufacturer = match self.manufacturers.is_empty() {
            true => None,
            false => manufacturer(),
        };
        Matched {
            owner: self.owners.name_of(owner),
            manufacturer: manufacturer.and_then(|key| self.manufacturers.name_of(&key)),
            several: self.owners.is_many() || self.manufacturers.is_many(),
        }
    }

    /// The facts that the options ask for, apart from those that are always proved.
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        let manufacturer = !self.manufacturers.is_empty()
            || !self.manufacturer_hashes.is_empty()
            || self.manufacturer_roots.is_some();
        let facts = Proved::FACTS.into_iter();
        facts
            .filter(|fact| match *fact {
                "device-path" => self.device_roots.is_some(),
                "hmac" => self.secret.is_some() || self.secrets.is_some(),
                "manufacturer" => manufacturer,
                "owner" => !self.owners.is_empty(),
                _ => false,
            })
            .collect()
    }

    /// The number of revocation lists that neither the paths of devices nor those of manufacturers
    /// have used so far.
    pub(crate) fn unused_lists(&self) -> usize {
        let mut used: Vec<bool> = Vec::new();
        for roots in self.device_roots.iter().chain(&self.manufacturer_roots) {
            // Both have all lists, in the same order.
            used.resize(roots.lists_used().len(), false);
            for (used, here) in used.iter_mut().zip(roots.lists_used()) {
                *used |= here;
            }
        }
        used.iter().filter(|used| !**used).count()
    }

    /// Advice if an origin was not checked.
    pub(crate) fn origin_advice(&self) -> &'static str {
        match self.has_anchor() {
            false => {
                "give --manufacturer, --manufacturer-hash, --manufacturer-ca or --hmac-secret, or \
                 accept any with --any-origin"
            }
            // If an anchor is given and matches, this is the only remaining case.
            true => {
                "without entries the manufacturer has signed nothing: give --hmac-secret, or accept \
                 any origin with --any-origin"
            }
        }
    }

    /// Reports the number of vouchers whose origin was not checked.
    pub(crate) fn note_unanchored(&self, unanchored: usize) {
        if unanchored > 0 {
            let vouchers = count(unanchored, "voucher", "vouchers");
            let advice = self.origin_advice();
            print_message(&format!("{vouchers}: origin not checked; {advice}"));
        }
    }

    /// The policy that the options describe. The origin is left to [`settles`](Self::settles), so
    /// that each command can continue and report that it was not checked.
    pub(crate) fn policy(&self) -> Policy<'_> {
        let mut policy = Policy::any_origin();
        policy = policy.with_engine(self.engine);
        if self.strict {
            policy = policy.strict();
        }
        for &allowance in &self.allow {
            policy = policy.allow(allowance);
        }
        policy = self.owners.as_owners(policy);
        policy = self.manufacturers.as_manufacturers(policy);
        for hash in &self.manufacturer_hashes {
            policy = policy.with_manufacturer_hash(*hash);
        }
        if let Some(roots) = &self.manufacturer_roots {
            policy = policy.with_manufacturer_roots(roots);
        }
        if let Some(roots) = &self.device_roots {
            policy = policy.with_device_roots(roots);
        }
        if let Some(secret) = &self.secret {
            policy = policy.with_hmac(secret);
        }
        if let Some(secrets) = &self.secrets {
            policy = policy.with_hmac(secrets);
        }
        if let Some(at) = self.at {
            policy = policy.with_time(at);
        }
        if self.refuse_expired {
            policy = policy.refuse_expired();
        }
        if self.require_crl {
            policy = policy.require_revocation_lists();
        }
        policy
    }
}

fn roots(paths: &[PathBuf], lists: &[PathBuf]) -> Result<Option<Roots>, Failure> {
    if paths.is_empty() {
        return Ok(None);
    }
    let mut roots = Roots::new();
    for path in paths {
        for der in certificates(path)? {
            roots.add_der(&der).map_err(|error| in_file(path, &error))?;
        }
    }
    for path in lists {
        for der in revocation_lists(path)? {
            let added = roots.add_crl_der(&der);
            added.map_err(|error| in_file(path, &error))?;
        }
    }
    Ok(Some(roots))
}

/// The revocation lists of a PEM file, or the single one of a DER file.
fn revocation_lists(path: &Path) -> Result<Vec<Vec<u8>>, Failure> {
    let bytes = read_text(path)?;
    if !is_pem(&bytes) {
        return Ok(vec![bytes.to_vec()]);
    }
    let mut lists = Vec::new();
    for block in file::PemBlocks::new(&bytes) {
        let block = block.map_err(|error| in_file(path, &error))?;
        if block.label() == "X509 CRL" {
            let der = block.decode().map_err(|error| in_file(path, &error))?;
            lists.push(der.to_vec());
        }
    }
    match lists.is_empty() {
        true => Err(Failure::Message(format!(
            "{}: no revocation list in it",
            path.display()
        ))),
        false => Ok(lists),
    }
}

/// The time of the clock. The library has none; it is read only here.
pub(crate) fn now() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime(since.as_secs()))
}
