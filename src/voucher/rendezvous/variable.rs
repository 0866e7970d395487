//! Rendezvous variables and their values.

use core::fmt;

/// A rendezvous variable (FDO 1.1, RendezvousInfo).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
#[doc(alias = "RVVariable")]
#[allow(missing_docs)] // the names are those of the FDO text, and their values are given below
#[repr(u8)]
pub enum RvVariable {
    DevOnly,
    OwnerOnly,
    IpAddress,
    DevPort,
    OwnerPort,
    Dns,
    SvCertHash,
    ClCertHash,
    UserInput,
    WifiSsid,
    WifiPw,
    Medium,
    Protocol,
    DelaySec,
    Bypass,
    ExtRv,
}

impl RvVariable {
    /// Every variable, in the order of its code, 0 to 15.
    pub const ALL: [Self; 16] = [
        Self::DevOnly,
        Self::OwnerOnly,
        Self::IpAddress,
        Self::DevPort,
        Self::OwnerPort,
        Self::Dns,
        Self::SvCertHash,
        Self::ClCertHash,
        Self::UserInput,
        Self::WifiSsid,
        Self::WifiPw,
        Self::Medium,
        Self::Protocol,
        Self::DelaySec,
        Self::Bypass,
        Self::ExtRv,
    ];

    /// The code, 0 to 15.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The name in FDO 1.1.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::DevOnly => "RVDevOnly",
            Self::OwnerOnly => "RVOwnerOnly",
            Self::IpAddress => "RVIPAddress",
            Self::DevPort => "RVDevPort",
            Self::OwnerPort => "RVOwnerPort",
            Self::Dns => "RVDns",
            Self::SvCertHash => "RVSvCertHash",
            Self::ClCertHash => "RVClCertHash",
            Self::UserInput => "RVUserInput",
            Self::WifiSsid => "RVWifiSsid",
            Self::WifiPw => "RVWifiPw",
            Self::Medium => "RVMedium",
            Self::Protocol => "RVProtocol",
            Self::DelaySec => "RVDelaysec",
            Self::Bypass => "RVBypass",
            Self::ExtRv => "RVExtRV",
        }
    }

    /// Whether the variable is a flag: it has no value.
    #[must_use]
    pub const fn is_flag(self) -> bool {
        matches!(self, Self::DevOnly | Self::OwnerOnly | Self::Bypass)
    }

    pub(super) fn from_code(code: i128) -> Option<Self> {
        usize::try_from(code)
            .ok()
            .and_then(|code| Self::ALL.get(code).copied())
    }
}

/// A value, decoded as far as its variable defines it.
///
/// `Debug` prints only the number of bytes, not the text or bytes, which may be a Wi-Fi password.
#[derive(Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RvValue<'v> {
    /// No value: the variable is a flag.
    None,
    /// An IPv4 address, also from the IPv6 form ::ffff:a.b.c.d, which go-fdo writes.
    Ipv4([u8; 4]),
    /// An IPv6 address.
    Ipv6([u8; 16]),
    /// A port, protocol, medium or number of seconds.
    Number(u64),
    /// A host name, Wi-Fi name or password.
    Text(&'v str),
    /// A Boolean value.
    Bool(bool),
    /// Anything else: the bytes of the value.
    Raw(&'v [u8]),
}

impl fmt::Debug for RvValue<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("None"),
            Self::Ipv4(address) => write!(f, "Ipv4({})", core::net::Ipv4Addr::from(*address)),
            Self::Ipv6(address) => write!(f, "Ipv6({})", core::net::Ipv6Addr::from(*address)),
            Self::Number(number) => write!(f, "Number({number})"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bool(value) => write!(f, "Bool({value})"),
            Self::Raw(bytes) => write!(f, "Raw({} bytes)", bytes.len()),
        }
    }
}
