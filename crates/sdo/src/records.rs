//! Vouchers in files: one, one in each line, an array of them, or somewhere in a text such as a dump of a
//! database. A stream is split in bounded memory; nothing is verified here.

use alloc::vec::Vec;

use crate::token::is_blank;

/// How vouchers begin as all writers wrote them.
const BEGIN: &[u8] = b"{\"sz\":";
/// The byte order mark of UTF-8.
const MARK: &[u8] = b"\xef\xbb\xbf";
/// How the block of an FDO voucher in PEM begins.
const PEM: &[u8] = b"-----BEGIN OWNERSHIP VOUCHER-----";
/// How much of a file tells what it is: exports begin with a preamble.
const HEAD: usize = 1 << 16;
/// The longest record; a longer one is cut one byte after it, so that it is refused as too large.
const MOST: usize = 1 << 20;
/// The most bytes after a voucher that are given with it: they are no voucher, and it is refused for them.
const JUNK: usize = 4096;

/// Whether a file that begins so holds vouchers of SDO: it begins with one, or is text with one in it. Data
/// that is no text and text with PEM of an FDO voucher are not such files, whatever stands in them. 65,536
/// bytes are enough.
///
/// ```
/// use ownership_voucher_sdo::is_start;
/// assert!(is_start(b"{\"sz\":1,\"oh\":{\"pv\":113"));
/// assert!(is_start(b"[{\"sz\":0"));
/// assert!(!is_start(b"{\"kty\":\"EC\"}"));
/// // An FDO voucher whose device info is such a text.
/// assert!(!is_start(b"\x85\x18\x65\x58\x40\x86\x18\x65{\"sz\":1"));
/// ```
#[must_use]
pub fn is_start(start: &[u8]) -> bool {
    let start = start.get(..HEAD).unwrap_or(start);
    Mode::of(start).is_some()
}

/// How the vouchers are in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mode {
    /// The file is vouchers, and nothing else belongs there.
    Vouchers,
    /// The file is something else, with vouchers in it.
    Inside,
    /// The file is in UTF-16: one record, which is refused with advice.
    Wide,
}

impl Mode {
    fn of(start: &[u8]) -> Option<Self> {
        let (first, second) = start.split_at_checked(2)?;
        let wide = matches!(first, [0xff, 0xfe] | [0xfe, 0xff] | [b'{', 0] | [0, b'{']);
        if wide {
            let digits = second.iter().copied().filter(|byte| *byte != 0);
            let narrow: Vec<u8> = digits.take(64).collect();
            return find(&narrow, b"\"sz\"").map(|_| Self::Wide);
        }
        let text = start.strip_prefix(MARK).unwrap_or(start);
        let text = trimmed(text);
        let inside = unwrapped(text).unwrap_or_else(|| {
            let first = after(text, b'[').map_or(text, trimmed);
            unwrapped(first).unwrap_or(first)
        });
        if inside.first() == Some(&b'{') {
            // The object, as far as it is here: one that holds a voucher is no voucher.
            let end = extent(inside).unwrap_or(inside.len());
            let object = inside.get(..end).unwrap_or_default();
            let has = |member: &[u8]| find(object, member).is_some();
            let holds = find(object, BEGIN).is_some();
            if inside.starts_with(BEGIN) || (has(b"\"oh\"") && has(b"\"pv\"") && !holds) {
                return Some(Self::Vouchers);
            }
        }
        let readable = is_text(start) && find(start, PEM).is_none();
        find(start, BEGIN)
            .filter(|_| readable)
            .map(|_| Self::Inside)
    }
}

/// Whether these bytes are text, in ASCII or an extension of it: CBOR of a voucher, archives and compressed
/// files have control characters.
fn is_text(bytes: &[u8]) -> bool {
    let control = |byte: &u8| byte.is_ascii_control() && !is_blank(*byte);
    !bytes.iter().any(control)
}

/// What follows `["LLLL",3,V,` in a text that begins so, whatever stands for the digits: a voucher in a
/// damaged wrapper is a damaged voucher, not one among other JSON.
fn unwrapped(text: &[u8]) -> Option<&[u8]> {
    let rest = after(after(text, b'[')?, b'"')?;
    let mut rest = after(
        rest.get(rest.iter().position(|byte| *byte == b'"')?..)?,
        b'"',
    )?;
    for _ in ["type", "version"] {
        let number = trimmed(after(rest, b',')?);
        let digits = number.iter().take_while(|byte| byte.is_ascii_digit());
        rest = number.get(digits.count()..)?;
    }
    after(rest, b',').map(trimmed)
}

