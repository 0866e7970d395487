//! COSE_Sign1 (RFC 9052 §4.2) as an entry uses it: headers, and the bytes that are signed.

use alloc::vec::Vec;

use sha2::Digest as _;

use crate::algorithm::Algorithm;
use crate::cbor::{Int, Label, Labels, Reader, Sink, Span};
use crate::error::{ErrorKind, ReadError};
use crate::external_data::{self, since_fdo20};
use crate::finding::FindingKind;
use crate::limits::Limits;

/// The label of `alg` and the one of `crit` (RFC 9052 §3.1).
const ALG: Int = 1;
const CRIT: Int = 2;

/// Both headers of a COSE_Sign1.
pub(crate) struct Headers {
    /// The content of the protected header's byte string.
    pub(crate) protected: Span,
    pub(crate) stated: AlgorithmAt,
    /// The map of the unprotected header.
    pub(crate) unprotected: Span,
}

/// Reads both headers of a COSE_Sign1.
pub(crate) fn read_headers<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Headers, E> {
    let start = reader.position();
    let protected = reader.bytes(sink)?;
    let middle = reader.position();
    if let Some(algorithm) = plain_algorithm(reader, protected.of(bytes)) {
        reader.map(sink)?;
        let at = protected.start().saturating_add(2);
        return Ok(Headers {
            protected,
            stated: AlgorithmAt { algorithm, at },
            unprotected: Span::new(middle, reader.position()),
        });
    }
    let mut labels = Labels::new();
    let mut algorithm = None;
    if protected.len() > 0 {
        let mut inner = reader.within(protected);
        let mut items = inner.map(sink)?;
        while inner.more(&mut items)? {
            let (label, at) = labels.read(&mut inner, sink)?;
            match label {
                Label::Int(ALG) => algorithm = Some(read_algorithm(&mut inner, sink)?),
                Label::Int(CRIT) => read_critical(&mut inner, sink)?,
                _ => {
                    inner.skip(limits.depth, sink)?;
                }
            }
            if label != Label::Int(ALG) {
                sink.note(FindingKind::ProtectedExtra, at);
            }
        }
        inner.finish("behind the protected header")?;
    }
    let unprotected_alg = read_unprotected(reader, bytes, &labels, limits, sink)?;
    match (algorithm, unprotected_alg) {
        (Some(stated), _) => Ok(Headers {
            protected,
            stated,
            unprotected: Span::new(middle, reader.position()),
        }),
        (None, Some(at)) => Err(E::new(ErrorKind::AlgorithmUnprotected).at(at)),
        (None, None) => Err(E::new(ErrorKind::AlgorithmMissing).at(start)),
    }
}

/// The algorithm of the usual headers: `{1: alg}` in shortest form, and `{}`. This is the hot path;
/// anything else is parsed in full.
fn plain_algorithm<E: ReadError>(reader: &Reader<'_, E>, protected: &[u8]) -> Option<Algorithm> {
    let code = match *protected {
        [0xa1, 0x01, code @ 0x20..=0x37] => !Int::from(code & 0x1f),
        [0xa1, 0x01, 0x38, code @ 24..=0xff] => !Int::from(code),
        [0xa1, 0x01, 0x39, high @ 1..=0xff, low] => !Int::from(u16::from_be_bytes([high, low])),
        _ => return None,
    };
    Algorithm::from_code(code).filter(|_| reader.peek() == Some(0xa0))
}

/// An algorithm and the position of its number.
#[derive(Clone, Copy)]
pub(crate) struct AlgorithmAt {
    pub(crate) algorithm: Algorithm,
    pub(crate) at: usize,
}

fn read_algorithm<E: ReadError>(
    reader: &mut Reader<'_, E>,
    sink: &mut impl Sink,
) -> Result<AlgorithmAt, E> {
    let (code, at) = reader.int(sink)?;
    match Algorithm::from_code(code) {
        Some(algorithm) => Ok(AlgorithmAt { algorithm, at }),
        None => {
            let wanted = "-7, -35, -257, -258, -37 or -38";
            Err(E::code_point(ErrorKind::UnsupportedAlgorithm, code, wanted).at(at))
        }
    }
}

/// `crit` may name `alg`, which this library supports, and nothing else.
fn read_critical<E: ReadError>(reader: &mut Reader<'_, E>, sink: &mut impl Sink) -> Result<(), E> {
    let mut items = reader.array(sink)?;
    let start = items.start;
    let mut any = false;
    while reader.more(&mut items)? {
        any = true;
        let at = reader.position();
        if reader.peek().is_some_and(|byte| byte >> 5 == 3) || reader.int(sink)?.0 != ALG {
            return Err(E::new(ErrorKind::UnsupportedCriticalHeader).at(at));
        }
    }
    if any {
        Ok(())
    } else {
        Err(E::text(ErrorKind::WrongSize, "an empty crit").at(start))
    }
}

/// Parses the unprotected header and returns the position of an `alg` in it.
fn read_unprotected<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    protected: &Labels,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Option<usize>, E> {
    if reader.peek() == Some(0xa0) {
        reader.map(sink)?;
        return Ok(None);
    }
    let mut items = reader.map(sink)?;
    let mut labels = Labels::new();
    let mut algorithm = None;
    while reader.more(&mut items)? {
        let (label, at) = labels.read(reader, sink)?;
        if protected.contains(label, bytes) {
            return Err(E::new(ErrorKind::LabelInBothHeaders).at(at));
        }
        match label {
            Label::Int(CRIT) => {
                let why = "crit in the unprotected header";
                return Err(E::text(ErrorKind::UnsupportedCriticalHeader, why).at(at));
            }
            Label::Int(ALG) => algorithm = Some(at),
            _ => {}
        }
        reader.skip(limits.depth, sink)?;
    }
    if labels.len() > 0 {
        sink.note(FindingKind::UnprotectedHeader, items.start);
    }
    Ok(algorithm)
}

