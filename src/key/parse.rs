//! Parsing `PublicKey = [pkType, pkEnc, pkBody]` in every encoding in circulation.

use super::der::{certificate_spki, check_size, find_in_spki};
use super::{KeyEncoding, KeyIndex, KeyKind, KeyType};
use crate::cbor::{Int, Label, Labels, Reader, Sink, Span};
use crate::error::{ErrorKind, ReadError};
use crate::finding::FindingKind;
use crate::limits::Limits;

impl KeyIndex {
    /// Parses one key. Everything is checked that needs no curve arithmetic.
    pub(crate) fn read<E: ReadError>(
        reader: &mut Reader<'_, E>,
        bytes: &[u8],
        limits: &Limits,
        sink: &mut impl Sink,
    ) -> Result<Self, E> {
        let start = reader.position();
        let mut items = reader.array_of(3, sink)?;
        reader.next(&mut items)?;
        let (code, label_at) = reader.int(sink)?;
        let Some(label) = KeyType::from_code(code) else {
            return Err(
                E::code_point(ErrorKind::UnsupportedKeyType, code, "1, 5, 6, 10 or 11")
                    .at(label_at),
            );
        };
        reader.next(&mut items)?;
        let (code, at) = reader.int(sink)?;
        let encoding = match code {
            0 => KeyEncoding::Crypto,
            1 => KeyEncoding::X509,
            2 => KeyEncoding::X5Chain,
            3 => KeyEncoding::CoseKey,
            _ => {
                return Err(
                    E::code_point(ErrorKind::UnsupportedKeyEncoding, code, "0 to 3").at(at),
                );
            }
        };
        reader.next(&mut items)?;
        let body_at = reader.position();
        let (key_kind, a, b, body) = match encoding {
            KeyEncoding::X509 => {
                let body = reader.bytes(sink)?;
                let found = find_in_spki(bytes, body)?;
                (found.key_kind, found.a, found.b, body)
            }
            KeyEncoding::X5Chain => read_chain_key(reader, bytes, limits, sink)?,
            KeyEncoding::CoseKey => read_cose_key(reader, bytes, label, limits, sink)?,
            KeyEncoding::Crypto => read_crypto(reader, bytes, label, sink)?,
        };
        reader.close(&mut items)?;
        check_label(label, key_kind, label_at, sink)?;
        if label == KeyType::Rsa2048Restr {
            if key_kind != KeyKind::Rsa2048 {
                let error = E::text(
                    ErrorKind::RsaModulus,
                    "a modulus of 2048 bits expected for RSA2048RESTR",
                );
                return Err(error.at(body_at));
            }
            if b.of(bytes) != [1, 0, 1] {
                let error = E::text(
                    ErrorKind::RsaExponent,
                    "exponent 65537 expected for RSA2048RESTR",
                );
                return Err(error.at(body_at));
            }
        }
        Ok(Self {
            item: Span::new(start, reader.position()),
            label,
            encoding,
            key_kind,
            a,
            b,
            body,
        })
    }
}

/// A label that misstates the kind of key is refused; one that names the other curve is reported.
fn check_label<E: ReadError>(
    label: KeyType,
    key_kind: KeyKind,
    at: usize,
    sink: &mut impl Sink,
) -> Result<(), E> {
    use KeyType as T;
    match (label, key_kind) {
        (T::Secp256r1, KeyKind::P256) | (T::Secp384r1, KeyKind::P384) => {}
        (T::Rsa2048Restr | T::RsaPkcs | T::RsaPss, KeyKind::Rsa2048 | KeyKind::Rsa3072) => {}
        (T::Ed25519, KeyKind::Ed25519) => sink.note(FindingKind::ExperimentalKey, at),
        (T::Secp256r1, KeyKind::P384) | (T::Secp384r1, KeyKind::P256) => {
            sink.note(FindingKind::KeyTypeLabel, at);
        }
        _ => {
            return Err(E::text(ErrorKind::KeyTypeMismatch, label.name()).at(at));
        }
    }
    Ok(())
}

type Parts = (KeyKind, Span, Span, Span);

/// X5CHAIN: an array of certificates; also one bare certificate (RFC 9360 §2), or the array
/// wrapped in a byte string (fdo-rs). Both start with a byte string: a certificate starts with
/// the DER tag 0x30, a wrapped array with the CBOR major type 4.
fn read_chain_key<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Parts, E> {
    let start = reader.position();
    let (body, leaf) = if reader.peek().is_some_and(|byte| byte >> 5 == 2) {
        let content = reader.bytes(sink)?;
        if content.of(bytes).first().is_some_and(|byte| byte >> 5 == 4) {
            sink.note(FindingKind::X5chainWrapped, start);
            let mut inner = reader.within(content);
            let leaf = read_certificates(&mut inner, limits, sink)?;
            inner.finish("behind a certificate chain")?;
            (content, leaf)
        } else {
            sink.note(FindingKind::X5chainBare, start);
            check_size(content, limits)?;
            (Span::new(start, reader.position()), content)
        }
    } else {
        let leaf = read_certificates(reader, limits, sink)?;
        (Span::new(start, reader.position()), leaf)
    };
    let spki = certificate_spki(bytes, leaf)?;
    let found = find_in_spki(bytes, spki)?;
    Ok((found.key_kind, found.a, found.b, body))
}

