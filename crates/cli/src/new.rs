//! `ov new`: the first voucher of a device (device initialisation).

mod devices;
mod fleet;

use ownership_voucher::create::{NewHeader, RvDirective};
use ownership_voucher::digest::Digest;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::hmac::HmacSecrets;
use ownership_voucher::{ErrorKind, Guid, KeyOrChain, KeyType, NewVoucher, Policy, Voucher};

use crate::cli::{Encoding, NewArgs, refusing_all};
use crate::material::{certificates, now};
use crate::output::{Readers, Sink, print_message, write_file};
use crate::owners::next_owner;
use crate::random::fill_random;
use crate::report::Problem;
use crate::same_file::Files;
use crate::secret::{secret, table};
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

/// The effect that a finding about the certificates will have on verification with roots.
const fn on_paths(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::CertificateUnreadable
        | FindingKind::NoBasicConstraints
        | FindingKind::Sha1Signature
        | FindingKind::CertificateV1
        | FindingKind::DeviceChainBroken
        | FindingKind::OwnerChainBroken => {
            "; `ov verify` with --device-ca or --manufacturer-ca refuses every path over it, and \
             --strict refuses the voucher"
        }
        _ => "",
    }
}

/// A random UUID of version 4 (RFC 9562 §5.4), as devices generate them.
fn random_guid() -> Result<Guid, Failure> {
    let mut guid = [0; 16];
    fill_random(&mut guid)?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut guid;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    Ok(Guid(guid))
}

fn failure(error: &ownership_voucher::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::CaAsOwner => " (--allow-ca-owner takes it)",
        _ => "",
    };
    Failure::Message(format!("{}{hint}", Problem::from(error).message))
}

/// What the options name for every device.
struct Shared {
    manufacturer: KeyOrChain,
    rendezvous: Vec<RvDirective>,
    device_chain: Option<Vec<Vec<u8>>>,
    secrets: Option<HmacSecrets>,
}

impl Shared {
    fn load(args: &NewArgs) -> Result<Self, Failure> {
        let manufacturer = next_owner(&args.manufacturer, args.bare_key, args.allow_ca_owner, "")?;
        if matches!(manufacturer, KeyOrChain::Chain(_)) && args.encoding != Encoding::X509 {
            return Err("--encoding is for bare keys; add --bare-key for a certificate".into());
        }
        let mut rendezvous = Vec::with_capacity(args.rv.len());
        let mut directives = Vec::with_capacity(args.rv.len());
        for url in &args.rv {
            rendezvous.push(directive(url)?);
            // The DNS is case-insensitive.
            let directive = directive(&url.to_ascii_lowercase())?;
            if directives.contains(&directive) {
                return Err(Failure::Message(format!(
                    "--rv {url}: this address is given twice; a device would try it twice. Leave one out"
                )));
            }
            directives.push(directive);
        }
        Ok(Self {
            manufacturer,
            rendezvous,
            device_chain: args.device_chain.as_deref().map(certificates).transpose()?,
            secrets: args.hmac_secrets.as_deref().map(table).transpose()?,
        })
    }

    /// The policy under which a new voucher is looked at: certificates as of now.
    fn policy(&self) -> Policy<'static> {
        now().map_or_else(Policy::any_origin, |now| {
            Policy::any_origin().with_time(now)
        })
    }

    /// The voucher of one device.
    fn voucher(
        &self,
        args: &NewArgs,
        guid: Guid,
        info: &str,
        chain: Option<&[Vec<u8>]>,
    ) -> NewVoucher {
        let mut new = NewVoucher::new(guid, info, self.manufacturer.clone())
            .with_encoding(args.encoding.into());
        for directive in &self.rendezvous {
            new = new.with_rendezvous(directive.clone());
        }
        if let Some(chain) = chain {
            new = new.with_device_chain(chain.to_vec());
        }
        if args.epid {
            new = new.with_epid();
        }
        if args.pss {
            new = new.with_key_type(KeyType::RsaPss);
        }
        if args.rsapkcs {
            new = new.with_key_type(KeyType::RsaPkcs);
        }
        if let Some(hash) = args.hash {
            new = new.with_hash(hash.into());
        }
        if args.experimental_keys {
            new = new.allow_experimental_key();
        }
        if args.allow_ca_owner {
            new = new.allow_ca_owner();
        }
        new.with_privacy(refusing_all(&args.refuse))
    }
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

/// A URL for messages: a user and a password before the host are left out.
fn without_password(url: &str) -> String {
    match url.rsplit_once('@') {
        Some((before, host)) => {
            let scheme = before.split_once("://").map_or("", |(scheme, _)| scheme);
            format!("{scheme}://…@{host}")
        }
        None => url.to_owned(),
    }
}

/// The directive for a URL.
fn directive(url: &str) -> Result<RvDirective, Failure> {
    RvDirective::from_url(url)
        .map_err(|error| Failure::Message(format!("--rv {}: {error}", without_password(url))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A password in a URL does not come out in the message that refuses it.
    #[test]
    fn passwords_are_left_out() {
        for secret in ["http://me:pass@a", "me:pass@a", "http://me:p@pass@a"] {
            let Err(Failure::Message(message)) = directive(secret) else {
                panic!("{secret} was accepted");
            };
            assert!(!message.contains("pass"), "{message}");
        }
    }
}
