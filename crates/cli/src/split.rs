//! Splits a stream into vouchers with a bounded buffer: CBOR sequences, PEM files of any length,
//! and base64 up to a limit. One voucher is extracted at a time, so that memory does not depend on
//! their number.

use std::io::{self, Read};

use ownership_voucher::{ErrorKind, Limits, file};
use zeroize::Zeroize as _;

use crate::item::{End, item_end};
use crate::report::Problem;
use crate::watch::{Seen, look_inside};

/// The minimum number of bytes requested from the stream at a time.
const CHUNK: usize = 1 << 20;
/// The maximum size of one PEM block, or of a whole base64 text: 16 MiB of CBOR and line ends.
const TEXT: usize = 24 << 20;
/// The minimum size of a voucher: GUID, HMAC and a key have more bytes.
const SHORTEST: usize = 64;
/// After this many consecutive records that cannot be vouchers, the rest is not a file of vouchers.
const DUDS: usize = 1024;
/// The same if any CBOR is accepted: consecutive items of a few bytes, each of which makes two
/// lines.
const TINY: usize = 1 << 16;

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";

/// The bytes of one voucher, or the reason why there are none.
pub(crate) type Piece = Result<Vec<u8>, Problem>;

/// The format in which a stream is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Unknown,
    Cbor,
    Pem,
    Base64,
    Done,
}

/// A stream that is being split.
pub(crate) struct Splitter<R> {
    stream: R,
    buffer: Vec<u8>,
    /// The offset in the buffer up to which it is processed.
    at: usize,
    /// Offset of the buffer in the stream.
    base: u64,
    ended: bool,
    form: Form,
    /// The offset up to which the buffer is known to hold PEM blocks.
    blocks_end: usize,
    any: bool,
    /// Whether PEM blocks with other labels were skipped.
    other_blocks: bool,
    /// Consecutive records that cannot be vouchers.
    duds: usize,
    /// Text is searched for PEM blocks up to this offset, if the user did not name the file.
    probe_limit: Option<u64>,
    /// Whether a sequence may start with any CBOR, not only with an array.
    lenient: bool,
    /// Collects private keys that appear only in decoded data.
    seen: Seen,
    /// Whether the stream has reported its end.
    eof: bool,
    /// Whether there was a PEM block with any label.
    after_block: bool,
    /// The offset of non-text bytes after a PEM block.
    foreign: Option<u64>,
}

impl<R: Read> Splitter<R> {
    /// Splits `stream`, whose expected size is `size` bytes. With `probe_limit`, text without a PEM
    /// block before that offset is treated as another format. With `lenient`, data that is neither
    /// PEM nor base64 is treated as CBOR.
    pub(crate) fn new(stream: R, size: u64, probe_limit: Option<u64>, lenient: bool) -> Self {
        let size = usize::try_from(size).unwrap_or(CHUNK);
        Self {
            stream,
            // A little more, so that the end is reached before the buffer grows.
            buffer: Vec::with_capacity(size.min(CHUNK).saturating_add(64)),
            at: 0,
            base: 0,
            ended: false,
            form: Form::Unknown,
            blocks_end: 0,
            any: false,
            other_blocks: false,
            duds: 0,
            probe_limit,
            lenient,
            seen: Seen::default(),
            eof: false,
            after_block: false,
            foreign: None,
        }
    }

    /// Records private keys there that appear only in decoded data.
    pub(crate) fn noting(mut self, seen: Seen) -> Self {
        self.seen = seen;
        self
    }

    /// Reads on after the vouchers, so that a watcher of the stream sees the rest.
    pub(crate) fn drain(&mut self) {
        let mut rest = zeroize::Zeroizing::new(vec![0; 64 << 10]);
        let mut left = TEXT;
        // Unreadable data cannot be watched either; the vouchers are complete.
        while left > 0 && !self.eof {
            match self.stream.read(&mut rest) {
                Ok(0) | Err(_) => break,
                Ok(count) => left = left.saturating_sub(count),
            }
        }
    }

    /// The number of bytes of the stream that have been split.
    pub(crate) const fn position(&self) -> u64 {
        self.base.saturating_add(self.at as u64)
    }

