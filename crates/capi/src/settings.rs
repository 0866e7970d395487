//! The settings of a policy that are numbers.

use super::guard::{plain, value};
use super::handle::Refusal;
use super::names::allowance;
use super::policy::{Said, change, ov_policy};
use super::report::OV_NONE;
use super::status::ov_status;
use ownership_voucher::batch::Engine;
use ownership_voucher::{Limits, UnixTime};

/// The largest value of `OV_LIMIT_INPUT`, in bytes.
pub const OV_LIMITS_MAX_INPUT: usize = 16 << 20;
/// The largest value of `OV_LIMIT_ENTRIES`.
pub const OV_LIMITS_MAX_ENTRIES: usize = 65535;
/// The largest value of `OV_LIMIT_DEPTH`; each level takes some stack.
pub const OV_LIMITS_MAX_DEPTH: usize = 64;
/// The maximum number of labels in one map: headers, COSE_Key, OVEExtra. It is fixed, because
/// finding a duplicate label takes quadratic time.
pub const OV_LIMITS_MAX_LABELS: usize = 64;

// Arrays have the same type only if they have the same length. This checks that the constants of
// the header are those of the library.
const _: [(); OV_LIMITS_MAX_INPUT] = [(); Limits::MAX_INPUT];
const _: [(); OV_LIMITS_MAX_ENTRIES] = [(); Limits::MAX_ENTRIES];
const _: [(); OV_LIMITS_MAX_DEPTH] = [(); Limits::MAX_DEPTH];
const _: [(); OV_LIMITS_MAX_LABELS] = [(); Limits::MAX_LABELS];

/// Bytes of one voucher. Default 1 MiB, at most 16 MiB.
pub const OV_LIMIT_INPUT: i32 = 1;
/// Entries. Default 255, at most 65535.
pub const OV_LIMIT_ENTRIES: i32 = 2;
/// Certificates in one chain. Default 16.
pub const OV_LIMIT_CERTIFICATES: i32 = 3;
/// Bytes of one certificate. Default 64 KiB.
pub const OV_LIMIT_CERTIFICATE: i32 = 4;
/// Nesting levels of a value of unspecified type. Default 16, at most 64.
pub const OV_LIMIT_DEPTH: i32 = 5;
/// Bytes of the device info. Default 64 KiB.
pub const OV_LIMIT_DEVICE_INFO: i32 = 6;
/// Rendezvous instructions in all directives together. Default 1024.
pub const OV_LIMIT_RENDEZVOUS: i32 = 7;
/// Deviations in one list, remarks (counted separately), and faults in one audit. Default 4096.
pub const OV_LIMIT_FINDINGS: i32 = 8;
/// Certificate signatures that are verified for the remarks on one voucher. Default 256.
pub const OV_LIMIT_CERTIFICATE_CHECKS: i32 = 9;

/// The engine that verifies signatures: an `OV_ENGINE_` number. Verdicts are the same.
pub const OV_POLICY_ENGINE: i32 = 101;
/// The time at which certificates are checked, in seconds since 1970. Without it, which reads as
/// `OV_NONE`, no certificate counts as expired.
pub const OV_POLICY_TIME: i32 = 102;
/// 1: refuses every deviation from the written profile of FDO 1.1, including those that an allowance
/// names, and invalid certificate chains, whether or not roots are given.
pub const OV_POLICY_STRICT: i32 = 103;
/// 1: certificates outside their validity period are an error on required paths.
pub const OV_POLICY_REFUSE_EXPIRED: i32 = 104;
/// 1: refuses paths over a certificate that no revocation list covers.
pub const OV_POLICY_REQUIRE_REVOCATION_LISTS: i32 = 105;

