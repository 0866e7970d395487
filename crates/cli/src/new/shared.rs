//! What `ov new` does for one device and for many.

use ownership_voucher::create::RvDirective;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::hmac::HmacSecrets;
use ownership_voucher::{ErrorKind, Guid, KeyOrChain, KeyType, NewVoucher, Policy};

use crate::Failure;
use crate::cli::{Encoding, NewArgs, refusing_all};
use crate::material::{certificates, now};
use crate::owners::next_owner;
use crate::random::fill_random;
use crate::report::Problem;
use crate::secret::table;

/// The effect that a finding about the certificates will have on verification with roots.
pub(super) const fn on_paths(kind: FindingKind) -> &'static str {
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
pub(super) fn random_guid() -> Result<Guid, Failure> {
    let mut guid = [0; 16];
    fill_random(&mut guid)?;
    let [_, _, _, _, _, _, version, _, variant, ..] = &mut guid;
    *version = *version & 0x0f | 0x40;
    *variant = *variant & 0x3f | 0x80;
    Ok(Guid(guid))
}

pub(super) fn failure(error: &ownership_voucher::Error) -> Failure {
    let hint = match error.kind() {
        ErrorKind::CaAsOwner => " (--allow-ca-owner takes it)",
        _ => "",
    };
    Failure::Message(format!("{}{hint}", Problem::from(error).message))
}

/// What the options name for every device.
pub(super) struct Shared {
    manufacturer: KeyOrChain,
    rendezvous: Vec<RvDirective>,
    pub(super) device_chain: Option<Vec<Vec<u8>>>,
    pub(super) secrets: Option<HmacSecrets>,
}

impl Shared {
    pub(super) fn load(args: &NewArgs) -> Result<Self, Failure> {
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
    pub(super) fn policy(&self) -> Policy<'static> {
        now().map_or_else(Policy::any_origin, |now| {
            Policy::any_origin().with_time(now)
        })
    }

    /// The voucher of one device.
    pub(super) fn voucher(
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
