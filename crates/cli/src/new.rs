//! `ov new`: the first voucher of a device (device initialisation).

use core::net::{Ipv4Addr, Ipv6Addr};

use ownership_voucher::create::{NewHeader, RvDirective, RvProtocol};
use ownership_voucher::digest::Digest;
use ownership_voucher::finding::FindingKind;
use ownership_voucher::{ErrorKind, Guid, KeyOrChain, KeyType, NewVoucher, Policy, Voucher};

use crate::cli::{Encoding, NewArgs, refusing_all};
use crate::material::{certificates, now};
use crate::output::{Readers, Sink, print_message, write_file};
use crate::owners::next_owner;
use crate::random::fill_random;
use crate::report::Problem;
use crate::same_file::Files;
use crate::secret::secret;
use crate::{Failure, Outcome};

pub(crate) fn run(args: &NewArgs) -> Result<Outcome, Failure> {
    let guid = match args.guid {
        Some(guid) => guid,
        None => random_guid()?,
    };
    let mut files = Files::default();
    files.input(Some(&args.manufacturer), "--manufacturer");
    files.input(args.device_chain.as_deref(), "--device-chain");
    files.secret(args.hmac_secret.as_deref());
    files.output(args.header.as_deref(), "--header")?;
    files.output(args.output.output.as_deref(), "-o")?;
    let header = header(args, guid)?;
    let policy = now().map_or_else(Policy::any_origin, |now| {
        Policy::any_origin().with_time(now)
    });
    for finding in header.findings(&policy) {
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
    let mut sink = Sink::one(&args.output)?;
    let voucher = finish(args, &header)?;
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

fn header(args: &NewArgs, guid: Guid) -> Result<NewHeader, Failure> {
    let manufacturer = next_owner(&args.manufacturer, args.bare_key, args.allow_ca_owner, "")?;
    if matches!(manufacturer, KeyOrChain::Chain(_)) && args.encoding != Encoding::X509 {
        return Err("--encoding is for bare keys; add --bare-key for a certificate".into());
    }
    let mut new = NewVoucher::new(guid, args.device_info.as_str(), manufacturer)
        .with_encoding(args.encoding.into());
    let mut directives = Vec::with_capacity(args.rv.len());
    for url in &args.rv {
        new = new.with_rendezvous(directive(url)?);
        // The DNS is case-insensitive.
        let directive = directive(&url.to_ascii_lowercase())?;
        if directives.contains(&directive) {
            return Err(Failure::Message(format!(
                "--rv {url}: this address is given twice; a device would try it twice. Leave one out"
            )));
        }
        directives.push(directive);
    }
    if let Some(path) = &args.device_chain {
        new = new.with_device_chain(certificates(path)?);
    }
    if args.epid {
        new = new.with_epid();
    }
    if args.pss {
        new = new.with_key_type(KeyType::RsaPss);
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
    let new = new.with_privacy(refusing_all(&args.refuse));
    new.header().map_err(|error| failure(&error))
}

fn finish(args: &NewArgs, header: &NewHeader) -> Result<Voucher<'static>, Failure> {
    let voucher = match (&args.hmac, &args.hmac_secret) {
        (Some(hmac), _) => {
            // The length of the HMAC gives its hash.
            let hmac = Digest::new(header.algorithm(), hmac.as_bytes())
                .ok_or_else(|| format!("--hmac: {} bytes expected", header.algorithm().len()))?;
            header.finish(&hmac)
        }
        (None, Some(text)) => header.authenticate(&secret(text, header.algorithm().len())?),
        (None, None) => {
            return Err("one of --hmac-secret, --hmac and --header expected".into());
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

/// The directive for a URL: address, port for devices and owners, protocol.
fn directive(url: &str) -> Result<RvDirective, Failure> {
    let shown = without_password(url);
    let bad = |why: &str| Failure::Message(format!("--rv {shown}: {why}"));
    let (scheme, rest) = url
        .split_once("://")
        .ok_or_else(|| bad("a URL such as https://rv.example.com:8443 expected"))?;
    let (protocol, default_port) = match scheme {
        "http" => (RvProtocol::Http, Some(80)),
        "https" => (RvProtocol::Https, Some(443)),
        "tcp" => (RvProtocol::Tcp, None),
        "tls" => (RvProtocol::Tls, None),
        "coap+tcp" => (RvProtocol::CoapTcp, Some(5683)),
        "coap" => (RvProtocol::CoapUdp, Some(5683)),
        _ => {
            return Err(bad(
                "the protocol is none of http, https, tcp, tls, coap, coap+tcp",
            ));
        }
    };
    let authority = rest.strip_suffix('/').unwrap_or(rest);
    if authority.contains(['/', '?', '#', '@']) {
        return Err(bad("a voucher holds host and port only"));
    }
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| bad("a ] is missing"))?;
            match rest.strip_prefix(':') {
                Some(port) => (host, Some(port)),
                None if rest.is_empty() => (host, None),
                None => return Err(bad("a port expected behind the address")),
            }
        }
        None => match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        },
    };
    let port = match port {
        Some(port) => Some(
            port.parse()
                .map_err(|_| bad("the port is not 1 to 65535"))?,
        ),
        None => default_port,
    };
    let port: u16 = port
        .filter(|&port| port > 0)
        .ok_or_else(|| bad("a port expected"))?;
    let directive = RvDirective::new();
    let directive = if authority.starts_with('[') {
        let address: Ipv6Addr = host.parse().map_err(|_| bad("not an IPv6 address"))?;
        directive.ipv6(address.octets())
    } else if let Ok(address) = host.parse::<Ipv4Addr>() {
        directive.ipv4(address.octets())
    } else if is_name(host) {
        directive.dns(host)
    } else {
        return Err(bad("neither a host name nor an IP address"));
    };
    Ok(directive
        .device_port(port)
        .owner_port(port)
        .protocol(protocol))
}

/// Whether this can be a DNS name: labels of letters, digits, hyphens and underscores.
fn is_name(host: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    let host = host.strip_suffix('.').unwrap_or(host);
    host.len() <= 253 && host.split('.').all(label)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_become_directives() {
        let dns = RvDirective::new().dns("rv.example.com");
        let dns = dns.device_port(8443).owner_port(8443);
        assert_eq!(
            directive("https://rv.example.com:8443/").unwrap(),
            dns.protocol(RvProtocol::Https)
        );
        let v6 = RvDirective::new().ipv6(Ipv6Addr::LOCALHOST.octets());
        assert_eq!(
            directive("http://[::1]").unwrap(),
            v6.device_port(80).owner_port(80).protocol(RvProtocol::Http)
        );
        for bad in [
            "rv.example.com",
            "ftp://a",
            "tcp://a",
            "http://",
            "http://a:0",
            "http://a:70000",
            "http://a/path",
            "http://user@a",
            "http://[::1",
            "http://[::1]x",
            "http://[1.2.3.4]",
            "http://a b",
        ] {
            assert!(directive(bad).is_err(), "{bad}");
        }
        for secret in ["http://me:pass@a", "me:pass@a", "http://me:p@pass@a"] {
            let Err(Failure::Message(message)) = directive(secret) else {
                panic!("{secret} was accepted");
            };
            assert!(!message.contains("pass"), "{message}");
        }
    }
}
