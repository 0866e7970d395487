//! Vouchers in text: PEM blocks one after the other, base64 as a whole.

use super::is_cbor;
use super::label::{self, Line};
use super::state::{Format, PEM_LABEL, Piece, Splitter, State, Step};
use super::wide::Wide;
use crate::error::{Error, ErrorKind};
use crate::file::decode::{
    decode_string, decode_text, is_base64, is_in_string, starts_as_voucher, string_end,
};
use crate::file::kind::{HEAD, Kind};
use crate::file::pem::{BEGIN, DASHES, END, MAX_BODY, PemBlocks, find};

/// The format is recognised by this many bytes.
const PROBE: usize = 1 << 20;
/// The line of a voucher, without its dashes.
const BARE_BEGIN: &[u8] = b"BEGIN OWNERSHIP VOUCHER";
/// The most bytes of a line before and after these words, if nothing else is in it.
const AROUND: usize = 16;
/// What is kept of the text when nothing was found: it may hold the start of a mark.
const KEPT: usize = BARE_BEGIN.len() + 2 * AROUND;
const ALMOST: &str = "the BEGIN line is not exactly -----BEGIN OWNERSHIP VOUCHER-----: upper case, one blank \
                      between the words; correct it, and the END line";
const DAMAGED: &str = "digits that begin as a voucher are neither base64 nor hexadecimal to their end: \
                       some are wrong, or the text is cut; get it again";
/// A string of JSON with fewer digits is no voucher.
const SHORTEST: usize = 86;

/// Something in a text that may be the start of a voucher.
enum Mark {
    /// The BEGIN line of a block.
    Begin,
    /// A BEGIN line of a voucher without its dashes.
    Bare,
    /// A BEGIN line of a voucher with another label, or an END line, and its length.
    Line(Line, usize),
    /// A quotation mark in JSON.
    Quote,
}

impl Splitter {
    /// Ends the search for a PEM block at this offset if there was none. Without it, text is
    /// searched to the end.
    #[must_use]
    pub const fn with_search_limit(mut self, offset: u64) -> Self {
        self.pem.limit = Some(offset);
        self
    }

    /// Whether there were well-formed PEM blocks with other labels: certificates, keys.
    #[must_use]
    pub const fn has_other_blocks(&self) -> bool {
        self.pem.other_blocks
    }

    /// The offset of the first byte after a PEM block that no text has: other data, perhaps
    /// vouchers, that was not read.
    #[must_use]
    pub const fn unread_data(&self) -> Option<u64> {
        match self.pem.foreign {
            Some(at) => Some(at.saturating_mul(self.unit())),
            None => None,
        }
    }

    /// Goes on with narrow text, from the start of the stream.
    pub(super) fn narrow(&mut self, mut wide: Wide) -> Step {
        let mut text = wide.narrow(self.buffer.rest());
        self.buffer.restart(core::mem::take(&mut *text));
        self.wide = Some(wide);
        Step::Again
    }

