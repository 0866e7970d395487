//! Vouchers in text: PEM blocks one after the other, base64 as a whole.

use super::state::{Format, PEM_LABEL, Piece, Splitter, State, Step, starts_array};
use crate::error::{Error, ErrorKind};
use crate::file::pem::{BEGIN, DASHES, END, MAX_BODY, PemBlocks, decode_lines, find};

/// The format is recognised by this many bytes.
const PROBE: usize = 1 << 20;

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
        self.pem.foreign
    }

    pub(super) fn recognise_text(&mut self) -> Step {
        let rest = self.buffer.rest();
        let start = rest.get(..PROBE).unwrap_or(rest);
        let certain = self.ended || start.len() == PROBE;
        if start.iter().all(|&byte| is_base64(byte)) {
            return match certain {
                true => self.recognised(Format::Base64, State::Base64),
                false => Step::More(PROBE),
            };
        }
        if !self.any_cbor || find(start, 0, BEGIN).is_some() {
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
                .saturating_add(BEGIN.len() as u64)
                .saturating_sub(self.buffer.position()),
            _ => u64::MAX,
        };
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let text = rest.get(..most).unwrap_or(rest);
        let (length, last) = (text.len(), self.ended || text.len() == most);
        match find(text, 0, BEGIN) {
            Some(begin) => {
                self.pass_over(begin);
                self.find_end()
            }
            None if last => {
                self.pass_over(length);
                Step::Done
            }
            None => {
                // The tail may hold the start of a BEGIN line.
                self.pass_over(length.saturating_sub(BEGIN.len()));
                Step::More(usize::MAX)
            }
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
                } else {
                    self.pem.other_blocks = true;
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
        // Text may look like base64 at first and contain PEM later.
        if find(text, 0, BEGIN).is_some() {
            return self.recognised(Format::Pem, State::Pem);
        }
        let Ok(mut decoded) = decode_lines(core::iter::once(text), text.len()) else {
            return Step::Done;
        };
        self.state = match decoded.first() {
            Some(first) if starts_array(*first) => State::Cbor,
            _ => State::Done,
        };
        let all = decoded.clone();
        self.buffer.replace(core::mem::take(&mut *decoded));
        Step::Piece(Ok(Piece::Decoded(all)))
    }
}

const fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte.is_ascii_whitespace() || matches!(byte, b'+' | b'/' | b'=')
}

/// Whether text in any encoding may contain this byte.
const fn is_text(byte: u8) -> bool {
    !matches!(byte, 1..=8 | 0x0e..=0x19 | 0x1c..=0x1f | 0x7f)
}