/// Notes an item in the place of a certificate that is not one.
pub(crate) fn check_certificate<E: ReadError, S: Sink>(
    reader: &Reader<'_, E>,
    certificate: Span,
    sink: &mut S,
) {
    if S::THOROUGH && certificate_spki::<E>(reader.input(), certificate).is_err() {
        sink.note(FindingKind::CertificateMalformed, certificate.start());
    }
}

/// Reads `[1* bstr]` and gives the first.
pub(crate) fn read_certificates<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Span, E> {
    let mut items = reader.array(sink)?;
    let mut first = None;
    let mut count = 0_usize;
    while reader.more(&mut items)? {
        count = count.saturating_add(1);
        if count > limits.certificates {
            let (found, wanted) = (count as u64, limits.certificates as u64);
            let error = E::count(ErrorKind::LimitCertificates, found, wanted, "certificates");
            return Err(error.at(items.start));
        }
        let certificate = reader.bytes(sink)?;
        check_size(certificate, limits)?;
        check_certificate(reader, certificate, sink);
        first.get_or_insert(certificate);
    }
    first.ok_or_else(|| E::new(ErrorKind::ChainEmpty).at(items.start))
}

/// COSE_Key (RFC 9052 §7, RFC 9053 §7): a map, also wrapped in a byte string (Astarte), also
/// without `kty` (pri-fidoiot, client-sdk-fidoiot), also with coordinates that lost their leading
/// zeros (go-fdo) or gained one (Java).
fn read_cose_key<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    label: KeyType,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Parts, E> {
    let start = reader.position();
    if matches!(
        label,
        KeyType::Rsa2048Restr | KeyType::RsaPkcs | KeyType::RsaPss
    ) {
        let error = E::text(ErrorKind::UnsupportedKeyEncoding, "an RSA key as COSE_Key");
        return Err(error.at(start));
    }
    if reader.peek().is_some_and(|byte| byte >> 5 == 2) {
        let content = reader.bytes(sink)?;
        sink.note(FindingKind::CoseKeyWrapped, start);
        let mut inner = reader.within(content);
        let (key_kind, a, b, _) = read_cose_map(&mut inner, bytes, label, limits, sink)?;
        inner.finish("behind a COSE_Key")?;
        return Ok((key_kind, a, b, content));
    }
    read_cose_map(reader, bytes, label, limits, sink)
}

/// Labels of a COSE_Key (RFC 9052 §7.1); `d` has this one in EC2 and in OKP (RFC 9053 §7).
const ALG: Int = 3;
const KEY_OPS: Int = 4;
const PRIVATE: Int = -4;
/// The operation of RFC 9052 §7.1 that owners need of a public key.
const VERIFY: Int = 2;

/// The permitted values of `alg` for a curve: the algorithm of FDO, also by its RFC 9864 name.
const fn algorithms(key_kind: KeyKind) -> [Int; 2] {
    match key_kind {
        KeyKind::P384 => [-35, -51],
        KeyKind::Ed25519 => [-8, -19],
        _ => [-7, -9],
    }
}

/// Whether an integer comes next.
fn at_int<E: ReadError>(reader: &Reader<'_, E>) -> bool {
    reader.peek().is_some_and(|byte| byte >> 5 < 2)
}

/// `alg`; `None` for one that is no number.
fn read_alg<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Option<Int>, E> {
    if at_int(reader) {
        return Ok(Some(reader.int(sink)?.0));
    }
    reader.skip(limits.depth, sink)?;
    Ok(None)
}

/// Whether `key_ops` has `verify`.
fn read_ops<E: ReadError>(
    reader: &mut Reader<'_, E>,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<bool, E> {
    let mut verify = false;
    if reader.peek().is_none_or(|byte| byte >> 5 != 4) {
        reader.skip(limits.depth, sink)?;
        return Ok(false);
    }
    let mut items = reader.array(sink)?;
    while reader.more(&mut items)? {
        if at_int(reader) {
            verify |= reader.int(sink)?.0 == VERIFY;
        } else {
            reader.skip(limits.depth, sink)?;
        }
    }
    Ok(verify)
}

