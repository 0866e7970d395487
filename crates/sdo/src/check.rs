//! The checks of a voucher, in their one order; each says what it compared.
//!
//! 1. Grammar, counts and keys: while the text is read. Nothing is checked after a fault there.
//! 2. The device chain and its hash are both there or both absent; the hash.
//! 3. For each entry the hash of what is before it, the hash of GUID and device info, the signature under
//!    the key named before it, and that it holds no key outside of what is signed.
//! 4. The device chain: its leaf is a key that devices have, and each certificate is signed by the next.
//! 5. What the policy requires: HMAC, manufacturer, owner, path; a device credential; allow and deny
//!    lists. Under the strict profile, also no deviation.

use alloc::vec::Vec;
use core::ops::Range;

use ownership_voucher::certificate::{self, CertificateInfo};
use ownership_voucher::finding::{Finding, FindingKind};
use ownership_voucher::sign::{Algorithm, fixed_width};
use ownership_voucher::{Error, ErrorKind, PublicKey, UnixTime};

use crate::item::{HashItem, HashType, Key, KeyType};
use crate::voucher::Voucher;

/// The rule that a check follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Rule {
    /// `hdc` is the hash of the text of `dc`.
    ChainHash,
    /// `hp` of the first entry is the hash of the text of `oh` and of `hmac`; that of another entry is the
    /// hash of the text of the `bo` before it.
    PreviousHash,
    /// `hc` is the hash of the texts of `g` and `d`, with their quotation marks.
    HeaderInfoHash,
    /// `sg` is a signature over the text of `bo`.
    Signature,
    /// `pk` beside `bo` is a null key.
    OuterKey,
    /// The certificates of the device are signed, each by the next.
    DeviceChain,
}

impl Rule {
    /// The stable name, lower case with dashes.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChainHash => "chain-hash",
            Self::PreviousHash => "previous-hash",
            Self::HeaderInfoHash => "header-info-hash",
            Self::Signature => "signature",
            Self::OuterKey => "outer-key",
            Self::DeviceChain => "device-chain",
        }
    }

    const fn error(self) -> ErrorKind {
        match self {
            Self::ChainHash => ErrorKind::ChainHashMismatch,
            Self::PreviousHash => ErrorKind::PreviousHashMismatch,
            Self::HeaderInfoHash => ErrorKind::HeaderInfoHashMismatch,
            Self::Signature => ErrorKind::SignatureInvalid,
            Self::OuterKey => ErrorKind::OuterKey,
            Self::DeviceChain => ErrorKind::DeviceChain,
        }
    }
}

/// One check, and its outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Check {
    /// The rule.
    pub rule: Rule,
    /// The entry, counted from 0; `None` for the header and the device.
    pub entry: Option<usize>,
    /// The byte range in the text of what was compared: the hash, the signature, the key, the chain.
    pub range: Range<usize>,
    /// The algorithm, if there is one: "SHA-256", "ES256".
    pub algorithm: Option<&'static str>,
    /// Of a hash, what it must be. Empty for other rules.
    pub expected: Vec<u8>,
    /// Of a hash, what is there.
    pub found: Vec<u8>,
    /// Why the check failed; `None` if it holds.
    pub error: Option<Error>,
}

impl Check {
    /// Whether the check holds.
    #[must_use]
    pub const fn holds(&self) -> bool {
        self.error.is_none()
    }
}

/// What the checks of a voucher by itself found.
#[derive(Clone, Debug, Default)]
pub(crate) struct Checks {
    pub(crate) list: Vec<Check>,
    pub(crate) findings: Vec<Finding>,
    /// Faults that belong to no single rule.
    pub(crate) faults: Vec<Error>,
}

impl Checks {
    /// All checks that need nothing but the voucher, and the time at which certificates count.
    pub(crate) fn of(voucher: &Voucher<'_>, at: Option<UnixTime>) -> Self {
        let mut checks = Self::default();
        checks.chain_hash(voucher);
        checks.entries(voucher);
        checks.device(voucher, at);
        checks.hash_types(voucher);
        checks.diagnose();
        checks
    }

    fn add(
        &mut self,
        rule: Rule,
        entry: Option<usize>,
        range: Range<usize>,
        algorithm: Option<&'static str>,
        result: Result<(), Error>,
    ) {
        let error = result.err();
        let error = error.map(|error| error.at(range.start).in_entry(entry));
        self.list.push(Check {
            rule,
            entry,
            range,
            algorithm,
            expected: Vec::new(),
            found: Vec::new(),
            error,
        });
    }

