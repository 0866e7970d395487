//! A rendezvous directive from a URL.

use core::net::{Ipv4Addr, Ipv6Addr};

use super::rendezvous::{RvDirective, RvProtocol};
use crate::error::{Error, ErrorKind};
use crate::voucher::is_host;

impl RvDirective {
    /// The directive for a URL: host, port for devices and owners, protocol.
    ///
    /// The schemes are `http`, `https`, `tcp`, `tls`, `coap` and `coap+tcp`. The port may be left out where
    /// the scheme has one. A path, a query or a user is refused, because a voucher cannot hold it.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] with what was expected.
    ///
    /// ```
    /// use ownership_voucher::create::{RvDirective, RvProtocol};
    /// # fn main() -> Result<(), ownership_voucher::Error> {
    /// let directive = RvDirective::from_url("https://rv.example.com:8443")?;
    /// let same = RvDirective::new()
    ///     .dns("rv.example.com")
    ///     .device_port(8443)
    ///     .owner_port(8443)
    ///     .protocol(RvProtocol::Https);
    /// assert_eq!(directive, same);
    /// # Ok(())
    /// # }
    /// ```
    pub fn from_url(url: &str) -> Result<Self, Error> {
        let bad = |why| Error::because(ErrorKind::BadArgument, why);
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
                let why = "the protocol is none of http, https, tcp, tls, coap, coap+tcp";
                return Err(bad(why));
            }
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#', '@']) {
            return Err(bad("a voucher holds host and port only"));
        }
        let (host, port) =
            split(authority).ok_or_else(|| bad("an address, then a port expected"))?;
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
        let directive = if authority.starts_with('[') {
            let address: Ipv6Addr = host.parse().map_err(|_| bad("not an IPv6 address"))?;
            Self::new().ip(address)
        } else if let Ok(address) = host.parse::<Ipv4Addr>() {
            Self::new().ip(address)
        } else if is_host(host) {
            Self::new().dns(host)
        } else {
            return Err(bad("neither a host name nor an IP address"));
        };
        Ok(directive
            .device_port(port)
            .owner_port(port)
            .protocol(protocol))
    }
}

/// Host and port; the brackets of an IPv6 address are left out.
fn split(authority: &str) -> Option<(&str, Option<&str>)> {
    let Some(rest) = authority.strip_prefix('[') else {
        return Some(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        });
    };
    let (host, rest) = rest.split_once(']')?;
    match rest.strip_prefix(':') {
        Some(port) => Some((host, Some(port))),
        None => rest.is_empty().then_some((host, None)),
    }
}