    pub(super) fn recognise_text(&mut self) -> Step {
        let rest = self.buffer.rest();
        let start = rest.get(..PROBE).unwrap_or(rest);
        let certain = self.ended || start.len() == PROBE;
        let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start);
        let blocks = find(text, 0, BARE_BEGIN).is_some() || has_lines(text);
        let digits = text.iter().all(|&byte| is_base64(byte)) || starts_as_voucher(text);
        if !blocks && digits {
            return match certain {
                true => self.recognised(Format::Base64, State::Base64),
                false => Step::More(PROBE),
            };
        }
        self.kind = Kind::of_text(start.get(..HEAD).unwrap_or(start));
        match is_json(text) {
            None if !certain => return Step::More(PROBE),
            Some(true) => {
                self.pem.json = true;
                return self.recognised(Format::Json, State::Pem);
            }
            _ => {}
        }
        if !self.any_cbor || blocks {
            return self.recognised(Format::Pem, State::Pem);
        }
        match certain {
            true => self.recognised(Format::Cbor, State::Cbor),
            false => Step::More(PROBE),
        }
    }

    pub(super) fn next_in_pem(&mut self) -> Step {
        if self.pem.blocks > 0 {
            return self.next_block();
        }
        let rest = self.buffer.rest();
        // The text in which a block may start, with room for the BEGIN of the last one.
        let most = match self.pem.limit {
            Some(limit) if !self.any => limit
                .checked_div(self.unit())
                .unwrap_or(limit)
                .saturating_add(BEGIN.len() as u64)
                .saturating_sub(self.buffer.position()),
            _ => u64::MAX,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let text = rest.get(..most).unwrap_or(rest);
        let (length, last) = (text.len(), self.ended || text.len() == most);
        let from_start = self.buffer.position() == 0;
        match next_mark(text, self.pem.json, last, from_start) {
            Some((at, Mark::Begin)) => {
                self.pass_over(at);
                self.pem.open = false;
                self.find_end()
            }
            Some((at, Mark::Quote)) => {
                self.pass_over(at);
                self.next_string()
            }
            Some((at, Mark::Bare)) => {
                self.pass_over(at);
                self.offset = self.buffer.position();
                self.pass_over(BARE_BEGIN.len());
                self.pem.open = true;
                let why = "the line BEGIN OWNERSHIP VOUCHER lacks its dashes, five on either side";
                Step::Piece(Err(Error::because(ErrorKind::Pem, why).at(0)))
            }
            Some((at, Mark::Line(line, length))) => {
                self.pass_over(at);
                self.offset = self.buffer.position();
                self.pass_over(length);
                let was_open = core::mem::replace(&mut self.pem.open, line == Line::Begin);
                let why = match line {
                    Line::Begin => ALMOST,
                    Line::End if was_open => return Step::Again,
                    Line::End => {
                        "an END line without BEGIN: the start of this voucher is missing; get \
                         the file again"
                    }
                };
                Step::Piece(Err(Error::because(ErrorKind::Pem, why).at(0)))
            }
            None if last => {
                self.pass_over(length);
                Step::Done
            }
            None => {
                self.pass_over(length.saturating_sub(KEPT));
                Step::More(usize::MAX)
            }
        }
    }

    /// Takes the string of JSON that starts with a quotation mark here, if it is a voucher.
    fn next_string(&mut self) -> Step {
        let rest = self.buffer.rest();
        let string = rest.get(1..).unwrap_or_default();
        let window = string.get(..MAX_BODY).unwrap_or(string);
        let all = self.ended || window.len() == MAX_BODY;
        let run = window.iter().position(|byte| !is_in_string(*byte));
        if run.is_none() && !all {
            return Step::More(MAX_BODY.saturating_add(1));
        }
        let end = run.unwrap_or(window.len());
        let digits = window.get(..end).unwrap_or_default();
        let whole = window.get(end) == Some(&b'"') && digits.len() >= SHORTEST;
        let voucher = whole.then(|| decode_string(digits)).flatten();
        if voucher.is_none() && starts_as_voucher(digits) {
            let end = string_end(window);
            if end.is_none() && !all {
                return Step::More(MAX_BODY.saturating_add(1));
            }
            let closed = end.is_some_and(|end| window.get(end) == Some(&b'"'));
            let end = end.unwrap_or(window.len());
            if !closed || end >= SHORTEST {
                self.offset = self.buffer.position();
                // All of it, so that nothing is searched twice.
                self.pass_over(end.saturating_add(1));
                return Step::Piece(Err(Error::because(ErrorKind::Pem, DAMAGED).at(0)));
            }
        }
        self.offset = self.buffer.position();
        // The next quotation mark may start a string as well as end this one, and a block may start
        // inside.
        let passed = find(digits, 0, DASHES).unwrap_or(end);
        self.pass_over(passed.saturating_add(1));
        match voucher {
            Some(mut bytes) => {
                self.pem.after_block = true;
                Step::Piece(Ok(Piece::Voucher(core::mem::take(&mut *bytes))))
            }
            None => Step::Again,
        }
    }

    /// Finds the end of the block that comes next.
    fn find_end(&mut self) -> Step {
        let rest = self.buffer.rest();
        let window = rest.get(..MAX_BODY).unwrap_or(rest);
        let end = find(window, BEGIN.len(), END)
            .and_then(|end| find(window, end.saturating_add(END.len()), DASHES))
            .map(|dashes| dashes.saturating_add(DASHES.len()));
        match end {
            Some(end) => self.pem.blocks = end,
            None if self.ended || rest.len() > MAX_BODY => {
                // What follows is not searched.
                self.pem.blocks = window.len();
                self.buffer.truncate(self.pem.blocks);
                self.ended = true;
            }
            None => return Step::More(MAX_BODY.saturating_add(1)),
        }
        Step::Again
    }

    /// Takes the next of the blocks whose end is known.
    fn next_block(&mut self) -> Step {
        let rest = self.buffer.rest();
        let text = rest.get(..self.pem.blocks).unwrap_or(rest);
        let mut blocks = PemBlocks::new(text);
        let block = blocks.next();
        let (read, piece) = match block {
            None => (self.pem.blocks, None),
            Some(Err(error)) => (blocks.position(), Some(Err(error))),
            Some(Ok(block)) => {
                self.pem.after_block = true;
                let piece = if block.label() == PEM_LABEL {
                    let voucher = block.decode();
                    Some(voucher.map(|mut it| Piece::Voucher(core::mem::take(&mut *it))))
                } else if label::is_similar(block.label()) {
                    Some(Err(
                        Error::because(ErrorKind::Pem, ALMOST).at(block.offset())
                    ))
                } else {
                    self.pem.other_blocks = true;
                    let kind = Kind::of_label(block.label().as_bytes());
                    // The first block tells, and a private key more than any other.
                    if !self.pem.after_other || kind == Kind::PrivateKey {
                        self.kind = Some(kind);
                    }
                    self.pem.after_other = true;
                    let body = (!block.is_private_key()).then(|| block.decode().ok());
                    body.flatten().map(|body| Ok(Piece::Decoded(body)))
                };
                (blocks.position(), piece)
            }
        };
        self.offset = self.buffer.position();
        self.buffer.skip(read);
        self.pem.blocks = self.pem.blocks.saturating_sub(read);
        piece.map_or(Step::Again, Step::Piece)
    }

    /// Skips bytes outside of blocks, and remembers the first that is not text.
    fn pass_over(&mut self, count: usize) {
        if self.pem.after_block && self.pem.foreign.is_none() {
            let passed = self.buffer.rest().get(..count).unwrap_or_default();
            let found = passed.iter().position(|byte| !is_text(*byte));
            let position = self.buffer.position();
            self.pem.foreign = found.map(|at| position.saturating_add(at as u64));
        }
        self.buffer.skip(count);
    }

    pub(super) fn decode_all(&mut self) -> Step {
        let text = self.buffer.rest();
        if text.len() > MAX_BODY {
            self.state = State::Done;
            let why = "base64 is read up to 24 MiB; PEM and CBOR have no such bound";
            return Step::Piece(Err(Error::because(ErrorKind::LimitInput, why)));
        }
        if !self.ended {
            return Step::More(MAX_BODY.saturating_add(1));
        }
        // Text may look like base64 at first and contain PEM later. The first part is known to have none.
        let known = PROBE.saturating_sub(label::MOST);
        if text.get(known..).is_some_and(has_lines) {
            return self.recognised(Format::Pem, State::Pem);
        }
        let decoded = decode_text(text);
        let voucher = decoded.as_ref().is_some_and(|(bytes, _)| is_cbor(bytes));
        if !voucher && starts_as_voucher(text) {
            self.state = State::Done;
            return Step::Piece(Err(Error::because(ErrorKind::Pem, DAMAGED).at(0)));
        }
        let Some((mut decoded, format)) = decoded else {
            // A key of SSH has no other characters than base64 has.
            self.kind = Kind::of_text(text.get(..HEAD).unwrap_or(text));
            return Step::Done;
        };
        self.format = Some(format);
        self.state = match voucher {
            true => State::Cbor,
            false => State::Done,
        };
        self.kind = Kind::of(decoded.get(..HEAD).unwrap_or(&decoded));
        let all = decoded.clone();
        self.buffer.replace(core::mem::take(&mut *decoded));
        Step::Piece(Ok(Piece::Decoded(all)))
    }
}

