//! One named test for every file in `test-vectors/privacy`: what a voucher tells, in the order of
//! its bytes, and what links the vouchers of a collection.
//!
//! The expectations were written down by the generator while it put the vouchers together.

use std::path::Path;

use libtest_mimic::{Arguments, Failed, Trial};
use ownership_voucher::privacy::{DisclosureKind, LinkKind, Linker};
use ownership_voucher::text::Secrets;
use ownership_voucher::{Limits, Voucher};
use serde_json::Value;

fn main() {
    let arguments = Arguments::from_args();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("test-vectors/privacy");
    let mut trials = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is part of the repository") {
        let path = entry.expect("a readable folder").path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let run = match name.starts_with("link-") {
            true => links,
            false => disclosures,
        };
        trials.push(Trial::test(name, move || {
            run(&serde_json::from_str(&std::fs::read_to_string(&path)?)?)
        }));
    }
    assert!(trials.len() >= 27, "only {} vectors", trials.len());
    libtest_mimic::run(&arguments, trials).exit();
}

fn bytes(hex: &Value) -> Vec<u8> {
    hex::decode(hex.as_str().expect("hex")).expect("hex")
}

fn disclosures(vector: &Value) -> Result<(), Failed> {
    let bytes = bytes(&vector["voucher"]);
    let voucher = Voucher::parse(&bytes)?;
    let found = voucher.disclosures(&Limits::new(), Secrets::Withheld);
    let told: Vec<Value> = found
        .iter()
        .map(|it| serde_json::json!({"kind": it.kind.name(), "entry": it.entry, "value": it.value}))
        .collect();
    let wanted = vector["expect"]["disclosures"].as_array().expect("a list");
    for (found, wanted) in told.iter().zip(wanted) {
        if found != wanted {
            return Err(format!("{found} found, {wanted} expected").into());
        }
    }
    if told.len() != wanted.len() {
        return Err(format!("{} found, {} expected", told.len(), wanted.len()).into());
    }
    if !found.is_sorted_by_key(|disclosure| disclosure.offset) {
        return Err("not in the order of the bytes".into());
    }
    if let Some(far) = found.iter().find(|it| it.offset >= bytes.len()) {
        return Err(format!("{far} lies behind the voucher").into());
    }
    // Texts stand where the report says.
    for disclosure in &found {
        let text = disclosure.value.as_bytes();
        let literal = matches!(
            disclosure.kind,
            DisclosureKind::DeviceInfo
                | DisclosureKind::DeviceInfoSerial
                | DisclosureKind::RendezvousName
        );
        let here = &bytes[disclosure.offset..];
        if literal && !here[..here.len().min(text.len() + 3)].ends_with(text) {
            let near = here.windows(text.len()).position(|part| part == text);
            if near.is_none_or(|near| near > 3) {
                return Err(format!("{disclosure}: another text stands there").into());
            }
        }
    }
    // The password is told where it is asked for, and nowhere else.
    let all = voucher.disclosures(&Limits::new(), Secrets::Shown);
    let passwords: Vec<&str> = all
        .iter()
        .filter(|it| it.kind == DisclosureKind::WifiPassword)
        .map(|it| &*it.value)
        .collect();
    let wanted: Vec<&str> = vector["expect"]["password"].as_str().into_iter().collect();
    if passwords != wanted {
        return Err(format!("{passwords:?} found, {wanted:?} expected").into());
    }
    Ok(())
}

fn links(vector: &Value) -> Result<(), Failed> {
    let vouchers = vector["vouchers"].as_array().expect("a list");
    let mut linker = Linker::new([7; 32]);
    for (number, voucher) in vouchers.iter().enumerate() {
        assert_eq!(linker.add(&Voucher::parse(&bytes(voucher))?)?, number);
    }
    let linkage = linker.finish();
    let members = |group: usize| -> Vec<usize> {
        let all = 0..linkage.vouchers();
        all.filter(|voucher| linkage.groups_of(*voucher).any(|label| label == group))
            .collect()
    };
    let mut found: Vec<(String, Vec<usize>)> = Vec::new();
    for (number, group) in linkage.groups().iter().enumerate() {
        let members = members(number);
        if members.len() != group.size || members.first() != Some(&group.first) {
            return Err(format!("{group:?} has the members {members:?}").into());
        }
        found.push((group.kind.name().into(), members));
    }
    let mut wanted: Vec<(String, Vec<usize>)> = Vec::new();
    for group in vector["expect"]["groups"].as_array().expect("a list") {
        let members = serde_json::from_value(group["vouchers"].clone())?;
        wanted.push((group["kind"].as_str().expect("a name").into(), members));
    }
    wanted.sort();
    found.sort();
    if found != wanted {
        return Err(format!("{found:?} found, {wanted:?} expected").into());
    }
    let owners = linkage.clusters(&[LinkKind::CurrentOwner]);
    let anonymity_sets: Vec<usize> = (0..linkage.vouchers())
        .map(|voucher| linkage.anonymity_set(voucher))
        .collect();
    let list = |name: &str| -> Vec<usize> {
        serde_json::from_value(vector["expect"][name].clone()).expect("numbers")
    };
    if (&owners, &anonymity_sets) != (&list("owners"), &list("anonymity_sets")) {
        return Err(format!("owners {owners:?}, anonymity sets {anonymity_sets:?}").into());
    }
    Ok(())
}
