//! Parsing a voucher by comparing it with one that was parsed before.
//!
//! The vouchers of a shipment differ in their GUIDs, hashes, HMACs, certificates, keys and signatures.
//! Parsing does not look at the contents of these; it looks at what is around them. A [`Template`] is
//! what parsing looked at in one voucher, and what it found. A voucher of the same length that has the
//! same bytes in those places would be parsed in the same way: what was found is copied.
//!
//! One content is looked at: a GUID of zeros is refused. It is checked for each voucher.

use alloc::vec::Vec;

use super::{Deviations, Index, Voucher};
use crate::cbor::Span;
use crate::error::Error;
use crate::key::{Certificates, KeyEncoding, KeyIndex, KeyKind};
use crate::limits::Limits;

/// Templates that are kept: a few, because the length of a certificate changes with its signature.
const MOST: usize = 8;
/// Longer vouchers are rare, and not worth twice their memory.
const LONGEST: usize = 16 << 10;
/// After so many templates without a use, only one of so many vouchers is made one.
const SELDOM: usize = 64;

/// Templates of the vouchers that were parsed last, under one set of limits.
#[derive(Default)]
pub(crate) struct Templates {
    known: Vec<Template>,
    /// The template that goes next.
    oldest: usize,
    /// Templates made since the last use of one.
    unused: usize,
    /// Vouchers to come of which no template is made.
    skip: usize,
}

struct Template {
    /// All bits of each byte that parsing looked at, none of the others.
    looked_at: Vec<u8>,
    /// Those bytes, and zeros.
    bytes: Vec<u8>,
    index: Index,
    deviations: Deviations,
    narrow: bool,
}

impl Templates {
    /// What [`Voucher::parse_with`] returns. The limits are the same for each call.
    pub(crate) fn parse<'a>(
        &mut self,
        bytes: &'a [u8],
        limits: &Limits,
    ) -> Result<Voucher<'a>, Error> {
        let known = self.known.iter();
        if let Some(voucher) = known.filter_map(|template| template.parse(bytes)).next() {
            (self.unused, self.skip) = (0, 0);
            return Ok(voucher);
        }
        let voucher = Voucher::parse_with(bytes, limits)?;
        self.learn(&voucher);
        Ok(voucher)
    }

    fn learn(&mut self, voucher: &Voucher<'_>) {
        if self.skip > 0 {
            self.skip = self.skip.saturating_sub(1);
            return;
        }
        let Some(template) = Template::of(voucher) else {
            return;
        };
        self.unused = self.unused.saturating_add(1);
        if self.unused > MOST {
            self.skip = SELDOM;
        }
        match self.known.get_mut(self.oldest) {
            Some(oldest) => *oldest = template,
            None => self.known.push(template),
        }
        self.oldest = self.oldest.saturating_add(1) % MOST;
    }
}

impl Template {
    /// `None` for a voucher in a wrapper, and for a long one.
    fn of(voucher: &Voucher<'_>) -> Option<Self> {
        let bytes = voucher.as_bytes();
        if voucher.wrapped || bytes.len() > LONGEST {
            return None;
        }
        let index = &voucher.index;
        let mut looked_at = alloc::vec![0xff; bytes.len()];
        for span in contents(bytes, index) {
            looked_at.get_mut(span.range())?.fill(0);
        }
        let pairs = bytes.iter().zip(&looked_at);
        Some(Self {
            bytes: pairs.map(|(byte, mask)| byte & mask).collect(),
            looked_at,
            index: index.clone(),
            deviations: voucher.deviations,
            narrow: voucher.narrow,
        })
    }

    /// The voucher in `bytes`, if it would be parsed in the same way.
    fn parse<'a>(&self, bytes: &'a [u8]) -> Option<Voucher<'a>> {
        if bytes.len() != self.bytes.len() {
            return None;
        }
        // Without a branch for each byte, so that vector instructions are used.
        let places = bytes.iter().zip(&self.looked_at).zip(&self.bytes);
        let differences = places.fold(0, |all, ((byte, mask), known)| all | (byte & mask) ^ known);
        let is_zero = self.index.guid.of(bytes).iter().all(|&byte| byte == 0);
        if differences != 0 || is_zero {
            return None;
        }
        Some(Voucher {
            bytes: bytes.into(),
            index: self.index.clone(),
            deviations: self.deviations,
            narrow: self.narrow,
            wrapped: false,
        })
    }
}

