//! What a rendezvous directive must make sense of: who it is for, where to go, on which port.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::variable::{RvValue, RvVariable};
use crate::finding::FindingKind;

/// The anomaly of a value that has the type of its variable.
pub(super) fn of_value(variable: RvVariable, value: RvValue<'_>) -> Option<FindingKind> {
    use RvVariable as V;
    match (variable, value) {
        (V::DevPort | V::OwnerPort, RvValue::Number(0)) => Some(FindingKind::RvPort),
        (V::Protocol, RvValue::Number(7..)) | (V::Medium, RvValue::Number(22..)) => {
            Some(FindingKind::RvNumber)
        }
        (V::Dns, RvValue::Text(host)) if !is_host(host) => Some(FindingKind::RvHost),
        (_, RvValue::Ipv4(ip)) if !is_server(ip.into()) => Some(FindingKind::RvAddress),
        (_, RvValue::Ipv6(ip)) if !is_server(ip.into()) => Some(FindingKind::RvAddress),
        _ => None,
    }
}

/// Whether these are the 4 or 16 bytes of an address that a server can have.
pub(crate) fn is_usable(bytes: &[u8]) -> bool {
    match (<[u8; 4]>::try_from(bytes), <[u8; 16]>::try_from(bytes)) {
        (Ok(v4), _) => is_server(v4.into()),
        (_, Ok(v6)) => is_server(v6.into()),
        _ => false,
    }
}

/// Whether a server can have this address. No IPv4 server is in 0.0.0.0/8 ("this network"), in
/// 224.0.0.0/4 (multicast), or in 240.0.0.0/4 (reserved, broadcast): RFC 6890. An IPv4-mapped IPv6
/// address is the same address.
pub(crate) fn is_server(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => (1..224).contains(&v4.octets()[0]),
        IpAddr::V6(v6) => !(v6.is_unspecified() || v6.is_multicast()),
    }
}

/// Whether a text is a host: a DNS name (RFC 1123 §2.1), underscores allowed, at most 253 bytes
/// without a final dot; or an IP address that a server can have.
///
/// Resolvers treat a name whose last label is a number, decimal or hexadecimal, as an IPv4 address
/// (WHATWG URL, "ends in a number"). They interpret its forms differently: `0x7f000001`,
/// `10.0.0.0x1`, `017.0.0.1`. Only four decimal numbers without leading zeros are accepted. Names
/// outside ASCII must be in their ASCII form (RFC 5890).
pub(crate) fn is_host(text: &str) -> bool {
    if text.contains(':') {
        let address = text.parse::<Ipv6Addr>();
        return address.is_ok_and(|ip| is_server(ip.into()));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let last = name.rsplit('.').next().unwrap_or_default();
    if is_number(last) {
        let address = text.parse::<Ipv4Addr>();
        return address.is_ok_and(|ip| is_server(ip.into()));
    }
    name.len() <= 253 && name.split('.').all(is_label)
}

/// Whether resolvers interpret this label as a number: digits, or `0x` followed by hexadecimal
/// digits or by nothing.
fn is_number(label: &str) -> bool {
    let hexadecimal = label
        .strip_prefix("0x")
        .or_else(|| label.strip_prefix("0X"));
    hexadecimal.map_or_else(
        || label.bytes().all(|byte| byte.is_ascii_digit()),
        |digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()),
    )
}

fn is_label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    (1..=63).contains(&label.len())
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The variables of one directive, as a set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Directive {
    seen: u32,
    any: bool,
}

impl Directive {
    pub(super) const fn new() -> Self {
        Self {
            seen: 0,
            any: false,
        }
    }

    const fn bit(variable: RvVariable) -> u32 {
        // Codes are below 16.
        1 << (variable.code() & 31)
    }

    const fn has(self, variable: RvVariable) -> bool {
        self.seen & Self::bit(variable) != 0
    }