    /// Whether there were well-formed PEM blocks with other labels: certificates, keys.
    pub(crate) const fn other_blocks(&self) -> bool {
        self.other_blocks
    }

    /// The next voucher. A stream without any gives one problem, `no-voucher`.
    ///
    /// # Errors
    /// Those of the stream, and one for an endless stream without a voucher.
    pub(crate) fn next(&mut self) -> io::Result<Option<Piece>> {
        let piece = self.cut()?;
        self.count_duds(piece.as_ref())?;
        if piece.is_none() && !self.any {
            self.any = true;
            let why = match (self.position(), self.form) {
                (0, _) if self.buffer.is_empty() => "the input is empty",
                _ => "neither CBOR nor a PEM block OWNERSHIP VOUCHER nor base64",
            };
            return Ok(Some(Err(Problem::new(ErrorKind::NoVoucher, why))));
        }
        self.any = true;
        if piece.is_none()
            && let Some(at) = self.foreign.take()
        {
            let why = format!(
                "the bytes after a PEM block are neither text nor PEM and were not read (byte {at}); \
                 put vouchers in other formats into files of their own"
            );
            return Ok(Some(Err(Problem::new(ErrorKind::NoVoucher, &why))));
        }
        Ok(piece)
    }

    /// Records skipped bytes after a PEM block that are not text.
    fn pass_over(&mut self, count: usize) {
        if self.after_block && self.foreign.is_none() {
            let passed = self.rest().get(..count).unwrap_or_default();
            let found = passed.iter().position(|byte| !is_text(*byte));
            self.foreign = found.map(|at| self.position().saturating_add(at as u64));
        }
        self.at = self.at.saturating_add(count);
    }

    /// A record costs more than its bytes: a million records of one byte make a million lines.
    fn count_duds(&mut self, piece: Option<&Piece>) -> io::Result<()> {
        let dud = match piece {
            Some(Ok(bytes)) => bytes.len() < SHORTEST,
            Some(Err(_)) => true,
            None => return Ok(()),
        };
        self.duds = if dud { self.duds.saturating_add(1) } else { 0 };
        let (most, what) = match self.lenient {
            true => (TINY, "have a few bytes each"),
            false => (DUDS, "are no vouchers"),
        };
        if self.duds > most {
            self.form = Form::Done;
            return Err(io::Error::other(format!(
                "{most} records in a row {what}; the rest is not read"
            )));
        }
        Ok(())
    }

    fn cut(&mut self) -> io::Result<Option<Piece>> {
        if self.form == Form::Unknown {
            self.fill()?;
            self.form = form(self.rest());
            if self.lenient && self.form == Form::Pem && find(self.rest(), 0, BEGIN).is_none() {
                self.form = Form::Cbor;
            }
        }
        match self.form {
            Form::Cbor => self.cut_cbor(),
            Form::Pem => self.cut_pem(),
            Form::Base64 => self.cut_base64(),
            Form::Unknown | Form::Done => Ok(None),
        }
    }

    fn rest(&self) -> &[u8] {
        self.buffer.get(self.at..).unwrap_or_default()
    }

    /// Reads more: as many bytes as are already pending, so that processing the pending bytes again
    /// costs no more than a constant factor.
    fn fill(&mut self) -> io::Result<()> {
        let done = self.at.min(self.buffer.len());
        #[expect(clippy::disallowed_methods, reason = "not past the end")]
        self.buffer.drain(..done);
        self.base = self.base.saturating_add(self.at as u64);
        self.at = 0;
        let wanted = self.buffer.len().clamp(CHUNK, TEXT);
        let limit = wanted as u64;
        self.make_room(wanted);
        let got = self
            .stream
            .by_ref()
            .take(limit)
            .read_to_end(&mut self.buffer)?;
        self.ended = got < wanted;
        self.eof = self.ended;
        Ok(())
    }

