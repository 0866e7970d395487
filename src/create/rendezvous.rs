//! RendezvousInfo that is written: addresses where device and owner can meet.

use alloc::string::String;
use alloc::vec;
use alloc::vec::Vec;
use core::net::IpAddr;

use ciborium::Value;

use crate::error::{Error, ErrorKind};
use crate::voucher::{RvVariable, is_host, is_usable};
use crate::write;

/// The transport from a device to a rendezvous server, in a directive of a voucher: values of
/// `RVProtocolValue` (FDO 1.1, RendezvousInfo).
///
/// The address of an owner has another list, [`Transport`](crate::onboard::Transport), whose table compares
/// the two. FDO numbers the same transports differently there, so that neither list stands for the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
#[allow(missing_docs)] // the names are those of the FDO text
#[repr(u8)]
pub enum RvProtocol {
    Rest,
    Http,
    Https,
    Tcp,
    Tls,
    CoapTcp,
    CoapUdp,
}

impl RvProtocol {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Http => "http",
            Self::Https => "https",
            Self::Tcp => "tcp",
            Self::Tls => "tls",
            Self::CoapTcp => "coap-tcp",
            Self::CoapUdp => "coap-udp",
        }
    }
}

/// One directive: an address where device and owner can meet. The order of its instructions is
/// preserved.
#[derive(Clone, Debug, Default, PartialEq)]
#[doc(alias = "RendezvousDirective")]
pub struct RvDirective(Vec<(RvVariable, Option<Value>)>);

impl RvDirective {
    /// An empty directive.
    #[must_use]
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    fn with(mut self, variable: RvVariable, value: Option<Value>) -> Self {
        self.0.push((variable, value));
        self
    }

    /// The host name of the rendezvous server: a DNS name without scheme, port or path.
    #[must_use]
    pub fn dns(self, name: impl Into<String>) -> Self {
        self.with(RvVariable::Dns, Some(Value::Text(name.into())))
    }

    /// The IP address of the rendezvous server: an `IpAddr`, or its bytes.
    #[must_use]
    pub fn ip(self, address: impl Into<IpAddr>) -> Self {
        let bytes = match address.into() {
            IpAddr::V4(address) => address.octets().to_vec(),
            IpAddr::V6(address) => address.octets().to_vec(),
        };
        self.with(RvVariable::IpAddress, Some(Value::Bytes(bytes)))
    }

    /// The port that devices use.
    #[must_use]
    pub fn device_port(self, port: u16) -> Self {
        self.with(RvVariable::DevPort, Some(port.into()))
    }

    /// The port that owners use.
    #[must_use]
    pub fn owner_port(self, port: u16) -> Self {
        self.with(RvVariable::OwnerPort, Some(port.into()))
    }

    /// The transport.
    #[must_use]
    pub fn protocol(self, protocol: RvProtocol) -> Self {
        self.with(RvVariable::Protocol, Some((protocol as u8).into()))
    }

    /// Delay in seconds before the next directive.
    #[must_use]
    pub fn delay(self, seconds: u32) -> Self {
        self.with(RvVariable::DelaySec, Some(seconds.into()))
    }

    /// A flag: [`RvVariable::DevOnly`], [`RvVariable::OwnerOnly`] or [`RvVariable::Bypass`]. Other
    /// variables are ignored. fdo-rs and the FIDO conformance tool cannot read flags.
    #[must_use]
    pub fn flag(self, variable: RvVariable) -> Self {
        if variable.is_flag() {
            self.with(variable, None)
        } else {
            self
        }
    }

    fn has(&self, wanted: RvVariable) -> bool {
        self.0.iter().any(|(variable, _)| *variable == wanted)
    }

    /// Fails if a device could not act on the directive, or if readers would interpret it
    /// differently. It must have an address, a port and a protocol, contain each variable once, and
    /// apply to devices or owners.
    fn check(&self) -> Result<(), Error> {
        let bad = |what| Err(Error::because(ErrorKind::Incomplete, what));
        if !self.has(RvVariable::Dns) && !self.has(RvVariable::IpAddress) {
            return bad("a rendezvous directive without DNS name or IP address");
        }
        if !self.has(RvVariable::DevPort) && !self.has(RvVariable::OwnerOnly) {
            return bad("a rendezvous directive without device port");
        }
        if !self.has(RvVariable::Protocol) {
            return bad("a rendezvous directive without protocol");
        }
        if self.has(RvVariable::DevOnly) && self.has(RvVariable::OwnerOnly) {
            return bad("a rendezvous directive for devices only and for owners only at once");
        }
        for (number, (variable, value)) in self.0.iter().enumerate() {
            if self
                .0
                .iter()
                .take(number)
                .any(|(before, _)| before == variable)
            {
                return bad("a variable occurs twice in one rendezvous directive");
            }
            match value {
                Some(Value::Text(host)) if !is_host(host) => {
                    return bad("a rendezvous host that is neither a DNS name nor an IP address");
                }
                Some(Value::Bytes(address)) if !is_usable(address) => {
                    return bad("a rendezvous address that is that of no server");
                }
                Some(Value::Integer(port)) if is_port(*variable) && i128::from(*port) == 0 => {
                    return bad("a rendezvous port of 0");
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn to_value(&self) -> Value {
        let instruction = |(variable, value): &(RvVariable, Option<Value>)| {
            let mut pair = vec![variable.code().into()];
            pair.extend(
                value
                    .as_ref()
                    .map(|value| Value::Bytes(write::to_bytes(value))),
            );
            Value::Array(pair)
        };
        Value::Array(self.0.iter().map(instruction).collect())
    }
}

const fn is_port(variable: RvVariable) -> bool {
    matches!(variable, RvVariable::DevPort | RvVariable::OwnerPort)
}

/// RendezvousInfo of some directives, as CBOR.
pub(crate) fn rendezvous_value(directives: &[RvDirective]) -> Result<Value, Error> {
    if directives.is_empty() {
        return Err(Error::because(
            ErrorKind::Incomplete,
            "no rendezvous directive",
        ));
    }
    directives.iter().try_for_each(RvDirective::check)?;
    Ok(Value::Array(
        directives.iter().map(RvDirective::to_value).collect(),
    ))
}