/// The manufacturers that were named, but for roots; reads as their number.
pub const OV_POLICY_MANUFACTURERS: i32 = 201;
/// The owners that were named; reads as their number.
pub const OV_POLICY_OWNERS: i32 = 202;
/// The roots of manufacturers; reads as 0 or 1.
pub const OV_POLICY_MANUFACTURER_ROOTS: i32 = 203;
/// The roots of devices; reads as 0 or 1.
pub const OV_POLICY_DEVICE_ROOTS: i32 = 204;
/// The secret or callback of the HMAC; reads as 0 or 1.
pub const OV_POLICY_HMAC: i32 = 205;
/// The allowances; reads as their number.
pub const OV_POLICY_ALLOWANCES: i32 = 206;

/// The engine of this library, with the fastest instructions that the CPU has. The default.
pub const OV_ENGINE_FASTEST: i32 = 0;
/// The engine of this library, with 64-bit instructions alone.
pub const OV_ENGINE_PORTABLE: i32 = 1;
/// The RustCrypto crates, one voucher at a time: for those who prefer widely used code to speed.
pub const OV_ENGINE_RUST_CRYPTO: i32 = 2;

const ENGINES: [(i32, Engine); 3] = [
    (OV_ENGINE_FASTEST, Engine::Fastest),
    (OV_ENGINE_PORTABLE, Engine::Portable),
    (OV_ENGINE_RUST_CRYPTO, Engine::RustCrypto),
];

type Get = fn(&Limits) -> usize;
type With = fn(Limits, usize) -> Limits;

/// How a limit is read and set, and the largest that there can be.
fn limit(which: i32) -> Option<(Get, With)> {
    Some(match which {
        OV_LIMIT_INPUT => (Limits::input, Limits::with_input),
        OV_LIMIT_ENTRIES => (Limits::entries, Limits::with_entries),
        OV_LIMIT_CERTIFICATES => (Limits::certificates, Limits::with_certificates),
        OV_LIMIT_CERTIFICATE => (Limits::certificate, Limits::with_certificate),
        OV_LIMIT_DEPTH => (Limits::depth, Limits::with_depth),
        OV_LIMIT_DEVICE_INFO => (Limits::device_info, Limits::with_device_info),
        OV_LIMIT_RENDEZVOUS => (Limits::rendezvous, Limits::with_rendezvous),
        OV_LIMIT_FINDINGS => (Limits::findings, Limits::with_findings),
        OV_LIMIT_CERTIFICATE_CHECKS => {
            (Limits::certificate_checks, Limits::with_certificate_checks)
        }
        _ => return None,
    })
}

fn unknown() -> Refusal {
    Refusal::argument("an unknown setting of a policy")
}

/// A number that is 0 or 1.
pub(super) fn flag(value: u64) -> Result<bool, Refusal> {
    match value {
        0 | 1 => Ok(value == 1),
        _ => Err(Refusal::argument(
            "a setting that is 0 or 1 got another value",
        )),
    }
}

/// Sets a limit on the input (an `OV_LIMIT_` number), or a setting from `OV_POLICY_ENGINE` to
/// `OV_POLICY_REQUIRE_REVOCATION_LISTS`. A limit above its maximum is set to the maximum.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_set(policy: *mut ov_policy, which: i32, value: u64) -> ov_status {
    change(policy, |_, said| set(said, which, value))
}

fn set(said: &mut Said, which: i32, value: u64) -> Result<(), Refusal> {
    if let Some((_, with)) = limit(which) {
        let value = usize::try_from(value).unwrap_or(usize::MAX);
        said.limits = with(said.limits, value);
        return Ok(());
    }
    match which {
        OV_POLICY_ENGINE => {
            let mut engines = ENGINES.iter();
            let found = engines.find(|(code, _)| i64::from(*code).cast_unsigned() == value);
            let (_, engine) = found.ok_or(Refusal::argument("an unknown engine"))?;
            said.engine = *engine;
        }
        OV_POLICY_TIME => said.time = Some(UnixTime(value)),
        OV_POLICY_STRICT => said.strict = flag(value)?,
        OV_POLICY_REFUSE_EXPIRED => said.refuse_expired = flag(value)?,
        OV_POLICY_REQUIRE_REVOCATION_LISTS => said.lists_required = flag(value)?,
        _ => return Err(unknown()),
    }
    Ok(())
}

