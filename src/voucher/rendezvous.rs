//! Rendezvous info (FDO 1.1, RendezvousInfo): stored as bytes, decoded for display as far as
//! possible.
//!
//! ```cddl
//! RendezvousInfo = [1* RendezvousDirective]
//! RendezvousDirective = [1* RendezvousInstr]
//! RendezvousInstr = [RVVariable: uint8, ? RVValue: bstr .cbor any]
//! ```
//!
//! The device's HMAC protects these bytes, and no later owner acts on them. An anomaly here is
//! therefore not a reason to refuse a voucher by default. Implementations differ considerably in
//! what they write.
//!
//! The bytes may contain a Wi-Fi password, in its place or in a form that cannot be parsed.
//! Whatever cannot be parsed is treated like a password: it is not printed unless secrets are
//! requested.

mod hidden;
mod sense;
mod variable;

use core::fmt;

use crate::cbor::{Items, Reader, Sink, Span};
use crate::error::{DeviceError, ErrorKind, ReadError};
use crate::finding::FindingKind;
use crate::key::NullSink;
use crate::key::private::is_private_key;
use crate::limits::Limits;

pub(crate) use hidden::passwords;
pub(crate) use sense::{is_host, is_server, is_usable};
pub use variable::{RvValue, RvVariable};

/// One instruction of a directive. `Debug` does not print text or bytes of its value.
#[derive(Clone, Copy)]
#[doc(alias = "RendezvousInstr")]
pub struct RvInstruction<'v> {
    directive: usize,
    code: i128,
    bytes: &'v [u8],
    value: Option<Span>,
    wrapped: bool,
}

impl<'v> RvInstruction<'v> {
    /// The number of the directive that it belongs to, counted from 0.
    #[must_use]
    pub const fn directive(&self) -> usize {
        self.directive
    }

    /// The variable, if FDO 1.1 defines it.
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

    /// The value as its variable requires it, or [`RvValue::Raw`] if it is anything else.
    #[must_use]
    pub fn value(&self) -> RvValue<'v> {
        match self.value {
            None => RvValue::None,
            Some(span) => self
                .decode(span)
                .unwrap_or_else(|| RvValue::Raw(span.of(self.bytes))),
        }
    }

    /// Whether the value is or may be a secret, so that it must not be logged or displayed.
    ///
    /// That is the case for the Wi-Fi password, and for every value that cannot be parsed as its
    /// variable requires. It includes the values of unknown variables and of RVExtRV, values of
    /// flags, a URL instead of a host name, which may contain a user's password, and a text with a
    /// private key.
    ///
    /// ```
    /// # use ownership_voucher::*;
    /// fn print(voucher: &Voucher<'_>) {
    ///     for instruction in voucher.rendezvous().instructions() {
    ///         match instruction.may_be_secret() {
    ///             true => println!("{}: withheld", instruction.code()),
    ///             false => println!("{}: {:02x?}", instruction.code(), instruction.raw()),
    ///         }
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn may_be_secret(&self) -> bool {
        use RvVariable as V;
        let Some(span) = self.value else {
            return false;
        };
        match self.variable() {
            None | Some(V::WifiPw | V::ExtRv) => true,
            Some(_) => match self.decode(span) {
                None => true,
                Some(RvValue::Text(text)) => {
                    let url = self.code == 5 && text.contains(['/', '@', '?', '#']);
                    url || is_private_key(text.as_bytes())
                }
                Some(_) => false,
            },
        }
    }

    #[cfg(feature = "privacy")]
    /// The position of the value.
    pub(crate) const fn span(&self) -> Option<Span> {
        self.value
    }

    fn decode(&self, span: Span) -> Option<RvValue<'v>> {
        use RvVariable as V;
        let mut reader = Reader::<DeviceError>::over(self.bytes, span);
        let value = match self.variable()? {
            V::IpAddress => {
                let content: &'v [u8] = reader.bytes(&mut NullSink).ok()?.of(self.bytes);
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
                let text = reader.text(&mut NullSink).ok()?.of(self.bytes);
                RvValue::Text(core::str::from_utf8(text).ok()?)
            }
            V::UserInput => match reader.skip(0, &mut NullSink).ok()?.of(self.bytes) {
                [0xf4] => RvValue::Bool(false),
                [0xf5] => RvValue::Bool(true),
                _ => return None,
            },
            V::SvCertHash | V::ClCertHash => {
                crate::digest::HashIndex::read(&mut reader, false, &mut NullSink).ok()?;
                RvValue::Raw(span.of(self.bytes))
            }
            V::ExtRv => {
                // The mechanism at least.
                let mut items = reader.array(&mut NullSink).ok()?;
                reader.more(&mut items).ok()?.then_some(())?;
                return Some(RvValue::Raw(span.of(self.bytes)));
            }
            V::DevOnly | V::OwnerOnly | V::Bypass => return None,
        };
        reader.finish("").ok()?;
        Some(value)
    }

    /// The anomaly of the instruction, if any.
    fn finding(&self) -> Option<FindingKind> {
        let Some(variable) = self.variable() else {
            return Some(FindingKind::RvUnknown);
        };
        match self.value {
            None if variable.is_flag() => None,
            None => Some(FindingKind::RvValueMissing),
            Some(_) if variable.is_flag() => Some(FindingKind::RvFlagValue),
            Some(span) => match self.decode(span).filter(|_| self.wrapped) {
                None => Some(FindingKind::RvValue),
                Some(value) => sense::of_value(variable, value),
            },
        }
    }
}

