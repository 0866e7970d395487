//! Rendezvous info: where the device and its owner meet. `[count, [variables, {"name": value, …}], …]`.

use alloc::format;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::net::{Ipv4Addr, Ipv6Addr};

use ownership_voucher::finding::FindingKind;
use ownership_voucher::{Error, ErrorKind};

use crate::item::{HashItem, Want, read_bytes};
use crate::read::{Reader, Width, stated_length};
use crate::string::decoded;
use crate::token::{Span, Token};

/// A variable of a rendezvous instruction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Variable {
    /// `cch`: the hash of the certificate authority of the server.
    CaCertHash,
    /// `delaysec`: seconds to wait after this instruction.
    Delay,
    /// `dn`: the host name.
    Dns,
    /// `ip`: the address.
    IpAddress,
    /// `me`: the network interface to use.
    Medium,
    /// `only`: whom the instruction is for, `dev` or `owner`.
    Only,
    /// `po`: the port for devices.
    DevicePort,
    /// `pow`: the port for owners.
    OwnerPort,
    /// `pr`: the protocol.
    Protocol,
    /// `pw`: a Wi-Fi password, in clear.
    WifiPassword,
    /// `sch`: the hash of the certificate of the server.
    ServerCertHash,
    /// `ss`: the name of a Wi-Fi network.
    WifiName,
    /// `ui`: whether the device asks a person, 0 or 1.
    UserInput,
    /// `wsp`: the security of a Wi-Fi network.
    WifiSecurity,
    /// A name that the specification does not have.
    Other,
}

impl Variable {
    const NAMES: [(&'static str, Self); 14] = [
        ("cch", Self::CaCertHash),
        ("delaysec", Self::Delay),
        ("dn", Self::Dns),
        ("ip", Self::IpAddress),
        ("me", Self::Medium),
        ("only", Self::Only),
        ("po", Self::DevicePort),
        ("pow", Self::OwnerPort),
        ("pr", Self::Protocol),
        ("pw", Self::WifiPassword),
        ("sch", Self::ServerCertHash),
        ("ss", Self::WifiName),
        ("ui", Self::UserInput),
        ("wsp", Self::WifiSecurity),
    ];

    fn of(name: &[u8]) -> Self {
        let known = Self::NAMES.into_iter();
        let found = known
            .into_iter()
            .find(|(known, _)| known.as_bytes() == name);
        found.map_or(Self::Other, |(_, variable)| variable)
    }

    /// The variable of FDO 1.1 that says the same, if there is one (FDO 1.1, RVVariable).
    #[must_use]
    pub const fn of_fdo(self) -> Option<&'static str> {
        Some(match self {
            Self::CaCertHash => "RVClCertHash",
            Self::Delay => "RVDelaysec",
            Self::Dns => "RVDns",
            Self::IpAddress => "RVIPAddress",
            Self::Medium => "RVMedium",
            Self::Only => "RVDevOnly or RVOwnerOnly",
            Self::DevicePort => "RVDevPort",
            Self::OwnerPort => "RVOwnerPort",
            Self::Protocol => "RVProtocol",
            Self::WifiPassword => "RVWifiPw",
            Self::ServerCertHash => "RVSvCertHash",
            Self::WifiName => "RVWifiSsid",
            Self::UserInput => "RVUserInput",
            Self::WifiSecurity | Self::Other => return None,
        })
    }
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value {
    /// A number.
    Number(u64),
    /// A text, decoded.
    Text(String),
    /// An IPv4 address.
    Ipv4([u8; 4]),
    /// An IPv6 address.
    Ipv6([u8; 16]),
    /// A hash.
    Hash(Vec<u8>),
    /// JSON of a variable that is not known, as received.
    Raw(String),
}

impl Value {
    /// The value in words; hashes are in hexadecimal digits.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Text(text) | Self::Raw(text) => text.clone(),
            Self::Ipv4(address) => Ipv4Addr::from(*address).to_string(),
            Self::Ipv6(address) => Ipv6Addr::from(*address).to_string(),
            Self::Hash(bytes) => hex(bytes),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One variable with its value.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Setting {
    /// Which one.
    pub variable: Variable,
    /// Its name in the text.
    pub name: String,
    /// Its value.
    pub value: Value,
    /// The byte offset of its name in the text.
    pub offset: usize,
}

impl Setting {
    /// Whether the value may be a secret: a Wi-Fi password, or something that is not known.
    #[must_use]
    pub const fn may_be_secret(&self) -> bool {
        matches!(self.variable, Variable::WifiPassword | Variable::Other)
    }
}

/// One instruction: where to try next.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Instruction {
    /// Its variables, in the order of the text.
    pub settings: Vec<Setting>,
}

impl Instruction {
    /// The value of a variable, if it is set.
    #[must_use]
    pub fn get(&self, variable: Variable) -> Option<&Value> {
        let mut settings = self.settings.iter();
        let found = settings.find(|setting| setting.variable == variable);
        found.map(|setting| &setting.value)
    }