    /// Makes room for more bytes. A folder of vouchers may also hold private keys: the old buffer
    /// is wiped before it is freed.
    fn make_room(&mut self, more: usize) {
        let first = self.buffer.is_empty() && self.base == 0;
        let spare = self.buffer.capacity().saturating_sub(self.buffer.len());
        if first || spare >= more {
            return;
        }
        let len = self.buffer.len().saturating_add(more).saturating_add(64);
        let mut longer = Vec::with_capacity(len);
        longer.extend_from_slice(&self.buffer);
        self.buffer.zeroize();
        self.buffer = longer;
    }

    fn cut_cbor(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if self.rest().is_empty() {
                if self.ended {
                    return Ok(None);
                }
                self.fill()?;
                continue;
            }
            let whole = match item_end(self.rest()) {
                End::At(end) => Some(end),
                End::Later if !self.ended && self.rest().len() <= Limits::MAX_INPUT => {
                    self.fill()?;
                    continue;
                }
                // If an item has no end, parsing it as a voucher gives the reason.
                End::Later | End::Never => None,
            };
            let piece = match whole {
                Some(end) => {
                    let piece = self.rest().get(..end).unwrap_or_default().to_vec();
                    self.at = self.at.saturating_add(end);
                    piece
                }
                None => {
                    self.form = Form::Done;
                    self.take_rest()
                }
            };
            return Ok(Some(Ok(piece)));
        }
    }

    /// All pending bytes, without copying them, since they may be many.
    fn take_rest(&mut self) -> Vec<u8> {
        let mut rest = core::mem::take(&mut self.buffer);
        let done = self.at.min(rest.len());
        self.base = self.base.saturating_add(rest.len() as u64);
        self.at = 0;
        #[expect(clippy::disallowed_methods, reason = "not past the end")]
        rest.drain(..done);
        rest
    }

    fn cut_pem(&mut self) -> io::Result<Option<Piece>> {
        loop {
            if let Some(piece) = self.take_block() {
                return Ok(Some(piece));
            }
            let Some(begin) = find(self.rest(), 0, BEGIN) else {
                // The tail may hold the start of a BEGIN line.
                let keep = match self.ended {
                    true => 0,
                    false => BEGIN.len().min(self.rest().len()),
                };
                self.pass_over(self.rest().len().saturating_sub(keep));
                let over_probe_limit =
                    !self.any && self.probe_limit.is_some_and(|most| self.position() > most);
                if self.ended || over_probe_limit {
                    self.form = Form::Done;
                    return Ok(None);
                }
                self.fill()?;
                continue;
            };
            self.pass_over(begin);
            let end = find(self.rest(), BEGIN.len(), END)
                .and_then(|end| find(self.rest(), end.saturating_add(END.len()), DASHES))
                .map(|dashes| dashes.saturating_add(DASHES.len()));
            let end = match end {
                Some(end) => end,
                None if self.ended || self.rest().len() > TEXT => {
                    // Data after it is not searched.
                    self.ended = true;
                    self.rest().len()
                }
                None => {
                    self.fill()?;
                    continue;
                }
            };
            self.blocks_end = self.at.saturating_add(end);
        }
    }

    /// The next voucher among the PEM blocks that the buffer is known to hold.
    fn take_block(&mut self) -> Option<Piece> {
        while self.at < self.blocks_end {
            let base = self.position();
            let text = self.buffer.get(self.at..self.blocks_end)?;
            let mut blocks = file::PemBlocks::new(text);
            let Some(block) = blocks.next() else {
                self.at = self.blocks_end;
                break;
            };
            let read = blocks.position().max(1);
            self.after_block |= block.is_ok();
            let piece = match block {
                Ok(block) if block.label() != file::PEM_LABEL => {
                    self.other_blocks = true;
                    if !block.is_private_key()
                        && let Ok(body) = block.decode()
                    {
                        look_inside(&body, base, &self.seen);
                    }
                    None
                }
                Ok(block) => Some(block.decode().map(|body| {
                    look_inside(&body, base, &self.seen);
                    body.to_vec()
                })),
                Err(error) => Some(Err(error)),
            };
            self.at = self.at.saturating_add(read).min(self.blocks_end);
            if let Some(piece) = piece {
                return Some(piece.map_err(|error| Problem::from(&error).moved(base)));
            }
        }
        None
    }

    fn cut_base64(&mut self) -> io::Result<Option<Piece>> {
        self.form = Form::Done;
        while !self.ended && self.rest().len() <= TEXT {
            self.fill()?;
        }
        if !self.ended {
            let why = "base64 is read up to 24 MiB; PEM and CBOR have no such bound";
            return Ok(Some(Err(Problem::new(ErrorKind::LimitInput, why))));
        }
        // Text may look like base64 at first and contain PEM later.
        if find(self.rest(), 0, BEGIN).is_some() {
            self.form = Form::Pem;
            return self.cut_pem();
        }
        if !self.decode() {
            return Ok(None);
        }
        self.form = Form::Cbor;
        self.cut_cbor()
    }

    /// Replaces the base64 in the buffer by its CBOR, if the buffer holds base64.
    fn decode(&mut self) -> bool {
        use base64ct::{Base64, Encoding as _};
        // Nothing has been taken from the buffer yet.
        let text = self.buffer.len();
        self.buffer.retain(|byte| !byte.is_ascii_whitespace());
        let Ok(cbor) = Base64::decode_in_place(&mut self.buffer).map(<[u8]>::len) else {
            return false;
        };
        self.buffer.truncate(cbor);
        look_inside(&self.buffer, 0, &self.seen);
        // Offsets are shifted so that the end of the data has its offset in the stream.
        self.base = self.base.saturating_add(text.saturating_sub(cbor) as u64);
        matches!(self.buffer.first(), Some(first) if first >> 5 == 4)
    }
}

