//! Rendezvous info (FDO 1.1, RendezvousInfo): kept as bytes, decoded for people as far as it goes.
//!
//! ```cddl
//! RendezvousInfo = [1* RendezvousDirective]
//! RendezvousDirective = [1* RendezvousInstr]
//! RendezvousInstr = [RVVariable: uint8, ? RVValue: bstr .cbor any]
//! ```
//!
//! The device's HMAC protects these bytes and no later owner acts on them, so that nothing odd in
//! here refuses a voucher. Implementations differ a good deal in what they write.

use crate::cbor::{Items, Reader, Sink, Span};
use crate::error::{DeviceError, ErrorKind, Fail};
use crate::finding::FindingKind;
use crate::key::Quiet;
use crate::limits::Limits;

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
    /// Every variable by its code, 0 to 15.
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

    /// The name in the FDO text.
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

    /// Whether the variable says everything by standing there.
    #[must_use]
    pub const fn is_flag(self) -> bool {
        matches!(self, Self::DevOnly | Self::OwnerOnly | Self::Bypass)
    }

    fn from_code(code: i128) -> Option<Self> {
        usize::try_from(code)
            .ok()
            .and_then(|code| Self::ALL.get(code).copied())
    }
}

/// A value, decoded as far as its variable tells how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RvValue<'v> {
    /// A flag.
    None,
    /// An IPv4 address, also from the IPv6 form ::ffff:a.b.c.d that go-fdo writes.
    Ipv4([u8; 4]),
    /// An IPv6 address.
    Ipv6([u8; 16]),
    /// A port, protocol, medium or number of seconds.
    Number(u64),
    /// A host name, Wi-Fi name or password.
    Text(&'v str),
    /// A truth value.
    Bool(bool),
    /// Anything else: the bytes of the value.
    Raw(&'v [u8]),
}

/// One instruction of a directive.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "RendezvousInstr")]
pub struct RvInstruction<'v> {
    directive: usize,
    code: i128,
    bytes: &'v [u8],
    value: Option<Span>,
    wrapped: bool,
}

impl<'v> RvInstruction<'v> {
    /// The directive that it belongs to, counted from 0.
    #[must_use]
    pub const fn directive(&self) -> usize {
        self.directive
    }

    /// The variable, where FDO 1.1 has it.
    #[must_use]
    pub fn variable(&self) -> Option<RvVariable> {
        RvVariable::from_code(self.code)
    }

    /// The code of the variable.
    #[must_use]
    pub const fn code(&self) -> i128 {
        self.code
    }

    /// The bytes of the value: the content of its byte string, or the bare CBOR item.
    #[must_use]
    pub fn raw(&self) -> Option<&'v [u8]> {
        self.value.map(|value| value.of(self.bytes))
    }

    /// The value as its variable asks for it, [`RvValue::Raw`] where it is something else.
    #[must_use]
    pub fn value(&self) -> RvValue<'v> {
        match self.value {
            None => RvValue::None,
            Some(span) => self
                .decode(span)
                .unwrap_or_else(|| RvValue::Raw(span.of(self.bytes))),
        }
    }

    fn decode(&self, span: Span) -> Option<RvValue<'v>> {
        use RvVariable as V;
        let mut reader = Reader::<DeviceError>::over(self.bytes, span);
        let value = match self.variable()? {
            V::IpAddress => {
                let content: &'v [u8] = reader.bytes(&mut Quiet).ok()?.of(self.bytes);
                match (<[u8; 4]>::try_from(content), <[u8; 16]>::try_from(content)) {
                    (Ok(v4), _) => RvValue::Ipv4(v4),
                    (_, Ok([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, v4 @ ..])) => {
                        RvValue::Ipv4(v4)
                    }
                    (_, Ok(v6)) => RvValue::Ipv6(v6),
                    _ => return None,
                }
            }
            V::DevPort | V::OwnerPort => number(&mut reader, u64::from(u16::MAX))?,
            V::Medium | V::Protocol => number(&mut reader, u64::from(u8::MAX))?,
            V::DelaySec => number(&mut reader, u64::from(u32::MAX))?,
            V::Dns | V::WifiSsid | V::WifiPw => {
                let text = reader.text(&mut Quiet).ok()?.of(self.bytes);
                RvValue::Text(core::str::from_utf8(text).ok()?)
            }
            V::UserInput => match reader.skip(0, &mut Quiet).ok()?.of(self.bytes) {
                [0xf4] => RvValue::Bool(false),
                [0xf5] => RvValue::Bool(true),
                _ => return None,
            },
            V::SvCertHash | V::ClCertHash => {
                crate::digest::HashIndex::read(&mut reader, false, &mut Quiet).ok()?;
                RvValue::Raw(span.of(self.bytes))
            }
            V::ExtRv => {
                // The mechanism at least.
                let mut items = reader.array(&mut Quiet).ok()?;
                reader.more(&mut items).ok()?.then_some(())?;
                return Some(RvValue::Raw(span.of(self.bytes)));
            }
            V::DevOnly | V::OwnerOnly | V::Bypass => return None,
        };
        reader.finish("").ok()?;
        Some(value)
    }

    /// What is odd about the instruction.
    fn finding(&self) -> Option<FindingKind> {
        let Some(variable) = self.variable() else {
            return Some(FindingKind::RvUnknown);
        };
        match self.value {
            None if variable.is_flag() => None,
            None => Some(FindingKind::RvValueMissing),
            Some(_) if variable.is_flag() => Some(FindingKind::RvFlagValue),
            Some(span) if !self.wrapped || self.decode(span).is_none() => {
                Some(FindingKind::RvValue)
            }
            Some(_) => None,
        }
    }
}

