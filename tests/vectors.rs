//! One named test for every file in `test-vectors/valid` and `test-vectors/invalid`.
//!
//! The files come from a generator that shares no code with this crate and say what must happen:
//! `verified` with what and which findings, or `rejected` with which kind in which entry. An
//! unexpected success fails as well as a wrong kind.

use std::path::{Path, PathBuf};

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::batch::Engine;
use ownership_voucher::digest::Digest;
use ownership_voucher::finding::Finding;
use ownership_voucher::{
    Allowance, Error, HmacSecret, Policy, PublicKey, Roots, UnixTime, Voucher, audit,
};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors");
    let mut trials = Vec::new();
    for (folder, least) in [("valid", 60), ("invalid", 200)] {
        let files = files(&root.join(folder));
        assert!(
            files.len() >= least,
            "{folder} has {} vectors, {least} expected",
            files.len()
        );
        for path in files {
            let name = path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned();
            let expect = if folder == "valid" {
                "verified"
            } else {
                "rejected"
            };
            trials.push(Trial::test(format!("{folder}::{name}"), move || {
                run(&path, expect)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("the folder is part of the repository");
    let mut files: Vec<_> = entries
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .collect();
    files.sort();
    files
}

fn run(path: &Path, folder_verdict: &str) -> Result<(), Failed> {
    let vector: Value = serde_json::from_str(&std::fs::read_to_string(path)?)?;
    let bytes = bytes(&vector["voucher"])?;
    let expect = &vector["expect"];
    if expect["verdict"] != folder_verdict {
        return Err("the vector is in the wrong folder".into());
    }
    let setup = Setup::of(&vector["options"])?;
    let policy = setup.policy();

    let result = Voucher::parse(&bytes).and_then(|voucher| voucher.verify(&policy));
    let owned = Voucher::from_vec(bytes.clone(), policy.limits())
        .and_then(|voucher| voucher.verify(&policy));
    for engine in Engine::ALL {
        let by_engine = policy.clone().with_engine(engine);
        let again = Voucher::parse(&bytes).and_then(|voucher| voucher.verify(&by_engine));
        match (&result, &again) {
            (Ok(first), Ok(again)) => same(first.proved(), again.proved())?,
            (Err(first), Err(again)) => same(first, again)?,
            _ => return Err(format!("another verdict by {engine:?}").into()),
        }
    }
    let audit = audit(&bytes, &policy);
    if let Some(finding) = audit.findings.iter().find(|it| it.offset >= bytes.len()) {
        return Err(format!("{finding:?} lies behind the voucher").into());
    }
    match (&result, &owned) {
        (Ok(borrowed), Ok(owned)) => same(borrowed.proved(), owned.proved())?,
        (Err(borrowed), Err(owned)) => same(borrowed, owned)?,
        _ => return Err("the borrowed and the owned voucher differ".into()),
    }
    match result {
        Ok(voucher) => {
            if folder_verdict == "rejected" {
                return Err(format!("unexpected success; {expect} expected").into());
            }
            same(&hex::encode(voucher.guid().0), &text(&expect["guid"])?)?;
            same(
                &(voucher.entries().len() as u64),
                &expect["entries"].as_u64().unwrap_or(999),
            )?;
            same(
                &hex::encode(voucher.owner().fingerprint()),
                &text(&expect["owner"])?,
            )?;
            // What is around it is no part of it.
            let wrapped = text(&vector["name"])?.starts_with("wrapped");
            let around = bytes.len().saturating_sub(voucher.as_bytes().len());
            same(&(around > 0), &wrapped)?;
            same(voucher.as_bytes(), &bytes[around..])?;
            same(&voucher.proved().entries, &voucher.entries().len())?;
            same(&audit.errors, &Vec::<Error>::new())?;
            check_findings(&audit.findings, expect)?;
            setup.check_proved(voucher.proved())
        }
        Err(error) => {
            let found = (
                error.kind().name().to_owned(),
                error.entry().map(|entry| entry as u64),
            );
            if folder_verdict == "verified" {
                return Err(format!("unexpected error: {error:?}").into());
            }
            same(&found, &(text(&expect["kind"])?, expect["entry"].as_u64()))?;
            same(&audit.errors.first(), &Some(&error))
        }
    }
}

/// Deviations must be those of the vector, in the order of the bytes; of the hash table only
/// whether there is any.
fn check_findings(found: &[Finding], expect: &Value) -> Result<(), Failed> {
    // Vectors do not list what is odd about certificates.
    let deviations = found
        .iter()
        .filter(|finding| finding.kind.is_deviation() && finding.kind.code() < 750);
    let (table, rest): (Vec<_>, Vec<_>) =
        deviations.partition(|finding| finding.kind.name() == "hash-table");
    let rest: Vec<_> = rest
        .iter()
        .map(|finding: &&Finding| {
            (
                finding.kind.name().to_owned(),
                finding.entry.map(|entry| entry as u64),
            )
        })
        .collect();
    let mut wanted = Vec::new();
    for finding in expect["findings"]
        .as_array()
        .ok_or("no findings in the vector")?
    {
        wanted.push((text(&finding["kind"])?, finding["entry"].as_u64()));
    }
    same(&rest, &wanted)?;
    match expect["hash_table"].as_bool() {
        Some(wanted) => same(&!table.is_empty(), &wanted),
        None => Ok(()),
    }
}

/// The options of a vector, held for the policy that borrows them.
struct Setup {
    options: Value,
    hmac: Option<HmacSecret>,
    roots: Option<Roots>,
    owner: Option<PublicKey>,
    manufacturer: Option<PublicKey>,
    hash: Option<Digest>,
    at: Option<UnixTime>,
}

impl Setup {
    fn of(options: &Value) -> Result<Self, Failed> {
        let key = |name: &str| -> Result<Option<PublicKey>, Failed> {
            optional(&options[name])?
                .map(|der| PublicKey::from_spki_der(&der))
                .transpose()
                .map_err(Failed::from)
        };
        let roots = match options["device_ca"].as_array() {
            None => None,
            Some(list) => {
                let mut roots = Roots::new();
                for root in list {
                    roots.add_der(&bytes(root)?)?;
                }
                Some(roots)
            }
        };
        let hash = optional(&options["manufacturer_hash"])?;
        Ok(Self {
            options: options.clone(),
            hmac: optional(&options["hmac_secret"])?.map(HmacSecret::new),
            roots,
            owner: key("owner")?,
            manufacturer: key("manufacturer")?,
            hash: hash.and_then(|hash| Digest::from_bytes(&hash)),
            at: options["at"]
                .as_str()
                .map(UnixTime::from_rfc3339)
                .transpose()?,
        })
    }

    fn policy(&self) -> Policy<'_> {
        let strict = self.options["strict"].as_bool().unwrap_or(false);
        let mut policy = Policy::any_origin();
        if strict {
            policy = policy.strict();
        }
        for name in self.options["allow"].as_array().into_iter().flatten() {
            let name = name.as_str().and_then(Allowance::from_name);
            policy = policy.allow(name.expect("an allowance that exists"));
        }
        if let Some(hmac) = &self.hmac {
            policy = policy.with_hmac(hmac);
        }
        if let Some(roots) = &self.roots {
            policy = policy.with_device_roots(roots);
        }
        if let Some(owner) = &self.owner {
            policy = policy.with_owner(owner.clone());
        }
        if let Some(manufacturer) = &self.manufacturer {
            policy = policy.with_manufacturer(manufacturer.clone());
        }
        if let Some(hash) = self.hash {
            policy = policy.with_manufacturer_hash(hash);
        }
        if let Some(at) = self.at {
            policy = policy.with_time(at);
        }
        if self.options["refuse_expired"].as_bool().unwrap_or(false) {
            policy = policy.refuse_expired();
        }
        policy
    }

    /// What was asked for was proved, and nothing else.
    fn check_proved(&self, proved: &ownership_voucher::Proved) -> Result<(), Failed> {
        same(&proved.hmac, &self.hmac.is_some())?;
        same(&proved.owner, &self.owner.is_some())?;
        same(&proved.device_path, &self.roots.is_some())?;
        let manufacturer = self.manufacturer.is_some() || self.hash.is_some();
        same(&proved.manufacturer.is_some(), &manufacturer)
    }
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(found: &T, wanted: &T) -> Result<(), Failed> {
    if found == wanted {
        return Ok(());
    }
    Err(format!("{found:?} found, {wanted:?} expected").into())
}

fn text(value: &Value) -> Result<String, Failed> {
    value
        .as_str()
        .map(str::to_owned)
        .ok_or_else(|| "a text is missing in the vector".into())
}

fn bytes(value: &Value) -> Result<Vec<u8>, Failed> {
    Ok(hex::decode(text(value)?)?)
}

fn optional(value: &Value) -> Result<Option<Vec<u8>>, Failed> {
    if value.is_null() {
        Ok(None)
    } else {
        bytes(value).map(Some)
    }
}