impl<R> Drop for Splitter<R> {
    fn drop(&mut self) {
        // Private keys are in text, or in files without any voucher.
        if self.form != Form::Cbor {
            self.buffer.zeroize();
        }
    }
}

/// The format suggested by the beginning of a stream.
fn form(start: &[u8]) -> Form {
    match start.first() {
        None => Form::Done,
        // Every voucher starts with the head of an array, which no text does.
        Some(first) if first >> 5 == 4 => Form::Cbor,
        Some(_) if start.iter().all(|&byte| is_base64(byte)) => Form::Base64,
        Some(_) => Form::Pem,
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether text in any encoding may contain this byte.
const fn is_text(byte: u8) -> bool {
    !matches!(byte, 1..=8 | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f)
}

fn find(text: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let mut at = from;
    loop {
        let rest = text.get(at..)?;
        let dash = rest.iter().position(|&byte| byte == b'-')?;
        at = at.saturating_add(dash);
        if text.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at = at.saturating_add(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(bytes: &[u8]) -> Vec<Piece> {
        let mut splitter = Splitter::new(bytes, 0, None, false);
        core::iter::from_fn(|| splitter.next().unwrap()).collect()
    }

    #[test]
    fn a_sequence_longer_than_the_buffer_comes_in_pieces() {
        let item = [&[0x82, 0x59, 0x40, 0x00][..], &[7; 0x4000], &[0]].concat();
        let sequence = item.repeat(300);
        let cut = pieces(&sequence);
        assert_eq!(cut.len(), 300);
        assert!(cut.iter().all(|piece| piece.as_ref().unwrap() == &item));
    }

    #[test]
    fn the_part_behind_a_fault_is_one_piece() {
        let cut = pieces(&[0x80, 0x81, 0x1f, 0x80]);
        assert_eq!(cut.len(), 2);
        assert_eq!(cut[1].as_ref().unwrap(), &[0x81, 0x1f, 0x80]);
    }

    #[test]
    fn pem_blocks_of_other_labels_are_passed_over() {
        let text = b"text\n-----BEGIN X-----\nAAAA\n-----END X-----\r\n-----BEGIN OWNERSHIP VOUCHER-----gA==-----END OWNERSHIP VOUCHER-----\n-----BEGIN OWNERSHIP VOUCHER-----\n!\n-----END OWNERSHIP VOUCHER-----\n-----BEGIN Y";
        let cut = pieces(text);
        assert_eq!(cut.len(), 3);
        assert_eq!(cut[0].as_ref().unwrap(), &[0x80]);
        let second = cut[1].as_ref().unwrap_err();
        assert_eq!((second.kind, second.offset), (ErrorKind::Pem, Some(114)));
        assert_eq!(cut[2].as_ref().unwrap_err().kind, ErrorKind::Pem);
    }

    #[test]
    fn a_private_key_among_the_vouchers_leaves_no_copy_behind() {
        use crate::left_behind::{MARK, left_behind};
        let block = |len: usize| {
            let filler = "A".repeat(len);
            let text = core::str::from_utf8(&MARK).unwrap();
            format!("-----BEGIN PRIVATE KEY-----\n{text}{filler}\n-----END PRIVATE KEY-----\n")
        };
        // Small; with a known size; longer than the buffer.
        for (text, size) in [
            (block(100), u64::MAX),
            (block(100), 300),
            (block(3 << 20).repeat(2), 6 << 20),
        ] {
            let left = left_behind(|| {
                let mut splitter = Splitter::new(text.as_bytes(), size, None, false);
                while splitter.next().unwrap().is_some() {}
            });
            assert_eq!(left, 0, "{size}");
        }
    }

    #[test]
    fn base64_of_a_sequence() {
        use base64ct::Encoding as _;
        let item = [&[0x82, 0x58, 0x40][..], &[7; 0x40], &[0]].concat();
        let text = base64ct::Base64::encode_string(&item.repeat(3)).replace('w', "w\r\n ");
        let cut = pieces(text.as_bytes());
        assert_eq!(cut.len(), 3);
        assert!(cut.iter().all(|piece| piece.as_ref().unwrap() == &item));
    }

    #[test]
    fn a_flood_of_records_that_are_no_vouchers_ends() {
        let begin = b"-----BEGIN OWNERSHIP VOUCHER-----\n";
        let empty = b"-----BEGIN OWNERSHIP VOUCHER-----\ngA==\n-----END OWNERSHIP VOUCHER-----\n";
        for (flood, of) in [
            (vec![0x80; 5000], "CBOR"),
            (b"gICA".repeat(5000), "base64"),
            (begin.repeat(5000), "BEGIN lines"),
            (
                [&begin.repeat(5000), &empty[..]].concat(),
                "BEGIN lines, an end",
            ),
            (empty.repeat(5000), "PEM"),
        ] {
            let mut splitter = Splitter::new(&flood[..], 0, None, false);
            let mut before = 0;
            while splitter.next().is_ok_and(|piece| piece.is_some()) {
                before += 1;
            }
            assert_eq!(before, DUDS, "{of}");
            assert_eq!(splitter.next().unwrap(), None, "{of}");
        }
        // Consecutive: a voucher between them resets the count.
        let item = [&[0x82, 0x58, 0x40][..], &[7; 0x40], &[0]].concat();
        let mixed = [vec![0x80; DUDS], item, vec![0x80; DUDS]].concat();
        assert_eq!(pieces(&mixed).len(), 2 * DUDS + 1);
        // Any CBOR is accepted.
        let mut lenient = Splitter::new(&[0x80; 5000][..], 0, None, true);
        assert_eq!(
            core::iter::from_fn(|| lenient.next().unwrap()).count(),
            5000
        );
        // Up to a limit.
        let many = vec![0x80; TINY + 1];
        let mut lenient = Splitter::new(&many[..], 0, None, true);
        let mut before = 0;
        while lenient.next().is_ok_and(|piece| piece.is_some()) {
            before += 1;
        }
        assert_eq!(before, TINY);
    }

    #[test]
    fn base64_and_nothing() {
        assert_eq!(pieces(b"g A\n==")[0].as_ref().unwrap(), &[0x80]);
        for nothing in [&b""[..], b"AAAA", b"hello, world", b"{\"a\":1}", &[0, 1, 2]] {
            let cut = pieces(nothing);
            assert_eq!(cut.len(), 1);
            assert_eq!(cut[0].as_ref().unwrap_err().kind, ErrorKind::NoVoucher);
        }
    }
}