/// What follows this byte, if it is the next one after white space.
fn after(text: &[u8], byte: u8) -> Option<&[u8]> {
    trimmed(text).strip_prefix(&[byte])
}

/// What a [`Records`] gives next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// The text of one voucher, whole or damaged, with bytes after it that belong to no other.
    Voucher(Vec<u8>),
    /// More of the stream is needed: [`push`](Records::push), or [`finish`](Records::finish) at its end.
    More,
}

/// A splitter of a stream into the texts of vouchers.
///
/// A file that holds one voucher and nothing else is that voucher, white space around it included. Of
/// several, each is given without what separates them: white space, commas, the brackets of an array. A byte
/// order mark before all of them belongs to none.
///
/// ```
/// use ownership_voucher_sdo::{Piece, Records};
/// let mut records = Records::new();
/// records.push(b"{\"sz\":0}\n{\"sz\":1}\n");
/// records.finish();
/// assert_eq!(records.next_piece(), Some(Piece::Voucher(b"{\"sz\":0}".to_vec())));
/// assert_eq!((records.next_piece(), records.offset()), (Some(Piece::Voucher(b"{\"sz\":1}".to_vec())), 9));
/// assert_eq!(records.next_piece(), None);
/// ```
#[derive(Clone, Debug, Default)]
pub struct Records {
    bytes: Vec<u8>,
    /// How many of them are taken.
    taken: usize,
    /// The offset in the stream at which `bytes` starts.
    base: u64,
    ended: bool,
    mode: Option<Mode>,
    /// Where the text begins, behind a byte order mark.
    first: u64,
    /// As many bytes are needed before anything else is known.
    enough: usize,
    offset: u64,
}

