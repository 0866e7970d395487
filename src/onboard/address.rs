//! An address of the owner, as to1d has it.

use alloc::string::String;
use alloc::vec;
use core::net::IpAddr;

use ciborium::Value;

use super::message::read_number;
use crate::cbor::Reader;
use crate::error::{Error, ErrorKind};
use crate::key::NullSink;
use crate::voucher::{is_host, is_server};

/// The transport from a device to its owner, in an [`OwnerAddress`]: values of `TransportProtocol`.
///
/// FDO has a second list for the way to the rendezvous server, which is in the voucher:
/// [`RvProtocol`](crate::create::RvProtocol). The two have different numbers for the same transports,
/// and each has some that the other lacks. So they are two types, and nothing converts one to the other.
///
/// | | to the rendezvous server: `RvProtocol` | to the owner: `Transport` |
/// |---|---|---|
/// | REST, which leaves HTTP or HTTPS to the device | `Rest` 0 | |
/// | HTTP | `Http` 1 | `Http` 3 |
/// | HTTPS | `Https` 2 | `Https` 5 |
/// | TCP | `Tcp` 3 | `Tcp` 1 |
/// | TLS | `Tls` 4 | `Tls` 2 |
/// | CoAP over TCP, and over UDP | `CoapTcp` 5, `CoapUdp` 6 | |
/// | CoAP, and with security | | `Coap` 4, `Coaps` 6 |
///
/// ```
/// use ownership_voucher::create::RvProtocol;
/// use ownership_voucher::onboard::Transport;
/// assert_eq!((RvProtocol::Https as u8, Transport::Https.code()), (2, 5));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of the FDO text
pub enum Transport {
    Tcp,
    Tls,
    Http,
    Coap,
    Https,
    Coaps,
    /// A code that FDO 1.1 does not define.
    Other(u8),
}

impl Transport {
    /// The code: 1 to 6, or that of [`Other`](Self::Other).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Tcp => 1,
            Self::Tls => 2,
            Self::Http => 3,
            Self::Coap => 4,
            Self::Https => 5,
            Self::Coaps => 6,
            Self::Other(code) => code,
        }
    }

    /// The stable name, in lower case; `other` for a code that FDO 1.1 does not define.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::Http => "http",
            Self::Coap => "coap",
            Self::Https => "https",
            Self::Coaps => "coaps",
            Self::Other(_) => "other",
        }
    }

    /// The transport with this code.
    #[must_use]
    pub const fn from_code(code: u8) -> Self {
        match code {
            1 => Self::Tcp,
            2 => Self::Tls,
            3 => Self::Http,
            4 => Self::Coap,
            5 => Self::Https,
            6 => Self::Coaps,
            other => Self::Other(other),
        }
    }
}

/// An address of the owner, `RVTO2Addr`: a DNS name, an IP address, or both.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[doc(alias = "RVTO2Addr")]
pub struct OwnerAddress {
    /// `RVIP`.
    pub ip: Option<IpAddr>,
    /// `RVDNS`.
    pub dns: Option<String>,
    /// `RVPort`.
    pub port: u16,
    /// `RVProtocol`.
    pub transport: Transport,
}

impl OwnerAddress {
    /// Fails if no device could reach this address.
    pub(super) fn check(&self) -> Result<(), Error> {
        let bad = |what| Err(Error::because(ErrorKind::Incomplete, what));
        if self.dns.as_deref().is_some_and(|dns| !is_host(dns)) {
            return bad("a host of the owner that is neither a DNS name nor an IP address");
        }
        if self.ip.is_some_and(|ip| !is_server(ip.to_canonical())) {
            return bad("an IP address of the owner that is that of no server");
        }
        if self.port == 0 {
            return bad("a port of the owner that is 0");
        }
        Ok(())
    }

    pub(super) fn to_value(&self) -> Value {
        let ip = self.ip.map_or(Value::Null, |ip| match ip {
            IpAddr::V4(ip) => Value::Bytes(ip.octets().to_vec()),
            IpAddr::V6(ip) => Value::Bytes(ip.octets().to_vec()),
        });
        let dns = self.dns.clone().map_or(Value::Null, Value::Text);
        Value::Array(vec![
            ip,
            dns,
            self.port.into(),
            self.transport.code().into(),
        ])
    }

    pub(super) fn read(reader: &mut Reader<'_>, bytes: &[u8]) -> Result<Self, Error> {
        let sink = &mut NullSink;
        let mut items = reader.array_of(4, sink)?;
        reader.next(&mut items)?;
        let at = reader.position();
        let ip = match reader.null() {
            true => None,
            false => Some(read_ip(reader.bytes(sink)?.of(bytes), at)?),
        };
        reader.next(&mut items)?;
        let dns = match reader.null() {
            true => None,
            // UTF-8 was checked by the reader.
            false => Some(core::str::from_utf8(reader.text(sink)?.of(bytes)).unwrap_or_default()),
        };
        reader.next(&mut items)?;
        let port = read_number(reader, sink)?;
        reader.next(&mut items)?;
        let transport = read_number(reader, sink)?;
        reader.close(&mut items)?;
        Ok(Self {
            ip,
            dns: dns.map(Into::into),
            port,
            transport: Transport::from_code(transport),
        })
    }
}

/// Four or sixteen bytes; go-fdo writes IPv4 addresses in sixteen (RFC 4291 §2.5.5.2).
fn read_ip(bytes: &[u8], at: usize) -> Result<IpAddr, Error> {
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ok(IpAddr::from(v4));
    }
    match <[u8; 16]>::try_from(bytes) {
        Ok(v6) => Ok(IpAddr::from(v6).to_canonical()),
        Err(_) => {
            Err(Error::because(ErrorKind::WrongSize, "4 or 16 bytes of address expected").at(at))
        }
    }
}