/// The value in force of an `OV_LIMIT_` or `OV_POLICY_` number; `OV_NONE` if there is none, or for an
/// unknown number.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_get(policy: *const ov_policy, which: i32) -> u64 {
    value(OV_NONE, |caller| {
        let said = caller.get(policy)?.said();
        if let Some((get, _)) = limit(which) {
            return Ok(get(&said.limits) as u64);
        }
        Ok(match which {
            OV_POLICY_ENGINE => {
                let found = ENGINES.iter().find(|(_, engine)| *engine == said.engine);
                found.map_or(OV_NONE, |(code, _)| i64::from(*code).cast_unsigned())
            }
            OV_POLICY_TIME => said.time.map_or(OV_NONE, |time| time.0),
            OV_POLICY_STRICT => said.strict.into(),
            OV_POLICY_REFUSE_EXPIRED => said.refuse_expired.into(),
            OV_POLICY_REQUIRE_REVOCATION_LISTS => said.lists_required.into(),
            OV_POLICY_MANUFACTURERS => said.manufacturers.len() as u64,
            OV_POLICY_OWNERS => said.owners.len() as u64,
            OV_POLICY_MANUFACTURER_ROOTS => said.manufacturer_roots.is_some().into(),
            OV_POLICY_DEVICE_ROOTS => said.device_roots.is_some().into(),
            OV_POLICY_HMAC => said.hmac.is_some().into(),
            OV_POLICY_ALLOWANCES => said.allowed.len() as u64,
            _ => OV_NONE,
        })
    })
}

/// Takes back what was said under an `OV_POLICY_` number, or sets an `OV_LIMIT_` number to its default. A
/// policy that wanted an anchor still wants one: without any it refuses every voucher.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_unset(policy: *mut ov_policy, which: i32) -> ov_status {
    change(policy, |_, said| {
        if let Some((get, with)) = limit(which) {
            said.limits = with(said.limits, get(&Limits::new()));
            return Ok(());
        }
        match which {
            OV_POLICY_ENGINE => said.engine = Engine::Fastest,
            OV_POLICY_TIME => said.time = None,
            OV_POLICY_STRICT => said.strict = false,
            OV_POLICY_REFUSE_EXPIRED => said.refuse_expired = false,
            OV_POLICY_REQUIRE_REVOCATION_LISTS => said.lists_required = false,
            OV_POLICY_MANUFACTURERS => said.manufacturers.clear(),
            OV_POLICY_OWNERS => said.owners.clear(),
            OV_POLICY_MANUFACTURER_ROOTS => said.manufacturer_roots = None,
            OV_POLICY_DEVICE_ROOTS => said.device_roots = None,
            OV_POLICY_HMAC => said.hmac = None,
            OV_POLICY_ALLOWANCES => said.allowed.clear(),
            _ => return Err(unknown()),
        }
        Ok(())
    })
}

/// Accepts one more deviation, an `OV_ALLOW_` number, or no longer.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_allow(policy: *mut ov_policy, code: i32, allowed: bool) -> ov_status {
    let wanted = match allowance(code) {
        Ok(wanted) => wanted,
        Err(refusal) => return plain(|_| Err(refusal)),
    };
    change(policy, |_, said| {
        said.allowed.retain(|known| *known != wanted);
        if allowed {
            said.allowed.push(wanted);
        }
        Ok(())
    })
}

/// Whether this deviation, an `OV_ALLOW_` number, is accepted.
#[unsafe(no_mangle)]
pub extern "C" fn ov_policy_allows(policy: *const ov_policy, code: i32) -> bool {
    value(false, |caller| {
        let wanted = allowance(code)?;
        Ok(caller.get(policy)?.policy().allows(wanted))
    })
}