fn number<'v>(reader: &mut Reader<'_, DeviceError>, most: u64) -> Option<RvValue<'v>> {
    let number = u64::try_from(reader.int(&mut Quiet).ok()?.0).ok()?;
    (number <= most).then_some(RvValue::Number(number))
}

/// The rendezvous info of a voucher.
#[derive(Clone, Copy, Debug)]
#[doc(alias = "OVRVInfo")]
pub struct RendezvousInfo<'v> {
    pub(crate) bytes: &'v [u8],
    pub(crate) span: Span,
}

impl<'v> RendezvousInfo<'v> {
    /// The CBOR item as received.
    #[must_use]
    pub fn as_bytes(&self) -> &'v [u8] {
        self.span.of(self.bytes)
    }

    /// The instructions in their order, as far as they have the shape of instructions.
    pub fn instructions(&self) -> impl Iterator<Item = RvInstruction<'v>> + use<'v> {
        self.placed().map(|(instruction, _)| instruction)
    }

    /// The same, each with the offset of its value, or its own where it has none.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (RvInstruction<'v>, usize)> + use<'v> {
        Walk::new(self.bytes, self.span)
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .map(|(instruction, at)| (instruction, instruction.value.map_or(at, Span::start)))
    }
}

/// Reads RendezvousInfo as one item and reports what is odd in it.
pub(crate) fn read<E: Fail>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Span, E> {
    let start = reader.position();
    if reader.peek().is_some_and(|byte| byte >> 5 != 4) {
        return Err(E::text(ErrorKind::WrongType, "an array wanted").at(start));
    }
    // The item first: whatever its shape, its end is known and its depth is bounded.
    let span = reader.skip(limits.depth, sink)?;
    let Some(walk) = Walk::new(reader.input(), span) else {
        sink.note(FindingKind::RvShape, start);
        return Ok(span);
    };
    let mut count = 0_usize;
    for step in walk {
        match step {
            Ok((instruction, at)) => {
                count = count.saturating_add(1);
                if count > limits.rendezvous {
                    let (found, wanted) = (count as u64, limits.rendezvous as u64);
                    let kind = ErrorKind::RvInstructions;
                    return Err(E::count(kind, found, wanted, "instructions").at(start));
                }
                if let Some(kind) = instruction.finding() {
                    sink.note(kind, at);
                }
            }
            Err(()) => {
                sink.note(FindingKind::RvShape, start);
                return Ok(span);
            }
        }
    }
    if count == 0 {
        sink.note(FindingKind::RvEmpty, start);
    }
    Ok(span)
}

/// Steps through the instructions of all directives; an error where the shape is another one.
struct Walk<'a> {
    bytes: &'a [u8],
    // Errors are swallowed, so they are of the kind that costs nothing.
    reader: Reader<'a, DeviceError>,
    directives: Items,
    directive: usize,
    instructions: Option<Items>,
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], span: Span) -> Option<Self> {
        let mut reader = Reader::over(bytes, span);
        let directives = reader.array(&mut Quiet).ok()?;
        Some(Self {
            bytes,
            reader,
            directives,
            directive: 0,
            instructions: None,
        })
    }

    fn step(&mut self) -> Result<Option<(RvInstruction<'a>, usize)>, DeviceError> {
        let quiet = &mut Quiet;
        loop {
            if let Some(items) = &mut self.instructions {
                if self.reader.more(items)? {
                    break;
                }
                self.directive = self.directive.saturating_add(1);
                self.instructions = None;
            }
            if !self.reader.more(&mut self.directives)? {
                return Ok(None);
            }
            self.instructions = Some(self.reader.array(quiet)?);
        }
        let mut pair = self.reader.array(quiet)?;
        self.reader.next(&mut pair)?;
        let (code, _) = self.reader.int(quiet)?;
        let (mut value, mut wrapped) = (None, false);
        if self.reader.more(&mut pair)? {
            wrapped = self.reader.peek().is_some_and(|byte| byte >> 5 == 2);
            value = Some(match wrapped {
                true => self.reader.bytes(quiet)?,
                false => self.reader.skip(Limits::MAX_DEPTH, quiet)?,
            });
            self.reader.close(&mut pair)?;
        }
        let bytes = self.bytes;
        Ok(Some((
            RvInstruction {
                directive: self.directive,
                code,
                bytes,
                value,
                wrapped,
            },
            pair.start,
        )))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<(RvInstruction<'a>, usize), ()>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map_err(drop).transpose()
    }
}