impl fmt::Debug for RvInstruction<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "directive {}: ", self.directive)?;
        match self.variable() {
            Some(variable) => f.write_str(variable.name())?,
            None => write!(f, "variable {}", self.code)?,
        }
        write!(f, " {:?}", self.value())
    }
}

fn number<'v>(reader: &mut Reader<'_, DeviceError>, most: u64) -> Option<RvValue<'v>> {
    let number = u64::try_from(reader.int(&mut NullSink).ok()?.0).ok()?;
    (number <= most).then_some(RvValue::Number(number))
}

/// The rendezvous info of a voucher. `Debug` prints only its size.
#[derive(Clone, Copy)]
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

    /// The instructions in the order of the bytes, up to the first that has another structure.
    pub fn instructions(&self) -> impl Iterator<Item = RvInstruction<'v>> + use<'v> {
        self.placed().map(|(instruction, _)| instruction)
    }

    /// The bytes that cannot be parsed as directives and instructions: from the first deviation
    /// from that structure to the end. `None` if everything can be parsed.
    ///
    /// They may contain a Wi-Fi password, so they must not be logged or displayed.
    #[must_use]
    pub fn unread(&self) -> Option<&'v [u8]> {
        self.rest().map(|rest| rest.of(self.bytes))
    }

    pub(crate) fn rest(&self) -> Option<Span> {
        let Some(mut walk) = Walk::new(self.bytes, self.span) else {
            return Some(self.span);
        };
        while let Some(step) = walk.next() {
            if step.is_err() {
                return Some(Span::new(walk.done, self.span.end()));
            }
        }
        None
    }

    /// The instructions, each with the offset of its value, or its own offset if it has none.
    pub(crate) fn placed(&self) -> impl Iterator<Item = (RvInstruction<'v>, usize)> + use<'v> {
        Walk::new(self.bytes, self.span)
            .into_iter()
            .flatten()
            .map_while(Result::ok)
            .filter_map(|step| match step {
                Step::Instruction(instruction, at) => Some((instruction, at)),
                Step::End(_) => None,
            })
            .map(|(instruction, at)| (instruction, instruction.value.map_or(at, Span::start)))
    }
}

impl fmt::Debug for RendezvousInfo<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "rendezvous info of {} bytes", self.span.len())
    }
}