/// The bytes that a COSE_Sign1 signs (RFC 9052 §4.4), in parts, so that they need no copy:
/// `["Signature1", protected, external_aad, payload]`.
pub(crate) struct SigStructure<'a> {
    head: Head,
    protected: &'a [u8],
    middle: Middle,
    payload: &'a [u8],
}

/// The array, the context string and the head of the protected header.
type Head = Short;

/// external_aad and the head of the payload.
type Middle = Short;

/// A few bytes without allocation.
#[derive(Clone, Copy, Default)]
struct Short {
    bytes: [u8; 32],
    len: usize,
}

// Forced inline, so that most lengths are constants: a batch makes two of these for each signature.
impl Short {
    #[inline(always)]
    fn push(mut self, more: &[u8]) -> Self {
        let end = self.len.saturating_add(more.len());
        if let Some(slot) = self.bytes.get_mut(self.len..end) {
            slot.iter_mut().zip(more).for_each(|(to, from)| *to = *from);
            self.len = end;
        }
        self
    }

    /// Appends the shortest head of a byte string (RFC 8949 §4.2.1). Lengths fit 32 bits.
    #[inline(always)]
    fn push_bstr_head(self, len: usize) -> Self {
        let [_, _, _, _, wide @ ..] = (len as u64).to_be_bytes();
        match len {
            0..=23 => self.push(&[0x40 | wide[3]]),
            24..=0xff => self.push(&[0x58, wide[3]]),
            0x100..=0xffff => self.push(&[0x59, wide[2], wide[3]]),
            _ => self.push(&[0x5a]).push(&wide),
        }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl<'a> SigStructure<'a> {
    /// What fits between the two heads: the longest external data of TO2.
    pub(crate) const MOST_AAD: usize = external_data::TO2_SETUP_DEVICE.len();

    /// The structure of an entry: empty external_aad, or that of FDO 2.0.
    #[inline(always)]
    pub(crate) fn new(protected: &'a [u8], fdo20: bool, payload: &'a [u8]) -> Self {
        let aad = since_fdo20(fdo20, external_data::OV_ENTRY);
        Self::with_aad(protected, aad, payload)
    }

    /// The same with external_aad of at most [`MOST_AAD`](Self::MOST_AAD) bytes.
    #[inline(always)]
    pub(crate) fn with_aad(protected: &'a [u8], aad: &[u8], payload: &'a [u8]) -> Self {
        #[expect(clippy::disallowed_macros, reason = "a constant of this crate")]
        {
            debug_assert!(aad.len() <= Self::MOST_AAD);
        }
        Self {
            head: Short::default()
                .push(b"\x84\x6aSignature1")
                .push_bstr_head(protected.len()),
            protected,
            middle: Short::default()
                .push_bstr_head(aad.len())
                .push(aad)
                .push_bstr_head(payload.len()),
            payload,
        }
    }

    /// A message that is not a COSE structure.
    pub(crate) fn plain(message: &'a [u8]) -> Self {
        Self {
            head: Short::default(),
            protected: &[],
            middle: Short::default(),
            payload: message,
        }
    }

    pub(crate) fn parts(&self) -> [&[u8]; 4] {
        [
            self.head.as_slice(),
            self.protected,
            self.middle.as_slice(),
            self.payload,
        ]
    }

    pub(crate) fn to_vec(&self) -> Vec<u8> {
        self.parts().concat()
    }

    pub(crate) fn sha256(&self) -> [u8; 32] {
        self.parts()
            .iter()
            .fold(sha2::Sha256::new(), |hash, part| hash.chain_update(part))
            .finalize()
            .into()
    }

    pub(crate) fn sha384(&self) -> [u8; 48] {
        self.parts()
            .iter()
            .fold(sha2::Sha384::new(), |hash, part| hash.chain_update(part))
            .finalize()
            .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// coset builds the same structure from the same parts.
    #[test]
    fn sig_structure_is_that_of_coset() {
        for payload_len in [0, 1, 23, 24, 255, 256, 65535, 65536] {
            for aad in [
                &[][..],
                external_data::OV_ENTRY,
                external_data::TO2_PROVE_OV_HDR,
                external_data::TO2_SETUP_DEVICE,
            ] {
                let payload = vec![7; payload_len];
                let protected = coset::ProtectedHeader {
                    original_data: Some(vec![0xa1, 0x01, 0x26]),
                    header: coset::Header::default(),
                };
                let context = coset::SignatureContext::CoseSign1;
                let wanted = coset::sig_structure_data(context, protected, None, aad, &payload);
                let found = SigStructure::with_aad(&[0xa1, 0x01, 0x26], aad, &payload).to_vec();
                assert_eq!(found, wanted, "payload of {payload_len} bytes, {aad:02x?}");
            }
        }
    }

    /// The version of a voucher decides what its entries sign.
    #[test]
    fn entries_have_external_data_since_fdo_2_0() {
        let whole = |fdo20| SigStructure::new(&[0xa0], fdo20, b"payload").to_vec();
        let with = |aad| SigStructure::with_aad(&[0xa0], aad, b"payload").to_vec();
        assert_eq!(whole(false), with(&[]));
        assert_eq!(whole(true), with(external_data::OV_ENTRY));
    }
}