    /// Compares a hash with that of the parts of the text that it covers.
    fn hash(&mut self, rule: Rule, entry: Option<usize>, item: &HashItem, parts: &[&[u8]]) {
        let expected = item.hash.digest(parts);
        let result = match expected == item.value {
            true => Ok(()),
            false => Err(Error::new(rule.error())),
        };
        self.add(
            rule,
            entry,
            item.span.range(),
            Some(item.hash.name()),
            result,
        );
        if let Some(check) = self.list.last_mut() {
            check.expected = expected;
            check.found.clone_from(&item.value);
        }
    }

    fn chain_hash(&mut self, voucher: &Voucher<'_>) {
        let index = &voucher.index;
        match (&index.header.chain_hash, &index.chain) {
            (Some(hash), Some(chain)) => {
                self.hash(Rule::ChainHash, None, hash, &[voucher.of(chain.span)]);
            }
            (None, None) => {}
            (Some(hash), None) => {
                let why = "the header has the hash of a device chain, and there is no chain";
                let error = Error::because(ErrorKind::NullChain, why);
                self.faults.push(error.at(hash.span.start));
            }
            (None, Some(chain)) => {
                let why = "there is a device chain, and the header has no hash of it";
                let error = Error::because(ErrorKind::NullChain, why);
                self.faults.push(error.at(chain.span.start));
            }
        }
    }

    fn entries(&mut self, voucher: &Voucher<'_>) {
        let index = &voucher.index;
        let header = &index.header;
        let mut signer = &header.key;
        let mut before = [header.span, index.hmac.span].map(|span| voucher.of(span));
        for (number, entry) in index.entries.iter().enumerate() {
            let in_entry = Some(number);
            self.hash(Rule::PreviousHash, in_entry, &entry.previous, &before);
            let info = [header.guid_span, header.info].map(|span| voucher.of(span));
            self.hash(Rule::HeaderInfoHash, in_entry, &entry.header_info, &info);
            let body = voucher.of(entry.body);
            let algorithm = algorithm(signer);
            let good = verify(signer, algorithm, body, &entry.signature);
            let range = entry.signature_span.range();
            self.add(
                Rule::Signature,
                in_entry,
                range,
                Some(algorithm.name()),
                good,
            );
            let outer = match voucher.of(entry.outer) == b"[0,0,[0]]" {
                true => Ok(()),
                false => Err(Error::new(ErrorKind::OuterKey)),
            };
            self.add(Rule::OuterKey, in_entry, entry.outer.range(), None, outer);
            (signer, before) = (&entry.key, [body, b""]);
        }
    }

    fn device(&mut self, voucher: &Voucher<'_>, at: Option<UnixTime>) {
        let Some(chain) = &voucher.index.chain else {
            return;
        };
        let place = |number: usize| {
            let certificate = chain.certificates.get(number);
            certificate.map_or(chain.span, |(span, _)| *span)
        };
        let ders: Vec<&[u8]> = voucher.device_chain().collect();
        let mut result = check_leaf(&ders).map_err(|error| error.at(place(0).start));
        for (number, der) in ders.iter().enumerate() {
            if let (Ok(()), Err(_)) = (&result, CertificateInfo::from_der(der)) {
                let why = "not an X.509 certificate in DER, and nothing after it";
                let error = Error::because(ErrorKind::Certificate, why);
                result = Err(error.at(place(number).start));
            }
        }
        let remarks = certificate::remarks(&ders, at, ders.len());
        let is_reversed = |(_, kind): &(usize, FindingKind)| *kind == FindingKind::ChainReversed;
        if let (Ok(()), true) = (&result, remarks.iter().any(is_reversed)) {
            // That explains whatever else is wrong with the first one.
            result = Err(Error::new(ErrorKind::ChainReversed).at(place(0).start));
        }
        for (number, kind) in remarks {
            let fault = match kind {
                FindingKind::DeviceChainBroken => {
                    let why = "a certificate is not signed by the next one";
                    Error::because(ErrorKind::DeviceChain, why)
                }
                FindingKind::ChainReversed => Error::new(ErrorKind::ChainReversed),
                FindingKind::KeyUsage => {
                    let why = "the key usage of the first lacks digital signatures";
                    Error::because(ErrorKind::DeviceChain, why)
                }
                kind => {
                    let finding = Finding::new(kind, place(number).start, None);
                    self.findings.push(finding);
                    continue;
                }
            };
            if result.is_ok() {
                result = Err(fault.at(place(number).start));
            }
        }
        self.add(Rule::DeviceChain, None, chain.span.range(), None, result);
        if let (Some(last), Some((span, _))) = (ders.last(), chain.certificates.last()) {
            let own = CertificateInfo::from_der(last).is_ok_and(|it| it.issuer == it.subject);
            if !own {
                let kind = FindingKind::SdoChainOpen;
                self.findings.push(Finding::new(kind, span.start, None));
            }
        }
    }