/// Parses RendezvousInfo as one item and reports its anomalies.
pub(crate) fn read<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Span, E> {
    let start = reader.position();
    if reader.peek().is_some_and(|byte| byte >> 5 != 4) {
        return Err(E::text(ErrorKind::WrongType, "an array expected").at(start));
    }
    // The item first: whatever its structure, its end is then known and its depth is bounded.
    let span = reader.skip(limits.depth, sink)?;
    let Some(walk) = Walk::new(reader.input(), span) else {
        sink.note(FindingKind::RvShape, start);
        return Ok(span);
    };
    let (mut count, mut directives) = (0_usize, 0_usize);
    let mut directive = sense::Directive::new();
    for step in walk {
        match step {
            Ok(Step::Instruction(instruction, at)) => {
                count = count.saturating_add(1);
                if count > limits.rendezvous {
                    let (found, wanted) = (count as u64, limits.rendezvous as u64);
                    let kind = ErrorKind::LimitRvInstructions;
                    return Err(E::count(kind, found, wanted, "instructions").at(start));
                }
                if let Some(kind) = instruction.finding() {
                    sink.note(kind, at);
                }
                if directive.repeats(instruction.variable()) {
                    sink.note(FindingKind::RvDuplicate, at);
                }
            }
            Ok(Step::End(at)) => {
                directives = directives.saturating_add(1);
                directive.findings(|kind| sink.note(kind, at));
                directive = sense::Directive::new();
            }
            Err(()) => {
                sink.note(FindingKind::RvShape, start);
                return Ok(span);
            }
        }
    }
    if directives == 0 {
        sink.note(FindingKind::RvEmpty, start);
    }
    Ok(span)
}

/// The next instruction in an array of them, if it has the structure of one.
pub(crate) fn next_instruction<'a>(
    bytes: &'a [u8],
    reader: &mut Reader<'a, DeviceError>,
) -> Result<(RvInstruction<'a>, usize), DeviceError> {
    let quiet = &mut NullSink;
    let mut pair = reader.array(quiet)?;
    reader.next(&mut pair)?;
    let (code, _) = reader.int(quiet)?;
    let (mut value, mut wrapped) = (None, false);
    if reader.more(&mut pair)? {
        wrapped = reader.peek().is_some_and(|byte| byte >> 5 == 2);
        value = Some(match wrapped {
            true => reader.bytes(quiet)?,
            false => reader.skip(Limits::MAX_DEPTH, quiet)?,
        });
        reader.close(&mut pair)?;
    }
    let instruction = RvInstruction {
        directive: 0,
        code,
        bytes,
        value,
        wrapped,
    };
    Ok((instruction, pair.start))
}

/// An iterator over the instructions of all directives; an error at any other structure.
struct Walk<'a> {
    bytes: &'a [u8],
    // Errors are discarded, so the error type is the one without cost.
    reader: Reader<'a, DeviceError>,
    directives: Items,
    directive: usize,
    instructions: Option<Items>,
    /// The end of what has been parsed.
    done: usize,
}

/// The next part of RendezvousInfo.
enum Step<'a> {
    /// An instruction and its offset.
    Instruction(RvInstruction<'a>, usize),
    /// The end of the directive that starts at this offset.
    End(usize),
}

impl<'a> Walk<'a> {
    fn new(bytes: &'a [u8], span: Span) -> Option<Self> {
        let mut reader = Reader::over(bytes, span);
        let directives = reader.array(&mut NullSink).ok()?;
        Some(Self {
            bytes,
            done: reader.position(),
            reader,
            directives,
            directive: 0,
            instructions: None,
        })
    }

    fn step(&mut self) -> Result<Option<Step<'a>>, DeviceError> {
        let mut items = match self.instructions {
            Some(items) => items,
            None if self.reader.more(&mut self.directives)? => self.reader.array(&mut NullSink)?,
            None => return Ok(None),
        };
        let step = if self.reader.more(&mut items)? {
            let (mut found, at) = next_instruction(self.bytes, &mut self.reader)?;
            found.directive = self.directive;
            self.instructions = Some(items);
            Step::Instruction(found, at)
        } else {
            self.directive = self.directive.saturating_add(1);
            self.instructions = None;
            Step::End(items.start)
        };
        self.done = self.reader.position();
        Ok(Some(step))
    }
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Step<'a>, ()>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step().map_err(drop).transpose()
    }
}