impl Records {
    /// A splitter of a stream of which nothing has been pushed yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the next bytes of the stream.
    pub fn push(&mut self, chunk: &[u8]) {
        if self.taken > self.bytes.len().saturating_sub(self.taken) {
            let rest = self.rest().to_vec();
            self.base = self.position();
            (self.bytes, self.taken) = (rest, 0);
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// Tells that the stream has no more bytes.
    pub const fn finish(&mut self) {
        self.ended = true;
    }

    /// The number of bytes of the stream that have been split.
    #[must_use]
    pub const fn position(&self) -> u64 {
        self.base.saturating_add(self.taken as u64)
    }

    /// The offset in the stream of the last voucher.
    #[must_use]
    pub const fn offset(&self) -> u64 {
        self.offset
    }

    fn rest(&self) -> &[u8] {
        self.bytes.get(self.taken..).unwrap_or_default()
    }

    fn skip(&mut self, count: usize) {
        self.taken = self.taken.saturating_add(count).min(self.bytes.len());
    }

    fn take(&mut self, count: usize) -> Piece {
        let taken = self.rest().get(..count).unwrap_or_default().to_vec();
        self.offset = self.position();
        self.skip(count);
        Piece::Voucher(taken)
    }

    fn more(&mut self) -> Option<Piece> {
        // Twice as many: all searches together are proportional to the stream.
        self.enough = self.rest().len().saturating_mul(2).max(HEAD);
        Some(Piece::More)
    }

    /// The next piece; `None` at the end.
    pub fn next_piece(&mut self) -> Option<Piece> {
        if !self.ended && self.rest().len() < self.enough.max(1) {
            return Some(Piece::More);
        }
        self.enough = 0;
        let mode = match self.mode {
            Some(mode) => mode,
            None if !self.ended && self.rest().len() < HEAD => return self.more(),
            None => {
                let mode = Mode::of(self.rest().get(..HEAD).unwrap_or(self.rest()));
                if self.rest().starts_with(MARK) {
                    self.skip(MARK.len());
                }
                self.first = self.position();
                *self.mode.insert(mode.unwrap_or(Mode::Inside))
            }
        };
        match mode {
            Mode::Wide => self.whole(),
            Mode::Vouchers => self.next_of_many(),
            Mode::Inside => self.next_inside(),
        }
    }

    /// All of the stream as one record, as far as a voucher may reach.
    fn whole(&mut self) -> Option<Piece> {
        match self.rest().len() {
            0 => None,
            length if !self.ended && length <= MOST => self.more(),
            _ => Some(self.cut()),
        }
    }

    /// The rest as far as a voucher may reach, and nothing after it.
    fn cut(&mut self) -> Piece {
        let piece = self.take(self.rest().len().min(MOST.saturating_add(1)));
        self.taken = self.bytes.len();
        self.ended = true;
        piece
    }

    fn next_of_many(&mut self) -> Option<Piece> {
        let rest = self.rest();
        let ahead = rest.iter().position(|byte| !is_separator(*byte));
        let Some(mut ahead) = ahead else {
            self.skip(rest.len());
            return match self.ended {
                true => None,
                false => self.more(),
            };
        };
        ahead = wrapper(rest, ahead).unwrap_or(ahead);
        let record = rest.get(ahead..).unwrap_or_default();
        let end = match extent(record) {
            Some(end) => ahead.saturating_add(end),
            None if record.len() > MOST => {
                self.skip(ahead);
                return Some(self.cut());
            }
            None if !self.ended => return self.more(),
            None => rest.len(),
        };
        // What follows, up to the next voucher.
        let behind = rest.get(end..).unwrap_or_default();
        if !self.ended && behind.len() < JUNK {
            return self.more();
        }
        let blanks = behind
            .iter()
            .take_while(|byte| is_separator(**byte))
            .count();
        let next = behind.get(blanks..).unwrap_or_default();
        let alone = self.position() == self.first;
        if next.is_empty() && self.ended && alone && !is_array(rest) {
            // One voucher: white space around it is its own.
            let length = rest.len();
            return Some(self.take(length));
        }
        let end = match next.first() {
            None | Some(b'{') => end,
            Some(_) if wrapper(behind, blanks).is_some() => end,
            Some(_) => {
                let junk = behind.get(..JUNK).unwrap_or(behind);
                let next = find(junk, BEGIN).unwrap_or(junk.len());
                end.saturating_add(next)
            }
        };
        self.skip(ahead);
        Some(self.take(end.saturating_sub(ahead)))
    }

    fn next_inside(&mut self) -> Option<Piece> {
        let Some(at) = find(self.rest(), BEGIN) else {
            // The start of the mark may be at the end.
            let kept = if self.ended { 0 } else { BEGIN.len() };
            self.skip(self.rest().len().saturating_sub(kept));
            return match self.ended {
                true => None,
                false => self.more(),
            };
        };
        let record = self.rest().get(at..).unwrap_or_default();
        let end = match extent(record) {
            Some(end) => end,
            None if record.len() > MOST => MOST.saturating_add(1),
            None if !self.ended => return self.more(),
            None => record.len(),
        };
        self.skip(at);
        Some(self.take(end))
    }
}

/// The bracket before `at`, if it is that of a wrapper, and not of an array.
fn wrapper(text: &[u8], at: usize) -> Option<usize> {
    let before = text.get(..at).unwrap_or_default();
    let bracket = before.iter().rposition(|byte| *byte == b'[')?;
    unwrapped(text.get(bracket..).unwrap_or_default()).map(|_| bracket)
}

/// Whether a file of one voucher is an array of one.
fn is_array(text: &[u8]) -> bool {
    let text = trimmed(text);
    text.first() == Some(&b'[') && unwrapped(text).is_none()
}

const fn is_separator(byte: u8) -> bool {
    is_blank(byte) || matches!(byte, b',' | b'[' | b']')
}

fn trimmed(text: &[u8]) -> &[u8] {
    let blanks = text.iter().take_while(|byte| is_blank(**byte)).count();
    text.get(blanks..).unwrap_or_default()
}

/// The length of the object or array at the beginning, if its end is there. Another voucher that begins
/// a line is not inside of it.
fn extent(text: &[u8]) -> Option<usize> {
    let (mut depth, mut string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate().take(MOST.saturating_add(1)) {
        match byte {
            b'"' if !escaped => string = !string,
            b'\n'
                if text.get(at..).is_some_and(|rest| {
                    rest.get(1..).is_some_and(|rest| rest.starts_with(BEGIN))
                }) =>
            {
                return Some(at);
            }
            b'{' | b'[' if !string => depth = depth.saturating_add(1),
            b'}' | b']' if !string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at.saturating_add(1));
                }
            }
            // A record begins with a bracket.
            _ if depth == 0 && !string => return Some(0).filter(|_| at > 0).or(Some(1)),
            _ => {}
        }
        escaped = string && *byte == b'\\' && !escaped;
    }
    None
}

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    (0..text.len()).find(|at| text.get(*at..).is_some_and(|rest| rest.starts_with(wanted)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::String;
    use alloc::vec;

    fn split_in(text: &[u8], chunk: usize) -> Vec<(u64, Vec<u8>)> {
        let mut records = Records::new();
        let mut chunks = text.chunks(chunk);
        let mut found = Vec::new();
        while let Some(piece) = records.next_piece() {
            match piece {
                Piece::Voucher(bytes) => found.push((records.offset(), bytes)),
                Piece::More => match chunks.next() {
                    Some(chunk) => records.push(chunk),
                    None => records.finish(),
                },
            }
        }
        found
    }

    fn split(text: &[u8]) -> Vec<(u64, String)> {
        let found = split_in(text, text.len().max(1));
        for chunk in [1, 7, 100] {
            assert_eq!(split_in(text, chunk), found);
        }
        let words = |(at, bytes): (u64, Vec<u8>)| (at, String::from_utf8(bytes).unwrap());
        found.into_iter().map(words).collect()
    }

    const ONE: &str = "{\"sz\":0,\"x\":\"}]\\\"{\"}";
    const TWO: &str = "{\"sz\":1,\"y\":[1,[2]]}";

    #[test]
    fn one_voucher_with_what_is_around_it() {
        for text in [
            String::from(ONE),
            alloc::format!("{ONE}\n"),
            alloc::format!(" \r\n{ONE}\r\n\r\n"),
            alloc::format!("{ONE}x"),
            String::from("{\"sz\":0,\"oh\":"),
            alloc::format!("[\"0021\",3,113,{ONE}]"),
        ] {
            assert_eq!(split(text.as_bytes()), [(0, text.clone())], "{text}");
        }
    }

    #[test]
    fn many_vouchers() {
        let both = |first, second| vec![(first, ONE.into()), (second, TWO.into())];
        let length = ONE.len() as u64;
        for (text, at) in [
            (alloc::format!("{ONE}\n{TWO}\n"), [0, length + 1]),
            (alloc::format!("{ONE}{TWO}"), [0, length]),
            (alloc::format!("[{ONE},{TWO}]"), [1, length + 2]),
            (alloc::format!("[\n  {ONE},\n  {TWO}\n]\n"), [4, length + 8]),
            (alloc::format!("\u{feff}{ONE}\n\n{TWO}"), [3, length + 5]),
        ] {
            assert_eq!(split(text.as_bytes()), both(at[0], at[1]), "{text}");
        }
        let text = alloc::format!("[{ONE}]");
        assert_eq!(split(text.as_bytes()), [(1, ONE.into())]);
    }

    #[test]
    fn vouchers_inside_of_other_text() {
        let text = alloc::format!("INSERT INTO t VALUES ('{ONE}', 1);\nINSERT '{TWO}'\n");
        let found = split(text.as_bytes());
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].1, &*found[1].1), (ONE, TWO));
        assert_eq!(found[0].0, 23);
    }

    #[test]
    fn a_damaged_one_among_others() {
        // Cut: the next line begins another. Followed by junk: refused for it.
        let text = alloc::format!("{}\n{TWO}\n{ONE}xyz\n{TWO}\n", &ONE[..12]);
        let found = split(text.as_bytes());
        let texts: Vec<&str> = found.iter().map(|(_, text)| &**text).collect();
        assert_eq!(texts, [&ONE[..12], TWO, &alloc::format!("{ONE}xyz\n"), TWO]);
    }

    #[test]
    fn what_is_taken_is_not_kept() {
        let line = alloc::format!("{ONE}\n");
        let text = alloc::format!("{:100}", "text");
        for (first, then) in [(&*line, &*line), (&text, &text), (ONE, &" ".repeat(100))] {
            let mut records = Records::new();
            records.push(first.as_bytes());
            for _ in 0..20_000 {
                records.push(then.as_bytes());
                while let Some(Piece::Voucher(_)) = records.next_piece() {}
                assert!(records.bytes.len() <= 4 * (HEAD + JUNK));
            }
        }
    }

    #[test]
    fn wide_text_is_one_record() {
        let wide: Vec<u8> = ONE.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(split_in(&wide, 5), [(0, wide.clone())]);
        let marked = [&[0xff, 0xfe][..], &wide].concat();
        assert_eq!(split_in(&marked, 5), [(0, marked.clone())]);
    }

    #[test]
    fn an_endless_record_is_cut() {
        let text = [BEGIN, &vec![b'['; MOST * 2]].concat();
        let found = split_in(&text, 1 << 16);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].1.len(), MOST + 1);
    }

    #[test]
    fn what_is_no_file_of_vouchers() {
        for text in [
            &b""[..],
            b"{",
            b"{\"kty\":\"EC\"}",
            b"[1,2]",
            b"\x85\x18\x65",
            b"[\"a\"]",
        ] {
            assert!(!is_start(text), "{text:?}");
        }
        assert!(is_start(b" {\"SZ\":0,\"oh\":{\"pv\":1}}"));
    }
}