    /// Hashes of another strength than the table of the specification, or than the implementations,
    /// select: SHA-384 if the key of the device or of the manufacturer is P-384, and SHA-256 otherwise.
    /// Implementations look at the manufacturer's key alone, but for the HMAC.
    fn hash_types(&mut self, voucher: &Voucher<'_>) {
        let index = &voucher.index;
        let device = voucher.device_chain().next();
        let device = device.and_then(|der| PublicKey::from_certificate_der(der).ok());
        let device = device.is_some_and(|key| key.bits() == 384);
        let maker = index.header.key.key_type() == KeyType::P384;
        let of = |strong| match strong {
            true => HashType::Sha384,
            false => HashType::Sha256,
        };
        let (table, code) = (of(device || maker), of(maker));
        let mut note = |item: &HashItem, entry, fits: bool| {
            if !fits {
                let finding = Finding::new(FindingKind::HashTable, item.span.start, entry);
                self.findings.push(finding);
            }
        };
        let fits = |item: &HashItem| item.hash == table && item.hash == code;
        if let Some(hash) = &index.header.chain_hash {
            note(hash, None, fits(hash));
        }
        note(&index.hmac, None, index.hmac.hash == table);
        for (number, entry) in index.entries.iter().enumerate() {
            for item in [&entry.previous, &entry.header_info] {
                note(item, Some(number), fits(item));
            }
        }
        if index.entries.is_empty() {
            let at = index.voucher.end.saturating_sub(1);
            self.findings
                .push(Finding::new(FindingKind::NoEntries, at, None));
        }
    }

    /// Recognises a header or an HMAC that was edited after signing: nothing but the hash of both fails.
    fn diagnose(&mut self) {
        let is_first = |check: &Check| check.rule == Rule::PreviousHash && check.entry == Some(0);
        let mut failing = self.list.iter().filter(|check| !check.holds());
        let only = failing.next().filter(|_| failing.next().is_none());
        let Some(place) = only.filter(|check| is_first(check) && self.faults.is_empty()) else {
            return;
        };
        let at = place.range.start;
        let finding = Finding::new(FindingKind::SdoEdited, at, Some(0));
        self.findings.push(finding);
        let why = "the text of the header or of its HMAC was edited after signing: all else holds";
        let error = Error::because(ErrorKind::PreviousHashMismatch, why);
        let first = self.list.iter_mut().find(|check| is_first(check));
        if let Some(check) = first {
            check.error = Some(error.at(at).in_entry(Some(0)));
        }
    }

    /// The faults, in the order of the checks.
    pub(crate) fn errors(&self) -> Vec<Error> {
        let failed = self.list.iter().filter_map(|check| check.error.clone());
        self.faults.iter().cloned().chain(failed).collect()
    }
}

/// Devices have keys on P-256 or P-384.
fn check_leaf(chain: &[&[u8]]) -> Result<(), Error> {
    let leaf = chain.first().copied().unwrap_or_default();
    let key = PublicKey::from_certificate_der(leaf).map_err(|error| match error.offset() {
        None => error,
        Some(_) => Error::because(ErrorKind::Certificate, "the first one cannot be read"),
    })?;
    use ownership_voucher::KeyType as Fdo;
    match key.default_key_type() {
        Fdo::Secp256r1 | Fdo::Secp384r1 => Ok(()),
        _ => Err(Error::because(
            ErrorKind::DeviceChain,
            "a device key on P-256 or P-384 expected",
        )),
    }
}

/// The one algorithm that a key signs with.
fn algorithm(key: &Key) -> Algorithm {
    match (key.key_type(), key.public_key().bits()) {
        (KeyType::P256, _) => Algorithm::Es256,
        (KeyType::P384, _) => Algorithm::Es384,
        (_, 3072) => Algorithm::Rs384,
        _ => Algorithm::Rs256,
    }
}

/// ECDSA signatures are DER; those of RSA have the length of the modulus.
fn verify(
    signer: &Key,
    algorithm: Algorithm,
    message: &[u8],
    signature: &[u8],
) -> Result<(), Error> {
    if signature.is_empty() {
        let wanted = algorithm.signature_len() as u64;
        return Err(Error::count(ErrorKind::SignatureLength, 0, wanted, "bytes"));
    }
    let fixed = match algorithm {
        Algorithm::Es256 | Algorithm::Es384 => {
            let fixed = fixed_width(algorithm, signature);
            fixed.ok_or_else(|| Error::new(ErrorKind::SignatureInvalid))?
        }
        _ => signature.to_vec(),
    };
    signer.public_key().verify(algorithm, message, &fixed)
}
