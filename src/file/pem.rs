//! PEM blocks (RFC 7468) as they occur in practice: any line width, any line ending, any text
//! around them.

use alloc::string::String;
use alloc::vec::Vec;

use zeroize::Zeroizing;

use super::decode::{decode_lines, unescape};
use crate::error::{Error, ErrorKind};
use crate::key::PublicKey;
use crate::sign::LocalKey;

/// The largest voucher in base64, with room for line ends.
pub(super) const MAX_BODY: usize = crate::Limits::MAX_INPUT / 2 * 3;

pub(super) const DASHES: &[u8] = b"-----";
pub(super) const BEGIN: &[u8] = b"-----BEGIN ";
pub(super) const END: &[u8] = b"-----END ";

/// An iterator over the PEM blocks of a text.
#[derive(Clone, Debug)]
pub struct PemBlocks<'a> {
    text: &'a [u8],
    at: usize,
}

/// One PEM block: its label and its undecoded body.
#[derive(Clone, Copy)]
pub struct PemBlock<'a> {
    label: &'a str,
    body: &'a [u8],
    at: usize,
}

pub(super) fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let first = wanted.first()?;
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let skipped = rest.iter().position(|byte| byte == first)?;
        at = at.checked_add(skipped)?;
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at = at.checked_add(1)?;
    }
}

impl<'a> PemBlocks<'a> {
    /// An iterator over the blocks of this text.
    #[must_use]
    pub const fn new(text: &'a [u8]) -> Self {
        Self { text, at: 0 }
    }

    /// The current offset in the text: all blocks before it have been returned.
    ///
    /// A caller with the text in a buffer can take one block at a time and restart after it.
    ///
    /// ```
    /// # use ownership_voucher::file::PemBlocks;
    /// let text = b"-----BEGIN X-----\nAA==\n-----END X-----\nmore";
    /// let mut blocks = PemBlocks::new(text);
    /// assert_eq!(blocks.next().map(|block| block.map(|it| it.label())), Some(Ok("X")));
    /// assert!(PemBlocks::new(&text[blocks.position()..]).next().is_none());
    /// ```
    #[must_use]
    pub const fn position(&self) -> usize {
        self.at
    }

    /// The block that starts at `begin`. The dashes after its label and its body are searched for
    /// once, so that the work is proportional to the text whatever it contains.
    fn block(&mut self, begin: usize) -> Result<PemBlock<'a>, Error> {
        let bad = |why, at| Err(Error::because(ErrorKind::Pem, why).at(at));
        let label_at = begin.saturating_add(BEGIN.len());
        let Some(label_end) = find(self.text, label_at, DASHES) else {
            self.at = self.text.len();
            return bad("a BEGIN line without end", begin);
        };
        self.at = label_end;
        let label = self.text.get(label_at..label_end).unwrap_or_default();
        let Some(label) = core::str::from_utf8(label)
            .ok()
            .filter(|label| !label.contains('\n'))
        else {
            return bad("a BEGIN line without end", begin);
        };
        let body_at = label_end.saturating_add(DASHES.len());
        let Some(body_end) = find(self.text, body_at, DASHES) else {
            self.at = self.text.len();
            return bad("a block without END line", begin);
        };
        self.at = body_end;
        let tail = self.text.get(body_end..).unwrap_or_default();
        let ends = tail
            .strip_prefix(END)
            .and_then(|tail| tail.strip_prefix(label.as_bytes()))
            .is_some_and(|tail| tail.starts_with(DASHES));
        if !ends {
            return bad("a block without END line of its label", begin);
        }
        self.at = body_end.saturating_add(END.len());
        let body = self.text.get(body_at..body_end).unwrap_or_default();
        Ok(PemBlock {
            label,
            body,
            at: begin,
        })
    }
}

impl<'a> Iterator for PemBlocks<'a> {
    type Item = Result<PemBlock<'a>, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        let begin = find(self.text, self.at, BEGIN)?;
        Some(self.block(begin))
    }
}

impl<'a> PemBlock<'a> {
    /// The label, such as "OWNERSHIP VOUCHER" or "PRIVATE KEY".
    #[must_use]
    pub const fn label(&self) -> &'a str {
        self.label
    }

    /// Whether the label is that of a private key, of any format and encryption: it ends in
    /// `PRIVATE KEY`. Such a block must not be in a file that is passed on.
    ///
    /// ```
    /// # use ownership_voucher::file::PemBlocks;
    /// let text = b"-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n";
    /// assert!(PemBlocks::new(text).flatten().any(|block| block.is_private_key()));
    /// ```
    #[must_use]
    pub fn is_private_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }

    /// The offset of the BEGIN line in the text.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.at
    }

    /// The decoded body. It is wiped when dropped, as it may be a private key.
    ///
    /// # Errors
    /// [`ErrorKind::Pem`] for a body that is not base64.
    pub fn decode(&self) -> Result<Zeroizing<Vec<u8>>, Error> {
        decode_body(self.body).map_err(|error| error.at(self.at))
    }
}

impl core::fmt::Debug for PemBlock<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "PEM block {} at byte {}", self.label, self.at)
    }
}