    /// Adds a variable and returns whether it was already present. Unknown ones are not compared.
    pub(super) fn repeats(&mut self, variable: Option<RvVariable>) -> bool {
        self.any = true;
        let Some(variable) = variable else {
            return false;
        };
        let before = self.has(variable);
        self.seen |= Self::bit(variable);
        before
    }

    /// The anomalies of the directive as a whole.
    pub(super) fn findings(self, mut note: impl FnMut(FindingKind)) {
        use RvVariable as V;
        if !self.any {
            return note(FindingKind::RvEmpty);
        }
        if self.has(V::DevOnly) && self.has(V::OwnerOnly) {
            note(FindingKind::RvForNobody);
        }
        // A person is asked for the address, another mechanism finds it, or the directive is only a
        // delay.
        let pause = Self::bit(V::DelaySec) | Self::bit(V::DevOnly) | Self::bit(V::OwnerOnly);
        let is_pause = self.has(V::DelaySec) && self.seen & !pause == 0;
        let elsewhere = is_pause || self.has(V::UserInput) || self.has(V::ExtRv);
        if !self.has(V::Dns) && !self.has(V::IpAddress) && !elsewhere {
            note(FindingKind::RvNoAddress);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{is_host, is_server, is_usable};

    #[test]
    fn hosts_are_names_or_addresses() {
        for host in [
            "rv",
            "rv.example.com",
            "rv.example.com.",
            "xn--bcher-kva.example",
            "_rv.example.com",
            "3com.example",
            "0x7f.example",
            "rv.0xg",
            "0xrv",
            "1.0.0.0",
            "223.255.255.255",
            "10.0.0.5",
            "127.0.0.1",
            "2001:db8::7",
            "::1",
            "::ffff:10.0.0.5",
        ] {
            assert!(is_host(host), "{host}");
        }
        let label = "a".repeat(64);
        let long = ["a"; 128].join(".");
        for host in [
            "",
            ".",
            "rv..example.com",
            ".example.com",
            "-rv.example.com",
            "rv-.example.com",
            "https://rv.example.com",
            "rv.example.com/path",
            "rv.example.com:8443",
            "user@rv.example.com",
            "rv example.com",
            " rv.example.com",
            "rv.example.com\n",
            "rv.example.com\0",
            "rv\u{9b}31m.example.com",
            "rv\u{202e}.example.com",
            "b\u{fc}cher.example",
            "10.0.0.256",
            "10.0.0",
            "10.0.0.5.",
            "010.0.0.5",
            "4294967295",
            "0.0.0.0",
            "255.255.255.255",
            "224.0.0.1",
            "0x7f000001",
            "0X7F000001",
            "0x",
            "10.0.0.0x1",
            "10.0.0.0x1.",
            "rv.example.0x1f",
            "rv.example.7",
            "0177.0.0.1",
            "127.1",
            "0.1.2.3",
            "240.1.2.3",
            "254.255.255.255",
            "::ffff:0.1.2.3",
            "::ffff:240.1.2.3",
            "::",
            "ff02::1",
            "[::1]",
            "::1%eth0",
            &label,
            &long,
        ] {
            assert!(!is_host(host), "{host}");
        }
        assert!(is_host(&label[..63]) && is_host(&long[..253]));
    }

    /// The same rule for addresses in bytes, and for IPv4 addresses inside of IPv6.
    #[test]
    fn addresses_of_servers() {
        for (first, usable) in [
            (0, false),
            (1, true),
            (223, true),
            (224, false),
            (240, false),
            (255, false),
        ] {
            let v4 = [first, 1, 2, 3];
            assert_eq!(is_usable(&v4), usable, "{v4:?}");
            let mut v6 = [0; 16];
            v6[10..12].fill(0xff);
            v6[12..].copy_from_slice(&v4);
            assert_eq!(is_usable(&v6), usable, "{v6:?}");
            assert_eq!(is_server(v6.into()), usable, "{v6:?}");
        }
        assert!(!is_usable(&[1, 2, 3, 4, 5]));
    }
}
