//! `ov new`: the first voucher of a device (device initialisation).

mod devices;
mod fleet;
mod shared;

use ownership_voucher::Voucher;
use ownership_voucher::create::NewHeader;
use ownership_voucher::digest::Digest;

use shared::{Shared, failure, on_paths, random_guid};

use crate::cli::NewArgs;
use crate::output::{Readers, Sink, print_message, write_file};
use crate::same_file::Files;
use crate::secret::secret;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &NewArgs) -> Result<Outcome, Failure> {
    let mut files = Files::default();
    files.input(Some(&args.manufacturer), "--manufacturer");
    files.input(args.device_chain.as_deref(), "--device-chain");
    files.secret(args.hmac_secret.as_deref());
    files.input(args.hmac_secrets.as_deref(), "--hmac-secrets");
    files.output(args.header.as_deref(), "--header")?;
    files.output(args.output.output.as_deref(), "-o")?;
    if let Some(path) = &args.devices {
        return fleet::run(args, path, files);
    }
    let guid = match args.guid {
        Some(guid) => guid,
        None => random_guid()?,
    };
    let shared = Shared::load(args)?;
    let info = args.device_info.as_deref().unwrap_or_default();
    let header = shared.voucher(args, guid, info, shared.device_chain.as_deref());
    let header = header.header().map_err(|error| failure(&error))?;
    for finding in header.findings(&shared.policy()) {
        print_message(&format!(
            "warning: {finding} ({}){}",
            finding.kind.name(),
            on_paths(finding.kind)
        ));
    }
    if let Some(path) = &args.header {
        write_file(path, header.as_bytes(), args.output.force, Readers::Usual)?;
        print_message(&format!(
            "guid {guid}; {} over the header expected",
            match header.algorithm().len() {
                32 => "HMAC-SHA256",
                _ => "HMAC-SHA384",
            }
        ));
        return Ok(Outcome::Good);
    }
    let mut sink = Sink::open(&args.output, args.out_dir.as_deref())?;
    let voucher = finish(args, &header, &shared)?;
    sink.push(voucher.as_bytes(), &guid.to_string())?;
    sink.finish()?;
    print_message(&format!("new voucher {guid}"));
    Ok(Outcome::Good)
}

fn finish(
    args: &NewArgs,
    header: &NewHeader,
    shared: &Shared,
) -> Result<Voucher<'static>, Failure> {
    let voucher = match (&args.hmac, &args.hmac_secret, &shared.secrets) {
        (Some(hmac), _, _) => {
            // The length of the HMAC gives its hash.
            let hmac = Digest::new(header.algorithm(), hmac.as_bytes())
                .ok_or_else(|| format!("--hmac: {} bytes expected", header.algorithm().len()))?;
            header.finish(&hmac)
        }
        (None, Some(text), _) => header.authenticate(&secret(text, header.algorithm().len())?),
        (None, None, Some(secrets)) => header.authenticate(secrets),
        (None, None, None) => {
            return Err(
                "one of --hmac-secret, --hmac-secrets, --hmac and --header expected".into(),
            );
        }
    };
    voucher.map_err(|error| failure(&error))
}
