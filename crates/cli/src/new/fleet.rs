//! `ov new --devices`: the first vouchers of many devices. All of them are made before one is
//! written, so that a wrong line leaves nothing behind.

use std::path::Path;

use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::{Guid, Policy, Voucher};
use rayon::prelude::*;
use serde_json::json;

use super::devices::{Device, Mac, devices};
use super::shared::{Shared, failure, on_paths, random_guid};
use crate::cli::NewArgs;
use crate::lines::{Lines, print_failure};
use crate::output::{Sink, print_message};
use crate::report::{count, object};
use crate::same_file::Files;
use crate::verify::pool;
use crate::{Failure, Outcome};

/// The most lines with errors that are named.
const NAMED: usize = 10;
/// Vouchers that are written together.
const GROUP: usize = 256;

/// A voucher, and what is to be said about it.
struct Made {
    voucher: Voucher<'static>,
    hash: &'static str,
    findings: Vec<Finding>,
}

pub(super) fn run(args: &NewArgs, path: &Path, mut files: Files) -> Result<Outcome, Failure> {
    let to_files = args.output.output.is_some() || args.out_dir.is_some();
    if args.json && !to_files {
        return Err(
            "--json goes to the standard output; name a place for vouchers with -o or --out-dir"
                .into(),
        );
    }
    files.input(Some(path), "--devices");
    let devices = devices(path)?;
    let shared = Shared::load(args)?;
    let policy = shared.policy();
    // Signatures on certificates are verified when a chain is checked; here the first one is enough.
    let limits = policy.limits().with_certificate_checks(0);
    let quick = policy.clone().with_limits(limits);
    let make = |(number, device): (usize, &Device)| {
        let guid = match device.guid {
            Some(guid) => guid,
            None => random_guid()?,
        };
        one(
            args,
            &shared,
            device,
            guid,
            if number == 0 { &policy } else { &quick },
        )
    };
    let pool = pool(args.jobs)?;
    let made: Vec<Result<Made, Failure>> = pool.install(|| {
        devices
            .par_iter()
            .enumerate()
            .map(|(n, it)| make((n, it)))
            .collect()
    });
    if refuse(path, &devices, &made) {
        return Ok(Outcome::Trouble);
    }
    let made: Vec<Made> = made.into_iter().filter_map(Result::ok).collect();
    warn(&devices, &made);
    write(args, &devices, &made, &files)
}

fn one(
    args: &NewArgs,
    shared: &Shared,
    device: &Device,
    guid: Guid,
    policy: &Policy<'_>,
) -> Result<Made, Failure> {
    let info = device.info.as_deref().or(args.device_info.as_deref());
    let info = info.ok_or("no device_info, and no --device-info")?;
    let chain = match (&device.chain, &shared.device_chain, args.epid) {
        (Some(chain), _, false) => Some(&**chain),
        (Some(_), _, true) => return Err("a device_chain beside --epid".into()),
        (None, Some(chain), _) => Some(chain),
        (None, None, true) => None,
        (None, None, false) => {
            return Err("no device_chain, and neither --device-chain nor --epid".into());
        }
    };
    let header = shared.voucher(args, guid, info, chain.map(Vec::as_slice));
    let header = header.header().map_err(|error| failure(&error))?;
    let voucher = match &device.mac {
        Some(Mac::Secret(secret)) => header.authenticate(secret),
        Some(Mac::Value(value)) => header.finish(value),
        None => match &shared.secrets {
            Some(secrets) => header.authenticate(secrets),
            None => return Err("no hmac_secret, no hmac, and no --hmac-secrets".into()),
        },
    };
    Ok(Made {
        voucher: voucher.map_err(|error| failure(&error))?,
        hash: header.algorithm().name(),
        findings: header.findings(policy),
    })
}

/// Names the lines that give no voucher.
fn refuse(path: &Path, devices: &[Device], made: &[Result<Made, Failure>]) -> bool {
    let mut bad = 0_usize;
    for (device, made) in devices.iter().zip(made) {
        let Err(failure) = made else { continue };
        bad = bad.saturating_add(1);
        if let (Failure::Message(message), 0..=NAMED) = (failure, bad) {
            print_failure(&format!(
                "{} line {}: {message}",
                path.display(),
                device.line
            ));
        }
    }
    if bad > 0 {
        let lines = count(bad, "line gives", "lines give");
        print_failure(&format!("{lines} no voucher; nothing was written"));
    }
    bad > 0
}

/// Each kind of finding once, with the first line that has it.
fn warn(devices: &[Device], made: &[Made]) {
    let mut said: Vec<FindingKind> = vec![FindingKind::CertificatesUnchecked];
    for (device, made) in devices.iter().zip(made) {
        for finding in &made.findings {
            if said.contains(&finding.kind) {
                continue;
            }
            said.push(finding.kind);
            let (line, kind) = (device.line, finding.kind);
            let (name, after) = (kind.name(), on_paths(kind));
            print_message(&format!("warning: line {line}: {finding} ({name}){after}"));
        }
    }
}

fn write(
    args: &NewArgs,
    devices: &[Device],
    made: &[Made],
    files: &Files,
) -> Result<Outcome, Failure> {
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let mut lines = Lines::complete();
    for (number, (device, made)) in devices.iter().zip(made).enumerate() {
        let guid = made.voucher.guid().to_string();
        let target = sink.target(&guid);
        if let Some(target) = &target {
            files.check(target, "a voucher of --out-dir")?;
        }
        sink.push(made.voucher.as_bytes(), &guid)?;
        if number % GROUP == GROUP.saturating_sub(1) {
            sink.commit_all()?;
        }
        if args.json {
            let file = target.as_deref().or(args.output.output.as_deref());
            let index = if target.is_some() { 0 } else { number };
            lines.line(&object(&[
                ("record", json!("new")),
                ("line", json!(device.line)),
                ("guid", json!(guid)),
                ("device_info", json!(made.voucher.device_info())),
                ("hash", json!(made.hash)),
                ("hmac", json!(made.voucher.hmac().to_string())),
                ("file", json!(file.map(|file| file.to_string_lossy()))),
                ("index", json!(index)),
            ]))?;
        }
    }
    sink.commit_all()?;
    sink.settle()?;
    sink.finish()?;
    lines.flush()?;
    print_message(&count(made.len(), "new voucher", "new vouchers"));
    Ok(Outcome::Good)
}
