//! Vouchers of SDO, the predecessor of FDO, in the files that commands are given: read and verified, and
//! never taken for vouchers of FDO.

mod options;
mod show;

use ownership_voucher::{Origin, Policy};
use ownership_voucher_sdo::{Audit, Voucher};
use serde_json::{Value, json};

pub(crate) use options::SdoOptions;
pub(crate) use show::{members, tree};

use crate::material::Material;
use crate::report::{Matched, Problem, Verdict, hex};

/// Why there is no conversion, and what there is.
pub(crate) const NO_CONVERSION: &str = "a voucher of SDO cannot become one of FDO: its HMAC and every signature cover its JSON \
     text, and only the device can make the HMAC of an FDO header, in a new device initialisation or \
     with firmware that speaks FDO; `ov show --json` exports GUID, owner key, rendezvous info and \
     certificates";

/// Whether these bytes are a voucher of SDO, whole or damaged: text, where one of FDO is CBOR.
pub(crate) fn is(bytes: &[u8]) -> bool {
    match bytes.first() {
        Some(b'{' | b'[' | b' ' | b'\t' | b'\r' | b'\n' | 0xef | 0xfe | 0xff | 0) => {
            ownership_voucher_sdo::is_start(bytes)
        }
        _ => false,
    }
}

/// The report on a voucher under the options.
pub(crate) fn audit<'b>(bytes: &'b [u8], policy: &Policy<'_>, material: &Material) -> Audit<'b> {
    material.sdo().checker(policy).audit(bytes)
}

/// The verdict on a voucher, and the facts that `require` names.
pub(crate) fn judge(
    bytes: &[u8],
    policy: &Policy<'_>,
    material: &Material,
    require: &[&'static str],
) -> Verdict {
    verdict(&audit(bytes, policy, material), material, require)
}

/// The same of a report that is there.
pub(crate) fn verdict(audit: &Audit<'_>, material: &Material, require: &[&'static str]) -> Verdict {
    let voucher = audit.voucher.as_ref();
    let proved = audit.proved.as_ref();
    let missing = proved.and_then(|proved| require.iter().find_map(|it| proved.require(it).err()));
    let proved = proved.filter(|_| missing.is_none());
    let matched = match (voucher, &audit.owner, proved) {
        (Some(voucher), Some(owner), Some(_)) => material.matched_keys(owner, || {
            Some(voucher.manufacturer_key().public_key().clone())
        }),
        _ => Matched::default(),
    };
    let error = audit.errors.first().or(missing.as_ref());
    Verdict {
        guid: voucher
            .map(Voucher::guid)
            .or(error.and_then(|error| error.guid())),
        entries: voucher.map(|voucher| voucher.entries().len()),
        owner: audit.owner.as_ref().map(|owner| owner.fingerprint()),
        matched,
        proved: proved.map_or_else(Vec::new, |proved| proved.names().collect()),
        origin: proved.map_or(Origin::NotChecked, |proved| proved.origin()),
        anchored: proved.is_some_and(|proved| material.settles(proved)),
        error: error.map(Problem::from),
        findings: audit.findings.clone(),
    }
}

/// Each check of a report, for JSON.
pub(crate) fn checks(audit: &Audit<'_>) -> Value {
    let checks = audit.checks.iter();
    let of = |bytes: &[u8]| (!bytes.is_empty()).then(|| hex(bytes));
    checks
        .map(|check| {
            json!({
                "rule": check.rule.name(),
                "entry": check.entry,
                "offset": check.range.start,
                "length": check.range.len(),
                "algorithm": check.algorithm,
                "holds": check.holds(),
                "expected": of(&check.expected),
                "found": of(&check.found),
            })
        })
        .collect()
}