/// The contents that parsing does not look at.
fn contents<'v>(bytes: &'v [u8], index: &'v Index) -> impl Iterator<Item = Span> + 'v {
    let chain = index.chain.into_iter();
    let certificates = chain.flat_map(|chain| Certificates::new(bytes, chain));
    let entries = index.entries.iter();
    let of_entries = entries.clone().flat_map(|entry| {
        let (previous, info) = (entry.previous_hash.value, entry.header_info_hash.value);
        [entry.signature, previous, info]
    });
    let keys = entries.map(|entry| &entry.key);
    let keys = core::iter::once(&index.manufacturer).chain(keys);
    [index.guid, index.hmac.value]
        .into_iter()
        .chain(index.chain_hash.map(|hash| hash.value))
        .chain(certificates)
        .chain(of_entries)
        .chain(keys.flat_map(parts))
}

/// The parts of a key behind a prefix of constant length. Of other encodings, the parser looks for
/// leading zeros.
fn parts(key: &KeyIndex) -> impl Iterator<Item = Span> {
    let is_fixed = key.encoding == KeyEncoding::X509
        && matches!(
            key.key_kind,
            KeyKind::P256 | KeyKind::P384 | KeyKind::Ed25519
        );
    [key.a, key.b].into_iter().filter(move |_| is_fixed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::format;

    const VOUCHER: &[u8] = include_bytes!("../../test-vectors/shipment/alder-gw100-0001.cbor");

    /// Everything that a voucher holds besides its bytes.
    fn parsed(voucher: &Voucher<'_>) -> alloc::string::String {
        let found: Vec<_> = voucher.deviations.first_of_each().collect();
        let (narrow, wrapped) = (voucher.narrow, voucher.wrapped);
        format!("{:?} {found:?} {narrow} {wrapped}", voucher.index)
    }

    /// Each byte of a voucher takes 37 other values, among them each with one bit flipped. Wherever the
    /// template still fits, the parser finds the same. tests/suite/batch.rs asks this of all vectors, by
    /// their verdicts.
    #[test]
    fn a_template_finds_what_the_parser_finds() {
        let template = Template::of(&Voucher::parse(VOUCHER).unwrap()).unwrap();
        let mut bytes = VOUCHER.to_vec();
        let mut fits = 0;
        for at in 0..bytes.len() {
            let before = bytes[at];
            let flips = (0..8).map(|bit| 1 << bit);
            for flip in flips.chain((1..=29).map(|step| step * 8 + 7)) {
                bytes[at] = before ^ flip;
                if let Some(voucher) = template.parse(&bytes) {
                    let fresh = Voucher::parse(&bytes).expect("the template fits");
                    assert_eq!(parsed(&voucher), parsed(&fresh), "byte {at}: {flip}");
                    fits += 1;
                }
            }
            bytes[at] = before;
        }
        assert!(fits > 37 * VOUCHER.len() / 2, "{fits} vouchers fit");
    }

    #[test]
    fn a_guid_of_zeros_is_refused_as_by_the_parser() {
        let voucher = Voucher::parse(VOUCHER).unwrap();
        let (template, guid) = (Template::of(&voucher).unwrap(), voucher.index.guid);
        let mut bytes = VOUCHER.to_vec();
        bytes[guid.range()].fill(0);
        assert!(template.parse(&bytes).is_none());
        bytes[guid.range()][15] = 1;
        assert!(template.parse(&bytes).is_some());
    }

    #[test]
    fn templates_that_are_not_used_are_made_seldom() {
        let voucher = Voucher::parse(VOUCHER).unwrap();
        let mut templates = Templates::default();
        for _ in 0..1000 {
            templates.learn(&voucher);
        }
        assert_eq!(templates.known.len(), MOST);
        assert!(templates.unused <= MOST + 1 + 1000 / SELDOM);
        // A use brings them back.
        templates.parse(VOUCHER, &Limits::new()).unwrap();
        assert_eq!((templates.unused, templates.skip), (0, 0));
    }

    #[test]
    fn long_and_wrapped_vouchers_have_no_template() {
        let wrap =
            |bytes: &[u8]| [&[0x59, (bytes.len() >> 8) as u8, bytes.len() as u8], bytes].concat();
        let wrapped = wrap(VOUCHER);
        let voucher = Voucher::parse(&wrapped).unwrap();
        assert!(voucher.wrapped && Template::of(&voucher).is_none());
    }
}