    /// The address for devices, as `protocol://host:port`; `None` if the instruction is for owners only or
    /// names no host. The default protocol is TLS.
    ///
    /// ```
    /// # // Read from vouchers alone.
    /// # fn url(voucher: &ownership_voucher_sdo::Voucher<'_>) -> Option<String> {
    /// voucher.rendezvous().first()?.device_url()
    /// # }
    /// ```
    #[must_use]
    pub fn device_url(&self) -> Option<String> {
        self.url("owner", Variable::DevicePort)
    }

    /// The address for owners; the same as [`device_url`](Self::device_url) in all else.
    #[must_use]
    pub fn owner_url(&self) -> Option<String> {
        self.url("dev", Variable::OwnerPort)
    }

    /// The address with this port, unless the instruction is for `others` only.
    fn url(&self, others: &str, port: Variable) -> Option<String> {
        if self.get(Variable::Only) == Some(&Value::Text(String::from(others))) {
            return None;
        }
        let host = match (self.get(Variable::Dns), self.get(Variable::IpAddress)) {
            (Some(host), _) => host.words(),
            (None, Some(Value::Ipv6(address))) => format!("[{}]", Ipv6Addr::from(*address)),
            (None, Some(address)) => address.words(),
            (None, None) => return None,
        };
        let protocol = self.get(Variable::Protocol);
        let protocol = protocol.map_or_else(|| String::from("tls"), Value::words);
        let port = self.get(port).map(|port| format!(":{}", port.words()));
        Some(format!("{protocol}://{host}{}", port.unwrap_or_default()))
    }
}

/// Reads the rendezvous info, of at most so many instructions.
pub(crate) fn read(reader: &mut Reader<'_>, most: usize) -> Result<Vec<Instruction>, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenArray)?;
    let stated = reader.number(Width::U32)?;
    let mut instructions = Vec::new();
    while reader.more(false)? {
        if instructions.len() >= most {
            let (found, most) = ((most as u64).saturating_add(1), most as u64);
            let kind = ErrorKind::LimitRvInstructions;
            return Err(Error::count(kind, found, most, "instructions").at(reader.ahead()));
        }
        instructions.push(instruction(reader)?);
    }
    if instructions.len() as u64 != stated {
        let found = instructions.len() as u64;
        return Err(stated_length(found, stated, "rendezvous instructions").at(start));
    }
    if instructions.is_empty() {
        reader.note(FindingKind::RvEmpty, start);
    }
    Ok(instructions)
}

fn instruction(reader: &mut Reader<'_>) -> Result<Instruction, Error> {
    let start = reader.ahead();
    reader.expect(Token::OpenArray)?;
    let stated = reader.number(Width::U32)?;
    reader.expect(Token::Comma)?;
    reader.expect(Token::OpenObject)?;
    let mut settings: Vec<Setting> = Vec::new();
    let mut ordered = true;
    loop {
        let at = reader.ahead();
        let Some(name) = reader.next_member(settings.is_empty())? else {
            break;
        };
        let offset = match settings.is_empty() {
            true => at,
            // Behind the comma.
            false => at.saturating_add(1),
        };
        let name = String::from_utf8_lossy(name).into_owned();
        // Names are compared as they are sorted: the work is that of a sorted list for the format's own
        // order, and bounded by the names that there are otherwise.
        match settings.last() {
            Some(last) if last.name < name && ordered => {}
            None => {}
            _ => {
                ordered = false;
                if settings.iter().any(|setting| setting.name == name) {
                    let why = "a rendezvous variable twice in one instruction";
                    return Err(Error::because(ErrorKind::Member, why).at(offset));
                }
            }
        }
        if settings.len() >= MAX_VARIABLES {
            let most = MAX_VARIABLES as u64;
            let error = Error::count(
                ErrorKind::LimitLabels,
                most.saturating_add(1),
                most,
                "variables",
            );
            return Err(error.at(offset));
        }
        let variable = Variable::of(name.as_bytes());
        let value = value(reader, variable)?;
        settings.push(Setting {
            variable,
            name,
            value,
            offset,
        });
    }
    reader.expect(Token::CloseArray)?;
    if settings.len() as u64 != stated {
        let found = settings.len() as u64;
        return Err(stated_length(found, stated, "rendezvous variables").at(start));
    }
    let instruction = Instruction { settings };
    remarks(reader, &instruction, start, ordered);
    Ok(instruction)
}

/// The most variables of an instruction. The format has 14.
const MAX_VARIABLES: usize = 64;

fn value(reader: &mut Reader<'_>, variable: Variable) -> Result<Value, Error> {
    let text = |reader: &mut Reader<'_>| -> Result<Value, Error> {
        let span = reader.text()?;
        Ok(Value::Text(decoded(span.of(reader.tokens.text()))))
    };
    match variable {
        Variable::CaCertHash | Variable::ServerCertHash => {
            HashItem::read(reader, Want::Hash).map(|hash| Value::Hash(hash.value))
        }
        Variable::Delay | Variable::UserInput => reader.number(Width::U32).map(Value::Number),
        Variable::DevicePort | Variable::OwnerPort => reader.number(Width::U16).map(Value::Number),
        Variable::IpAddress => {
            let at = reader.ahead();
            reader.expect(Token::OpenArray)?;
            let bytes = read_bytes(reader)?;
            reader.expect(Token::CloseArray)?;
            if let Ok(address) = <[u8; 4]>::try_from(bytes.as_slice()) {
                return Ok(Value::Ipv4(address));
            }
            match <[u8; 16]>::try_from(bytes.as_slice()) {
                Ok(address) => Ok(Value::Ipv6(address)),
                Err(_) => {
                    let why = "an address of 4 or 16 bytes expected";
                    Err(Error::because(ErrorKind::WrongSize, why).at(at))
                }
            }
        }
        Variable::Other => {
            let span: Span = reader.skip()?;
            let raw = span.of(reader.tokens.text());
            Ok(Value::Raw(String::from_utf8_lossy(raw).into_owned()))
        }
        _ => text(reader),
    }
}