fn read_cose_map<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    label: KeyType,
    limits: &Limits,
    sink: &mut impl Sink,
) -> Result<Parts, E> {
    let mut items = reader.map(sink)?;
    let start = items.start;
    let mut labels = Labels::new();
    let (mut kty, mut crv, mut x, mut y) = (None, None, None, None);
    let (mut alg, mut ops) = (None, None);
    while reader.more(&mut items)? {
        let (label, label_at) = labels.read(reader, sink)?;
        match label {
            Label::Int(1) => kty = Some(reader.int(sink)?),
            Label::Int(-1) => crv = Some(reader.int(sink)?),
            Label::Int(-2) => x = Some(reader.bytes(sink)?),
            Label::Int(-3) => {
                let at = reader.position();
                if matches!(reader.peek(), Some(0xf4 | 0xf5)) {
                    let error = E::text(ErrorKind::PointEncoding, "a compressed point");
                    return Err(error.at(at));
                }
                y = Some(reader.bytes(sink)?);
            }
            Label::Int(ALG) => alg = Some((read_alg(reader, limits, sink)?, label_at)),
            Label::Int(KEY_OPS) => ops = Some((read_ops(reader, limits, sink)?, label_at)),
            _ => {
                if label == Label::Int(PRIVATE) {
                    sink.note(FindingKind::CoseKeyPrivate, label_at);
                }
                reader.skip(limits.depth, sink)?;
            }
        }
    }
    let missing = |what| E::text(ErrorKind::KeyEncoding, what).at(start);
    let x = x.ok_or_else(|| missing("a COSE_Key without x"))?;
    let (crv, crv_at) = crv.ok_or_else(|| missing("a COSE_Key without crv"))?;
    let key_kind = match crv {
        1 => KeyKind::P256,
        2 => KeyKind::P384,
        6 => KeyKind::Ed25519,
        _ => {
            let error = E::code_point(ErrorKind::UnsupportedKeyType, crv, "curve 1 or 2");
            return Err(error.at(crv_at));
        }
    };
    let wanted = if key_kind == KeyKind::Ed25519 { 1 } else { 2 };
    match kty {
        None if label == KeyType::Ed25519 => return Err(missing("a COSE_Key without kty")),
        None => sink.note(FindingKind::CoseKeyWithoutKty, start),
        Some((found, at)) if found != wanted => {
            return Err(E::text(ErrorKind::KeyEncoding, "kty does not fit crv").at(at));
        }
        Some(_) => {}
    }
    let fits = |alg: &Option<Int>| alg.is_some_and(|alg| algorithms(key_kind).contains(&alg));
    let misuse = alg.filter(|(alg, _)| !fits(alg)).map(|(_, at)| at);
    let misuse = misuse.or(ops.filter(|(verify, _)| !verify).map(|(_, at)| at));
    if let Some(at) = misuse {
        sink.note(FindingKind::CoseKeyUse, at);
    }
    let body = Span::new(start, reader.position());
    if key_kind == KeyKind::Ed25519 {
        if x.len() != 32 {
            let error = E::count(ErrorKind::KeyEncoding, x.len() as u64, 32, "bytes of x");
            return Err(error.at(x.start()));
        }
        return Ok((key_kind, x, Span::new(x.end(), x.end()), body));
    }
    let y = y.ok_or_else(|| missing("a COSE_Key without y"))?;
    let x = coordinate(bytes, x, key_kind, sink)?;
    let y = coordinate(bytes, y, key_kind, sink)?;
    Ok((key_kind, x, y, body))
}

/// A coordinate of exactly the field's size is unchanged; any other loses its leading zeros.
fn coordinate<E: ReadError>(
    bytes: &[u8],
    span: Span,
    key_kind: KeyKind,
    sink: &mut impl Sink,
) -> Result<Span, E> {
    let wanted = key_kind.coordinate();
    if span.len() == wanted {
        return Ok(span);
    }
    sink.note(FindingKind::CoordinateLength, span.start());
    let stripped = without_zeros(bytes, span);
    if stripped.len() > wanted {
        let (found, wanted) = (span.len() as u64, wanted as u64);
        let error = E::count(ErrorKind::PointEncoding, found, wanted, "bytes");
        return Err(error.at(span.start()));
    }
    Ok(stripped)
}

fn without_zeros(bytes: &[u8], span: Span) -> Span {
    let zeros = span.of(bytes).iter().take_while(|&&byte| byte == 0).count();
    Span::new(span.start().saturating_add(zeros), span.end())
}

/// Crypto: `[modulus, exponent]`, which Java writes with a sign byte.
fn read_crypto<E: ReadError>(
    reader: &mut Reader<'_, E>,
    bytes: &[u8],
    label: KeyType,
    sink: &mut impl Sink,
) -> Result<Parts, E> {
    let start = reader.position();
    if !matches!(
        label,
        KeyType::Rsa2048Restr | KeyType::RsaPkcs | KeyType::RsaPss
    ) {
        let error = E::text(
            ErrorKind::UnsupportedKeyEncoding,
            "encoding Crypto is for RSA only",
        );
        return Err(error.at(start));
    }
    let mut items = reader.array_of(2, sink)?;
    let mut number = |reader: &mut Reader<'_, E>| {
        reader.next(&mut items)?;
        let span = reader.bytes(sink)?;
        let stripped = without_zeros(bytes, span);
        if stripped != span {
            sink.note(FindingKind::LeadingZero, span.start());
        }
        Ok::<_, E>(stripped)
    };
    let a = number(reader)?;
    let b = number(reader)?;
    reader.close(&mut items)?;
    let key_kind =
        super::rsa_material(a.of(bytes), b.of(bytes)).map_err(|error: E| error.at(start))?;
    Ok((key_kind, a, b, Span::new(start, reader.position())))
}