/// Decodes the body of a block. Header lines of RFC 1421 are skipped. Line ends may be escaped, as
/// in a string of JSON.
fn decode_body(body: &[u8]) -> Result<Zeroizing<Vec<u8>>, Error> {
    if body.len() > MAX_BODY {
        let (found, wanted) = (body.len() as u64, MAX_BODY as u64);
        return Err(Error::count(
            ErrorKind::LimitInput,
            found,
            wanted,
            "bytes of base64",
        ));
    }
    let plain = match body.contains(&b'\\') {
        true => unescape(body),
        false => None,
    };
    let body = plain.as_ref().map_or(body, |plain| plain.as_slice());
    let lines = body.split(|&byte| byte == b'\n');
    decode_lines(lines.filter(|line| !line.contains(&b':')), body.len())
}

/// All certificates of a text, in order.
///
/// # Errors
/// [`ErrorKind::Pem`] for a block that cannot be decoded.
pub fn certificates_from_pem(text: &[u8]) -> Result<Vec<Vec<u8>>, Error> {
    PemBlocks::new(text)
        .filter(|block| !matches!(block, Ok(block) if block.label() != "CERTIFICATE"))
        .map(|block| Ok(block?.decode()?.to_vec()))
        .collect()
}

fn no_key() -> Error {
    Error::because(
        ErrorKind::BadArgument,
        "a PUBLIC KEY or CERTIFICATE in PEM expected",
    )
}

impl PublicKey {
    /// The key of the first `PUBLIC KEY` or `CERTIFICATE` block of a text.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] if there is no such block, [`ErrorKind::Pem`], and those of
    /// [`from_spki_der`](Self::from_spki_der) and
    /// [`from_certificate_der`](Self::from_certificate_der).
    pub fn from_pem(text: &[u8]) -> Result<Self, Error> {
        for block in PemBlocks::new(text) {
            let block = block?;
            match block.label() {
                "PUBLIC KEY" => return Self::from_spki_der(&block.decode()?),
                "CERTIFICATE" => return Self::from_certificate_der(&block.decode()?),
                _ => {}
            }
        }
        Err(no_key())
    }

    /// The keys of all `PUBLIC KEY` blocks of a text, and of its first `CERTIFICATE` block: the
    /// certificates after it are those of a chain, whose keys are CAs'. At least one key.
    ///
    /// # Errors
    /// Those of [`from_pem`](Self::from_pem).
    ///
    /// ```
    /// # use ownership_voucher::{KeyType, LocalKey, PublicKey};
    /// # fn main() -> Result<(), ownership_voucher::Error> {
    /// let keys = [1, 2].map(|n| LocalKey::from_secret(KeyType::Secp256r1, &[n; 32]).unwrap().public_key());
    /// let pem: String = keys.iter().map(PublicKey::to_pem).collect();
    /// assert_eq!(PublicKey::all_from_pem(pem.as_bytes())?, keys);
    /// # Ok(())
    /// # }
    /// ```
    pub fn all_from_pem(text: &[u8]) -> Result<Vec<Self>, Error> {
        let mut keys = Vec::new();
        let mut chain = false;
        for block in PemBlocks::new(text) {
            let block = block?;
            match block.label() {
                "PUBLIC KEY" => keys.push(Self::from_spki_der(&block.decode()?)?),
                "CERTIFICATE" if !chain => {
                    chain = true;
                    keys.push(Self::from_certificate_der(&block.decode()?)?);
                }
                _ => {}
            }
        }
        match keys.is_empty() {
            true => Err(no_key()),
            false => Ok(keys),
        }
    }

    /// The key as PEM: its SubjectPublicKeyInfo with the label `PUBLIC KEY`.
    #[must_use]
    pub fn to_pem(&self) -> String {
        encode("PUBLIC KEY", &self.to_spki_der())
    }
}

impl LocalKey {
    /// The key of the first block of a text whose label ends in `PRIVATE KEY`. The format is
    /// determined from the body, not from the label.
    ///
    /// # Errors
    /// [`ErrorKind::BadArgument`] if there is none, [`ErrorKind::Pem`], and those of
    /// [`from_der`](Self::from_der).
    pub fn from_pem(text: &[u8]) -> Result<Self, Error> {
        for block in PemBlocks::new(text) {
            let block = block?;
            if block.is_private_key() {
                return Self::from_der(&block.decode()?);
            }
        }
        Err(Error::because(
            ErrorKind::BadArgument,
            "a PRIVATE KEY in PEM expected",
        ))
    }

    /// The key as PEM: PKCS#8 with the label `PRIVATE KEY`, not encrypted. The text is wiped when
    /// dropped.
    ///
    /// # Errors
    /// Those of [`to_pkcs8_der`](Self::to_pkcs8_der).
    ///
    /// ```
    /// # use ownership_voucher::{KeyType, LocalKey};
    /// # fn main() -> Result<(), ownership_voucher::Error> {
    /// # let key = LocalKey::from_secret(KeyType::Secp256r1, &[1; 32])?;
    /// let again = LocalKey::from_pem(key.to_pem()?.as_bytes())?;
    /// assert_eq!(again.public_key(), key.public_key());
    /// # Ok(())
    /// # }
    /// ```
    pub fn to_pem(&self) -> Result<Zeroizing<String>, Error> {
        let der = self.to_pkcs8_der()?;
        Ok(Zeroizing::new(encode("PRIVATE KEY", &der)))
    }
}

/// A block of this label, in lines of 64 columns that end in LF.
pub(super) fn encode(label: &str, body: &[u8]) -> String {
    // Its size is known before it is written, so that nothing is left behind. Encoding fails for
    // lengths near the end of the address space only.
    pem_rfc7468::encode_string(label, pem_rfc7468::LineEnding::LF, body).unwrap_or_default()
}