fn remarks(reader: &mut Reader<'_>, instruction: &Instruction, start: usize, ordered: bool) {
    if !ordered {
        reader.note(FindingKind::SdoRvOrder, start);
    }
    if instruction.settings.is_empty() {
        reader.note(FindingKind::RvEmpty, start);
        return;
    }
    for setting in &instruction.settings {
        let kind = match (setting.variable, &setting.value) {
            (Variable::Other, _) => FindingKind::RvUnknown,
            (Variable::Only, Value::Text(text)) if !matches!(&**text, "dev" | "owner") => {
                FindingKind::RvValue
            }
            (Variable::UserInput, Value::Number(2..)) => FindingKind::RvValue,
            (Variable::Protocol, Value::Text(text)) if !is_protocol(text) => FindingKind::RvNumber,
            (Variable::Medium, Value::Text(text)) if !is_medium(text) => FindingKind::RvNumber,
            (Variable::Dns, Value::Text(text)) if text.is_empty() => FindingKind::RvHost,
            _ => continue,
        };
        reader.note(kind, setting.offset);
    }
    let reaches = |setting: &Setting| {
        matches!(
            setting.variable,
            Variable::Dns | Variable::IpAddress | Variable::UserInput | Variable::Delay
        )
    };
    if !instruction.settings.iter().any(reaches) {
        reader.note(FindingKind::RvNoAddress, start);
    }
}

fn is_protocol(text: &str) -> bool {
    matches!(text, "rest" | "tcp" | "tls" | "CoAP/tcp" | "http" | "https")
}

fn is_medium(text: &str) -> bool {
    let interface = text
        .strip_prefix("eth")
        .or_else(|| text.strip_prefix("wifi"));
    interface.is_some_and(|number| matches!(number.as_bytes(), [b'0'..=b'9' | b'*']))
}
