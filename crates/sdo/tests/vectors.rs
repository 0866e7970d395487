//! One named test for every file in `test-vectors/sdo`: a voucher with the verdict that it must get.
//!
//! The generator that made them shares no code with the crate, and a second verifier that shares none with
//! either agrees with each verdict. Where a vector says `flips`, the lowest bit of each byte is flipped:
//! that many of the changed vouchers still verify, by the count of the second verifier.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::digest::Digest;
use ownership_voucher::privacy::DisclosureKind;
use ownership_voucher::text::Secrets;
use ownership_voucher::{HmacSecret, Policy, PublicKey, Roots};
use ownership_voucher_sdo::{Checker, DeviceCredential, KeyList, Voucher};
use serde_json::{Value, json};

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../test-vectors/sdo");
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is part of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        trials.push(Trial::test(name, move || {
            run(&serde_json::from_str(&std::fs::read_to_string(&path)?)?)
        }));
    }
    assert!(trials.len() >= 260, "only {} vectors", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

fn hex(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().expect("hex")).expect("hex")
}

/// The text of the voucher: as it is, in hex, or as parts that are repeated.
fn text(vector: &Value) -> Vec<u8> {
    if let Some(text) = vector["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    if let Some(parts) = vector["repeated"].as_array() {
        let part = |part: &Value| {
            let times = usize::try_from(part[1].as_u64().unwrap()).unwrap();
            part[0].as_str().unwrap().repeat(times)
        };
        return parts.iter().map(part).collect::<String>().into_bytes();
    }
    hex(&vector["hex"])
}

/// What the options of a vector name.
struct Named {
    credential: Option<DeviceCredential>,
    allowed: Option<KeyList>,
    denied: Option<KeyList>,
}

impl Named {
    fn of(options: &Value) -> Result<Self, Failed> {
        let list = |name: &str| options[name].as_str().map(str::parse).transpose();
        let credential = options["credential"].as_str();
        Ok(Self {
            credential: credential
                .map(|text| DeviceCredential::parse(text.as_bytes()))
                .transpose()?,
            allowed: list("allow_list")?,
            denied: list("deny_list")?,
        })
    }

    fn checker<'p>(&'p self, policy: &'p Policy<'p>, options: &Value) -> Checker<'p> {
        let mut checker = Checker::new(policy);
        if let Some(credential) = &self.credential {
            checker = checker.with_credential(credential);
        }
        if let Some(list) = &self.allowed {
            checker = checker.with_allow_list(list);
        }
        if let Some(list) = &self.denied {
            checker = checker.with_deny_list(list);
        }
        match options["reformatted"] == true {
            true => checker.allow_reformatted(),
            false => checker,
        }
    }
}

fn policy(options: &Value) -> Result<Policy<'static>, Failed> {
    let mut policy = Policy::any_origin();
    for (name, value) in options.as_object().expect("options") {
        policy = match &**name {
            "hmac_secret" => policy.with_hmac(HmacSecret::new(hex(value))),
            "manufacturer" => policy.with_manufacturer(PublicKey::from_spki_der(&hex(value))?),
            "manufacturer_hash" => {
                policy.with_manufacturer_hash(Digest::from_bytes(&hex(value)).expect("a hash"))
            }
            "owner" => policy.with_owner(PublicKey::from_spki_der(&hex(value))?),
            "device_ca" => {
                let mut roots = Roots::new();
                for root in value.as_array().expect("a list") {
                    roots.add_der(&hex(root))?;
                }
                policy.with_device_roots(std::sync::Arc::new(roots))
            }
            "strict" => policy.strict(),
            "credential" | "allow_list" | "deny_list" | "reformatted" => policy,
            _ => return Err(format!("unknown option {name}").into()),
        };
    }
    Ok(policy)
}

fn run(vector: &Value) -> Result<(), Failed> {
    let (options, expect) = (&vector["options"], &vector["expect"]);
    let (policy, named) = (policy(options)?, Named::of(options)?);
    let checker = named.checker(&policy, options);
    let text = text(vector);
    let found = match checker.verify(&text) {
        Ok(voucher) => {
            let findings = voucher.findings().iter();
            let mut findings: Vec<Value> = findings
                .map(|finding| json!([finding.kind.name(), finding.entry]))
                .collect();
            findings.sort_by_key(|finding| (finding[0].to_string(), order(&finding[1])));
            let proved: Vec<&str> = voucher.proved().names().collect();
            json!({
                "verdict": "verified",
                "guid": voucher.guid().to_string(),
                "entries": voucher.entries().len(),
                "owner": hex::encode(voucher.owner().fingerprint()),
                "proved": proved,
                "findings": findings,
            })
        }
        Err(error) => {
            json!({"verdict": "rejected", "kind": error.kind().name(), "entry": error.entry()})
        }
    };
    let mut verdict = expect.clone();
    for other in ["flips", "disclosures"] {
        verdict.as_object_mut().expect("an object").remove(other);
    }
    if found != verdict {
        return Err(format!("found {found}, expected {verdict}").into());
    }
    // The audit finds the same, and each check that fails says so.
    let audit = checker.audit(&text);
    assert_eq!(audit.errors.is_empty(), expect["verdict"] == "verified");
    assert_eq!(audit.proved.is_some(), audit.errors.is_empty());
    assert!(audit.findings.is_sorted_by_key(|finding| finding.offset));
    if let Some(voucher) = &audit.voucher {
        let remarks = voucher.findings();
        assert!(remarks.is_sorted_by_key(|finding| finding.offset));
    }
    for error in audit.checks.iter().filter_map(|check| check.error.as_ref()) {
        assert!(audit.errors.contains(error), "{error}");
    }
    if let Some(expected) = expect["disclosures"].as_array() {
        disclosures(&text, expected)?;
    }
    if let Some(flips) = expect["flips"].as_u64() {
        let unnoticed = (0..text.len()).filter(|at| {
            let mut flipped = text.clone();
            flipped[*at] ^= 1;
            checker.verify(&flipped).is_ok()
        });
        assert_eq!(unnoticed.count() as u64, flips);
    }
    Ok(())
}

/// What the voucher discloses to who may not see secrets; who may sees more in the same places.
fn disclosures(text: &[u8], expected: &[Value]) -> Result<(), Failed> {
    let voucher = Voucher::parse(text)?;
    let list = voucher.disclosures(Secrets::Withheld);
    let found: Vec<Value> = list
        .iter()
        .map(|it| json!([it.kind.name(), it.entry, it.value]))
        .collect();
    if found != expected {
        return Err(format!("discloses {found:?}, {expected:?} expected").into());
    }
    assert!(list.is_sorted_by_key(|it| it.offset));
    let text = String::from_utf8_lossy(text);
    for (shown, it) in voucher.disclosures(Secrets::Shown).iter().zip(&list) {
        assert_eq!((shown.kind, shown.offset), (it.kind, it.offset));
        let secret = match it.kind {
            DisclosureKind::WifiPassword => shown.value.as_str(),
            DisclosureKind::RendezvousOther => shown.value.split_once(' ').expect("a name").1,
            _ => {
                assert_eq!(shown.value, it.value);
                continue;
            }
        };
        assert!(shown.value != it.value && text.contains(secret), "{shown}");
    }
    Ok(())
}

/// As the generator sorts: by the text of a list.
fn order(entry: &Value) -> String {
    match entry {
        Value::Null => "None".into(),
        entry => entry.to_string(),
    }
}