/// Whether a text has lines of PEM, as they should be or almost.
fn has_lines(text: &[u8]) -> bool {
    find(text, 0, BEGIN).is_some() || label::any(text)
}

/// The first mark in a text; `last` if no text follows it. `from_start` if nothing is before it.
fn next_mark(text: &[u8], json: bool, last: bool, from_start: bool) -> Option<(usize, Mark)> {
    let mut marks = text.iter().enumerate().filter_map(|(at, byte)| {
        let rest = text.get(at..).unwrap_or_default();
        Some((
            at,
            match byte {
                b'-' if rest.starts_with(BEGIN) => Mark::Begin,
                b'-' => label::line(rest).map(|(line, length)| Mark::Line(line, length))?,
                b'B' => Mark::Bare,
                b'"' if json => Mark::Quote,
                _ => return None,
            },
        ))
    });
    marks.find(|(at, mark)| {
        let rest = text.get(*at..).unwrap_or_default();
        match mark {
            Mark::Bare => rest.starts_with(BARE_BEGIN) && is_bare(text, *at, last, from_start),
            Mark::Begin | Mark::Quote | Mark::Line(..) => true,
        }
    })
}

/// Whether nothing but dashes of any kind is in the line of these words.
fn is_bare(text: &[u8], at: usize, last: bool, from_start: bool) -> bool {
    let is_dash = |byte: &u8| matches!(byte, b'-' | b'_' | b' ' | b'\t' | b'\r' | 0x80..);
    let before = text.get(at.saturating_sub(AROUND)..at).unwrap_or_default();
    let line = before
        .rsplit(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let starts = line.len() < before.len() || from_start && before.len() == at;
    let behind = text
        .get(at.saturating_add(BARE_BEGIN.len())..)
        .unwrap_or_default();
    let around = behind.get(..AROUND).unwrap_or(behind);
    let end = around
        .split(|byte| *byte == b'\n')
        .next()
        .unwrap_or_default();
    let ends = end.len() < around.len() || last && around.len() == behind.len();
    starts && ends && line.iter().all(is_dash) && end.iter().all(is_dash)
}

/// Whether a text starts as JSON does, and as no CBOR of a sensible size; `None` if more must be
/// known.
fn is_json(text: &[u8]) -> Option<bool> {
    let text = text.trim_ascii_start();
    let (first, inside) = text.split_first()?;
    if !matches!(first, b'{' | b'[') {
        return Some(false);
    }
    let next = inside.trim_ascii_start().first()?;
    Some(matches!(next, b'"' | b'{' | b'['))
}

/// Whether text in any encoding may contain this byte.
const fn is_text(byte: u8) -> bool {
    !matches!(byte, 1..=8 | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f)
}
